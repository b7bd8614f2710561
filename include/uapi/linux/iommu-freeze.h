/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * /dev/iommu-freeze: see, check and discard frozen IOMMU domains.
 *
 * Every ioctl takes a pointer to a struct that begins with its size and with
 * flags, which must be 0. The kernel takes a shorter struct of an older user
 * and a longer one of a newer user, whose tail it does not know must be 0. On
 * return it has filled what both know. Fields that are not input are ignored
 * on the way in.
 *
 * A device is named by its PCI segment and by devid, bus << 8 | devfn. Direction
 * tells a device that this kernel hands to the next one from one that the
 * previous kernel handed to this one.
 *
 * Errors of all of them: -ENOTTY unknown ioctl; -EINVAL size too small or a field
 * is wrong; -E2BIG unknown tail is not 0; -EOPNOTSUPP unknown flag; -EPERM not
 * privileged, or addresses are hidden by lockdown; -EFAULT; -ENOENT no such
 * device in that direction.
 */
#ifndef _UAPI_LINUX_IOMMU_FREEZE_H
#define _UAPI_LINUX_IOMMU_FREEZE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IOMMU_FREEZE_IOCTL_TYPE		0xB9

#define IOMMU_FREEZE_DIGEST_LEN		32
#define IOMMU_FREEZE_WHY_LEN		96

enum iommu_freeze_direction {
	IOMMU_FREEZE_OUTGOING = 1,	/* to the next kernel */
	IOMMU_FREEZE_INCOMING = 2,	/* from the previous kernel */
};

enum iommu_freeze_state {
	IOMMU_FREEZE_PRESERVED = 1,	/* outgoing: prepared, on its live domain */
	IOMMU_FREEZE_FROZEN = 2,	/* on its frozen domain */
	IOMMU_FREEZE_REPLACED = 3,	/* incoming: on a live domain, not finished */
	IOMMU_FREEZE_REFUSED = 4,	/* incoming: blocked, see why */
	IOMMU_FREEZE_DISCARDED = 5,	/* incoming: blocked and released by DISCARD */
};

/**
 * struct iommu_freeze_info - IOMMU_FREEZE_GET_INFO
 * @size: sizeof(struct iommu_freeze_info)
 * @flags: 0
 * @status: IOMMU_FREEZE_STATUS_...
 * @blob_version: newest handover that this kernel writes and reads
 * @nr_outgoing: devices that LIST tells, outgoing
 * @nr_incoming: devices that LIST tells, incoming
 * @generation: kexecs in a row that carried a frozen device; 0 if none did
 * @scratch: bytes of KHO scratch, where the next kernel is put and starts
 * @scratch_largest: bytes of its largest area
 */
struct iommu_freeze_info {
	__u32 size;
	__u32 flags;
	__u32 status;
	__u32 blob_version;
	__u32 nr_outgoing;
	__u32 nr_incoming;
	__aligned_u64 generation;
	__aligned_u64 scratch;
	__aligned_u64 scratch_largest;
};

#define IOMMU_FREEZE_STATUS_KHO		0x1	/* Kexec HandOver is on */
#define IOMMU_FREEZE_STATUS_LIVEUPDATE	0x2	/* LUO is on */
#define IOMMU_FREEZE_STATUS_BAD		0x4	/* a handover came that cannot be read */
#define IOMMU_FREEZE_STATUS_LOADED	0x8	/* a kernel is loaded for kexec */
#define IOMMU_FREEZE_STATUS_NO_HANDOVER	0x10	/* and was loaded by kexec_load(): no freeze */

#define IOMMU_FREEZE_GET_INFO	_IO(IOMMU_FREEZE_IOCTL_TYPE, 0)

/**
 * struct iommu_freeze_device - IOMMU_FREEZE_LIST
 * @size: sizeof(struct iommu_freeze_device)
 * @flags: 0
 * @direction: input; enum iommu_freeze_direction
 * @index: input; from 0 until -ENOENT
 * @segment: PCI segment
 * @devid: bus << 8 | devfn
 * @state: enum iommu_freeze_state
 * @format: table format, FRZ_FORMAT_... of the handover
 * @levels: levels of the frozen tables
 * @did: domain id of the frozen domain on its unit
 * @reg_base: physical address of its IOMMU unit's registers; 0 under lockdown
 * @tables: tables, of 4096 bytes each
 * @leaves: entries that translate
 * @extents: contiguous runs
 * @mapped: bytes of iova space that translate
 * @memory: bytes that are kept for the tables
 * @preserve_us: how long the preserve took; outgoing
 * @freeze_us: how long the freeze took; outgoing, once frozen
 * @compare_us: how long the last comparison took; incoming, once replaced
 * @replace_us: how long the replace took; incoming, once replaced
 * @digest: SHA-256 of the frozen tables
 * @why: refused devices: the reason, for people, NUL terminated
 */
