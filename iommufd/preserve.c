// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommufd's part in the old kernel: hold the map of a preserved device still.
 *
 * Structure: io_pagetable::preserved counts the preserved devices that rely on
 * the map of an IOAS.
 *
 * Locking: domains_rwsem. Map and unmap hold it for reading from before the first
 * change of a domain until after the last, and read the count under it; so once
 * we have raised it no change is in flight and none can begin.
 *
 * Fails: for an attachment whose tables are not those of an IOAS alone.
 */
#include <linux/iommu.h>

#include "../../iommufd/io_pagetable.h"
#include "../../iommufd/iommufd_private.h"
#include "../iommu/freeze.h"

static int count_device(struct device *dev, void *count)
{
	(*(unsigned int *)count)++;
	return 0;
}

/**
 * iommufd_freeze_preserve - Find a device's live domain and hold its map still
 * @idev: the device, attached; it cannot be detached or replaced meanwhile
 * @live: set to its domain
 * @iopt: set to what iommufd_freeze_unpreserve() takes
 *
 * Context: May sleep, until maps and unmaps in flight are through.
 * Return: NULL, or the reason why it cannot be done.
 */
const char *iommufd_freeze_preserve(struct iommufd_device *idev,
				    struct iommu_domain **live,
				    struct io_pagetable **iopt)
{
	struct iommufd_group *igroup = idev->igroup;
	unsigned long pasid = IOMMU_NO_PASID;
	struct iommu_attach_handle *handle;
	struct iommufd_hw_pagetable *hwpt;
	unsigned int count = 0;

	iommu_group_for_each_dev(igroup->group, &count, count_device);
	if (count != 1)
		return "it shares its IOMMU group with another device";

	guard(mutex)(&igroup->lock);

	if (xa_find_after(&igroup->pasid_attach, &pasid, UINT_MAX, XA_PRESENT))
		return "a PASID is attached; detach it";
	handle = iommu_attach_handle_get(igroup->group, IOMMU_NO_PASID, 0);
	if (IS_ERR(handle))
		return "it is not attached to an IOAS or HWPT";
	if (handle->domain->cookie_type != IOMMU_COOKIE_IOMMUFD)
		return "its domain is not iommufd's";

	hwpt = handle->domain->iommufd_hwpt;
	if (!hwpt_is_paging(hwpt))
		return "it is attached to a nested HWPT";
	if (hwpt->fault)
		return "its HWPT delivers IO page faults";

	*live = hwpt->domain;
	*iopt = &to_hwpt_paging(hwpt)->ioas->iopt;
	scoped_guard(rwsem_write, &(*iopt)->domains_rwsem)
		(*iopt)->preserved++;
	return NULL;
}
EXPORT_SYMBOL_NS_GPL(iommufd_freeze_preserve, "IOMMUFD");

/**
 * iommufd_freeze_unpreserve - Let the map change again
 * @iopt: from iommufd_freeze_preserve()
 */
void iommufd_freeze_unpreserve(struct io_pagetable *iopt)
{
	guard(rwsem_write)(&iopt->domains_rwsem);
	iopt->preserved--;
}
EXPORT_SYMBOL_NS_GPL(iommufd_freeze_unpreserve, "IOMMUFD");
