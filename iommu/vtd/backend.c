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
 * Root and context tables are not copied. They are preserved where they lie
 * (outgoing.c) and the next kernel adopts them (incoming.c), as its root pointer must
 * translate as the old one did all the time (section 10.4.5, Root Table Address
 * Register).
 *
 * Locking: context entries are written under intel_iommu::lock. Domain ids are
 * allocated under intel_iommu::did_lock.
 *
 * Fails: nothing that has begun to change a context entry.
 */
#include <linux/generic_pt/iommu.h>
#include <linux/mm.h>
#include <linux/pci.h>

#include "../../../intel/iommu.h"
#include "../../../intel/pasid.h"
#include "../backend.h"
#include "../backends.h"
#include "../findings.h"
#include "../kind.h"
#include "../log.h"
#include "../memory.h"
#include "../walk.h"
#include "vtd.h"

static_assert(sizeof(struct frz_vtd_entry) == sizeof(struct context_entry));
static_assert(sizeof(struct frz_vtd_entry) <= sizeof(struct frz_descriptor));

static struct intel_iommu *to_intel(struct iommu_device *unit)
{
	return container_of(unit, struct intel_iommu, iommu);
}

static struct frz_vtd_entry *entry_of(struct frz_descriptor *d)
{
	return (struct frz_vtd_entry *)d->q;
}

static const struct frz_vtd_entry *const_entry_of(const struct frz_descriptor *d)
{
	return (const struct frz_vtd_entry *)d->q;
}

static void check(struct pci_dev *pdev, struct frz_findings *f)
{
	struct device_domain_info *info = dev_iommu_priv_get(&pdev->dev);
	struct dmar_drhd_unit *drhd;
	struct intel_iommu *iommu;
	bool scalable = false;

	scoped_guard(rwsem_read, &dmar_global_lock)
		for_each_active_iommu(iommu, drhd)
			scalable |= sm_supported(iommu);

	frz_found(f, IOMMU_FREEZE_OBSTACLE_CPU, !system_has_cmpxchg128());
	frz_found(f, IOMMU_FREEZE_OBSTACLE_SCALABLE, scalable);
	frz_found(f, IOMMU_FREEZE_OBSTACLE_ATS, info->ats_enabled);
	frz_found(f, IOMMU_FREEZE_OBSTACLE_PRI,
		  info->pri_enabled || info->pasid_enabled);
	frz_found(f, IOMMU_FREEZE_OBSTACLE_ALIAS, !frz_vtd_single_rid(pdev));
}

static void check_domain(struct iommu_domain *live, struct frz_findings *f)
{
	struct dmar_domain *domain = to_dmar_domain(live);

	if (frz_found(f, IOMMU_FREEZE_OBSTACLE_DOMAIN,
		      !intel_domain_is_ss_paging(domain) ||
		      domain->nested_parent))
		return;
	frz_found(f, IOMMU_FREEZE_OBSTACLE_DIRTY, domain->dirty_tracking);
}

static const __le64 *map_live(void *priv, u64 table)
{
	cond_resched();
	if (!pfn_valid(PHYS_PFN(table)))
		return NULL;
	return phys_to_virt(table);
}

static void tree(struct iommu_domain *live, struct frz_tree *t)
{
	struct dmar_domain *domain = to_dmar_domain(live);
	struct pt_iommu_vtdss_hw_info pt_info;

	pt_iommu_vtdss_hw_info(&domain->sspt, &pt_info);
	t->fmt = &frz_format_vtdss;
	t->top = pt_info.ssptptr;
	t->levels = agaw_to_level(pt_info.aw);
	t->map = map_live;
	t->priv = NULL;
	t->leaves_out = NULL;
}

static u32 get_stream(struct pci_dev *pdev)
{
	return pci_dev_id(pdev);
}

static u64 reg_base(struct iommu_device *unit)
{
	return to_intel(unit)->reg_phys;
}

/* VT-d spec, section 10.4.2, Capability Register, SSLPS. */
static u32 leaf_levels(struct iommu_device *unit)
{
	return BIT(1) | (cap_super_page_val(to_intel(unit)->cap) & 3) << 2;
}

static bool coherent(struct iommu_device *unit)
{
	return ecap_coherent(to_intel(unit)->ecap);
}

static int tag_alloc(struct iommu_device *unit, struct iommu_domain *live)
{
	struct intel_iommu *iommu = to_intel(unit);

	guard(mutex)(&iommu->did_lock);
	return ida_alloc_range(&iommu->domain_ida, IDA_START_DID,
			       iommu->max_domain_id - 1, GFP_KERNEL);
}

static int tag_reserve(struct iommu_device *unit, u32 format, u32 tag)
{
	struct intel_iommu *iommu = to_intel(unit);
	int ret;

	if (tag < IDA_START_DID || tag >= iommu->max_domain_id)
		return -ERANGE;
	guard(mutex)(&iommu->did_lock);
	ret = ida_alloc_range(&iommu->domain_ida, tag, tag, GFP_KERNEL);
	return ret < 0 ? ret : 0;
}

