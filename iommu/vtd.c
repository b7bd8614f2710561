// SPDX-License-Identifier: GPL-2.0-only
/*
 * VT-d in legacy mode: what a frozen domain means to the hardware.
 *
 * Structure: a device is translated by one 128-bit context entry, found through
 * the unit's root table by bus and in the context table by device and function
 * (VT-d spec, sections 3.4 and 9.3). To swap domains is to swap that entry with
 * one cmpxchg16b: hardware reads either the old or the new one. Between the swap
 * and the invalidation both domains must be good, and their ids (DIDs) may tag
 * cached translations; both are flushed afterwards (section 6.5.3.3).
 *
 * Root and context tables are not copied. They are preserved where they lie and
 * the next kernel adopts them, as its root pointer must translate as the old one
 * did all the time (section 10.4.5, Root Table Address Register).
 *
 * A write to 0xfeexxxxx is an interrupt and no DMA: no context entry stops it, and
 * while interrupts are not remapped it may be any vector, NMI or INIT (section 5.1).
 * So remapping stays on as translation does. Nobody may have an interrupt in the
 * jump: the old kernel's last word sets a preserved table with nothing in it, and
 * the next kernel goes from that one to its own.
 *
 * Locking: context entries are written under intel_iommu::lock. Domain ids are
 * allocated under intel_iommu::did_lock. Attach and replace come with the group
 * mutex held. At shutdown there is one CPU and no lock is taken.
 *
 * Fails: nothing that has begun to change a context entry.
 */
#include <linux/dmar.h>
#include <linux/generic_pt/iommu.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "../../intel/iommu.h"
#include "../../intel/pasid.h"
#include "../../iommu-pages.h"
#include "freeze.h"

/* Fields of a context entry, as the helpers of intel/iommu.h set them. */
#define ROOT_ENTRIES		(VTD_PAGE_SIZE / sizeof(struct root_entry))
#define CONTEXT_PRESENT		BIT_ULL(0)
#define CONTEXT_TT		GENMASK_ULL(3, 2)
#define CONTEXT_AW		GENMASK_ULL(2, 0)
#define CONTEXT_DID		GENMASK_ULL(23, 8)

/*
 * Interrupt Remapping Table Address Register (section 10.4.29): extended mode, and
 * the size of a table of one page, 2^(7 + 1) entries.
 */
#define IRTA_EIME		BIT_ULL(11)
#define IRTA_ONE_PAGE		7

/* Empty interrupt remapping tables for the next kernel, by the unit's seq_id. */
static DEFINE_XARRAY(empty_irts);

static_assert(sizeof(struct vtd_entry) == sizeof(struct context_entry));

/**
 * frz_vtd_unit - The VT-d unit above a device
 * @pdev: a device for which frz_vtd_look() found nothing
 *
 * Return: the unit.
 */
struct intel_iommu *frz_vtd_unit(struct pci_dev *pdev)
{
	struct device_domain_info *info = dev_iommu_priv_get(&pdev->dev);

	return info->iommu;
}

static int other_alias(struct pci_dev *pdev, u16 alias, void *rid)
{
	return alias != *(u16 *)rid;
}

/* Does the device use its own requester id, and no other one? */
static bool single_rid(struct pci_dev *pdev)
{
	u16 rid = pci_dev_id(pdev);

	return !pci_for_each_dma_alias(pdev, other_alias, &rid);
}

static bool is_vtd(struct device *dev)
{
	return dev->iommu && dev->iommu->iommu_dev &&
	       dev->iommu->iommu_dev->ops == &intel_iommu_ops;
}

/**
 * frz_vtd_look - Can a device behind this unit be frozen?
 * @pdev: the device, which has an IOMMU group
 * @f: findings, added to; nothing but the IOMMU is looked at if that is not VT-d
 */
void frz_vtd_look(struct pci_dev *pdev, struct frz_findings *f)
{
	struct device_domain_info *info;
	struct dmar_drhd_unit *drhd;
	struct intel_iommu *iommu;
	bool scalable = false;

	if (frz_look(f, IOMMU_FREEZE_OBSTACLE_IOMMU, !is_vtd(&pdev->dev)))
		return;
	scoped_guard(rwsem_read, &dmar_global_lock)
		for_each_active_iommu(iommu, drhd)
			scalable |= sm_supported(iommu);

	info = dev_iommu_priv_get(&pdev->dev);
	frz_look(f, IOMMU_FREEZE_OBSTACLE_CPU, !system_has_cmpxchg128());
	frz_look(f, IOMMU_FREEZE_OBSTACLE_SCALABLE, scalable);
	frz_look(f, IOMMU_FREEZE_OBSTACLE_ATS, info->ats_enabled);
	frz_look(f, IOMMU_FREEZE_OBSTACLE_PRI,
		 info->pri_enabled || info->pasid_enabled);
	frz_look(f, IOMMU_FREEZE_OBSTACLE_ALIAS, !single_rid(pdev));
}

