// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walk and lookup over hand-made VT-d second-stage tables. The entries are
 * written out as the numbers that hardware would find, not made by our encoder:
 * bit 0 R, bit 1 W, bit 7 PS, bit 11 SNP, bits 51:12 address. What is not about
 * VT-d's bits is done in the other formats too: set() puts the entry as they have it.
 */
#include <errno.h>

#include <linux/array_size.h>

#include "cmocka-all.h"
#include "mem.h"
#include "seen.h"

#define RW	(FRZ_READ | FRZ_WRITE)
#define K4	0x1000ULL
#define M2	0x200000ULL
#define G1	0x40000000ULL

static const struct frz_format *fmt = &frz_format_vtdss;
static struct mem *mem;

static void set(unsigned int level, u64 table, unsigned int index, u64 entry)
{
	mem_set_as(mem, level, table, index, entry);
}

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

static void assert_extent(const struct frz_extent *e, u64 iova, u64 pa, u64 len,
			  u32 prot)
{
	assert_int_equal(e->iova, iova);
	assert_int_equal(e->pa, pa);
	assert_int_equal(e->len, len);
	assert_int_equal(e->prot, prot);
}

/* Walks and wants n runs without an error. */
static void walk(u64 top, unsigned int levels, struct seen *seen, size_t n)
{
	struct frz_tree t = mem_tables(mem, top, levels);
	struct frz_stats stats;
	u64 bytes = 0, bad_iova = 0x77;
	size_t i;

	*seen = (struct seen){};
	assert_int_equal(frz_walk(&t, seen_add, seen, &stats, &bad_iova), 0);
	assert_int_equal(bad_iova, 0x77);
	assert_int_equal(seen->n, n);
	assert_int_equal(stats.extents, n);
	for (i = 0; i < n; i++)
		bytes += seen->e[i].len;
	assert_int_equal(stats.bytes, bytes);
}

/* Walks and wants this error at this iova. */
static void walk_bad(u64 top, unsigned int levels, int error, u64 iova)
{
	struct frz_tree t = mem_tables(mem, top, levels);
	struct seen seen = {};
	u64 bad_iova = 0x77;

	assert_int_equal(frz_walk(&t, seen_add, &seen, NULL, &bad_iova), error);
	assert_int_equal(bad_iova, iova);
	assert_int_equal(frz_walk(&t, seen_add, &seen, NULL, NULL), error);
	seen_free(&seen);
}

/*
 * Every number of levels with every leaf size. The indices are 5, 4, 3, 2, 1
 * from level 5 down to level 1: bits 56:48, 47:39, 38:30, 29:21 and 20:12.
 */
struct one_leaf {
	unsigned int levels;
	struct {
		u64 table;
		unsigned int index;
		u64 entry;
	} set[5];
	struct frz_extent want;
};

static const struct one_leaf one_leaf[] = {
	{ 3, { { 0x3000, 3, 0x2003 }, { 0x2000, 2, 0x1003 },
	       { 0x1000, 1, 0x123456789003 } },
	  { 0xc0401000, 0x123456789000, 0x1000, 3 } },
	{ 3, { { 0x3000, 3, 0x2003 }, { 0x2000, 2, 0x123456600083 } },
	  { 0xc0400000, 0x123456600000, 0x200000, 3 } },
	{ 3, { { 0x3000, 3, 0x123440000083 } },
	  { 0xc0000000, 0x123440000000, 0x40000000, 3 } },

	{ 4, { { 0x4000, 4, 0x3003 }, { 0x3000, 3, 0x2003 }, { 0x2000, 2, 0x1003 },
	       { 0x1000, 1, 0xfffffffff003 } },
	  { 0x200c0401000, 0xfffffffff000, 0x1000, 3 } },
	{ 4, { { 0x4000, 4, 0x3003 }, { 0x3000, 3, 0x2003 },
	       { 0x2000, 2, 0xfffffffe00083 } },
	  { 0x200c0400000, 0xfffffffe00000, 0x200000, 3 } },
	{ 4, { { 0x4000, 4, 0x3003 }, { 0x3000, 3, 0xfffffc0000083 } },
	  { 0x200c0000000, 0xfffffc0000000, 0x40000000, 3 } },

	{ 5, { { 0x5000, 5, 0x4003 }, { 0x4000, 4, 0x3003 }, { 0x3000, 3, 0x2003 },
	       { 0x2000, 2, 0x1003 }, { 0x1000, 1, 0xffffffffff003 } },
	  { 0x50200c0401000, 0xffffffffff000, 0x1000, 3 } },
	{ 5, { { 0x5000, 5, 0x4003 }, { 0x4000, 4, 0x3003 }, { 0x3000, 3, 0x2003 },
	       { 0x2000, 2, 0x600083 } },
	  { 0x50200c0400000, 0x600000, 0x200000, 3 } },
	{ 5, { { 0x5000, 5, 0x4003 }, { 0x4000, 4, 0x3003 },
	       { 0x3000, 3, 0xc0000083 } },
	  { 0x50200c0000000, 0xc0000000, 0x40000000, 3 } },
};

