// SPDX-License-Identifier: GPL-2.0-only
/*
 * Encoding runs into tables: the exact entries of small cases (VT-d's; test-lpae.c has
 * those of the others), and in each format the choice of leaves, what is refused, and
 * random round trips from a fixed seed.
 */
#include <errno.h>
#include <string.h>

#include <linux/align.h>
#include <linux/array_size.h>

#include "cmocka-all.h"
#include "compare.h"
#include "encode.h"
#include "mem.h"
#include "seen.h"

#define RW	(FRZ_READ | FRZ_WRITE)
#define K4	0x1000ULL
#define M2	0x200000ULL
#define G1	0x40000000ULL
#define ALL	(BIT(1) | BIT(2) | BIT(3))

static const struct frz_format *fmt = &frz_format_vtdss;
static struct mem *mem;

static int setup(void **state)
{
	(void)state;
	mem = mem_new();
	mem->fmt = fmt;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mem_free(mem);
	return 0;
}

static struct frz_encoder encoder(unsigned int levels, u32 leaf_levels)
{
	struct frz_encoder enc = {
		.fmt = fmt,
		.levels = levels,
		.leaf_levels = leaf_levels,
		.alloc = mem_alloc,
		.priv = mem,
	};

	return enc;
}

static int add(struct frz_encoder *enc, u64 iova, u64 pa, u64 len, u32 prot)
{
	struct frz_extent e = { iova, pa, len, prot };

	return frz_encode_extent(enc, &e);
}

/* mem_alloc() gives 0x10000000, 0x10001000, ... */
static void test_entries(void **state)
{
	struct frz_encoder enc = encoder(3, ALL);

	(void)state;
	assert_int_equal(frz_encode_begin(&enc), 0);
	assert_int_equal(enc.top, 0x10000000);
	assert_int_equal(add(&enc, M2 - K4, 0x7ff000, K4 + M2 + K4, RW), 0);
	assert_int_equal(add(&enc, 5 * G1, 7 * G1, G1, FRZ_READ | FRZ_SNOOP), 0);
	assert_int_equal(add(&enc, 6 * G1, 0x5000, K4, FRZ_WRITE), 0);

	assert_int_equal(mem_get(mem, 0x10000000, 0), 0x10001003);
	assert_int_equal(mem_get(mem, 0x10001000, 0), 0x10002003);
	assert_int_equal(mem_get(mem, 0x10002000, 511), 0x7ff003);
	assert_int_equal(mem_get(mem, 0x10001000, 1), 0x800083);
	assert_int_equal(mem_get(mem, 0x10001000, 2), 0x10003003);
	assert_int_equal(mem_get(mem, 0x10003000, 0), 0xa00003);
	assert_int_equal(mem_get(mem, 0x10000000, 5), 0x1c0000881);
	assert_int_equal(mem_get(mem, 0x10000000, 6), 0x10004003);
	assert_int_equal(mem_get(mem, 0x10004000, 0), 0x10005003);
	assert_int_equal(mem_get(mem, 0x10005000, 0), 0x5002);
	assert_int_equal(mem->allocs, 6);
	assert_int_equal(enc.stats.tables, 6);
	assert_int_equal(enc.stats.leaves, 5);
	assert_int_equal(enc.stats.extents, 3);
	assert_int_equal(enc.stats.bytes, G1 + M2 + 3 * K4);
}

static void test_five_levels(void **state)
{
	struct frz_encoder enc = encoder(5, ALL);

	(void)state;
	assert_int_equal(frz_encode_begin(&enc), 0);
	assert_int_equal(add(&enc, 0x1fffffffffff000, 0xffffffffff000, K4, RW), 0);
	assert_int_equal(mem_get(mem, 0x10000000, 511), 0x10001003);
	assert_int_equal(mem_get(mem, 0x10001000, 511), 0x10002003);
	assert_int_equal(mem_get(mem, 0x10002000, 511), 0x10003003);
	assert_int_equal(mem_get(mem, 0x10003000, 511), 0x10004003);
	assert_int_equal(mem_get(mem, 0x10004000, 511), 0xffffffffff003);
}