struct iommu_freeze_device {
	__u32 size;
	__u32 flags;
	__u32 direction;
	__u32 index;
	__u32 segment;
	__u32 devid;
	__u32 state;
	__u32 format;
	__u32 levels;
	__u32 did;
	__aligned_u64 reg_base;
	__aligned_u64 tables;
	__aligned_u64 leaves;
	__aligned_u64 extents;
	__aligned_u64 mapped;
	__aligned_u64 memory;
	__u32 preserve_us;
	__u32 freeze_us;
	__u32 compare_us;
	__u32 replace_us;
	__u8 digest[IOMMU_FREEZE_DIGEST_LEN];
	__u8 why[IOMMU_FREEZE_WHY_LEN];
};

#define IOMMU_FREEZE_LIST	_IO(IOMMU_FREEZE_IOCTL_TYPE, 1)

struct iommu_freeze_extent {
	__aligned_u64 iova;
	__aligned_u64 pa;
	__aligned_u64 len;
	__u32 prot;		/* FRZ_READ 1, FRZ_WRITE 2, FRZ_SNOOP 4, FRZ_MMIO 8 */
	__u32 reserved;
};

/**
 * struct iommu_freeze_extents - IOMMU_FREEZE_EXTENTS
 * @size: sizeof(struct iommu_freeze_extents)
 * @flags: 0
 * @direction: input
 * @segment: input
 * @devid: input
 * @nr: input: room in @extents; output: how many were stored
 * @start: input: extents from this iova on; one that begins below it is told
 *	from there
 * @total: output: extents in all, wherever @start is
 * @extents: input: pointer to an array of struct iommu_freeze_extent
 *
 * Read from the frozen tables as they are in memory. Not under lockdown.
 * -EIO if they cannot be read, -ENOMEM.
 */
struct iommu_freeze_extents {
	__u32 size;
	__u32 flags;
	__u32 direction;
	__u32 segment;
	__u32 devid;
	__u32 nr;
	__aligned_u64 start;
	__aligned_u64 total;
	__aligned_u64 extents;
};

#define IOMMU_FREEZE_EXTENTS	_IO(IOMMU_FREEZE_IOCTL_TYPE, 2)

enum iommu_freeze_result {
	IOMMU_FREEZE_SAME = 0,
	/* What hardware uses now translates @iova otherwise than the frozen tables. */
	IOMMU_FREEZE_DIFFERS = 1,
	/* The frozen tables are not those that the digest was made of. */
	IOMMU_FREEZE_DIGEST_DIFFERS = 2,
	/* The frozen tables cannot be walked: a bad entry or address at @iova. */
	IOMMU_FREEZE_UNREADABLE = 3,
	/* Hardware is neither on the frozen tables nor on the domain it should be on. */
	IOMMU_FREEZE_ELSEWHERE = 4,
};

/**
 * struct iommu_freeze_verify - IOMMU_FREEZE_VERIFY
 * @size: sizeof(struct iommu_freeze_verify)
 * @flags: 0
 * @direction: input
 * @segment: input
 * @devid: input
 * @result: enum iommu_freeze_result, the first that applies of 4, 3, 1, 2
 * @iova: first iova that differs or cannot be read, for results 1 and 3
 * @leaves: leaves that were compared
 * @us: how long it took
 * @frozen_prot: what was frozen for @iova, 0 for nothing; result 1
 * @now_prot: what hardware uses now, 0 for not mapped; result 1
 * @reserved: 0
 * @frozen_pa: physical addresses to it; 0 under lockdown
 * @now_pa: likewise
 * @digest: SHA-256 of the frozen tables as they are in memory now
 * @expected: the digest they were sealed with
 */
