// SPDX-License-Identifier: GPL-2.0-only
/*
 * VT-d in the old kernel: the root and context tables that the next one adopts, and
 * the last word to each unit.
 *
 * The root of every unit is preserved, not only that of a frozen device's unit: with
 * translation on and empty tables the other units block what nobody has taken yet.
 *
 * A write to 0xfeexxxxx is an interrupt and no DMA: no context entry stops it, and
 * while interrupts are not remapped it may be any vector, NMI or INIT (VT-d spec,
 * section 5.1). So remapping stays on as translation does. Nobody may have an
 * interrupt in the jump: the last word sets a preserved table with nothing in it, and
 * the next kernel goes from that one to its own.
 *
 * Structure: by unit an empty interrupt remapping table, and by unit and bus how many
 * preserved devices count on the context table.
 *
 * Locking: what is kept here changes under outgoing_rwsem, which the core holds. At
 * shutdown there is one CPU and no lock is taken.
 *
 * Fails: preserving, for lack of memory. The last word cannot.
 */
#include <linux/dmar.h>
#include <linux/iommu-freeze.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/xarray.h>

#include "../../../intel/iommu.h"
#include "../../../intel/pasid.h"
#include "../backend.h"
#include "../blob.h"
#include "../outgoing.h"
#include "vtd.h"

/*
 * Interrupt Remapping Table Address Register (section 10.4.29): extended mode, and
 * the size of a table of one page, 2^(7 + 1) entries.
 */
#define IRTA_EIME		BIT_ULL(11)
#define IRTA_ONE_PAGE		7

/* Empty interrupt remapping tables for the next kernel, by the unit's seq_id. */
static DEFINE_XARRAY(empty_irts);

/* How many preserved devices a context table has, by seq_id << 8 | bus. */
static DEFINE_XARRAY(context_users);

static int alloc_irt(struct intel_iommu *iommu)
{
	void *irt;
	int ret;

	if (!frz_vtd_remaps_interrupts(iommu))
		return 0;
	irt = kho_alloc_preserve(VTD_PAGE_SIZE);
	if (IS_ERR(irt))
		return PTR_ERR(irt);
	__iommu_flush_cache(iommu, irt, VTD_PAGE_SIZE);
	ret = xa_err(xa_store(&empty_irts, iommu->seq_id, irt, GFP_KERNEL));
	if (ret)
		kho_unpreserve_free(irt);
	return ret;
}

static void free_irt(struct intel_iommu *iommu)
{
	void *irt = xa_erase(&empty_irts, iommu->seq_id);

	if (irt)
		kho_unpreserve_free(irt);
}

static int preserve_unit(struct intel_iommu *iommu)
{
	struct folio *root = virt_to_folio(iommu->root_entry);
	int ret;

	ret = kho_preserve_folio(root);
	if (ret)
		return ret;
	ret = alloc_irt(iommu);
	if (ret)
		kho_unpreserve_folio(root);
	return ret;
}

/* Up to this unit, or of all. */
static void unpreserve_roots(const struct intel_iommu *end)
{
	struct dmar_drhd_unit *drhd;
	struct intel_iommu *iommu;

	for_each_active_iommu(iommu, drhd) {
		if (iommu == end)
			return;
		kho_unpreserve_folio(virt_to_folio(iommu->root_entry));
		free_irt(iommu);
	}
}

/**
 * frz_vtd_unpreserve_units - struct frz_backend, unpreserve_units
 */
void frz_vtd_unpreserve_units(void)
{
	guard(rwsem_read)(&dmar_global_lock);
	unpreserve_roots(NULL);
}

/**
 * frz_vtd_preserve_units - struct frz_backend, preserve_units
 *
 * Preserves the root table of every unit. A unit that remaps interrupts also gets an
 * empty table for those.
 *
 * Return: 0, or a negative errno; nothing is preserved then.
 */
int frz_vtd_preserve_units(void)
{
	struct dmar_drhd_unit *drhd;
	struct intel_iommu *iommu;
	int ret;

	guard(rwsem_read)(&dmar_global_lock);
	for_each_active_iommu(iommu, drhd) {
		ret = preserve_unit(iommu);
		if (ret) {
			unpreserve_roots(iommu);
			return ret;
		}
	}
	return 0;
}

