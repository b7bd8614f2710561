// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: reads and writes the blob of <linux/iommu-freeze-abi.h>
 *
 * Structure: the parser checks the whole blob once and keeps only offsets;
 * after that it is read in place. The writer fills memory of the caller and has
 * the parser check the result, so that the rules stand in one place. A blob can
 * be written long before it is true: it says that nothing is frozen until it is
 * sealed, which costs one pass over the device records. Locking: none, the caller
 * keeps the memory still. What may fail: opening (a blob that breaks a rule, no
 * memory to check it) and writing (no room, or a blob that opening would refuse).
 *
 * The parser trusts nothing: the blob may come from a broken or hostile kernel.
 * Checks that compare each with each are bounded by FRZ_MAX_RECORDS to well under
 * a second.
 */
#include "frz.h"

static_assert(sizeof(struct frz_abi_header) == 80, "ABI");
static_assert(sizeof(struct frz_abi_record) == 16, "ABI");
static_assert(sizeof(struct frz_abi_unit) == 72, "ABI");
static_assert(sizeof(struct frz_abi_context) == 16, "ABI");
static_assert(sizeof(struct frz_abi_domain) == 120, "ABI");
static_assert(sizeof(struct frz_abi_chunk) == 24, "ABI");
static_assert(sizeof(struct frz_abi_device) == 96, "ABI");
static_assert(sizeof(struct frz_abi_bridge) == 24, "ABI");

#define FRZ_ABI_ADDRESS_END	BIT_ULL(52)

/* What every record type looks like; the index is the type. */
static const struct frz_record_type {
	u32 version;		/* newest that is understood */
	size_t fixed_len;	/* with the record header */
	size_t fixed_len_1;	/* the same of version 1 */
	size_t element_len;
	size_t count;		/* offset of the number of elements */
	u32 max;		/* elements */
} frz_record_types[] = {
	[FRZ_RECORD_UNIT] = {
		FRZ_UNIT_VERSION, sizeof(struct frz_abi_unit),
		offsetof(struct frz_abi_unit, irt),
		sizeof(struct frz_abi_context),
		offsetof(struct frz_abi_unit, nr_contexts), FRZ_MAX_CONTEXTS,
	},
	[FRZ_RECORD_DOMAIN] = {
		FRZ_DOMAIN_VERSION, sizeof(struct frz_abi_domain),
		sizeof(struct frz_abi_domain),
		sizeof(struct frz_abi_chunk),
		offsetof(struct frz_abi_domain, nr_chunks), FRZ_MAX_CHUNKS,
	},
	[FRZ_RECORD_DEVICE] = {
		FRZ_DEVICE_VERSION, sizeof(struct frz_abi_device),
		sizeof(struct frz_abi_device),
		sizeof(struct frz_abi_bridge),
		offsetof(struct frz_abi_device, nr_bridges), FRZ_MAX_BRIDGES,
	},
};

static const struct frz_abi_record *frz_record(const struct frz_blob *b,
					       size_t at)
{
	return b->data + at;
}

static u32 frz_record_type(const struct frz_blob *b, size_t at)
{
	return le32_to_cpu(frz_record(b, at)->type);
}

static size_t frz_record_len(const struct frz_blob *b, size_t at)
{
	return le64_to_cpu(frz_record(b, at)->len);
}

static u32 frz_record_version(const struct frz_blob *b, size_t at)
{
	return le32_to_cpu(frz_record(b, at)->version);
}

static size_t frz_fixed_len(u32 type, u32 version)
{
	return version == 1 ? frz_record_types[type].fixed_len_1 :
			      frz_record_types[type].fixed_len;
}

static const void *frz_element(const struct frz_blob *b, size_t at, u32 i)
{
	u32 type = frz_record_type(b, at);

	return b->data + at + frz_fixed_len(type, frz_record_version(b, at)) +
	       i * frz_record_types[type].element_len;
}

/* The address of a unit's empty interrupt remapping table, NULL if it has none. */
static const __le64 *frz_irt(const struct frz_blob *b, size_t at)
{
	const struct frz_abi_unit *u = b->data + at;

	return frz_record_version(b, at) > 1 && u->irt ? &u->irt : NULL;
}

static size_t frz_record_size(u32 type, u32 version, u32 n)
{
	return frz_fixed_len(type, version) +
	       n * frz_record_types[type].element_len;
}

/* The same, as it is written. */
static size_t frz_new_record_size(u32 type, u32 n)
{
	return frz_record_size(type, frz_record_types[type].version, n);
}

/* The first record of a type, 0 when there is none. */
static size_t frz_first(const struct frz_blob *b, u32 type)
{
	size_t at = type == FRZ_RECORD_UNIT ? b->units :
		    type == FRZ_RECORD_DOMAIN ? b->domains : b->devices;

	return at < b->len && frz_record_type(b, at) == type ? at : 0;
}

/* The next record of the same type, 0 when there is none. */
static size_t frz_next(const struct frz_blob *b, size_t at)
{
	size_t next = at + frz_record_len(b, at);

	if (next >= b->len || frz_record_type(b, next) != frz_record_type(b, at))
		return 0;
	return next;
}

/*
 * Checks
 */
struct frz_parser {
	struct frz_blob *b;
	struct frz_blob_error *err;
};

static int frz_refuse(struct frz_parser *p, int ret, const void *field, u64 value,
		      const char *reason)
{
	p->err->offset = (const u8 *)field - (const u8 *)p->b->data;
	p->err->value = value;
	p->err->reason = reason;
	return ret;
}

static int frz_check_max(struct frz_parser *p, const __le32 *field, u32 max,
			 const char *reason)
{
	u32 value = le32_to_cpu(*field);

	return value > max ? frz_refuse(p, -EINVAL, field, value, reason) : 0;
}

static int frz_check_reserved(struct frz_parser *p, const __le32 *field)
{
	return frz_check_max(p, field, 0, "reserved field is not 0");
}

