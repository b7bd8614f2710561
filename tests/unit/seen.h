/* SPDX-License-Identifier: GPL-2.0-only */
/* Collects the runs of a walk, for the tests to look at. */
#ifndef TESTS_SEEN_H
#define TESTS_SEEN_H

#include <stdlib.h>

#include "walk.h"

struct seen {
	struct frz_extent *e;
	size_t n;
	size_t stop_after;	/* return 77 from this run on, 0 = never */
};

static inline int seen_add(void *arg, const struct frz_extent *e)
{
	struct seen *seen = arg;

	seen->e = realloc(seen->e, (seen->n + 1) * sizeof(*e));
	if (!seen->e)
		abort();
	seen->e[seen->n++] = *e;
	return seen->stop_after && seen->n >= seen->stop_after ? 77 : 0;
}

static inline void seen_free(struct seen *seen)
{
	free(seen->e);
	*seen = (struct seen){};
}

#endif
