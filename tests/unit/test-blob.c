// SPDX-License-Identifier: GPL-2.0-only
/*
 * The blob: a hand-made one of each version, what the writer makes, and everything
 * that the parser must refuse. Built twice: the second time (test-blob-later)
 * parser and writer have versions one higher, as a later kernel will.
 */
#include <time.h>

#include "cmocka-all.h"
#include "sha.h"

/*
 * Version 1, as it will be for ever: these words were put together by hand and
 * their digest made by another program. When this test fails the ABI is broken.
 */
static const u32 golden[] = {
	/* header: magic, version, length, total, records, flags, generation 5 */
	0x4d4d4f49, 0x5a524655, 0x00000001, 0x00000050, 0x000001a8, 0x00000000,
	0x00000003, 0x00000001, 0x00000005, 0x00000000, 0x00000000, 0x00000000,
	0x04dbbaf4, 0x857ababc, 0xc3db4a2b, 0x09490a27, 0x01b236e9, 0x5d0cfd73,
	0x7b0ae207, 0x8d6e4cd6,
	/* unit at 80: registers 0xfed90000, root 0x1234000, one context table */
	0x00000001, 0x00000001, 0x00000050, 0x00000000,
	0x00000001, 0x00000000, 0xfed90000, 0x00000000, 0x222f0686, 0x00d2008c,
	0x00f00f5e, 0x00000000, 0x01234000, 0x00000000, 0x00000001, 0x00000000,
	0x00000000, 0x00000000, 0x01235000, 0x00000000,
	/* domain at 160: id 7, 4 levels, did 0x102, one chunk at 8G */
	0x00000002, 0x00000001, 0x00000090, 0x00000000, 0x00000007, 0x00000001,
	0x00000004, 0x0000000e, 0x00000000, 0x00000102, 0x00001000, 0x00000002,
	0x00000006, 0x00000000, 0x00000203, 0x00000000, 0x00000003, 0x00000000,
	0x40202000, 0x00000000, 0x00000001, 0x00000000, 0xc3c2c1c0, 0xc7c6c5c4,
	0xcbcac9c8, 0xcfcecdcc, 0xd3d2d1d0, 0xd7d6d5d4, 0xdbdad9d8, 0xdfdedddc,
	0x00000000, 0x00000002, 0x00200000, 0x00000000, 0x00006000, 0x00000000,
	/* device at 304: 0000:01:00.0 8086:10c9 below the root port 00:02.0 */
	0x00000003, 0x00000001, 0x00000078, 0x00000000, 0x00000000, 0x00000001,
	0x00000000, 0x00008086, 0x000010c9, 0x00008086, 0x0000a03c, 0x02000001,
	0x00000000, 0x00000007, 0x00000000, 0x00000002, 0xfe860000, 0xfe880000,
	0x0000d001, 0xfe8a0000, 0x00000000, 0x00000000, 0x00000406, 0x00000001,
	0x00000000, 0x00000010, 0x00000000, 0x00000001, 0x00000001, 0x00000000,
};

/* The same in version 2: its unit has an empty interrupt remapping table. */
static const u32 golden_2[] = {
	0x4d4d4f49, 0x5a524655, 0x00000002, 0x00000050, 0x000001b0, 0x00000000,
	0x00000003, 0x00000001, 0x00000005, 0x00000000, 0x00000000, 0x00000000,
	0xbc5fe836, 0x252ad6e0, 0x7548b84b, 0xc66eca27, 0x8116b56a, 0xc6a57621,
	0xd2ca9485, 0x8b888f7d,
	/* unit at 80: registers 0xfed90000, irt 0x1236000 */
	0x00000001, 0x00000002, 0x00000058, 0x00000000,
	0x00000001, 0x00000000, 0xfed90000, 0x00000000, 0x222f0686, 0x00d2008c,
	0x00f00f5e, 0x00000000, 0x01234000, 0x00000000, 0x00000001, 0x00000000,
	0x01236000, 0x00000000,
	0x00000000, 0x00000000, 0x01235000, 0x00000000,
	/* domain at 168, device at 312 */
	0x00000002, 0x00000001, 0x00000090, 0x00000000, 0x00000007, 0x00000001,
	0x00000004, 0x0000000e, 0x00000000, 0x00000102, 0x00001000, 0x00000002,
	0x00000006, 0x00000000, 0x00000203, 0x00000000, 0x00000003, 0x00000000,
	0x40202000, 0x00000000, 0x00000001, 0x00000000, 0xc3c2c1c0, 0xc7c6c5c4,
	0xcbcac9c8, 0xcfcecdcc, 0xd3d2d1d0, 0xd7d6d5d4, 0xdbdad9d8, 0xdfdedddc,
	0x00000000, 0x00000002, 0x00200000, 0x00000000, 0x00006000, 0x00000000,
	0x00000003, 0x00000001, 0x00000078, 0x00000000, 0x00000000, 0x00000001,
	0x00000000, 0x00008086, 0x000010c9, 0x00008086, 0x0000a03c, 0x02000001,
	0x00000000, 0x00000007, 0x00000000, 0x00000002, 0xfe860000, 0xfe880000,
	0x0000d001, 0xfe8a0000, 0x00000000, 0x00000000, 0x00000406, 0x00000001,
	0x00000000, 0x00000010, 0x00000000, 0x00000001, 0x00000001, 0x00000000,
};

static void *copy_words(const u32 *words, size_t len)
{
	u32 *copy = malloc(len);
	size_t i;

	assert_non_null(copy);
	for (i = 0; i < len / sizeof(*words); i++)
		copy[i] = cpu_to_le32(words[i]);
	return copy;
}

static void *golden_copy(void)
{
	return copy_words(golden, sizeof(golden));
}

