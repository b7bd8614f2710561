// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI's part: a frozen device keeps bus mastering, its bridges and its driver.
 *
 * Structure: a flag in pci_dev::priv_flags tells that a device was stopped and
 * not reset since; for the rest it asks outgoing.c and incoming.c about a device
 * and reads or writes that device's config space.
 *
 * Locking: none of its own. Bus mastering of a frozen device has one owner at a
 * time: the VMM's config writes, which do not come through here, or us when we
 * stop it. A device is reset under its own lock.
 *
 * Fails: the record of a device that does not answer; and the check of an
 * incoming device that is not what its record says.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

#include "../../../pci/pci.h"
#include "../iommu/freeze.h"

/* Resets that would end the DMA */
#define NO_RESET (PCI_DEV_FLAGS_NO_BUS_RESET | PCI_DEV_FLAGS_NO_FLR_RESET | \
		  PCI_DEV_FLAGS_NO_PM_RESET)

/**
 * frz_pci_look - Can a device of this kind be frozen?
 * @pdev: the device
 * @f: findings, added to
 */
void frz_pci_look(struct pci_dev *pdev, struct frz_findings *f)
{
	bool bridge = false, pcie_switch = false;
	struct pci_dev *up;

	for (up = pci_upstream_bridge(pdev); up; up = pci_upstream_bridge(up)) {
		if (!pci_is_pcie(up) ||
		    pci_pcie_type(up) == PCI_EXP_TYPE_PCI_BRIDGE)
			bridge = true;
		else if (pci_pcie_type(up) != PCI_EXP_TYPE_ROOT_PORT)
			pcie_switch = true;
	}
	frz_look(f, IOMMU_FREEZE_OBSTACLE_HEADER,
		 pdev->hdr_type != PCI_HEADER_TYPE_NORMAL);
	frz_look(f, IOMMU_FREEZE_OBSTACLE_VF, pdev->is_virtfn);
	frz_look(f, IOMMU_FREEZE_OBSTACLE_VFS, pci_num_vf(pdev));
	frz_look(f, IOMMU_FREEZE_OBSTACLE_BRIDGE, bridge);
	frz_look(f, IOMMU_FREEZE_OBSTACLE_SWITCH, pcie_switch);
}

/**
 * frz_pci_removed - Is this device on its way out?
 * @pdev: the device, locked
 *
 * Return: true if so; if not, it stays until it is unlocked.
 */
bool frz_pci_removed(struct pci_dev *pdev)
{
	return test_bit(PCI_DEV_REMOVED, &pdev->priv_flags);
}

/**
 * frz_pci_record - Describe a device as the next kernel must find it
 * @pdev: the device
 * @rec: its record; only what PCI knows is set
 * @bridges: bridges above it, from the root port down, FRZ_MAX_BRIDGES of room;
 *	frz_pci_look() makes sure that there are no more
 *
 * Return: 0, or -EIO if its config space cannot be read.
 */
int frz_pci_record(struct pci_dev *pdev, struct frz_device *rec,
		   struct frz_bridge *bridges)
{
	struct pci_dev *up;
	u32 dword, i, n = 0;
	u16 word;

	rec->segment = pci_domain_nr(pdev->bus);
	rec->bus = pdev->bus->number;
	rec->devfn = pdev->devfn;
	rec->vendor = pdev->vendor;
	rec->device = pdev->device;
	pci_read_config_dword(pdev, PCI_SUBSYSTEM_VENDOR_ID, &dword);
	rec->subsystem_vendor = dword & 0xffff;
	rec->subsystem_device = dword >> 16;
	pci_read_config_dword(pdev, PCI_CLASS_REVISION, &rec->class_revision);
	rec->hdr_type = pdev->hdr_type | (pdev->multifunction ? 0x80 : 0);
	for (i = 0; i < ARRAY_SIZE(rec->bars); i++)
		pci_read_config_dword(pdev, PCI_BASE_ADDRESS_0 + 4 * i,
				      &rec->bars[i]);
	pci_read_config_word(pdev, PCI_COMMAND, &word);
	if (PCI_POSSIBLE_ERROR(word))
		return -EIO;
	rec->command = word;

