// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything that the parser must refuse, field by field, with the digest made right
 * each time. Built twice, see test-blob.c.
 */
#include <errno.h>
#include <string.h>

#include "cmocka-all.h"
#include "made.h"
#include "sha.h"

/* The blob of made.h, and what is in it. */
static struct {
	void *data;
	struct frz_abi_header *header;
	struct frz_abi_unit *unit[2];
	struct frz_abi_table *table[2];		/* first of each unit */
	struct frz_abi_domain *domain[3];
	struct frz_abi_chunk *chunk[3];		/* first of each domain */
	struct frz_abi_device *device[3];
	struct frz_abi_bridge *bridge[2];	/* first of each device */
} made;

static int setup(void **state)
{
	struct frz_blob_writer w;
	u8 *at;
	int i;

	(void)state;
	at = malloc(MADE_LEN);
	made.data = at;
	if (!at || make(&w, at, MADE_LEN) != MADE_LEN)
		return -1;
	made.header = (void *)at;
	at += 80;
	for (i = 0; i < 2; i++) {
		made.unit[i] = (void *)at;
		made.table[i] = (void *)(made.unit[i] + 1);
		at += made.unit[i]->record.len;
	}
	for (i = 0; i < 3; i++) {
		made.domain[i] = (void *)at;
		made.chunk[i] = (void *)(made.domain[i] + 1);
		at += made.domain[i]->record.len;
	}
	for (i = 0; i < 3; i++) {
		made.device[i] = (void *)at;
		if (i < 2)
			made.bridge[i] = (void *)(made.device[i] + 1);
		at += made.device[i]->record.len;
	}
	return at == (u8 *)made.data + MADE_LEN ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(made.data);
	return 0;
}

/* The blob as it is now must be refused for the reason, at the place. */
static void refused(const void *field, int error, const char *reason)
{
	struct frz_blob_error err;
	struct frz_blob b;

	sha_fix_digest(made.data, MADE_LEN);
	assert_int_equal(frz_blob_open(&b, made.data, MADE_LEN, &err), error);
	assert_string_equal(err.reason, reason);
	assert_int_equal(err.offset, (u8 *)field - (u8 *)made.data);
	assert_int_equal(frz_blob_open(&b, made.data, MADE_LEN, NULL), error);
}

static void taken(void)
{
	struct frz_blob_error err;
	struct frz_blob b;

	sha_fix_digest(made.data, MADE_LEN);
	assert_int_equal(frz_blob_open(&b, made.data, MADE_LEN, &err), 0);
	assert_null(err.reason);
	read_all(&b);
}

/* Sets a field, wants the refusal there, and puts the old value back. */
static void bad32(u32 *field, u32 value, int error, const char *reason)
{
	u32 old = *field;

	*field = value;
	refused(field, error, reason);
	*field = old;
}

static void bad64(u64 *field, u64 value, int error, const char *reason)
{
	u64 old = *field;

	*field = value;
	refused(field, error, reason);
	*field = old;
}

static void good32(u32 *field, u32 value)
{
	u32 old = *field;

	*field = value;
	taken();
	*field = old;
}

static void good64(u64 *field, u64 value)
{
	u64 old = *field;

	*field = value;
	taken();
	*field = old;
}

