// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMSAv8-64 formats: entries are the numbers that Linux 7.3 writes for a mapping
 * (drivers/iommu/io-pgtable-arm.c, arm_lpae_prot_to_pte(), __arm_lpae_init_pte(),
 * arm_lpae_install_table()). What we make is these, and whatever is one bit away from
 * them is bad, unless it is another of them.
 */
#include <errno.h>

#include <linux/array_size.h>
#include <linux/bits.h>
#include <linux/kho/abi/iommu-freeze.h>

#include "cmocka-all.h"
#include "format/format.h"

#define RW	(FRZ_READ | FRZ_WRITE)
#define PA	0x123440000000ULL	/* aligned to 1 GiB */

static const struct frz_format *const s1 = &frz_format_lpae_s1, *const s2 = &frz_format_lpae_s2;

/* A page of each protection; a block has bit 1 clear. */
static const struct {
	u32 prot;
	u64 s1, s2;	/* 0: nothing of that stage */
} leaves[] = {
	{ FRZ_READ, 0xec3, 0x657 },
	{ FRZ_WRITE, 0, 0x697 },
	{ RW, 0xe43, 0x6d7 },
	{ FRZ_READ | FRZ_SNOOP, 0xfc7, 0x77f },
	{ FRZ_WRITE | FRZ_SNOOP, 0, 0x7bf },
	{ RW | FRZ_SNOOP, 0xf47, 0x7ff },
	{ FRZ_READ | FRZ_MMIO, 0xecb, 0x647 },
	{ FRZ_WRITE | FRZ_MMIO, 0, 0x687 },
	{ RW | FRZ_MMIO, 0xe4b, 0x6c7 },
	{ FRZ_READ | FRZ_SNOOP | FRZ_MMIO, 0xfcb, 0x747 },
	{ FRZ_WRITE | FRZ_SNOOP | FRZ_MMIO, 0, 0x787 },
	{ RW | FRZ_SNOOP | FRZ_MMIO, 0xf4b, 0x7c7 },
};

static u64 leaf_of(const struct frz_format *fmt, size_t i, unsigned int level)
{
	u64 page = fmt == s1 ? leaves[i].s1 : leaves[i].s2;

	return page ? PA | (page & ~(level > 1 ? 2ULL : 0)) : 0;
}

static bool is_known(const struct frz_format *fmt, u64 attributes, unsigned int level)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(leaves); i++)
		if (leaf_of(fmt, i, level) == (PA | attributes))
			return true;
	return false;
}

static void check_leaf(const struct frz_format *fmt, size_t i, unsigned int level)
{
	u64 entry = leaf_of(fmt, i, level);

	assert_int_equal(fmt->make_leaf(PA, leaves[i].prot, level), entry);
	assert_int_equal(fmt->classify(entry, level), FRZ_LEAF);
	assert_int_equal(fmt->address(entry, level), PA);
	assert_int_equal(fmt->prot(entry, level), leaves[i].prot);
}

static void each_leaf(void (*fn)(const struct frz_format *fmt, size_t i, unsigned int level))
{
	unsigned int level;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		for (level = 1; level <= 3; level++) {
			if (leaves[i].s1)
				fn(s1, i, level);
			fn(s2, i, level);
		}
	}
}

static void test_leaves(void **state)
{
	(void)state;
	each_leaf(check_leaf);
	/* io-pgtable makes one that is only written one that is read, too; so do we. */
	assert_int_equal(s1->make_leaf(PA, FRZ_WRITE, 1), PA | 0xe43);
}

/* Every single bit and every pair of the attributes turned over. */
static void check_bits(const struct frz_format *fmt, size_t i, unsigned int level)
{
	u64 entry = leaf_of(fmt, i, level), other;
	enum frz_entry_type what, want;
	unsigned int a, b;

	for (a = 0; a < 64; a++) {
		for (b = a; b < 64; b++) {
			other = entry ^ BIT_ULL(a) ^ (a == b ? 0 : BIT_ULL(b));
			/* Addresses and what is no leaf have tests of their own. */
			if ((other ^ PA) & GENMASK_ULL(47, 12) || (level > 1 && (other & 3) == 3))
				continue;
			what = fmt->classify(other, level);
			want = !(other & 1) ? FRZ_NONE :
			       is_known(fmt, other ^ PA, level) ? FRZ_LEAF : FRZ_BAD;
			assert_int_equal(what, want);
		}
	}
}

static void test_bits(void **state)
{
	(void)state;
	each_leaf(check_bits);
}