static void check_one_leaf(const struct one_leaf *c)
{
	u64 top = (u64)c->levels << 12;
	struct frz_tree t = mem_tables(mem, top, c->levels);
	struct frz_extent e;
	struct frz_stats stats;
	struct seen seen = {};
	unsigned int tables;

	for (tables = 0; tables < 5 && c->set[tables].table; tables++)
		set(c->set[tables].table >> 12, c->set[tables].table,
		    c->set[tables].index, c->set[tables].entry);

	assert_int_equal(frz_walk(&t, seen_add, &seen, &stats, NULL), 0);
	assert_int_equal(seen.n, 1);
	assert_extent(&seen.e[0], c->want.iova, c->want.pa, c->want.len,
		      c->want.prot);
	assert_int_equal(stats.tables, tables);
	assert_int_equal(stats.leaves, 1);
	assert_int_equal(stats.extents, 1);
	assert_int_equal(stats.bytes, c->want.len);
	seen_free(&seen);

	assert_int_equal(frz_lookup(&t, c->want.iova, &e), 0);
	assert_extent(&e, c->want.iova, c->want.pa, c->want.len, c->want.prot);
	assert_int_equal(frz_lookup(&t, c->want.iova + c->want.len - 1, &e), 0);
	assert_extent(&e, c->want.iova, c->want.pa, c->want.len, c->want.prot);
	assert_int_equal(frz_lookup(&t, c->want.iova - 1, &e), -ENOENT);
	assert_int_equal(frz_lookup(&t, c->want.iova + c->want.len, &e), -ENOENT);
}

static void test_one_leaf(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(one_leaf); i++) {
		if (one_leaf[i].levels > fmt->max_levels ||
		    one_leaf[i].want.pa >> fmt->pa_bits)
			continue;
		check_one_leaf(&one_leaf[i]);
		teardown(state);
		setup(state);
	}
}

static void test_empty(void **state)
{
	struct seen seen;

	(void)state;
	mem_page(mem, 0x5000);
	walk(0x5000, 3, &seen, 0);
	walk(0x5000, 4, &seen, 0);
	walk(0x5000, fmt->max_levels, &seen, 0);
	/* Tables without leaves in them. */
	set(3, 0x5000, 0, 0x6003);
	set(3, 0x5000, 511, 0x7003);
	mem_page(mem, 0x6000);
	mem_page(mem, 0x7000);
	walk(0x5000, 3, &seen, 0);
}

static void test_holes(void **state)
{
	struct seen seen;

	(void)state;
	set(3, 0x3000, 0, 0x2003);
	set(2, 0x2000, 0, 0x1003);
	set(1, 0x1000, 0, 0x100003);	/* iova 0 -> pa 0x100000 */
	set(1, 0x1000, 2, 0x102003);
	set(1, 0x1000, 511, 0x2ff003);
	set(2, 0x2000, 3, 0x800083);	/* 6M..8M */
	set(3, 0x3000, 2, 0x80000083);	/* 2G..3G */
	walk(0x3000, 3, &seen, 5);
	assert_extent(&seen.e[0], 0, 0x100000, K4, RW);
	assert_extent(&seen.e[1], 0x2000, 0x102000, K4, RW);
	assert_extent(&seen.e[2], 0x1ff000, 0x2ff000, K4, RW);
	assert_extent(&seen.e[3], 0x600000, 0x800000, M2, RW);
	assert_extent(&seen.e[4], 0x80000000, 0x80000000, G1, RW);
	seen_free(&seen);
	/* A hole ends a run even where the address goes on. */
	set(1, 0x1000, 2, 0x101003);
	walk(0x3000, 3, &seen, 5);
	assert_extent(&seen.e[0], 0, 0x100000, K4, RW);
	assert_extent(&seen.e[1], 0x2000, 0x101000, K4, RW);
	seen_free(&seen);
}

