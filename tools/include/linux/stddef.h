/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TOOLS_LINUX_STDDEF_H
#define _TOOLS_LINUX_STDDEF_H

#include <stddef.h>
#include_next <linux/stddef.h>

#endif
