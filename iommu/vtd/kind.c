// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: VT-d in legacy mode, as kernel and tool both know it
 *
 * Structure: a constant description and a check, pure; no lock. The check fails for a
 * unit's record that is not one of VT-d's.
 */
#include <linux/stddef.h>

#include "../backends.h"
#include "../blob.h"
#include "../kind.h"

/* A root table and tables that are known, of one page each, see the blob's ABI. */
static const char *check_tables(const struct frz_abi_unit *unit, const u32 **field)
{
	const struct frz_abi_table *table = frz_unit_tables(unit);
	u32 i;

	for (i = 0; i < unit->nr_tables; i++, table++) {
		*field = &table->index;
		if (table->index > 255 &&
		    table->index != FRZ_VTD_TABLE_ROOT &&
		    table->index != FRZ_VTD_TABLE_IRT)
			return "table: no such index";
		if (table->len != FRZ_ABI_PAGE)
			return "table: not one page";
	}
	*field = &unit->nr_tables;
	return frz_unit_table(unit, FRZ_VTD_TABLE_ROOT) ? NULL : "unit: no root table";
}

static const char *check_domain(const struct frz_abi_domain *dom, const u32 **field)
{
	*field = &dom->format;
	return dom->format == FRZ_FORMAT_VTDSS ? NULL :
	       "domain: tables of another kind of unit";
}

/* VT-d 3.4.1: the source id of a request is its requester id. */
static const char *check_stream(const struct frz_abi_unit *unit,
				const struct frz_abi_device *dev, const u32 **field)
{
	*field = &dev->segment;
	if (dev->segment != unit->segment)
		return "device: not in the segment of its unit";
	*field = &dev->stream;
	return dev->stream == (dev->bus << 8 | dev->devfn) ? NULL :
	       "device: stream is not its requester id";
}

const struct frz_kind frz_vtd_kind = {
	.name = "vtd-legacy",
	.id = FRZ_UNIT_VTD_LEGACY,
	.obstacles = {
		[IOMMU_FREEZE_OBSTACLE_IOMMU] = {
			.name = "iommu",
			.text = "its IOMMU is not VT-d",
			.fix = "boot with intel_iommu=on",
		},
		[IOMMU_FREEZE_OBSTACLE_CPU] = {
			.name = "cpu",
			.text = "this CPU cannot swap 16 bytes at once (no cmpxchg16b)",
		},
		[IOMMU_FREEZE_OBSTACLE_SCALABLE] = {
			.name = "scalable",
			.text = "VT-d is in scalable mode",
			.fix = "boot with intel_iommu=on,sm_off",
		},
	},
	.check = check_tables,
	.check_domain = check_domain,
	.check_device = check_stream,
};