/* Without R and W an entry is not present, whatever else it holds. */
static void test_not_present_junk(void **state)
{
	struct frz_tree t = mem_tables(mem, 0x4000, 4);
	struct frz_extent e;
	struct seen seen;

	(void)state;
	mem_set(mem, 0x4000, 0, 0x3003);
	mem_set(mem, 0x4000, 1, 0xfffffffffffffffc);
	mem_set(mem, 0x3000, 0, 0x2003);
	mem_set(mem, 0x3000, 1, 0xfffffffffffffffc);
	mem_set(mem, 0x2000, 0, 0x1003);
	mem_set(mem, 0x2000, 1, 0xfffffffffffffffc);
	mem_set(mem, 0x1000, 7, 0xfffffffffffffffc);
	mem_set(mem, 0x1000, 8, 0x8003);
	walk(0x4000, 4, &seen, 1);
	assert_extent(&seen.e[0], 0x8000, 0x8000, K4, RW);
	seen_free(&seen);
	assert_int_equal(frz_lookup(&t, 0x7000, &e), -ENOENT);
	assert_int_equal(frz_lookup(&t, M2, &e), -ENOENT);
	assert_int_equal(frz_lookup(&t, G1, &e), -ENOENT);
	assert_int_equal(frz_lookup(&t, 512 * G1, &e), -ENOENT);
}

/* Bits that say nothing about the translation. */
static void test_ignored_bits(void **state)
{
	struct seen seen;

	(void)state;
	mem_set(mem, 0x3000, 0, 0xfff0000000002103);	/* 63:52, A */
	mem_set(mem, 0x2000, 0, 0x1003);
	mem_set(mem, 0x2000, 1, 0xfff00000002003fb);	/* 63:52, D, A, PS, 6:3 */
	/* Bit 7 is nothing in the smallest leaf, nor is A, D or 6:3. */
	mem_set(mem, 0x1000, 0, 0xfff00000001003fb);
	mem_set(mem, 0x1000, 1, 0x101003);
	walk(0x3000, 3, &seen, 2);
	assert_extent(&seen.e[0], 0, 0x100000, 2 * K4, RW);
	assert_extent(&seen.e[1], M2, 0x200000, M2, RW);
	seen_free(&seen);
}

static void test_leaf_permissions(void **state)
{
	struct seen seen;

	(void)state;
	mem_set(mem, 0x3000, 0, 0x2003);
	mem_set(mem, 0x2000, 0, 0x1003);
	mem_set(mem, 0x1000, 0, 0x100001);
	mem_set(mem, 0x1000, 1, 0x101001);
	mem_set(mem, 0x1000, 2, 0x102002);
	mem_set(mem, 0x1000, 3, 0x103003);
	mem_set(mem, 0x1000, 4, 0x104803);	/* snoop */
	mem_set(mem, 0x1000, 5, 0x105803);
	walk(0x3000, 3, &seen, 4);
	assert_extent(&seen.e[0], 0x0, 0x100000, 2 * K4, FRZ_READ);
	assert_extent(&seen.e[1], 0x2000, 0x102000, K4, FRZ_WRITE);
	assert_extent(&seen.e[2], 0x3000, 0x103000, K4, RW);
	assert_extent(&seen.e[3], 0x4000, 0x104000, 2 * K4, RW | FRZ_SNOOP);
	seen_free(&seen);
}