/* The address of something of len bytes (multiple of a page, not 0). */
static int frz_check_address(struct frz_parser *p, const __le64 *field, u64 len,
			     const char *reason)
{
	u64 address = le64_to_cpu(*field);

	if (!address || !IS_ALIGNED(address, FRZ_ABI_PAGE) ||
	    len > FRZ_ABI_ADDRESS_END || address > FRZ_ABI_ADDRESS_END - len)
		return frz_refuse(p, -EINVAL, field, address, reason);
	return 0;
}

/* The digest field itself counts as zeroes. */
static void frz_blob_digest(const void *data, size_t len,
			    const struct frz_sha256 *sha256, u8 *digest)
{
	static const u8 zeroes[FRZ_DIGEST_LEN];
	size_t at = offsetof(struct frz_abi_header, digest);

	sha256->init(sha256->ctx);
	sha256->update(sha256->ctx, data, at);
	sha256->update(sha256->ctx, zeroes, FRZ_DIGEST_LEN);
	at += FRZ_DIGEST_LEN;
	sha256->update(sha256->ctx, (const u8 *)data + at, len - at);
	sha256->final(sha256->ctx, digest);
}

static int frz_check_header(struct frz_parser *p, size_t len,
			    const struct frz_sha256 *sha256)
{
	const struct frz_abi_header *h = p->b->data;
	u8 digest[FRZ_DIGEST_LEN];
	u32 version, value;
	u64 total;

	if (!IS_ALIGNED((uintptr_t)p->b->data, sizeof(u64)))
		return frz_refuse(p, -EINVAL, h, (uintptr_t)p->b->data,
				  "memory is not 8-byte aligned");
	if (len < sizeof(*h))
		return frz_refuse(p, -EINVAL, h, len, "cut off in the header");
	if (memcmp(h->magic, FRZ_BLOB_MAGIC, FRZ_BLOB_MAGIC_LEN))
		return frz_refuse(p, -EINVAL, h->magic, 0, "no magic");
	version = le32_to_cpu(h->version);
	if (!version)
		return frz_refuse(p, -EINVAL, &h->version, version,
				  "no such blob version");
	if (version > FRZ_BLOB_VERSION)
		return frz_refuse(p, -EPROTONOSUPPORT, &h->version, version,
				  "blob of a newer version");
	if (le32_to_cpu(h->header_len) != sizeof(*h))
		return frz_refuse(p, -EINVAL, &h->header_len,
				  le32_to_cpu(h->header_len),
				  "wrong header length");
	total = le64_to_cpu(h->total_len);
	if (total > FRZ_MAX_BLOB_LEN)
		return frz_refuse(p, -E2BIG, &h->total_len, total,
				  "blob is too long");
	if (total < sizeof(*h) || !IS_ALIGNED(total, 8))
		return frz_refuse(p, -EINVAL, &h->total_len, total,
				  "wrong blob length");
	if (total > len)
		return frz_refuse(p, -EINVAL, &h->total_len, total, "cut off");

	frz_blob_digest(h, total, sha256, digest);
	if (memcmp(digest, h->digest, FRZ_DIGEST_LEN))
		return frz_refuse(p, -EBADMSG, h->digest, 0,
				  "digest does not match");

	value = le32_to_cpu(h->flags);
	if (value & ~FRZ_BLOB_FLAGS)
		return frz_refuse(p, -EOPNOTSUPP, &h->flags, value,
				  "unknown flag");
	if (h->reserved)
		return frz_refuse(p, -EINVAL, &h->reserved,
				  le64_to_cpu(h->reserved),
				  "reserved field is not 0");
	value = le32_to_cpu(h->nr_records);
	if (value > FRZ_MAX_RECORDS)
		return frz_refuse(p, -E2BIG, &h->nr_records, value,
				  "too many records");

	p->b->len = total;
	p->b->flags = le32_to_cpu(h->flags);
	p->b->generation = le64_to_cpu(h->generation);
	return 0;
}

/* One record's header and lengths: what makes it safe to look into it. */
static int frz_check_record(struct frz_parser *p, size_t at, u32 *n)
{
	const struct frz_abi_record *r = frz_record(p->b, at);
	const struct frz_record_type *t;
	u64 left = p->b->len - at;
	u32 type, version;
	const __le32 *count;
	u64 len;

	if (left < sizeof(*r))
		return frz_refuse(p, -EINVAL, r, left,
				  "no room for another record");
	type = le32_to_cpu(r->type);
	if (!type || type >= ARRAY_SIZE(frz_record_types))
		return frz_refuse(p, -EOPNOTSUPP, &r->type, type,
				  "unknown record type");
	t = &frz_record_types[type];
	version = le32_to_cpu(r->version);
	if (!version)
		return frz_refuse(p, -EINVAL, &r->version, version,
				  "no such record version");
	if (version > t->version)
		return frz_refuse(p, -EPROTONOSUPPORT, &r->version, version,
				  "record of a newer version");
	len = le64_to_cpu(r->len);
	if (len < frz_fixed_len(type, version) || len > left)
		return frz_refuse(p, -EINVAL, &r->len, len,
				  "wrong record length");
	count = (const void *)r + t->count;
	*n = le32_to_cpu(*count);
	if (*n > t->max)
		return frz_refuse(p, -E2BIG, count, *n, "too many elements");
	if (len != frz_record_size(type, version, *n))
		return frz_refuse(p, -EINVAL, &r->len, len,
				  "record length does not match its elements");
	return 0;
}

