// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: writes the blob of <linux/kho/abi/iommu-freeze.h>
 *
 * Structure: records are copied one behind the other into memory of the caller, whose
 * header is made last; the result is opened, so that the rules stand in one place. A
 * blob can be written long before it is true: it says that nothing is frozen until it
 * is sealed, which costs one pass over the device records. Locking: none, the caller
 * keeps the memory to itself. What may fail: no room, or a blob that opening would
 * refuse; sealing does not.
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include "blob-private.h"

/**
 * frz_blob_size - Room that a record takes
 * @type: FRZ_RECORD_...
 * @n: tables, chunks or bridges in it
 *
 * A blob is a struct frz_abi_header and its records.
 *
 * Return: bytes.
 */
size_t frz_blob_size(u32 type, u32 n)
{
	const struct frz_record_type *t = &frz_record_types[type];

	return t->fixed_len + (size_t)n * t->element_len;
}

/**
 * frz_blob_begin - Begin to write a blob
 * @w: writer
 * @buf: memory for it, 8-byte aligned
 * @cap: size of it
 *
 * Return: 0, -EINVAL (alignment), -ENOSPC.
 */
int frz_blob_begin(struct frz_blob_writer *w, void *buf, size_t cap)
{
	memset(w, 0, sizeof(*w));
	w->buf = buf;
	w->cap = cap;
	if (!IS_ALIGNED((uintptr_t)buf, sizeof(u64))) {
		w->error = -EINVAL;
	} else if (cap < sizeof(struct frz_abi_header)) {
		w->error = -ENOSPC;
	} else {
		memset(buf, 0, sizeof(struct frz_abi_header));
		w->used = sizeof(struct frz_abi_header);
	}
	return w->error;
}

static int fail(struct frz_blob_writer *w, int error)
{
	w->error = error;
	return error;
}

/* A record whose fixed part is at rec and whose array is at elements. */
static int add(struct frz_blob_writer *w, u32 type, const struct frz_abi_record *rec,
	       const void *elements)
{
	const struct frz_record_type *t = &frz_record_types[type];
	u32 n = *frz_record_count(t, rec);
	size_t len = frz_blob_size(type, n);
	struct frz_abi_record *r;

	if (w->error)
		return w->error;
	if (type < w->last_type)
		return fail(w, -EINVAL);
	if (n > t->max || w->nr_records == FRZ_MAX_RECORDS)
		return fail(w, -E2BIG);
	if (len > w->cap - w->used)
		return fail(w, -ENOSPC);
	r = w->buf + w->used;
	memcpy(r, rec, t->fixed_len);
	r->type = type;
	r->version = t->version;
	r->len = len;
	if (n)
		memcpy((void *)r + t->fixed_len, elements, len - t->fixed_len);
	w->used += len;
	w->last_type = type;
	w->nr_records++;
	return 0;
}

/**
 * frz_blob_add_unit - Add an IOMMU unit
 * @w: writer
 * @unit: unit; its number is that of the units before it
 * @tables: its tables
 *
 * Return: 0, -EINVAL (a domain or device was added before), -E2BIG, -ENOSPC.
 */
int frz_blob_add_unit(struct frz_blob_writer *w, const struct frz_abi_unit *unit,
		      const struct frz_abi_table *tables)
{
	return add(w, FRZ_RECORD_UNIT, &unit->record, tables);
}

/**
 * frz_blob_add_domain - Add a frozen domain
 * @w: writer
 * @dom: domain
 * @chunks: memory of its tables
 *
 * Return: 0, -EINVAL (a device was added before), -E2BIG, -ENOSPC.
 */
int frz_blob_add_domain(struct frz_blob_writer *w, const struct frz_abi_domain *dom,
			const struct frz_abi_chunk *chunks)
{
	return add(w, FRZ_RECORD_DOMAIN, &dom->record, chunks);
}

/**
 * frz_blob_add_device - Add a device
 * @w: writer
 * @dev: device
 * @bridges: bridges above it, from the root port down
 *
 * Return: 0, -E2BIG, -ENOSPC.
 */