	for (up = pci_upstream_bridge(pdev); up; up = pci_upstream_bridge(up))
		n++;
	rec->nr_bridges = n;
	for (up = pci_upstream_bridge(pdev); up; up = pci_upstream_bridge(up)) {
		struct frz_bridge *bridge = &bridges[--n];

		pci_read_config_dword(up, PCI_PRIMARY_BUS, &dword);
		bridge->bus = up->bus->number;
		bridge->devfn = up->devfn;
		bridge->primary = dword & 0xff;
		bridge->secondary = dword >> 8 & 0xff;
		bridge->subordinate = dword >> 16 & 0xff;
	}
	return 0;
}

/**
 * frz_pci_changed - Is an incoming device another one, or elsewhere?
 * @pdev: the device
 * @rec: its record
 * @bridges: bridges above it, of the record
 *
 * Return: NULL if it is as it was, else what changed.
 */
const char *frz_pci_changed(struct pci_dev *pdev, const struct frz_device *rec,
			    const struct frz_bridge *bridges)
{
	struct frz_bridge now_bridges[FRZ_MAX_BRIDGES];
	struct frz_device now = {};

	if (frz_pci_record(pdev, &now, now_bridges))
		return "it does not answer";
	if (now.vendor != rec->vendor || now.device != rec->device ||
	    now.subsystem_vendor != rec->subsystem_vendor ||
	    now.subsystem_device != rec->subsystem_device ||
	    now.class_revision != rec->class_revision ||
	    now.hdr_type != rec->hdr_type)
		return "another device is in its place";
	if (memcmp(now.bars, rec->bars, sizeof(now.bars)))
		return "its BARs changed";
	if (now.nr_bridges != rec->nr_bridges ||
	    memcmp(now_bridges, bridges, now.nr_bridges * sizeof(*bridges)))
		return "the bridges above it changed";
	return NULL;
}

static const char *check_incoming(struct pci_dev *pdev,
				  const struct frz_device *rec,
				  const struct frz_bridge *bridges)
{
	struct frz_findings f = {};
	const char *why;
	u16 cmd;

	frz_pci_look(pdev, &f);
	if (f.found)
		return frz_obstacle(__ffs64(f.found))->text;
	why = frz_pci_changed(pdev, rec, bridges);
	if (why)
		return why;
	pci_read_config_word(pdev, PCI_COMMAND, &cmd);
	if ((cmd ^ rec->command) & PCI_COMMAND_MASTER)
		return "bus mastering changed";
	return NULL;
}

/**
 * frz_pci_stop - Clear bus mastering, whatever anybody else says
 * @pdev: the device
 *
 * The read back makes sure that the write has arrived.
 */
void frz_pci_stop(struct pci_dev *pdev)
{
	u16 cmd;

	pci_read_config_word(pdev, PCI_COMMAND, &cmd);
	pci_write_config_word(pdev, PCI_COMMAND, cmd & ~PCI_COMMAND_MASTER);
	pci_read_config_word(pdev, PCI_COMMAND, &cmd);
	pdev->is_busmaster = 0;
	if (pdev->hdr_type == PCI_HEADER_TYPE_NORMAL)
		set_bit(PCI_DEV_FREEZE_STOPPED, &pdev->priv_flags);
}

/*
 * What a device was told to do outlives the loss of bus mastering, and drivers
 * turn that on before they reset a device: it would go on with addresses of its
 * guest, where now its driver's buffers or any memory may be.
 */
static void reset_stopped(struct pci_dev *pdev)
{
	int ret = -ENODEV;

	device_lock_assert(&pdev->dev);
	if (!test_bit(PCI_DEV_FREEZE_STOPPED, &pdev->priv_flags))
		return;
	pm_runtime_get_sync(&pdev->dev);
	/* One that was pulled out would be waited for. */
	if (pci_device_is_present(pdev))
		ret = pci_reset_function_locked(pdev);
	if (!ret)
		clear_bit(PCI_DEV_FREEZE_STOPPED, &pdev->priv_flags);
	else
		frz_warn(pdev, "was stopped, and cannot be reset (error %d): it may go on where it stood when its next driver turns bus mastering on\n",
			 ret);
	pm_runtime_put(&pdev->dev);
}

/*
 * VFIO has it, which has reset it then. Of a group that another function's driver
 * has claimed a device without a driver may be reset.
 */
