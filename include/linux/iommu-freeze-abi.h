/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: the blob that one kernel hands to the next
 *
 * Structure: a header, then records: all UNITs, then all DOMAINs, then all
 * DEVICEs. Each record is a struct frz_abi_record, a fixed part and an array.
 * Locking: none, the blob is written once and then only read. What may fail:
 * reading it; iommu/blob.c is the only reader and trusts nothing in here.
 *
 * Rules of this ABI
 * - All fields are little endian and naturally aligned, every struct is a
 *   multiple of 8 bytes. Reserved fields are 0 and are checked to be 0.
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
#ifndef _LINUX_IOMMU_FREEZE_ABI_H
#define _LINUX_IOMMU_FREEZE_ABI_H

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

#define FRZ_BLOB_MAGIC		"IOMMUFRZ"	/* 8 bytes, no NUL in the blob */
#define FRZ_BLOB_MAGIC_LEN	8
#define FRZ_DIGEST_LEN		32
#define FRZ_ABI_PAGE		4096

/* A test builds the parser of a later kernel by defining these itself. */
#ifndef FRZ_BLOB_VERSION
#define FRZ_BLOB_VERSION	2	/* 2: units of version 2 */
#define FRZ_UNIT_VERSION	2	/* 2: irt */
#define FRZ_DOMAIN_VERSION	1
#define FRZ_DEVICE_VERSION	1
#endif

/* frz_abi_header.flags */
#define FRZ_BLOB_FROZEN		0x1	/* freeze was reached, devices were flipped */
#define FRZ_BLOB_FLAGS		FRZ_BLOB_FROZEN

/* Bounds; a blob beyond one of them is refused */
#define FRZ_MAX_RECORDS		4096
#define FRZ_MAX_UNITS		1024
#define FRZ_MAX_CONTEXTS	256	/* per unit, one per bus */
#define FRZ_MAX_CHUNKS		4096	/* per domain */
/*
 * Pieces of memory that a whole blob may name: root tables, context tables and
 * chunks together. It bounds what the check that none overlap takes.
 */
#define FRZ_MAX_RANGES		16384
#define FRZ_MAX_BRIDGES		8	/* per device */
#define FRZ_MAX_BLOB_LEN	0x200000

/* frz_abi_record.type */
#define FRZ_RECORD_UNIT		1
#define FRZ_RECORD_DOMAIN	2
#define FRZ_RECORD_DEVICE	3

/* frz_abi_unit.kind */
#define FRZ_UNIT_VTD_LEGACY	1	/* Intel VT-d, legacy mode: root and context tables */

/* frz_abi_domain.format */
#define FRZ_FORMAT_VTDSS	1	/* Intel VT-d second stage */

/* frz_abi_device.state */
#define FRZ_DEVICE_PRESERVED	1	/* prepared, never flipped to its frozen domain */
#define FRZ_DEVICE_FROZEN	2	/* translated through its frozen domain */

struct frz_abi_header {
	__u8 magic[FRZ_BLOB_MAGIC_LEN];
	__le32 version;
	__le32 header_len;
	__le64 total_len;	/* header and records */
	__le32 nr_records;
	__le32 flags;
	__le64 generation;	/* kexecs in a row that carried something frozen */
	__le64 reserved;
	__u8 digest[FRZ_DIGEST_LEN];
};

struct frz_abi_record {
	__le32 type;
	__le32 version;
	__le64 len;		/* this struct, fixed part and array; multiple of 8 */
};

struct frz_abi_context {
	__le32 bus;
	__le32 reserved;
	__le64 address;		/* of the context table, 4096 bytes */
};

/* One IOMMU. Units are numbered from 0 in the order of their records. */
struct frz_abi_unit {
	struct frz_abi_record record;
	__le32 kind;
	__le32 segment;
	__le64 reg_base;	/* of the registers: tells which unit it is */
	__le64 cap;
	__le64 ecap;
	__le64 root;		/* address of the root table, 4096 bytes */
	__le32 nr_contexts;
	__le32 reserved;
	/* From version 2 on */
	__le64 irt;		/* address of an empty table, see below, or 0 */
	/* struct frz_abi_context[nr_contexts], each bus at most once */
};

/*
 * irt: where interrupts were remapped they are now remapped by this table, 4096
 * bytes without a present entry: none comes through until the next kernel has set
 * a table of its own. It must do that without turning remapping off, and may free
 * this one as soon as hardware uses the other.
 */

struct frz_abi_chunk {
	__le64 address;
	__le64 len;		/* multiple of 4096, not 0 */
	__le64 used;		/* bytes of tables at its start; multiple of 4096 */
};

/* One frozen domain on one unit. */
struct frz_abi_domain {
	struct frz_abi_record record;
	__le32 id;		/* not used twice in a blob */
	__le32 format;
	__le32 levels;
	__le32 leaf_levels;	/* bit n: leaves of level n may occur; bit 1 is always set */
	__le32 unit;		/* number of its unit */
	__le32 did;		/* id that tags the unit's caches: 1..65535, one domain each */
	__le64 top;		/* address of the top table, in the used part of a chunk */
	__le64 tables;		/* statistics of the frozen tables, see struct frz_stats */
	__le64 leaves;
	__le64 extents;
	__le64 bytes;
	__le32 nr_chunks;
	__le32 reserved;
	__u8 digest[FRZ_DIGEST_LEN];	/* SHA-256 over the used parts, in this order */
	/* struct frz_abi_chunk[nr_chunks] */
};

/*
 * A bridge above a device: its own place and its bus number registers, which
 * the next kernel must keep. primary is the bus that it is on.
 */
struct frz_abi_bridge {
	__le32 bus;
	__le32 devfn;
	__le32 primary;
	__le32 secondary;
	__le32 subordinate;
	__le32 reserved;
};

/* One PCI function, as it must be found again. */
struct frz_abi_device {
	struct frz_abi_record record;
	__le32 segment;
	__le32 bus;
	__le32 devfn;
	__le32 vendor;
	__le32 device;
	__le32 subsystem_vendor;
	__le32 subsystem_device;
	__le32 class_revision;	/* config dword 08h: class 31:8, revision 7:0 */
	__le32 hdr_type;	/* config byte 0eh; header layout 0 */
	__le32 domain;		/* id of its frozen domain */
	__le32 unit;		/* number of its unit, the same as its domain's */
	__le32 state;
	__le32 bars[6];		/* config dwords 10h..24h as they are */
	__le32 command;		/* config word 04h */
	__le32 nr_bridges;
	/* struct frz_abi_bridge[nr_bridges], from the root port down */
};

#endif /* _LINUX_IOMMU_FREEZE_ABI_H */
