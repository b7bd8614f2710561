// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the core asks of PCI: to describe a device, to stop and reset it, and to let
 * everybody know what must not be done to it.
 *
 * Structure: the words of struct pci_dev that <linux/iommu-freeze.h> reads. Each
 * state of a function is a bit of freeze_flags. freeze_dma and freeze_held count,
 * in the function and in each bridge above it, the functions that must go on with
 * DMA (frozen or running) and those that must not be stopped (held or running), so
 * that a bridge answers for all that is below it. A function is gone before the
 * bridges above it are: it leaves the counts that it has entered.
 *
 * Locking: none of its own; outgoing.c and incoming.c decide who changes a state,
 * and when. What makes a bit as good as a list under a lock is the lock of whoever
 * asks. A preserve sets HELD first, then takes each lock under which the use of a
 * device is changed, and looks. Whoever changes it asks under the same lock. If he
 * had the lock first, preserve sees what he did. If preserve had it first, it set
 * HELD before it released the lock that he has acquired since: he sees the bit. In
 * the same way a freeze holds the device's lock, and VFIO's memory_lock, when it
 * sets FROZEN. RUNNING is set before anybody can refer to the device, and cleared
 * once, by a release: who reads it with acquire and finds it clear also finds that
 * the device counts no more, is on another domain, or has been STOPPED.
 *
 * A device is reset under its own lock.
 *
 * Fails: the record of a device that does not answer; and the check of an
 * incoming device that is not what its record says.
 */
#include <linux/bitops.h>
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/iommu-freeze.h>
#include <linux/kho/abi/iommu-freeze.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/string.h>

#include "../../../pci/pci.h"
#include "../iommu/findings.h"
#include "../iommu/log.h"
#include "../iommu/obstacle.h"
#include "hands.h"

/**
 * frz_pci_check - Can a device of this kind be frozen?
 * @pdev: the device
 * @f: findings, added to
 */
void frz_pci_check(struct pci_dev *pdev, struct frz_findings *f)
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
	frz_found(f, IOMMU_FREEZE_OBSTACLE_HEADER,
		  pdev->hdr_type != PCI_HEADER_TYPE_NORMAL);
	frz_found(f, IOMMU_FREEZE_OBSTACLE_VF, pdev->is_virtfn);
	frz_found(f, IOMMU_FREEZE_OBSTACLE_VFS, pci_num_vf(pdev));
	frz_found(f, IOMMU_FREEZE_OBSTACLE_BRIDGE, bridge);
	frz_found(f, IOMMU_FREEZE_OBSTACLE_SWITCH, pcie_switch);
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

static u32 record_bridges(struct pci_dev *pdev, struct frz_abi_bridge *bridges)
{
	struct pci_dev *up;
	u32 dword, i, n = 0;

	for (up = pci_upstream_bridge(pdev); up; up = pci_upstream_bridge(up))
		n++;
	i = n;
	for (up = pci_upstream_bridge(pdev); up; up = pci_upstream_bridge(up)) {
		pci_read_config_dword(up, PCI_PRIMARY_BUS, &dword);
		bridges[--i] = (struct frz_abi_bridge){
			.bus = up->bus->number,
			.devfn = up->devfn,
			.primary = dword & 0xff,
			.secondary = dword >> 8 & 0xff,
			.subordinate = dword >> 16 & 0xff,
		};
	}
	return n;
}

/**
 * frz_pci_record - Describe a device as the next kernel must find it
 * @pdev: the device
 * @rec: its record; only what PCI knows is set
 * @bridges: bridges above it, from the root port down, FRZ_MAX_BRIDGES of room;
 *	frz_pci_check() makes sure that there are no more
 *
 * Return: 0, or -EIO if its config space cannot be read.
 */
