// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: do live tables translate all that frozen ones do, to the same?
 *
 * Structure: a walk over the frozen runs; beside it a cursor in the live tables,
 * moved from leaf to leaf. Nothing is kept beyond a call. Locking: as for a walk,
 * for both trees. What may fail: reading either of them.
 */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "compare.h"

struct comparison {
	struct frz_cursor live;
	struct frz_diff *diff;
};

static int compare_run(void *arg, const struct frz_extent *run)
{
	struct comparison *cmp = arg;
	struct frz_diff *diff = cmp->diff;
	u64 end = run->iova + run->len;
	u64 iova = run->iova;
	struct frz_extent leaf;
	int ret;

	/*
	 * Both are linear between two steps, so the first difference, if there is
	 * one, is at the beginning of a step.
	 */
	while (iova < end) {
		ret = frz_cursor_leaf(&cmp->live, iova, true, &leaf);
		if (ret < 0 && ret != -ENOENT) {
			diff->iova = cmp->live.at;
			diff->frozen = *run;
			diff->live_failed = true;
			return ret;
		}
		if (ret == -ENOENT || leaf.prot != run->prot ||
		    leaf.pa + (iova - leaf.iova) != run->pa + (iova - run->iova)) {
			diff->iova = iova;
			diff->frozen = *run;
			diff->live_present = ret != -ENOENT;
			if (diff->live_present)
				diff->live = leaf;
			return 1;
		}
		iova = min(end, leaf.iova + leaf.len);
	}
	return 0;
}

/**
 * frz_compare - check that live tables may take the place of frozen ones
 * @frozen: frozen tables
 * @live: live tables; they may translate more
 * @diff: set when the return value is not 0
 * @stats: of @frozen, as far as it was walked; NULL when not wanted
 *
 * Return: 0 when every iova of @frozen translates in @live to the same address
 * with the same permissions; 1 when not, @diff is then the first place; -EFAULT
 * or -EINVAL as for frz_walk(), @diff tells where.
 */
int frz_compare(const struct frz_tree *frozen, const struct frz_tree *live,
		struct frz_diff *diff, struct frz_stats *stats)
{
	struct comparison cmp = { .diff = diff };
	u64 bad_iova = 0;
	int ret;

	memset(diff, 0, sizeof(*diff));
	if (stats)
		memset(stats, 0, sizeof(*stats));
	ret = frz_cursor_init(&cmp.live, live);
	if (ret) {
		diff->live_failed = true;
		return ret;
	}
	ret = frz_walk(frozen, compare_run, &cmp, stats, &bad_iova);
	if (ret < 0 && !diff->live_failed)
		diff->iova = bad_iova;
	return ret;
}