static void test_header_fields(void **state)
{
	struct frz_abi_header *h = made.header;

	(void)state;
	taken();
	h->magic[7] = 'z';
	refused(h, -EINVAL, "no magic");
	h->magic[7] = 'Z';
	bad32(&h->version, 0, -EINVAL, "no such blob version");
	bad32(&h->version, 1, -EINVAL, "no such blob version");
	good32(&h->version, 2);
	bad32(&h->version, FRZ_BLOB_VERSION + 1, -EPROTONOSUPPORT,
	      "blob of a newer version");
	bad32(&h->header_len, 72, -EINVAL, "wrong header length");
	bad32(&h->header_len, 88, -EINVAL, "wrong header length");
	bad64(&h->total_len, MADE_LEN + 8, -EINVAL, "cut off");
	bad64(&h->total_len, MADE_LEN - 4, -EINVAL, "wrong blob length");
	bad64(&h->total_len, 0, -EINVAL, "wrong blob length");
	bad64(&h->total_len, 72, -EINVAL, "wrong blob length");
	bad64(&h->total_len, FRZ_MAX_BLOB_LEN + 8, -E2BIG, "blob is too long");
	bad64(&h->total_len, -8ULL, -E2BIG, "blob is too long");
	bad32(&h->flags, 2, -EOPNOTSUPP, "unknown flag");
	bad32(&h->flags, 0x80000001, -EOPNOTSUPP, "unknown flag");
	good32(&h->flags, 0);
	good64(&h->generation, ~0ULL);
	bad64(&h->reserved, 1, -EINVAL, "reserved field is not 0");
	bad64(&h->reserved, 1ULL << 63, -EINVAL, "reserved field is not 0");
	bad32(&h->nr_records, FRZ_MAX_RECORDS + 1, -E2BIG, "too many records");
}

static void test_digest(void **state)
{
	struct frz_blob_error err;
	struct frz_blob b;

	(void)state;
	made.device[0]->bars[0] ^= 1;
	assert_int_equal(frz_blob_open(&b, made.data, MADE_LEN, &err), -EBADMSG);
	assert_string_equal(err.reason, "digest does not match");
	taken();
}

static void test_no_memory(void **state)
{
	(void)state;
	made_no_memory = true;
	refused(made.data, -ENOMEM, "no memory to check it");
	made_no_memory = false;
	taken();
}

/* Of version 2, whose fixed part is shorter in the parser of a later kernel. */
static void test_record_version(struct frz_abi_record *r)
{
	bad32(&r->version, 0, -EINVAL, "no such record version");
	bad32(&r->version, 1, -EINVAL, "no such record version");
	bad32(&r->version, FRZ_BLOB_VERSION + 1, -EPROTONOSUPPORT,
	      "record of a newer version");
	if (FRZ_BLOB_VERSION > 2) {
		r->version = 2;
		refused(&r->len, -EINVAL, "record length does not match its elements");
		r->version = FRZ_BLOB_VERSION;
	}
	taken();
}

static void test_record_versions(void **state)
{
	(void)state;
	test_record_version(&made.unit[1]->record);
	test_record_version(&made.domain[0]->record);
	test_record_version(&made.device[0]->record);
}

static void test_record_fields(void **state)
{
	struct frz_abi_record *r = &made.unit[1]->record;
	u8 *end = made.data + MADE_LEN;

	(void)state;
	bad32(&r->type, 0, -EOPNOTSUPP, "unknown record type");
	bad32(&r->type, 4, -EOPNOTSUPP, "unknown record type");
	bad32(&r->type, ~0u, -EOPNOTSUPP, "unknown record type");
	bad64(&r->len, 0, -EINVAL, "wrong record length");
	bad64(&r->len, 56, -EINVAL, "wrong record length");
	bad64(&r->len, 1ULL << 63, -EINVAL, "wrong record length");
	bad64(&r->len, ~7ULL, -EINVAL, "wrong record length");
	bad64(&r->len, MADE_UNIT - 8, -EINVAL, "wrong record length");
	bad64(&r->len, MADE_UNIT, -EINVAL, "record length does not match its elements");
	bad64(&r->len, MADE_UNIT + 2 * 24 + 4, -EINVAL,
	      "record length does not match its elements");

	/* Counts. */
	bad32(&made.unit[0]->nr_tables, 1025, -E2BIG, "too many elements");
	bad32(&made.domain[0]->nr_chunks, 4097, -E2BIG, "too many elements");
	bad32(&made.device[0]->nr_bridges, 9, -E2BIG, "too many elements");
	bad32(&made.device[0]->nr_bridges, ~0u, -E2BIG, "too many elements");
	made.unit[0]->nr_tables = 3;
	refused(&made.unit[0]->record.len, -EINVAL,
		"record length does not match its elements");
	made.unit[0]->nr_tables = 4;

	/* Number of records. */
	made.header->nr_records = 7;
	refused(made.device[2], -EINVAL, "bytes behind the last record");
	made.header->nr_records = 9;
	refused(end, -EINVAL, "no room for another record");
	made.header->nr_records = 0;
	refused(made.unit[0], -EINVAL, "bytes behind the last record");
}

