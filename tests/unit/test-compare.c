// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frozen against live tables: both hand-made, in one memory, the frozen ones
 * below 0x10000 and the live ones from 0x20000 on. All of it in each format: the
 * entries are written down as VT-d's, see mem_set_as().
 */
#include <errno.h>
#include <string.h>

#include "cmocka-all.h"
#include "compare.h"
#include "mem.h"

#define RW	(FRZ_READ | FRZ_WRITE)
#define K4	0x1000ULL
#define M2	0x200000ULL
#define G1	0x40000000ULL

static const struct frz_format *fmt;
static struct mem *mem;
static struct frz_diff diff;
static struct frz_stats stats;

static void set(unsigned int level, u64 table, unsigned int index, u64 entry)
{
	mem_set_as(mem, level, table, index, entry);
}

/*
 * Frozen, 3 levels: 0..2M -> 1G.. as 4K leaves, 2M..4M -> 1G + 2M as one leaf,
 * 1G..2G -> 4G.. as one leaf. Live, 4 levels: the same in smaller or larger
 * leaves: 0..2M as one, 2M..4M as 512, 1G..2G as 512 of 2M.
 */
static int setup(void **state)
{
	unsigned int i;

	(void)state;
	mem = mem_new();
	mem->fmt = fmt;
	set(3, 0x3000, 0, 0x2003);
	set(2, 0x2000, 0, 0x1003);
	for (i = 0; i < 512; i++)
		set(1, 0x1000, i, 0x40000003 + i * K4);
	set(2, 0x2000, 1, 0x40200083);
	set(3, 0x3000, 1, 0x100000083);

	set(4, 0x24000, 0, 0x23003);
	set(3, 0x23000, 0, 0x22003);
	set(2, 0x22000, 0, 0x40000083);
	set(2, 0x22000, 1, 0x21003);
	for (i = 0; i < 512; i++)
		set(1, 0x21000, i, 0x40200003 + i * K4);
	set(3, 0x23000, 1, 0x25003);
	for (i = 0; i < 512; i++)
		set(2, 0x25000, i, 0x100000083 + i * M2);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mem_free(mem);
	return 0;
}

static int compare(void)
{
	struct frz_tree frozen = mem_tables(mem, 0x3000, 3);
	struct frz_tree live = mem_tables(mem, 0x24000, 4);

	memset(&diff, 0x77, sizeof(diff));
	memset(&stats, 0x77, sizeof(stats));
	return frz_compare(&frozen, &live, &diff, &stats);
}

static void assert_extent(const struct frz_extent *e, u64 iova, u64 pa, u64 len,
			  u32 prot)
{
	assert_int_equal(e->iova, iova);
	assert_int_equal(e->pa, pa);
	assert_int_equal(e->len, len);
	assert_int_equal(e->prot, prot);
}

static void test_equal(void **state)
{
	struct frz_tree frozen = mem_tables(mem, 0x3000, 3);
	struct frz_tree live = mem_tables(mem, 0x24000, 4);

	(void)state;
	assert_int_equal(compare(), 0);
	assert_int_equal(stats.tables, 3);
	assert_int_equal(stats.leaves, 514);
	assert_int_equal(stats.extents, 2);
	assert_int_equal(stats.bytes, G1 + 2 * M2);
	assert_int_equal(frz_compare(&frozen, &live, &diff, NULL), 0);
	/* The other way round too, here. */
	assert_int_equal(frz_compare(&live, &frozen, &diff, NULL), 0);
}

static unsigned long entries_read;

static enum frz_entry_type count_classify(u64 entry, unsigned int level)
{
	entries_read++;
	return fmt->classify(entry, level);
}

/*
 * Each table is mapped once and each entry is read a few times, however many
 * pages it covers: 263168 here.
 */
static void test_cost(void **state)
{
	struct frz_tree frozen = mem_tables(mem, 0x3000, 3);
	struct frz_tree live = mem_tables(mem, 0x24000, 4);
	struct frz_format counting = *fmt;

	(void)state;
	counting.classify = count_classify;
	frozen.fmt = &counting;
	live.fmt = &counting;
	entries_read = 0;
	mem->maps = 0;
	assert_int_equal(frz_compare(&frozen, &live, &diff, &stats), 0);
	assert_int_equal(mem->maps, 3 + 5);
	assert_in_range(entries_read, 2048, 4096);
}

