/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What <linux/types.h> has in the kernel, for its code that builds in user space.
 *
 * The headers in this folder go before those of the system: they stand in for the
 * kernel's where the system has none, and with #include_next add what the kernel's
 * have beyond that. errno.h and string.h of the system serve as they are.
 */
#ifndef _TOOLS_LINUX_TYPES_H
#define _TOOLS_LINUX_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include_next <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

#endif