/* Each table above narrows; nothing left means nothing translates. */
static void test_upper_permissions(void **state)
{
	struct seen seen;

	(void)state;
	mem_set(mem, 0x4000, 0, 0x3003);
	mem_set(mem, 0x3000, 0, 0x2003);
	mem_set(mem, 0x2000, 0, 0x1001);	/* read only from here */
	mem_set(mem, 0x2000, 1, 0x200083);
	mem_set(mem, 0x1000, 0, 0x100003);
	mem_set(mem, 0x1000, 1, 0x101002);	/* write of read only: none */
	mem_set(mem, 0x1000, 2, 0x102803);
	walk(0x4000, 4, &seen, 3);
	assert_extent(&seen.e[0], 0, 0x100000, K4, FRZ_READ);
	assert_extent(&seen.e[1], 0x2000, 0x102000, K4, FRZ_READ | FRZ_SNOOP);
	assert_extent(&seen.e[2], M2, 0x200000, M2, RW);
	seen_free(&seen);

	/* The same, one and two levels further up. */
	mem_set(mem, 0x3000, 0, 0x2002);
	walk(0x4000, 4, &seen, 1);
	assert_extent(&seen.e[0], M2, 0x200000, M2, FRZ_WRITE);
	seen_free(&seen);
	mem_set(mem, 0x4000, 0, 0x3001);
	walk(0x4000, 4, &seen, 0);
	mem_set(mem, 0x3000, 0, 0x2003);
	walk(0x4000, 4, &seen, 3);
	assert_extent(&seen.e[2], M2, 0x200000, M2, FRZ_READ);
	seen_free(&seen);
	/* What a table left narrowed does not stick to its neighbour. */
	mem_set(mem, 0x4000, 1, 0x3003);
	walk(0x4000, 4, &seen, 6);
	assert_extent(&seen.e[5], 512 * G1 + M2, 0x200000, M2, RW);
	seen_free(&seen);
}

/* Bit 11 of a table entry gives no snoop and takes none. */
static void test_upper_snoop(void **state)
{
	struct seen seen;

	(void)state;
	mem_set(mem, 0x3000, 0, 0x2803);
	mem_set(mem, 0x3000, 1, 0x2003);
	mem_set(mem, 0x2000, 0, 0x1803);
	mem_set(mem, 0x2000, 1, 0x200883);
	mem_set(mem, 0x1000, 0, 0x100003);
	walk(0x3000, 3, &seen, 4);
	assert_extent(&seen.e[0], 0, 0x100000, K4, RW);
	assert_extent(&seen.e[1], M2, 0x200000, M2, RW | FRZ_SNOOP);
	assert_extent(&seen.e[3], G1 + M2, 0x200000, M2, RW | FRZ_SNOOP);
	seen_free(&seen);
}

static void test_bad_ps_level(void **state)
{
	struct frz_tree t = mem_tables(mem, 0x5000, 5);
	struct frz_extent e;

	(void)state;
	mem_set(mem, 0x5000, 0, 0x4003);
	mem_set(mem, 0x4000, 6, 0x8000000083);		/* PS in level 4 */
	walk_bad(0x4000, 4, -EINVAL, 6 * 512 * G1);
	walk_bad(0x5000, 5, -EINVAL, 6 * 512 * G1);
	assert_int_equal(frz_lookup(&t, 6 * 512 * G1 + 5, &e), -EINVAL);
	assert_int_equal(frz_lookup(&t, 5 * 512 * G1, &e), -ENOENT);
	mem_set(mem, 0x5000, 0, 0);
	mem_set(mem, 0x5000, 9, 0x83);			/* PS in level 5 */
	walk_bad(0x5000, 5, -EINVAL, 0x9000000000000);
}

static void test_bad_alignment(void **state)
{
	(void)state;
	set(3, 0x3000, 1, 0x2003);
	set(2, 0x2000, 1, 0x201083);	/* 2M leaf at 2M + 4K */
	walk_bad(0x3000, 3, -EINVAL, G1 + M2);
	set(2, 0x2000, 1, 0x300083);	/* ... + 1M */
	walk_bad(0x3000, 3, -EINVAL, G1 + M2);
	set(2, 0x2000, 1, 0x200083);
	set(3, 0x3000, 2, 0x40200083);	/* 1G leaf at 1G + 2M */
	walk_bad(0x3000, 3, -EINVAL, 2 * G1);
	set(3, 0x3000, 2, 0x60000083);	/* ... + 512M */
	walk_bad(0x3000, 3, -EINVAL, 2 * G1);
}