/* A frozen run that begins and ends inside a large live leaf. */
static void test_part_of_live_leaf(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 512; i++)
		if (i < 9 || i > 20)
			set(1, 0x1000, i, 0);
	assert_int_equal(compare(), 0);
	assert_int_equal(stats.extents, 3);
	set(1, 0x1000, 9, 0x40000003);	/* what the leaf begins with */
	assert_int_equal(compare(), 1);
	assert_int_equal(diff.iova, 9 * K4);
}

static void test_empty_frozen(void **state)
{
	(void)state;
	set(3, 0x3000, 0, 0);
	set(3, 0x3000, 1, 0);
	assert_int_equal(compare(), 0);
	assert_int_equal(stats.extents, 0);
}

/* Beside, between and behind what was frozen. */
static void test_more_in_live(void **state)
{
	(void)state;
	set(2, 0x22000, 2, 0x80000083);
	set(3, 0x23000, 2, 0x80000083);
	set(4, 0x24000, 1, 0x23003);
	assert_int_equal(compare(), 0);
	/* Even what cannot be read or makes no sense does not matter there. */
	set(4, 0x24000, 2, 0xfffffffff003);
	set(4, 0x24000, 3, 0x83);
	assert_int_equal(compare(), 0);
}

static void test_page_moved(void **state)
{
	(void)state;
	set(1, 0x21000, 5, 0x77777003);
	assert_int_equal(compare(), 1);
	assert_int_equal(diff.iova, M2 + 5 * K4);
	assert_true(diff.live_present);
	assert_false(diff.live_failed);
	assert_extent(&diff.frozen, 0, 0x40000000, 2 * M2, RW);
	assert_extent(&diff.live, M2 + 5 * K4, 0x77777000, K4, RW);
}

/* The first of two. */
static void test_pages_swapped(void **state)
{
	(void)state;
	set(1, 0x21000, 300, 0x40200003 + 7 * K4);
	set(1, 0x21000, 7, 0x40200003 + 300 * K4);
	assert_int_equal(compare(), 1);
	assert_int_equal(diff.iova, M2 + 7 * K4);
}

/* A page in the middle of one large live leaf. */
static void test_differs_inside_large_live_leaf(void **state)
{
	(void)state;
	set(1, 0x1000, 9, 0x55555003);
	assert_int_equal(compare(), 1);
	assert_int_equal(diff.iova, 9 * K4);
	assert_extent(&diff.frozen, 9 * K4, 0x55555000, K4, RW);
	assert_extent(&diff.live, 0, 0x40000000, M2, RW);
}

/* In the middle of a large frozen leaf. */
static void test_differs_inside_large_frozen_leaf(void **state)
{
	(void)state;
	set(2, 0x25000, 400, 0x600000083);
	assert_int_equal(compare(), 1);
	assert_int_equal(diff.iova, G1 + 400 * M2);
	assert_extent(&diff.frozen, G1, 0x100000000, G1, RW);
	assert_extent(&diff.live, G1 + 400 * M2, 0x600000000, M2, RW);
}

static void test_last_page(void **state)
{
	(void)state;
	set(1, 0x21000, 511, 0x40200003 + 510 * K4);
	assert_int_equal(compare(), 1);
	assert_int_equal(diff.iova, 2 * M2 - K4);
}

static void test_missing(void **state)
{
	(void)state;
	set(1, 0x21000, 5, 0);
	assert_int_equal(compare(), 1);
	assert_int_equal(diff.iova, M2 + 5 * K4);
	assert_false(diff.live_present);
	assert_extent(&diff.live, 0, 0, 0, 0);
	set(2, 0x22000, 1, 0);		/* its table */
	assert_int_equal(compare(), 1);
	assert_int_equal(diff.iova, M2);
	set(4, 0x24000, 0, 0);		/* all */
	assert_int_equal(compare(), 1);
	assert_int_equal(diff.iova, 0);
}

