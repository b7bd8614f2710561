// SPDX-License-Identifier: GPL-2.0-only
/*
 * What keeps a device from being preserved, in words.
 *
 * Structure: a constant table, indexed by enum iommu_freeze_obstacle. No lock,
 * nothing fails. The kernel's log lines and iommu-freeze(8) read the same one.
 */
#include <uapi/linux/iommu-freeze.h>

#include "frz.h"

#define OBSTACLE(bit, ...) [IOMMU_FREEZE_OBSTACLE_##bit] = { __VA_ARGS__ }

static const struct frz_obstacle obstacles[] = {
	OBSTACLE(DRIVER, "driver", "it is not bound to vfio-pci",
		 "bind it"),
	OBSTACLE(HEADER, "not-endpoint", "it is not an endpoint", NULL),
	OBSTACLE(VF, "vf", "it is a virtual function",
		 "pass through a whole device"),
	OBSTACLE(VFS, "vfs-enabled", "its virtual functions are enabled",
		 "write 0 to its sriov_numvfs"),
	OBSTACLE(BRIDGE, "bridge", "it is behind a conventional PCI bridge",
		 "move it below a root port"),
	OBSTACLE(SWITCH, "switch", "it is behind a PCIe switch",
		 "move it below a root port"),
	OBSTACLE(GROUP, "group", "it shares its IOMMU group with another device",
		 "move one of them below a root port of its own"),
	OBSTACLE(UNFINISHED, "unfinished",
		 "the previous live update is not finished",
		 "let its VMM finish the session, or discard the device"),
	OBSTACLE(IOMMU, "iommu", "its IOMMU is not VT-d",
		 "boot with intel_iommu=on"),
	OBSTACLE(CPU, "cpu",
		 "this CPU cannot swap 16 bytes at once (no cmpxchg16b)", NULL),
	OBSTACLE(SCALABLE, "scalable", "VT-d is in scalable mode",
		 "boot with intel_iommu=on,sm_off"),
	OBSTACLE(ATS, "ats", "ATS is enabled", "boot with pci=noats"),
	OBSTACLE(PRI, "pri", "PRI or PASID is enabled", NULL),
	OBSTACLE(ALIAS, "alias",
		 "its DMA carries the requester id of a bridge or of another function",
		 NULL),
	OBSTACLE(CDEV, "cdev", "it was not opened by its cdev",
		 "open /dev/vfio/devices/vfioN, not a group"),
	OBSTACLE(BOUND, "unbound", "it is not bound to an iommufd",
		 "VFIO_DEVICE_BIND_IOMMUFD"),
	OBSTACLE(ATTACHED, "detached", "it is not attached to an IOAS or HWPT",
		 "VFIO_DEVICE_ATTACH_IOMMUFD_PT"),
	OBSTACLE(PASID, "pasid", "a PASID is attached", "detach it"),
	OBSTACLE(NESTED, "nested", "it is attached to a nested HWPT",
		 "attach it to the HWPT or IOAS below"),
	OBSTACLE(FAULTS, "faults", "its HWPT delivers IO page faults",
		 "attach it to one that does not"),
	OBSTACLE(DOMAIN, "domain",
		 "its domain is not a second-stage paging domain of its own",
		 "attach it to an IOAS or to a HWPT without flags"),
	OBSTACLE(DIRTY, "dirty-tracking", "dirty tracking is on", "stop it"),
	OBSTACLE(POWER, "power", "it is in a low power state", "wake it up"),
	OBSTACLE(INTERRUPTS, "interrupts", "interrupts are enabled",
		 "disable them with VFIO_DEVICE_SET_IRQS"),
	OBSTACLE(NOT_RAM, "not-ram", "not RAM",
		 "unmap device memory (P2P)"),
	OBSTACLE(NOT_MEMFD, "not-memfd", "page not in a memfd",
		 "back guest RAM with memfd_create(), without MFD_HUGETLB"),
	OBSTACLE(PUNCHED, "punched", "page not in a file any more, it was punched out or truncated",
		 "unmap it, or map it anew"),
	OBSTACLE(NOT_PRESERVED, "not-preserved", "page not in a memfd that is preserved",
		 "preserve the memfd before the device and in the same session"),
};

static_assert(ARRAY_SIZE(obstacles) == IOMMU_FREEZE_NR_OBSTACLES);
static_assert(IOMMU_FREEZE_NR_OBSTACLES <= 64);
static_assert(IOMMU_FREEZE_NR_OBSTACLES - IOMMU_FREEZE_FIRST_PAGE_OBSTACLE ==
	      IOMMU_FREEZE_NR_PAGE_OBSTACLES);

/**
 * frz_obstacle - Tell about an obstacle in words
 * @obstacle: enum iommu_freeze_obstacle
 *
 * Return: its entry, NULL for one that this version does not know.
 */
const struct frz_obstacle *frz_obstacle(u32 obstacle)
{
	return obstacle < ARRAY_SIZE(obstacles) ? &obstacles[obstacle] : NULL;
}
