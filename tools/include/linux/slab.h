/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TOOLS_LINUX_SLAB_H
#define _TOOLS_LINUX_SLAB_H

#include <stdlib.h>

#define GFP_KERNEL	0

static inline void *kvmalloc_array(size_t n, size_t size, int flags)
{
	(void)flags;
	return reallocarray(NULL, n, size);
}

static inline void kvfree(const void *p)
{
	free((void *)p);
}

#endif