static void check_golden(void *data, size_t len, u64 irt)
{
	static const u32 bars[6] = { 0xfe860000, 0xfe880000, 0xd001, 0xfe8a0000 };
	struct frz_unit unit = {};
	struct frz_domain dom = {};
	struct frz_device dev = {};
	struct frz_bridge bridge;
	struct frz_chunk chunk;
	struct frz_blob b;
	unsigned int i;
	u32 bus;
	u64 pa;

	assert_int_equal(frz_blob_open(&b, data, len, &sha256, NULL), 0);
	assert_int_equal(b.len, len);
	assert_int_equal(b.flags, FRZ_BLOB_FROZEN);
	assert_int_equal(b.generation, 5);
	assert_int_equal(b.nr_units, 1);
	assert_int_equal(b.nr_domains, 1);
	assert_int_equal(b.nr_devices, 1);

	assert_true(frz_blob_next_unit(&b, &unit));
	assert_int_equal(unit.kind, FRZ_UNIT_VTD_LEGACY);
	assert_int_equal(unit.segment, 0);
	assert_int_equal(unit.reg_base, 0xfed90000);
	assert_int_equal(unit.cap, 0xd2008c222f0686);
	assert_int_equal(unit.ecap, 0xf00f5e);
	assert_int_equal(unit.root, 0x1234000);
	assert_int_equal(unit.irt, irt);
	assert_int_equal(unit.nr_contexts, 1);
	frz_blob_context(&b, &unit, 0, &bus, &pa);
	assert_int_equal(bus, 0);
	assert_int_equal(pa, 0x1235000);
	assert_false(frz_blob_next_unit(&b, &unit));
	assert_true(frz_blob_find_unit(&b, 0, &unit));
	assert_int_equal(unit.root, 0x1234000);
	assert_false(frz_blob_find_unit(&b, 1, &unit));

	assert_true(frz_blob_next_domain(&b, &dom));
	assert_int_equal(dom.id, 7);
	assert_int_equal(dom.format, FRZ_FORMAT_VTDSS);
	assert_int_equal(dom.levels, 4);
	assert_int_equal(dom.leaf_levels, 0xe);
	assert_int_equal(dom.unit, 0);
	assert_int_equal(dom.did, 0x102);
	assert_int_equal(dom.top, 0x200001000);
	assert_int_equal(dom.stats.tables, 6);
	assert_int_equal(dom.stats.leaves, 515);
	assert_int_equal(dom.stats.extents, 3);
	assert_int_equal(dom.stats.bytes, 0x40202000);
	assert_int_equal(dom.nr_chunks, 1);
	for (i = 0; i < FRZ_DIGEST_LEN; i++)
		assert_int_equal(dom.digest[i], 0xc0 + i);
	frz_blob_chunk(&b, &dom, 0, &chunk);
	assert_int_equal(chunk.address, 0x200000000);
	assert_int_equal(chunk.len, 0x200000);
	assert_int_equal(chunk.used, 0x6000);
	assert_false(frz_blob_next_domain(&b, &dom));
	assert_true(frz_blob_find_domain(&b, 7, &dom));
	assert_int_equal(dom.did, 0x102);
	assert_false(frz_blob_find_domain(&b, 8, &dom));

	assert_true(frz_blob_next_device(&b, &dev));
	assert_int_equal(dev.segment, 0);
	assert_int_equal(dev.bus, 1);
	assert_int_equal(dev.devfn, 0);
	assert_int_equal(dev.vendor, 0x8086);
	assert_int_equal(dev.device, 0x10c9);
	assert_int_equal(dev.subsystem_vendor, 0x8086);
	assert_int_equal(dev.subsystem_device, 0xa03c);
	assert_int_equal(dev.class_revision, 0x02000001);
	assert_int_equal(dev.hdr_type, 0);
	assert_int_equal(dev.domain, 7);
	assert_int_equal(dev.unit, 0);
	assert_int_equal(dev.state, FRZ_DEVICE_FROZEN);
	assert_memory_equal(dev.bars, bars, sizeof(bars));
	assert_int_equal(dev.command, 0x406);
	assert_int_equal(dev.nr_bridges, 1);
	frz_blob_bridge(&b, &dev, 0, &bridge);
	assert_int_equal(bridge.bus, 0);
	assert_int_equal(bridge.devfn, 0x10);
	assert_int_equal(bridge.primary, 0);
	assert_int_equal(bridge.secondary, 1);
	assert_int_equal(bridge.subordinate, 1);
	assert_false(frz_blob_next_device(&b, &dev));
	free(data);
}

static void test_golden(void **state)
{
	(void)state;
	check_golden(golden_copy(), sizeof(golden), 0);
	check_golden(copy_words(golden_2, sizeof(golden_2)), sizeof(golden_2),
		     0x1236000);
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
			assert_true(frz_blob_open(&b, data, sizeof(golden), &sha256,
						  &err) < 0);
			assert_non_null(err.reason);
			assert_in_range(err.offset, 0, sizeof(golden));
			data[i] ^= 1 << bit;
		}
	}
	assert_int_equal(frz_blob_open(&b, data, sizeof(golden), &sha256, &err), 0);
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
		assert_int_equal(frz_blob_open(&b, cut, len, &sha256, &err), -EINVAL);
		assert_true(!strncmp(err.reason, "cut off", 7));
		/* The same with a length that says so itself. */
		if (len >= sizeof(struct frz_abi_header)) {
			struct frz_abi_header *h = cut;

			h->total_len = cpu_to_le64(len);
			sha_fix_digest(cut, len);
			assert_int_equal(frz_blob_open(&b, cut, len, &sha256, &err),
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
	assert_int_equal(frz_blob_open(&b, cut, 4096, &sha256, &err), 0);
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
	assert_int_equal(frz_blob_open(&b, data + 4, sizeof(golden), &sha256, &err),
			 -EINVAL);
	assert_string_equal(err.reason, "memory is not 8-byte aligned");
	free(copy);
	free(data);
}

/*
 * Any 32-bit word set to anything, digest made right: refused with a reason, or
 * taken, and then all of it can be read.
 */
static void read_all(const struct frz_blob *b)
{
	struct frz_unit unit = {};
	struct frz_domain dom = {};
	struct frz_device dev = {};
	struct frz_bridge bridge;
	struct frz_chunk chunk;
	u32 i, bus, n = 0;
	u64 pa;

	while (frz_blob_next_unit(b, &unit))
		for (n++, i = 0; i < unit.nr_contexts; i++)
			frz_blob_context(b, &unit, i, &bus, &pa);
	while (frz_blob_next_domain(b, &dom))
		for (n++, i = 0; i < dom.nr_chunks; i++)
			frz_blob_chunk(b, &dom, i, &chunk);
	while (frz_blob_next_device(b, &dev))
		for (n++, i = 0; i < dev.nr_bridges; i++)
			frz_blob_bridge(b, &dev, i, &bridge);
	assert_int_equal(n, b->nr_units + b->nr_domains + b->nr_devices);
}

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
			data[i] = cpu_to_le32(values[k]);
			sha_fix_digest(data, sizeof(golden));
			ret = frz_blob_open(&b, data, sizeof(golden), &sha256, &err);
			if (ret)
				assert_non_null(err.reason);
			else
				read_all(&b);
		}
		data[i] = old;
	}
	free(data);
}

