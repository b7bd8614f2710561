// SPDX-License-Identifier: GPL-2.0-only
/*
 * The blob: a golden one, which stays readable for ever, and what the writer makes.
 * What the parser must refuse is in test-blob-check.c and test-blob-bounds.c. All are
 * built twice: the second time (test-blob-later, ...) parser and writer have versions
 * one higher and records one field longer, as a later kernel will.
 */
#include <errno.h>
#include <string.h>

#include <linux/array_size.h>

#include "cmocka-all.h"
#include "made.h"
#include "sha.h"

/*
 * Version 2, as it will be for ever: these words were put together by another program,
 * which also made the digest. When this test fails the ABI is broken.
 */
static const u32 golden[] = {
	/* header: magic, version, length, total, records, flags, generation 5 */
	0x4d4d4f49, 0x5a524655, 0x00000002, 0x00000050, 0x00000218, 0x00000000,
	0x00000003, 0x00000001, 0x00000005, 0x00000000, 0x00000000, 0x00000000,
	0xcaf5a7af, 0x8586ad4b, 0xa193ce35, 0xf6c9c10e, 0xb79906a9, 0x8bc50a2a,
	0x39e0e829, 0x4d8f6ec7,
	/* unit at 80: registers 0xfed90000, root, one context and interrupt table */
	0x00000001, 0x00000002, 0x000000b0, 0x00000000, 0x00000001, 0x00000000,
	0xfed90000, 0x00000000, 0x222f0686, 0x00d2008c, 0x00f00f5e, 0x00000000,
	0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
	0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
	0x00000003, 0x00000000, 0x00000100, 0x00000000, 0x01234000, 0x00000000,
	0x00001000, 0x00000000, 0x00000000, 0x00000000, 0x01235000, 0x00000000,
	0x00001000, 0x00000000, 0x00000101, 0x00000000, 0x01236000, 0x00000000,
	0x00001000, 0x00000000,
	/* domain at 256: id 7, 4 levels, tag 0x102, one chunk at 8G, head at its end */
	0x00000002, 0x00000002, 0x00000098, 0x00000000, 0x00000007, 0x00000001,
	0x00000004, 0x0000000e, 0x00000000, 0x00000102, 0x00001000, 0x00000002,
	0x00005000, 0x00000002, 0x00000005, 0x00000000, 0x00000203, 0x00000000,
	0x00000003, 0x00000000, 0x40202000, 0x00000000, 0x00000001, 0x00000000,
	0xc3c2c1c0, 0xc7c6c5c4, 0xcbcac9c8, 0xcfcecdcc, 0xd3d2d1d0, 0xd7d6d5d4,
	0xdbdad9d8, 0xdfdedddc, 0x00000000, 0x00000002, 0x00200000, 0x00000000,
	0x00006000, 0x00000000,
	/* device at 408: 0000:01:00.0 8086:10c9 below the root port 00:02.0 */
	0x00000003, 0x00000002, 0x00000080, 0x00000000, 0x00000000, 0x00000001,
	0x00000000, 0x00008086, 0x000010c9, 0x00008086, 0x0000a03c, 0x02000001,
	0x00000000, 0x00000007, 0x00000000, 0x00000100, 0x00000002, 0x00000406,
	0xfe860000, 0xfe880000, 0x0000d001, 0xfe8a0000, 0x00000000, 0x00000000,
	0x00000001, 0x00000000, 0x00000000, 0x00000010, 0x00000000, 0x00000001,
	0x00000001, 0x00000000,
};

static void *golden_copy(void)
{
	void *copy = malloc(sizeof(golden));

	assert_non_null(copy);
	return memcpy(copy, golden, sizeof(golden));
}