static void test_bad_table(void **state)
{
	struct frz_tree t = mem_tables(mem, 0x3000, 3);
	struct seen seen = {};
	struct frz_extent e;
	struct frz_stats stats;
	u64 bad_iova;

	(void)state;
	set(3, 0x3000, 0, 0x2003);
	set(2, 0x2000, 0, 0x1003);
	set(1, 0x1000, 0, 0x100003);
	set(2, 0x2000, 1, 0x3);		/* a table at 0 */
	walk_bad(0x3000, 3, -EINVAL, M2);
	assert_int_equal(frz_lookup(&t, M2, &e), -EINVAL);
	mem_page(mem, 0);			/* even if that can be read */
	walk_bad(0x3000, 3, -EINVAL, M2);

	/* A table outside of memory; the run before it is told. */
	set(2, 0x2000, 1, 0xfffffffff003);
	walk_bad(0x3000, 3, -EFAULT, M2);
	assert_int_equal(frz_lookup(&t, M2, &e), -EFAULT);
	assert_int_equal(frz_lookup(&t, 0, &e), 0);
	assert_int_equal(frz_walk(&t, seen_add, &seen, &stats, &bad_iova), -EFAULT);
	assert_int_equal(bad_iova, M2);
	assert_int_equal(seen.n, 1);
	assert_extent(&seen.e[0], 0, 0x100000, K4, RW);
	assert_int_equal(stats.tables, 3);
	assert_int_equal(stats.extents, 1);
	seen_free(&seen);
}

static void test_bad_top(void **state)
{
	struct frz_tree t = mem_tables(mem, 0x5000, 2);
	struct frz_extent e;

	(void)state;
	mem_page(mem, 0x5000);
	mem_page(mem, 0);
	mem_page(mem, 0x5008);
	walk_bad(0x5000, 2, -EINVAL, 0);
	walk_bad(0x5000, fmt->max_levels + 1, -EINVAL, 0);
	walk_bad(0x5000, 0, -EINVAL, 0);
	walk_bad(0, 3, -EINVAL, 0);
	walk_bad(0x5008, 3, -EINVAL, 0);
	walk_bad(0x6000, 3, -EFAULT, 0);
	assert_int_equal(frz_lookup(&t, 0, &e), -EINVAL);
	t = mem_tables(mem, 0x6000, 3);
	assert_int_equal(frz_lookup(&t, 0, &e), -EFAULT);
}

/* The last page of what each number of levels can translate, and beyond it. */
static void test_top_of_space(void **state)
{
	static const u64 end[] = { [3] = 0x8000000000, [4] = 0x1000000000000,
				   [5] = 0x200000000000000 };
	u64 last = BIT_ULL(fmt->pa_bits) - K4;
	struct frz_tree t;
	struct frz_extent e;
	struct seen seen;
	unsigned int levels;

	(void)state;
	set(5, 0x5000, 511, 0x4003);
	set(4, 0x4000, 511, 0x3003);
	set(3, 0x3000, 511, 0x2003);
	set(2, 0x2000, 511, 0x1003);
	set(1, 0x1000, 511, last | 3);
	for (levels = fmt->min_levels; levels <= fmt->max_levels; levels++) {
		walk(levels << 12, levels, &seen, 1);
		assert_extent(&seen.e[0], end[levels] - K4, last, K4, RW);
		seen_free(&seen);
		t = mem_tables(mem, levels << 12, levels);
		assert_int_equal(frz_lookup(&t, end[levels] - 1, &e), 0);
		assert_int_equal(frz_lookup(&t, end[levels], &e), -ENOENT);
		assert_int_equal(frz_lookup(&t, ~0ULL, &e), -ENOENT);
	}
}

