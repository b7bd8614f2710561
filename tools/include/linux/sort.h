/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TOOLS_LINUX_SORT_H
#define _TOOLS_LINUX_SORT_H

#include <stdlib.h>

static inline void sort(void *base, size_t n, size_t size,
			int (*compare)(const void *a, const void *b),
			void (*swap)(void *a, void *b, int size))
{
	(void)swap;
	qsort(base, n, size, compare);
}

#endif