static void check_golden_unit(const struct frz_blob *b)
{
	static const u64 ids[8] = { 0xd2008c222f0686, 0xf00f5e };
	static const struct frz_abi_table tables[] = {
		{ 0x100, 0, 0x1234000, 0x1000 }, { 0, 0, 0x1235000, 0x1000 },
		{ 0x101, 0, 0x1236000, 0x1000 },
	};
	const struct frz_abi_unit *unit = frz_blob_next_unit(b, NULL);

	assert_non_null(unit);
	assert_int_equal(unit->kind, FRZ_UNIT_VTD_LEGACY);
	assert_int_equal(unit->segment, 0);
	assert_int_equal(unit->reg_base, 0xfed90000);
	assert_memory_equal(unit->ids, ids, sizeof(ids));
	assert_int_equal(unit->nr_tables, 3);
	assert_memory_equal(frz_unit_tables(unit), tables, sizeof(tables));
	assert_null(frz_blob_next_unit(b, unit));
	assert_ptr_equal(frz_blob_unit(b, 0), unit);
	assert_null(frz_blob_unit(b, 1));

	assert_int_equal(frz_unit_table(unit, FRZ_VTD_TABLE_ROOT)->address, 0x1234000);
	assert_int_equal(frz_unit_table(unit, 0)->address, 0x1235000);
	assert_int_equal(frz_unit_table(unit, FRZ_VTD_TABLE_IRT)->address, 0x1236000);
	assert_null(frz_unit_table(unit, 1));
	/* What is behind its tables begins like one with this index. */
	assert_null(frz_unit_table(unit, FRZ_RECORD_DOMAIN));
}

static void check_golden_domain(const struct frz_blob *b)
{
	const struct frz_abi_domain *dom = frz_blob_next_domain(b, NULL);
	const struct frz_abi_chunk *chunk;
	unsigned int i;

	assert_non_null(dom);
	assert_int_equal(dom->id, 7);
	assert_int_equal(dom->format, FRZ_FORMAT_VTDSS);
	assert_int_equal(dom->levels, 4);
	assert_int_equal(dom->leaf_levels, 0xe);
	assert_int_equal(dom->unit, 0);
	assert_int_equal(dom->tag, 0x102);
	assert_int_equal(dom->top, 0x200001000);
	assert_int_equal(dom->head, 0x200005000);
	assert_int_equal(dom->stats.tables, 5);
	assert_int_equal(dom->stats.leaves, 515);
	assert_int_equal(dom->stats.extents, 3);
	assert_int_equal(dom->stats.bytes, 0x40202000);
	assert_int_equal(dom->nr_chunks, 1);
	for (i = 0; i < FRZ_DIGEST_LEN; i++)
		assert_int_equal(dom->digest[i], 0xc0 + i);
	chunk = frz_domain_chunks(dom);
	assert_int_equal(chunk->address, 0x200000000);
	assert_int_equal(chunk->len, 0x200000);
	assert_int_equal(chunk->used, 0x6000);
	assert_null(frz_blob_next_domain(b, dom));
	assert_ptr_equal(frz_blob_domain(b, 7), dom);
	assert_null(frz_blob_domain(b, 8));
}

static void check_golden_device(const struct frz_blob *b)
{
	static const u32 bars[6] = { 0xfe860000, 0xfe880000, 0xd001, 0xfe8a0000 };
	const struct frz_abi_device *dev = frz_blob_next_device(b, NULL);
	const struct frz_abi_bridge *bridge;

	assert_non_null(dev);
	assert_int_equal(dev->segment, 0);
	assert_int_equal(dev->bus, 1);
	assert_int_equal(dev->devfn, 0);
	assert_int_equal(dev->vendor, 0x8086);
	assert_int_equal(dev->device, 0x10c9);
	assert_int_equal(dev->subsystem_vendor, 0x8086);
	assert_int_equal(dev->subsystem_device, 0xa03c);
	assert_int_equal(dev->class_revision, 0x02000001);
	assert_int_equal(dev->hdr_type, 0);
	assert_int_equal(dev->domain, 7);
	assert_int_equal(dev->unit, 0);
	assert_int_equal(dev->stream, 0x100);
	assert_int_equal(dev->state, FRZ_DEVICE_FROZEN);
	assert_memory_equal(dev->bars, bars, sizeof(bars));
	assert_int_equal(dev->command, 0x406);
	assert_int_equal(dev->nr_bridges, 1);
	bridge = frz_device_bridges(dev);
	assert_int_equal(bridge->bus, 0);
	assert_int_equal(bridge->devfn, 0x10);
	assert_int_equal(bridge->primary, 0);
	assert_int_equal(bridge->secondary, 1);
	assert_int_equal(bridge->subordinate, 1);
	assert_null(frz_blob_next_device(b, dev));
}

static void test_golden(void **state)
{
	void *data = golden_copy();
	struct frz_blob b;

	(void)state;
	assert_int_equal(frz_blob_open(&b, data, sizeof(golden), NULL), 0);
	assert_int_equal(b.len, sizeof(golden));
	assert_int_equal(b.flags, FRZ_BLOB_FROZEN);
	assert_int_equal(b.generation, 5);
	assert_int_equal(b.nr_units, 1);
	assert_int_equal(b.nr_domains, 1);
	assert_int_equal(b.nr_devices, 1);
	check_golden_unit(&b);
	check_golden_domain(&b);
	check_golden_device(&b);
	free(data);
}