static void test_permissions(void **state)
{
	(void)state;
	set(1, 0x21000, 5, 0x40205001);	/* read-only where read-write */
	assert_int_equal(compare(), 1);
	assert_int_equal(diff.iova, M2 + 5 * K4);
	assert_int_equal(diff.live.prot, FRZ_READ);
	assert_true(diff.live_present);
	set(1, 0x21000, 5, 0x40205803);	/* snoop where none */
	assert_int_equal(compare(), 1);
	assert_int_equal(diff.live.prot, RW | FRZ_SNOOP);
	set(1, 0x21000, 5, 0x40205003);
	assert_int_equal(compare(), 0);
	/* More than was frozen is a difference as well. */
	set(1, 0x1000, 3, 0x40003001);
	assert_int_equal(compare(), 1);
	assert_int_equal(diff.iova, 3 * K4);
	assert_int_equal(diff.frozen.prot, FRZ_READ);
	assert_int_equal(diff.live.prot, RW);
	/* Taken away by a table above, which only VT-d's can. */
	if (fmt != &frz_format_vtdss)
		return;
	set(1, 0x1000, 3, 0x40003003);
	set(3, 0x23000, 1, 0x25001);
	assert_int_equal(compare(), 1);
	assert_int_equal(diff.iova, G1);
	assert_int_equal(diff.live.prot, FRZ_READ);
}

/* Live tables that cannot reach as far as the frozen ones. */
static void test_fewer_levels(void **state)
{
	struct frz_tree frozen = mem_tables(mem, 0x24000, 4);
	struct frz_tree live = mem_tables(mem, 0x3000, 3);

	(void)state;
	assert_int_equal(frz_compare(&frozen, &live, &diff, NULL), 0);
	set(4, 0x24000, 1, 0x26003);
	set(3, 0x26000, 0, 0x83);		/* 512G -> 0 */
	assert_int_equal(frz_compare(&frozen, &live, &diff, NULL), 1);
	assert_int_equal(diff.iova, 512 * G1);
	assert_false(diff.live_present);
}

static void test_errors(void **state)
{
	struct frz_tree frozen = mem_tables(mem, 0x3000, 3);
	struct frz_tree live = mem_tables(mem, 0x24000, 2);

	(void)state;
	assert_int_equal(frz_compare(&frozen, &live, &diff, &stats), -EINVAL);
	assert_true(diff.live_failed);
	assert_int_equal(stats.tables, 0);
	live = mem_tables(mem, 0x24000, 4);
	frozen.levels = 6;
	assert_int_equal(frz_compare(&frozen, &live, &diff, &stats), -EINVAL);
	assert_false(diff.live_failed);
	live.top = 0x99000;
	frozen.levels = 3;
	assert_int_equal(frz_compare(&frozen, &live, &diff, &stats), -EFAULT);
	assert_true(diff.live_failed);

	set(3, 0x23000, 1, 0x99003);	/* live table outside of memory */
	assert_int_equal(compare(), -EFAULT);
	assert_int_equal(diff.iova, G1);
	assert_true(diff.live_failed);
	set(3, 0x23000, 1, 0x40200083);	/* live 1G leaf not aligned */
	assert_int_equal(compare(), -EINVAL);
	assert_int_equal(diff.iova, G1);
	assert_true(diff.live_failed);
	set(3, 0x23000, 1, 0x25003);

	set(3, 0x3000, 2, 0x99003);	/* frozen table outside of memory */
	assert_int_equal(compare(), -EFAULT);
	assert_int_equal(diff.iova, 2 * G1);
	assert_false(diff.live_failed);
	set(3, 0x3000, 2, 0x3);		/* frozen table at 0 */
	assert_int_equal(compare(), -EINVAL);
	assert_int_equal(diff.iova, 2 * G1);
	assert_false(diff.live_failed);
	/* A difference before it comes first. */
	set(2, 0x25000, 511, 0);
	assert_int_equal(compare(), 1);
	assert_int_equal(diff.iova, 2 * G1 - M2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static int each_format(const struct frz_format *format, const char *name)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_equal),
		TEST(test_cost),
		TEST(test_part_of_live_leaf),
		TEST(test_empty_frozen),
		TEST(test_more_in_live),
		TEST(test_page_moved),
		TEST(test_pages_swapped),
		TEST(test_differs_inside_large_live_leaf),
		TEST(test_differs_inside_large_frozen_leaf),
		TEST(test_last_page),
		TEST(test_missing),
		TEST(test_permissions),
		TEST(test_fewer_levels),
		TEST(test_errors),
	};

	fmt = format;
	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
	int failed = each_format(&frz_format_vtdss, "compare, vtd-second-stage");

	failed += each_format(&frz_format_lpae_s1, "compare, lpae-stage1");
	failed += each_format(&frz_format_lpae_s2, "compare, lpae-stage2");
	return !!failed;
}
