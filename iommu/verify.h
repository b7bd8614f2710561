/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Are frozen tables what they should be? See verify.c.
 */
#ifndef _IOMMU_FREEZE_VERIFY_H
#define _IOMMU_FREEZE_VERIFY_H

#include <linux/types.h>

struct frz_extent;
struct frz_memory;
struct frz_tree;
struct iommu_freeze_verify;

/**
 * struct frz_shadow - what frozen tables said when their digest was good
 * @extents: in iova order; NULL for lack of memory, or for too many
 * @nr: their number
 *
 * To tell later where the tables changed. Not locked: constant once taken.
 */
struct frz_shadow {
	struct frz_extent *extents;
	u64 nr;
};

void frz_shadow_take(struct frz_shadow *shadow, const struct frz_memory *mem);
void frz_shadow_drop(struct frz_shadow *shadow);
void frz_verify(const struct frz_memory *mem, const struct frz_shadow *shadow,
		const struct frz_tree *live, struct iommu_freeze_verify *result);

#endif /* _IOMMU_FREEZE_VERIFY_H */