/* Leaves that an extent is made of, by hardware that takes these levels. */
static u64 leaves(u32 leaf_levels, u64 iova, u64 pa, u64 len)
{
	struct frz_encoder enc = encoder(4, leaf_levels);

	assert_int_equal(frz_encode_begin(&enc), 0);
	assert_int_equal(add(&enc, iova, pa, len, RW), 0);
	return enc.stats.leaves;
}

static void test_largest_leaf(void **state)
{
	(void)state;
	assert_int_equal(leaves(ALL, G1, G1, G1), 1);
	assert_int_equal(leaves(BIT(1) | BIT(2), G1, G1, G1), 512);
	assert_int_equal(leaves(BIT(1) | BIT(3), G1, G1, G1), 1);
	assert_int_equal(leaves(BIT(1) | BIT(3), G1, G1, M2), 512);
	assert_int_equal(leaves(BIT(1), 0, 0, 2 * M2), 1024);
	/* One page is missing to the larger leaf. */
	assert_int_equal(leaves(ALL, G1, G1, G1 - K4), 511 + 511);
	assert_int_equal(leaves(ALL, 0, 0, M2 - K4), 511);
	/* Address and iova must both be aligned. */
	assert_int_equal(leaves(ALL, G1, M2, G1), 512);
	assert_int_equal(leaves(ALL, M2, G1, G1), 512);
	assert_int_equal(leaves(ALL, M2, K4, M2), 512);
	assert_int_equal(leaves(ALL, K4, M2, M2), 512);
	/* Small, large, largest, large, small. */
	assert_int_equal(leaves(ALL, G1 - M2 - K4, 3 * G1 - M2 - K4,
				K4 + M2 + G1 + M2 + K4), 5);
}

/* A table that holds nothing but what a larger leaf could is never made. */
static void test_no_table_to_spare(void **state)
{
	struct frz_encoder enc = encoder(3, ALL);

	(void)state;
	assert_int_equal(frz_encode_begin(&enc), 0);
	assert_int_equal(add(&enc, 0, 0, 4 * G1, RW), 0);
	assert_int_equal(enc.stats.tables, 1);
	assert_int_equal(enc.stats.leaves, 4);
}

static void test_begin_refuses(void **state)
{
	const struct {
		unsigned int levels;
		u32 leaf_levels;
	} bad[] = { { 2, ALL }, { fmt->max_levels + 1, ALL }, { 0, ALL }, { 4, 0 },
		    { 4, BIT(2) }, { 4, ALL | BIT(4) }, { 4, ALL | BIT(0) } };
	struct frz_encoder enc;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		enc = encoder(bad[i].levels, bad[i].leaf_levels);
		assert_int_equal(frz_encode_begin(&enc), -EINVAL);
	}
	mem->max_allocs = 0;
	enc = encoder(4, ALL);
	assert_int_equal(frz_encode_begin(&enc), -ENOMEM);
}

