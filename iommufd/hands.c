// SPDX-License-Identifier: GPL-2.0-only
/*
 * What VFIO's part asks of iommufd in the old kernel: hold the map of a preserved
 * device still.
 *
 * Structure: io_pagetable::preserved counts the preserved devices that rely on
 * the map of an IOAS. Each has a reference to its HWPT, and so to the IOAS. A
 * trial holds the lock itself instead, for a moment.
 *
 * Locking: domains_rwsem. Map and unmap hold it for reading from before the first
 * change of a domain until after the last, and read the count under it; so once
 * we have raised it no change is in flight and none can begin.
 *
 * Fails: for an attachment whose tables are not those of an IOAS alone.
 */
#include <linux/export.h>
#include <linux/iommu.h>

#include "../../iommufd/io_pagetable.h"
#include "../../iommufd/iommufd_private.h"
#include "../iommu/findings.h"
#include "hands.h"

static struct io_pagetable *to_iopt(struct iommufd_hw_pagetable *hwpt)
{
	return &to_hwpt_paging(hwpt)->ioas->iopt;
}

/**
 * iommufd_freeze_check - Find what a device is attached to
 * @idev: the device; it cannot be attached, detached or replaced meanwhile
 * @f: findings, added to
 *
 * Context: May sleep.
 * Return: the HWPT, good as long as the device is attached to it; NULL if there
 * is none that could be frozen.
 */
struct iommufd_hw_pagetable *iommufd_freeze_check(struct iommufd_device *idev,
						  struct frz_findings *f)
{
	struct iommufd_group *igroup = idev->igroup;
	unsigned long pasid = IOMMU_NO_PASID;
	struct iommu_attach_handle *handle;
	struct iommufd_hw_pagetable *hwpt;

	guard(mutex)(&igroup->lock);

	frz_found(f, IOMMU_FREEZE_OBSTACLE_PASID,
		  xa_find_after(&igroup->pasid_attach, &pasid, UINT_MAX,
				XA_PRESENT));
	handle = iommu_attach_handle_get(igroup->group, IOMMU_NO_PASID, 0);
	if (frz_found(f, IOMMU_FREEZE_OBSTACLE_ATTACHED, IS_ERR(handle)))
		return NULL;
	if (handle->domain->cookie_type != IOMMU_COOKIE_IOMMUFD) {
		frz_found(f, IOMMU_FREEZE_OBSTACLE_DOMAIN, true);
		return NULL;
	}

	hwpt = handle->domain->iommufd_hwpt;
	if (frz_found(f, IOMMU_FREEZE_OBSTACLE_NESTED, !hwpt_is_paging(hwpt)))
		return NULL;
	frz_found(f, IOMMU_FREEZE_OBSTACLE_FAULTS, hwpt->fault);
	return hwpt;
}
EXPORT_SYMBOL_NS_GPL(iommufd_freeze_check, "IOMMUFD");

/**
 * iommufd_freeze_domain - The domain of a HWPT
 * @hwpt: from iommufd_freeze_check()
 *
 * Return: the domain.
 */
struct iommu_domain *iommufd_freeze_domain(struct iommufd_hw_pagetable *hwpt)
{
	return hwpt->domain;
}
EXPORT_SYMBOL_NS_GPL(iommufd_freeze_domain, "IOMMUFD");

/**
 * iommufd_freeze_device_memory - Is memory of a device mapped (P2P)?
 * @hwpt: from iommufd_freeze_check(), preserved or held
 * @pages: set to the first of it and to how much it is
 *
 * Its exporter may revoke it at any time, by an unmap that does not wait for us:
 * with it in the map nobody may walk the tables.
 *
 * Context: May sleep.
 * Return: true if so.
 */
bool iommufd_freeze_device_memory(struct iommufd_hw_pagetable *hwpt,
				  struct iommu_freeze_pages *pages)
{
	struct io_pagetable *iopt = to_iopt(hwpt);
	struct iopt_area *area;
	bool found = false;

	guard(rwsem_read)(&iopt->iova_rwsem);
	for (area = iopt_area_iter_first(iopt, 0, ULONG_MAX); area;
	     area = iopt_area_iter_next(area, 0, ULONG_MAX)) {
		/* No pages: the area is being unmapped, or is not mapped yet. */
		if (!area->pages || !iopt_is_dmabuf(area->pages))
			continue;
		if (!found) {
			pages->iova = iopt_area_iova(area);
			pages->bytes = 0;
		}
		pages->bytes += iopt_area_length(area);
		found = true;
	}
	return found;
}
EXPORT_SYMBOL_NS_GPL(iommufd_freeze_device_memory, "IOMMUFD");

/**
 * iommufd_freeze_preserve - From now on map and unmap fail
 * @hwpt: from iommufd_freeze_check(); it stays, whatever becomes of the device
 *
 * Context: May sleep, until maps and unmaps in flight are through. The device is
 * still attached.
 */
void iommufd_freeze_preserve(struct iommufd_hw_pagetable *hwpt)
{
	refcount_inc(&hwpt->obj.users);
	guard(rwsem_write)(&to_iopt(hwpt)->domains_rwsem);
	to_iopt(hwpt)->preserved++;
}
EXPORT_SYMBOL_NS_GPL(iommufd_freeze_preserve, "IOMMUFD");

/**
 * iommufd_freeze_unpreserve - Let the map change again
 * @idev: the device
 * @hwpt: as for iommufd_freeze_preserve(); may be gone afterwards
 *
 * Context: May sleep.
 */
void iommufd_freeze_unpreserve(struct iommufd_device *idev,
			       struct iommufd_hw_pagetable *hwpt)
{
	scoped_guard(rwsem_write, &to_iopt(hwpt)->domains_rwsem)
		to_iopt(hwpt)->preserved--;
	iommufd_hw_pagetable_put(idev->ictx, hwpt);
}
EXPORT_SYMBOL_NS_GPL(iommufd_freeze_unpreserve, "IOMMUFD");

/**
 * iommufd_freeze_hold - From now on map and unmap wait
 * @hwpt: from iommufd_freeze_check()
 *
 * For a trial: the guest that maps something meanwhile must not see an error.
 *
 * Context: May sleep. Until iommufd_freeze_unhold(), by the same thread.
 */
void iommufd_freeze_hold(struct iommufd_hw_pagetable *hwpt)
{
	down_write(&to_iopt(hwpt)->domains_rwsem);
}
EXPORT_SYMBOL_NS_GPL(iommufd_freeze_hold, "IOMMUFD");

/**
 * iommufd_freeze_unhold - Undo iommufd_freeze_hold()
 * @hwpt: from iommufd_freeze_check()
 */
void iommufd_freeze_unhold(struct iommufd_hw_pagetable *hwpt)
{
	up_write(&to_iopt(hwpt)->domains_rwsem);
}
EXPORT_SYMBOL_NS_GPL(iommufd_freeze_unhold, "IOMMUFD");
