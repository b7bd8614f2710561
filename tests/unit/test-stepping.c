// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VT-d context entry changes store by store: what hardware reads after each of them,
 * 16 bytes at once (VT-d spec, section 9.3), is the old or the new entry, or one that
 * is not present if one of those is not.
 */
#include "cmocka-all.h"

#include "vtd/entry.h"

/* Present, type 00; one with ATS, type 01; not present with bits left, and empty */
static const struct frz_vtd_entry entries[] = {
	{ .lo = 0x0000000012345001, .hi = 0x0000000000000502 },
	{ .lo = 0x0000000012345005, .hi = 0x0000000000000502 },
	{ .lo = 0x000000007654f001, .hi = 0x00000000000ffe01 },
	{ .lo = 0x000000007654f001, .hi = 0x0000000000000502 },
	{ .lo = 0x0000000012345000, .hi = 0x0000000000000502 },
	{ .lo = 0x0000000000000000, .hi = 0x00000000000ffe01 },
	{ .lo = 0x0000000000000000, .hi = 0x0000000000000000 },
};

static bool same(const struct frz_vtd_entry *a, const struct frz_vtd_entry *b)
{
	return a->lo == b->lo && a->hi == b->hi;
}

static bool may_see(const struct frz_vtd_entry *e, const struct frz_vtd_entry *from,
		    const struct frz_vtd_entry *to)
{
	if (!(e->lo & 1))
		return !(from->lo & 1) || !(to->lo & 1);
	return same(e, from) || same(e, to);
}

/* Carries the stores out. Is there nothing that hardware may not see, nor missing? */
static bool step(const struct frz_vtd_entry *from, const struct frz_vtd_entry *to,
		 const struct frz_vtd_store *stores, unsigned int n)
{
	struct frz_vtd_entry memory = *from;
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (stores[i].lo)
			memory.lo = to->lo;
		if (stores[i].hi)
			memory.hi = to->hi;
		if (!may_see(&memory, from, to))
			return false;
	}
	return same(&memory, to);
}

static void every_change(void (*fn)(const struct frz_vtd_entry *from,
				    const struct frz_vtd_entry *to))
{
	size_t i, j;

	for (i = 0; i < sizeof(entries) / sizeof(*entries); i++)
		for (j = 0; j < sizeof(entries) / sizeof(*entries); j++)
			fn(&entries[i], &entries[j]);
}

static void check_change(const struct frz_vtd_entry *from,
			 const struct frz_vtd_entry *to)
{
	struct frz_vtd_store stores[FRZ_VTD_MAX_STORES] = {};
	unsigned int n = frz_vtd_stores(from, to, stores);

	assert_in_range(n, 0, FRZ_VTD_MAX_STORES);
	assert_true(step(from, to, stores, n));
	/* A running device's entry is never written in pieces. */
	if (from->lo & to->lo & 1)
		assert_int_equal(n, !same(from, to));
}

static void test_each_change(void **state)
{
	(void)state;
	every_change(check_change);
}

static unsigned int seen_wrong;

/* The order matters where both quadwords change and one of the two is present. */
static void check_wrong_order(const struct frz_vtd_entry *from,
			      const struct frz_vtd_entry *to)
{
	struct frz_vtd_store stores[FRZ_VTD_MAX_STORES] = {}, first;

	if (frz_vtd_stores(from, to, stores) != 2 || from->hi == to->hi ||
	    !((from->lo | to->lo) & 1))
		return;
	first = stores[0];
	stores[0] = stores[1];
	stores[1] = first;
	assert_false(step(from, to, stores, 2));
	seen_wrong++;
}

static void test_wrong_order(void **state)
{
	(void)state;
	every_change(check_wrong_order);
	assert_true(seen_wrong >= 8);
}

/* Two stores for an entry that is present before and after let hardware see a mixture. */
static void test_torn(void **state)
{
	const struct frz_vtd_store stores[] = { { .lo = true }, { .hi = true } };

	(void)state;
	assert_false(step(&entries[0], &entries[2], stores, 2));
}

static void test_freeze(void **state)
{
	struct frz_vtd_entry e = entries[1];

	(void)state;
	frz_vtd_entry_freeze(&e, 0x45678000, 0xabc);
	assert_int_equal(e.lo, 0x45678001);
	assert_int_equal(e.hi, 0x0abc02);
	assert_true(frz_vtd_entry_is_frozen(&e, 0x45678000, 0xabc, 4));
	assert_false(frz_vtd_entry_is_frozen(&e, 0x45679000, 0xabc, 4));
	assert_false(frz_vtd_entry_is_frozen(&e, 0x45678000, 0xabd, 4));
	assert_false(frz_vtd_entry_is_frozen(&e, 0x45678000, 0xabc, 3));
	e.lo |= 4;
	assert_false(frz_vtd_entry_is_frozen(&e, 0x45678000, 0xabc, 4));
	e.lo &= ~5ull;
	assert_false(frz_vtd_entry_is_frozen(&e, 0x45678000, 0xabc, 4));
}

static void test_read(void **state)
{
	(void)state;
	assert_true(frz_vtd_entry_present(&entries[2]));
	assert_false(frz_vtd_entry_present(&entries[4]));
	assert_int_equal(frz_vtd_entry_top(&entries[2]), 0x7654f000);
	assert_int_equal(frz_vtd_entry_tag(&entries[2]), 0xffe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_change),
		cmocka_unit_test(test_wrong_order),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_freeze),
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