static void test_extent_refuses(void **state)
{
	struct frz_encoder enc = encoder(3, ALL);
	u64 pa_end = BIT_ULL(fmt->pa_bits);
	struct frz_stats before;

	(void)state;
	assert_int_equal(frz_encode_begin(&enc), 0);
	assert_int_equal(add(&enc, M2, M2, 2 * K4, RW), 0);
	before = enc.stats;

	/* Order. */
	assert_int_equal(add(&enc, M2, M2, K4, RW), -EINVAL);
	assert_int_equal(add(&enc, M2 + K4, M2, K4, RW), -EINVAL);
	assert_int_equal(add(&enc, 0, M2, K4, RW), -EINVAL);
	assert_int_equal(add(&enc, 0, M2, 2 * M2, RW), -EINVAL);
	/* Alignment. */
	assert_int_equal(add(&enc, G1 + 1, M2, K4, RW), -EINVAL);
	assert_int_equal(add(&enc, G1, M2 + 8, K4, RW), -EINVAL);
	assert_int_equal(add(&enc, G1, M2, K4 + 0x800, RW), -EINVAL);
	assert_int_equal(add(&enc, G1, M2, 0, RW), -EINVAL);
	/* Permissions. */
	assert_int_equal(add(&enc, G1, M2, K4, 0), -EINVAL);
	assert_int_equal(add(&enc, G1, M2, K4, FRZ_SNOOP), -EINVAL);
	assert_int_equal(add(&enc, G1, M2, K4, RW | 16), -EINVAL);
	/* What a format cannot express: no device memory, no leaf that is only written. */
	if (fmt == &frz_format_vtdss)
		assert_int_equal(add(&enc, G1, M2, K4, RW | FRZ_MMIO), -EINVAL);
	if (fmt == &frz_format_lpae_s1)
		assert_int_equal(add(&enc, G1, M2, K4, FRZ_WRITE), -EINVAL);
	/* Range of the iova: 39 bits. */
	assert_int_equal(add(&enc, 0x8000000000, M2, K4, RW), -ERANGE);
	assert_int_equal(add(&enc, 0x7ffffff000, M2, 2 * K4, RW), -ERANGE);
	assert_int_equal(add(&enc, G1, 0, -K4, RW), -ERANGE);
	assert_int_equal(add(&enc, -K4, M2, K4, RW), -ERANGE);
	/* Range of the address. */
	assert_int_equal(add(&enc, G1, pa_end, K4, RW), -ERANGE);
	assert_int_equal(add(&enc, G1, pa_end - K4, 2 * K4, RW), -ERANGE);
	assert_int_equal(add(&enc, G1, -K4, K4, RW), -ERANGE);

	assert_memory_equal(&enc.stats, &before, sizeof(before));
	assert_int_equal(add(&enc, 0x7ffffff000, pa_end - K4, K4, RW), 0);
}

static void test_no_memory(void **state)
{
	struct frz_encoder enc;
	unsigned long n;

	(void)state;
	for (n = 1; n < fmt->max_levels; n++) {
		enc = encoder(fmt->max_levels, ALL);
		mem->allocs = 0;
		mem->max_allocs = n;
		assert_int_equal(frz_encode_begin(&enc), 0);
		assert_int_equal(add(&enc, 0, 0, K4, RW), -ENOMEM);
	}
	enc = encoder(fmt->max_levels, ALL);
	mem->allocs = 0;
	mem->max_allocs = fmt->max_levels;
	assert_int_equal(frz_encode_begin(&enc), 0);
	assert_int_equal(add(&enc, 0, 0, M2, RW), 0);
	assert_int_equal(add(&enc, M2, 0x3000, M2 - K4, RW), 0);
	assert_int_equal(add(&enc, 3 * M2 - K4, 0x3000, M2, RW), -ENOMEM);
}

static u64 random_state;

/* xorshift64: the same numbers on every machine */
static u64 rnd(u64 below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % below;
}

/* Random rising runs that a walk gives back as they are: none would merge. */
static size_t random_extents(struct frz_extent *e, size_t max, u64 end)
{
	static const u64 units[] = { K4, K4, K4, M2, M2, G1 };
	/* The last one some cannot express. */
	static const u32 prots[] = { FRZ_READ, RW, RW, RW | FRZ_SNOOP, FRZ_WRITE };
	unsigned int nr_prots = ARRAY_SIZE(prots) - (fmt == &frz_format_lpae_s1);
	u64 iova = 0, unit;
	size_t n;

	for (n = 0; n < max; n++) {
		unit = units[rnd(ARRAY_SIZE(units))];
		if (rnd(3))
			iova += rnd(600) * K4;
		if (!rnd(5))
			iova += rnd(40) * G1;
		if (rnd(2))
			iova = (iova + unit - 1) & ~(unit - 1);
		e[n].iova = iova;
		e[n].len = (1 + rnd(unit == K4 ? 700 : 3)) * unit +
			   (rnd(4) ? 0 : rnd(512) * K4);
		e[n].prot = prots[rnd(nr_prots)];
		e[n].pa = rnd(BIT(fmt->pa_bits - 32)) * (rnd(2) ? G1 : K4);
		/* Runs of gigabytes in small leaves would take minutes. */
		if (unit == G1)
			e[n].pa = (e[n].pa & -G1) + (iova & (G1 - 1));
		else if (rnd(2))
			e[n].pa += iova & (G1 - 1);
		if (iova >= end || e[n].len > end - iova)
			break;
		/* A neighbour that would merge gets other permissions. */
		if (n && e[n - 1].iova + e[n - 1].len == iova &&
		    e[n - 1].pa + e[n - 1].len == e[n].pa &&
		    e[n - 1].prot == e[n].prot)
			e[n].prot ^= FRZ_SNOOP;
		iova += e[n].len;
	}
	return n;
}

