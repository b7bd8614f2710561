// SPDX-License-Identifier: GPL-2.0-only
/*
 * What iommufd asks in the new kernel: compare, then replace.
 *
 * Structure: none of its own.
 *
 * Locking: comes with the igroup lock held, takes domains_rwsem for writing, and
 * the IOMMU core takes the group mutex below that. So the map that was compared
 * is the map that is attached.
 *
 * Fails: when the tables differ; the device stays on its frozen domain.
 */
#include <linux/iommu.h>
#include <linux/iommu-freeze.h>
#include <linux/pci.h>

#include "../../iommufd/io_pagetable.h"
#include "../../iommufd/iommufd_private.h"
#include "../iommu/incoming.h"
#include "../iommu/log.h"

/**
 * iommufd_freeze_device - Is this device on its frozen domain?
 * @idev: the device
 *
 * Return: true if so.
 */
bool iommufd_freeze_device(struct iommufd_device *idev)
{
	return dev_is_pci(idev->dev) &&
	       iommu_freeze_pci_running(to_pci_dev(idev->dev));
}

/**
 * iommufd_freeze_attach - Replace the frozen domain of a device
 * @hwpt: what to attach
 * @idev: the device, for which iommufd_freeze_device() said yes
 * @handle: attach handle
 *
 * Context: igroup lock held.
 * Return: 0; -EUCLEAN if @hwpt does not translate a frozen iova alike; -EINVAL
 * if it is no paging HWPT of this kind of IOMMU; -EIO if tables are bad; or what
 * the attach returned. Every failure has its log line.
 */
int iommufd_freeze_attach(struct iommufd_hw_pagetable *hwpt,
			  struct iommufd_device *idev,
			  struct iommu_attach_handle *handle)
{
	struct pci_dev *pdev = to_pci_dev(idev->dev);
	struct io_pagetable *iopt;
	int rc;

	lockdep_assert_held(&idev->igroup->lock);

	if (!hwpt_is_paging(hwpt)) {
		frz_warn(pdev, "not replaced: attach a paging HWPT or an IOAS first\n");
		return -EINVAL;
	}
	iopt = &to_hwpt_paging(hwpt)->ioas->iopt;

	guard(rwsem_write)(&iopt->domains_rwsem);
	rc = frz_incoming_compare(pdev, hwpt->domain);
	if (rc)
		return rc;
	rc = iommu_attach_group_handle(hwpt->domain, idev->igroup->group,
				       handle);
	if (rc)
		frz_warn(pdev, "not replaced: the attach failed (error %d)\n",
			 rc);
	return rc;
}