/* One run over 4K leaves of two tables, a 2M and a 1G leaf of others. */
static void test_merge_across_tables(void **state)
{
	struct seen seen;
	unsigned int i;

	(void)state;
	set(4, 0x4000, 0, 0x3003);
	set(3, 0x3000, 0, 0x2003);
	set(3, 0x3000, 1, 0xc0000083);		/* 1G..2G -> 3G.. */
	set(3, 0x3000, 2, 0x6003);
	set(2, 0x2000, 509, 0x1003);		/* 1G - 6M.. */
	set(2, 0x2000, 510, 0x5003);
	set(2, 0x2000, 511, 0xbfe00083);		/* .. -> 3G - 2M */
	set(1, 0x1000, 511, 0xbfbff003);		/* -> 3G - 4M - 4K */
	for (i = 0; i < 512; i++)
		set(1, 0x5000, i, 0xbfc00003 + i * K4);
	set(2, 0x6000, 0, 0x100000083);		/* 2G.. -> 4G.. */
	walk(0x4000, 4, &seen, 1);
	assert_extent(&seen.e[0], G1 - 2 * M2 - K4, 0xbfbff000,
		      K4 + 2 * M2 + G1 + M2, RW);
	seen_free(&seen);

	/* Another permission in between: three runs. */
	set(1, 0x5000, 0, 0xbfc00001);
	walk(0x4000, 4, &seen, 3);
	assert_extent(&seen.e[1], G1 - 2 * M2, 0xbfc00000, K4, FRZ_READ);
	seen_free(&seen);
	/* Another address: three runs. */
	set(1, 0x5000, 0, 0xbfc01003);
	walk(0x4000, 4, &seen, 3);
	assert_extent(&seen.e[1], G1 - 2 * M2, 0xbfc01000, K4, RW);
	seen_free(&seen);
	/* A hole: two runs although address and offset would fit on. */
	set(1, 0x5000, 0, 0);
	walk(0x4000, 4, &seen, 2);
	assert_extent(&seen.e[1], G1 - 2 * M2 + K4, 0xbfc01000,
		      2 * M2 - K4 + G1 + M2, RW);
	seen_free(&seen);
}

/* Begins in the middle: what lies below costs nothing, not even its tables. */
static void test_from(void **state)
{
	struct frz_tree t = mem_tables(mem, 0x4000, 4);
	struct frz_stats stats;
	struct seen seen = {};

	(void)state;
	set(4, 0x4000, 0, 0x3003);
	set(3, 0x3000, 0, 0x2003);
	set(2, 0x2000, 0, 0x1003);
	set(1, 0x1000, 0, 0x100003);		/* 0 -> 1M */
	set(1, 0x1000, 1, 0x101003);
	set(3, 0x3000, 1, 0x5003);
	set(2, 0x5000, 1, 0x40000083);		/* 1G + 2M.. -> 1G.. */
	set(2, 0x5000, 2, 0x40200083);

	assert_int_equal(frz_walk_from(&t, 0, seen_add, &seen, NULL, NULL), 0);
	assert_int_equal(seen.n, 2);
	seen_free(&seen);
	/* In a run, on a leaf and within one. */
	seen = (struct seen){};
	assert_int_equal(frz_walk_from(&t, K4, seen_add, &seen, NULL, NULL), 0);
	assert_int_equal(seen.n, 2);
	assert_extent(&seen.e[0], K4, 0x101000, K4, RW);
	seen_free(&seen);
	seen = (struct seen){};
	assert_int_equal(frz_walk_from(&t, G1 + M2 + K4, seen_add, &seen, &stats, NULL), 0);
	assert_int_equal(seen.n, 1);
	assert_extent(&seen.e[0], G1 + M2 + K4, 0x40001000, 2 * M2 - K4, RW);
	assert_int_equal(stats.tables, 3);
	assert_int_equal(stats.bytes, 2 * M2 - K4);
	seen_free(&seen);
	/* In a hole, at the end of all, and beyond. */
	seen = (struct seen){};
	assert_int_equal(frz_walk_from(&t, 2 * K4, seen_add, &seen, NULL, NULL), 0);
	assert_int_equal(seen.n, 1);
	assert_extent(&seen.e[0], G1 + M2, 0x40000000, 2 * M2, RW);
	seen_free(&seen);
	seen = (struct seen){};
	assert_int_equal(frz_walk_from(&t, G1 + 3 * M2, seen_add, &seen, NULL, NULL), 0);
	assert_int_equal(frz_walk_from(&t, 1ULL << 48, seen_add, &seen, NULL, NULL), 0);
	assert_int_equal(frz_walk_from(&t, ~0ULL, seen_add, &seen, NULL, NULL), 0);
	assert_int_equal(seen.n, 0);
}

