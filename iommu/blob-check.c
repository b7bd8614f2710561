// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: tells whether a blob may be trusted
 *
 * Structure: one pass over the header and the lengths of all records, after which
 * each can be looked into; then the records one by one, each against those before it;
 * at last the memory that they name, sorted, to find what is named twice. Locking:
 * none, the caller keeps the memory still. What may fail: all of it, with the place
 * and the reason.
 *
 * Nothing is trusted: the blob may come from a broken or hostile kernel. Checks that
 * compare each with each are bounded by FRZ_MAX_RECORDS and FRZ_MAX_RANGES to well
 * under a second.
 */
#include <linux/align.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include "blob-private.h"
#include "format/format.h"
#include "kind.h"

#define ADDRESS_END	BIT_ULL(52)

static const char reserved_used[] = "reserved field is not 0";

struct check {
	struct frz_blob *b;
	struct frz_blob_error *err;
	u32 nr_pieces;		/* pieces of memory that the blob names */
};

static int refuse(struct check *c, int ret, const void *field, u64 value,
		  const char *reason)
{
	c->err->offset = field - c->b->data;
	c->err->value = value;
	c->err->reason = reason;
	return ret;
}

static int check_max(struct check *c, const u32 *field, u32 max, const char *reason)
{
	return *field > max ? refuse(c, -EINVAL, field, *field, reason) : 0;
}

static int check_reserved(struct check *c, const u32 *field)
{
	return check_max(c, field, 0, reserved_used);
}

static int check_len(struct check *c, const u64 *field, const char *reason)
{
	if (!*field || !IS_ALIGNED(*field, FRZ_ABI_PAGE))
		return refuse(c, -EINVAL, field, *field, reason);
	return 0;
}

/* The address of something of len bytes, not 0. */
static int check_address(struct check *c, const u64 *field, u64 len,
			 const char *reason)
{
	if (!*field || !IS_ALIGNED(*field, FRZ_ABI_PAGE) ||
	    len > ADDRESS_END || *field > ADDRESS_END - len)
		return refuse(c, -EINVAL, field, *field, reason);
	return 0;
}

/* What has to hold before the digest can be computed, and the digest. */
static int check_digest(struct check *c, const struct frz_abi_header *h, size_t len)
{
	u8 digest[FRZ_DIGEST_LEN];

	if (h->total_len > FRZ_MAX_BLOB_LEN)
		return refuse(c, -E2BIG, &h->total_len, h->total_len,
			      "blob is too long");
	if (h->total_len < sizeof(*h) || !IS_ALIGNED(h->total_len, 8))
		return refuse(c, -EINVAL, &h->total_len, h->total_len,
			      "wrong blob length");
	if (h->total_len > len)
		return refuse(c, -EINVAL, &h->total_len, h->total_len, "cut off");
	frz_blob_digest(h, h->total_len, digest);
	if (memcmp(digest, h->digest, FRZ_DIGEST_LEN))
		return refuse(c, -EBADMSG, h->digest, 0, "digest does not match");
	return 0;
}

static int check_header(struct check *c, size_t len)
{
	const struct frz_abi_header *h = c->b->data;
	int ret;

	if (!IS_ALIGNED((uintptr_t)h, sizeof(u64)))
		return refuse(c, -EINVAL, h, (uintptr_t)h,
			      "memory is not 8-byte aligned");
	if (len < sizeof(*h))
		return refuse(c, -EINVAL, h, len, "cut off in the header");
	if (memcmp(h->magic, FRZ_BLOB_MAGIC, FRZ_BLOB_MAGIC_LEN))
		return refuse(c, -EINVAL, h->magic, 0, "no magic");
	if (h->version < FRZ_BLOB_OLDEST)
		return refuse(c, -EINVAL, &h->version, h->version,
			      "no such blob version");
	if (h->version > FRZ_BLOB_VERSION)
		return refuse(c, -EPROTONOSUPPORT, &h->version, h->version,
			      "blob of a newer version");
	if (h->header_len != sizeof(*h))
		return refuse(c, -EINVAL, &h->header_len, h->header_len,
			      "wrong header length");
	ret = check_digest(c, h, len);
	if (ret)
		return ret;
	if (h->flags & ~FRZ_BLOB_FLAGS)
		return refuse(c, -EOPNOTSUPP, &h->flags, h->flags, "unknown flag");
	if (h->reserved)
		return refuse(c, -EINVAL, &h->reserved, h->reserved, reserved_used);
	if (h->nr_records > FRZ_MAX_RECORDS)
		return refuse(c, -E2BIG, &h->nr_records, h->nr_records,
			      "too many records");
	c->b->len = h->total_len;
	c->b->flags = h->flags;
	c->b->generation = h->generation;
	return 0;
}