int frz_pci_record(struct pci_dev *pdev, struct frz_abi_device *rec,
		   struct frz_abi_bridge *bridges)
{
	u32 dword, i;
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
	rec->nr_bridges = record_bridges(pdev, bridges);
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
const char *frz_pci_changed(struct pci_dev *pdev,
			    const struct frz_abi_device *rec,
			    const struct frz_abi_bridge *bridges)
{
	struct frz_abi_bridge now_bridges[FRZ_MAX_BRIDGES];
	struct frz_abi_device now = {};

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

/**
 * frz_pci_check_incoming - Is this the incoming device that a record describes?
 * @pdev: the device, found and not written to
 * @rec: its record
 * @bridges: bridges above it, of the record
 *
 * Return: NULL if it is and may run on, else the reason why not.
 */
const char *frz_pci_check_incoming(struct pci_dev *pdev,
				   const struct frz_abi_device *rec,
				   const struct frz_abi_bridge *bridges)
{
	struct frz_findings f = {};
	const char *why;
	u16 cmd;

	frz_pci_check(pdev, &f);
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

static void count_dma(struct pci_dev *pdev, int n)
{
	for (; pdev; pdev = pci_upstream_bridge(pdev))
		atomic_add(n, &pdev->freeze_dma);
}

static void count_held(struct pci_dev *pdev, int n)
{
	for (; pdev; pdev = pci_upstream_bridge(pdev))
		atomic_add(n, &pdev->freeze_held);
}

/**
 * frz_pci_hold - From now on a device is used as it is used now
 * @pdev: the device
 *
 * Context: Any. Before anything is looked at that must not change.
 * Return: true, or false if it is held already.
 */
bool frz_pci_hold(struct pci_dev *pdev)
{
	if (test_and_set_bit(PCI_FREEZE_HELD, &pdev->freeze_flags))
		return false;
	count_held(pdev, 1);
	return true;
}

/**
 * frz_pci_unhold - Undo frz_pci_hold()
 * @pdev: the device
 *
 * Context: Any.
 */
void frz_pci_unhold(struct pci_dev *pdev)
{
	if (test_and_clear_bit(PCI_FREEZE_HELD, &pdev->freeze_flags))
		count_held(pdev, -1);
}

/**
 * frz_pci_freeze - A held device is on its frozen domain
 * @pdev: the device, locked
 *
 * It and the bridges above it keep bus mastering.
 *
 * Context: Any. Once hardware is on the frozen domain, in the same lock.
 */
void frz_pci_freeze(struct pci_dev *pdev)
{
	if (!test_and_set_bit(PCI_FREEZE_FROZEN, &pdev->freeze_flags))
		count_dma(pdev, 1);
}

/**
 * frz_pci_unfreeze - Undo frz_pci_freeze()
 * @pdev: the device
 *
 * Context: Any. Once hardware is off the frozen domain.
 */
void frz_pci_unfreeze(struct pci_dev *pdev)
{
	if (test_and_clear_bit(PCI_FREEZE_FROZEN, &pdev->freeze_flags))
		count_dma(pdev, -1);
}

/**
 * frz_pci_run_on - A device that was found comes frozen from the last kernel
 * @pdev: the device; nobody else can refer to it yet
 *
 * From here on nobody may reset it or put it to sleep, nor clear bus mastering of
 * it and of the bridges above it.
 *
 * Context: Any; enumeration, before anything was written to it.
 */
void frz_pci_run_on(struct pci_dev *pdev)
{
	count_held(pdev, 1);
	count_dma(pdev, 1);
	set_bit(PCI_FREEZE_RUNNING, &pdev->freeze_flags);
	pdev->is_busmaster = 1;
}

/**
 * frz_pci_left - A device is an ordinary one again
 * @pdev: a running device that was replaced, or refused and stopped
 *
 * Once for each frz_pci_run_on() of a device that was added.
 *
 * Context: Any; group mutex held or not.
 */
void frz_pci_left(struct pci_dev *pdev)
{
	count_dma(pdev, -1);
	count_held(pdev, -1);
	clear_bit_unlock(PCI_FREEZE_RUNNING, &pdev->freeze_flags);
	/* Taken when it was added, see iommu_freeze_pci_add() */
	pm_runtime_put(&pdev->dev);
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
		set_bit(PCI_FREEZE_STOPPED, &pdev->freeze_flags);
}

/**
 * frz_pci_reset_stopped - Reset a device if it was stopped and nobody has since
 * @pdev: any device, locked
 *
 * What a device was told to do outlives the loss of bus mastering, and drivers
 * turn that on before they reset a device: it would go on with addresses of its
 * guest, where now its driver's buffers or any memory may be.
 *
 * Context: May sleep, for a minute if the device does not come back.
 */
void frz_pci_reset_stopped(struct pci_dev *pdev)
{
	int ret = -ENODEV;

	device_lock_assert(&pdev->dev);
	if (!iommu_freeze_pci_stopped(pdev))
		return;
	pm_runtime_get_sync(&pdev->dev);
	/* One that was pulled out would be waited for. */
	if (pci_device_is_present(pdev))
		ret = pci_reset_function_locked(pdev);
	if (!ret)
		clear_bit(PCI_FREEZE_STOPPED, &pdev->freeze_flags);
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
 * frz_pci_reset - The same, without waiting for the device or its user
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

	if (!iommu_freeze_pci_stopped(pdev))
		return;
	why = trylock_slot(pdev, &bridge);
	if (!why) {
		/* Who removes it comes here as well. */
		if (going || !frz_pci_removed(pdev)) {
			if (in_use(pdev))
				why = "it is in use";
			else
				frz_pci_reset_stopped(pdev);
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