/* All records: lengths, order and number; and how many ranges they name. */
static int frz_check_records(struct frz_parser *p, u32 *nr_ranges)
{
	const struct frz_abi_header *h = p->b->data;
	u32 left = le32_to_cpu(h->nr_records);
	size_t at = sizeof(*h);
	u32 last = 0, ranges = 0;
	u32 n, type;
	int ret;

	p->b->units = at;
	p->b->domains = at;
	p->b->devices = at;
	for (; left; left--) {
		ret = frz_check_record(p, at, &n);
		if (ret)
			return ret;
		type = frz_record_type(p->b, at);
		if (type < last)
			return frz_refuse(p, -EINVAL, frz_record(p->b, at), type,
					  "record is out of order");
		last = type;
		if (type == FRZ_RECORD_UNIT) {
			p->b->nr_units++;
			ranges += frz_irt(p->b, at) ? 2 : 1;
		} else if (type == FRZ_RECORD_DOMAIN) {
			p->b->nr_domains++;
		} else {
			p->b->nr_devices++;
		}
		if (type != FRZ_RECORD_DEVICE)
			ranges += n;
		if (p->b->nr_units > FRZ_MAX_UNITS)
			return frz_refuse(p, -E2BIG, frz_record(p->b, at),
					  p->b->nr_units, "too many units");
		if (ranges > FRZ_MAX_RANGES)
			return frz_refuse(p, -E2BIG, frz_record(p->b, at), ranges,
					  "too many chunks and tables");
		at += frz_record_len(p->b, at);
		if (type == FRZ_RECORD_UNIT)
			p->b->domains = at;
		if (type != FRZ_RECORD_DEVICE)
			p->b->devices = at;
	}
	if (at != p->b->len)
		return frz_refuse(p, -EINVAL, frz_record(p->b, at),
				  p->b->len - at, "bytes behind the last record");
	*nr_ranges = ranges;
	return 0;
}

static const struct frz_abi_unit *frz_unit_at(const struct frz_blob *b, u32 index)
{
	size_t at;

	for (at = frz_first(b, FRZ_RECORD_UNIT); at; at = frz_next(b, at))
		if (!index--)
			return b->data + at;
	return NULL;
}

static const struct frz_abi_domain *frz_domain_by_id(const struct frz_blob *b,
						     __le32 id)
{
	const struct frz_abi_domain *d;
	size_t at;

	for (at = frz_first(b, FRZ_RECORD_DOMAIN); at; at = frz_next(b, at)) {
		d = b->data + at;
		if (d->id == id)
			return d;
	}
	return NULL;
}

static int frz_check_unit(struct frz_parser *p, size_t at)
{
	const struct frz_abi_unit *u = p->b->data + at, *other;
	u64 buses[256 / 64] = {};
	const __le64 *irt;
	size_t other_at;
	u32 i, bus;
	int ret;

	if (le32_to_cpu(u->kind) != FRZ_UNIT_VTD_LEGACY)
		return frz_refuse(p, -EOPNOTSUPP, &u->kind, le32_to_cpu(u->kind),
				  "unknown kind of unit");
	ret = frz_check_max(p, &u->segment, 0xffff, "unit: no such segment");
	if (ret)
		return ret;
	ret = frz_check_address(p, &u->reg_base, FRZ_ABI_PAGE,
				"unit: bad register address");
	if (ret)
		return ret;
	ret = frz_check_address(p, &u->root, FRZ_ABI_PAGE,
				"unit: bad root table address");
	if (ret)
		return ret;
	ret = frz_check_reserved(p, &u->reserved);
	if (ret)
		return ret;
	irt = frz_irt(p->b, at);
	ret = irt ? frz_check_address(p, irt, FRZ_ABI_PAGE,
				      "unit: bad interrupt table address") : 0;
	if (ret)
		return ret;

	for (other_at = frz_first(p->b, FRZ_RECORD_UNIT); other_at;
	     other_at = frz_next(p->b, other_at)) {
		if (other_at == at)
			break;
		other = p->b->data + other_at;
		if (other->reg_base == u->reg_base)
			return frz_refuse(p, -EINVAL, &u->reg_base,
					  le64_to_cpu(u->reg_base),
					  "unit: two of the same address");
	}

	for (i = 0; i < le32_to_cpu(u->nr_contexts); i++) {
		const struct frz_abi_context *c = frz_element(p->b, at, i);

		ret = frz_check_max(p, &c->bus, 255, "context table: no such bus");
		if (ret)
			return ret;
		ret = frz_check_reserved(p, &c->reserved);
		if (ret)
			return ret;
		ret = frz_check_address(p, &c->address, FRZ_ABI_PAGE,
					"context table: bad address");
		if (ret)
			return ret;
		bus = le32_to_cpu(c->bus);
		if (buses[bus / 64] & BIT_ULL(bus % 64))
			return frz_refuse(p, -EINVAL, &c->bus, bus,
					  "context table: two of one bus");
		buses[bus / 64] |= BIT_ULL(bus % 64);
	}
	return 0;
}

static int frz_check_chunks(struct frz_parser *p, size_t at)
{
	const struct frz_abi_domain *d = p->b->data + at;
	u64 top = le64_to_cpu(d->top);
	u64 address, len, used;
	bool found = false;
	u64 pages = 0;
	u32 i;
	int ret;

	for (i = 0; i < le32_to_cpu(d->nr_chunks); i++) {
		const struct frz_abi_chunk *c = frz_element(p->b, at, i);

		address = le64_to_cpu(c->address);
		len = le64_to_cpu(c->len);
		used = le64_to_cpu(c->used);
		if (!len || !IS_ALIGNED(len, FRZ_ABI_PAGE))
			return frz_refuse(p, -EINVAL, &c->len, len,
					  "chunk: bad length");
		ret = frz_check_address(p, &c->address, len,
					"chunk: bad address");
		if (ret)
			return ret;
		if (used > len || !IS_ALIGNED(used, FRZ_ABI_PAGE))
			return frz_refuse(p, -EINVAL, &c->used, used,
					  "chunk: bad used length");
		if (top >= address && top - address < used)
			found = true;
		pages += used / FRZ_ABI_PAGE;
	}
	if (!found)
		return frz_refuse(p, -EINVAL, &d->top, top,
				  "domain: top table is not in its chunks");
	/* The reader of the tables may bound its work with this. */
	if (!d->tables || le64_to_cpu(d->tables) > pages)
		return frz_refuse(p, -EINVAL, &d->tables, le64_to_cpu(d->tables),
				  "domain: more tables than its chunks hold, or none");
	return 0;
}