/* One record's header and lengths: what makes it safe to look into it. */
static int check_record(struct check *c, const struct frz_abi_record *r, u64 left)
{
	const struct frz_record_type *t;
	const u32 *n;
	size_t fixed;

	if (left < sizeof(*r))
		return refuse(c, -EINVAL, r, left, "no room for another record");
	if (!r->type || r->type >= FRZ_NR_RECORD_TYPES)
		return refuse(c, -EOPNOTSUPP, &r->type, r->type,
			      "unknown record type");
	t = &frz_record_types[r->type];
	if (r->version < FRZ_RECORD_OLDEST)
		return refuse(c, -EINVAL, &r->version, r->version,
			      "no such record version");
	if (r->version > t->version)
		return refuse(c, -EPROTONOSUPPORT, &r->version, r->version,
			      "record of a newer version");
	fixed = frz_fixed_len(r->type, r->version);
	if (r->len < fixed || r->len > left)
		return refuse(c, -EINVAL, &r->len, r->len, "wrong record length");
	n = frz_record_count(t, r);
	if (*n > t->max)
		return refuse(c, -E2BIG, n, *n, "too many elements");
	if (r->len != fixed + (size_t)*n * t->element_len)
		return refuse(c, -EINVAL, &r->len, r->len,
			      "record length does not match its elements");
	return 0;
}

static int count_record(struct check *c, const struct frz_abi_record *r)
{
	struct frz_blob *b = c->b;

	if (r->type == FRZ_RECORD_UNIT)
		b->nr_units++;
	else if (r->type == FRZ_RECORD_DOMAIN)
		b->nr_domains++;
	else
		b->nr_devices++;
	if (r->type != FRZ_RECORD_DEVICE)
		c->nr_pieces += *frz_record_count(&frz_record_types[r->type], r);
	if (b->nr_units > FRZ_MAX_UNITS)
		return refuse(c, -E2BIG, r, b->nr_units, "too many units");
	if (c->nr_pieces > FRZ_MAX_RANGES)
		return refuse(c, -E2BIG, r, c->nr_pieces,
			      "too many chunks and tables");
	return 0;
}

/* All records: lengths, order and number. */
static int check_records(struct check *c)
{
	const struct frz_abi_header *h = c->b->data;
	struct frz_blob *b = c->b;
	const struct frz_abi_record *r;
	size_t at = sizeof(*h);
	u32 last = 0, i;
	int ret;

	b->units = at;
	b->domains = at;
	b->devices = at;
	for (i = 0; i < h->nr_records; i++) {
		r = b->data + at;
		ret = check_record(c, r, b->len - at);
		if (ret)
			return ret;
		if (r->type < last)
			return refuse(c, -EINVAL, r, r->type, "record is out of order");
		last = r->type;
		ret = count_record(c, r);
		if (ret)
			return ret;
		at += r->len;
		if (r->type == FRZ_RECORD_UNIT)
			b->domains = at;
		if (r->type != FRZ_RECORD_DEVICE)
			b->devices = at;
	}
	if (at != b->len)
		return refuse(c, -EINVAL, b->data + at, b->len - at,
			      "bytes behind the last record");
	return 0;
}

static int check_table(struct check *c, const struct frz_abi_table *first,
		       const struct frz_abi_table *t)
{
	const struct frz_abi_table *other;
	int ret;

	ret = check_reserved(c, &t->reserved);
	ret = ret ?: check_len(c, &t->len, "table: bad length");
	ret = ret ?: check_address(c, &t->address, t->len, "table: bad address");
	if (ret)
		return ret;
	for (other = first; other < t; other++)
		if (other->index == t->index)
			return refuse(c, -EINVAL, &t->index, t->index,
				      "table: two of the same index");
	return 0;
}

