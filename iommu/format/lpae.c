// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: the VMSAv8-64 table formats, stages 1 and 2, of the 4 KiB granule
 *
 * Structure: two constant descriptions; no lock, nothing that fails.
 *
 * Arm ARM (DDI 0487), D8.3 "Translation table descriptor formats", D8.4 "Memory access
 * control" and D8.6 "Memory region attributes", as the SMMU reads them with CD.AA64 or
 * STE.S2AA64 (IHI 0070, 5.4 and 5.2). Level n here is level 4 - n there.
 *
 * Of what hardware takes, all that drivers/iommu/io-pgtable-arm.c of Linux 7.3 does not
 * write is FRZ_BAD: a bit that is not understood could narrow, redirect or change what
 * it is about. Left out that way, beside what is reserved:
 * - the access flag not set, DBM: hardware could write to the entry;
 * - Contiguous: which of its sixteen entries counts is for hardware to say;
 * - NS, NSTable and attributes of tables (APTable, XNTable, PXNTable), XN, PXN: no quirk
 *   or protection of an iommufd domain has them;
 * - bits for software, also the one that io-pgtable sets in the tables of a unit whose
 *   walks are not coherent (SW_SYNC, bit 55): such a unit is refused, so it is not known
 *   here what memory has of the entry.
 * An entry without bit 0 is ignored by hardware, whatever else it holds.
 */
#include <linux/align.h>
#include <linux/bits.h>
#include <linux/kho/abi/iommu-freeze.h>

#include "format.h"

#define LPAE_VALID	BIT_ULL(0)
#define LPAE_TYPE	GENMASK_ULL(1, 0)
#define LPAE_TYPE_BLOCK	1	/* a leaf, above level 1 */
#define LPAE_TYPE_TABLE	3
#define LPAE_TYPE_PAGE	3	/* a leaf, at level 1 */
#define LPAE_SH		GENMASK_ULL(9, 8)
#define LPAE_SH_OS	(2ULL << 8)
#define LPAE_SH_IS	(3ULL << 8)
#define LPAE_AF		BIT_ULL(10)
#define LPAE_ADDRESS	GENMASK_ULL(47, 12)

/* Stage 1. The attributes are an index into MAIR, see ../smmuv3/entry.c. */
#define S1_ATTR		GENMASK_ULL(4, 2)
#define S1_ATTR_NC	0ULL
#define S1_ATTR_CACHE	BIT_ULL(2)
#define S1_ATTR_DEV	BIT_ULL(3)
#define S1_AP_UNPRIV	BIT_ULL(6)	/* AP[1] */
#define S1_AP_RDONLY	BIT_ULL(7)	/* AP[2] */
#define S1_NG		BIT_ULL(11)
#define S1_ALWAYS	(LPAE_AF | S1_AP_UNPRIV | S1_NG)

/* Stage 2, without FEAT_S2FWB */
#define S2_ATTR		GENMASK_ULL(5, 2)
#define S2_ATTR_DEV	(0x1ULL << 2)	/* Device-nGnRE */
#define S2_ATTR_NC	(0x5ULL << 2)	/* Normal non-cacheable */
#define S2_ATTR_CACHE	(0xfULL << 2)	/* Normal write-back */
#define S2_AP_READ	BIT_ULL(6)
#define S2_AP_WRITE	BIT_ULL(7)

static u64 lpae_address(u64 entry, unsigned int level)
{
	return entry & LPAE_ADDRESS;
}

/* What it is by its type and address: D8.3.1. The attributes of a leaf are not seen. */
static enum frz_entry_type lpae_classify(u64 entry, unsigned int level)
{
	u64 type = entry & LPAE_TYPE;

	if (!(entry & LPAE_VALID))
		return FRZ_NONE;
	if (level == 1)
		return type == LPAE_TYPE_PAGE ? FRZ_LEAF : FRZ_BAD;
	if (type == LPAE_TYPE_TABLE)
		return (entry & LPAE_ADDRESS) && !(entry & ~(LPAE_ADDRESS | LPAE_TYPE)) ?
			FRZ_TABLE : FRZ_BAD;
	/* No block covers 512 GiB. */
	if (level > 3)
		return FRZ_BAD;
	return IS_ALIGNED(entry & LPAE_ADDRESS, BIT_ULL(12 + 9 * (level - 1))) ?
		FRZ_LEAF : FRZ_BAD;
}

/* IOMMU_CACHE, and nothing else, decides the shareability; IOMMU_MMIO goes first. */
static bool lpae_attr_valid(u64 entry, u64 attr, u64 cache, u64 nc, u64 dev)
{
	bool inner = (entry & LPAE_SH) == LPAE_SH_IS;

	if (!inner && (entry & LPAE_SH) != LPAE_SH_OS)
		return false;
	return attr == dev || attr == (inner ? cache : nc);
}

static u64 lpae_make_leaf(u64 pa, u32 prot, unsigned int level)
{
	return pa | LPAE_AF | (prot & FRZ_SNOOP ? LPAE_SH_IS : LPAE_SH_OS) |
	       (level == 1 ? LPAE_TYPE_PAGE : LPAE_TYPE_BLOCK);
}