/* Does the group of this device have memory that firmware reaches at all times? */
static bool firmware_uses(struct device *dev)
{
	struct iommu_resv_region *region, *next;
	struct iommu_group *group;
	bool found = false;
	LIST_HEAD(regions);

	group = iommu_group_get(dev);
	if (!group)
		return false;
	iommu_get_group_resv_regions(group, &regions);
	list_for_each_entry_safe(region, next, &regions, list) {
		found |= region->type == IOMMU_RESV_DIRECT;
		list_del(&region->list);
		kfree(region);
	}
	iommu_group_put(group);
	return found;
}

/**
 * frz_vtd_look_at_others - Would a freeze cut off a device that firmware needs?
 * @pdev: the device that is to be frozen
 * @f: findings, added to
 *
 * Without a frozen device translation goes off at the kexec and firmware's DMA to a
 * reserved region (VT-d spec, section 8.4, RMRR) goes on. With one it stays on, and
 * blocks every device that is not frozen until the next kernel has mapped it again.
 * Regions that a system gives up once its driver is there (USB, graphics) do not
 * count; Linux calls them relaxable.
 *
 * Context: May sleep.
 */
void frz_vtd_look_at_others(struct pci_dev *pdev, struct frz_findings *f)
{
	struct pci_dev *other = NULL;
	bool found = false;

	for_each_pci_dev(other)
		found |= other != pdev && firmware_uses(&other->dev);
	frz_look(f, IOMMU_FREEZE_OBSTACLE_RMRR, found);
}

/**
 * frz_vtd_look_at_domain - Can a domain of this kind be frozen?
 * @live: the domain of a device behind VT-d
 * @f: findings, added to
 */
void frz_vtd_look_at_domain(struct iommu_domain *live, struct frz_findings *f)
{
	struct dmar_domain *domain = to_dmar_domain(live);

	if (frz_look(f, IOMMU_FREEZE_OBSTACLE_DOMAIN,
		     live->owner != &intel_iommu_ops ||
		     !intel_domain_is_ss_paging(domain) ||
		     domain->nested_parent))
		return;
	frz_look(f, IOMMU_FREEZE_OBSTACLE_DIRTY, domain->dirty_tracking);
}
EXPORT_SYMBOL_GPL(frz_vtd_look_at_domain);

static const __le64 *map_live(void *priv, u64 table)
{
	cond_resched();
	if (!pfn_valid(PHYS_PFN(table)))
		return NULL;
	return phys_to_virt(table);
}

/**
 * frz_vtd_live_tables - Prepare the tables of a live domain for a walk
 * @live: a domain for which frz_vtd_look_at_domain() found nothing; its map must not
 *	change until the walk is over
 * @t: set up for the pure code
 */
void frz_vtd_live_tables(struct iommu_domain *live, struct frz_tables *t)
{
	struct dmar_domain *domain = to_dmar_domain(live);
	struct pt_iommu_vtdss_hw_info pt_info;

	pt_iommu_vtdss_hw_info(&domain->sspt, &pt_info);
	t->fmt = &frz_format_vtdss;
	t->top = pt_info.ssptptr;
	t->levels = agaw_to_level(pt_info.aw);
	t->map = map_live;
	t->priv = NULL;
}

/**
 * frz_vtd_leaf_levels - Levels at which a unit takes a leaf
 * @iommu: the unit
 *
 * VT-d spec, section 10.4.2, Capability Register, SSLPS.
 *
 * Return: bit n: a leaf at level n is taken.
 */
u32 frz_vtd_leaf_levels(struct intel_iommu *iommu)
{
	return BIT(1) | (cap_super_page_val(iommu->cap) & 3) << 2;
}

/**
 * frz_vtd_coherent - Do the unit's page walks snoop the CPU caches?
 * @iommu: the unit
 *
 * Return: true if so.
 */
