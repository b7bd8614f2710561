/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: compares two trees of IO page tables, see compare.c. Pure.
 */
#ifndef _IOMMU_FREEZE_COMPARE_H
#define _IOMMU_FREEZE_COMPARE_H

#include "walk.h"

/**
 * struct frz_diff - where frozen and live tables differ, or an error was found
 * @iova: first page that differs
 * @frozen: the frozen run that it is in
 * @live: the live leaf that it is in; zeroes unless @live_present
 * @live_present: the live tables translate @iova, but to something else
 * @live_failed: on an error: it is in the live tables, not in the frozen ones
 */
struct frz_diff {
	u64 iova;
	struct frz_extent frozen;
	struct frz_extent live;
	bool live_present;
	bool live_failed;
};

/*
 * 0: every iova of frozen translates in live to the same address with the same
 * prot. 1: *diff is the first that does not. -EFAULT, -EINVAL: as frz_walk(),
 * diff->iova says where. live may map more than frozen. The cost is
 * O(entries of both). stats (of frozen) may be NULL.
 */
int frz_compare(const struct frz_tree *frozen, const struct frz_tree *live,
		struct frz_diff *diff, struct frz_stats *stats);

#endif /* _IOMMU_FREEZE_COMPARE_H */
