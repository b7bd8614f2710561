/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: reads and writes the blob of <linux/kho/abi/iommu-freeze.h>
 *
 * blob.c reads, blob-check.c tells whether a blob may be trusted, blob-write.c
 * writes. Pure.
 */
#ifndef _IOMMU_FREEZE_BLOB_H
#define _IOMMU_FREEZE_BLOB_H

#include <crypto/sha2.h>
#include <linux/kho/abi/iommu-freeze.h>
#include <linux/types.h>

/* Why a blob was refused: "offset 0x60: reason (value 0x7)" is a good log line. */
struct frz_blob_error {
	size_t offset;		/* of the field, from the start of the blob */
	u64 value;		/* that was refused, 0 where there is none to tell */
	const char *reason;	/* static */
};

/* An open blob. data must stay as it is while this or a record of it is used. */
struct frz_blob {
	const void *data;
	size_t len;
	u32 flags;
	u64 generation;
	u32 nr_units;
	u32 nr_domains;
	u32 nr_devices;
	size_t units;		/* offset of the first record of each type */
	size_t domains;
	size_t devices;
};

int frz_blob_open(struct frz_blob *b, const void *data, size_t len,
		  struct frz_blob_error *err);

/*
 * The record after this one, of the same type; the first for NULL; NULL: no more.
 *
 *	const struct frz_abi_unit *unit = NULL;
 *
 *	while ((unit = frz_blob_next_unit(b, unit)))
 *		...
 */
const struct frz_abi_unit *
frz_blob_next_unit(const struct frz_blob *b, const struct frz_abi_unit *unit);
const struct frz_abi_domain *
frz_blob_next_domain(const struct frz_blob *b, const struct frz_abi_domain *dom);
const struct frz_abi_device *
frz_blob_next_device(const struct frz_blob *b, const struct frz_abi_device *dev);

const struct frz_abi_unit *frz_blob_unit(const struct frz_blob *b, u32 index);
const struct frz_abi_domain *frz_blob_domain(const struct frz_blob *b, u32 id);

/* The array of a record, wherever its version has it. */
const struct frz_abi_table *frz_unit_tables(const struct frz_abi_unit *unit);
const struct frz_abi_chunk *frz_domain_chunks(const struct frz_abi_domain *dom);
const struct frz_abi_bridge *frz_device_bridges(const struct frz_abi_device *dev);

const struct frz_abi_table *frz_unit_table(const struct frz_abi_unit *unit,
					   u32 index);

/**
 * struct frz_blob_writer - writes a blob into memory of known size
 * @buf: the memory, 8-byte aligned
 * @cap: its size
 * @used: bytes written
 * @nr_records: records written
 * @last_type: of the last record, for the order
 * @devices: offset of the first device, 0 while there is none
 * @error: first error, 0 when none; every later call returns it
 * @err: the reason, when frz_blob_end() returned what frz_blob_open() would
 */
struct frz_blob_writer {
	void *buf;
	size_t cap;
	size_t used;
	u32 nr_records;
	u32 last_type;
	size_t devices;
	int error;
	struct frz_blob_error err;
};

size_t frz_blob_size(u32 type, u32 n);

/*
 * begin, all units, all domains, all devices, end. The writer refuses any other
 * order, as the reader does. Of a record what its struct frz_abi_record says is not
 * looked at, its nr_... is the length of the array. -ENOSPC: does not fit into cap,
 * -EINVAL: order or alignment, -E2BIG: nr_... or the number of records over its
 * bound. Errors stick, so it is enough to look at what frz_blob_end() returns.
 */
int frz_blob_begin(struct frz_blob_writer *w, void *buf, size_t cap);
int frz_blob_add_unit(struct frz_blob_writer *w, const struct frz_abi_unit *unit,
		      const struct frz_abi_table *tables);
int frz_blob_add_domain(struct frz_blob_writer *w,
			const struct frz_abi_domain *dom,
			const struct frz_abi_chunk *chunks);
int frz_blob_add_device(struct frz_blob_writer *w,
			const struct frz_abi_device *dev,
			const struct frz_abi_bridge *bridges);
int frz_blob_unit_number(const struct frz_blob_writer *w, u64 reg_base);
long frz_blob_end(struct frz_blob_writer *w, u32 flags, u64 generation);

/**
 * struct frz_blob_seal - a complete blob that is not sealed yet
 * @data: the blob
 * @len: its length
 * @devices: offset of the device records
 * @sha: a digest that is computed up to there
 */
struct frz_blob_seal {
	void *data;
	size_t len;
	size_t devices;
	struct sha256_ctx sha;
};

/*
 * A blob is made in time and sealed when it is true. seal_begin takes the flag
 * FRZ_BLOB_FROZEN of a complete blob away; until seal_end sets it again each
 * device's record may be brought up to date, all else stays as it is. The cost of
 * seal_end is in proportion to the device records alone; it allocates nothing.
 */
void frz_blob_seal_begin(struct frz_blob_seal *seal,
			 const struct frz_blob_writer *w);
void frz_blob_seal_device(struct frz_blob_seal *seal, size_t at,
			  const struct frz_abi_device *dev,
			  const struct frz_abi_bridge *bridges);
void frz_blob_seal_end(struct frz_blob_seal *seal);

#endif /* _IOMMU_FREEZE_BLOB_H */
