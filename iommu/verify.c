// SPDX-License-Identifier: GPL-2.0-only
/*
 * Are frozen tables what they should be? Asked by user space, in either direction,
 * and by a trial.
 *
 * Structure: in the old kernel the tables are compared with the live ones. In the
 * new one there are none at first, so what the tables said at boot is noted in a
 * struct frz_shadow.
 *
 * Locking: frozen tables are constant; the caller keeps them, and live ones still.
 *
 * Fails: nothing. A shadow that there is no memory for leaves the digest to tell that
 * something changed, and not where.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <uapi/linux/iommu-freeze.h>

#include "compare.h"
#include "memory.h"
#include "verify.h"
#include "walk.h"

/*
 * More extents than this are not worth the memory that it takes to name the iova
 * of a change.
 */
#define SHADOW_MAX	65536

struct shadow_state {
	struct frz_extent *extents;
	u64 nr;
	u64 max;
	u64 iova;
};

static int shadow_store(void *arg, const struct frz_extent *e)
{
	struct shadow_state *state = arg;

	if (state->nr == state->max)
		return -E2BIG;
	state->extents[state->nr++] = *e;
	return 0;
}

/**
 * frz_shadow_take - Note what tables say
 * @shadow: set up
 * @mem: intact incoming tables
 *
 * Without memory for it only the digest will tell that they changed.
 *
 * Context: May sleep.
 */
void frz_shadow_take(struct frz_shadow *shadow, const struct frz_memory *mem)
{
	struct shadow_state state = { .max = mem->stats.extents };
	struct frz_reader r;
	struct frz_tree t;

	memset(shadow, 0, sizeof(*shadow));
	if (!state.max || state.max > SHADOW_MAX)
		return;
	state.extents = kvmalloc_array(state.max, sizeof(*state.extents),
				       GFP_KERNEL);
	if (!state.extents)
		return;
	frz_memory_tree(&r, mem, &t);
	if (frz_walk(&t, shadow_store, &state, NULL, NULL) ||
	    state.nr != state.max) {
		kvfree(state.extents);
		return;
	}
	shadow->extents = state.extents;
	shadow->nr = state.nr;
}

/**
 * frz_shadow_drop - Forget what tables said
 * @shadow: taken or not
 */
void frz_shadow_drop(struct frz_shadow *shadow)
{
	kvfree(shadow->extents);
	shadow->extents = NULL;
}

static int shadow_compare(void *arg, const struct frz_extent *e)
{
	struct shadow_state *state = arg;
	const struct frz_extent *s;

	if (state->nr == state->max) {
		state->iova = e->iova;
		return 1;
	}
	s = &state->extents[state->nr++];
	if (e->iova != s->iova)
		state->iova = min(e->iova, s->iova);
	else if (e->pa != s->pa || e->prot != s->prot)
		state->iova = e->iova;
	else if (e->len != s->len)
		state->iova = e->iova + min(e->len, s->len);
	else
		return 0;
	return 1;
}

static int skip(void *arg, const struct frz_extent *e)
{
	return 0;
}

static void tell_now(const struct frz_memory *mem, u64 iova,
		     struct iommu_freeze_verify *result)
{
	struct frz_extent now;
	struct frz_reader r;
	struct frz_tree t;

	frz_memory_tree(&r, mem, &t);
	if (!frz_lookup(&t, iova, &now)) {
		result->now_prot = now.prot;
		result->now_pa = now.pa + (iova - now.iova);
	}
}

static void tell_then(const struct frz_shadow *shadow, u64 iova,
		      struct iommu_freeze_verify *result)
{
	u64 i;

	for (i = 0; i < shadow->nr; i++) {
		const struct frz_extent *s = &shadow->extents[i];

		if (iova >= s->iova && iova - s->iova < s->len) {
			result->frozen_prot = s->prot;
			result->frozen_pa = s->pa + (iova - s->iova);
		}
	}
}

/* Where do the tables differ from what they said? 0 for nowhere, 1, or -errno. */
static int verify_shadow(const struct frz_memory *mem,
			 const struct frz_shadow *shadow,
			 struct iommu_freeze_verify *result)
{
	struct shadow_state state = {
		.extents = shadow->extents, .max = shadow->nr,
	};
	struct frz_stats stats = {};
	struct frz_reader r;
	struct frz_tree t;
	int ret;

	frz_memory_tree(&r, mem, &t);
	ret = frz_walk(&t, shadow_compare, &state, &stats, &result->iova);
	if (!ret && state.nr < state.max) {
		state.iova = state.extents[state.nr].iova;
		ret = 1;
	}
	result->leaves = stats.leaves;
	if (ret == 1) {
		result->iova = state.iova;
		tell_then(shadow, state.iova, result);
		tell_now(mem, state.iova, result);
	}
	return ret;
}

static int verify_live(const struct frz_memory *mem, const struct frz_tree *live,
		       struct iommu_freeze_verify *result)
{
	struct frz_stats stats = {};
	struct frz_diff diff = {};
	struct frz_reader r;
	struct frz_tree t;
	int ret;

	frz_memory_tree(&r, mem, &t);
	ret = frz_compare(&t, live, &diff, &stats);
	result->leaves = stats.leaves;
	result->iova = diff.iova;
	if (ret == 1) {
		result->frozen_prot = diff.frozen.prot;
		result->frozen_pa = diff.frozen.pa +
				    (diff.iova - diff.frozen.iova);
		result->now_prot = diff.live.prot;
		if (diff.live_present)
			result->now_pa = diff.live.pa +
					 (diff.iova - diff.live.iova);
	}
	return ret;
}

/* All that can be told of tables that nobody noted. */
static int verify_readable(const struct frz_memory *mem,
			   struct iommu_freeze_verify *result)
{
	struct frz_stats stats = {};
	struct frz_reader r;
	struct frz_tree t;
	int ret;

	frz_memory_tree(&r, mem, &t);
	ret = frz_walk(&t, skip, NULL, &stats, &result->iova);
	result->leaves = stats.leaves;
	return ret;
}

/**
 * frz_verify - Check frozen tables against what they should be
 * @mem: the tables
 * @shadow: what they said, or NULL
 * @live: what hardware uses now and must translate alike, or NULL if it uses @mem
 * @result: filled but for the fields that name the device
 *
 * Context: May sleep. The map of @live must not change meanwhile.
 */
void frz_verify(const struct frz_memory *mem, const struct frz_shadow *shadow,
		const struct frz_tree *live, struct iommu_freeze_verify *result)
{
	bool intact = frz_memory_intact(mem, result->digest);
	int ret;

	memcpy(result->expected, mem->digest, sizeof(result->expected));
	if (live)
		ret = verify_live(mem, live, result);
	else if (shadow && shadow->extents)
		ret = verify_shadow(mem, shadow, result);
	else
		ret = verify_readable(mem, result);

	if (ret < 0)
		result->result = IOMMU_FREEZE_UNREADABLE;
	else if (ret)
		result->result = IOMMU_FREEZE_DIFFERS;
	else
		result->result = intact ? IOMMU_FREEZE_SAME :
					  IOMMU_FREEZE_DIGEST_DIFFERS;
	if (!ret)
		result->iova = 0;
}
