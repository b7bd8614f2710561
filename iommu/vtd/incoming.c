// SPDX-License-Identifier: GPL-2.0-only
/*
 * VT-d in the new kernel: adopts the units that the old one left on.
 *
 * Structure: which units were met with the root table of their record; import.c has
 * the rest of what was handed over.
 *
 * Locking: boot, one thread, with dmar_global_lock held by the driver where it
 * starts units.
 *
 * Fails: anything that comes from the other kernel. A unit that does not check out
 * starts with an empty root table; an entry that does not is cleared.
 */
#include <linux/dmar.h>
#include <linux/iommu-freeze.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/pci.h>

#include "../../../intel/iommu.h"
#include "../../../intel/pasid.h"
#include "../../../iommu-pages.h"
#include "../blob.h"
#include "../import.h"
#include "../log.h"
#include "../memory.h"
#include "vtd.h"

static const char scalable_now[] =
	"VT-d is in scalable mode now and was not; boot with intel_iommu=on,sm_off";

/* By number: the unit used this root table when this kernel met it. */
static DECLARE_BITMAP(root_was_used, FRZ_MAX_UNITS);

static u64 table_at(const struct frz_abi_unit *rec, u32 index)
{
	const struct frz_abi_table *table = frz_unit_table(rec, index);

	return table ? table->address : 0;
}

/**
 * iommu_freeze_vtd_keep_ir - Must a unit remap interrupts without a break?
 * @iommu: the unit
 *
 * The handover is not read yet, and need not be: with any, good or bad, a device
 * may be running that can write an interrupt. It does not matter what table is set,
 * that of the previous kernel is empty.
 *
 * Context: Any, from early boot on.
 * Return: true if remapping is on and may not be turned off.
 */
bool iommu_freeze_vtd_keep_ir(struct intel_iommu *iommu)
{
	return frz_vtd_remaps_interrupts(iommu) && frz_import_any();
}

/*
 * The empty table was for the time until this kernel has set its own: ask hardware
 * whether that is so, and free it. A kernel that does not remap interrupts leaves
 * hardware with the empty one.
 */
static const char * __init
leave_empty_irt(struct intel_iommu *iommu, const struct frz_abi_unit *rec)
{
	u64 irt = table_at(rec, FRZ_VTD_TABLE_IRT);

	if (!irt)
		return NULL;
	if (kho_preserved_order(irt))
		return "its interrupt remapping table is not preserved memory";
	if (!frz_vtd_remaps_interrupts(iommu) ||
	    (readq(iommu->reg + DMAR_IRTA_REG) & VTD_PAGE_MASK) == irt)
		return "its interrupts are not remapped by this kernel; boot without intremap=off";
	kho_restore_free(phys_to_virt(irt));
	return NULL;
}

static void __init look_at_root(struct intel_iommu *iommu,
				const struct frz_import_unit *unit)
{
	if (readq(iommu->reg + DMAR_RTADDR_REG) ==
	    table_at(unit->rec, FRZ_VTD_TABLE_ROOT))
		__set_bit(unit->number, root_was_used);
}

static const char * __init
check_unit(struct intel_iommu *iommu, const struct frz_import_unit *unit)
{
	const struct frz_abi_unit *rec = unit->rec;

	if (sm_supported(iommu))
		return scalable_now;
	if (!test_bit(unit->number, root_was_used))
		return "its root table is not where it was";
	if (rec->ids[FRZ_VTD_ID_CAP] != iommu->cap ||
	    rec->ids[FRZ_VTD_ID_ECAP] != iommu->ecap)
		return "the capabilities of its IOMMU changed";
	if (rec->segment != iommu->segment)
		return "its IOMMU is in another PCI segment";
	if (kho_preserved_order(table_at(rec, FRZ_VTD_TABLE_ROOT)))
		return "its root table is not preserved memory";
	return NULL;
}

/*
 * Each entry must be what a device of the blob runs on, or be gone. One that is bad
 * costs its own device and no other.
 */
static void __init
check_context(struct intel_iommu *iommu, const struct frz_import_unit *unit,
	      u32 bus, struct context_entry *table)
{
	unsigned int devfn;

	for (devfn = 0; devfn < FRZ_VTD_TABLE_ENTRIES; devfn++) {
		struct frz_vtd_entry e = frz_vtd_read(&table[devfn]);
		const struct frz_memory *mem;
		u32 tag;

		mem = frz_import_expected(unit, PCI_DEVID(bus, devfn), &tag);
		if (mem && frz_vtd_entry_is_frozen(&e, mem->top, tag, mem->levels))
			continue;
		frz_vtd_clear(iommu, &table[devfn]);
		if (mem)
			frz_import_refuse(unit, PCI_DEVID(bus, devfn),
					  "its context entry is not that of its frozen domain");
	}
}

/* What no device of the blob needs must be empty. */
static const char * __init
check_root(struct intel_iommu *iommu, const struct frz_import_unit *unit)
{
	struct root_entry *root = phys_to_virt(table_at(unit->rec,
							FRZ_VTD_TABLE_ROOT));
	u32 bus;

	for (bus = 0; bus < FRZ_VTD_ROOT_ENTRIES; bus++) {
		u64 pa = table_at(unit->rec, bus);

		if (!pa) {
			root[bus] = (struct root_entry){};
			continue;
		}
		if (kho_preserved_order(pa))
			return "a context table is not preserved memory";
		if (root[bus].lo != (pa | 1) || root[bus].hi)
			return "its root entry is not that of its context table";
		check_context(iommu, unit, bus, phys_to_virt(pa));
	}
	__iommu_flush_cache(iommu, root, VTD_PAGE_SIZE);
	return NULL;
}

