// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: makes IO page tables of any format from extents
 *
 * Structure: tables that grow from low to high iova. Only the path to the last
 * leaf is remembered, as nothing below it is ever written again. Locking: none,
 * the tables are not in use before they are complete. What may fail: alloc(),
 * and extents that the format or the number of levels cannot express.
 */
#include <asm/byteorder.h>
#include <linux/align.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/string.h>

#include "encode.h"

/**
 * frz_encode_begin - allocate the top table
 * @enc: format, levels, leaf_levels, alloc and priv are set by the caller
 *
 * Return: 0, -EINVAL when the format has no such levels or leaf levels, -ENOMEM.
 */
int frz_encode_begin(struct frz_encoder *enc)
{
	const struct frz_format *fmt = enc->fmt;

	if (!frz_levels_valid(fmt, enc->levels) ||
	    !(enc->leaf_levels & BIT(1)) ||
	    (enc->leaf_levels & ~fmt->leaf_levels))
		return -EINVAL;

	enc->stats = (struct frz_stats){};
	enc->next = 0;
	memset(enc->path, 0, sizeof(enc->path));
	enc->path[enc->levels] = enc->alloc(enc->priv, &enc->top);
	if (!enc->path[enc->levels])
		return -ENOMEM;
	enc->stats.tables = 1;
	return 0;
}

/* The largest leaf that can begin at iova/pa and is not longer than len. */
static unsigned int largest_leaf(const struct frz_encoder *enc, u64 iova,
				 u64 pa, u64 len)
{
	unsigned int level;
	u64 size;

	for (level = enc->levels; level > 1; level--) {
		size = BIT_ULL(frz_level_shift(enc->fmt, level));
		if ((enc->leaf_levels & BIT(level)) && len >= size &&
		    IS_ALIGNED(iova | pa, size))
			break;
	}
	return level;
}

/* Makes the table of this level that iova is in, if it is not the path's. */
static int add_table(struct frz_encoder *enc, unsigned int level, u64 iova)
{
	__le64 *entry, *table;
	u64 pa;

	if (enc->path[level])
		return 0;
	table = enc->alloc(enc->priv, &pa);
	if (!table)
		return -ENOMEM;
	entry = enc->path[level + 1] + frz_level_index(enc->fmt, level + 1, iova);
	*entry = cpu_to_le64(enc->fmt->make_table(pa));
	enc->path[level] = table;
	enc->stats.tables++;
	return 0;
}

static int add_leaf(struct frz_encoder *enc, const struct frz_extent *leaf,
		    unsigned int leaf_level)
{
	const struct frz_format *fmt = enc->fmt;
	unsigned int level;
	__le64 *entry;
	int ret;

	/* Forget the tables that end before this leaf. */
	for (level = 1; level < enc->levels; level++)
		if (enc->next && (leaf->iova ^ (enc->next - 1)) >>
				 frz_level_shift(fmt, level + 1))
			enc->path[level] = NULL;

	for (level = enc->levels - 1; level >= leaf_level; level--) {
		ret = add_table(enc, level, leaf->iova);
		if (ret)
			return ret;
	}
	entry = enc->path[leaf_level] +
		frz_level_index(fmt, leaf_level, leaf->iova);
	*entry = cpu_to_le64(fmt->make_leaf(leaf->pa, leaf->prot, leaf_level));
	enc->next = leaf->iova + leaf->len;
	enc->stats.leaves++;
	enc->stats.bytes += leaf->len;
	return 0;
}

/**
 * frz_encode_extent - add a run to the tables
 * @enc: after frz_encode_begin()
 * @e: run above all that were added before
 *
 * Return: 0; -EINVAL when @e is not above the last one, not page aligned, empty
 * or lacks a valid permission; -ERANGE when it is beyond what the levels or the
 * address field can express; -ENOMEM.
 */
int frz_encode_extent(struct frz_encoder *enc, const struct frz_extent *e)
{
	const struct frz_format *fmt = enc->fmt;
	u64 page = BIT_ULL(fmt->page_shift);
	u64 iova_end = frz_iova_end(fmt, enc->levels);
	u64 pa_end = BIT_ULL(fmt->pa_bits);
	struct frz_extent leaf = *e;
	unsigned int level;
	u64 left = e->len;
	int ret;

	if (!e->len || !IS_ALIGNED(e->iova | e->pa | e->len, page) ||
	    e->iova < enc->next || !(e->prot & (FRZ_READ | FRZ_WRITE)) ||
	    fmt->prot(fmt->make_leaf(0, e->prot, 1), 1) != e->prot)
		return -EINVAL;
	if (e->iova >= iova_end || e->len > iova_end - e->iova ||
	    e->pa >= pa_end || e->len > pa_end - e->pa)
		return -ERANGE;

	while (left) {
		level = largest_leaf(enc, leaf.iova, leaf.pa, left);
		leaf.len = BIT_ULL(frz_level_shift(fmt, level));
		ret = add_leaf(enc, &leaf, level);
		if (ret)
			return ret;
		leaf.iova += leaf.len;
		leaf.pa += leaf.len;
		left -= leaf.len;
	}
	enc->stats.extents++;
	return 0;
}
