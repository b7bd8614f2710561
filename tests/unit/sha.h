/* SPDX-License-Identifier: GPL-2.0-only */
/* Makes the digest of a changed blob right again, when there is room for one. */
#ifndef TESTS_SHA_H
#define TESTS_SHA_H

#include <linux/types.h>

void sha_fix_digest(void *blob, size_t len);

#endif
