// SPDX-License-Identifier: GPL-2.0-only
/*
 * VT-d: the attach of a paging domain to a device that is translated already, which
 * is never blocked by it.
 *
 * Structure: none of its own.
 *
 * Locking: the group mutex is held.
 *
 * Fails: before the context entry is touched; the device is on its old domain then.
 */
#include <linux/generic_pt/iommu.h>
#include <linux/iommu-freeze.h>
#include <linux/pci.h>

#include "../../../intel/iommu.h"
#include "../../../intel/pasid.h"
#include "../../../iommu-pages.h"
#include "../incoming.h"
#include "vtd.h"

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

/* From whatever is there to the entry of this domain. */
static int swap_to(struct device_domain_info *info, struct dmar_domain *to)
{
	struct intel_iommu *iommu = info->iommu;
	struct pt_iommu_vtdss_hw_info pt_info;
	struct context_entry *context;
	struct frz_vtd_entry cur, new;

	pt_iommu_vtdss_hw_info(&to->sspt, &pt_info);
	scoped_guard(spinlock, &iommu->lock) {
		context = iommu_context_addr(iommu, info->bus, info->devfn, 0);
		if (!context)
			return -ENOENT;
		cur = frz_vtd_read(context);
	}
	if (!frz_vtd_entry_present(&cur))
		return -ENOENT;
	new = cur;
	frz_vtd_entry_replace(&new, pt_info.ssptptr, domain_id_iommu(to, iommu),
			      agaw_to_level(pt_info.aw));
	return frz_vtd_swap(info, &cur, &new);
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
	int ret;

	if (!old || sm_supported(iommu) || !system_has_cmpxchg128() ||
	    !info->domain_attached || !dev_is_pci(dev) ||
	    dev_is_real_dma_subdevice(dev) ||
	    !frz_vtd_single_rid(to_pci_dev(dev)) ||
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

	ret = swap_to(info, to);
	if (ret) {
		ret = frozen ? -EIO : -EOPNOTSUPP;
		goto err_unmove;
	}
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
