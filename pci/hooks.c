// SPDX-License-Identifier: GPL-2.0-only
/*
 * What PCI, and VFIO for PCI, ask: a frozen device keeps bus mastering, its bridges
 * and its driver.
 *
 * Structure: none of its own. Most questions are answered by a word of struct
 * pci_dev, in <linux/iommu-freeze.h>; here are the ones that take more, and the
 * places where a device is met for the first time.
 *
 * Locking: none of its own. Bus mastering of a frozen device has one owner at a
 * time: the VMM's config writes, which do not come through here, or the core when
 * it stops the device.
 *
 * What resets a device, or the link to it, and what becomes of that while it must
 * run on or stay as it is: resets of a function (VFIO, sysfs, a guest's FLR), of a
 * slot or bus (VFIO, reset_subordinate, drivers of neighbours) and of a link by AER
 * are refused by PCI. DPC takes down the link in hardware, and pciehp finds out
 * when a link is down: the device is removed then, and refused. What a VM does to
 * its device without config space nobody sees.
 *
 * Fails: a bind by a driver that would stop the device; suspend.
 */
#include <linux/bitops.h>
#include <linux/device.h>
#include <linux/export.h>
#include <linux/iommu-freeze.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

#include "../iommu/import.h"
#include "../iommu/incoming.h"
#include "../iommu/log.h"
#include "hands.h"

/**
 * iommu_freeze_pci_keep_config - Must bus numbers and windows stay as they are?
 *
 * Below a bridge there may be a device that runs.
 *
 * Context: A host bridge is being set up.
 * Return: true if anything came from the previous kernel, good or bad.
 */
bool iommu_freeze_pci_keep_config(void)
{
	return frz_import_any();
}
EXPORT_SYMBOL_GPL(iommu_freeze_pci_keep_config);

/**
 * iommu_freeze_pci_setup - A device was found
 * @pdev: the device, identified; nothing was written to it yet
 */
void iommu_freeze_pci_setup(struct pci_dev *pdev)
{
	u16 cmd;

	if (!frz_import_bad()) {
		if (frz_incoming_seen(pdev, frz_pci_check_incoming))
			frz_pci_run_on(pdev);
		return;
	}
	/* Any endpoint may be one that was left running. */
	if (pdev->hdr_type != PCI_HEADER_TYPE_NORMAL)
		return;
	pci_read_config_word(pdev, PCI_COMMAND, &cmd);
	if (cmd & PCI_COMMAND_MASTER)
		frz_pci_stop(pdev);
}

/**
 * iommu_freeze_pci_add - A device becomes known
 * @pdev: the device, not yet visible to drivers
 *
 * A device without a driver may be idle for the runtime PM; then the port above it
 * is, too, and would cut it off in D3.
 */
void iommu_freeze_pci_add(struct pci_dev *pdev)
{
	if (!frz_incoming_added(pdev))
		return;
	/* Until frz_pci_left() */
	pm_runtime_get_noresume(&pdev->dev);
	if (device_set_driver_override(&pdev->dev, "vfio-pci"))
		frz_warn(pdev, "no memory for its driver override; bind it to vfio-pci by hand\n");
}

/**
 * iommu_freeze_pci_may_bind - May this driver have this device?
 * @pdev: the device
 * @drv: the driver
 *
 * A device that was stopped is reset for its driver, but for VFIO, which does so
 * when the device is opened.
 *
 * Context: May sleep; device locked.
 * Return: 0, or -EBUSY for a frozen device and a driver that would stop it.
 */
int iommu_freeze_pci_may_bind(struct pci_dev *pdev,
			      const struct pci_driver *drv)
{
	/* Refused a moment ago it may not be stopped yet. */
	frz_incoming_wait(pdev);
	if (iommu_freeze_pci_running(pdev) && !drv->driver_keeps_dma) {
		frz_warn(pdev, "driver %s refused: the device is frozen and running, only vfio-pci may bind it\n",
			 drv->name);
		return -EBUSY;
	}
	if (!drv->driver_managed_dma)
		frz_pci_reset_stopped(pdev);
	return 0;
}

/**
 * iommu_freeze_pci_may_suspend - May this device be put to sleep with the system?
 * @pdev: the device
 *
 * Context: System suspend, hibernation or kexec jump; user space is frozen and no
 * device was suspended yet.
 * Return: true if so, else false after one log line.
 */
bool iommu_freeze_pci_may_suspend(struct pci_dev *pdev)
{
	if (iommu_freeze_pci_may_change(pdev)) {
		frz_warn(pdev, "suspend refused: it is preserved for the next kernel; close its LUO session\n");
		return false;
	}
	if (iommu_freeze_pci_running(pdev)) {
		frz_warn(pdev, "suspend refused: it is still frozen since the last kexec; have its VMM attach it, or give it up with 'iommu-freeze discard'\n");
		return false;
	}
	return true;
}

/**
 * iommu_freeze_pci_saved - VFIO saved the state that it restores at close
 * @pdev: the device, its state in pci_dev::saved_config_space
 * @reset: it has just been reset, or did not need to be
 *
 * VFIO saves before bus mastering is on; a running device has it on already.
 */
void iommu_freeze_pci_saved(struct pci_dev *pdev, bool reset)
{
	if (reset)
		clear_bit(PCI_FREEZE_STOPPED, &pdev->freeze_flags);
	if (iommu_freeze_pci_running(pdev))
		pdev->saved_config_space[PCI_COMMAND / 4] &= ~PCI_COMMAND_MASTER;
}
EXPORT_SYMBOL_GPL(iommu_freeze_pci_saved);

static void ignore(struct pci_dev *pdev, u8 *byte, u8 bits, const char *what)
{
	if (!(*byte & bits))
		return;
	*byte &= ~bits;
	pr_info_ratelimited("%s: %s by a write to its config space is ignored: it must run on\n",
			    pci_name(pdev), what);
}

/**
 * iommu_freeze_pci_write - Take out of a write what would stop a running device
 * @pdev: the device
 * @cap: the capability that is written to, in the first 256 bytes
 * @offset: in it, from its own first byte
 * @bytes: what is written, changed
 * @count: bytes, 1, 2 or 4
 *
 * A function level reset (PCIe spec, section 6.6.2) is the user's to ask for until
 * the device is preserved, its power state until it is frozen.
 */
void iommu_freeze_pci_write(struct pci_dev *pdev, u8 cap, int offset, u8 *bytes,
			    unsigned int count)
{
	bool frozen = iommu_freeze_pci_keep_master(pdev);
	unsigned int i;

	if (!iommu_freeze_pci_may_stop(pdev))
		return;
	for (i = 0; i < count; i++, offset++) {
		if (cap == PCI_CAP_ID_EXP && offset == PCI_EXP_DEVCTL + 1)
			ignore(pdev, &bytes[i], PCI_EXP_DEVCTL_BCR_FLR >> 8,
			       "a reset");
		if (cap == PCI_CAP_ID_AF && offset == PCI_AF_CTRL)
			ignore(pdev, &bytes[i], PCI_AF_CTRL_FLR, "a reset");
		if (cap == PCI_CAP_ID_PM && offset == PCI_PM_CTRL && frozen)
			ignore(pdev, &bytes[i], PCI_PM_CTRL_STATE_MASK,
			       "a power state");
	}
}
EXPORT_SYMBOL_GPL(iommu_freeze_pci_write);
