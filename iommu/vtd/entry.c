// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: the bits of a VT-d legacy mode context entry, and in which stores it
 * changes
 *
 * Structure: none of its own. No lock: the caller keeps the entry to itself. Nothing
 * fails. The unit tests go through every change of an entry store by store.
 *
 * VT-d specification, section 9.3. The address width field counts levels from 2 on.
 */
#include <linux/bits.h>
#include <linux/types.h>

#include "entry.h"

#define PRESENT		BIT_ULL(0)
#define TYPE		GENMASK_ULL(3, 2)
#define TOP		GENMASK_ULL(63, 12)
#define WIDTH		GENMASK_ULL(2, 0)
#define TAG_SHIFT	8
#define TAG		GENMASK_ULL(23, TAG_SHIFT)

#define LEVELS_OF_WIDTH_0	2

/**
 * frz_vtd_stores - In which stores an entry changes
 * @from: what it is
 * @to: what it shall be
 * @stores: set, FRZ_VTD_MAX_STORES at most
 *
 * Hardware reads the old or the new entry, or one that is not present where one of
 * them is not: it is then made not present before, or present after, all else. An
 * entry that stays present is written in one store of 128 bits.
 *
 * Return: number of stores.
 */
unsigned int frz_vtd_stores(const struct frz_vtd_entry *from,
			    const struct frz_vtd_entry *to,
			    struct frz_vtd_store *stores)
{
	if (from->lo == to->lo && from->hi == to->hi)
		return 0;
	if (frz_vtd_entry_present(from) && frz_vtd_entry_present(to)) {
		stores[0] = (struct frz_vtd_store){ .lo = true, .hi = true };
		return 1;
	}
	if (frz_vtd_entry_present(to)) {
		stores[0] = (struct frz_vtd_store){ .hi = true };
		stores[1] = (struct frz_vtd_store){ .lo = true };
	} else {
		stores[0] = (struct frz_vtd_store){ .lo = true };
		stores[1] = (struct frz_vtd_store){ .hi = true };
	}
	return 2;
}

/**
 * frz_vtd_entry_present - Does an entry translate?
 * @e: the entry
 *
 * Return: true if so.
 */
bool frz_vtd_entry_present(const struct frz_vtd_entry *e)
{
	return e->lo & PRESENT;
}

/**
 * frz_vtd_entry_top - The top table that an entry points to
 * @e: the entry
 *
 * Return: its physical address.
 */
u64 frz_vtd_entry_top(const struct frz_vtd_entry *e)
{
	return e->lo & TOP;
}

/**
 * frz_vtd_entry_tag - The tag of what is cached through an entry
 * @e: the entry
 *
 * Return: the domain id.
 */
u32 frz_vtd_entry_tag(const struct frz_vtd_entry *e)
{
	return (e->hi & TAG) >> TAG_SHIFT;
}

/**
 * frz_vtd_entry_is_frozen - Is an entry that of this frozen domain?
 * @e: the entry
 * @top: address of the frozen top table
 * @tag: id of the frozen domain
 * @levels: levels of its tables
 *
 * Return: true if so.
 */
bool frz_vtd_entry_is_frozen(const struct frz_vtd_entry *e, u64 top, u32 tag,
			     u32 levels)
{
	return frz_vtd_entry_present(e) && frz_vtd_entry_top(e) == top &&
	       !(e->lo & TYPE) && frz_vtd_entry_tag(e) == tag &&
	       (e->hi & WIDTH) + LEVELS_OF_WIDTH_0 == levels;
}

/**
 * frz_vtd_entry_freeze - Turn an entry into that of a frozen domain
 * @e: the live entry; the address width stays
 * @top: address of the frozen top table
 * @tag: id of the frozen domain
 *
 * The driver sets translation type 01, which lets translated requests through, for
 * each device that has ATS (TT). A frozen device has it off.
 */
void frz_vtd_entry_freeze(struct frz_vtd_entry *e, u64 top, u32 tag)
{
	e->lo = (e->lo & ~(TOP | TYPE)) | top;
	e->hi = (e->hi & ~TAG) | (u64)tag << TAG_SHIFT;
}
