/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: the blob that one kernel hands to the next
 *
 * Structure: a header, then records: all UNITs, then all DOMAINs, then all
 * DEVICEs. Each record is a fixed part, which begins with a struct frz_abi_record,
 * and an array. Locking: none, the blob is written once and then only read. What
 * may fail: reading it; iommu/blob-check.c trusts nothing in here.
 *
 * Rules of this ABI
 * - All fields are little endian and naturally aligned, every struct is a
 *   multiple of 8 bytes. Both kernels are little endian, so records are read in
 *   place. Reserved fields are 0 and are checked to be 0.
 * - Addresses are physical, 4096-byte aligned, not 0 and below 2^52.
 * - A field is never changed or reused. A new one goes behind the fixed part of
 *   its record under the next record version, so that the reader knows from the
 *   version how long the fixed part is; older versions stay readable.
 * - A reader refuses a version newer than its own, and any type, kind, format
 *   or flag that it does not know: what it cannot understand it cannot keep.
 * - The digest is SHA-256 over total_len bytes with the digest field as zeroes.
 *
 * This header needs nothing but <linux/types.h>, in user space too.
 */
#ifndef _LINUX_KHO_ABI_IOMMU_FREEZE_H
#define _LINUX_KHO_ABI_IOMMU_FREEZE_H

#include <linux/types.h>

/* Name of the blob in the KHO tree, and of a device file in a LUO session */
#define FRZ_KHO_NAME		"iommu-freeze"
#define FRZ_LUO_NAME		"iommu-freeze-vfio-pci-v1"

/*
 * ELF note in the image of every kernel that reads a blob, so that it can be told
 * before the kexec: oldest and newest blob version and what is on without a word
 * on the command line, three __le32. More may follow. It lies in .notes, which a
 * bzImage carries in its compressed part.
 */
#define FRZ_NOTE_NAME		"IOMMU-FREEZE"
#define FRZ_NOTE_VERSIONS	1
#define FRZ_NOTE_KHO_ON		0x1	/* Kexec HandOver */
#define FRZ_NOTE_VTD_ON		0x2	/* VT-d */
#define FRZ_NOTE_VTD_SCALABLE	0x4	/* VT-d's scalable mode, if there is one */
#define FRZ_NOTE_SMMUV3_ON	0x8	/* Arm SMMUv3 */

#define FRZ_BLOB_MAGIC		"IOMMUFRZ"	/* 8 bytes, no NUL in the blob */
#define FRZ_BLOB_MAGIC_LEN	8
#define FRZ_DIGEST_LEN		32
#define FRZ_ABI_PAGE		4096

/* A test builds the parser of a later kernel by defining these itself. */
#ifndef FRZ_BLOB_VERSION
#define FRZ_BLOB_VERSION	2
#define FRZ_UNIT_VERSION	2
#define FRZ_DOMAIN_VERSION	2
#define FRZ_DEVICE_VERSION	2
#endif
/* Nothing older was ever released. */
#define FRZ_BLOB_OLDEST		2

/* frz_abi_header.flags */
#define FRZ_BLOB_FROZEN		0x1	/* freeze was reached, devices were flipped */
#define FRZ_BLOB_FLAGS		FRZ_BLOB_FROZEN

/* Bounds; a blob beyond one of them is refused */
#define FRZ_MAX_RECORDS		4096
#define FRZ_MAX_UNITS		1024
#define FRZ_MAX_TABLES		1024	/* per unit */
#define FRZ_MAX_CHUNKS		4096	/* per domain */
/*
 * Pieces of memory that a whole blob may name: tables and chunks together. It
 * bounds what the check that none overlap takes.
 */
#define FRZ_MAX_RANGES		16384
#define FRZ_MAX_BRIDGES		8	/* per device */
#define FRZ_MAX_BLOB_LEN	0x200000

/* frz_abi_record.type */
#define FRZ_RECORD_UNIT		1
#define FRZ_RECORD_DOMAIN	2
#define FRZ_RECORD_DEVICE	3

/* frz_abi_unit.kind: what ids and the index of a table mean, see below */
#define FRZ_UNIT_VTD_LEGACY	1
#define FRZ_UNIT_SMMUV3		2

/* frz_abi_domain.format */
#define FRZ_FORMAT_VTDSS	1	/* Intel VT-d second stage */
#define FRZ_FORMAT_LPAE_S1	2	/* Arm VMSAv8-64 stage 1, 4 KiB granule */
#define FRZ_FORMAT_LPAE_S2	3	/* the same, stage 2, no concatenated top */

/* frz_abi_device.state */
#define FRZ_DEVICE_PRESERVED	1	/* prepared, never flipped to its frozen domain */
#define FRZ_DEVICE_FROZEN	2	/* translated through its frozen domain */

struct frz_abi_header {
	__u8 magic[FRZ_BLOB_MAGIC_LEN];
	__u32 version;
	__u32 header_len;
	__u64 total_len;	/* header and records */
	__u32 nr_records;
	__u32 flags;
	__u64 generation;	/* kexecs in a row that carried something frozen */
	__u64 reserved;
	__u8 digest[FRZ_DIGEST_LEN];
};

struct frz_abi_record {
	__u32 type;
	__u32 version;
	__u64 len;		/* fixed part and array; multiple of 8 */
};