/* Any one bit of it: the digest, if nothing else, tells. */
static void test_every_bit(void **state)
{
	u8 *data = golden_copy();
	struct frz_blob_error err;
	struct frz_blob b;
	size_t i;
	u32 bit;

	(void)state;
	for (i = 0; i < sizeof(golden); i++) {
		for (bit = 0; bit < 8; bit++) {
			data[i] ^= 1 << bit;
			assert_true(frz_blob_open(&b, data, sizeof(golden), &err) < 0);
			assert_non_null(err.reason);
			assert_in_range(err.offset, 0, sizeof(golden));
			data[i] ^= 1 << bit;
		}
	}
	assert_int_equal(frz_blob_open(&b, data, sizeof(golden), &err), 0);
	free(data);
}

/* Cut off at every length: memory ends there, and the sanitizer watches it. */
static void test_truncated(void **state)
{
	void *data = golden_copy(), *cut;
	struct frz_blob_error err;
	struct frz_blob b;
	size_t len;

	(void)state;
	for (len = 0; len < sizeof(golden); len++) {
		cut = malloc(len ?: 1);
		assert_non_null(cut);
		memcpy(cut, data, len);
		assert_int_equal(frz_blob_open(&b, cut, len, &err), -EINVAL);
		assert_true(!strncmp(err.reason, "cut off", 7));
		/* The same with a length that says so itself. */
		if (len >= sizeof(struct frz_abi_header)) {
			struct frz_abi_header *h = cut;

			h->total_len = len;
			sha_fix_digest(cut, len);
			assert_int_equal(frz_blob_open(&b, cut, len, &err),
					 -EINVAL);
			assert_non_null(err.reason);
		}
		free(cut);
	}
	/* Memory may be longer than the blob. */
	cut = calloc(1, 4096);
	assert_non_null(cut);
	memcpy(cut, data, sizeof(golden));
	memset((u8 *)cut + sizeof(golden), 0x55, 4096 - sizeof(golden));
	assert_int_equal(frz_blob_open(&b, cut, 4096, &err), 0);
	assert_int_equal(b.len, sizeof(golden));
	free(cut);
	free(data);
}

static void test_unaligned_memory(void **state)
{
	u8 *data = malloc(sizeof(golden) + 4);
	void *copy = golden_copy();
	struct frz_blob_error err;
	struct frz_blob b;

	(void)state;
	assert_non_null(data);
	memcpy(data + 4, copy, sizeof(golden));
	assert_int_equal(frz_blob_open(&b, data + 4, sizeof(golden), &err),
			 -EINVAL);
	assert_string_equal(err.reason, "memory is not 8-byte aligned");
	free(copy);
	free(data);
}

/*
 * Any 32-bit word set to anything, digest made right: refused with a reason, or
 * taken, and then all of it can be read.
 */
static void test_every_word(void **state)
{
	static const u32 values[] = { 0, 1, 2, 3, 4, 7, 0x80, 0x1000, 0xffff, 0x10000,
				      0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff };
	u32 *data = golden_copy();
	struct frz_blob_error err;
	struct frz_blob b;
	size_t i, k;
	u32 old;
	int ret;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(golden); i++) {
		old = data[i];
		for (k = 0; k < ARRAY_SIZE(values); k++) {
			data[i] = values[k];
			sha_fix_digest(data, sizeof(golden));
			ret = frz_blob_open(&b, data, sizeof(golden), &err);
			if (ret)
				assert_non_null(err.reason);
			else
				read_all(&b);
		}
		data[i] = old;
	}
	free(data);
}

/* Two records of a length, but for their headers and for what is behind it. */
static void assert_same(const struct frz_abi_record *have,
			const struct frz_abi_record *want, size_t len)
{
	assert_memory_equal(have + 1, want + 1, len - sizeof(*want));
}