static void test_stop(void **state)
{
	struct frz_tree t = mem_tables(mem, 0x3000, 3);
	struct seen seen = { .stop_after = 2 };
	struct frz_stats stats;
	u64 bad_iova = 0x77;

	(void)state;
	set(3, 0x3000, 0, 0x40000083);
	set(3, 0x3000, 2, 0x40000083);
	set(3, 0x3000, 4, 0x40000083);
	assert_int_equal(frz_walk(&t, seen_add, &seen, &stats, &bad_iova), 77);
	assert_int_equal(seen.n, 2);
	assert_int_equal(stats.extents, 2);
	assert_int_equal(bad_iova, 0x77);
	seen_free(&seen);
	seen.stop_after = 3;	/* the last run, told when the walk is over */
	assert_int_equal(frz_walk(&t, seen_add, &seen, &stats, &bad_iova), 77);
	assert_int_equal(seen.n, 3);
	seen_free(&seen);
}

/* Tables that point to themselves: map() bounds the time, levels the depth. */
static void test_loop(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 512; i++)
		mem_set(mem, 0x5000, i, 0x5003);
	mem->max_maps = 10;
	walk_bad(0x5000, 5, -EFAULT, 6 * M2);
}

static int stay_here(void *arg, const struct frz_extent *e)
{
	(void)arg;
	(void)e;
	return -ENOENT;
}

/* -ENOENT of fn is not mistaken for the end of the tables. */
static void test_fn_enoent(void **state)
{
	struct frz_tree t = mem_tables(mem, 0x3000, 3);

	(void)state;
	set(3, 0x3000, 0, 0x40000083);
	set(3, 0x3000, 2, 0x40000083);
	assert_int_equal(frz_walk(&t, stay_here, NULL, NULL, NULL), -ENOENT);
	set(3, 0x3000, 2, 0);
	assert_int_equal(frz_walk(&t, stay_here, NULL, NULL, NULL), -ENOENT);
}

static bool is_read_only(const struct frz_extent *leaf)
{
	return leaf->prot == FRZ_READ;
}

/* What is left out ends a run, counts nowhere, and is found all the same. */
static void test_leaves_out(void **state)
{
	struct frz_tree t = mem_tables(mem, 0x3000, 3);
	struct frz_stats stats;
	struct seen seen = {};
	struct frz_extent leaf;

	(void)state;
	set(3, 0x3000, 0, 0x2003);
	set(3, 0x3000, 511, 0x40000081);
	set(2, 0x2000, 0, 0x1003);
	set(1, 0x1000, 0, 0x100001);
	set(1, 0x1000, 1, 0x101003);
	set(1, 0x1000, 2, 0x102001);
	set(1, 0x1000, 3, 0x103003);
	t.leaves_out = is_read_only;
	assert_int_equal(frz_walk(&t, seen_add, &seen, &stats, NULL), 0);
	assert_int_equal(seen.n, 2);
	assert_extent(&seen.e[0], 0x1000, 0x101000, K4, RW);
	assert_extent(&seen.e[1], 0x3000, 0x103000, K4, RW);
	assert_int_equal(stats.leaves, 2);
	assert_int_equal(stats.extents, 2);
	assert_int_equal(stats.bytes, 2 * K4);
	seen_free(&seen);
	assert_int_equal(frz_walk_from(&t, 0x1800, seen_add, &seen, NULL, NULL), 0);
	assert_int_equal(seen.n, 2);
	assert_extent(&seen.e[0], 0x1800, 0x101800, K4 / 2, RW);
	seen_free(&seen);
	assert_int_equal(frz_lookup(&t, 0x2000, &leaf), 0);
	assert_extent(&leaf, 0x2000, 0x102000, K4, FRZ_READ);
}