/* Memory of a unit that the hardware reads. */
struct frz_abi_table {
	__u32 index;		/* not used twice in a unit; the kind says what it is */
	__u32 reserved;
	__u64 address;
	__u64 len;		/* multiple of 4096, not 0 */
};

#define FRZ_UNIT_IDS		8

/* One IOMMU. Units are numbered from 0 in the order of their records. */
struct frz_abi_unit {
	struct frz_abi_record record;
	__u32 kind;
	__u32 segment;		/* of its devices */
	__u64 reg_base;		/* of the registers: tells which unit it is */
	__u64 ids[FRZ_UNIT_IDS];	/* what must be found again; those not used are 0 */
	__u32 nr_tables;
	__u32 reserved;
	/* struct frz_abi_table[nr_tables] */
};

/*
 * FRZ_UNIT_VTD_LEGACY: Intel VT-d, legacy mode. ids: CAP_REG, ECAP_REG. Tables of
 * one page each: the root table, a context table for each bus that has a frozen
 * device, by the bus number, and where interrupts were remapped an empty table,
 * without a present entry: they are now remapped by that one, and none comes
 * through until the next kernel has set a table of its own. It must do that without
 * turning remapping off, and may free this one as soon as hardware uses the other.
 */
#define FRZ_VTD_ID_CAP		0
#define FRZ_VTD_ID_ECAP		1
#define FRZ_VTD_TABLE_ROOT	0x100
#define FRZ_VTD_TABLE_IRT	0x101

/*
 * FRZ_UNIT_SMMUV3: Arm SMMUv3. ids: registers; those of 32 bits are zero-extended. What
 * STRTAB_BASE points to follows from the tables. Tables: the linear stream table or the
 * level 1 table, of the size that STRTAB_BASE_CFG tells, rounded up to pages; and, with
 * two levels, the level 2 table of each level 1 entry that has a frozen device, by the
 * index of that entry: 256 stream ids, 16 KiB. Domains of stage 1 have the address of a
 * context descriptor as their head, with nothing but zeroes behind it in its page, and
 * an ASID as their tag; those of stage 2 have no head and a VMID.
 */
#define FRZ_SMMUV3_ID_IDR0		0
#define FRZ_SMMUV3_ID_IDR1		1
#define FRZ_SMMUV3_ID_IDR3		2
#define FRZ_SMMUV3_ID_IDR5		3
#define FRZ_SMMUV3_ID_CR1		4
#define FRZ_SMMUV3_ID_CR2		5
#define FRZ_SMMUV3_ID_STRTAB_BASE_CFG	6
#define FRZ_SMMUV3_ID_IIDR		7
#define FRZ_SMMUV3_TABLE_STRTAB		0x80000000
#define FRZ_SMMUV3_L2_LEN		0x4000

struct frz_stats {
	__u64 tables;		/* the top one too, a page each */
	__u64 leaves;		/* entries that translate */
	__u64 extents;		/* maximal runs */
	__u64 bytes;		/* of iova space that translates */
};

struct frz_abi_chunk {
	__u64 address;
	__u64 len;		/* multiple of 4096, not 0 */
	__u64 used;		/* bytes of tables at its start; multiple of 4096 */
};

/* One frozen domain on one unit. */
struct frz_abi_domain {
	struct frz_abi_record record;
	__u32 id;		/* not used twice in a blob */
	__u32 format;
	__u32 levels;
	__u32 leaf_levels;	/* bit n: leaves of level n may occur; bit 1 is always set */
	__u32 unit;		/* number of its unit */
	__u32 tag;		/* of the unit's caches: 1..65535, one domain each */
	__u64 top;		/* address of the top table, in the used part of a chunk */
	__u64 head;		/* what a descriptor points to, if that is not the top: likewise */
	struct frz_stats stats;
	__u32 nr_chunks;
	__u32 reserved;
	__u8 digest[FRZ_DIGEST_LEN];	/* SHA-256 over the used parts, in this order */
	/* struct frz_abi_chunk[nr_chunks] */
};

/*
 * A bridge above a device: its own place and its bus number registers, which
 * the next kernel must keep. primary is the bus that it is on.
 */
struct frz_abi_bridge {
	__u32 bus;
	__u32 devfn;
	__u32 primary;
	__u32 secondary;
	__u32 subordinate;
	__u32 reserved;
};

/* One PCI function, as it must be found again. */
struct frz_abi_device {
	struct frz_abi_record record;
	__u32 segment;
	__u32 bus;
	__u32 devfn;
	__u32 vendor;
	__u32 device;
	__u32 subsystem_vendor;
	__u32 subsystem_device;
	__u32 class_revision;	/* config dword 08h: class 31:8, revision 7:0 */
	__u32 hdr_type;		/* config byte 0eh; header layout 0 */
	__u32 domain;		/* id of its frozen domain */
	__u32 unit;		/* number of its unit, the same as its domain's */
	__u32 stream;		/* what its DMA carries; not used twice on a unit */
	__u32 state;
	__u32 command;		/* config word 04h */
	__u32 bars[6];		/* config dwords 10h..24h as they are */
	__u32 nr_bridges;
	__u32 reserved;
	/* struct frz_abi_bridge[nr_bridges], from the root port down */
};

#endif /* _LINUX_KHO_ABI_IOMMU_FREEZE_H */