static void test_round_trip(void **state)
{
	const struct frz_abi_domain *dom = NULL;
	const struct frz_abi_device *dev = NULL;
	const struct frz_abi_unit *unit = NULL;
	void *data = malloc(MADE_LEN);
	struct frz_blob_writer w;
	struct frz_blob b;
	u32 n;

	(void)state;
	assert_non_null(data);
	memset(data, 0x55, MADE_LEN);
	assert_int_equal(make(&w, data, MADE_LEN), MADE_LEN);
	assert_int_equal(frz_blob_open(&b, data, MADE_LEN, NULL), 0);
	assert_int_equal(b.generation, 3);
	assert_int_equal(b.flags, FRZ_BLOB_FROZEN);

	for (n = 0; (unit = frz_blob_next_unit(&b, unit)); n++) {
		assert_same(&unit->record, &made_units[n].record, MADE_UNIT);
		assert_memory_equal(frz_unit_tables(unit), made_tables[n],
				    unit->nr_tables * sizeof(struct frz_abi_table));
	}
	assert_int_equal(n, 2);
	for (n = 0; (dom = frz_blob_next_domain(&b, dom)); n++) {
		assert_same(&dom->record, &made_domains[n].record, MADE_DOMAIN);
		assert_memory_equal(frz_domain_chunks(dom), made_chunks[n],
				    dom->nr_chunks * sizeof(struct frz_abi_chunk));
	}
	assert_int_equal(n, 3);
	for (n = 0; (dev = frz_blob_next_device(&b, dev)); n++) {
		assert_same(&dev->record, &made_devices[n].record, MADE_DEVICE);
		if (dev->nr_bridges)
			assert_memory_equal(frz_device_bridges(dev), made_bridges[n],
					    dev->nr_bridges * sizeof(struct frz_abi_bridge));
	}
	assert_int_equal(n, 3);
	assert_int_equal(frz_blob_unit(&b, 1)->reg_base, 0xfed91000);
	assert_int_equal(frz_blob_domain(&b, 9)->top, 0x600000);
	assert_null(frz_blob_domain(&b, 0));
	free(data);
}

/* Sealed, it is the blob that is written at once; until then nothing is frozen in it. */
static void test_seal(void **state)
{
	struct frz_abi_device devices[ARRAY_SIZE(made_devices)];
	const struct frz_abi_device *dev = NULL;
	struct frz_blob_writer w;
	void *want = malloc(MADE_LEN);
	void *data = malloc(MADE_LEN);
	struct frz_blob_seal seal;
	size_t at[ARRAY_SIZE(devices)];
	struct frz_blob b;
	u32 i = 0;

	(void)state;
	assert_non_null(want);
	assert_non_null(data);
	assert_int_equal(make(&w, want, MADE_LEN), MADE_LEN);
	assert_int_equal(make(&w, data, MADE_LEN), MADE_LEN);

	frz_blob_seal_begin(&seal, &w);
	assert_int_equal(frz_blob_open(&b, data, MADE_LEN, NULL), 0);
	assert_int_equal(b.flags, 0);
	assert_int_equal(b.nr_devices, ARRAY_SIZE(devices));
	while ((dev = frz_blob_next_device(&b, dev))) {
		at[i] = (void *)dev - data;
		devices[i] = made_devices[i];
		devices[i].command = 0x400 + i;
		devices[i].bars[i] = 0xfe000000;
		/* Of these the record keeps its own. */
		devices[i].record.len = 7;
		devices[i].nr_bridges = 7;
		i++;
	}
	for (i = 0; i < ARRAY_SIZE(devices); i++)
		frz_blob_seal_device(&seal, at[i], &devices[i],
				     i < 2 ? made_bridges[i] : NULL);
	made_digested = 0;
	frz_blob_seal_end(&seal);
	assert_int_equal(made_digested, MADE_LEN - at[0]);
	assert_int_equal(frz_blob_open(&b, data, MADE_LEN, NULL), 0);
	assert_int_equal(b.flags, FRZ_BLOB_FROZEN);
	for (i = 0; (dev = frz_blob_next_device(&b, dev)); i++) {
		assert_int_equal(dev->command, 0x400 + i);
		assert_int_equal(dev->bars[i], 0xfe000000);
	}
	assert_int_equal(i, ARRAY_SIZE(devices));

	/* As they were: then it is the other one. */
	assert_int_equal(make(&w, data, MADE_LEN), MADE_LEN);
	frz_blob_seal_begin(&seal, &w);
	for (i = 0; i < ARRAY_SIZE(devices); i++)
		frz_blob_seal_device(&seal, at[i], &made_devices[i],
				     i < 2 ? made_bridges[i] : NULL);
	frz_blob_seal_end(&seal);
	assert_memory_equal(data, want, MADE_LEN);
	free(data);
	free(want);
}