/*
 * A blob with more in it, made by the writer: units 0 (2 context tables, an
 * interrupt remapping table) and 1 (1 context table); domains 7 (2 chunks) and 8
 * on unit 0, 9 on unit 1 with the same did as 7; devices 0000:01:00.0 and
 * 0000:04:02.1 on unit 0, the latter below three bridges, and 0001:00:03.0 on
 * unit 1 with none.
 */
#define MADE_LEN (80 + (72 + 2 * 16) + (72 + 16) + (120 + 2 * 24) + \
		  2 * (120 + 24) + (96 + 24) + (96 + 3 * 24) + 96)

static const struct frz_unit made_units[] = {
	{ .kind = 1, .segment = 0, .reg_base = 0xfed90000, .cap = 1, .ecap = 2,
	  .root = 0x100000, .irt = 0x103000 },
	{ .kind = 1, .segment = 1, .reg_base = 0xfed91000, .cap = 3, .ecap = 4,
	  .root = 0x110000 },
};

static const struct frz_context made_contexts[][2] = {
	{ { 1, 0x101000 }, { 4, 0x102000 } }, { { 0, 0x111000 } },
};

static const struct frz_domain made_domains[] = {
	{ .id = 7, .format = 1, .levels = 4, .leaf_levels = 0xe, .unit = 0,
	  .did = 0x10, .top = 0x401000, .stats = { 5, 6, 7, 8 }, .digest = { 1 } },
	{ .id = 8, .format = 1, .levels = 3, .leaf_levels = 0x6, .unit = 0,
	  .did = 0x11, .top = 0x500000, .stats = { 1, 2, 3, 4 }, .digest = { 2 } },
	{ .id = 9, .format = 1, .levels = 5, .leaf_levels = 0x2, .unit = 1,
	  .did = 0x10, .top = 0x600000, .stats = { 1, 2, 3, 4 }, .digest = { 3 } },
};

static const struct frz_chunk made_chunks[][2] = {
	{ { 0x300000, 0x100000, 0x3000 }, { 0x400000, 0x4000, 0x2000 } },
	{ { 0x500000, 0x1000, 0x1000 } },
	{ { 0x600000, 0x2000, 0x1000 } },
};

static const struct frz_device made_devices[] = {
	{ .segment = 0, .bus = 1, .devfn = 0, .vendor = 0x8086, .device = 0x10c9,
	  .class_revision = 0x02000001, .hdr_type = 0x80, .domain = 7, .unit = 0,
	  .state = FRZ_DEVICE_FROZEN, .bars = { 1, 2, 3, 4, 5, 6 }, .command = 6 },
	{ .segment = 0, .bus = 4, .devfn = 0x11, .vendor = 0x8086, .device = 0x10c9,
	  .domain = 8, .unit = 0, .state = FRZ_DEVICE_PRESERVED },
	{ .segment = 1, .bus = 0, .devfn = 0x18, .vendor = 0x1b36, .device = 0x10,
	  .subsystem_vendor = 0x1af4, .subsystem_device = 0x1100,
	  .domain = 9, .unit = 1, .state = FRZ_DEVICE_FROZEN },
};

static const struct frz_bridge made_bridges[][3] = {
	{ { 0, 0x10, 0, 1, 1 } },
	{ { 0, 0x18, 0, 2, 5 }, { 2, 0, 2, 3, 4 }, { 3, 8, 3, 4, 4 } },
};

/* Writes all of it; the errors stick. */
static long make(struct frz_blob_writer *w, void *buf, size_t cap)
{
	frz_blob_begin(w, buf, cap);
	frz_blob_add_unit(w, &made_units[0], made_contexts[0], 2);
	frz_blob_add_unit(w, &made_units[1], made_contexts[1], 1);
	frz_blob_add_domain(w, &made_domains[0], made_chunks[0], 2);
	frz_blob_add_domain(w, &made_domains[1], made_chunks[1], 1);
	frz_blob_add_domain(w, &made_domains[2], made_chunks[2], 1);
	frz_blob_add_device(w, &made_devices[0], made_bridges[0], 1);
	frz_blob_add_device(w, &made_devices[1], made_bridges[1], 3);
	frz_blob_add_device(w, &made_devices[2], NULL, 0);
	return frz_blob_end(w, FRZ_BLOB_FROZEN, 3, &sha256);
}