/* The tables become pages of this kernel, as if it had allocated them. */
static void __init take_page(u64 pa)
{
	struct folio *folio = kho_restore_folio(pa);

	if (!folio)
		return;
	mod_node_page_state(folio_pgdat(folio), NR_IOMMU_PAGES, 1);
	lruvec_stat_mod_folio(folio, NR_SECONDARY_PAGETABLE, 1);
}

static void release_page(u64 pa)
{
	if (!kho_preserved_order(pa))
		kho_restore_free(phys_to_virt(pa));
}

/*
 * Some unit used the root table, as hardware said, and none does any more: one for
 * graphics alone may stay on where the driver turns it off, for a quirk. A driver
 * that remaps nothing frees its units, and nobody is left to ask.
 */
static bool root_was_left(u64 root, bool was_used)
{
	struct dmar_drhd_unit *drhd;
	struct intel_iommu *iommu;

	guard(rwsem_read)(&dmar_global_lock);
	if (list_empty(&dmar_drhd_units))
		return false;
	for_each_iommu(iommu, drhd) {
		if ((readq(iommu->reg + DMAR_RTADDR_REG) & VTD_PAGE_MASK) != root)
			continue;
		if (readl(iommu->reg + DMAR_GSTS_REG) & DMA_GSTS_TES)
			return false;
		was_used = true;
	}
	return was_used;
}

/**
 * frz_vtd_release_unit - struct frz_backend, release_unit
 * @unit: the unit
 *
 * A record that is wrong names memory of others: what hardware did not start from
 * stays as it is.
 *
 * Context: Boot, after the unit was given other tables or was turned off.
 */
void frz_vtd_release_unit(const struct frz_import_unit *unit)
{
	const struct frz_abi_table *table = frz_unit_tables(unit->rec);
	u64 pa = table_at(unit->rec, FRZ_VTD_TABLE_ROOT);
	const struct root_entry *root = phys_to_virt(pa);
	u32 i;

	/* Adopted after all, and then its driver's; or not even memory of ours. */
	if (kho_preserved_order(pa) ||
	    !root_was_left(pa, test_bit(unit->number, root_was_used)))
		return;
	/* Who remaps interrupts by the empty table, or not any more, has seen to it. */
	for (i = 0; i < unit->rec->nr_tables; i++)
		if (table[i].index < FRZ_VTD_ROOT_ENTRIES &&
		    root[table[i].index].lo == (table[i].address | 1))
			release_page(table[i].address);
	release_page(pa);
}

/* NULL and the unit goes on with the tables of the previous kernel, or why not. */
static const char * __init
adopt_unit(struct intel_iommu *iommu, const struct frz_import_unit *unit)
{
	const struct frz_abi_table *table = frz_unit_tables(unit->rec);
	const char *irt = leave_empty_irt(iommu, unit->rec);
	const char *why;
	u32 i;

	look_at_root(iommu, unit);
	why = check_unit(iommu, unit) ?: irt;
	if (!why)
		why = check_root(iommu, unit);
	if (why)
		return why;
	for (i = 0; i < unit->rec->nr_tables; i++)
		if (table[i].index != FRZ_VTD_TABLE_IRT)
			take_page(table[i].address);
	iommu->root_entry = phys_to_virt(table_at(unit->rec, FRZ_VTD_TABLE_ROOT));
	return NULL;
}

/**
 * iommu_freeze_vtd_adopt - Take over a unit that the previous kernel left on
 * @iommu: the unit; invalidation works, translation is on
 *
 * A unit of a good handover goes on with its root and context tables. One that
 * does not check out gets an empty root table, which blocks every device, and
 * translation stays on as well. The caller programs iommu->root_entry and
 * invalidates everything.
 *
 * Context: Boot, one thread.
 * Return: true if iommu->root_entry is set and translation must stay on.
 */
bool __init iommu_freeze_vtd_adopt(struct intel_iommu *iommu)
{
	struct frz_import_unit unit;
	const char *why;

	switch (frz_import_unit(FRZ_UNIT_VTD_LEGACY, iommu->reg_phys, &unit)) {
	case FRZ_UNIT_NONE:
		return false;
	case FRZ_UNIT_BAD:
		break;
	case FRZ_UNIT_GOOD:
		why = adopt_unit(iommu, &unit);
		frz_import_unit_done(&unit, &iommu->iommu, why);
		if (why)
			break;
		pr_info("%s: translation stays on\n", iommu->name);
		return true;
	}

	/* The mode of the root table can only be changed with translation off. */
	if (sm_supported(iommu)) {
		/* Also what a record of another unit lets run on. */
		iommu_freeze_refuse_all(scalable_now);
		return false;
	}
	iommu->root_entry = iommu_alloc_pages_node_sz(iommu->node, GFP_KERNEL,
						      SZ_4K);
	if (!iommu->root_entry)
		return false;
	__iommu_flush_cache(iommu, iommu->root_entry, VTD_PAGE_SIZE);
	pr_warn("%s: all DMA blocked until drivers take their devices\n",
		iommu->name);
	return true;
}

/**
 * iommu_freeze_vtd_ignored - This kernel leaves a unit off
 * @iommu: the unit; the caller turns its translation off next
 *
 * Context: Boot, one thread.
 */
void __init iommu_freeze_vtd_ignored(struct intel_iommu *iommu)
{
	struct frz_import_unit unit;

	if (frz_import_unit(FRZ_UNIT_VTD_LEGACY, iommu->reg_phys, &unit) !=
	    FRZ_UNIT_GOOD)
		return;
	/* Interrupts are remapped all the same. */
	leave_empty_irt(iommu, unit.rec);
	look_at_root(iommu, &unit);
	frz_import_unit_done(&unit, &iommu->iommu,
			     "its IOMMU is not used by this kernel");
}