/* How many there are of each, no two alike: memory is taken by these numbers. */
static void test_numbers(void **state)
{
	void *data = malloc(MADE_LEN);
	struct frz_blob_writer w;
	struct frz_blob b;
	u32 i;

	(void)state;
	assert_non_null(data);
	frz_blob_begin(&w, data, MADE_LEN);
	for (i = 0; i < 2; i++)
		frz_blob_add_unit(&w, &made_units[i], made_tables[i]);
	for (i = 0; i < 3; i++)
		frz_blob_add_domain(&w, &made_domains[i], made_chunks[i]);
	frz_blob_add_device(&w, &made_devices[2], NULL);
	assert_true(frz_blob_end(&w, 0, 0) > 0);
	assert_int_equal(frz_blob_open(&b, data, MADE_LEN, NULL), 0);
	assert_int_equal(b.nr_units, 2);
	assert_int_equal(b.nr_domains, 3);
	assert_int_equal(b.nr_devices, 1);
	free(data);
}

static void test_empty_blob(void **state)
{
	struct frz_blob_writer w;
	struct frz_blob b;
	u64 data[10];

	(void)state;
	/* Not one that does not take a header, whose room is not written to either. */
	data[9] = 7;
	assert_int_equal(frz_blob_begin(&w, data, sizeof(data) - 1), -ENOSPC);
	assert_int_equal(frz_blob_end(&w, 0, 0), -ENOSPC);
	assert_int_equal(data[9], 7);
	assert_int_equal(frz_blob_begin(&w, data, sizeof(data)), 0);
	assert_int_equal(frz_blob_end(&w, 0, 0), 80);
	assert_int_equal(frz_blob_open(&b, data, sizeof(data), NULL), 0);
	assert_null(frz_blob_next_unit(&b, NULL));
	assert_null(frz_blob_next_domain(&b, NULL));
	assert_null(frz_blob_next_device(&b, NULL));
	assert_null(frz_blob_unit(&b, 0));
	assert_null(frz_blob_domain(&b, 0));
}

/* 104, 128 and 104 bytes in version 2. */
static void test_sizes(void **state)
{
	const u32 more = FRZ_BLOB_VERSION > 2 ? 8 : 0;

	(void)state;
	assert_int_equal(sizeof(struct frz_abi_header), 80);
	assert_int_equal(frz_blob_size(FRZ_RECORD_UNIT, 0), 104 + more);
	assert_int_equal(frz_blob_size(FRZ_RECORD_UNIT, 1024), 104 + more + 1024 * 24);
	assert_int_equal(frz_blob_size(FRZ_RECORD_DOMAIN, 3), 128 + more + 3 * 24);
	assert_int_equal(frz_blob_size(FRZ_RECORD_DEVICE, 8), 104 + more + 8 * 24);
}

/* No room at every size: nothing is written behind the end. */
static void test_no_room(void **state)
{
	struct frz_blob_writer w;
	size_t cap;
	void *data;

	(void)state;
	for (cap = 0; cap < MADE_LEN; cap++) {
		data = malloc(cap ?: 1);
		assert_non_null(data);
		assert_int_equal(make(&w, data, cap), -ENOSPC);
		free(data);
	}
}

/* Numbers of units that were added, whatever was added behind them. */
static void test_unit_number(void **state)
{
	void *data = malloc(MADE_LEN);
	struct frz_blob_writer w;

	(void)state;
	assert_non_null(data);
	frz_blob_begin(&w, data, MADE_LEN);
	assert_int_equal(frz_blob_unit_number(&w, 0xfed90000), -ENOENT);
	frz_blob_add_unit(&w, &made_units[0], made_tables[0]);
	assert_int_equal(frz_blob_unit_number(&w, 0xfed90000), 0);
	assert_int_equal(frz_blob_unit_number(&w, 0xfed91000), -ENOENT);
	frz_blob_add_unit(&w, &made_units[1], made_tables[1]);
	assert_int_equal(frz_blob_unit_number(&w, 0xfed90000), 0);
	assert_int_equal(frz_blob_unit_number(&w, 0xfed91000), 1);
	/* Where a unit has the address of its registers a domain has other things. */
	frz_blob_add_domain(&w, &made_domains[1], made_chunks[1]);
	assert_int_equal(frz_blob_unit_number(&w, 0xfed91000), 1);
	assert_int_equal(frz_blob_unit_number(&w, 0x6ULL << 32 | 3), -ENOENT);
	assert_int_equal(frz_blob_unit_number(&w, 0), -ENOENT);
	/* What did not fit is not there. */
	frz_blob_begin(&w, data, 80 + frz_blob_size(FRZ_RECORD_UNIT, 4));
	frz_blob_add_unit(&w, &made_units[0], made_tables[0]);
	assert_int_equal(frz_blob_add_unit(&w, &made_units[1], made_tables[1]), -ENOSPC);
	assert_int_equal(frz_blob_unit_number(&w, 0xfed91000), -ENOENT);
	frz_blob_begin(&w, data, 0);
	assert_int_equal(frz_blob_unit_number(&w, 0xfed90000), -ENOENT);
	free(data);
}