bool frz_vtd_coherent(struct intel_iommu *iommu)
{
	return ecap_coherent(iommu->ecap);
}

/**
 * frz_vtd_reg_base - Address of a unit's registers
 * @iommu: the unit
 *
 * Return: the physical address.
 */
u64 frz_vtd_reg_base(struct intel_iommu *iommu)
{
	return iommu->reg_phys;
}

/**
 * frz_vtd_did_alloc - Take a free domain id of a unit
 * @iommu: the unit
 *
 * Return: the id, or a negative errno.
 */
int frz_vtd_did_alloc(struct intel_iommu *iommu)
{
	guard(mutex)(&iommu->did_lock);
	return ida_alloc_range(&iommu->domain_ida, IDA_START_DID,
			       iommu->max_domain_id - 1, GFP_KERNEL);
}

/**
 * frz_vtd_did_reserve - Take the domain id of a frozen domain
 * @iommu: the unit, on which nothing was allocated yet
 * @did: the id
 *
 * Return: 0 or a negative errno.
 */
int frz_vtd_did_reserve(struct intel_iommu *iommu, u32 did)
{
	int ret;

	if (did < IDA_START_DID || did >= iommu->max_domain_id)
		return -ERANGE;
	guard(mutex)(&iommu->did_lock);
	ret = ida_alloc_range(&iommu->domain_ida, did, did, GFP_KERNEL);
	return ret < 0 ? ret : 0;
}

/**
 * frz_vtd_did_free - Give back a domain id
 * @iommu: the unit
 * @did: the id; nothing in the unit's caches carries it any more
 */
void frz_vtd_did_free(struct intel_iommu *iommu, u32 did)
{
	guard(mutex)(&iommu->did_lock);
	ida_free(&iommu->domain_ida, did);
}

/**
 * frz_vtd_live_entry - Read the context entry of a device on its live domain
 * @pdev: the device
 * @live: its domain
 * @e: the entry
 *
 * Return: 0, or -EINVAL after a log line if the entry is not that of @live.
 */
int frz_vtd_live_entry(struct pci_dev *pdev, struct iommu_domain *live,
		       struct vtd_entry *e)
{
	struct device_domain_info *info = dev_iommu_priv_get(&pdev->dev);
	struct dmar_domain *domain = to_dmar_domain(live);
	struct intel_iommu *iommu = info->iommu;
	struct context_entry *context;
	struct frz_tables t;

	frz_vtd_live_tables(live, &t);
	scoped_guard(spinlock, &iommu->lock) {
		context = iommu_context_addr(iommu, info->bus, info->devfn, 0);
		if (context) {
			e->lo = context->lo;
			e->hi = context->hi;
		}
	}
	if (!context || info->domain != domain || !(e->lo & CONTEXT_PRESENT) ||
	    (e->lo & VTD_PAGE_MASK) != t.top ||
	    FIELD_GET(CONTEXT_DID, e->hi) != domain_id_iommu(domain, iommu)) {
		frz_warn(pdev, "not preserved: its context entry is not that of its domain\n");
		return -EINVAL;
	}
	return 0;
}

/**
 * frz_vtd_frozen_entry - Turn a context entry into that of a frozen domain
 * @e: the live entry; the address width stays
 * @top: address of the frozen top table
 * @did: id of the frozen domain
 *
 * The driver sets translation type 01, which lets translated requests through, for
 * each device that has ATS (VT-d spec, section 9.3, TT). A frozen device has it off.
 */
void frz_vtd_frozen_entry(struct vtd_entry *e, u64 top, u32 did)
{
	e->lo = (e->lo & ~(VTD_PAGE_MASK | CONTEXT_TT)) | top;
	e->hi = (e->hi & ~CONTEXT_DID) | FIELD_PREP(CONTEXT_DID, did);
}

/* One store that hardware sees whole or not at all. */
static bool swap_entry(struct intel_iommu *iommu, struct context_entry *context,
		       const struct vtd_entry *from, const struct vtd_entry *to)
{
	u128 old = (u128)from->hi << 64 | from->lo;
	u128 new = (u128)to->hi << 64 | to->lo;

	lockdep_assert_held(&iommu->lock);

	/* What the new entry points to must be in memory before it. */
	dma_wmb();
	if (!try_cmpxchg128((u128 *)context, &old, new))
		return false;
	__iommu_flush_cache(iommu, context, sizeof(*context));
	return true;
}