static int check_tables(struct check *c, const struct frz_abi_unit *u)
{
	const struct frz_abi_table *tables = frz_unit_tables(u);
	u32 i;
	int ret;

	for (i = 0; i < u->nr_tables; i++) {
		ret = check_table(c, tables, &tables[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static int check_unit(struct check *c, const struct frz_abi_unit *u)
{
	const struct frz_kind *kind = frz_kind_by_id(u->kind);
	const struct frz_abi_unit *other = NULL;
	const char *reason;
	const u32 *field;
	int ret;

	if (!kind)
		return refuse(c, -EOPNOTSUPP, &u->kind, u->kind,
			      "unknown kind of unit");
	ret = check_max(c, &u->segment, 0xffff, "unit: no such segment");
	ret = ret ?: check_address(c, &u->reg_base, FRZ_ABI_PAGE,
				   "unit: bad register address");
	ret = ret ?: check_reserved(c, &u->reserved);
	if (ret)
		return ret;
	while ((other = frz_blob_next_unit(c->b, other)) != u) {
		if (other->reg_base == u->reg_base)
			return refuse(c, -EINVAL, &u->reg_base, u->reg_base,
				      "unit: two of the same address");
	}
	ret = check_tables(c, u);
	if (ret)
		return ret;
	reason = kind->check ? kind->check(u, &field) : NULL;
	return reason ? refuse(c, -EINVAL, field, *field, reason) : 0;
}

static int check_chunk(struct check *c, const struct frz_abi_chunk *chunk)
{
	int ret;

	ret = check_len(c, &chunk->len, "chunk: bad length");
	ret = ret ?: check_address(c, &chunk->address, chunk->len,
				   "chunk: bad address");
	if (ret)
		return ret;
	if (chunk->used > chunk->len || !IS_ALIGNED(chunk->used, FRZ_ABI_PAGE))
		return refuse(c, -EINVAL, &chunk->used, chunk->used,
			      "chunk: bad used length");
	return 0;
}

static bool is_in(const struct frz_abi_chunk *chunk, u64 address)
{
	return address >= chunk->address && address - chunk->address < chunk->used;
}

static int check_chunks(struct check *c, const struct frz_abi_domain *d)
{
	const struct frz_abi_chunk *chunk = frz_domain_chunks(d);
	bool top = false, head = !d->head;
	u64 pages = 0;
	u32 i;
	int ret;

	for (i = 0; i < d->nr_chunks; i++, chunk++) {
		ret = check_chunk(c, chunk);
		if (ret)
			return ret;
		top |= is_in(chunk, d->top);
		head |= is_in(chunk, d->head);
		pages += chunk->used / FRZ_ABI_PAGE;
	}
	if (!top)
		return refuse(c, -EINVAL, &d->top, d->top,
			      "domain: top table is not in its chunks");
	if (!head)
		return refuse(c, -EINVAL, &d->head, d->head,
			      "domain: head is not in its chunks");
	/* The reader of the tables may bound its work with this. */
	if (!d->stats.tables || d->stats.tables > pages - !!d->head)
		return refuse(c, -EINVAL, &d->stats.tables, d->stats.tables,
			      "domain: more tables than its chunks hold, or none");
	return 0;
}

/* Where its tables begin. */
static int check_top(struct check *c, const struct frz_abi_domain *d)
{
	int ret;

	ret = check_address(c, &d->top, FRZ_ABI_PAGE,
			    "domain: bad top table address");
	if (ret || !d->head)
		return ret;
	if (d->head == d->top)
		return refuse(c, -EINVAL, &d->head, d->head,
			      "domain: head is its top table");
	return check_address(c, &d->head, FRZ_ABI_PAGE, "domain: bad head address");
}

static int check_domain(struct check *c, const struct frz_abi_domain *d)
{
	const struct frz_format *fmt = frz_format_by_id(d->format);
	const struct frz_abi_domain *other = NULL;
	const struct frz_kind *kind;
	const char *reason;
	const u32 *field;
	int ret;

	if (!fmt)
		return refuse(c, -EOPNOTSUPP, &d->format, d->format,
			      "unknown table format");
	if (!frz_levels_valid(fmt, d->levels))
		return refuse(c, -EINVAL, &d->levels, d->levels,
			      "domain: wrong number of levels");
	if (!(d->leaf_levels & BIT(1)) || (d->leaf_levels & ~fmt->leaf_levels))
		return refuse(c, -EINVAL, &d->leaf_levels, d->leaf_levels,
			      "domain: wrong leaf levels");
	if (d->unit >= c->b->nr_units)
		return refuse(c, -EINVAL, &d->unit, d->unit,
			      "domain: no such unit");
	if (!d->tag || d->tag > 0xffff)
		return refuse(c, -EINVAL, &d->tag, d->tag, "domain: bad cache tag");
	ret = check_reserved(c, &d->reserved);
	ret = ret ?: check_top(c, d);
	if (ret)
		return ret;
	while ((other = frz_blob_next_domain(c->b, other)) != d) {
		if (other->id == d->id)
			return refuse(c, -EINVAL, &d->id, d->id,
				      "domain: two of the same id");
		if (other->unit == d->unit && other->format == d->format &&
		    other->tag == d->tag)
			return refuse(c, -EINVAL, &d->tag, d->tag,
				      "domain: cache tag of another one");
	}
	kind = frz_kind_by_id(frz_blob_unit(c->b, d->unit)->kind);
	reason = kind->check_domain ? kind->check_domain(d, &field) : NULL;
	return reason ? refuse(c, -EINVAL, field, *field, reason) : check_chunks(c, d);
}

/* Bridges must lead from one to the next and from the last to the device. */
static int check_bridges(struct check *c, const struct frz_abi_device *d)
{
	const struct frz_abi_bridge *br = frz_device_bridges(d);
	u32 above = 0, lowest = 255;
	u32 i;
	int ret;

	for (i = 0; i < d->nr_bridges; i++, br++) {
		ret = check_max(c, &br->devfn, 255, "bridge: no such devfn");
		ret = ret ?: check_reserved(c, &br->reserved);
		if (ret)
			return ret;
		if (br->bus > 255 || (i && br->bus != above))
			return refuse(c, -EINVAL, &br->bus, br->bus,
				      "bridge: not below the one before");
		if (br->primary != br->bus)
			return refuse(c, -EINVAL, &br->primary, br->primary,
				      "bridge: primary is not its bus");
		if (br->subordinate > lowest)
			return refuse(c, -EINVAL, &br->subordinate, br->subordinate,
				      "bridge: subordinate beyond the bridge above");
		if (br->secondary <= br->primary || br->secondary > br->subordinate)
			return refuse(c, -EINVAL, &br->secondary, br->secondary,
				      "bridge: bad secondary");
		above = br->secondary;
		lowest = br->subordinate;
	}
	if (i && d->bus != above)
		return refuse(c, -EINVAL, &d->bus, d->bus,
			      "device: not on the bus below its bridges");
	return 0;
}

/* Each field by itself. */
static int check_device_fields(struct check *c, const struct frz_abi_device *d)
{
	int ret;

	ret = check_max(c, &d->segment, 0xffff, "device: no such segment");
	ret = ret ?: check_max(c, &d->bus, 255, "device: no such bus");
	ret = ret ?: check_max(c, &d->devfn, 255, "device: no such devfn");
	ret = ret ?: check_max(c, &d->vendor, 0xfffe, "device: bad vendor");
	ret = ret ?: check_max(c, &d->device, 0xffff, "device: bad device id");
	ret = ret ?: check_max(c, &d->subsystem_vendor, 0xffff,
			       "device: bad subsystem vendor");
	ret = ret ?: check_max(c, &d->subsystem_device, 0xffff,
			       "device: bad subsystem id");
	ret = ret ?: check_max(c, &d->command, 0xffff, "device: bad command");
	ret = ret ?: check_reserved(c, &d->reserved);
	if (ret)
		return ret;
	/* Bit 7 is only "has more functions". */
	if (d->hdr_type & ~0x80u)
		return refuse(c, -EINVAL, &d->hdr_type, d->hdr_type,
			      "device: not an endpoint header");
	if (d->state != FRZ_DEVICE_PRESERVED && d->state != FRZ_DEVICE_FROZEN)
		return refuse(c, -EINVAL, &d->state, d->state,
			      "device: unknown state");
	return 0;
}

/* What it says of a unit and of a domain. */
static int check_device_refs(struct check *c, const struct frz_abi_device *d)
{
	const struct frz_abi_unit *unit = frz_blob_unit(c->b, d->unit);
	const struct frz_abi_domain *dom = frz_blob_domain(c->b, d->domain);
	const struct frz_kind *kind;
	const char *reason;
	const u32 *field;

	if (!unit)
		return refuse(c, -EINVAL, &d->unit, d->unit, "device: no such unit");
	if (!dom)
		return refuse(c, -EINVAL, &d->domain, d->domain,
			      "device: no such domain");
	if (dom->unit != d->unit)
		return refuse(c, -EINVAL, &d->unit, d->unit,
			      "device: not on the unit of its domain");
	kind = frz_kind_by_id(unit->kind);
	reason = kind->check_device ? kind->check_device(unit, d, &field) : NULL;
	return reason ? refuse(c, -EINVAL, field, *field, reason) : 0;
}

static int check_device(struct check *c, const struct frz_abi_device *d)
{
	const struct frz_abi_device *other = NULL;
	int ret;

	ret = check_device_fields(c, d);
	ret = ret ?: check_device_refs(c, d);
	if (ret)
		return ret;
	while ((other = frz_blob_next_device(c->b, other)) != d) {
		if (other->segment == d->segment && other->bus == d->bus &&
		    other->devfn == d->devfn)
			return refuse(c, -EINVAL, &d->devfn, d->devfn,
				      "device: two of the same place");
		if (other->unit == d->unit && other->stream == d->stream)
			return refuse(c, -EINVAL, &d->stream, d->stream,
				      "device: stream of another one");
	}
	return check_bridges(c, d);
}

struct piece {
	u64 address;
	u64 end;
	const u64 *field;
};

static struct piece *add_piece(struct piece *p, const u64 *field, u64 len)
{
	p->address = *field;
	p->end = *field + len;
	p->field = field;
	return p + 1;
}

/* Memory that the blob names. All was checked, so nothing overflows. */
static void list_pieces(const struct frz_blob *b, struct piece *p)
{
	const struct frz_abi_domain *dom = NULL;
	const struct frz_abi_unit *unit = NULL;
	const struct frz_abi_table *table;
	const struct frz_abi_chunk *chunk;
	u32 i;

	while ((unit = frz_blob_next_unit(b, unit)))
		for (table = frz_unit_tables(unit), i = 0; i < unit->nr_tables; i++)
			p = add_piece(p, &table[i].address, table[i].len);
	while ((dom = frz_blob_next_domain(b, dom)))
		for (chunk = frz_domain_chunks(dom), i = 0; i < dom->nr_chunks; i++)
			p = add_piece(p, &chunk[i].address, chunk[i].len);
}

static int compare_pieces(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

/* Sorted by address, pieces that overlap are neighbours, or some others are. */
static int check_overlaps(struct check *c)
{
	const u64 *later;
	struct piece *p;
	int ret = 0;
	u32 i;

	if (!c->nr_pieces)
		return 0;
	p = kvmalloc_array(c->nr_pieces, sizeof(*p), GFP_KERNEL);
	if (!p)
		return refuse(c, -ENOMEM, c->b->data, c->nr_pieces,
			      "no memory to check it");
	list_pieces(c->b, p);
	sort(p, c->nr_pieces, sizeof(*p), compare_pieces, NULL);
	for (i = 1; i < c->nr_pieces && !ret; i++) {
		if (p[i].address >= p[i - 1].end)
			continue;
		later = p[i].field > p[i - 1].field ? p[i].field : p[i - 1].field;
		ret = refuse(c, -EINVAL, later, *later, "memory is named twice");
	}
	kvfree(p);
	return ret;
}

/**
 * frz_blob_check - Check a blob, all of it
 * @b: blob of which only the data is set; the rest is set here
 * @len: bytes that may be read there
 * @err: set on failure: where and why
 *
 * Return: as frz_blob_open().
 */
int frz_blob_check(struct frz_blob *b, size_t len, struct frz_blob_error *err)
{
	struct check c = { .b = b, .err = err };
	const struct frz_abi_unit *unit = NULL;
	const struct frz_abi_domain *dom = NULL;
	const struct frz_abi_device *dev = NULL;
	int ret;

	ret = check_header(&c, len);
	ret = ret ?: check_records(&c);
	if (ret)
		return ret;
	while ((unit = frz_blob_next_unit(b, unit))) {
		ret = check_unit(&c, unit);
		if (ret)
			return ret;
	}
	while ((dom = frz_blob_next_domain(b, dom))) {
		ret = check_domain(&c, dom);
		if (ret)
			return ret;
	}
	while ((dev = frz_blob_next_device(b, dev))) {
		ret = check_device(&c, dev);
		if (ret)
			return ret;
	}
	return check_overlaps(&c);
}