static void test_writer_order(void **state)
{
	struct frz_blob_writer w;
	size_t cap = 0x1000;
	void *data = malloc(cap);

	(void)state;
	assert_non_null(data);
	assert_int_equal(frz_blob_begin(&w, data + 4, cap - 4), -EINVAL);
	assert_int_equal(frz_blob_end(&w, 0, 0), -EINVAL);

	/* The error sticks. */
	frz_blob_begin(&w, data, cap);
	assert_int_equal(frz_blob_add_device(&w, &made_devices[2], NULL), 0);
	assert_int_equal(frz_blob_add_unit(&w, &made_units[0], made_tables[0]), -EINVAL);
	assert_int_equal(frz_blob_add_device(&w, &made_devices[2], NULL), -EINVAL);
	assert_int_equal(frz_blob_end(&w, 0, 0), -EINVAL);
	frz_blob_begin(&w, data, cap);
	assert_int_equal(frz_blob_add_domain(&w, &made_domains[0], made_chunks[0]), 0);
	assert_int_equal(frz_blob_add_unit(&w, &made_units[0], made_tables[0]), -EINVAL);
	frz_blob_begin(&w, data, cap);
	assert_int_equal(frz_blob_add_device(&w, &made_devices[2], NULL), 0);
	assert_int_equal(frz_blob_add_domain(&w, &made_domains[0], made_chunks[0]),
			 -EINVAL);
	free(data);
}

static void test_writer_refuses(void **state)
{
	struct frz_abi_device dev = made_devices[0];
	struct frz_abi_domain dom = made_domains[0];
	struct frz_abi_table table = { FRZ_VTD_TABLE_ROOT, 0, 0x123, 0x1000 };
	struct frz_abi_unit unit = made_units[0];
	struct frz_blob_writer w;
	size_t cap = 0x800000;
	void *data = malloc(cap);
	u32 i;

	(void)state;
	assert_non_null(data);

	/* Bounds. */
	frz_blob_begin(&w, data, cap);
	unit.nr_tables = FRZ_MAX_TABLES + 1;
	assert_int_equal(frz_blob_add_unit(&w, &unit, NULL), -E2BIG);
	frz_blob_begin(&w, data, cap);
	dom.nr_chunks = FRZ_MAX_CHUNKS + 1;
	assert_int_equal(frz_blob_add_domain(&w, &dom, NULL), -E2BIG);
	frz_blob_begin(&w, data, cap);
	dev.nr_bridges = FRZ_MAX_BRIDGES + 1;
	assert_int_equal(frz_blob_add_device(&w, &dev, NULL), -E2BIG);
	frz_blob_begin(&w, data, cap);
	for (i = 0; i < FRZ_MAX_RECORDS; i++)
		assert_int_equal(frz_blob_add_device(&w, &made_devices[2], NULL), 0);
	assert_int_equal(frz_blob_add_device(&w, &made_devices[2], NULL), -E2BIG);

	/* What the next kernel would refuse; with its reason. */
	frz_blob_begin(&w, data, cap);
	unit.nr_tables = 1;
	assert_int_equal(frz_blob_add_unit(&w, &unit, &table), 0);
	assert_int_equal(frz_blob_end(&w, 0, 0), -EINVAL);
	assert_string_equal(w.err.reason, "table: bad address");
	assert_int_equal(w.err.value, 0x123);
	frz_blob_begin(&w, data, cap);
	assert_int_equal(frz_blob_end(&w, 2, 0), -EOPNOTSUPP);
	free(data);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_unaligned_memory),
		cmocka_unit_test(test_every_word),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_seal),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_empty_blob),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_unit_number),
		cmocka_unit_test(test_writer_order),
		cmocka_unit_test(test_writer_refuses),
	};

	return cmocka_run_group_tests_name("blob", tests, NULL, NULL);
}