static bool in_use(struct pci_dev *pdev)
{
	struct iommu_group *group;
	bool used;

	device_lock_assert(&pdev->dev);
	if (!pdev->driver)
		return false;
	group = iommu_group_get(&pdev->dev);
	used = group && iommu_group_dma_owner_claimed(group);
	iommu_group_put(group);
	return used;
}

/* NULL and both locked, or why not. Not waited for: an unbind waits for a user. */
static const char *trylock_slot(struct pci_dev *pdev, struct pci_dev **bridge)
{
	if (!pci_dev_trylock(pdev))
		return "it is locked";
	/* What is not removed by now keeps its bus until it is unlocked. */
	*bridge = pci_upstream_bridge(pdev);
	if (*bridge && !pci_dev_trylock(*bridge)) {
		pci_dev_unlock(pdev);
		return "the bridge above it is locked";
	}
	return NULL;
}

static void unlock_slot(struct pci_dev *pdev, struct pci_dev *bridge)
{
	if (bridge)
		pci_dev_unlock(bridge);
	pci_dev_unlock(pdev);
}

/**
 * frz_pci_reset - Reset a device if it was stopped and nobody has reset it since
 * @pdev: any device
 * @going: it is being removed, by the caller
 *
 * One that is locked or in use is left to its next driver. Who opens it through
 * VFIO meanwhile is told to try again.
 *
 * Context: May sleep, for a minute if the device does not come back; no lock of
 * the device or its group held.
 */
void frz_pci_reset(struct pci_dev *pdev, bool going)
{
	struct pci_dev *bridge;
	const char *why;

	if (!test_bit(PCI_DEV_FREEZE_STOPPED, &pdev->priv_flags))
		return;
	why = trylock_slot(pdev, &bridge);
	if (!why) {
		/* Who removes it comes here as well. */
		if (going || !frz_pci_removed(pdev)) {
			if (in_use(pdev))
				why = "it is in use";
			else
				reset_stopped(pdev);
		}
		unlock_slot(pdev, bridge);
	}
	if (why)
		frz_warn(pdev, "was stopped, and is not reset now: %s\n", why);
}

/**
 * frz_pci_reset_all - The same for every device
 *
 * Context: As for frz_pci_reset().
 */
void frz_pci_reset_all(void)
{
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev)
		frz_pci_reset(pdev, false);
}

/**
 * frz_pci_adopt - Nothing may reset this device any more, nor let it sleep
 * @pdev: an incoming device on its frozen domain; quirks have run
 * @had: set to what frz_pci_left() needs to know
 *
 * PCI keeps off a reset that a device does not have: VFIO, sysfs and a reset of
 * the bus for a neighbour all ask. A device without a driver may be idle for the
 * runtime PM; then the port above it is, too, and would cut it off in D3.
 */
void frz_pci_adopt(struct pci_dev *pdev, struct frz_pci_had *had)
{
	had->flags = pdev->dev_flags & NO_RESET;
	memcpy(had->reset_methods, pdev->reset_methods,
	       sizeof(had->reset_methods));

	pdev->dev_flags |= NO_RESET;
	memset(pdev->reset_methods, 0, sizeof(pdev->reset_methods));
	pm_runtime_get_noresume(&pdev->dev);
}

/**
 * frz_pci_left - A device is an ordinary one again
 * @pdev: an adopted device that was replaced or refused
 * @had: from frz_pci_adopt()
 *
 * Context: Group mutex held or not. So the resets are not probed anew: for a
 * device that has ATS that takes the mutex and attaches it to the blocking domain.
 */
void frz_pci_left(struct pci_dev *pdev, const struct frz_pci_had *had)
{
	pdev->dev_flags = (pdev->dev_flags & ~NO_RESET) | had->flags;
	memcpy(pdev->reset_methods, had->reset_methods,
	       sizeof(pdev->reset_methods));
	pm_runtime_put(&pdev->dev);
}

/**
 * iommu_freeze_pci_setup - A device was found
 * @pdev: the device, identified; nothing was written to it yet
 */
void iommu_freeze_pci_setup(struct pci_dev *pdev)
{
	u16 cmd;

	if (frz_incoming_bad()) {
		/* Any endpoint may be one that was left running. */
		if (pdev->hdr_type != PCI_HEADER_TYPE_NORMAL)
			return;
		pci_read_config_word(pdev, PCI_COMMAND, &cmd);
		if (cmd & PCI_COMMAND_MASTER)
			frz_pci_stop(pdev);
		return;
	}
	if (frz_incoming_seen(pdev, check_incoming))
		pdev->is_busmaster = 1;
}