/*
 * Nothing may be left that was cached through the old entry, under the old id
 * or, for a fetch that met the swap halfway, under the new one.
 */
static void flush_ids(struct device_domain_info *info, u16 old, u16 new)
{
	u16 sid = PCI_DEVID(info->bus, info->devfn);

	iommu_flush_write_buffer(info->iommu);
	intel_context_flush_no_pasid(info, NULL, old, sid);
	if (new != old)
		intel_context_flush_no_pasid(info, NULL, new, sid);
}

/**
 * frz_vtd_flip - Swap the context entry of a running device
 * @pdev: the device
 * @from: the entry that must be there
 * @to: the one that takes its place; its tables are complete
 *
 * Context: Any process context. Allocates nothing.
 * Return: 0, or -EBUSY if the entry was not @from, which then stays.
 */
int frz_vtd_flip(struct pci_dev *pdev, const struct vtd_entry *from,
		 const struct vtd_entry *to)
{
	struct device_domain_info *info = dev_iommu_priv_get(&pdev->dev);
	struct intel_iommu *iommu = info->iommu;
	struct context_entry *context;
	bool done = false;

	scoped_guard(spinlock, &iommu->lock) {
		context = iommu_context_addr(iommu, info->bus, info->devfn, 0);
		if (context)
			done = swap_entry(iommu, context, from, to);
	}
	if (!done)
		return -EBUSY;
	flush_ids(info, FIELD_GET(CONTEXT_DID, from->hi),
		  FIELD_GET(CONTEXT_DID, to->hi));
	return 0;
}

/*
 * Root and context tables of the outgoing side. The root of every unit is
 * preserved, not only that of a frozen device's unit: with translation on and
 * empty tables the other units block what nobody has taken yet.
 */

/**
 * frz_vtd_nr_units - Units that the blob will describe
 *
 * Return: their number.
 */
unsigned int frz_vtd_nr_units(void)
{
	struct dmar_drhd_unit *drhd;
	unsigned int nr = 0;

	guard(rwsem_read)(&dmar_global_lock);
	for_each_active_drhd_unit(drhd)
		nr++;
	return nr;
}

/**
 * frz_vtd_unit_index - Number of a unit's record in the blob
 * @iommu: the unit
 *
 * Return: the number, -ENOENT for a unit that is not in use.
 */
int frz_vtd_unit_index(struct intel_iommu *iommu)
{
	struct dmar_drhd_unit *drhd;
	struct intel_iommu *it;
	int index = 0;

	guard(rwsem_read)(&dmar_global_lock);
	for_each_active_iommu(it, drhd) {
		if (it == iommu)
			return index;
		index++;
	}
	return -ENOENT;
}

static bool remaps_interrupts(struct intel_iommu *iommu)
{
	return readl(iommu->reg + DMAR_GSTS_REG) & DMA_GSTS_IRES;
}