/* A domain and a device of one length change places. */
static void test_record_order(void **state)
{
	struct frz_abi_domain *dom = made.domain[2];
	struct frz_abi_device *dev;
	u8 copy[MADE_DOMAIN];

	(void)state;
	dom->record.len = MADE_DOMAIN;
	dom->nr_chunks = 0;
	dev = (void *)(dom + 1);
	memmove(dev, made.device[0], MADE_DEVICE + 24);
	made.header->nr_records = 6;
	made.header->total_len = (u8 *)dev + MADE_DEVICE + 24 - (u8 *)made.data;
	assert_int_equal(MADE_DEVICE + 24, MADE_DOMAIN);
	memcpy(copy, dom, MADE_DOMAIN);
	memmove(dom, dev, MADE_DOMAIN);
	memcpy(dev, copy, MADE_DOMAIN);
	refused(dev, -EINVAL, "record is out of order");
}

static void test_unit_fields(void **state)
{
	struct frz_abi_unit *u = made.unit[1];

	(void)state;
	bad32(&u->kind, 0, -EOPNOTSUPP, "unknown kind of unit");
	bad32(&u->kind, 3, -EOPNOTSUPP, "unknown kind of unit");
	bad32(&u->segment, 0x10000, -EINVAL, "unit: no such segment");
	bad64(&u->reg_base, 0, -EINVAL, "unit: bad register address");
	bad64(&u->reg_base, 0xfed91008, -EINVAL, "unit: bad register address");
	bad64(&u->reg_base, 1ULL << 52, -EINVAL, "unit: bad register address");
	bad64(&u->reg_base, 0xfed90000, -EINVAL, "unit: two of the same address");
	good64(&u->ids[FRZ_VTD_ID_CAP], ~0ULL);
	good64(&u->ids[FRZ_VTD_ID_ECAP], ~0ULL);
	bad32(&u->reserved, 1, -EINVAL, "reserved field is not 0");
}

static void test_table_fields(void **state)
{
	struct frz_abi_table *t = made.table[0];

	(void)state;
	bad32(&t->reserved, 1, -EINVAL, "reserved field is not 0");
	bad64(&t->address, 0, -EINVAL, "table: bad address");
	bad64(&t->address, 0x100800, -EINVAL, "table: bad address");
	bad64(&t->address, 1ULL << 52, -EINVAL, "table: bad address");
	bad64(&t->address, -4096ULL, -EINVAL, "table: bad address");
	good64(&t->address, (1ULL << 52) - 4096);
	bad64(&t->len, 0, -EINVAL, "table: bad length");
	bad64(&t->len, 0x1800, -EINVAL, "table: bad length");
	bad64(&t[3].address, 0x103800, -EINVAL, "table: bad address");
	bad64(&t[3].len, 0x800, -EINVAL, "table: bad length");
	t->len = 1ULL << 52;
	refused(&t->address, -EINVAL, "table: bad address");
	t->len = -4096ULL;
	refused(&t->address, -EINVAL, "table: bad address");
	t->len = 0x1000;

	bad32(&t[2].index, 1, -EINVAL, "table: two of the same index");
	bad32(&t[3].index, 0x100, -EINVAL, "table: two of the same index");
	bad32(&t[1].index, 0x100, -EINVAL, "table: two of the same index");
	good32(&t[2].index, 65);
	good32(&t[2].index, 255);
}