struct iommu_freeze_verify {
	__u32 size;
	__u32 flags;
	__u32 direction;
	__u32 segment;
	__u32 devid;
	__u32 result;
	__aligned_u64 iova;
	__aligned_u64 leaves;
	__u32 us;
	__u32 frozen_prot;
	__u32 now_prot;
	__u32 reserved;
	__aligned_u64 frozen_pa;
	__aligned_u64 now_pa;
	__u8 digest[IOMMU_FREEZE_DIGEST_LEN];
	__u8 expected[IOMMU_FREEZE_DIGEST_LEN];
};

#define IOMMU_FREEZE_VERIFY	_IO(IOMMU_FREEZE_IOCTL_TYPE, 3)

/**
 * struct iommu_freeze_discard - IOMMU_FREEZE_DISCARD
 * @size: sizeof(struct iommu_freeze_discard)
 * @flags: 0
 * @segment: input
 * @devid: input
 *
 * For an incoming device that nobody will claim: bus mastering off, context
 * entry cleared, memory of the frozen tables released. The device is reset before
 * a driver has it, and before the next kexec. -EBUSY while somebody has the file of
 * the device open, and once it was replaced. -EIO when the IOMMU still uses the
 * tables, which are kept then.
 */
struct iommu_freeze_discard {
	__u32 size;
	__u32 flags;
	__u32 segment;
	__u32 devid;
};

#define IOMMU_FREEZE_DISCARD	_IO(IOMMU_FREEZE_IOCTL_TYPE, 4)

/*
 * What keeps a device from being preserved, bit numbers of @looked and @found of
 * IOMMU_FREEZE_TRIAL. The kernel and iommu-freeze(8) tell each in the words of
 * drivers/iommu/freeze/iommu/obstacle.c. The first one that is found is what a
 * refused preserve says in the kernel log.
 */
enum iommu_freeze_obstacle {
	/* the device */
	IOMMU_FREEZE_OBSTACLE_DRIVER = 0,	/* not bound to vfio-pci */
	IOMMU_FREEZE_OBSTACLE_HEADER,		/* not an endpoint */
	IOMMU_FREEZE_OBSTACLE_VF,		/* a virtual function */
	IOMMU_FREEZE_OBSTACLE_VFS,		/* its virtual functions are on */
	IOMMU_FREEZE_OBSTACLE_BRIDGE,		/* behind a conventional bridge */
	IOMMU_FREEZE_OBSTACLE_SWITCH,		/* behind a PCIe switch */
	IOMMU_FREEZE_OBSTACLE_GROUP,		/* shares its IOMMU group */
	IOMMU_FREEZE_OBSTACLE_UNFINISHED,	/* last live update not finished */
	IOMMU_FREEZE_OBSTACLE_IOMMU,		/* no IOMMU, or of another kind */
	IOMMU_FREEZE_OBSTACLE_CPU,		/* no cmpxchg16b */
	IOMMU_FREEZE_OBSTACLE_SCALABLE,		/* VT-d in scalable mode */
	IOMMU_FREEZE_OBSTACLE_COHERENCY,	/* SMMU does not snoop CPU caches */
	IOMMU_FREEZE_OBSTACLE_EXTENSION,	/* SMMU with a vendor's extension */
	IOMMU_FREEZE_OBSTACLE_STREAM_TABLE,	/* SMMU's, where it cannot be kept */
	IOMMU_FREEZE_OBSTACLE_STALL,		/* its faults may stall */
	IOMMU_FREEZE_OBSTACLE_HOST_BRIDGE,	/* its driver trains links anew */
	IOMMU_FREEZE_OBSTACLE_ATS,		/* ATS enabled */
	IOMMU_FREEZE_OBSTACLE_PRI,		/* PRI or PASID enabled */
	IOMMU_FREEZE_OBSTACLE_ALIAS,		/* not its own requester id */
	IOMMU_FREEZE_OBSTACLE_RMRR,		/* another device has an RMRR or RMR */
	/* how it is used */
	IOMMU_FREEZE_OBSTACLE_CDEV,		/* not opened by its cdev */
	IOMMU_FREEZE_OBSTACLE_BOUND,		/* not bound to an iommufd */
	IOMMU_FREEZE_OBSTACLE_ATTACHED,		/* not attached to a HWPT */
	IOMMU_FREEZE_OBSTACLE_PASID,		/* a PASID is attached */
	IOMMU_FREEZE_OBSTACLE_NESTED,		/* nested HWPT */
	IOMMU_FREEZE_OBSTACLE_FAULTS,		/* HWPT delivers page faults */
	IOMMU_FREEZE_OBSTACLE_DOMAIN,		/* not a plain paging domain */
	IOMMU_FREEZE_OBSTACLE_GRANULE,		/* tables not of 4 KiB pages */
	IOMMU_FREEZE_OBSTACLE_STAGE_2,		/* no hitless swap of stage 2 */
	IOMMU_FREEZE_OBSTACLE_DIRTY,		/* dirty tracking is on */
	IOMMU_FREEZE_OBSTACLE_POWER,		/* low power state */
	IOMMU_FREEZE_OBSTACLE_INTERRUPTS,	/* interrupts are enabled */
	/* its map; these say at which iova, see struct iommu_freeze_pages */
	IOMMU_FREEZE_OBSTACLE_NOT_RAM,		/* device memory (P2P) */
	IOMMU_FREEZE_OBSTACLE_NOT_MEMFD,	/* not in a memfd */
	IOMMU_FREEZE_OBSTACLE_PUNCHED,		/* no file has the page any more */
	IOMMU_FREEZE_OBSTACLE_NOT_PRESERVED,	/* memfd not preserved (yet) */
	IOMMU_FREEZE_NR_OBSTACLES
};

