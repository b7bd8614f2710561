// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: reads the blob of <linux/kho/abi/iommu-freeze.h>
 *
 * Structure: a blob is checked once, when it is opened, see blob-check.c. Only
 * offsets are kept of it; its records are read in place. Locking: none, the caller
 * keeps the memory still. What may fail: opening (a blob that breaks a rule, no
 * memory to check it).
 */
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include "blob-private.h"

/* The last field of a record's fixed part in version 2 tells its length. */
#define LEN_2_UNIT	(offsetof(struct frz_abi_unit, reserved) + sizeof(u32))
#define LEN_2_DOMAIN	(offsetof(struct frz_abi_domain, digest) + FRZ_DIGEST_LEN)
#define LEN_2_DEVICE	(offsetof(struct frz_abi_device, reserved) + sizeof(u32))

static_assert(sizeof(struct frz_abi_header) == 80, "ABI");
static_assert(sizeof(struct frz_abi_record) == 16, "ABI");
static_assert(LEN_2_UNIT == 104, "ABI");
static_assert(sizeof(struct frz_abi_table) == 24, "ABI");
static_assert(LEN_2_DOMAIN == 128, "ABI");
static_assert(sizeof(struct frz_abi_chunk) == 24, "ABI");
static_assert(LEN_2_DEVICE == 104, "ABI");
static_assert(sizeof(struct frz_abi_bridge) == 24, "ABI");

const struct frz_record_type frz_record_types[FRZ_NR_RECORD_TYPES] = {
	[FRZ_RECORD_UNIT] = {
		.version = FRZ_UNIT_VERSION,
		.fixed_len = sizeof(struct frz_abi_unit),
		.fixed_len_2 = LEN_2_UNIT,
		.element_len = sizeof(struct frz_abi_table),
		.count = offsetof(struct frz_abi_unit, nr_tables),
		.max = FRZ_MAX_TABLES,
	},
	[FRZ_RECORD_DOMAIN] = {
		.version = FRZ_DOMAIN_VERSION,
		.fixed_len = sizeof(struct frz_abi_domain),
		.fixed_len_2 = LEN_2_DOMAIN,
		.element_len = sizeof(struct frz_abi_chunk),
		.count = offsetof(struct frz_abi_domain, nr_chunks),
		.max = FRZ_MAX_CHUNKS,
	},
	[FRZ_RECORD_DEVICE] = {
		.version = FRZ_DEVICE_VERSION,
		.fixed_len = sizeof(struct frz_abi_device),
		.fixed_len_2 = LEN_2_DEVICE,
		.element_len = sizeof(struct frz_abi_bridge),
		.count = offsetof(struct frz_abi_device, nr_bridges),
		.max = FRZ_MAX_BRIDGES,
	},
};

/**
 * frz_fixed_len - Where the array of a record begins
 * @type: FRZ_RECORD_...
 * @version: of the record, one that is understood
 *
 * Return: bytes from the start of the record.
 */
size_t frz_fixed_len(u32 type, u32 version)
{
	const struct frz_record_type *t = &frz_record_types[type];

	return version > 2 ? t->fixed_len : t->fixed_len_2;
}

/**
 * frz_blob_digest - Compute the digest of a blob
 * @data: the blob; what its digest field holds counts as zeroes
 * @len: its length, at least that of a header
 * @digest: FRZ_DIGEST_LEN bytes
 */
void frz_blob_digest(const void *data, size_t len, u8 *digest)
{
	static const u8 zeroes[FRZ_DIGEST_LEN];
	size_t at = offsetof(struct frz_abi_header, digest);
	struct sha256_ctx sha;

	sha256_init(&sha);
	sha256_update(&sha, data, at);
	sha256_update(&sha, zeroes, FRZ_DIGEST_LEN);
	at += FRZ_DIGEST_LEN;
	sha256_update(&sha, data + at, len - at);
	sha256_final(&sha, digest);
}

/**
 * frz_blob_open - Check a blob
 * @b: set to what the other functions read it through
 * @data: the blob, 8-byte aligned; must stay as it is as long as @b is used
 * @len: bytes that may be read there; may be more than the blob
 * @err: set on failure: where and why; may be NULL
 *
 * All that can be wrong in @data is looked for here; nothing that reads @b fails.
 *
 * Return: 0, -EINVAL (malformed, cut off, or contradicting itself), -EBADMSG
 * (digest), -EPROTONOSUPPORT (newer version), -EOPNOTSUPP (unknown record, kind,
 * format or flag), -E2BIG (over a bound), -ENOMEM.
 */
