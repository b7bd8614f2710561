// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: Arm SMMUv3, as kernel and tool both know it
 *
 * Structure: a constant description and checks, pure; no lock. A check fails for a
 * record that is not one of an SMMUv3's.
 *
 * SMMUv3 specification (IHI 0070): 3.3.1 "Stream table lookup", 6.3.24 and 6.3.25
 * SMMU_STRTAB_BASE and SMMU_STRTAB_BASE_CFG. Hardware takes a table to be aligned to
 * its size, and the level 2 tables are of one size because the driver splits stream ids
 * at bit 8.
 */
#include <linux/align.h>
#include <linux/bits.h>
#include <linux/stddef.h>

#include "../backends.h"
#include "../blob.h"
#include "../kind.h"

#define CFG_LOG2SIZE		GENMASK_ULL(5, 0)
#define CFG_SPLIT		(8 << 6)
#define CFG_2LVL		BIT_ULL(16)
#define SPLIT			8
#define MAX_LOG2SIZE		32	/* of a stream id */
#define STE_SHIFT		6
#define L1_SHIFT		3

struct shape {
	bool two_levels;
	u32 log2size;	/* stream ids */
	u64 len;	/* of the table that STRTAB_BASE points to */
};

/* The driver writes one of two forms, see arm_smmu_write_strtab(). */
static bool read_shape(const struct frz_abi_unit *unit, struct shape *s)
{
	u64 cfg = unit->ids[FRZ_SMMUV3_ID_STRTAB_BASE_CFG];

	s->log2size = cfg & CFG_LOG2SIZE;
	s->two_levels = cfg & CFG_2LVL;
	if (s->log2size > MAX_LOG2SIZE || (s->two_levels && s->log2size <= SPLIT))
		return false;
	s->len = s->two_levels ? BIT_ULL(s->log2size - SPLIT + L1_SHIFT) :
				 BIT_ULL(s->log2size + STE_SHIFT);
	return cfg == (s->two_levels ? CFG_2LVL | CFG_SPLIT | s->log2size : s->log2size);
}

static const char *check_table(const struct frz_abi_table *table, const struct shape *s)
{
	u64 len = FRZ_SMMUV3_L2_LEN, page = FRZ_ABI_PAGE;

	if (table->index == FRZ_SMMUV3_TABLE_STRTAB)
		len = s->len;
	else if (!s->two_levels || table->index >= BIT_ULL(s->log2size - SPLIT))
		return "table: no such index";
	if (table->len != (len < page ? page : len))
		return "table: wrong length";
	return IS_ALIGNED(table->address, len) ? NULL : "table: not aligned to its length";
}

static const char *check_tables(const struct frz_abi_unit *unit, const u32 **field)
{
	const struct frz_abi_table *table = frz_unit_tables(unit);
	const char *reason;
	struct shape s;
	u32 i;

	*field = (const u32 *)&unit->ids[FRZ_SMMUV3_ID_STRTAB_BASE_CFG];
	if (!read_shape(unit, &s))
		return "unit: no such shape of a stream table";
	for (i = 0; i < unit->nr_tables; i++, table++) {
		*field = &table->index;
		reason = check_table(table, &s);
		if (reason)
			return reason;
	}
	*field = &unit->nr_tables;
	return frz_unit_table(unit, FRZ_SMMUV3_TABLE_STRTAB) ? NULL : "unit: no stream table";
}

/* What an STE points to: one context descriptor, or the tables. */
static const char *check_domain(const struct frz_abi_domain *dom, const u32 **field)
{
	*field = &dom->format;
	switch (dom->format) {
	case FRZ_FORMAT_LPAE_S1:
		return dom->head ? NULL : "domain: stage 1 without a context descriptor";
	case FRZ_FORMAT_LPAE_S2:
		return dom->head ? "domain: stage 2 with a context descriptor" : NULL;
	default:
		return "domain: tables of another kind of unit";
	}
}

/* Firmware gives out stream ids: any may be that of a device. */
static const char *check_stream(const struct frz_abi_unit *unit,
				const struct frz_abi_device *dev, const u32 **field)
{
	struct shape s;

	*field = &dev->stream;
	if (!read_shape(unit, &s) || dev->stream >= BIT_ULL(s.log2size))
		return "device: stream beyond the stream table";
	if (s.two_levels && dev->state == FRZ_DEVICE_FROZEN &&
	    !frz_unit_table(unit, dev->stream >> SPLIT))
		return "device: no table has its stream";
	return NULL;
}

const struct frz_kind frz_smmuv3_kind = {
	.name = "smmuv3",
	.id = FRZ_UNIT_SMMUV3,
	.obstacles = {
		[IOMMU_FREEZE_OBSTACLE_IOMMU] = {
			.name = "iommu",
			.text = "its IOMMU is not an SMMUv3",
		},
		[IOMMU_FREEZE_OBSTACLE_COHERENCY] = {
			.name = "coherency",
			.text = "its SMMU does not snoop the caches of the CPUs",
		},
		[IOMMU_FREEZE_OBSTACLE_EXTENSION] = {
			.name = "extension",
			.text = "its SMMU has an extension of its vendor in use",
			.fix = "boot without it (arm_smmu_v3.disable_cmdqv=1)",
		},
		[IOMMU_FREEZE_OBSTACLE_STREAM_TABLE] = {
			.name = "stream-table",
			.text = "its SMMU has a stream table in memory that cannot be kept",
			.fix = "boot with cma=0",
		},
		[IOMMU_FREEZE_OBSTACLE_STALL] = {
			.name = "stall",
			.text = "its DMA is held when it faults, until software answers",
		},
		[IOMMU_FREEZE_OBSTACLE_HOST_BRIDGE] = {
			.name = "host-bridge",
			.text =
				"its host bridge is neither ACPI's nor a generic one, and starts its links anew",
		},
		[IOMMU_FREEZE_OBSTACLE_GRANULE] = {
			.name = "granule",
			.text =
				"its domain's tables are not of 4 KiB, or have more than one at the top",
		},
		[IOMMU_FREEZE_OBSTACLE_STAGE_2] = {
			.name = "stage-two",
			.text =
				"its SMMU cannot swap stage 2 without a gap (BBML2, two-level stream table)",
		},
	},
	.check = check_tables,
	.check_domain = check_domain,
	.check_device = check_stream,
};