static int alloc_irt(struct intel_iommu *iommu)
{
	void *irt;
	int ret;

	if (!remaps_interrupts(iommu))
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
 * frz_vtd_unpreserve_roots - Undo frz_vtd_preserve_roots()
 */
void frz_vtd_unpreserve_roots(void)
{
	guard(rwsem_read)(&dmar_global_lock);
	unpreserve_roots(NULL);
}

/**
 * frz_vtd_preserve_roots - Preserve the root table of every unit
 *
 * A unit that remaps interrupts also gets an empty table for those.
 *
 * Return: 0, or a negative errno; nothing is preserved then.
 */
int frz_vtd_preserve_roots(void)
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

static struct folio *context_folio(struct intel_iommu *iommu, u8 bus)
{
	struct root_entry *root = &iommu->root_entry[bus];

	return virt_to_folio(phys_to_virt(root->lo & VTD_PAGE_MASK));
}

/**
 * frz_vtd_preserve_context - Preserve the context table of a device's bus
 * @pdev: the device; its bus has a context table as it is attached
 *
 * Return: 0 or a negative errno.
 */
int frz_vtd_preserve_context(struct pci_dev *pdev)
{
	return kho_preserve_folio(context_folio(frz_vtd_unit(pdev),
						pdev->bus->number));
}

/**
 * frz_vtd_unpreserve_context - Undo frz_vtd_preserve_context()
 * @pdev: the last preserved device of its unit on its bus
 */
void frz_vtd_unpreserve_context(struct pci_dev *pdev)
{
	kho_unpreserve_folio(context_folio(frz_vtd_unit(pdev),
					   pdev->bus->number));
}

static u32 preserved_buses(struct intel_iommu *iommu,
			   struct frz_context *contexts)
{
	unsigned int bus;
	u32 n = 0;

	for (bus = 0; bus < ROOT_ENTRIES; bus++) {
		if (!frz_outgoing_on_bus(iommu, bus))
			continue;
		contexts[n].bus = bus;
		contexts[n].address = iommu->root_entry[bus].lo & VTD_PAGE_MASK;
		n++;
	}
	return n;
}

/**
 * frz_vtd_write_units - Describe every unit in the blob
 * @w: the writer
 *
 * Context: From outgoing.c, whose locks also guard the scratch array.
 * Return: 0 or the writer's error.
 */
int frz_vtd_write_units(struct frz_blob_writer *w)
{
	static struct frz_context contexts[FRZ_MAX_CONTEXTS];
	struct dmar_drhd_unit *drhd;
	struct intel_iommu *iommu;
	int ret = 0;

	guard(rwsem_read)(&dmar_global_lock);
	for_each_active_iommu(iommu, drhd) {
		struct frz_unit rec = {
			.kind = FRZ_UNIT_VTD_LEGACY,
			.segment = iommu->segment,
			.reg_base = drhd->reg_base_addr,
			.cap = iommu->cap,
			.ecap = iommu->ecap,
			.root = virt_to_phys(iommu->root_entry),
		};
		void *irt = xa_load(&empty_irts, iommu->seq_id);
		u32 n = preserved_buses(iommu, contexts);

		if (irt)
			rec.irt = virt_to_phys(irt);
		ret = frz_blob_add_unit(w, &rec, contexts, n);
	}
	return ret;
}

static void clear_entry(struct intel_iommu *iommu, struct context_entry *context)
{
	if (!context->lo && !context->hi)
		return;
	context_clear_present(context);
	__iommu_flush_cache(iommu, context, sizeof(*context));
	context_clear_entry(context);
	__iommu_flush_cache(iommu, context, sizeof(*context));
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
			    const struct vtd_entry *frozen)
{
	return frozen && context->lo == frozen->lo && context->hi == frozen->hi;
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
	const struct vtd_entry *frozen;
	struct dmar_drhd_unit *drhd;
	struct intel_iommu *iommu;
	unsigned int bus, devfn;

	if (!kexec_in_progress || !frz_outgoing_any_frozen())
		return false;

	list_for_each_entry(drhd, &dmar_drhd_units, list) {
		iommu = drhd->iommu;
		if (drhd->ignored)
			continue;

		for (bus = 0; bus < ROOT_ENTRIES; bus++) {
			struct root_entry *root = &iommu->root_entry[bus];
			struct context_entry *context;
			bool keep = false;

			if (!(root->lo & 1))
				continue;
			context = phys_to_virt(root->lo & VTD_PAGE_MASK);
			for (devfn = 0; devfn < 256; devfn++) {
				frozen = frz_outgoing_frozen_at(iommu, bus, devfn);
				if (frozen)
					keep = true;
				if (!is_frozen_entry(&context[devfn], frozen))
					clear_entry(iommu, &context[devfn]);
			}
			if (!keep) {
				WRITE_ONCE(root->lo, 0);
				__iommu_flush_cache(iommu, root, sizeof(*root));
			}
		}
		flush_all(iommu);
		use_empty_irt(iommu);
		/* A fault would be told by a vector that is another one soon. */
		writel(DMA_FECTL_IM, iommu->reg + DMAR_FECTL_REG);
	}
	return true;
}

/* The incoming side. */

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
	phys_addr_t phys;

	return remaps_interrupts(iommu) &&
	       kho_retrieve_subtree(FRZ_KHO_NAME, &phys, NULL) != -ENOENT;
}

/*
 * The empty table was for the time until this kernel has set its own: ask hardware
 * whether that is so, and free it. A kernel that does not remap interrupts leaves
 * hardware with the empty one.
 */
static const char * __init
leave_empty_irt(struct intel_iommu *iommu, const struct frz_unit *rec)
{
	if (!rec->irt)
		return NULL;
	if (kho_preserved_order(rec->irt))
		return "its interrupt remapping table is not preserved memory";
	if (!remaps_interrupts(iommu) ||
	    (readq(iommu->reg + DMAR_IRTA_REG) & VTD_PAGE_MASK) == rec->irt)
		return "its interrupts are not remapped by this kernel; boot without intremap=off";
	kho_restore_free(phys_to_virt(rec->irt));
	return NULL;
}