static int frz_check_domain(struct frz_parser *p, size_t at)
{
	const struct frz_abi_domain *d = p->b->data + at, *other;
	const struct frz_format *fmt;
	u32 levels, did, leaf_levels;
	size_t other_at;
	int ret;

	fmt = frz_format_by_id(le32_to_cpu(d->format));
	if (!fmt)
		return frz_refuse(p, -EOPNOTSUPP, &d->format,
				  le32_to_cpu(d->format), "unknown table format");
	levels = le32_to_cpu(d->levels);
	if (!frz_levels_valid(fmt, levels))
		return frz_refuse(p, -EINVAL, &d->levels, levels,
				  "domain: wrong number of levels");
	leaf_levels = le32_to_cpu(d->leaf_levels);
	if (!(leaf_levels & BIT(1)) || (leaf_levels & ~fmt->leaf_levels))
		return frz_refuse(p, -EINVAL, &d->leaf_levels, leaf_levels,
				  "domain: wrong leaf levels");
	if (le32_to_cpu(d->unit) >= p->b->nr_units)
		return frz_refuse(p, -EINVAL, &d->unit, le32_to_cpu(d->unit),
				  "domain: no such unit");
	did = le32_to_cpu(d->did);
	if (!did || did > 0xffff)
		return frz_refuse(p, -EINVAL, &d->did, did,
				  "domain: bad cache tag (did)");
	ret = frz_check_reserved(p, &d->reserved);
	if (ret)
		return ret;
	ret = frz_check_address(p, &d->top, FRZ_ABI_PAGE,
				"domain: bad top table address");
	if (ret)
		return ret;

	for (other_at = frz_first(p->b, FRZ_RECORD_DOMAIN); other_at;
	     other_at = frz_next(p->b, other_at)) {
		if (other_at == at)
			break;
		other = p->b->data + other_at;
		if (other->id == d->id)
			return frz_refuse(p, -EINVAL, &d->id, le32_to_cpu(d->id),
					  "domain: two of the same id");
		if (other->unit == d->unit && other->did == d->did)
			return frz_refuse(p, -EINVAL, &d->did, did,
					  "domain: cache tag (did) of another one");
	}
	return frz_check_chunks(p, at);
}

/* Bridges must lead from one to the next and from the last to the device. */
static int frz_check_bridges(struct frz_parser *p, size_t at)
{
	const struct frz_abi_device *d = p->b->data + at;
	u32 above = 0, primary, secondary, subordinate;
	u32 lowest = 255;
	u32 i;
	int ret;

	for (i = 0; i < le32_to_cpu(d->nr_bridges); i++) {
		const struct frz_abi_bridge *br = frz_element(p->b, at, i);

		ret = frz_check_max(p, &br->devfn, 255, "bridge: no such devfn");
		if (ret)
			return ret;
		ret = frz_check_reserved(p, &br->reserved);
		if (ret)
			return ret;
		primary = le32_to_cpu(br->primary);
		secondary = le32_to_cpu(br->secondary);
		subordinate = le32_to_cpu(br->subordinate);
		if (le32_to_cpu(br->bus) > 255 || (i && le32_to_cpu(br->bus) != above))
			return frz_refuse(p, -EINVAL, &br->bus, le32_to_cpu(br->bus),
					  "bridge: not below the one before");
		if (br->primary != br->bus)
			return frz_refuse(p, -EINVAL, &br->primary, primary,
					  "bridge: primary is not its bus");
		if (subordinate > lowest)
			return frz_refuse(p, -EINVAL, &br->subordinate, subordinate,
					  "bridge: subordinate beyond the bridge above");
		if (secondary <= primary || secondary > subordinate)
			return frz_refuse(p, -EINVAL, &br->secondary, secondary,
					  "bridge: bad secondary");
		above = secondary;
		lowest = subordinate;
	}
	if (i && le32_to_cpu(d->bus) != above)
		return frz_refuse(p, -EINVAL, &d->bus, le32_to_cpu(d->bus),
				  "device: not on the bus below its bridges");
	return 0;
}

static int frz_check_device(struct frz_parser *p, size_t at)
{
	const struct frz_abi_device *d = p->b->data + at, *other;
	const struct frz_abi_domain *dom;
	const struct frz_abi_unit *unit;
	size_t other_at;
	u32 value;
	int ret;

	ret = frz_check_max(p, &d->segment, 0xffff, "device: no such segment");
	ret = ret ?: frz_check_max(p, &d->bus, 255, "device: no such bus");
	ret = ret ?: frz_check_max(p, &d->devfn, 255, "device: no such devfn");
	ret = ret ?: frz_check_max(p, &d->vendor, 0xfffe, "device: bad vendor");
	ret = ret ?: frz_check_max(p, &d->device, 0xffff, "device: bad device id");
	ret = ret ?: frz_check_max(p, &d->subsystem_vendor, 0xffff,
				   "device: bad subsystem vendor");
	ret = ret ?: frz_check_max(p, &d->subsystem_device, 0xffff,
				   "device: bad subsystem id");
	ret = ret ?: frz_check_max(p, &d->command, 0xffff, "device: bad command");
	if (ret)
		return ret;
	/* Bit 7 is only "has more functions". */
	value = le32_to_cpu(d->hdr_type);
	if (value & ~0x80u)
		return frz_refuse(p, -EINVAL, &d->hdr_type, value,
				  "device: not an endpoint header");
	value = le32_to_cpu(d->state);
	if (value != FRZ_DEVICE_PRESERVED && value != FRZ_DEVICE_FROZEN)
		return frz_refuse(p, -EINVAL, &d->state, value,
				  "device: unknown state");

	unit = frz_unit_at(p->b, le32_to_cpu(d->unit));
	if (!unit)
		return frz_refuse(p, -EINVAL, &d->unit, le32_to_cpu(d->unit),
				  "device: no such unit");
	if (unit->segment != d->segment)
		return frz_refuse(p, -EINVAL, &d->segment, le32_to_cpu(d->segment),
				  "device: not in the segment of its unit");
	dom = frz_domain_by_id(p->b, d->domain);
	if (!dom)
		return frz_refuse(p, -EINVAL, &d->domain, le32_to_cpu(d->domain),
				  "device: no such domain");
	if (dom->unit != d->unit)
		return frz_refuse(p, -EINVAL, &d->unit, le32_to_cpu(d->unit),
				  "device: not on the unit of its domain");

	for (other_at = frz_first(p->b, FRZ_RECORD_DEVICE); other_at;
	     other_at = frz_next(p->b, other_at)) {
		if (other_at == at)
			break;
		other = p->b->data + other_at;
		if (other->segment == d->segment && other->bus == d->bus &&
		    other->devfn == d->devfn)
			return frz_refuse(p, -EINVAL, &d->devfn,
					  le32_to_cpu(d->devfn),
					  "device: two of the same place");
	}
	return frz_check_bridges(p, at);
}