static void test_round_trip(void **state)
{
	struct frz_blob_writer w;
	void *data = malloc(MADE_LEN);
	struct frz_unit unit = {};
	struct frz_domain dom = {};
	struct frz_device dev = {};
	struct frz_bridge bridge;
	struct frz_chunk chunk;
	struct frz_blob b;
	u32 n, i, bus;
	u64 pa;

	(void)state;
	assert_non_null(data);
	memset(data, 0x55, MADE_LEN);
	assert_int_equal(make(&w, data, MADE_LEN), MADE_LEN);
	assert_int_equal(frz_blob_open(&b, data, MADE_LEN, &sha256, NULL), 0);
	assert_int_equal(b.generation, 3);
	assert_int_equal(b.flags, FRZ_BLOB_FROZEN);

	for (n = 0; frz_blob_next_unit(&b, &unit); n++) {
		const struct frz_unit *want = &made_units[n];

		assert_memory_equal(&unit, want,
				    offsetof(struct frz_unit, nr_contexts));
		assert_int_equal(unit.nr_contexts, 2 - n);
		for (i = 0; i < unit.nr_contexts; i++) {
			frz_blob_context(&b, &unit, i, &bus, &pa);
			assert_int_equal(bus, made_contexts[n][i].bus);
			assert_int_equal(pa, made_contexts[n][i].address);
		}
	}
	assert_int_equal(n, 2);
	for (n = 0; frz_blob_next_domain(&b, &dom); n++) {
		const struct frz_domain *want = &made_domains[n];

		assert_memory_equal(&dom, want,
				    offsetof(struct frz_domain, nr_chunks));
		assert_memory_equal(dom.digest, want->digest, FRZ_DIGEST_LEN);
		assert_int_equal(dom.nr_chunks, n ? 1 : 2);
		for (i = 0; i < dom.nr_chunks; i++) {
			frz_blob_chunk(&b, &dom, i, &chunk);
			assert_memory_equal(&chunk, &made_chunks[n][i], sizeof(chunk));
		}
	}
	assert_int_equal(n, 3);
	for (n = 0; frz_blob_next_device(&b, &dev); n++) {
		assert_memory_equal(&dev, &made_devices[n],
				    offsetof(struct frz_device, nr_bridges));
		assert_int_equal(dev.nr_bridges, n == 0 ? 1 : n == 1 ? 3 : 0);
		for (i = 0; i < dev.nr_bridges; i++) {
			frz_blob_bridge(&b, &dev, i, &bridge);
			assert_memory_equal(&bridge, &made_bridges[n][i],
					    sizeof(bridge));
		}
	}
	assert_int_equal(n, 3);
	assert_true(frz_blob_find_unit(&b, 1, &unit));
	assert_int_equal(unit.root, 0x110000);
	assert_true(frz_blob_find_domain(&b, 9, &dom));
	assert_int_equal(dom.top, 0x600000);
	assert_false(frz_blob_find_domain(&b, 0, &dom));
	free(data);
}

static size_t sealed_bytes;

static void count_update(void *ctx, const void *data, size_t len)
{
	sealed_bytes += len;
	sha256.update(ctx, data, len);
}

/* Sealed, it is the blob that is written at once; until then nothing is frozen in it. */
static void test_seal(void **state)
{
	struct frz_device devices[ARRAY_SIZE(made_devices)];
	struct evp_md_ctx_st *ctx = NULL;
	struct frz_sha256 sha = sha256;
	struct frz_blob_writer w;
	void *want = malloc(MADE_LEN);
	void *data = malloc(MADE_LEN);
	struct frz_device dev = {};
	struct frz_blob_seal seal;
	size_t at[ARRAY_SIZE(devices)];
	struct frz_blob b;
	u32 i = 0;

	(void)state;
	assert_non_null(want);
	assert_non_null(data);
	sha.update = count_update;
	sha.ctx = &ctx;
	assert_int_equal(make(&w, want, MADE_LEN), MADE_LEN);
	assert_int_equal(make(&w, data, MADE_LEN), MADE_LEN);

	frz_blob_seal_begin(&seal, &w, &sha);
	assert_int_equal(frz_blob_open(&b, data, MADE_LEN, &sha256, NULL), 0);
	assert_int_equal(b.flags, 0);
	assert_int_equal(b.nr_devices, ARRAY_SIZE(devices));
	while (frz_blob_next_device(&b, &dev)) {
		at[i] = dev.at;
		devices[i] = made_devices[i];
		devices[i].command = 0x400 + i;
		devices[i].bars[i] = 0xfe000000;
		i++;
	}
	for (i = 0; i < ARRAY_SIZE(devices); i++)
		frz_blob_seal_device(&seal, at[i], &devices[i],
				     i < 2 ? made_bridges[i] : NULL);
	sealed_bytes = 0;
	frz_blob_seal_end(&seal);
	assert_int_equal(sealed_bytes, MADE_LEN - at[0]);
	assert_int_equal(frz_blob_open(&b, data, MADE_LEN, &sha256, NULL), 0);
	assert_int_equal(b.flags, FRZ_BLOB_FROZEN);
	dev = (struct frz_device){};
	for (i = 0; frz_blob_next_device(&b, &dev); i++) {
		assert_int_equal(dev.command, 0x400 + i);
		assert_int_equal(dev.bars[i], 0xfe000000);
	}
	assert_int_equal(i, ARRAY_SIZE(devices));

	/* As they were: then it is the other one. */
	assert_int_equal(make(&w, data, MADE_LEN), MADE_LEN);
	frz_blob_seal_begin(&seal, &w, &sha);
	for (i = 0; i < ARRAY_SIZE(devices); i++)
		frz_blob_seal_device(&seal, at[i], &made_devices[i],
				     i < 2 ? made_bridges[i] : NULL);
	frz_blob_seal_end(&seal);
	assert_memory_equal(data, want, MADE_LEN);
	free(data);
	free(want);
}

static void test_empty_blob(void **state)
{
	struct frz_blob_writer w;
	struct frz_unit unit = {};
	struct frz_domain dom = {};
	struct frz_device dev = {};
	struct frz_blob b;
	u64 data[10];

	(void)state;
	assert_int_equal(frz_blob_begin(&w, data, sizeof(data)), 0);
	assert_int_equal(frz_blob_end(&w, 0, 0, &sha256), 80);
	assert_int_equal(frz_blob_open(&b, data, sizeof(data), &sha256, NULL), 0);
	assert_false(frz_blob_next_unit(&b, &unit));
	assert_false(frz_blob_next_domain(&b, &dom));
	assert_false(frz_blob_next_device(&b, &dev));
	assert_false(frz_blob_find_unit(&b, 0, &unit));
	assert_false(frz_blob_find_domain(&b, 0, &dom));
}