static const char * __init
check_unit(struct intel_iommu *iommu, const struct frz_incoming_unit *unit)
{
	const struct frz_unit *rec = &unit->rec;

	if (rec->kind != FRZ_UNIT_VTD_LEGACY || sm_supported(iommu))
		return "VT-d is in scalable mode now and was not; boot with intel_iommu=on,sm_off";
	if (readq(iommu->reg + DMAR_RTADDR_REG) != rec->root)
		return "its root table is not where it was";
	if (rec->cap != iommu->cap || rec->ecap != iommu->ecap)
		return "the capabilities of its IOMMU changed";
	if (rec->segment != iommu->segment)
		return "its IOMMU is in another PCI segment";
	if (kho_preserved_order(rec->root))
		return "its root table is not preserved memory";
	return NULL;
}

/*
 * Each entry must be what a device of the blob runs on, or be gone. One that is bad
 * costs its own device and no other.
 */
static void __init
check_context(struct intel_iommu *iommu, const struct frz_incoming_unit *unit,
	      u8 bus, struct context_entry *context)
{
	unsigned int devfn;

	for (devfn = 0; devfn < 256; devfn++) {
		struct context_entry *e = &context[devfn];
		const struct frozen_tables *ft;
		u32 did;

		ft = frz_incoming_expected(unit, bus, devfn, &did);
		if (!ft) {
			clear_entry(iommu, e);
			continue;
		}
		if (!context_present(e) || (e->lo & VTD_PAGE_MASK) != ft->top ||
		    (e->lo & CONTEXT_TT) ||
		    FIELD_GET(CONTEXT_DID, e->hi) != did ||
		    agaw_to_level(FIELD_GET(CONTEXT_AW, e->hi)) != ft->levels) {
			clear_entry(iommu, e);
			frz_incoming_refuse_id((u64)unit->rec.segment << 16 |
					       PCI_DEVID(bus, devfn),
					       "its context entry is not that of its frozen domain");
		}
	}
}

