// SPDX-License-Identifier: GPL-2.0-only
/*
 * What VFIO asks: who may open a device, and whether it may be attached anew.
 *
 * Structure: none of its own. The record of an incoming device notes which file it
 * was retrieved as; only that one may open it. LUO keeps no reference to the file:
 * when its VMM dies it is closed, and the device can be retrieved again.
 *
 * Locking: the device set's lock, which VFIO holds where it asks.
 *
 * Fails: to open a device that must be retrieved; to attach or detach a preserved
 * one.
 */
#include <linux/iommu-freeze.h>
#include <linux/pci.h>
#include <linux/vfio.h>

#include "../../../vfio/vfio.h"
#include "../iommu/incoming.h"
#include "../iommu/log.h"
#include "../iommu/trial.h"
#include "handler.h"
#include "luo.h"

/**
 * vfio_freeze_init - VFIO is there
 */
void vfio_freeze_init(void)
{
	frz_luo_register(&frz_luo_ops);
	frz_trial_register(&frz_luo_trial_ops);
}

/**
 * vfio_freeze_exit - Undo vfio_freeze_init()
 */
void vfio_freeze_exit(void)
{
	frz_trial_unregister();
	frz_luo_unregister();
}

/**
 * vfio_freeze_may_open - May this file open its device?
 * @df: the file
 *
 * Context: Device set lock held.
 * Return: 0, or -EBUSY for a frozen device that was not retrieved as @df.
 */
int vfio_freeze_may_open(struct vfio_device_file *df)
{
	struct pci_dev *pdev;

	if (!dev_is_pci(df->device->dev))
		return 0;
	pdev = to_pci_dev(df->device->dev);
	/* One that is being refused has not been stopped yet. */
	frz_incoming_wait(pdev);
	if (frz_incoming_is_owner(pdev, df))
		return 0;
	frz_warn(pdev, "not opened: it is frozen; retrieve its file from /dev/liveupdate\n");
	return -EBUSY;
}

/**
 * vfio_freeze_closed - A file of a device was closed for good
 * @df: the file
 */
void vfio_freeze_closed(struct vfio_device_file *df)
{
	if (dev_is_pci(df->device->dev))
		frz_incoming_drop_owner(to_pci_dev(df->device->dev), df);
}

/**
 * vfio_freeze_may_change - May a device be attached or detached?
 * @device: the device
 *
 * Context: Device set lock held.
 * Return: 0, or -EBUSY for a preserved device.
 */
int vfio_freeze_may_change(struct vfio_device *device)
{
	lockdep_assert_held(&device->dev_set->lock);
	return dev_is_pci(device->dev) ?
	       iommu_freeze_pci_may_change(to_pci_dev(device->dev)) : 0;
}