static void check_lookup(const struct frz_tree *t, const struct frz_extent *want)
{
	u64 iova = want->iova + rnd(want->len);
	struct frz_extent leaf;

	assert_int_equal(frz_lookup(t, iova, &leaf), 0);
	assert_int_equal(leaf.pa - leaf.iova, want->pa - want->iova);
	assert_int_equal(leaf.prot, want->prot);
	assert_true(leaf.iova >= want->iova);
	assert_true(leaf.iova + leaf.len <= want->iova + want->len);
	assert_true(leaf.iova <= iova && iova < leaf.iova + leaf.len);
}

static void round_trip(unsigned int levels, u32 leaf_levels)
{
	static struct frz_extent e[40];
	struct frz_encoder enc = encoder(levels, leaf_levels);
	struct seen seen = {};
	struct frz_stats stats;
	struct frz_tree t;
	struct frz_diff diff;
	size_t i, n;

	n = random_extents(e, ARRAY_SIZE(e),
			   frz_iova_end(fmt, levels));
	assert_true(n > 0);
	assert_int_equal(frz_encode_begin(&enc), 0);
	for (i = 0; i < n; i++)
		assert_int_equal(frz_encode_extent(&enc, &e[i]), 0);

	t = mem_tables(mem, enc.top, levels);
	assert_int_equal(frz_walk(&t, seen_add, &seen, &stats, NULL), 0);
	assert_int_equal(seen.n, n);
	for (i = 0; i < n; i++) {
		assert_int_equal(seen.e[i].iova, e[i].iova);
		assert_int_equal(seen.e[i].pa, e[i].pa);
		assert_int_equal(seen.e[i].len, e[i].len);
		assert_int_equal(seen.e[i].prot, e[i].prot);
		check_lookup(&t, &e[i]);
	}
	assert_memory_equal(&stats, &enc.stats, sizeof(stats));
	assert_int_equal(frz_compare(&t, &t, &diff, &stats), 0);
	assert_memory_equal(&stats, &enc.stats, sizeof(stats));
	seen_free(&seen);
}

static void test_round_trip(void **state)
{
	static const u32 hardware[] = { ALL, ALL, BIT(1) | BIT(2), BIT(1) | BIT(3) };
	unsigned int round;

	random_state = 0x9e3779b97f4a7c15;
	for (round = 0; round < 120; round++) {
		round_trip(fmt->min_levels + round % (fmt->max_levels - fmt->min_levels + 1),
			   hardware[rnd(ARRAY_SIZE(hardware))]);
		teardown(state);
		setup(state);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static int each_format(const struct frz_format *format, const char *name)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_largest_leaf),
		TEST(test_no_table_to_spare),
		TEST(test_begin_refuses),
		TEST(test_extent_refuses),
		TEST(test_no_memory),
		TEST(test_round_trip),
	};

	fmt = format;
	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_entries),
		TEST(test_five_levels),
	};
	int failed = cmocka_run_group_tests_name("encode", tests, NULL, NULL);

	failed += each_format(&frz_format_vtdss, "encode, vtd-second-stage");
	failed += each_format(&frz_format_lpae_s1, "encode, lpae-stage1");
	failed += each_format(&frz_format_lpae_s2, "encode, lpae-stage2");
	return !!failed;
}