/* What VT-d makes of them: pages, of a bus or one of two others, and one must be there. */
static void test_vtd_tables(void **state)
{
	struct frz_abi_table *t = made.table[0];
	struct frz_abi_unit *u = made.unit[1];

	(void)state;
	bad32(&t[1].index, 0x102, -EINVAL, "table: no such index");
	bad32(&t[1].index, ~0u, -EINVAL, "table: no such index");
	t[1].len = 0x2000;
	t[1].address = 0x105000;
	refused(&t[1].index, -EINVAL, "table: not one page");
	t[1].len = 0x1000;
	t[1].address = 0x101000;
	taken();
	made.table[1]->index = 1;
	refused(&u->nr_tables, -EINVAL, "unit: no root table");
	made.table[1]->index = FRZ_VTD_TABLE_IRT;
	refused(&u->nr_tables, -EINVAL, "unit: no root table");
	made.table[1]->index = FRZ_VTD_TABLE_ROOT;
	/* A unit need not have any other. */
	good32(&made.table[1][1].index, FRZ_VTD_TABLE_IRT);
}

/* Of another kind tables are what it likes, but no memory is named twice. */
static void test_other_kind(void **state)
{
	struct frz_abi_table *t = made.table[0];

	(void)state;
	made.unit[0]->kind = MADE_KIND;
	good32(&t[0].index, ~0u);
	bad32(&t[1].index, 0x100, -EINVAL, "table: two of the same index");
	t[3].len = 0xd000;
	taken();
	t[3].len = 0xe000;
	refused(&made.table[1]->address, -EINVAL, "memory is named twice");
	t[3].len = 0x200000;
	refused(&made.table[1]->address, -EINVAL, "memory is named twice");
	t[3].address = 0x700000;
	taken();
	/* Right behind the last page of a chunk. */
	t[3].address = 0x604000;
	taken();
	t[3].address = 0x603000;
	refused(&made.chunk[2]->address, -EINVAL, "memory is named twice");
}

static void test_domain_fields(void **state)
{
	struct frz_abi_domain *d = made.domain[1];

	(void)state;
	bad32(&d->id, 7, -EINVAL, "domain: two of the same id");
	bad32(&d->format, 0, -EOPNOTSUPP, "unknown table format");
	bad32(&d->format, 4, -EOPNOTSUPP, "unknown table format");
	/* Known, but not to the hardware of its unit */
	bad32(&d->format, FRZ_FORMAT_LPAE_S2, -EINVAL,
	      "domain: tables of another kind of unit");
	bad32(&d->levels, 2, -EINVAL, "domain: wrong number of levels");
	bad32(&d->levels, 6, -EINVAL, "domain: wrong number of levels");
	bad32(&d->leaf_levels, 0x4, -EINVAL, "domain: wrong leaf levels");
	bad32(&d->leaf_levels, 0x12, -EINVAL, "domain: wrong leaf levels");
	bad32(&d->leaf_levels, 0x3, -EINVAL, "domain: wrong leaf levels");
	bad32(&d->unit, 2, -EINVAL, "domain: no such unit");
	bad32(&d->unit, ~0u, -EINVAL, "domain: no such unit");
	bad32(&d->tag, 0, -EINVAL, "domain: bad cache tag");
	bad32(&d->tag, 0x10000, -EINVAL, "domain: bad cache tag");
	bad32(&d->tag, 0x10, -EINVAL, "domain: cache tag of another one");
	good32(&d->tag, 0xffff);
	bad32(&d->reserved, 1, -EINVAL, "reserved field is not 0");
	good64(&d->stats.leaves, ~0ULL);
	good64(&d->stats.extents, ~0ULL);
	good64(&d->stats.bytes, ~0ULL);
}