static const char * __init
check_root(struct intel_iommu *iommu, const struct frz_incoming_unit *unit)
{
	struct root_entry *root = phys_to_virt(unit->rec.root);
	u32 i, bus, next = 0;
	u64 pa;

	for (i = 0; i < unit->rec.nr_contexts; i++) {
		frz_blob_context(unit->blob, &unit->rec, i, &bus, &pa);
		if (kho_preserved_order(pa))
			return "a context table is not preserved memory";
		/* The writer goes up; what lies between must be empty. */
		for (; next < bus; next++)
			root[next] = (struct root_entry){};
		if (root[bus].lo != (pa | 1) || root[bus].hi)
			return "its root entry is not that of its context table";
		check_context(iommu, unit, bus, phys_to_virt(pa));
		next = bus + 1;
	}
	for (; next < ROOT_ENTRIES; next++)
		root[next] = (struct root_entry){};
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

static void __init release_page(u64 pa)
{
	if (!kho_preserved_order(pa))
		kho_restore_free(phys_to_virt(pa));
}

/* A unit for graphics alone may stay on where the driver turns it off, for a quirk. */
static bool __init root_in_use(u64 root)
{
	struct dmar_drhd_unit *drhd;
	struct intel_iommu *iommu;

	guard(rwsem_read)(&dmar_global_lock);
	for_each_iommu(iommu, drhd)
		if (readl(iommu->reg + DMAR_GSTS_REG) & DMA_GSTS_TES &&
		    (readq(iommu->reg + DMAR_RTADDR_REG) & VTD_PAGE_MASK) == root)
			return true;
	return false;
}

/**
 * frz_vtd_release_unit - Free the tables of a unit that was refused
 * @b: the blob
 * @rec: the unit's record in it
 *
 * They stay if hardware, asked for it, still uses them.
 *
 * Context: Boot, after the unit was given other tables or was turned off.
 */
void __init frz_vtd_release_unit(const struct frz_blob *b,
				 const struct frz_unit *rec)
{
	u32 i, bus;
	u64 pa;

	if (root_in_use(rec->root))
		return;
	release_page(rec->root);
	for (i = 0; i < rec->nr_contexts; i++) {
		frz_blob_context(b, rec, i, &bus, &pa);
		release_page(pa);
	}
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
	const char *why = NULL, *irt;
	struct frz_incoming_unit unit;
	u32 i, bus;
	u64 pa;

	switch (frz_incoming_unit(iommu->reg_phys, &unit)) {
	case FRZ_UNIT_NONE:
		return false;
	case FRZ_UNIT_BAD:
		break;
	case FRZ_UNIT_GOOD:
		irt = leave_empty_irt(iommu, &unit.rec);
		why = check_unit(iommu, &unit) ?: irt;
		if (!why)
			why = check_root(iommu, &unit);
		if (why) {
			frz_incoming_unit_done(&unit, iommu, why);
			break;
		}
		iommu->root_entry = phys_to_virt(unit.rec.root);
		take_page(unit.rec.root);
		for (i = 0; i < unit.rec.nr_contexts; i++) {
			frz_blob_context(unit.blob, &unit.rec, i, &bus, &pa);
			take_page(pa);
		}
		frz_incoming_unit_done(&unit, iommu, NULL);
		pr_info("iommu-freeze: %s: translation stays on\n",
			iommu->name);
		return true;
	}

	/* The mode of the root table can only be changed with translation off. */
	if (sm_supported(iommu))
		return false;
	iommu->root_entry = iommu_alloc_pages_node_sz(iommu->node, GFP_KERNEL,
						      SZ_4K);
	if (!iommu->root_entry)
		return false;
	__iommu_flush_cache(iommu, iommu->root_entry, VTD_PAGE_SIZE);
	pr_warn("iommu-freeze: %s: all DMA blocked until drivers take their devices\n",
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
	struct frz_incoming_unit unit;

	if (frz_incoming_unit(iommu->reg_phys, &unit) != FRZ_UNIT_GOOD)
		return;
	/* Interrupts are remapped all the same. */
	leave_empty_irt(iommu, &unit.rec);
	frz_incoming_unit_done(&unit, iommu,
			       "its IOMMU is not used by this kernel");
}

/**
 * frz_vtd_adopt_device - Let the driver know that a device is translated
 * @pdev: an incoming device
 * @iommu: the adopted unit that translates it
 *
 * Context: Group mutex held, before the first attach.
 * Return: 0, or -ENODEV if the device is not below @iommu or has another id.
 */
int frz_vtd_adopt_device(struct pci_dev *pdev, const struct intel_iommu *iommu)
{
	struct device_domain_info *info;

	if (!is_vtd(&pdev->dev) || !single_rid(pdev))
		return -ENODEV;
	info = dev_iommu_priv_get(&pdev->dev);
	if (info->iommu != iommu ||
	    PCI_DEVID(info->bus, info->devfn) != pci_dev_id(pdev))
		return -ENODEV;
	info->domain_attached = true;
	return 0;
}

/**
 * frz_vtd_is_on - Does hardware use this context entry for a device?
 * @pdev: the device
 * @e: the entry
 *
 * Return: true if so.
 */
bool frz_vtd_is_on(struct pci_dev *pdev, const struct vtd_entry *e)
{
	struct device_domain_info *info = dev_iommu_priv_get(&pdev->dev);
	struct context_entry *context;

	guard(spinlock)(&info->iommu->lock);
	context = iommu_context_addr(info->iommu, info->bus, info->devfn, 0);
	return context && context->lo == e->lo && context->hi == e->hi;
}

/**
 * frz_vtd_has_left - Does hardware no longer use these frozen tables?
 * @iommu: the unit
 * @bus: the device's bus
 * @devfn: its device and function
 * @top: address of the frozen top table
 *
 * Asks the context entry and not our own state, as this decides whether memory
 * may be freed.
 *
 * Return: true if the entry is gone or points elsewhere.
 */
bool frz_vtd_has_left(struct intel_iommu *iommu, u8 bus, u8 devfn, u64 top)
{
	struct context_entry *context;

	guard(spinlock)(&iommu->lock);
	context = iommu_context_addr(iommu, bus, devfn, 0);
	return !context || !context_present(context) ||
	       (context->lo & VTD_PAGE_MASK) != top;
}

/**
 * frz_vtd_block - Block a device that was refused
 * @iommu: its unit, already adopted
 * @bus: the device's bus
 * @devfn: its device and function
 * @did: id of its frozen domain
 */
void frz_vtd_block(struct intel_iommu *iommu, u8 bus, u8 devfn, u32 did)
{
	struct context_entry *context;

	scoped_guard(spinlock, &iommu->lock) {
		context = iommu_context_addr(iommu, bus, devfn, 0);
		if (context)
			clear_entry(iommu, context);
	}
	iommu_flush_write_buffer(iommu);
	iommu->flush.flush_context(iommu, did, PCI_DEVID(bus, devfn),
				   DMA_CCMD_MASK_NOBIT, DMA_CCMD_DEVICE_INVL);
	iommu->flush.flush_iotlb(iommu, did, 0, 0, DMA_TLB_DSI_FLUSH);
}

static void move_info(struct device_domain_info *info, struct dmar_domain *from,
		      struct dmar_domain *to)
{
	if (from) {
		guard(spinlock_irqsave)(&from->lock);
		list_del(&info->link);
	}
	info->domain = to;
	if (to) {
		guard(spinlock_irqsave)(&to->lock);
		list_add(&info->link, &to->devices);
	}
}

/**
 * iommu_freeze_vtd_replace - Attach a paging domain to a translated device
 * @domain: the new domain
 * @dev: the device
 * @old: the domain it is on: another paging domain, or a frozen one
 *
 * The device is never blocked. It sees the old or the new domain for each DMA,
 * and if the attach fails it is on the old one as before.
 *
 * Context: Group mutex held.
 * Return: 0 or an errno; -EOPNOTSUPP if the caller has to go the long way, which
 * never happens for a frozen domain.
 */
int iommu_freeze_vtd_replace(struct iommu_domain *domain, struct device *dev,
			     struct iommu_domain *old)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct dmar_domain *to = to_dmar_domain(domain);
	bool frozen = iommu_domain_is_frozen(old);
	struct intel_iommu *iommu = info->iommu;
	struct dmar_domain *from = info->domain;
	struct pt_iommu_vtdss_hw_info pt_info;
	struct context_entry *context;
	struct vtd_entry cur, new;
	bool done = false;
	u16 did;
	int ret;

	if (!old || sm_supported(iommu) || !system_has_cmpxchg128() ||
	    !info->domain_attached || !dev_is_pci(dev) ||
	    dev_is_real_dma_subdevice(dev) || !single_rid(to_pci_dev(dev)) ||
	    !(from || frozen) || !intel_domain_is_ss_paging(to))
		return frozen ? -EINVAL : -EOPNOTSUPP;

	ret = paging_domain_compatible(domain, dev);
	if (ret)
		return ret;
	ret = iopf_for_domain_replace(domain, old, dev);
	if (ret)
		return ret;
	ret = domain_attach_iommu(to, iommu);
	if (ret)
		goto err_iopf;
	/* An unmap must find the new tag as soon as hardware may use it. */
	ret = cache_tag_assign_domain(to, dev, IOMMU_NO_PASID);
	if (ret)
		goto err_detach;
	move_info(info, from, to);

	pt_iommu_vtdss_hw_info(&to->sspt, &pt_info);
	did = domain_id_iommu(to, iommu);
	scoped_guard(spinlock, &iommu->lock) {
		context = iommu_context_addr(iommu, info->bus, info->devfn, 0);
		if (context) {
			cur.lo = context->lo;
			cur.hi = context->hi;
			new.lo = (cur.lo & ~VTD_PAGE_MASK) | pt_info.ssptptr;
			new.hi = (cur.hi & ~(CONTEXT_DID | CONTEXT_AW)) |
				 FIELD_PREP(CONTEXT_DID, did) |
				 FIELD_PREP(CONTEXT_AW, pt_info.aw);
			done = (cur.lo & CONTEXT_PRESENT) &&
			       swap_entry(iommu, context, &cur, &new);
		}
	}
	if (!done) {
		ret = frozen ? -EIO : -EOPNOTSUPP;
		goto err_unmove;
	}
	flush_ids(info, FIELD_GET(CONTEXT_DID, cur.hi), did);

	if (from) {
		cache_tag_unassign_domain(from, dev, IOMMU_NO_PASID);
		domain_detach_iommu(from, iommu);
	}
	if (frozen)
		frz_incoming_replaced(to_pci_dev(dev));
	return 0;

err_unmove:
	move_info(info, to, from);
	cache_tag_unassign_domain(to, dev, IOMMU_NO_PASID);
err_detach:
	domain_detach_iommu(to, iommu);
err_iopf:
	iopf_for_domain_replace(old, domain, dev);
	return ret;
}
