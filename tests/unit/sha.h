/* SPDX-License-Identifier: GPL-2.0-only */
/* SHA-256 of libcrypto in the shape that blob.c takes. Used by one thread. */
#ifndef TESTS_SHA_H
#define TESTS_SHA_H

#include "frz.h"

extern const struct frz_sha256 sha256;

/* Makes the digest of a changed blob right again, when there is room for one. */
void sha_fix_digest(void *blob, size_t len);

#endif