static void tag_free(struct iommu_device *unit, u32 format, u32 tag)
{
	struct intel_iommu *iommu = to_intel(unit);

	guard(mutex)(&iommu->did_lock);
	ida_free(&iommu->domain_ida, tag);
}

static unsigned int nr_units(void)
{
	struct dmar_drhd_unit *drhd;
	unsigned int nr = 0;

	guard(rwsem_read)(&dmar_global_lock);
	for_each_active_drhd_unit(drhd)
		nr++;
	return nr;
}

static int live_descriptor(struct pci_dev *pdev, struct iommu_domain *live,
			   struct frz_descriptor *d)
{
	struct device_domain_info *info = dev_iommu_priv_get(&pdev->dev);
	struct dmar_domain *domain = to_dmar_domain(live);
	struct frz_vtd_entry *e = entry_of(d);
	struct intel_iommu *iommu = info->iommu;
	struct context_entry *context;
	struct frz_tree t;

	memset(d, 0, sizeof(*d));
	tree(live, &t);
	scoped_guard(spinlock, &iommu->lock) {
		context = iommu_context_addr(iommu, info->bus, info->devfn, 0);
		if (context)
			*e = frz_vtd_read(context);
	}
	if (!context || info->domain != domain || !frz_vtd_entry_present(e) ||
	    frz_vtd_entry_top(e) != t.top ||
	    frz_vtd_entry_tag(e) != domain_id_iommu(domain, iommu))
		return -EINVAL;
	return 0;
}

static void frozen_descriptor(struct frz_descriptor *d,
			      const struct frz_memory *mem, u32 tag)
{
	frz_vtd_entry_freeze(entry_of(d), mem->top, tag);
}

static int swap_descriptor(struct pci_dev *pdev, const struct frz_descriptor *from,
			   const struct frz_descriptor *to)
{
	return frz_vtd_swap(dev_iommu_priv_get(&pdev->dev), const_entry_of(from),
			    const_entry_of(to));
}

static bool is_on(struct pci_dev *pdev, const struct frz_descriptor *d)
{
	struct device_domain_info *info = dev_iommu_priv_get(&pdev->dev);
	const struct frz_vtd_entry *e = const_entry_of(d);
	struct context_entry *context;

	guard(spinlock)(&info->iommu->lock);
	context = iommu_context_addr(info->iommu, info->bus, info->devfn, 0);
	return context && context->lo == e->lo && context->hi == e->hi;
}

static int adopt(struct pci_dev *pdev, struct iommu_device *unit, u32 stream)
{
	struct device_domain_info *info = dev_iommu_priv_get(&pdev->dev);

	if (!frz_vtd_single_rid(pdev) || info->iommu != to_intel(unit) ||
	    PCI_DEVID(info->bus, info->devfn) != stream ||
	    pci_dev_id(pdev) != stream)
		return -ENODEV;
	info->domain_attached = true;
	return 0;
}

static bool has_left(struct iommu_device *unit, u32 stream,
		     const struct frz_memory *mem)
{
	struct intel_iommu *iommu = to_intel(unit);
	struct context_entry *context;
	struct frz_vtd_entry e;

	guard(spinlock)(&iommu->lock);
	context = frz_vtd_context(iommu, stream);
	if (!context)
		return true;
	e = frz_vtd_read(context);
	return !frz_vtd_entry_present(&e) || frz_vtd_entry_top(&e) != mem->top;
}

static void block(struct iommu_device *unit, u32 stream, u32 tag)
{
	struct intel_iommu *iommu = to_intel(unit);
	struct context_entry *context;

	scoped_guard(spinlock, &iommu->lock) {
		context = frz_vtd_context(iommu, stream);
		if (context)
			frz_vtd_clear(iommu, context);
	}
	iommu_flush_write_buffer(iommu);
	iommu->flush.flush_context(iommu, tag, stream, DMA_CCMD_MASK_NOBIT,
				   DMA_CCMD_DEVICE_INVL);
	iommu->flush.flush_iotlb(iommu, tag, 0, 0, DMA_TLB_DSI_FLUSH);
}

const struct frz_backend frz_vtd_backend = {
	.kind = &frz_vtd_kind,
	.ops = &intel_iommu_ops,
	.check = check,
	.check_domain = check_domain,
	.tree = tree,
	.stream = get_stream,
	.reg_base = reg_base,
	.leaf_levels = leaf_levels,
	.coherent = coherent,
	.tag_alloc = tag_alloc,
	.tag_reserve = tag_reserve,
	.tag_free = tag_free,
	.nr_units = nr_units,
	.nr_tables = FRZ_VTD_ROOT_ENTRIES + 2,
	.preserve_units = frz_vtd_preserve_units,
	.unpreserve_units = frz_vtd_unpreserve_units,
	.write_units = frz_vtd_write_units,
	.preserve_device = frz_vtd_preserve_device,
	.unpreserve_device = frz_vtd_unpreserve_device,
	.live_descriptor = live_descriptor,
	.frozen_descriptor = frozen_descriptor,
	.swap_descriptor = swap_descriptor,
	.is_on = is_on,
	.adopt = adopt,
	.has_left = has_left,
	.block = block,
	.release_unit = frz_vtd_release_unit,
};