#define IOMMU_FREEZE_FIRST_PAGE_OBSTACLE	IOMMU_FREEZE_OBSTACLE_NOT_RAM
#define IOMMU_FREEZE_NR_PAGE_OBSTACLES		4

/**
 * struct iommu_freeze_pages - mapped pages that share an obstacle
 * @iova: the first of them
 * @bytes: how much it is
 */
struct iommu_freeze_pages {
	__aligned_u64 iova;
	__aligned_u64 bytes;
};

enum iommu_freeze_use {
	IOMMU_FREEZE_IDLE = 0,		/* nobody has it open through VFIO */
	IOMMU_FREEZE_IN_USE = 1,
	IOMMU_FREEZE_IS_PRESERVED = 2,	/* in use, and preserved already */
};

/**
 * struct iommu_freeze_trial - IOMMU_FREEZE_TRIAL
 * @size: sizeof(struct iommu_freeze_trial)
 * @flags: 0
 * @segment: input
 * @devid: input
 * @use: enum iommu_freeze_use
 * @serialised: 1 if frozen tables were made; what follows @found is 0 otherwise,
 *	but for @result 3 and @iova when the live tables could not be read
 * @looked: obstacles that were looked for, 1 << enum iommu_freeze_obstacle
 * @found: obstacles that were found
 * @format: table format, FRZ_FORMAT_... of the handover
 * @levels: levels of the tables
 * @tables: frozen tables, of 4096 bytes each
 * @leaves: entries of theirs that translate
 * @extents: contiguous runs
 * @mapped: bytes of iova space that translate
 * @memory: bytes that the frozen tables took
 * @serialise_us: how long that took
 * @compare_us: how long it took to compare them with the live ones
 * @result: enum iommu_freeze_result of that
 * @reserved: 0
 * @iova: first iova that differs, results 1 and 3
 * @pages: for each obstacle of pages, from NOT_RAM on, where it was found
 *
 * Does for any PCI device what a preserve would do, up to the point where something
 * would be handed over, and drops it. The device stays on its live domain; maps and
 * unmaps of its IOAS wait as long as @serialise_us and @compare_us say. -ENOENT if
 * there is no such device; -ENOMEM if there is no memory for the tables.
 */
struct iommu_freeze_trial {
	__u32 size;
	__u32 flags;
	__u32 segment;
	__u32 devid;
	__u32 use;
	__u32 serialised;
	__aligned_u64 looked;
	__aligned_u64 found;
	__u32 format;
	__u32 levels;
	__aligned_u64 tables;
	__aligned_u64 leaves;
	__aligned_u64 extents;
	__aligned_u64 mapped;
	__aligned_u64 memory;
	__u32 serialise_us;
	__u32 compare_us;
	__u32 result;
	__u32 reserved;
	__aligned_u64 iova;
	struct iommu_freeze_pages pages[IOMMU_FREEZE_NR_PAGE_OBSTACLES];
};

#define IOMMU_FREEZE_TRIAL	_IO(IOMMU_FREEZE_IOCTL_TYPE, 5)

#endif /* _UAPI_LINUX_IOMMU_FREEZE_H */
