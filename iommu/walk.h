/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: reads IO page tables of any format, see walk.c. Pure.
 */
#ifndef _IOMMU_FREEZE_WALK_H
#define _IOMMU_FREEZE_WALK_H

#include <linux/kho/abi/iommu-freeze.h>
#include <linux/types.h>

#include "format/format.h"

struct frz_extent;

/**
 * struct frz_tree - one tree of tables in some memory
 * @fmt: format
 * @top: address of the top table
 * @levels: number of levels
 * @map: table address to its entries (little endian), NULL when that memory may
 *	not be read. May be called with the same address again. What it returns
 *	must stay readable until the walk, lookup or compare returns. It is also
 *	the place to bound the work on tables that are not trusted: refuse after
 *	as many calls as there should be tables.
 * @priv: for @map
 * @leaves_out: NULL, or: is this leaf none that a walk tells? frz_lookup() does.
 */
struct frz_tree {
	const struct frz_format *fmt;
	u64 top;
	unsigned int levels;
	const __le64 *(*map)(void *priv, u64 table);
	void *priv;
	bool (*leaves_out)(const struct frz_extent *leaf);
};

/* A run: iova.. translates to pa.. for len bytes. */
struct frz_extent {
	u64 iova;
	u64 pa;
	u64 len;
	u32 prot;
};

/*
 * Calls fn for each maximal contiguous run (same prot, contiguous iova and pa),
 * in iova order. fn != 0 stops the walk and is returned. -EFAULT: map refused a
 * table, -EINVAL: bad entry or number of levels; *bad_iova tells where. stats
 * and bad_iova may be NULL; stats is set, not added to.
 */
int frz_walk(const struct frz_tree *t,
	     int (*fn)(void *arg, const struct frz_extent *e), void *arg,
	     struct frz_stats *stats, u64 *bad_iova);

/*
 * The same from an iova on: a run that begins below it is told from there. What
 * lies below costs nothing.
 */
int frz_walk_from(const struct frz_tree *t, u64 start,
		  int (*fn)(void *arg, const struct frz_extent *e), void *arg,
		  struct frz_stats *stats, u64 *bad_iova);

/*
 * The leaf (whole, not merged) that translates iova: 0, or -ENOENT, -EFAULT,
 * -EINVAL.
 */
int frz_lookup(const struct frz_tree *t, u64 iova, struct frz_extent *e);

/*
 * A place in tables that remembers the path to it, so that going on from there
 * costs one entry and not a walk from the top. For walk.c and compare.c.
 */
struct frz_cursor {
	const struct frz_tree *t;
	struct {
		const __le64 *entries;
		u32 prot;
	} path[FRZ_MAX_LEVELS + 1];	/* by level, [0] unused */
	unsigned int level;		/* lowest valid level of path, 0 = none */
	u64 at;				/* iova under path; where an error was */
	u64 tables;			/* mapped so far */
};

/* 0, -EINVAL (levels), -EFAULT (the top table may not be read) */
int frz_cursor_init(struct frz_cursor *c, const struct frz_tree *t);

/*
 * The leaf that translates iova or, unless exact, the next one after it.
 * -ENOENT when there is none; -EFAULT, -EINVAL with c->at telling where.
 */
int frz_cursor_leaf(struct frz_cursor *c, u64 iova, bool exact,
		    struct frz_extent *leaf);

#endif /* _IOMMU_FREEZE_WALK_H */