static struct intel_iommu *unit_of(struct pci_dev *pdev)
{
	struct device_domain_info *info = dev_iommu_priv_get(&pdev->dev);

	return info->iommu;
}

static u64 context_table(struct intel_iommu *iommu, u8 bus)
{
	return iommu->root_entry[bus].lo & VTD_PAGE_MASK;
}

static struct folio *context_folio(struct intel_iommu *iommu, u8 bus)
{
	return virt_to_folio(phys_to_virt(context_table(iommu, bus)));
}

static unsigned long context_index(struct intel_iommu *iommu, u8 bus)
{
	return (unsigned long)iommu->seq_id << 8 | bus;
}

static unsigned long nr_users(struct intel_iommu *iommu, u8 bus)
{
	void *users = xa_load(&context_users, context_index(iommu, bus));

	return users ? xa_to_value(users) : 0;
}

static int set_users(struct intel_iommu *iommu, u8 bus, unsigned long users)
{
	return xa_err(xa_store(&context_users, context_index(iommu, bus),
			       users ? xa_mk_value(users) : NULL, GFP_KERNEL));
}

/**
 * frz_vtd_preserve_device - struct frz_backend, preserve_device
 * @pdev: the device; its bus has a context table as it is attached
 *
 * Preserves the context table of its bus, for the first one on it.
 *
 * Return: 0 or a negative errno.
 */
int frz_vtd_preserve_device(struct pci_dev *pdev)
{
	struct intel_iommu *iommu = unit_of(pdev);
	u8 bus = pdev->bus->number;
	unsigned long users = nr_users(iommu, bus);
	int ret;

	ret = set_users(iommu, bus, users + 1);
	if (ret || users)
		return ret;
	ret = kho_preserve_folio(context_folio(iommu, bus));
	if (ret)
		set_users(iommu, bus, 0);
	return ret;
}

/**
 * frz_vtd_unpreserve_device - struct frz_backend, unpreserve_device
 * @pdev: the device
 *
 * Gives up the context table of its bus with the last one on it.
 */
void frz_vtd_unpreserve_device(struct pci_dev *pdev)
{
	struct intel_iommu *iommu = unit_of(pdev);
	u8 bus = pdev->bus->number;
	unsigned long users = nr_users(iommu, bus) - 1;

	/* There is an entry already: that needs no memory. */
	set_users(iommu, bus, users);
	if (!users)
		kho_unpreserve_folio(context_folio(iommu, bus));
}

static void add_table(struct frz_abi_unit *rec, struct frz_abi_table *tables,
		      u32 index, u64 address)
{
	tables[rec->nr_tables++] = (struct frz_abi_table){
		.index = index, .address = address, .len = VTD_PAGE_SIZE,
	};
}

static void write_unit(struct frz_blob_writer *w, struct intel_iommu *iommu)
{
	static struct frz_abi_table tables[FRZ_VTD_ROOT_ENTRIES + 2];
	void *irt = xa_load(&empty_irts, iommu->seq_id);
	struct frz_abi_unit rec = {
		.kind = FRZ_UNIT_VTD_LEGACY,
		.segment = iommu->segment,
		.reg_base = iommu->reg_phys,
		.ids = {
			[FRZ_VTD_ID_CAP] = iommu->cap,
			[FRZ_VTD_ID_ECAP] = iommu->ecap,
		},
	};
	unsigned int bus;

	for (bus = 0; bus < FRZ_VTD_ROOT_ENTRIES; bus++)
		if (nr_users(iommu, bus))
			add_table(&rec, tables, bus, context_table(iommu, bus));
	add_table(&rec, tables, FRZ_VTD_TABLE_ROOT,
		  virt_to_phys(iommu->root_entry));
	if (irt)
		add_table(&rec, tables, FRZ_VTD_TABLE_IRT, virt_to_phys(irt));
	frz_blob_add_unit(w, &rec, tables);
}

/**
 * frz_vtd_write_units - struct frz_backend, write_units
 * @w: the writer
 *
 * Context: Under outgoing_rwsem, which also guards the scratch array.
 */