static void test_domain_top(void **state)
{
	struct frz_abi_domain *d = made.domain[1];

	(void)state;
	bad64(&d->top, 0, -EINVAL, "domain: bad top table address");
	bad64(&d->top, 0x500010, -EINVAL, "domain: bad top table address");
	bad64(&d->top, 1ULL << 52, -EINVAL, "domain: bad top table address");
	bad64(&d->top, 0x501000, -EINVAL,
	      "domain: top table is not in its chunks");
	bad64(&d->top, 0x4ff000, -EINVAL,
	      "domain: top table is not in its chunks");
	/* The part of a chunk that is not used holds no tables. */
	bad64(&made.domain[0]->top, 0x303000, -EINVAL,
	      "domain: top table is not in its chunks");
	good64(&made.domain[0]->top, 0x302000);
	bad64(&d->stats.tables, 0, -EINVAL,
	      "domain: more tables than its chunks hold, or none");
	bad64(&d->stats.tables, 2, -EINVAL,
	      "domain: more tables than its chunks hold, or none");
	bad64(&made.domain[0]->stats.tables, 6, -EINVAL,
	      "domain: more tables than its chunks hold, or none");
}

/* A page of domain 9, or of 7 in either chunk, that is no table. */
static void test_domain_head(void **state)
{
	struct frz_abi_domain *d = made.domain[2];

	(void)state;
	good64(&d->head, 0x601000);
	bad64(&d->head, 0x602010, -EINVAL, "domain: bad head address");
	bad64(&d->head, 1, -EINVAL, "domain: bad head address");
	bad64(&d->head, 1ULL << 52, -EINVAL, "domain: bad head address");
	bad64(&d->head, 0x600000, -EINVAL, "domain: head is its top table");
	bad64(&d->head, 0x5ff000, -EINVAL, "domain: head is not in its chunks");
	bad64(&d->head, 0x603000, -EINVAL, "domain: head is not in its chunks");
	bad64(&d->head, 0x400000, -EINVAL, "domain: head is not in its chunks");
	bad64(&d->stats.tables, 3, -EINVAL,
	      "domain: more tables than its chunks hold, or none");
	d->stats.tables = 3;
	good64(&d->head, 0);

	d->stats.tables = 2;
	d = made.domain[0];
	d->head = 0x302000;
	refused(&d->stats.tables, -EINVAL,
		"domain: more tables than its chunks hold, or none");
	d->stats.tables = 4;
	taken();
	good64(&d->head, 0x400000);
}

static void test_chunk_fields(void **state)
{
	struct frz_abi_chunk *c = made.chunk[0];

	(void)state;
	bad64(&c->address, 0, -EINVAL, "chunk: bad address");
	bad64(&c->address, 0x300800, -EINVAL, "chunk: bad address");
	bad64(&c->address, 1ULL << 52, -EINVAL, "chunk: bad address");
	bad64(&c->address, (1ULL << 52) - 0x1000, -EINVAL, "chunk: bad address");
	good64(&c->address, (1ULL << 52) - 0x100000);
	bad64(&c->len, 0, -EINVAL, "chunk: bad length");
	bad64(&c->len, 0x100800, -EINVAL, "chunk: bad length");
}

/* Fields whose refusal shows at another field. */
static void test_chunk_lengths(void **state)
{
	struct frz_abi_chunk *c = made.chunk[0];

	(void)state;
	c->len = 0x2000;
	refused(&c->used, -EINVAL, "chunk: bad used length");
	c->len = -4096ULL;
	refused(&c->address, -EINVAL, "chunk: bad address");
	c->len = 1ULL << 52;
	refused(&c->address, -EINVAL, "chunk: bad address");
	c->len = 0x100000;
	bad64(&c->used, 0x101000, -EINVAL, "chunk: bad used length");
	bad64(&c->used, 0x3800, -EINVAL, "chunk: bad used length");
	bad64(&c->used, -4096ULL, -EINVAL, "chunk: bad used length");
	good64(&c->used, 0x100000);
	/* Nothing used in it: fine as long as the tables fit elsewhere. */
	made.domain[0]->stats.tables = 2;
	good64(&c->used, 0);
}

static const char twice[] = "memory is named twice";