int frz_blob_add_device(struct frz_blob_writer *w, const struct frz_abi_device *dev,
			const struct frz_abi_bridge *bridges)
{
	size_t at = w->used;
	int ret = add(w, FRZ_RECORD_DEVICE, &dev->record, bridges);

	if (!ret && !w->devices)
		w->devices = at;
	return ret;
}

/**
 * frz_blob_unit_number - The number of a unit that was added
 * @w: writer
 * @reg_base: address of its registers
 *
 * Return: its number, for domains and devices, or -ENOENT.
 */
int frz_blob_unit_number(const struct frz_blob_writer *w, u64 reg_base)
{
	size_t at = sizeof(struct frz_abi_header);
	const struct frz_abi_unit *unit;
	int number;

	for (number = 0; at < w->used; number++) {
		unit = w->buf + at;
		if (unit->record.type != FRZ_RECORD_UNIT)
			break;
		if (unit->reg_base == reg_base)
			return number;
		at += unit->record.len;
	}
	return -ENOENT;
}

/**
 * frz_blob_end - Complete a blob and check it as the next kernel will
 * @w: writer
 * @flags: FRZ_BLOB_FROZEN or 0
 * @generation: for the header
 *
 * Return: bytes of the blob; the first error of the functions before; or what
 * frz_blob_open() returns for it, with @w->err telling why.
 */
long frz_blob_end(struct frz_blob_writer *w, u32 flags, u64 generation)
{
	struct frz_abi_header *h = w->buf;
	struct frz_blob b;

	if (w->error)
		return w->error;
	memcpy(h->magic, FRZ_BLOB_MAGIC, FRZ_BLOB_MAGIC_LEN);
	h->version = FRZ_BLOB_VERSION;
	h->header_len = sizeof(*h);
	h->total_len = w->used;
	h->nr_records = w->nr_records;
	h->flags = flags;
	h->generation = generation;
	frz_blob_digest(h, w->used, h->digest);
	w->error = frz_blob_open(&b, h, w->used, &w->err);
	return w->error ? w->error : (long)w->used;
}

/**
 * frz_blob_seal_begin - Take a complete blob back until it is sealed
 * @seal: set up
 * @w: its writer, after frz_blob_end() with FRZ_BLOB_FROZEN
 *
 * The blob stays a valid one. All but the device records goes into the digest
 * now.
 */
void frz_blob_seal_begin(struct frz_blob_seal *seal, const struct frz_blob_writer *w)
{
	struct frz_abi_header *h = w->buf, sealed = *h;

	seal->data = w->buf;
	seal->len = w->used;
	seal->devices = w->devices ?: w->used;

	h->flags = 0;
	frz_blob_digest(h, seal->len, h->digest);

	memset(sealed.digest, 0, sizeof(sealed.digest));
	sha256_init(&seal->sha);
	sha256_update(&seal->sha, (const u8 *)&sealed, sizeof(sealed));
	sha256_update(&seal->sha, w->buf + sizeof(sealed),
		      seal->devices - sizeof(sealed));
}

/**
 * frz_blob_seal_device - Bring a device's record up to date before the seal
 * @seal: the seal, begun
 * @at: what frz_blob_writer::used was when it was added
 * @dev: device, with as many bridges as before
 * @bridges: bridges above it
 */
void frz_blob_seal_device(struct frz_blob_seal *seal, size_t at,
			  const struct frz_abi_device *dev,
			  const struct frz_abi_bridge *bridges)
{
	struct frz_abi_device *d = seal->data + at;
	struct frz_abi_record record = d->record;
	u32 n = d->nr_bridges;

	*d = *dev;
	d->record = record;
	d->nr_bridges = n;
	if (n)
		memcpy(d + 1, bridges, n * sizeof(*bridges));
}

/**
 * frz_blob_seal_end - Seal a blob: what it says is frozen is frozen
 * @seal: the seal, begun; it ends here
 *
 * The cost is that of the digest over the device records.
 */
void frz_blob_seal_end(struct frz_blob_seal *seal)
{
	struct frz_abi_header *h = seal->data;

	sha256_update(&seal->sha, seal->data + seal->devices,
		      seal->len - seal->devices);
	h->flags = FRZ_BLOB_FROZEN;
	sha256_final(&seal->sha, h->digest);
}
