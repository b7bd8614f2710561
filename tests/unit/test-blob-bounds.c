// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bounds over a whole blob, and what the checks cost at them. Built twice, see
 * test-blob.c.
 */
#include <errno.h>
#include <time.h>

#include "cmocka-all.h"
#include "made.h"

static void *big(struct frz_blob_writer *w, size_t cap)
{
	void *data = malloc(cap);

	assert_non_null(data);
	frz_blob_begin(w, data, cap);
	return data;
}

/* A unit with nothing but a root table. */
static void add_small_unit(struct frz_blob_writer *w, u64 reg_base, u64 root)
{
	struct frz_abi_table table = { FRZ_VTD_TABLE_ROOT, 0, root, 0x1000 };
	struct frz_abi_unit unit = made_units[0];

	unit.reg_base = reg_base;
	unit.nr_tables = 1;
	frz_blob_add_unit(w, &unit, &table);
}

static void test_too_many_units(void **state)
{
	struct frz_blob_writer w;
	void *data = big(&w, 0x100000);
	u32 i;

	(void)state;
	for (i = 0; i < FRZ_MAX_UNITS; i++)
		add_small_unit(&w, 0xfed90000 + i * 0x1000, 0x100000 + i * 0x1000);
	assert_true(frz_blob_end(&w, 0, 0) > 0);
	add_small_unit(&w, 0xfed90000 + i * 0x1000, 0x100000 + i * 0x1000);
	assert_int_equal(frz_blob_end(&w, 0, 0), -E2BIG);
	assert_string_equal(w.err.reason, "too many units");
	free(data);
}

/* Processor time in ns that @w, complete, takes to end and to check; @least if that is less. */
static u64 time_to_end(struct frz_blob_writer *w, u64 least)
{
	struct timespec a, z;
	u64 ns;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	assert_true(frz_blob_end(w, 0, 0) > 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &z);
	ns = (z.tv_sec - a.tv_sec) * 1000000000ULL + z.tv_nsec - a.tv_nsec;
	return ns < least ? ns : least;
}

/*
 * Four times as many take four or five times as long, and sixteen times if each
 * is compared with each. In processor time, and again if somebody disturbs it.
 */
static void assert_linear(struct frz_blob_writer *quarter, struct frz_blob_writer *w)
{
	u64 few = ~0ULL, all = ~0ULL;
	u32 i = 0;

	do {
		few = time_to_end(quarter, few);
		all = time_to_end(w, all);
	} while (all > 8 * few && ++i < 10);
	print_message("# largest blob opened in %llu us, a quarter of it in %llu us\n",
		      all / 1000, few / 1000);
	assert_in_range(all, 0, 8 * few);
}

static void test_most_ranges(void **state)
{
	static struct frz_abi_chunk chunks[FRZ_MAX_CHUNKS];
	struct frz_abi_domain dom = made_domains[0];
	struct frz_abi_device dev = made_devices[0];
	struct frz_blob_writer w, saved, quarter;
	u64 address = 1ULL << 32;
	void *data = big(&w, 0x200000);
	u32 i, k;

	(void)state;
	add_small_unit(&w, 0xfed90000, 0x1000);
	for (i = 0; i < 4; i++) {
		for (k = 0; k < FRZ_MAX_CHUNKS; k++) {
			chunks[k] = (struct frz_abi_chunk){ address, 0x2000, 0x1000 };
			address += 0x2000;
		}
		dom.id = i;
		dom.tag = i + 1;
		dom.top = chunks[5].address;
		/* One unit's table and 16383 chunks are the most. */
		dom.nr_chunks = FRZ_MAX_CHUNKS - (i == 3);
		frz_blob_add_domain(&w, &dom, chunks);
		if (!i)
			quarter = w;
	}
	assert_linear(&quarter, &w);

	/* Bridges do not count. */
	dev.domain = 3;
	saved = w;
	frz_blob_add_device(&w, &dev, made_bridges[0]);
	assert_true(frz_blob_end(&w, 0, 0) > 0);

	w = saved;
	dom.id = 5;
	dom.tag = 9;
	chunks[0].address = address;
	dom.top = address;
	dom.nr_chunks = 1;
	frz_blob_add_domain(&w, &dom, chunks);
	assert_int_equal(frz_blob_end(&w, 0, 0), -E2BIG);
	assert_string_equal(w.err.reason, "too many chunks and tables");
	free(data);
}

/* Tables count as chunks do; and each is compared with each of its unit. */
static void test_most_tables(void **state)
{
	static struct frz_abi_table tables[FRZ_MAX_TABLES];
	struct frz_abi_unit unit = made_units[0];
	u64 address = 1ULL << 32;
	struct frz_blob_writer w;
	void *data = big(&w, 0x200000);
	u32 i, k;

	(void)state;
	unit.nr_tables = 256;
	for (i = 0; i < FRZ_MAX_RANGES / 256; i++) {
		for (k = 0; k < 256; k++) {
			tables[k] = (struct frz_abi_table){ k ?: 0x100, 0, address, 0x1000 };
			address += 0x1000;
		}
		unit.reg_base += 0x1000;
		frz_blob_add_unit(&w, &unit, tables);
	}
	assert_true(frz_blob_end(&w, 0, 0) > 0);
	add_small_unit(&w, 0x1000, address);
	assert_int_equal(frz_blob_end(&w, 0, 0), -E2BIG);
	assert_string_equal(w.err.reason, "too many chunks and tables");
	free(data);
}

static void test_most_records(void **state)
{
	struct frz_abi_device dev = made_devices[2];
	struct frz_abi_domain dom = made_domains[1];
	struct frz_abi_chunk chunk = made_chunks[1][0];
	struct frz_blob_writer w;
	void *data = big(&w, 0x200000);
	u32 i;

	(void)state;
	add_small_unit(&w, 0xfed90000, 0x100000);
	for (i = 0; i < 2047; i++) {
		dom.id = i;
		dom.tag = i + 1;
		dom.top = 0x10000000 + i * 0x1000ULL;
		chunk.address = dom.top;
		frz_blob_add_domain(&w, &dom, &chunk);
	}
	dev.segment = 0;
	dev.unit = 0;
	for (i = 0; i < 2048; i++) {
		dev.bus = i / 256;
		dev.devfn = i % 256;
		dev.stream = i;
		dev.domain = 2046;
		frz_blob_add_device(&w, &dev, NULL);
	}
	assert_true(frz_blob_end(&w, 0, 0) > 0);
	free(data);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_too_many_units),
		cmocka_unit_test(test_most_ranges),
		cmocka_unit_test(test_most_tables),
		cmocka_unit_test(test_most_records),
	};

	return cmocka_run_group_tests_name("blob-bounds", tests, NULL, NULL);
}