/* Chunks of one domain, of two, and within another's unused part. */
static void test_chunk_overlaps(void **state)
{
	(void)state;
	made.chunk[0][0].len = 0x101000;
	refused(&made.chunk[0][1].address, -EINVAL, twice);
	made.chunk[0][0].len = 0x100000;
	taken();
	made.chunk[0][1].len = 0x101000;
	refused(&made.chunk[1][0].address, -EINVAL, twice);
	made.chunk[0][1].len = 0x100000;
	taken();
	made.chunk[0][1].len = 0x300000;
	refused(&made.chunk[1][0].address, -EINVAL, twice);
}

/* Tables of one unit, of two, and with chunks. */
static void test_table_overlaps(void **state)
{
	struct frz_abi_table *t = made.table[0];

	(void)state;
	bad64(&t[1].address, 0x100000, -EINVAL, twice);
	bad64(&t[2].address, 0x101000, -EINVAL, twice);
	bad64(&t[3].address, 0x102000, -EINVAL, twice);
	bad64(&made.table[1][0].address, 0x100000, -EINVAL, twice);
	bad64(&made.table[1][0].address, 0x102000, -EINVAL, twice);
	bad64(&made.table[1][0].address, 0x103000, -EINVAL, twice);
	bad64(&made.table[1][1].address, 0x110000, -EINVAL, twice);
	bad64(&made.table[1][1].address, 0x103000, -EINVAL, twice);
	t[3].address = 0x401000;
	refused(&made.chunk[0][1].address, -EINVAL, twice);
	t[3].address = 0x103000;
	t[1].address = 0x3ff000;
	refused(&made.chunk[0][0].address, -EINVAL, twice);
	t[1].address = 0x2ff000;
	taken();
	/* Right behind one another is fine, in either order. */
	good64(&t[0].address, 0x604000);
	good64(&t[0].address, 0x5ff000);
	t[0].address = 0x600000;
	refused(&made.chunk[2][0].address, -EINVAL, twice);
}

static void test_device_fields(void **state)
{
	struct frz_abi_device *d = made.device[2];

	(void)state;
	bad32(&d->segment, 0x10000, -EINVAL, "device: no such segment");
	bad32(&d->segment, 0, -EINVAL, "device: not in the segment of its unit");
	bad32(&d->bus, 256, -EINVAL, "device: no such bus");
	bad32(&d->devfn, 256, -EINVAL, "device: no such devfn");
	bad32(&d->vendor, 0xffff, -EINVAL, "device: bad vendor");
	bad32(&d->device, 0x10000, -EINVAL, "device: bad device id");
	bad32(&d->subsystem_vendor, 0x10000, -EINVAL,
	      "device: bad subsystem vendor");
	bad32(&d->subsystem_device, 0x10000, -EINVAL, "device: bad subsystem id");
	bad32(&d->hdr_type, 1, -EINVAL, "device: not an endpoint header");
	bad32(&d->hdr_type, 0x100, -EINVAL, "device: not an endpoint header");
	good32(&d->hdr_type, 0x80);
	bad32(&d->domain, 6, -EINVAL, "device: no such domain");
	bad32(&d->reserved, 1, -EINVAL, "reserved field is not 0");
}

static void test_device_references(void **state)
{
	struct frz_abi_device *d = made.device[1];
	int i;

	(void)state;
	bad32(&d->unit, 2, -EINVAL, "device: no such unit");
	bad32(&d->unit, ~0u, -EINVAL, "device: no such unit");
	d->domain = 9;
	refused(&d->unit, -EINVAL, "device: not on the unit of its domain");
	d->domain = 7;
	taken();			/* two devices of one domain */
	bad32(&d->state, 0, -EINVAL, "device: unknown state");
	bad32(&d->state, 3, -EINVAL, "device: unknown state");
	bad32(&d->command, 0x10000, -EINVAL, "device: bad command");
	for (i = 0; i < 6; i++)
		good32(&d->bars[i], ~0u);
	good32(&d->class_revision, ~0u);

	/* Two of the same place. */
	*made.device[2] = *d;
	made.device[2]->nr_bridges = 0;
	made.device[2]->record.len = MADE_DEVICE;
	refused(&made.device[2]->devfn, -EINVAL, "device: two of the same place");
	made.device[2]->devfn = 0x12;
	made.device[2]->stream = 0x412;
	taken();
	made.device[2]->devfn = 0x11;
	made.device[2]->bus = 5;
	made.device[2]->stream = 0x511;
	taken();
}