void frz_vtd_write_units(struct frz_blob_writer *w)
{
	struct dmar_drhd_unit *drhd;
	struct intel_iommu *iommu;

	guard(rwsem_read)(&dmar_global_lock);
	for_each_active_iommu(iommu, drhd)
		write_unit(w, iommu);
}

static void flush_all(struct intel_iommu *iommu)
{
	iommu_flush_write_buffer(iommu);
	iommu->flush.flush_context(iommu, 0, 0, 0, DMA_CCMD_GLOBAL_INVL);
	iommu->flush.flush_iotlb(iommu, 0, 0, 0, DMA_TLB_GLOBAL_FLUSH);
}

/*
 * The table that the unit remaps interrupts by is not kept: from here on it is the
 * empty one, and none comes through (section 6.7, Set Interrupt Remapping Table
 * Pointer Operation; the invalidation is not left to hardware that may do it).
 */
static void use_empty_irt(struct intel_iommu *iommu)
{
	void *irt = xa_load(&empty_irts, iommu->seq_id);
	u64 irta;
	u32 sts;

	if (!irt)
		return;
	irta = readq(iommu->reg + DMAR_IRTA_REG) & IRTA_EIME;
	writeq(virt_to_phys(irt) | irta | IRTA_ONE_PAGE,
	       iommu->reg + DMAR_IRTA_REG);
	writel(iommu->gcmd | DMA_GCMD_SIRTP, iommu->reg + DMAR_GCMD_REG);
	IOMMU_WAIT_OP(iommu, DMAR_GSTS_REG, readl, sts & DMA_GSTS_IRTPS, sts);
	qi_global_iec(iommu);
}

/*
 * Whoever attached the device anew behind the freeze, as the core does around a
 * reset, left an entry for tables that are not kept.
 */
static bool is_frozen_entry(const struct context_entry *context,
			    const struct frz_descriptor *frozen)
{
	return context->lo == frozen->q[0] && context->hi == frozen->q[1];
}

/* Clears what is not frozen. Is there a frozen device on this bus? */
static bool clear_others(struct intel_iommu *iommu, unsigned int bus,
			 struct context_entry *table)
{
	const struct frz_descriptor *frozen;
	unsigned int devfn;
	bool keep = false;

	for (devfn = 0; devfn < FRZ_VTD_TABLE_ENTRIES; devfn++) {
		frozen = frz_outgoing_frozen_at(&iommu->iommu,
						PCI_DEVID(bus, devfn));
		if (frozen)
			keep = true;
		if (!frozen || !is_frozen_entry(&table[devfn], frozen))
			frz_vtd_clear(iommu, &table[devfn]);
	}
	return keep;
}

static void clear_unit(struct intel_iommu *iommu)
{
	unsigned int bus;

	for (bus = 0; bus < FRZ_VTD_ROOT_ENTRIES; bus++) {
		struct root_entry *root = &iommu->root_entry[bus];

		if (!(root->lo & 1) ||
		    clear_others(iommu, bus,
				 phys_to_virt(root->lo & VTD_PAGE_MASK)))
			continue;
		WRITE_ONCE(root->lo, 0);
		__iommu_flush_cache(iommu, root, sizeof(*root));
	}
}

/**
 * iommu_freeze_vtd_shutdown - Last word of the old kernel to VT-d
 *
 * In a kexec with frozen devices translation stays on in every unit, and of the
 * context entries only those of frozen devices stay. Interrupt remapping stays on
 * where it is, and lets none through; nor does the unit itself send one.
 *
 * Context: One CPU, interrupts off.
 * Return: true if that was done, false if the caller should turn VT-d off.
 */
bool iommu_freeze_vtd_shutdown(void)
{
	struct dmar_drhd_unit *drhd;

	if (!kexec_in_progress || !frz_outgoing_any_frozen())
		return false;

	list_for_each_entry(drhd, &dmar_drhd_units, list) {
		struct intel_iommu *iommu = drhd->iommu;

		if (drhd->ignored)
			continue;
		clear_unit(iommu);
		flush_all(iommu);
		use_empty_irt(iommu);
		/* A fault would be told by a vector that is another one soon. */
		writel(DMA_FECTL_IM, iommu->reg + DMAR_FECTL_REG);
	}
	return true;
}