/*
 * Memory that the blob names: element i of a unit is its root table (0), a context
 * table or at last its interrupt remapping table, of a domain a chunk. All were
 * checked, so nothing overflows.
 */
static u32 frz_nr_ranges(const struct frz_blob *b, size_t at)
{
	const struct frz_abi_unit *u = b->data + at;
	const struct frz_abi_domain *d = b->data + at;

	if (frz_record_type(b, at) == FRZ_RECORD_UNIT)
		return 1 + le32_to_cpu(u->nr_contexts) + !!frz_irt(b, at);
	return le32_to_cpu(d->nr_chunks);
}

static const __le64 *frz_range(const struct frz_blob *b, size_t at, u32 i, u64 *len)
{
	const struct frz_abi_unit *u = b->data + at;
	const struct frz_abi_context *context;
	const struct frz_abi_chunk *chunk;

	if (frz_record_type(b, at) == FRZ_RECORD_UNIT) {
		*len = FRZ_ABI_PAGE;
		if (!i)
			return &u->root;
		if (i > le32_to_cpu(u->nr_contexts))
			return frz_irt(b, at);
		context = frz_element(b, at, i - 1);
		return &context->address;
	}
	chunk = frz_element(b, at, i);
	*len = le64_to_cpu(chunk->len);
	return &chunk->address;
}

struct frz_range {
	u64 address;
	u64 end;
	const __le64 *field;
};

