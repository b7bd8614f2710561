/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: what a format of IO page tables is
 *
 * Structure: one constant description per format, in a file of its own here. Pure:
 * the same files build in user space.
 *
 * Level 1 holds the smallest pages, the top table is level "levels". One table
 * has 2^index_bits entries of 8 bytes, one page has 2^page_shift bytes.
 */
#ifndef _IOMMU_FREEZE_FORMAT_H
#define _IOMMU_FREEZE_FORMAT_H

#include <linux/bits.h>
#include <linux/types.h>

#define FRZ_MAX_LEVELS		5

/* Permissions. Read and write are narrowed by every table above a leaf. */
#define FRZ_READ		1
#define FRZ_WRITE		2
#define FRZ_SNOOP		4	/* of the leaf alone */
#define FRZ_MMIO		8	/* device memory: of the leaf alone */

enum frz_entry_type {
	FRZ_NONE,	/* hardware does not go on from here */
	FRZ_TABLE,	/* next table, one level down */
	FRZ_LEAF,
	FRZ_BAD,	/* hardware would refuse it, or we do not know what it does */
};

/**
 * struct frz_format - a format of IO page tables
 * @name: as it is shown to people
 * @id: FRZ_FORMAT_... of the blob
 * @page_shift: log2 of the smallest page, which is also the alignment of a table
 * @index_bits: log2 of the entries in a table
 * @min_levels: fewest levels
 * @max_levels: most levels, FRZ_MAX_LEVELS at most
 * @pa_bits: width of a physical address in an entry
 * @leaf_levels: bit n: an entry of level n can be a leaf
 * @classify: what an entry of that level is
 * @address: the address in a table or leaf entry
 * @prot: FRZ_READ, ... of a leaf; what a table entry leaves to those below it
 * @make_leaf: a leaf entry; the arguments were checked by the encoder
 * @make_table: an entry that points to a table and narrows nothing
 */
struct frz_format {
	const char *name;
	u32 id;
	u8 page_shift;
	u8 index_bits;
	u8 min_levels;
	u8 max_levels;
	u8 pa_bits;
	u32 leaf_levels;
	enum frz_entry_type (*classify)(u64 entry, unsigned int level);
	u64 (*address)(u64 entry, unsigned int level);
	u32 (*prot)(u64 entry, unsigned int level);
	u64 (*make_leaf)(u64 pa, u32 prot, unsigned int level);
	u64 (*make_table)(u64 pa);
};

extern const struct frz_format frz_format_vtdss;
extern const struct frz_format frz_format_lpae_s1;
extern const struct frz_format frz_format_lpae_s2;

/* The format with this FRZ_FORMAT_... id, NULL when there is none. */
const struct frz_format *frz_format_by_id(u32 id);

/* Log2 of what one entry of this level covers. */
static inline unsigned int frz_level_shift(const struct frz_format *fmt,
					   unsigned int level)
{
	return fmt->page_shift + fmt->index_bits * (level - 1);
}

/* Place of iova's entry in its table of this level. */
static inline unsigned int frz_level_index(const struct frz_format *fmt,
					   unsigned int level, u64 iova)
{
	return (iova >> frz_level_shift(fmt, level)) &
	       (BIT_ULL(fmt->index_bits) - 1);
}

/* First iova beyond what this many levels can translate. */
static inline u64 frz_iova_end(const struct frz_format *fmt,
			       unsigned int levels)
{
	return BIT_ULL(frz_level_shift(fmt, levels + 1));
}

static inline bool frz_levels_valid(const struct frz_format *fmt,
				    unsigned int levels)
{
	return levels >= fmt->min_levels && levels <= fmt->max_levels;
}

#endif /* _IOMMU_FREEZE_FORMAT_H */
