/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: the bits of a VT-d legacy mode context entry, and in which stores it
 * changes, see entry.c. Pure.
 */
#ifndef _IOMMU_FREEZE_VTD_ENTRY_H
#define _IOMMU_FREEZE_VTD_ENTRY_H

#include <linux/types.h>

/**
 * struct frz_vtd_entry - a legacy mode context entry (VT-d spec, section 9.3)
 * @lo: table address, translation type, present
 * @hi: domain id, address width
 */
struct frz_vtd_entry {
	u64 lo;
	u64 hi;
};

/**
 * struct frz_vtd_store - one store, which hardware sees whole or not at all
 * @lo: it writes the low quadword
 * @hi: it writes the high one
 */
struct frz_vtd_store {
	bool lo;
	bool hi;
};

#define FRZ_VTD_MAX_STORES	2

unsigned int frz_vtd_stores(const struct frz_vtd_entry *from,
			    const struct frz_vtd_entry *to,
			    struct frz_vtd_store *stores);
bool frz_vtd_entry_present(const struct frz_vtd_entry *e);
u64 frz_vtd_entry_top(const struct frz_vtd_entry *e);
u32 frz_vtd_entry_tag(const struct frz_vtd_entry *e);
bool frz_vtd_entry_is_frozen(const struct frz_vtd_entry *e, u64 top, u32 tag,
			     u32 levels);
void frz_vtd_entry_freeze(struct frz_vtd_entry *e, u64 top, u32 tag);

#endif /* _IOMMU_FREEZE_VTD_ENTRY_H */