/* A cursor may be moved anywhere and reads as a lookup does. */
static void test_cursor_moves(void **state)
{
	static const u64 iovas[] = { 0, 0x2000, M2, 0, G1, 0x1000, 512 * G1, M2,
				     512 * G1 + M2 - 1, 0x2fff, ~0ULL, 3 * M2, 0 };
	struct frz_tree t = mem_tables(mem, 0x4000, 4);
	struct frz_extent a = {}, b = {};
	struct frz_cursor c;
	size_t i;
	int ret;

	(void)state;
	set(4, 0x4000, 0, 0x3003);
	set(4, 0x4000, 1, 0x3001);
	set(3, 0x3000, 0, 0x2003);
	set(3, 0x3000, 1, 0x40000083);
	set(2, 0x2000, 0, 0x1003);
	set(2, 0x2000, 1, 0x200083);
	set(2, 0x2000, 3, 0x3);
	set(1, 0x1000, 0, 0x100003);
	set(1, 0x1000, 2, 0x102003);
	assert_int_equal(frz_cursor_init(&c, &t), 0);
	for (i = 0; i < ARRAY_SIZE(iovas); i++) {
		ret = frz_lookup(&t, iovas[i], &a);
		assert_int_equal(frz_cursor_leaf(&c, iovas[i], true, &b), ret);
		if (!ret)
			assert_extent(&b, a.iova, a.pa, a.len, a.prot);
	}
	/* From the middle of a hole on, to where it ends. */
	set(4, 0x4000, 0, 0);
	assert_int_equal(frz_cursor_init(&c, &t), 0);
	assert_int_equal(frz_cursor_leaf(&c, 3 * M2 + 1, true, &b), -ENOENT);
	assert_int_equal(frz_cursor_leaf(&c, 3 * M2 + 1, false, &b), 0);
	assert_extent(&b, 512 * G1, 0x100000, K4,
		      fmt == &frz_format_vtdss ? FRZ_READ : RW);
	set(4, 0x4000, 0, 0x3003);
	/* Staying under one table maps nothing again. */
	assert_int_equal(frz_cursor_leaf(&c, 0, true, &b), 0);
	mem->maps = 0;
	assert_int_equal(frz_cursor_leaf(&c, 0x2000, true, &b), 0);
	assert_int_equal(frz_cursor_leaf(&c, M2, true, &b), 0);
	assert_int_equal(mem->maps, 0);
}

static void test_formats(void **state)
{
	(void)state;
	assert_ptr_equal(frz_format_by_id(FRZ_FORMAT_VTDSS), &frz_format_vtdss);
	assert_ptr_equal(frz_format_by_id(FRZ_FORMAT_LPAE_S1), &frz_format_lpae_s1);
	assert_ptr_equal(frz_format_by_id(FRZ_FORMAT_LPAE_S2), &frz_format_lpae_s2);
	assert_null(frz_format_by_id(0));
	assert_null(frz_format_by_id(4));
	assert_null(frz_format_by_id(~0u));
	assert_int_equal(frz_iova_end(&frz_format_vtdss, 3), 1ULL << 39);
	assert_int_equal(frz_iova_end(&frz_format_vtdss, 5), 1ULL << 57);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static int each_format(const struct frz_format *format, const char *name)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_one_leaf),
		TEST(test_empty),
		TEST(test_holes),
		TEST(test_bad_alignment),
		TEST(test_bad_table),
		TEST(test_bad_top),
		TEST(test_top_of_space),
		TEST(test_merge_across_tables),
		TEST(test_from),
		TEST(test_stop),
		TEST(test_fn_enoent),
		TEST(test_leaves_out),
		TEST(test_cursor_moves),
	};

	fmt = format;
	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_formats),
		TEST(test_not_present_junk),
		TEST(test_ignored_bits),
		TEST(test_leaf_permissions),
		TEST(test_upper_permissions),
		TEST(test_upper_snoop),
		TEST(test_bad_ps_level),
		TEST(test_loop),
	};
	int failed = cmocka_run_group_tests_name("walk", tests, NULL, NULL);

	failed += each_format(&frz_format_vtdss, "walk, vtd-second-stage");
	failed += each_format(&frz_format_lpae_s1, "walk, lpae-stage1");
	failed += each_format(&frz_format_lpae_s2, "walk, lpae-stage2");
	return !!failed;
}