static int frz_compare_ranges(const void *a, const void *b)
{
	const struct frz_range *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

/* Sorted by address, ranges that overlap are neighbours, or some others are. */
static int frz_check_overlaps(struct frz_parser *p, u32 nr)
{
	const __le64 *later;
	struct frz_range *r;
	u32 n = 0, i;
	int ret = 0;
	size_t at;
	u64 len;

	if (!nr)
		return 0;
	r = kvmalloc_array(nr, sizeof(*r), GFP_KERNEL);
	if (!r)
		return frz_refuse(p, -ENOMEM, p->b->data, nr,
				  "no memory to check it");
	for (at = p->b->units; at < p->b->devices; at += frz_record_len(p->b, at)) {
		for (i = 0; i < frz_nr_ranges(p->b, at); i++, n++) {
			r[n].field = frz_range(p->b, at, i, &len);
			r[n].address = le64_to_cpu(*r[n].field);
			r[n].end = r[n].address + len;
		}
	}
	sort(r, n, sizeof(*r), frz_compare_ranges, NULL);
	for (i = 1; i < n && !ret; i++) {
		if (r[i].address >= r[i - 1].end)
			continue;
		later = r[i].field > r[i - 1].field ? r[i].field :
						      r[i - 1].field;
		ret = frz_refuse(p, -EINVAL, later, le64_to_cpu(*later),
				 "memory is named twice");
	}
	kvfree(r);
	return ret;
}

/**
 * frz_blob_open - check a blob
 * @b: set to what the other functions read it through
 * @data: the blob, 8-byte aligned; must stay as it is as long as @b is used
 * @len: bytes that may be read there; may be more than the blob
 * @sha256: to check the digest with
 * @err: set on failure: where and why; may be NULL
 *
 * Return: 0, -EINVAL (malformed, cut off, or contradicting itself), -EBADMSG
 * (digest), -EPROTONOSUPPORT (newer version), -EOPNOTSUPP (unknown record, kind,
 * format or flag), -E2BIG (over a bound), -ENOMEM.
 */
int frz_blob_open(struct frz_blob *b, const void *data, size_t len,
		  const struct frz_sha256 *sha256, struct frz_blob_error *err)
{
	struct frz_blob_error unwanted;
	struct frz_parser p = { .b = b, .err = err ?: &unwanted };
	u32 nr_ranges;
	size_t at;
	int ret;

	memset(b, 0, sizeof(*b));
	memset(p.err, 0, sizeof(*p.err));
	b->data = data;
	ret = frz_check_header(&p, len, sha256);
	if (ret)
		return ret;
	ret = frz_check_records(&p, &nr_ranges);
	if (ret)
		return ret;

	for (at = frz_first(b, FRZ_RECORD_UNIT); at; at = frz_next(b, at)) {
		ret = frz_check_unit(&p, at);
		if (ret)
			return ret;
	}
	for (at = frz_first(b, FRZ_RECORD_DOMAIN); at; at = frz_next(b, at)) {
		ret = frz_check_domain(&p, at);
		if (ret)
			return ret;
	}
	for (at = frz_first(b, FRZ_RECORD_DEVICE); at; at = frz_next(b, at)) {
		ret = frz_check_device(&p, at);
		if (ret)
			return ret;
	}
	return frz_check_overlaps(&p, nr_ranges);
}

/*
 * Reading an open blob
 */

/**
 * frz_blob_next_unit - the next IOMMU unit
 * @b: open blob
 * @unit: all zero before the first call
 *
 * Return: true with the unit, false when there are no more.
 */
bool frz_blob_next_unit(const struct frz_blob *b, struct frz_unit *unit)
{
	size_t at = unit->at ? frz_next(b, unit->at) : frz_first(b, FRZ_RECORD_UNIT);
	const struct frz_abi_unit *u = b->data + at;

	if (!at)
		return false;
	unit->kind = le32_to_cpu(u->kind);
	unit->segment = le32_to_cpu(u->segment);
	unit->reg_base = le64_to_cpu(u->reg_base);
	unit->cap = le64_to_cpu(u->cap);
	unit->ecap = le64_to_cpu(u->ecap);
	unit->root = le64_to_cpu(u->root);
	unit->irt = frz_irt(b, at) ? le64_to_cpu(u->irt) : 0;
	unit->nr_contexts = le32_to_cpu(u->nr_contexts);
	unit->at = at;
	return true;
}

/**
 * frz_blob_next_domain - the next frozen domain
 * @b: open blob
 * @dom: all zero before the first call
 *
 * Return: true with the domain, false when there are no more.
 */
bool frz_blob_next_domain(const struct frz_blob *b, struct frz_domain *dom)
{
	size_t at = dom->at ? frz_next(b, dom->at) : frz_first(b, FRZ_RECORD_DOMAIN);
	const struct frz_abi_domain *d = b->data + at;

	if (!at)
		return false;
	dom->id = le32_to_cpu(d->id);
	dom->format = le32_to_cpu(d->format);
	dom->levels = le32_to_cpu(d->levels);
	dom->leaf_levels = le32_to_cpu(d->leaf_levels);
	dom->unit = le32_to_cpu(d->unit);
	dom->did = le32_to_cpu(d->did);
	dom->top = le64_to_cpu(d->top);
	dom->stats.tables = le64_to_cpu(d->tables);
	dom->stats.leaves = le64_to_cpu(d->leaves);
	dom->stats.extents = le64_to_cpu(d->extents);
	dom->stats.bytes = le64_to_cpu(d->bytes);
	dom->nr_chunks = le32_to_cpu(d->nr_chunks);
	memcpy(dom->digest, d->digest, FRZ_DIGEST_LEN);
	dom->at = at;
	return true;
}

/**
 * frz_blob_next_device - the next device
 * @b: open blob
 * @dev: all zero before the first call
 *
 * Return: true with the device, false when there are no more.
 */
bool frz_blob_next_device(const struct frz_blob *b, struct frz_device *dev)
{
	size_t at = dev->at ? frz_next(b, dev->at) : frz_first(b, FRZ_RECORD_DEVICE);
	const struct frz_abi_device *d = b->data + at;
	size_t i;

	if (!at)
		return false;
	dev->segment = le32_to_cpu(d->segment);
	dev->bus = le32_to_cpu(d->bus);
	dev->devfn = le32_to_cpu(d->devfn);
	dev->vendor = le32_to_cpu(d->vendor);
	dev->device = le32_to_cpu(d->device);
	dev->subsystem_vendor = le32_to_cpu(d->subsystem_vendor);
	dev->subsystem_device = le32_to_cpu(d->subsystem_device);
	dev->class_revision = le32_to_cpu(d->class_revision);
	dev->hdr_type = le32_to_cpu(d->hdr_type);
	dev->domain = le32_to_cpu(d->domain);
	dev->unit = le32_to_cpu(d->unit);
	dev->state = le32_to_cpu(d->state);
	for (i = 0; i < ARRAY_SIZE(dev->bars); i++)
		dev->bars[i] = le32_to_cpu(d->bars[i]);
	dev->command = le32_to_cpu(d->command);
	dev->nr_bridges = le32_to_cpu(d->nr_bridges);
	dev->at = at;
	return true;
}

/**
 * frz_blob_find_unit - a unit by its number
 * @b: open blob
 * @index: number, from 0
 * @unit: filled
 *
 * Return: false when there is none; the unit of a domain or device is there.
 */
bool frz_blob_find_unit(const struct frz_blob *b, u32 index,
			struct frz_unit *unit)
{
	memset(unit, 0, sizeof(*unit));
	while (frz_blob_next_unit(b, unit))
		if (!index--)
			return true;
	return false;
}

/**
 * frz_blob_find_domain - a frozen domain by its id
 * @b: open blob
 * @id: id
 * @dom: filled
 *
 * Return: false when there is none; the domain of a device is there.
 */
bool frz_blob_find_domain(const struct frz_blob *b, u32 id,
			  struct frz_domain *dom)
{
	memset(dom, 0, sizeof(*dom));
	while (frz_blob_next_domain(b, dom))
		if (dom->id == id)
			return true;
	return false;
}

/**
 * frz_blob_context - a context table of a unit
 * @b: open blob
 * @unit: unit of it
 * @i: which, below nr_contexts
 * @bus: set to the bus that it is for
 * @pa: set to its address
 */
void frz_blob_context(const struct frz_blob *b, const struct frz_unit *unit,
		      u32 i, u32 *bus, u64 *pa)
{
	const struct frz_abi_context *c = frz_element(b, unit->at, i);

	*bus = le32_to_cpu(c->bus);
	*pa = le64_to_cpu(c->address);
}

/**
 * frz_blob_chunk - a chunk of memory that holds frozen tables
 * @b: open blob
 * @dom: domain of it
 * @i: which, below nr_chunks
 * @chunk: filled
 */
void frz_blob_chunk(const struct frz_blob *b, const struct frz_domain *dom,
		    u32 i, struct frz_chunk *chunk)
{
	const struct frz_abi_chunk *c = frz_element(b, dom->at, i);

	chunk->address = le64_to_cpu(c->address);
	chunk->len = le64_to_cpu(c->len);
	chunk->used = le64_to_cpu(c->used);
}

/**
 * frz_blob_bridge - a bridge above a device
 * @b: open blob
 * @dev: device of it
 * @i: which, below nr_bridges; 0 is the root port
 * @bridge: filled
 */
void frz_blob_bridge(const struct frz_blob *b, const struct frz_device *dev,
		     u32 i, struct frz_bridge *bridge)
{
	const struct frz_abi_bridge *br = frz_element(b, dev->at, i);

	bridge->bus = le32_to_cpu(br->bus);
	bridge->devfn = le32_to_cpu(br->devfn);
	bridge->primary = le32_to_cpu(br->primary);
	bridge->secondary = le32_to_cpu(br->secondary);
	bridge->subordinate = le32_to_cpu(br->subordinate);
}

/*
 * Writing
 */

/**
 * frz_blob_size_header - room that the header takes
 *
 * Return: bytes.
 */
size_t frz_blob_size_header(void)
{
	return sizeof(struct frz_abi_header);
}

/**
 * frz_blob_size_unit - room that a unit takes
 * @nr_contexts: context tables
 *
 * Return: bytes.
 */
size_t frz_blob_size_unit(u32 nr_contexts)
{
	return frz_new_record_size(FRZ_RECORD_UNIT, nr_contexts);
}

/**
 * frz_blob_size_domain - room that a domain takes
 * @nr_chunks: chunks
 *
 * Return: bytes.
 */
size_t frz_blob_size_domain(u32 nr_chunks)
{
	return frz_new_record_size(FRZ_RECORD_DOMAIN, nr_chunks);
}

/**
 * frz_blob_size_device - room that a device takes
 * @nr_bridges: bridges above it
 *
 * Return: bytes.
 */
size_t frz_blob_size_device(u32 nr_bridges)
{
	return frz_new_record_size(FRZ_RECORD_DEVICE, nr_bridges);
}

/**
 * frz_blob_begin - begin to write a blob
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

/* Room for a record, its header and count filled in and the rest zeroed, or NULL. */
static void *frz_add(struct frz_blob_writer *w, u32 type, u32 n)
{
	const struct frz_record_type *t = &frz_record_types[type];
	struct frz_abi_record *r;
	size_t len;

	if (w->error)
		return NULL;
	if (type < w->last_type) {
		w->error = -EINVAL;
		return NULL;
	}
	if (n > t->max || w->nr_records == FRZ_MAX_RECORDS) {
		w->error = -E2BIG;
		return NULL;
	}
	len = frz_new_record_size(type, n);
	if (len > w->cap - w->used) {
		w->error = -ENOSPC;
		return NULL;
	}
	r = w->buf + w->used;
	memset(r, 0, len);
	r->type = cpu_to_le32(type);
	r->version = cpu_to_le32(t->version);
	r->len = cpu_to_le64(len);
	*(__le32 *)((void *)r + t->count) = cpu_to_le32(n);
	w->used += len;
	w->last_type = type;
	w->nr_records++;
	return r;
}

/**
 * frz_blob_add_unit - add an IOMMU unit
 * @w: writer
 * @unit: unit; its number is that of the units before it
 * @contexts: its context tables
 * @n: number of @contexts
 *
 * Return: 0, -EINVAL (a domain or device was added before), -E2BIG, -ENOSPC.
 */
int frz_blob_add_unit(struct frz_blob_writer *w, const struct frz_unit *unit,
		      const struct frz_context *contexts, u32 n)
{
	struct frz_abi_unit *u = frz_add(w, FRZ_RECORD_UNIT, n);
	struct frz_abi_context *c;
	u32 i;

	if (!u)
		return w->error;
	u->kind = cpu_to_le32(unit->kind);
	u->segment = cpu_to_le32(unit->segment);
	u->reg_base = cpu_to_le64(unit->reg_base);
	u->cap = cpu_to_le64(unit->cap);
	u->ecap = cpu_to_le64(unit->ecap);
	u->root = cpu_to_le64(unit->root);
	u->irt = cpu_to_le64(unit->irt);
	for (c = (void *)(u + 1), i = 0; i < n; c++, i++) {
		c->bus = cpu_to_le32(contexts[i].bus);
		c->address = cpu_to_le64(contexts[i].address);
	}
	return 0;
}

/**
 * frz_blob_add_domain - add a frozen domain
 * @w: writer
 * @dom: domain
 * @chunks: memory of its tables
 * @n: number of @chunks
 *
 * Return: 0, -EINVAL (a device was added before), -E2BIG, -ENOSPC.
 */
int frz_blob_add_domain(struct frz_blob_writer *w, const struct frz_domain *dom,
			const struct frz_chunk *chunks, u32 n)
{
	struct frz_abi_domain *d = frz_add(w, FRZ_RECORD_DOMAIN, n);
	struct frz_abi_chunk *c;
	u32 i;

	if (!d)
		return w->error;
	d->id = cpu_to_le32(dom->id);
	d->format = cpu_to_le32(dom->format);
	d->levels = cpu_to_le32(dom->levels);
	d->leaf_levels = cpu_to_le32(dom->leaf_levels);
	d->unit = cpu_to_le32(dom->unit);
	d->did = cpu_to_le32(dom->did);
	d->top = cpu_to_le64(dom->top);
	d->tables = cpu_to_le64(dom->stats.tables);
	d->leaves = cpu_to_le64(dom->stats.leaves);
	d->extents = cpu_to_le64(dom->stats.extents);
	d->bytes = cpu_to_le64(dom->stats.bytes);
	memcpy(d->digest, dom->digest, FRZ_DIGEST_LEN);
	for (c = (void *)(d + 1), i = 0; i < n; c++, i++) {
		c->address = cpu_to_le64(chunks[i].address);
		c->len = cpu_to_le64(chunks[i].len);
		c->used = cpu_to_le64(chunks[i].used);
	}
	return 0;
}

/* What follows the header and count of a device's record. */
static void frz_put_device(struct frz_abi_device *d, const struct frz_device *dev,
			   const struct frz_bridge *bridges, u32 n)
{
	struct frz_abi_bridge *br;
	u32 i;

	d->segment = cpu_to_le32(dev->segment);
	d->bus = cpu_to_le32(dev->bus);
	d->devfn = cpu_to_le32(dev->devfn);
	d->vendor = cpu_to_le32(dev->vendor);
	d->device = cpu_to_le32(dev->device);
	d->subsystem_vendor = cpu_to_le32(dev->subsystem_vendor);
	d->subsystem_device = cpu_to_le32(dev->subsystem_device);
	d->class_revision = cpu_to_le32(dev->class_revision);
	d->hdr_type = cpu_to_le32(dev->hdr_type);
	d->domain = cpu_to_le32(dev->domain);
	d->unit = cpu_to_le32(dev->unit);
	d->state = cpu_to_le32(dev->state);
	for (i = 0; i < ARRAY_SIZE(dev->bars); i++)
		d->bars[i] = cpu_to_le32(dev->bars[i]);
	d->command = cpu_to_le32(dev->command);
	for (br = (void *)(d + 1), i = 0; i < n; br++, i++) {
		br->bus = cpu_to_le32(bridges[i].bus);
		br->devfn = cpu_to_le32(bridges[i].devfn);
		br->primary = cpu_to_le32(bridges[i].primary);
		br->secondary = cpu_to_le32(bridges[i].secondary);
		br->subordinate = cpu_to_le32(bridges[i].subordinate);
	}
}

/**
 * frz_blob_add_device - add a device
 * @w: writer
 * @dev: device
 * @bridges: bridges above it, from the root port down
 * @n: number of @bridges
 *
 * Return: 0, -E2BIG, -ENOSPC.
 */
int frz_blob_add_device(struct frz_blob_writer *w, const struct frz_device *dev,
			const struct frz_bridge *bridges, u32 n)
{
	size_t at = w->used;
	struct frz_abi_device *d = frz_add(w, FRZ_RECORD_DEVICE, n);

	if (!d)
		return w->error;
	if (!w->devices)
		w->devices = at;
	frz_put_device(d, dev, bridges, n);
	return 0;
}

/**
 * frz_blob_end - complete a blob and check it as the next kernel will
 * @w: writer
 * @flags: FRZ_BLOB_FROZEN or 0
 * @generation: for the header
 * @sha256: to make the digest with
 *
 * Return: bytes of the blob; the first error of the functions before; or what
 * frz_blob_open() returns for it, with @w->err telling why.
 */
long frz_blob_end(struct frz_blob_writer *w, u32 flags, u64 generation,
		  const struct frz_sha256 *sha256)
{
	struct frz_abi_header *h = w->buf;
	struct frz_blob b;

	if (w->error)
		return w->error;
	memcpy(h->magic, FRZ_BLOB_MAGIC, FRZ_BLOB_MAGIC_LEN);
	h->version = cpu_to_le32(FRZ_BLOB_VERSION);
	h->header_len = cpu_to_le32(sizeof(*h));
	h->total_len = cpu_to_le64(w->used);
	h->nr_records = cpu_to_le32(w->nr_records);
	h->flags = cpu_to_le32(flags);
	h->generation = cpu_to_le64(generation);
	frz_blob_digest(h, w->used, sha256, h->digest);
	w->error = frz_blob_open(&b, h, w->used, sha256, &w->err);
	return w->error ? w->error : (long)w->used;
}

/**
 * frz_blob_seal_begin - take a complete blob back until it is sealed
 * @seal: set up
 * @w: its writer, after frz_blob_end() with FRZ_BLOB_FROZEN
 * @sha256: not used for anything else until frz_blob_seal_end()
 *
 * The blob stays a valid one. All but the device records goes into the digest
 * now.
 */
void frz_blob_seal_begin(struct frz_blob_seal *seal,
			 const struct frz_blob_writer *w,
			 const struct frz_sha256 *sha256)
{
	struct frz_abi_header *h = w->buf, sealed = *h;

	seal->data = w->buf;
	seal->len = w->used;
	seal->devices = w->devices ?: w->used;
	seal->sha256 = *sha256;

	h->flags = 0;
	frz_blob_digest(h, seal->len, sha256, h->digest);

	memset(sealed.digest, 0, sizeof(sealed.digest));
	sha256->init(sha256->ctx);
	sha256->update(sha256->ctx, &sealed, sizeof(sealed));
	sha256->update(sha256->ctx, w->buf + sizeof(sealed),
		       seal->devices - sizeof(sealed));
}

/**
 * frz_blob_seal_device - bring a device's record up to date before the seal
 * @seal: the seal, begun
 * @at: what frz_blob_writer::used was when it was added
 * @dev: device, with as many bridges as before
 * @bridges: bridges above it
 */
void frz_blob_seal_device(struct frz_blob_seal *seal, size_t at,
			  const struct frz_device *dev,
			  const struct frz_bridge *bridges)
{
	struct frz_abi_device *d = seal->data + at;

	frz_put_device(d, dev, bridges, le32_to_cpu(d->nr_bridges));
}

/**
 * frz_blob_seal_end - seal a blob: what it says is frozen is frozen
 * @seal: the seal, begun; it ends here
 *
 * The cost is that of the digest over the device records.
 */
void frz_blob_seal_end(struct frz_blob_seal *seal)
{
	const struct frz_sha256 *sha256 = &seal->sha256;
	struct frz_abi_header *h = seal->data;

	sha256->update(sha256->ctx, seal->data + seal->devices,
		       seal->len - seal->devices);
	h->flags = cpu_to_le32(FRZ_BLOB_FROZEN);
	sha256->final(sha256->ctx, h->digest);
}
