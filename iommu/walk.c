// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: reads IO page tables of any format
 *
 * Structure: a cursor, which is the path of tables from the top to the place
 * that was read last. Walk and lookup are loops over it. Nothing is kept beyond
 * a call. Locking: the caller keeps the tables from being changed or freed; only
 * hardware may still set accessed and dirty bits. What may fail: a table that
 * map() refuses (-EFAULT), an entry that makes no sense (-EINVAL).
 *
 * Depth is bounded by the number of levels, so a table that points to itself
 * costs time but no stack; map() may bound the time.
 */
#include <asm/byteorder.h>
#include <linux/align.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/errno.h>

#include "walk.h"

/* What tables narrow, and what a leaf needs; all else is the leaf's alone. */
#define ACCESS	(FRZ_READ | FRZ_WRITE)

static int push(struct frz_cursor *c, unsigned int level, u64 table, u32 prot)
{
	const __le64 *entries = c->t->map(c->t->priv, table);

	if (!entries)
		return -EFAULT;
	c->path[level].entries = entries;
	c->path[level].prot = prot;
	c->level = level;
	c->tables++;
	return 0;
}

/**
 * frz_cursor_init - begin to read tables
 * @c: cursor
 * @t: tables; must stay as long as @c is used
 *
 * Return: 0, -EINVAL when the number of levels or the top table's address is not
 * one of the format's, -EFAULT when the top table may not be read.
 */
int frz_cursor_init(struct frz_cursor *c, const struct frz_tree *t)
{
	c->t = t;
	c->at = 0;
	c->tables = 0;
	if (!frz_levels_valid(t->fmt, t->levels))
		return -EINVAL;
	if (!t->top || !IS_ALIGNED(t->top, BIT_ULL(t->fmt->page_shift)))
		return -EINVAL;
	return push(c, t->levels, t->top, ACCESS);
}

/* Go up to the lowest table of the path that also covers iova. */
static void climb(struct frz_cursor *c, u64 iova)
{
	const struct frz_format *fmt = c->t->fmt;

	while (c->level < c->t->levels &&
	       (iova ^ c->at) >> frz_level_shift(fmt, c->level + 1))
		c->level++;
	c->at = iova;
}

/**
 * frz_cursor_leaf - read the leaf at, or the first one from, an iova
 * @c: cursor
 * @iova: where
 * @exact: only the leaf that translates @iova, do not look further
 * @leaf: the whole leaf, with the permissions that are left of it when those of
 *	the tables above were applied
 *
 * Return: 0, -ENOENT when there is none, -EFAULT or -EINVAL with @c->at telling
 * where. An -EFAULT or -EINVAL leaves a cursor that can still be used.
 */
int frz_cursor_leaf(struct frz_cursor *c, u64 iova, bool exact,
		    struct frz_extent *leaf)
{
	const struct frz_format *fmt = c->t->fmt;
	u64 end = frz_iova_end(fmt, c->t->levels);
	unsigned int level;
	enum frz_entry_type what;
	const __le64 *slot;
	u64 entry, size;
	u32 prot;
	int ret;

	while (iova < end) {
		climb(c, iova);
		level = c->level;
		slot = c->path[level].entries + frz_level_index(fmt, level, iova);
		entry = le64_to_cpu(READ_ONCE(*slot));
		size = BIT_ULL(frz_level_shift(fmt, level));

		what = fmt->classify(entry, level);
		if (what == FRZ_BAD)
			return -EINVAL;
		prot = fmt->prot(entry, level) &
		       (c->path[level].prot | ~ACCESS);
		if (what == FRZ_NONE || !(prot & ACCESS)) {
			if (exact)
				return -ENOENT;
			iova = (iova | (size - 1)) + 1;
			continue;
		}
		if (what == FRZ_TABLE) {
			ret = push(c, level - 1, fmt->address(entry, level), prot);
			if (ret)
				return ret;
			continue;
		}
		leaf->iova = iova & ~(size - 1);
		leaf->pa = fmt->address(entry, level);
		leaf->len = size;
		leaf->prot = prot;
		return 0;
	}
	return -ENOENT;
}

/**
 * frz_walk_from - call a function for each run of the tables from an iova on
 * @t: tables
 * @start: where to begin; a run that begins below it is told from there
 * @fn: called for each maximal contiguous run, in iova order; a value other than
 *	0 stops the walk
 * @arg: for @fn
 * @stats: set to what was seen; NULL when not wanted
 * @bad_iova: set to the place of an -EFAULT or -EINVAL; NULL when not wanted
 *
 * Return: 0, what @fn returned, -EFAULT when a table may not be read, -EINVAL
 * for a bad entry or number of levels.
 */
int frz_walk_from(const struct frz_tree *t, u64 start,
		  int (*fn)(void *arg, const struct frz_extent *e), void *arg,
		  struct frz_stats *stats, u64 *bad_iova)
{
	struct frz_extent run = { .iova = start }, leaf;
	struct frz_stats seen = {};
	u64 next = start;
	struct frz_cursor c;
	int ret, err;

	ret = frz_cursor_init(&c, t);
	while (!ret) {
		ret = frz_cursor_leaf(&c, next, false, &leaf);
		if (ret)
			break;
		if (leaf.iova < start) {
			leaf.pa += start - leaf.iova;
			leaf.len -= start - leaf.iova;
			leaf.iova = start;
		}
		next = leaf.iova + leaf.len;
		if (t->leaves_out && t->leaves_out(&leaf))
			continue;
		seen.leaves++;
		seen.bytes += leaf.len;
		if (run.len && leaf.prot == run.prot &&
		    leaf.iova == run.iova + run.len &&
		    leaf.pa == run.pa + run.len) {
			run.len += leaf.len;
			continue;
		}
		if (run.len) {
			seen.extents++;
			err = fn(arg, &run);
			if (err)
				goto stopped;
		}
		run = leaf;
	}
	/* A run that a bad entry ends is told too: it is as real as the others. */
	if (run.len) {
		seen.extents++;
		err = fn(arg, &run);
		if (err)
			goto stopped;
	}
	err = ret == -ENOENT ? 0 : ret;
	if (err && bad_iova)
		*bad_iova = c.at;
stopped:
	seen.tables = c.tables;
	if (stats)
		*stats = seen;
	return err;
}

/**
 * frz_walk - call a function for each run of the tables
 * @t: tables
 * @fn: as in frz_walk_from()
 * @arg: for @fn
 * @stats: set to what was seen; NULL when not wanted
 * @bad_iova: set to the place of an -EFAULT or -EINVAL; NULL when not wanted
 *
 * Return: as frz_walk_from().
 */
int frz_walk(const struct frz_tree *t,
	     int (*fn)(void *arg, const struct frz_extent *e), void *arg,
	     struct frz_stats *stats, u64 *bad_iova)
{
	return frz_walk_from(t, 0, fn, arg, stats, bad_iova);
}

/**
 * frz_lookup - translate an iova as the hardware would
 * @t: tables
 * @iova: what to translate
 * @e: the whole leaf that translates it
 *
 * Return: 0, -ENOENT when nothing does, -EFAULT when a table may not be read,
 * -EINVAL for a bad entry or number of levels.
 */
int frz_lookup(const struct frz_tree *t, u64 iova, struct frz_extent *e)
{
	struct frz_cursor c;
	int ret;

	ret = frz_cursor_init(&c, t);
	if (ret)
		return ret;
	return frz_cursor_leaf(&c, iova, true, e);
}