static u64 lpae_make_table(u64 pa)
{
	return pa | LPAE_TYPE_TABLE;
}

static u32 lpae_prot(u64 entry)
{
	return (entry & LPAE_SH) == LPAE_SH_IS ? FRZ_SNOOP : 0;
}

static enum frz_entry_type s1_classify(u64 entry, unsigned int level)
{
	enum frz_entry_type what = lpae_classify(entry, level);
	u64 known = LPAE_TYPE | S1_ATTR | S1_ALWAYS | S1_AP_RDONLY | LPAE_SH | LPAE_ADDRESS;

	if (what != FRZ_LEAF)
		return what;
	if ((entry & ~known) || (entry & S1_ALWAYS) != S1_ALWAYS ||
	    !lpae_attr_valid(entry, entry & S1_ATTR, S1_ATTR_CACHE, S1_ATTR_NC, S1_ATTR_DEV))
		return FRZ_BAD;
	return FRZ_LEAF;
}

/* D8.4.1: what unprivileged accesses may do. There is no leaf that only lets write. */
static u32 s1_prot(u64 entry, unsigned int level)
{
	u32 prot = lpae_prot(entry) | FRZ_READ;

	if (!(entry & S1_AP_RDONLY))
		prot |= FRZ_WRITE;
	if ((entry & S1_ATTR) == S1_ATTR_DEV)
		prot |= FRZ_MMIO;
	return prot;
}

static u64 s1_make_leaf(u64 pa, u32 prot, unsigned int level)
{
	u64 entry = lpae_make_leaf(pa, prot, level) | S1_ALWAYS;

	if (!(prot & FRZ_WRITE))
		entry |= S1_AP_RDONLY;
	if (prot & FRZ_MMIO)
		return entry | S1_ATTR_DEV;
	return entry | (prot & FRZ_SNOOP ? S1_ATTR_CACHE : S1_ATTR_NC);
}

static enum frz_entry_type s2_classify(u64 entry, unsigned int level)
{
	enum frz_entry_type what = lpae_classify(entry, level);
	u64 known = LPAE_TYPE | S2_ATTR | S2_AP_READ | S2_AP_WRITE | LPAE_SH | LPAE_AF |
		    LPAE_ADDRESS;

	if (what != FRZ_LEAF)
		return what;
	if ((entry & ~known) || !(entry & LPAE_AF) || !(entry & (S2_AP_READ | S2_AP_WRITE)) ||
	    !lpae_attr_valid(entry, entry & S2_ATTR, S2_ATTR_CACHE, S2_ATTR_NC, S2_ATTR_DEV))
		return FRZ_BAD;
	return FRZ_LEAF;
}

/* D8.4.2: S2AP. It is no field of a table, which leaves everything to those below it. */
static u32 s2_prot(u64 entry, unsigned int level)
{
	u32 prot = lpae_prot(entry);

	if (!(entry & (S2_AP_READ | S2_AP_WRITE)))
		return FRZ_READ | FRZ_WRITE;
	if (entry & S2_AP_READ)
		prot |= FRZ_READ;
	if (entry & S2_AP_WRITE)
		prot |= FRZ_WRITE;
	if ((entry & S2_ATTR) == S2_ATTR_DEV)
		prot |= FRZ_MMIO;
	return prot;
}

static u64 s2_make_leaf(u64 pa, u32 prot, unsigned int level)
{
	u64 entry = lpae_make_leaf(pa, prot, level);

	if (prot & FRZ_READ)
		entry |= S2_AP_READ;
	if (prot & FRZ_WRITE)
		entry |= S2_AP_WRITE;
	if (prot & FRZ_MMIO)
		return entry | S2_ATTR_DEV;
	return entry | (prot & FRZ_SNOOP ? S2_ATTR_CACHE : S2_ATTR_NC);
}

const struct frz_format frz_format_lpae_s1 = {
	.name = "lpae-stage1",
	.id = FRZ_FORMAT_LPAE_S1,
	.page_shift = 12,
	.index_bits = 9,
	.min_levels = 3,
	.max_levels = 4,
	.pa_bits = 48,
	.leaf_levels = BIT(1) | BIT(2) | BIT(3),
	.classify = s1_classify,
	.address = lpae_address,
	.prot = s1_prot,
	.make_leaf = s1_make_leaf,
	.make_table = lpae_make_table,
};

const struct frz_format frz_format_lpae_s2 = {
	.name = "lpae-stage2",
	.id = FRZ_FORMAT_LPAE_S2,
	.page_shift = 12,
	.index_bits = 9,
	.min_levels = 3,
	.max_levels = 4,
	.pa_bits = 48,
	.leaf_levels = BIT(1) | BIT(2) | BIT(3),
	.classify = s2_classify,
	.address = lpae_address,
	.prot = s2_prot,
	.make_leaf = s2_make_leaf,
	.make_table = lpae_make_table,
};