/* All that the lower attributes can be: of 1024 only those in the list are leaves. */
static void test_attributes(void **state)
{
	unsigned int leaf[2] = {};
	u64 low;

	(void)state;
	for (low = 3; low < 0x1000; low += 4) {
		leaf[0] += s1->classify(PA | low, 1) == FRZ_LEAF;
		leaf[1] += s2->classify(PA | low, 1) == FRZ_LEAF;
		assert_int_equal(s1->classify(PA | low, 1) == FRZ_LEAF, is_known(s1, low, 1));
		assert_int_equal(s2->classify(PA | low, 1) == FRZ_LEAF, is_known(s2, low, 1));
	}
	assert_int_equal(leaf[0], 8);
	assert_int_equal(leaf[1], 12);
}

static void check_tables(const struct frz_format *fmt)
{
	u64 table = fmt->make_table(0x7654f000);
	unsigned int level, bit;

	assert_int_equal(table, 0x7654f003);
	for (level = 2; level <= 4; level++) {
		assert_int_equal(fmt->classify(table, level), FRZ_TABLE);
		assert_int_equal(fmt->address(table, level), 0x7654f000);
		assert_int_equal(fmt->prot(table, level) & RW, RW);
		assert_int_equal(fmt->classify(0x3, level), FRZ_BAD);
		/* NSTable and its like, for software, ignored ones, none that is */
		for (bit = 2; bit < 64; bit++)
			assert_int_equal(fmt->classify(table ^ BIT_ULL(bit), level),
					 bit >= 12 && bit < 48 ? FRZ_TABLE : FRZ_BAD);
		assert_int_equal(fmt->classify(table & ~1ULL, level), FRZ_NONE);
	}
	assert_int_equal(fmt->classify(table, 1), FRZ_BAD);
}

static void test_tables(void **state)
{
	(void)state;
	check_tables(s1);
	check_tables(s2);
}

static void check_none(const struct frz_format *fmt)
{
	unsigned int level, bit;

	for (level = 1; level <= 4; level++) {
		assert_int_equal(fmt->classify(0, level), FRZ_NONE);
		assert_int_equal(fmt->classify(~1ULL, level), FRZ_NONE);
		for (bit = 1; bit < 64; bit++)
			assert_int_equal(fmt->classify(BIT_ULL(bit), level), FRZ_NONE);
	}
}

static void test_none(void **state)
{
	(void)state;
	check_none(s1);
	check_none(s2);
}

static void check_address(const struct frz_format *fmt)
{
	u64 page = fmt->make_leaf(0, RW, 1), block = fmt->make_leaf(0, RW, 2);
	unsigned int bit;

	for (bit = 12; bit < 52; bit++) {
		assert_int_equal(fmt->classify(page | BIT_ULL(bit), 1),
				 bit < 48 ? FRZ_LEAF : FRZ_BAD);
		assert_int_equal(fmt->classify(block | BIT_ULL(bit), 2),
				 bit >= 21 && bit < 48 ? FRZ_LEAF : FRZ_BAD);
		assert_int_equal(fmt->classify(block | BIT_ULL(bit), 3),
				 bit >= 30 && bit < 48 ? FRZ_LEAF : FRZ_BAD);
		assert_int_equal(fmt->classify(block | BIT_ULL(bit), 4), FRZ_BAD);
	}
	/* A leaf may be at 0, where a table may not. No block among the pages, nor at 512 GiB. */
	assert_int_equal(fmt->classify(page, 1), FRZ_LEAF);
	assert_int_equal(fmt->classify(block, 3), FRZ_LEAF);
	assert_int_equal(fmt->classify(block, 4), FRZ_BAD);
	assert_int_equal(fmt->classify(block, 1), FRZ_BAD);
}

static void test_address(void **state)
{
	(void)state;
	check_address(s1);
	check_address(s2);
}

static void test_shape(void **state)
{
	const struct frz_format *const fmts[] = { s1, s2 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(fmts); i++) {
		assert_int_equal(fmts[i]->page_shift, 12);
		assert_int_equal(fmts[i]->index_bits, 9);
		assert_true(frz_levels_valid(fmts[i], 3));
		assert_true(frz_levels_valid(fmts[i], 4));
		assert_false(frz_levels_valid(fmts[i], 2));
		assert_false(frz_levels_valid(fmts[i], 5));
		assert_int_equal(fmts[i]->leaf_levels, 0xe);
		assert_int_equal(fmts[i]->pa_bits, 48);
		assert_int_equal(frz_iova_end(fmts[i], 3), 1ULL << 39);
		assert_int_equal(frz_iova_end(fmts[i], 4), 1ULL << 48);
	}
	assert_int_equal(s1->id, FRZ_FORMAT_LPAE_S1);
	assert_int_equal(s2->id, FRZ_FORMAT_LPAE_S2);
	assert_string_equal(s1->name, "lpae-stage1");
	assert_string_equal(s2->name, "lpae-stage2");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_leaves),
		cmocka_unit_test(test_bits),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_address),
	};

	return cmocka_run_group_tests_name("lpae", tests, NULL, NULL);
}
