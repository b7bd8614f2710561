/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: makes IO page tables of any format, see encode.c. Pure.
 */
#ifndef _IOMMU_FREEZE_ENCODE_H
#define _IOMMU_FREEZE_ENCODE_H

#include "walk.h"

/**
 * struct frz_encoder - makes tables from extents
 * @fmt: format
 * @levels: number of levels
 * @leaf_levels: bit n: this hardware takes a leaf at level n. A subset of
 *	fmt->leaf_levels; bit 1 must be set
 * @alloc: a zeroed table of 2^page_shift bytes: its entries, and its address
 *	through *pa; NULL = no memory
 * @priv: for @alloc
 * @top: result: address of the top table
 * @stats: result; extents counts those given, which are runs when they come
 *	from frz_walk()
 * @next: private, no extent may begin below
 * @path: private, table of each level that the last leaf is under
 */
struct frz_encoder {
	const struct frz_format *fmt;
	unsigned int levels;
	u32 leaf_levels;
	__le64 *(*alloc)(void *priv, u64 *pa);
	void *priv;

	u64 top;
	struct frz_stats stats;

	u64 next;
	__le64 *path[FRZ_MAX_LEVELS + 1];
};

/* Allocates the top table. -EINVAL (levels, leaf_levels), -ENOMEM. */
int frz_encode_begin(struct frz_encoder *enc);

/*
 * Extents must come in rising iova order, not overlap, be page aligned and not
 * empty. The largest leaf that fits is used. -EINVAL (order, alignment, prot),
 * -ERANGE (iova beyond the levels, pa beyond the format), -ENOMEM; nothing was
 * written for this extent on the first two, the tables are of no use after the
 * last. Nothing needs to end: top and stats hold after each extent.
 */
int frz_encode_extent(struct frz_encoder *enc, const struct frz_extent *e);

#endif /* _IOMMU_FREEZE_ENCODE_H */