/* VT-d: bus, device and function. */
static void test_device_stream(void **state)
{
	struct frz_abi_device *d = made.device[1];

	(void)state;
	bad32(&d->stream, 0x410, -EINVAL, "device: stream is not its requester id");
	bad32(&d->stream, 0x511, -EINVAL, "device: stream is not its requester id");
	bad32(&d->stream, 0x01000411, -EINVAL,
	      "device: stream is not its requester id");
}

/* Another kind: any 32 bits, but no two devices of a unit have the same. */
static void test_device_any_stream(void **state)
{
	struct frz_abi_device *d = made.device[1];

	(void)state;
	made.unit[0]->kind = MADE_KIND;
	good32(&d->stream, 0);
	good32(&d->stream, ~0u);
	bad32(&d->stream, 0x100, -EINVAL, "device: stream of another one");
	good32(&d->stream, 0x18);	/* on the other unit */
	good32(&d->stream, 0x01000100);
}

/* The bridges are 00:03.0 -> 2..5, 02:00.0 -> 3..4, 03:01.0 -> 4..4. */
static void test_bridge_fields(void **state)
{
	struct frz_abi_bridge *br = made.bridge[1];

	(void)state;
	bad32(&br->devfn, 256, -EINVAL, "bridge: no such devfn");
	bad32(&br->reserved, 1, -EINVAL, "reserved field is not 0");
	bad32(&br->bus, 256, -EINVAL, "bridge: not below the one before");
	bad32(&br[1].bus, 5, -EINVAL, "bridge: not below the one before");
	bad32(&br[1].primary, 0, -EINVAL, "bridge: primary is not its bus");
	bad32(&br[2].primary, 2, -EINVAL, "bridge: primary is not its bus");
	bad32(&br->subordinate, 256, -EINVAL,
	      "bridge: subordinate beyond the bridge above");
	bad32(&br[1].subordinate, 6, -EINVAL,
	      "bridge: subordinate beyond the bridge above");
	good32(&br[1].subordinate, 5);
	bad32(&br[0].secondary, 0, -EINVAL, "bridge: bad secondary");
	bad32(&br[0].secondary, 6, -EINVAL, "bridge: bad secondary");
	bad32(&br[1].secondary, 2, -EINVAL, "bridge: bad secondary");
	/* Where the stream does not tell the place as well. */
	made.unit[0]->kind = MADE_KIND;
	bad32(&made.device[1]->bus, 3, -EINVAL,
	      "device: not on the bus below its bridges");
	bad32(&made.device[0]->bus, 0, -EINVAL,
	      "device: not on the bus below its bridges");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_header_fields),
		TEST(test_digest),
		TEST(test_no_memory),
		TEST(test_record_versions),
		TEST(test_record_fields),
		TEST(test_record_order),
		TEST(test_unit_fields),
		TEST(test_table_fields),
		TEST(test_vtd_tables),
		TEST(test_other_kind),
		TEST(test_domain_fields),
		TEST(test_domain_top),
		TEST(test_domain_head),
		TEST(test_chunk_fields),
		TEST(test_chunk_lengths),
		TEST(test_chunk_overlaps),
		TEST(test_table_overlaps),
		TEST(test_device_fields),
		TEST(test_device_references),
		TEST(test_device_stream),
		TEST(test_device_any_stream),
		TEST(test_bridge_fields),
	};

	return cmocka_run_group_tests_name("blob-check", tests, NULL, NULL);
}
