// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: the VT-d second-stage table format
 *
 * Structure: one constant description; no lock, nothing that fails.
 *
 * VT-d specification, 3.7 "Second-Stage Translation" and 9.8 "Second-Stage
 * Paging Entries"; drivers/iommu/generic_pt/fmt/vtdss.h writes the same format.
 * There is no present bit: without R and W an entry is not present, whatever
 * else it holds.
 */
#include <linux/align.h>
#include <linux/bits.h>
#include <linux/kho/abi/iommu-freeze.h>

#include "format.h"

#define VTDSS_R		BIT_ULL(0)
#define VTDSS_W		BIT_ULL(1)
#define VTDSS_PS	BIT_ULL(7)	/* levels 2 and 3 only; elsewhere see below */
#define VTDSS_SNP	BIT_ULL(11)	/* leaves only */
#define VTDSS_ADDRESS	GENMASK_ULL(51, 12)

static u64 vtdss_address(u64 entry, unsigned int level)
{
	return entry & VTDSS_ADDRESS;
}

static enum frz_entry_type vtdss_classify(u64 entry, unsigned int level)
{
	u64 size;

	if (!(entry & (VTDSS_R | VTDSS_W)))
		return FRZ_NONE;
	/* Bit 7 is ignored in the smallest leaf, it has only one size. */
	if (level == 1)
		return FRZ_LEAF;
	if (!(entry & VTDSS_PS))
		return (entry & VTDSS_ADDRESS) ? FRZ_TABLE : FRZ_BAD;
	/* Bit 7 is reserved in the upper levels: hardware faults. */
	if (level > 3)
		return FRZ_BAD;
	size = BIT_ULL(12 + 9 * (level - 1));
	return IS_ALIGNED(entry & VTDSS_ADDRESS, size) ? FRZ_LEAF : FRZ_BAD;
}

static u32 vtdss_prot(u64 entry, unsigned int level)
{
	u32 prot = 0;

	if (entry & VTDSS_R)
		prot |= FRZ_READ;
	if (entry & VTDSS_W)
		prot |= FRZ_WRITE;
	if (entry & VTDSS_SNP)
		prot |= FRZ_SNOOP;
	return prot;
}

static u64 vtdss_make_leaf(u64 pa, u32 prot, unsigned int level)
{
	u64 entry = pa;

	if (prot & FRZ_READ)
		entry |= VTDSS_R;
	if (prot & FRZ_WRITE)
		entry |= VTDSS_W;
	if (prot & FRZ_SNOOP)
		entry |= VTDSS_SNP;
	if (level > 1)
		entry |= VTDSS_PS;
	return entry;
}

static u64 vtdss_make_table(u64 pa)
{
	return pa | VTDSS_R | VTDSS_W;
}

const struct frz_format frz_format_vtdss = {
	.name = "vtd-second-stage",
	.id = FRZ_FORMAT_VTDSS,
	.page_shift = 12,
	.index_bits = 9,
	.min_levels = 3,
	.max_levels = 5,
	.pa_bits = 52,
	.leaf_levels = BIT(1) | BIT(2) | BIT(3),
	.classify = vtdss_classify,
	.address = vtdss_address,
	.prot = vtdss_prot,
	.make_leaf = vtdss_make_leaf,
	.make_table = vtdss_make_table,
};
