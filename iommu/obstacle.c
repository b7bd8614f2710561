// SPDX-License-Identifier: GPL-2.0-only
/*
 * What keeps a device from being preserved, in words.
 *
 * Structure: constant tables, indexed by enum iommu_freeze_obstacle: one here, and one
 * of each kind of IOMMU for what only that kind can find. No lock, nothing fails. The
 * kernel's log lines and iommu-freeze(8) read the same ones.
 */
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <uapi/linux/iommu-freeze.h>

#include "kind.h"
#include "obstacle.h"

static const struct frz_obstacle obstacles[IOMMU_FREEZE_NR_OBSTACLES] = {
	[IOMMU_FREEZE_OBSTACLE_DRIVER] = {
		.name = "driver",
		.text = "it is not bound to vfio-pci",
		.fix = "bind it",
	},
	[IOMMU_FREEZE_OBSTACLE_HEADER] = {
		.name = "not-endpoint",
		.text = "it is not an endpoint",
	},
	[IOMMU_FREEZE_OBSTACLE_VF] = {
		.name = "vf",
		.text = "it is a virtual function",
		.fix = "pass through a whole device",
	},
	[IOMMU_FREEZE_OBSTACLE_VFS] = {
		.name = "vfs-enabled",
		.text = "its virtual functions are enabled",
		.fix = "write 0 to its sriov_numvfs",
	},
	[IOMMU_FREEZE_OBSTACLE_BRIDGE] = {
		.name = "bridge",
		.text = "it is behind a conventional PCI bridge",
		.fix = "move it below a root port",
	},
	[IOMMU_FREEZE_OBSTACLE_SWITCH] = {
		.name = "switch",
		.text = "it is behind a PCIe switch",
		.fix = "move it below a root port",
	},
	[IOMMU_FREEZE_OBSTACLE_GROUP] = {
		.name = "group",
		.text = "it shares its IOMMU group with another device",
		.fix = "move one of them below a root port of its own",
	},
	[IOMMU_FREEZE_OBSTACLE_UNFINISHED] = {
		.name = "unfinished",
		.text = "the previous live update is not finished",
		.fix = "let its VMM finish the session, or discard the device",
	},
	[IOMMU_FREEZE_OBSTACLE_ATS] = {
		.name = "ats",
		.text = "ATS is enabled",
		.fix = "boot with pci=noats",
	},
	[IOMMU_FREEZE_OBSTACLE_PRI] = {
		.name = "pri",
		.text = "PRI or PASID is enabled",
	},
	[IOMMU_FREEZE_OBSTACLE_ALIAS] = {
		.name = "alias",
		.text = "its DMA carries the requester id of a bridge or of another function",
	},
	[IOMMU_FREEZE_OBSTACLE_RMRR] = {
		.name = "rmrr",
		.text = "firmware needs DMA of another device (RMRR), which the kexec cuts off",
		.fix = "switch off what has an RMRR in the firmware's setup, see reserved_regions",
	},
	[IOMMU_FREEZE_OBSTACLE_CDEV] = {
		.name = "cdev",
		.text = "it was not opened by its cdev",
		.fix = "open /dev/vfio/devices/vfioN, not a group",
	},
	[IOMMU_FREEZE_OBSTACLE_BOUND] = {
		.name = "unbound",
		.text = "it is not bound to an iommufd",
		.fix = "VFIO_DEVICE_BIND_IOMMUFD",
	},
	[IOMMU_FREEZE_OBSTACLE_ATTACHED] = {
		.name = "detached",
		.text = "it is not attached to an IOAS or HWPT",
		.fix = "VFIO_DEVICE_ATTACH_IOMMUFD_PT",
	},
	[IOMMU_FREEZE_OBSTACLE_PASID] = {
		.name = "pasid",
		.text = "a PASID is attached",
		.fix = "detach it",
	},
	[IOMMU_FREEZE_OBSTACLE_NESTED] = {
		.name = "nested",
		.text = "it is attached to a nested HWPT",
		.fix = "attach it to the HWPT or IOAS below",
	},
	[IOMMU_FREEZE_OBSTACLE_FAULTS] = {
		.name = "faults",
		.text = "its HWPT delivers IO page faults",
		.fix = "attach it to one that does not",
	},
	[IOMMU_FREEZE_OBSTACLE_DOMAIN] = {
		.name = "domain",
		.text = "its domain is not a plain paging domain of its own",
		.fix = "attach it to an IOAS or to a HWPT without flags",
	},
	[IOMMU_FREEZE_OBSTACLE_DIRTY] = {
		.name = "dirty-tracking",
		.text = "dirty tracking is on",
		.fix = "stop it",
	},
	[IOMMU_FREEZE_OBSTACLE_POWER] = {
		.name = "power",
		.text = "it is in a low power state",
		.fix = "wake it up",
	},
	[IOMMU_FREEZE_OBSTACLE_INTERRUPTS] = {
		.name = "interrupts",
		.text = "interrupts are enabled",
		.fix = "disable them with VFIO_DEVICE_SET_IRQS",
	},
	[IOMMU_FREEZE_OBSTACLE_NOT_RAM] = {
		.name = "not-ram",
		.text = "not RAM",
		.fix = "unmap device memory (P2P)",
	},
	[IOMMU_FREEZE_OBSTACLE_NOT_MEMFD] = {
		.name = "not-memfd",
		.text = "page not in a memfd",
		.fix = "back guest RAM with memfd_create(), without MFD_HUGETLB",
	},
	[IOMMU_FREEZE_OBSTACLE_PUNCHED] = {
		.name = "punched",
		.text = "page not in a file any more, it was punched out or truncated",
		.fix = "unmap it, or map it anew",
	},
	[IOMMU_FREEZE_OBSTACLE_NOT_PRESERVED] = {
		.name = "not-preserved",
		.text = "page not in a memfd that is preserved",
		.fix = "preserve the memfd before the device and in the same session",
	},
};

static_assert(IOMMU_FREEZE_NR_OBSTACLES <= 64, "each is a bit");
static_assert(IOMMU_FREEZE_NR_OBSTACLES - IOMMU_FREEZE_FIRST_PAGE_OBSTACLE ==
	      IOMMU_FREEZE_NR_PAGE_OBSTACLES, "those of pages come last");

/**
 * frz_obstacles_of_others - What no unit of a kind can have
 * @kind: the kind
 *
 * Return: bits of enum iommu_freeze_obstacle, of those that only other kinds can find.
 */
u64 frz_obstacles_of_others(const struct frz_kind *kind)
{
	u64 others = 0;
	u32 i;

	for (i = 0; i < IOMMU_FREEZE_NR_OBSTACLES; i++)
		if (!obstacles[i].name && !kind->obstacles[i].name)
			others |= BIT_ULL(i);
	return others;
}

/**
 * frz_obstacle - Tell about an obstacle in words
 * @obstacle: enum iommu_freeze_obstacle
 *
 * Return: its entry, of the first kind that has one where it is none of all kinds;
 * NULL for one that this version does not know.
 */
const struct frz_obstacle *frz_obstacle(u32 obstacle)
{
	const struct frz_kind *kind;
	u32 i;

	if (obstacle >= IOMMU_FREEZE_NR_OBSTACLES)
		return NULL;
	if (obstacles[obstacle].name)
		return &obstacles[obstacle];
	for (i = 0; (kind = frz_kind_at(i)); i++)
		if (kind->obstacles[obstacle].name)
			return &kind->obstacles[obstacle];
	return NULL;
}