/**
 * iommu_freeze_pci_add - A device becomes known
 * @pdev: the device, not yet visible to drivers
 */
void iommu_freeze_pci_add(struct pci_dev *pdev)
{
	if (!frz_incoming_added(pdev))
		return;
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
 * Return: 0, or -EBUSY for a frozen device and any driver but vfio-pci.
 */
int iommu_freeze_pci_may_bind(struct pci_dev *pdev,
			      const struct pci_driver *drv)
{
	if (frz_incoming_state(pdev) != FRZ_INCOMING_FROZEN ||
	    !strcmp(drv->name, "vfio-pci")) {
		/* Refused a moment ago it may not be stopped yet. */
		frz_incoming_wait(pdev);
		if (!drv->driver_managed_dma)
			reset_stopped(pdev);
		return 0;
	}
	frz_warn(pdev, "driver %s refused: the device is frozen and running, only vfio-pci may bind it\n",
		 drv->name);
	return -EBUSY;
}

/**
 * iommu_freeze_pci_keep_master - Must bus mastering stay on?
 * @pdev: a device or bridge whose bus mastering somebody wants to clear
 *
 * Context: Any.
 * Return: true if it must.
 */
bool iommu_freeze_pci_keep_master(struct pci_dev *pdev)
{
	return frz_outgoing_frozen_below(pdev) ||
	       frz_incoming_frozen_below(pdev);
}
EXPORT_SYMBOL_GPL(iommu_freeze_pci_keep_master);

/**
 * iommu_freeze_pci_running - Does this device come frozen from the last kernel?
 * @pdev: the device
 *
 * Context: Any.
 * Return: true until its domain is replaced.
 */
bool iommu_freeze_pci_running(struct pci_dev *pdev)
{
	return frz_incoming_state(pdev) == FRZ_INCOMING_FROZEN;
}
EXPORT_SYMBOL_GPL(iommu_freeze_pci_running);

/**
 * iommu_freeze_pci_may_change - May attachment or interrupts of a device change?
 * @pdev: the device
 *
 * Context: Any; under the lock that guards what is to change, as a preserve that
 * begins looks at it under the same.
 * Return: 0, or -EBUSY for a preserved device.
 */
int iommu_freeze_pci_may_change(struct pci_dev *pdev)
{
	return frz_outgoing_preserved(pdev) ? -EBUSY : 0;
}
EXPORT_SYMBOL_GPL(iommu_freeze_pci_may_change);

/**
 * iommu_freeze_pci_may_stop - May a device be reset, or put to sleep?
 * @pdev: the device
 *
 * Context: As for iommu_freeze_pci_may_change().
 * Return: 0, or -EBUSY for a device that is preserved, or runs on its frozen
 * domain.
 */
int iommu_freeze_pci_may_stop(struct pci_dev *pdev)
{
	return frz_outgoing_preserved(pdev) || iommu_freeze_pci_running(pdev) ?
	       -EBUSY : 0;
}
EXPORT_SYMBOL_GPL(iommu_freeze_pci_may_stop);

/**
 * iommu_freeze_pci_saved - VFIO saved the state that it restores at close
 * @pdev: the device, its state in pci_dev::saved_config_space
 * @reset: it has just been reset
 *
 * VFIO saves before bus mastering is on; a running device has it on already.
 */
void iommu_freeze_pci_saved(struct pci_dev *pdev, bool reset)
{
	if (reset)
		clear_bit(PCI_DEV_FREEZE_STOPPED, &pdev->priv_flags);
	if (iommu_freeze_pci_running(pdev))
		pdev->saved_config_space[PCI_COMMAND / 4] &= ~PCI_COMMAND_MASTER;
}
EXPORT_SYMBOL_GPL(iommu_freeze_pci_saved);

static void ignore(struct pci_dev *pdev, u8 *byte, u8 bits, const char *what)
{
	if (!(*byte & bits))
		return;
	*byte &= ~bits;
	pr_info_ratelimited("iommu-freeze: %s: %s by a write to its config space is ignored: it must run on\n",
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

	if (!frozen && !frz_outgoing_preserved(pdev))
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