static void test_sizes(void **state)
{
	(void)state;
	assert_int_equal(frz_blob_size_header(), 80);
	assert_int_equal(frz_blob_size_unit(0), 72);
	assert_int_equal(frz_blob_size_unit(256), 72 + 256 * 16);
	assert_int_equal(frz_blob_size_domain(3), 120 + 3 * 24);
	assert_int_equal(frz_blob_size_device(8), 96 + 8 * 24);
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

static void test_writer_refuses(void **state)
{
	static struct frz_chunk many[FRZ_MAX_CHUNKS + 1];
	struct frz_blob_writer w;
	size_t cap = 0x800000;
	struct frz_unit unit;
	void *data = malloc(cap);
	u32 i;

	(void)state;
	assert_non_null(data);
	assert_int_equal(frz_blob_begin(&w, data + 4, cap - 4), -EINVAL);
	assert_int_equal(frz_blob_end(&w, 0, 0, &sha256), -EINVAL);

	/* Order; the error sticks. */
	frz_blob_begin(&w, data, cap);
	assert_int_equal(frz_blob_add_device(&w, &made_devices[2], NULL, 0), 0);
	assert_int_equal(frz_blob_add_unit(&w, &made_units[0], NULL, 0), -EINVAL);
	assert_int_equal(frz_blob_add_device(&w, &made_devices[2], NULL, 0), -EINVAL);
	assert_int_equal(frz_blob_end(&w, 0, 0, &sha256), -EINVAL);
	frz_blob_begin(&w, data, cap);
	assert_int_equal(frz_blob_add_domain(&w, &made_domains[0], many, 0), 0);
	assert_int_equal(frz_blob_add_unit(&w, &made_units[0], NULL, 0), -EINVAL);

	/* Bounds. */
	frz_blob_begin(&w, data, cap);
	assert_int_equal(frz_blob_add_unit(&w, &made_units[0], NULL,
					   FRZ_MAX_CONTEXTS + 1), -E2BIG);
	frz_blob_begin(&w, data, cap);
	assert_int_equal(frz_blob_add_domain(&w, &made_domains[0], many,
					     FRZ_MAX_CHUNKS + 1), -E2BIG);
	frz_blob_begin(&w, data, cap);
	assert_int_equal(frz_blob_add_device(&w, &made_devices[0], NULL,
					     FRZ_MAX_BRIDGES + 1), -E2BIG);
	frz_blob_begin(&w, data, cap);
	for (i = 0; i < FRZ_MAX_RECORDS; i++)
		assert_int_equal(frz_blob_add_device(&w, &made_devices[2], NULL, 0), 0);
	assert_int_equal(frz_blob_add_device(&w, &made_devices[2], NULL, 0), -E2BIG);

	/* What the next kernel would refuse; with its reason. */
	frz_blob_begin(&w, data, cap);
	unit = made_units[0];
	unit.root = 0x123;
	assert_int_equal(frz_blob_add_unit(&w, &unit, NULL, 0), 0);
	assert_int_equal(frz_blob_end(&w, 0, 0, &sha256), -EINVAL);
	assert_string_equal(w.err.reason, "unit: bad root table address");
	assert_int_equal(w.err.value, 0x123);
	frz_blob_begin(&w, data, cap);
	assert_int_equal(frz_blob_end(&w, 2, 0, &sha256), -EOPNOTSUPP);
	free(data);
}

/*
 * Field by field, with the digest made right each time.
 */
static struct {
	void *data;
	struct frz_abi_header *header;
	struct frz_abi_unit *unit[2];
	struct frz_abi_context *context[2];	/* first of each unit */
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
		made.context[i] = (void *)(made.unit[i] + 1);
		at += le64_to_cpu(made.unit[i]->record.len);
	}
	for (i = 0; i < 3; i++) {
		made.domain[i] = (void *)at;
		made.chunk[i] = (void *)(made.domain[i] + 1);
		at += le64_to_cpu(made.domain[i]->record.len);
	}
	for (i = 0; i < 3; i++) {
		made.device[i] = (void *)at;
		if (i < 2)
			made.bridge[i] = (void *)(made.device[i] + 1);
		at += le64_to_cpu(made.device[i]->record.len);
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
	assert_int_equal(frz_blob_open(&b, made.data, MADE_LEN, &sha256, &err),
			 error);
	assert_string_equal(err.reason, reason);
	assert_int_equal(err.offset, (u8 *)field - (u8 *)made.data);
	assert_int_equal(frz_blob_open(&b, made.data, MADE_LEN, &sha256, NULL),
			 error);
}

static void taken(void)
{
	struct frz_blob_error err;
	struct frz_blob b;

	sha_fix_digest(made.data, MADE_LEN);
	assert_int_equal(frz_blob_open(&b, made.data, MADE_LEN, &sha256, &err), 0);
	assert_null(err.reason);
	read_all(&b);
}

/* Sets a field, wants the refusal there, and puts the old value back. */
static void bad32(__le32 *field, u32 value, int error, const char *reason)
{
	__le32 old = *field;

	*field = cpu_to_le32(value);
	refused(field, error, reason);
	*field = old;
}

static void bad64(__le64 *field, u64 value, int error, const char *reason)
{
	__le64 old = *field;

	*field = cpu_to_le64(value);
	refused(field, error, reason);
	*field = old;
}

static void good32(__le32 *field, u32 value)
{
	__le32 old = *field;

	*field = cpu_to_le32(value);
	taken();
	*field = old;
}

static void good64(__le64 *field, u64 value)
{
	__le64 old = *field;

	*field = cpu_to_le64(value);
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
	good32(&h->version, 1);
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
	assert_int_equal(frz_blob_open(&b, made.data, MADE_LEN, &sha256, &err),
			 -EBADMSG);
	assert_string_equal(err.reason, "digest does not match");
	taken();
}

static void test_record_fields(void **state)
{
	struct frz_abi_record *r = &made.unit[1]->record;
	u8 *end = made.data + MADE_LEN;

	(void)state;
	bad32(&r->type, 0, -EOPNOTSUPP, "unknown record type");
	bad32(&r->type, 4, -EOPNOTSUPP, "unknown record type");
	bad32(&r->type, ~0u, -EOPNOTSUPP, "unknown record type");
	bad32(&r->version, 0, -EINVAL, "no such record version");
	/* One of version 1 is shorter. */
	r->version = cpu_to_le32(1);
	refused(&r->len, -EINVAL, "record length does not match its elements");
	r->version = cpu_to_le32(FRZ_UNIT_VERSION);
	good32(&r->version, 2);
	good32(&made.domain[0]->record.version, 1);
	good32(&made.device[0]->record.version, 1);
	bad32(&r->version, FRZ_UNIT_VERSION + 1, -EPROTONOSUPPORT,
	      "record of a newer version");
	bad32(&made.domain[0]->record.version, FRZ_DOMAIN_VERSION + 1,
	      -EPROTONOSUPPORT, "record of a newer version");
	bad32(&made.device[0]->record.version, FRZ_DEVICE_VERSION + 1,
	      -EPROTONOSUPPORT, "record of a newer version");
	bad64(&r->len, 0, -EINVAL, "wrong record length");
	bad64(&r->len, 56, -EINVAL, "wrong record length");
	bad64(&r->len, 1ULL << 63, -EINVAL, "wrong record length");
	bad64(&r->len, ~7ULL, -EINVAL, "wrong record length");
	bad64(&r->len, 64, -EINVAL, "wrong record length");
	bad64(&r->len, 72, -EINVAL, "record length does not match its elements");
	bad64(&r->len, 92, -EINVAL, "record length does not match its elements");

	/* Counts. */
	bad32(&made.unit[0]->nr_contexts, 257, -E2BIG, "too many elements");
	bad32(&made.domain[0]->nr_chunks, 4097, -E2BIG, "too many elements");
	bad32(&made.device[0]->nr_bridges, 9, -E2BIG, "too many elements");
	bad32(&made.device[0]->nr_bridges, ~0u, -E2BIG, "too many elements");
	made.unit[0]->nr_contexts = cpu_to_le32(1);
	refused(&made.unit[0]->record.len, -EINVAL,
		"record length does not match its elements");
	made.unit[0]->nr_contexts = cpu_to_le32(2);

	/* Number of records. */
	made.header->nr_records = cpu_to_le32(7);
	refused(made.device[2], -EINVAL, "bytes behind the last record");
	made.header->nr_records = cpu_to_le32(9);
	refused(end, -EINVAL, "no room for another record");
	made.header->nr_records = cpu_to_le32(0);
	refused(made.unit[0], -EINVAL, "bytes behind the last record");
}

/* A domain and a device of one length change places. */
static void test_record_order(void **state)
{
	u8 swap[120];

	(void)state;
	made.domain[2]->record.len = cpu_to_le64(120);
	made.domain[2]->nr_chunks = 0;
	made.header->nr_records = cpu_to_le32(6);
	made.header->total_len = cpu_to_le64(MADE_LEN - 24 - 168 - 96);
	memmove(made.chunk[2], made.device[0], 120);
	memcpy(swap, made.domain[2], 120);
	memmove(made.domain[2], (u8 *)made.domain[2] + 120, 120);
	memcpy((u8 *)made.domain[2] + 120, swap, 120);
	refused((u8 *)made.domain[2] + 120, -EINVAL, "record is out of order");
}

static void test_unit_fields(void **state)
{
	struct frz_abi_unit *u = made.unit[1];
	struct frz_abi_context *c = made.context[0];

	(void)state;
	bad32(&u->kind, 0, -EOPNOTSUPP, "unknown kind of unit");
	bad32(&u->kind, 2, -EOPNOTSUPP, "unknown kind of unit");
	bad32(&u->segment, 0x10000, -EINVAL, "unit: no such segment");
	bad64(&u->reg_base, 0, -EINVAL, "unit: bad register address");
	bad64(&u->reg_base, 0xfed91008, -EINVAL, "unit: bad register address");
	bad64(&u->reg_base, 1ULL << 52, -EINVAL, "unit: bad register address");
	bad64(&u->reg_base, 0xfed90000, -EINVAL, "unit: two of the same address");
	good64(&u->cap, ~0ULL);
	good64(&u->ecap, ~0ULL);
	bad64(&u->root, 0, -EINVAL, "unit: bad root table address");
	bad64(&u->root, 0x110800, -EINVAL, "unit: bad root table address");
	bad64(&u->root, -4096ULL, -EINVAL, "unit: bad root table address");
	good64(&u->root, (1ULL << 52) - 4096);
	good64(&u->irt, 0x112000);
	bad64(&u->irt, 0x112800, -EINVAL, "unit: bad interrupt table address");
	bad64(&u->irt, 1ULL << 52, -EINVAL, "unit: bad interrupt table address");
	bad32(&u->reserved, 1, -EINVAL, "reserved field is not 0");

	bad32(&c->bus, 256, -EINVAL, "context table: no such bus");
	bad32(&c->reserved, 1, -EINVAL, "reserved field is not 0");
	bad64(&c->address, 0, -EINVAL, "context table: bad address");
	bad64(&c->address, 0x101010, -EINVAL, "context table: bad address");
	bad64(&c->address, 1ULL << 52, -EINVAL, "context table: bad address");
	bad32(&c[1].bus, 1, -EINVAL, "context table: two of one bus");
	good32(&c[1].bus, 65);
	good32(&c[1].bus, 255);
	c[0].bus = cpu_to_le32(255);
	bad32(&c[1].bus, 255, -EINVAL, "context table: two of one bus");
	good32(&c[1].bus, 63);
	c[0].bus = cpu_to_le32(1);
}

static void test_domain_fields(void **state)
{
	struct frz_abi_domain *d = made.domain[1];

	(void)state;
	bad32(&d->id, 7, -EINVAL, "domain: two of the same id");
	bad32(&d->format, 0, -EOPNOTSUPP, "unknown table format");
	bad32(&d->format, 2, -EOPNOTSUPP, "unknown table format");
	bad32(&d->levels, 2, -EINVAL, "domain: wrong number of levels");
	bad32(&d->levels, 6, -EINVAL, "domain: wrong number of levels");
	bad32(&d->leaf_levels, 0x4, -EINVAL, "domain: wrong leaf levels");
	bad32(&d->leaf_levels, 0x12, -EINVAL, "domain: wrong leaf levels");
	bad32(&d->leaf_levels, 0x3, -EINVAL, "domain: wrong leaf levels");
	bad32(&d->unit, 2, -EINVAL, "domain: no such unit");
	bad32(&d->unit, ~0u, -EINVAL, "domain: no such unit");
	bad32(&d->did, 0, -EINVAL, "domain: bad cache tag (did)");
	bad32(&d->did, 0x10000, -EINVAL, "domain: bad cache tag (did)");
	bad32(&d->did, 0x10, -EINVAL, "domain: cache tag (did) of another one");
	good32(&d->did, 0xffff);
	bad32(&d->reserved, 1, -EINVAL, "reserved field is not 0");
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
	bad64(&d->tables, 0, -EINVAL,
	      "domain: more tables than its chunks hold, or none");
	bad64(&d->tables, 2, -EINVAL,
	      "domain: more tables than its chunks hold, or none");
	bad64(&made.domain[0]->tables, 6, -EINVAL,
	      "domain: more tables than its chunks hold, or none");
	good64(&d->leaves, ~0ULL);
	good64(&d->extents, ~0ULL);
	good64(&d->bytes, ~0ULL);
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
	c->len = cpu_to_le64(0x2000);
	refused(&c->used, -EINVAL, "chunk: bad used length");
	c->len = cpu_to_le64(-4096ULL);
	refused(&c->address, -EINVAL, "chunk: bad address");
	c->len = cpu_to_le64(1ULL << 52);
	refused(&c->address, -EINVAL, "chunk: bad address");
	c->len = cpu_to_le64(0x100000);
	bad64(&c->used, 0x101000, -EINVAL, "chunk: bad used length");
	bad64(&c->used, 0x3800, -EINVAL, "chunk: bad used length");
	bad64(&c->used, -4096ULL, -EINVAL, "chunk: bad used length");
	good64(&c->used, 0x100000);
	/* Nothing used in it: fine as long as the tables fit elsewhere. */
	made.domain[0]->tables = cpu_to_le64(2);
	good64(&c->used, 0);
}

static void test_overlaps(void **state)
{
	static const char twice[] = "memory is named twice";

	(void)state;
	/* Chunks of one domain, of two, and within another's unused part. */
	made.chunk[0][0].len = cpu_to_le64(0x101000);
	refused(&made.chunk[0][1].address, -EINVAL, twice);
	made.chunk[0][0].len = cpu_to_le64(0x100000);
	taken();
	made.chunk[0][1].len = cpu_to_le64(0x101000);
	refused(&made.chunk[1][0].address, -EINVAL, twice);
	made.chunk[0][1].len = cpu_to_le64(0x100000);
	taken();
	made.chunk[0][1].len = cpu_to_le64(0x300000);
	refused(&made.chunk[1][0].address, -EINVAL, twice);
	made.chunk[0][1].len = cpu_to_le64(0x4000);
	/* Root and context tables. */
	bad64(&made.context[0][0].address, 0x100000, -EINVAL, twice);
	bad64(&made.context[0][1].address, 0x101000, -EINVAL, twice);
	bad64(&made.unit[1]->root, 0x100000, -EINVAL, twice);
	bad64(&made.unit[1]->root, 0x102000, -EINVAL, twice);
	bad64(&made.unit[1]->root, 0x103000, -EINVAL, twice);
	bad64(&made.unit[1]->irt, 0x110000, -EINVAL, twice);
	bad64(&made.unit[1]->irt, 0x103000, -EINVAL, twice);
	made.unit[1]->irt = cpu_to_le64(0x401000);
	refused(&made.chunk[0][1].address, -EINVAL, twice);
	made.unit[1]->irt = 0;
	good64(&made.unit[1]->irt, 0x602000);
	bad64(&made.context[1][0].address, 0x110000, -EINVAL, twice);
	made.context[0][0].address = cpu_to_le64(0x3ff000);
	refused(&made.chunk[0][0].address, -EINVAL, twice);
	made.context[0][0].address = cpu_to_le64(0x2ff000);
	taken();
	/* Right behind one another is fine, in either order. */
	good64(&made.unit[0]->root, 0x602000);
	good64(&made.unit[0]->root, 0x5ff000);
	made.unit[0]->root = cpu_to_le64(0x600000);
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
}

static void test_device_references(void **state)
{
	struct frz_abi_device *d = made.device[1];
	int i;

	(void)state;
	bad32(&d->unit, 2, -EINVAL, "device: no such unit");
	bad32(&d->unit, ~0u, -EINVAL, "device: no such unit");
	d->domain = cpu_to_le32(9);
	refused(&d->unit, -EINVAL, "device: not on the unit of its domain");
	d->domain = cpu_to_le32(7);
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
	made.device[2]->record.len = cpu_to_le64(96);
	refused(&made.device[2]->devfn, -EINVAL, "device: two of the same place");
	made.device[2]->devfn = cpu_to_le32(0x12);
	taken();
	made.device[2]->devfn = cpu_to_le32(0x11);
	made.device[2]->bus = cpu_to_le32(5);
	taken();
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
	bad32(&made.device[1]->bus, 3, -EINVAL,
	      "device: not on the bus below its bridges");
	bad32(&made.device[0]->bus, 0, -EINVAL,
	      "device: not on the bus below its bridges");
}

/* Bounds over a whole blob, and what the checks cost at them. */
static void *big(struct frz_blob_writer *w, size_t cap)
{
	void *data = malloc(cap);

	assert_non_null(data);
	frz_blob_begin(w, data, cap);
	return data;
}

static void test_too_many_units(void **state)
{
	struct frz_unit unit = made_units[0];
	struct frz_blob_writer w;
	void *data = big(&w, 0x100000);
	u32 i;

	(void)state;
	unit.irt = 0;
	for (i = 0; i < FRZ_MAX_UNITS; i++) {
		unit.reg_base += 0x1000;
		unit.root += 0x1000;
		frz_blob_add_unit(&w, &unit, NULL, 0);
	}
	assert_true(frz_blob_end(&w, 0, 0, &sha256) > 0);
	unit.reg_base += 0x1000;
	unit.root += 0x1000;
	frz_blob_add_unit(&w, &unit, NULL, 0);
	assert_int_equal(frz_blob_end(&w, 0, 0, &sha256), -E2BIG);
	assert_string_equal(w.err.reason, "too many units");
	free(data);
}

/* Processor time in ns that @w, complete, takes to end and to check; @least if that is less. */
static u64 time_to_end(struct frz_blob_writer *w, u64 least)
{
	struct timespec a, z;
	u64 ns;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	assert_true(frz_blob_end(w, 0, 0, &sha256) > 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &z);
	ns = (z.tv_sec - a.tv_sec) * 1000000000ULL + z.tv_nsec - a.tv_nsec;
	return ns < least ? ns : least;
}

static void test_most_ranges(void **state)
{
	static struct frz_chunk chunks[FRZ_MAX_CHUNKS];
	struct frz_domain dom = made_domains[0];
	struct frz_unit unit = made_units[0];
	struct frz_device dev = made_devices[0];
	struct frz_blob_writer w, saved, quarter;
	u64 address = 1ULL << 32, few = ~0ULL, all = ~0ULL;
	void *data = big(&w, 0x200000);
	u32 i, k;

	(void)state;
	unit.root = 0x1000;
	unit.irt = 0x2000;
	frz_blob_add_unit(&w, &unit, NULL, 0);
	for (i = 0; i < 4; i++) {
		for (k = 0; k < FRZ_MAX_CHUNKS; k++) {
			chunks[k] = (struct frz_chunk){ address, 0x2000, 0x1000 };
			address += 0x2000;
		}
		dom.id = i;
		dom.did = i + 1;
		dom.top = chunks[5].address;
		/* One unit's two tables and 16382 chunks are the most. */
		frz_blob_add_domain(&w, &dom, chunks,
				    FRZ_MAX_CHUNKS - (i == 3 ? 2 : 0));
		if (!i)
			quarter = w;
	}
	/*
	 * Four times as many take four or five times as long, and sixteen times if each
	 * is compared with each. In processor time, and again if somebody disturbs it.
	 */
	i = 0;
	do {
		few = time_to_end(&quarter, few);
		all = time_to_end(&w, all);
	} while (all > 8 * few && ++i < 10);
	print_message("# largest blob opened in %llu us, a quarter of it in %llu us\n",
		      all / 1000, few / 1000);
	assert_in_range(all, 0, 8 * few);

	/* Bridges do not count. */
	dev.domain = 3;
	saved = w;
	frz_blob_add_device(&w, &dev, made_bridges[0], 1);
	assert_true(frz_blob_end(&w, 0, 0, &sha256) > 0);

	w = saved;
	dom.id = 5;
	dom.did = 9;
	chunks[0].address = address;
	dom.top = address;
	frz_blob_add_domain(&w, &dom, chunks, 1);
	assert_int_equal(frz_blob_end(&w, 0, 0, &sha256), -E2BIG);
	assert_string_equal(w.err.reason, "too many chunks and tables");
	free(data);
}

static void test_most_records(void **state)
{
	struct frz_device dev = made_devices[2];
	struct frz_domain dom = made_domains[1];
	struct frz_chunk chunk = made_chunks[1][0];
	struct frz_unit unit = made_units[0];
	struct frz_blob_writer w;
	void *data = big(&w, 0x200000);
	u32 i;

	(void)state;
	frz_blob_add_unit(&w, &unit, NULL, 0);
	for (i = 0; i < 2047; i++) {
		dom.id = i;
		dom.did = i + 1;
		dom.top = 0x10000000 + i * 0x1000ULL;
		chunk.address = dom.top;
		frz_blob_add_domain(&w, &dom, &chunk, 1);
	}
	dev.segment = 0;
	dev.unit = 0;
	for (i = 0; i < 2048; i++) {
		dev.bus = i / 256;
		dev.devfn = i % 256;
		dev.domain = 2046;
		frz_blob_add_device(&w, &dev, NULL, 0);
	}
	assert_true(frz_blob_end(&w, 0, 0, &sha256) > 0);
	free(data);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

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
		cmocka_unit_test(test_empty_blob),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_writer_refuses),
		TEST(test_header_fields),
		TEST(test_digest),
		TEST(test_record_fields),
		TEST(test_record_order),
		TEST(test_unit_fields),
		TEST(test_domain_fields),
		TEST(test_chunk_fields),
		TEST(test_chunk_lengths),
		TEST(test_overlaps),
		TEST(test_device_fields),
		TEST(test_device_references),
		TEST(test_bridge_fields),
		cmocka_unit_test(test_too_many_units),
		cmocka_unit_test(test_most_ranges),
		cmocka_unit_test(test_most_records),
	};

	return cmocka_run_group_tests_name("blob", tests, NULL, NULL);
}