int frz_blob_open(struct frz_blob *b, const void *data, size_t len,
		  struct frz_blob_error *err)
{
	struct frz_blob_error unwanted;

	if (!err)
		err = &unwanted;
	memset(b, 0, sizeof(*b));
	memset(err, 0, sizeof(*err));
	b->data = data;
	return frz_blob_check(b, len, err);
}

/* The record behind r, or at first if there is none: NULL if it is of another type. */
static const void *next(const struct frz_blob *b, const struct frz_abi_record *r,
			size_t first, u32 type)
{
	const void *end = b->data + b->len;

	r = r ? (const void *)r + r->len : b->data + first;
	return (const void *)r < end && r->type == type ? r : NULL;
}

/**
 * frz_blob_next_unit - The next IOMMU unit
 * @b: open blob
 * @unit: the one before, NULL for the first one
 *
 * Return: the unit, NULL when there are no more.
 */
const struct frz_abi_unit *
frz_blob_next_unit(const struct frz_blob *b, const struct frz_abi_unit *unit)
{
	return next(b, unit ? &unit->record : NULL, b->units, FRZ_RECORD_UNIT);
}

/**
 * frz_blob_next_domain - The next frozen domain
 * @b: open blob
 * @dom: the one before, NULL for the first one
 *
 * Return: the domain, NULL when there are no more.
 */
const struct frz_abi_domain *
frz_blob_next_domain(const struct frz_blob *b, const struct frz_abi_domain *dom)
{
	return next(b, dom ? &dom->record : NULL, b->domains, FRZ_RECORD_DOMAIN);
}

/**
 * frz_blob_next_device - The next device
 * @b: open blob
 * @dev: the one before, NULL for the first one
 *
 * Return: the device, NULL when there are no more.
 */
const struct frz_abi_device *
frz_blob_next_device(const struct frz_blob *b, const struct frz_abi_device *dev)
{
	return next(b, dev ? &dev->record : NULL, b->devices, FRZ_RECORD_DEVICE);
}

/**
 * frz_blob_unit - A unit by its number
 * @b: open blob
 * @index: number, from 0
 *
 * Return: NULL when there is none; the unit of a domain or device is there.
 */
const struct frz_abi_unit *frz_blob_unit(const struct frz_blob *b, u32 index)
{
	const struct frz_abi_unit *unit = NULL;

	while ((unit = frz_blob_next_unit(b, unit)))
		if (!index--)
			return unit;
	return NULL;
}

/**
 * frz_blob_domain - A frozen domain by its id
 * @b: open blob
 * @id: id
 *
 * Return: NULL when there is none; the domain of a device is there.
 */
const struct frz_abi_domain *frz_blob_domain(const struct frz_blob *b, u32 id)
{
	const struct frz_abi_domain *dom = NULL;

	while ((dom = frz_blob_next_domain(b, dom)))
		if (dom->id == id)
			return dom;
	return NULL;
}

static const void *elements(const struct frz_abi_record *r)
{
	return (const void *)r + frz_fixed_len(r->type, r->version);
}

/**
 * frz_unit_tables - The tables of a unit
 * @unit: record of an open blob
 *
 * Return: an array of nr_tables.
 */
const struct frz_abi_table *frz_unit_tables(const struct frz_abi_unit *unit)
{
	return elements(&unit->record);
}

/**
 * frz_domain_chunks - The memory that holds the tables of a frozen domain
 * @dom: record of an open blob
 *
 * Return: an array of nr_chunks.
 */
const struct frz_abi_chunk *frz_domain_chunks(const struct frz_abi_domain *dom)
{
	return elements(&dom->record);
}

/**
 * frz_device_bridges - The bridges above a device
 * @dev: record of an open blob
 *
 * Return: an array of nr_bridges; the first one is the root port.
 */
const struct frz_abi_bridge *frz_device_bridges(const struct frz_abi_device *dev)
{
	return elements(&dev->record);
}

/**
 * frz_unit_table - A table of a unit by its index
 * @unit: record of an open blob
 * @index: index, whose meaning depends on the kind of the unit
 *
 * Return: the table, NULL when there is none.
 */
const struct frz_abi_table *frz_unit_table(const struct frz_abi_unit *unit, u32 index)
{
	const struct frz_abi_table *table = frz_unit_tables(unit);
	u32 i;

	for (i = 0; i < unit->nr_tables; i++, table++)
		if (table->index == index)
			return table;
	return NULL;
}
