// SPDX-License-Identifier: GPL-2.0-only
/*
 * SMMUv3 stream table entries and context descriptors, as the numbers that the driver
 * writes (spec, sections 5.2 and 5.4). An entry changes store by store. Hardware fetches
 * its quadwords at any time and in any order (3.21.3), so until it had to forget it sees
 * each of them as it was at any time since: that must be the old or the new entry, or one
 * that lets no DMA pass if one of those does not.
 */
#include <errno.h>
#include <string.h>

#include <linux/array_size.h>
#include <linux/bits.h>
#include <uapi/linux/iommu-freeze.h>

#include "cmocka-all.h"
#include "smmuv3/entry.h"

#define CD_PA		0x45678000
#define TOP		0x56789000
#define BIT_OF(name)	BIT_ULL(IOMMU_FREEZE_OBSTACLE_ ## name)

/* Stage 1 below no PASID, 2^10 of them in two levels, and of a host at EL2 with stalls. */
#define LIVE_S1		{ .q = { 0x000000001234500b, 0x00000000000000d6 } }
#define PASID_S1	{ .q = { 0x500000002234502b, 0x00000000000000d6 } }
#define OTHER_S1	{ .q = { 0x000000003234500b, 0x00000000880000d6 } }
/* Stage 2 of 44 bits and VMID 5; the same with ATS; of another domain. */
#define LIVE_S2		{ .q = { 0xd, 0x0000100000000000, 0x044c359400000005, 0x6234500000 } }
#define ATS_S2		{ .q = { 0xd, 0x0000100010000000, 0x044c359400000005, 0x6234500000 } }
#define OTHER_S2	{ .q = { 0xd, 0x0000100000000000, 0x044c359400000006, 0x7234500000 } }

static const struct frz_smmuv3_ste live_s1 = LIVE_S1, pasid_s1 = PASID_S1, live_s2 = LIVE_S2;

/* 48 bits, ASID 7 */
static const struct frz_smmuv3_cd live_cd = {
	.q = { 0x0007e20580003510 | BIT_ULL(30), 0x6234567000, 0, 0xf404ff44 },
};

static const struct frz_smmuv3_ste entries[] = {
	LIVE_S1, PASID_S1, OTHER_S1, LIVE_S2, ATS_S2, OTHER_S2,
	/* frozen ones of the first two, and of the stage 2 ones */
	{ .q = { 0x000000004567800b, 0x00000000000000d6 } },
	{ .q = { 0xd, 0x0000100000000000, 0x044c359400000005, TOP } },
	{ .q = { 0xd, 0x0000100000000000, 0x044c359400000006, TOP } },
	/* bypass, both stages */
	{ .q = { 0x9, 0x0000100000000000 } },
	{ .q = { 0x000000001234500f, 0x00000000000000d6, 0x044c359400000005, 0x6234500000 } },
	/* abort, and with the rest of a live one; not valid, empty and with all of one */
	{ .q = { 0x1 } },
	{ .q = { 0x1, 0x0000100000000000, 0x044c359400000005, 0x6234500000 } },
	{ .q = { 0 } },
	{ .q = { 0xc, 0x0000100000000000, 0x044c359400000005, 0x6234500000, 1, 2, 3, 4 } },
};

static bool same(const struct frz_smmuv3_ste *a, const struct frz_smmuv3_ste *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* Valid, and none of the configurations 0b0xx */
static bool open_to_dma(const struct frz_smmuv3_ste *ste)
{
	return (ste->q[0] & 9) == 9;
}

static bool may_see(const struct frz_smmuv3_ste *ste, const struct frz_smmuv3_ste *from,
		    const struct frz_smmuv3_ste *to)
{
	if (!open_to_dma(ste))
		return !open_to_dma(from) || !open_to_dma(to);
	return same(ste, from) || same(ste, to);
}

/* All that hardware may fetch: of each quadword that was @written, the old or the new. */
static bool may_fetch(const struct frz_smmuv3_ste *memory, const struct frz_smmuv3_ste *before,
		      unsigned int written, const struct frz_smmuv3_ste *from,
		      const struct frz_smmuv3_ste *to)
{
	struct frz_smmuv3_ste seen;
	unsigned int mix, i;

	for (mix = 0; mix < 1 << FRZ_SMMUV3_QWORDS; mix++) {
		if (mix & ~written)
			continue;
		for (i = 0; i < FRZ_SMMUV3_QWORDS; i++)
			seen.q[i] = mix & BIT(i) ? before->q[i] : memory->q[i];
		if (!may_see(&seen, from, to))
			return false;
	}
	return true;
}

/* Carries the stores out. Is there nothing that hardware may not see, nor missing? */
static bool step(const struct frz_smmuv3_ste *from, const struct frz_smmuv3_ste *to,
		 const struct frz_smmuv3_store *stores, int n)
{
	struct frz_smmuv3_ste memory = *from, before = *from;
	unsigned int written = 0;
	int i;

	for (i = 0; i < n; i++) {
		memory.q[stores[i].qword] = to->q[stores[i].qword];
		written |= BIT(stores[i].qword);
		if (!may_fetch(&memory, &before, written, from, to))
			return false;
		if (stores[i].sync) {
			before = memory;
			written = 0;
		}
	}
	return !written && same(&memory, to);
}

static void every_change(void (*fn)(const struct frz_smmuv3_ste *from,
				    const struct frz_smmuv3_ste *to))
{
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(entries); i++)
		for (j = 0; j < ARRAY_SIZE(entries); j++)
			fn(&entries[i], &entries[j]);
}

static int differing(const struct frz_smmuv3_ste *a, const struct frz_smmuv3_ste *b)
{
	int i, n = 0;

	for (i = 0; i < FRZ_SMMUV3_QWORDS; i++)
		n += a->q[i] != b->q[i];
	return n;
}

static void check_change(const struct frz_smmuv3_ste *from, const struct frz_smmuv3_ste *to)
{
	struct frz_smmuv3_store stores[FRZ_SMMUV3_MAX_STORES] = {};
	int n = frz_smmuv3_stores(from, to, stores);

	if (open_to_dma(from) && open_to_dma(to) && differing(from, to) > 1) {
		assert_int_equal(n, -EBUSY);
		return;
	}
	/* No store is for nothing. */
	assert_int_equal(n, differing(from, to));
	assert_true(step(from, to, stores, n));
}

static void test_each_change(void **state)
{
	(void)state;
	every_change(check_change);
}

static unsigned int seen_wrong;

/* The order matters where one of the two lets DMA pass and more than quadword 0 changes. */
static void check_wrong_order(const struct frz_smmuv3_ste *from, const struct frz_smmuv3_ste *to)
{
	struct frz_smmuv3_store stores[FRZ_SMMUV3_MAX_STORES] = {}, first;
	int n = frz_smmuv3_stores(from, to, stores), i;

	if (n < 2 || open_to_dma(from) == open_to_dma(to))
		return;
	/* Quadword 0 at the other end */
	first = stores[0];
	if (first.qword) {
		memmove(stores + 1, stores, (n - 1) * sizeof(*stores));
		stores[0] = (struct frz_smmuv3_store){ .qword = 0, .sync = true };
		stores[n - 1].sync = true;
	} else {
		memmove(stores, stores + 1, (n - 1) * sizeof(*stores));
		stores[n - 1] = first;
	}
	assert_false(step(from, to, stores, n));

	/* In the right order, but hardware still has what it read before */
	n = frz_smmuv3_stores(from, to, stores);
	for (i = 0; i < n - 1; i++)
		stores[i].sync = false;
	assert_false(step(from, to, stores, n));
	seen_wrong++;
}

static void test_wrong_order(void **state)
{
	(void)state;
	every_change(check_wrong_order);
	assert_true(seen_wrong >= 40);
}

/* More than one store for an entry that passes DMA before and after: a mixture. */
static void check_torn(const struct frz_smmuv3_ste *from, const struct frz_smmuv3_ste *to)
{
	struct frz_smmuv3_store stores[FRZ_SMMUV3_MAX_STORES];
	unsigned int i;
	int n = 0;

	if (!open_to_dma(from) || !open_to_dma(to) || differing(from, to) < 2)
		return;
	for (i = 0; i < FRZ_SMMUV3_QWORDS; i++)
		if (from->q[i] != to->q[i])
			stores[n++] = (struct frz_smmuv3_store){ .qword = i, .sync = true };
	assert_false(step(from, to, stores, n));
}

static void test_torn(void **state)
{
	(void)state;
	every_change(check_torn);
}

/* From a live entry to its frozen one and back: one store, of this quadword. */
static void check_swap(const struct frz_smmuv3_ste *live, const struct frz_smmuv3_ste *frozen,
		       u8 qword)
{
	struct frz_smmuv3_store stores[FRZ_SMMUV3_MAX_STORES];

	assert_int_equal(frz_smmuv3_stores(live, frozen, stores), 1);
	assert_int_equal(stores[0].qword, qword);
	assert_true(step(live, frozen, stores, 1));
	assert_int_equal(frz_smmuv3_stores(frozen, live, stores), 1);
	assert_int_equal(stores[0].qword, qword);
	assert_true(step(frozen, live, stores, 1));
	assert_true(frz_smmuv3_ste_hitless(live, frozen));
	assert_true(frz_smmuv3_ste_hitless(frozen, live));
}

static void test_freeze_s1(void **state)
{
	const struct frz_smmuv3_ste *live[] = { &entries[0], &entries[1], &entries[2] };
	struct frz_smmuv3_ste ste;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(live); i++) {
		ste = *live[i];
		assert_false(frz_smmuv3_ste_is_frozen(&ste, 1, CD_PA, 0, 4));
		frz_smmuv3_ste_freeze_s1(&ste, CD_PA);
		assert_int_equal(ste.q[0], 0x4567800b);
		assert_int_equal(ste.q[1], live[i]->q[1]);
		assert_true(frz_smmuv3_ste_is_frozen(&ste, 1, CD_PA, 0, 4));
		check_swap(live[i], &ste, 0);
		assert_int_equal(frz_smmuv3_ste_stage(&ste), 1);
		assert_int_equal(frz_smmuv3_ste_cd(&ste), CD_PA);
	}
	assert_false(frz_smmuv3_ste_is_frozen(&ste, 1, CD_PA, 1, 4));
	assert_false(frz_smmuv3_ste_is_frozen(&ste, 1, CD_PA + 64, 0, 4));
	assert_false(frz_smmuv3_ste_is_frozen(&ste, 2, CD_PA, 0, 4));
	assert_false(frz_smmuv3_ste_is_frozen(&ste, 0, CD_PA, 0, 4));
}

static void test_freeze_s2(void **state)
{
	struct frz_smmuv3_ste ste = live_s2;

	(void)state;
	assert_false(frz_smmuv3_ste_is_frozen(&ste, 2, TOP, 5, 4));
	frz_smmuv3_ste_freeze_s2(&ste, TOP);
	assert_true(same(&ste, &entries[7]));
	assert_true(frz_smmuv3_ste_is_frozen(&ste, 2, TOP, 5, 4));
	assert_false(frz_smmuv3_ste_is_frozen(&ste, 2, TOP + 0x1000, 5, 4));
	assert_false(frz_smmuv3_ste_is_frozen(&ste, 2, TOP, 6, 4));
	assert_false(frz_smmuv3_ste_is_frozen(&ste, 2, TOP, 5, 3));
	assert_false(frz_smmuv3_ste_is_frozen(&ste, 1, TOP, 0, 4));
	check_swap(&live_s2, &ste, 3);
	assert_int_equal(frz_smmuv3_ste_stage(&ste), 2);
	assert_int_equal(frz_smmuv3_ste_top(&ste), TOP);
	assert_int_equal(frz_smmuv3_ste_vmid(&ste), 5);

	/* 36 bits: three levels, SL0 1 */
	ste.q[2] = 0x044c355c00000005;
	assert_true(frz_smmuv3_ste_is_frozen(&ste, 2, TOP, 5, 3));
	assert_false(frz_smmuv3_ste_is_frozen(&ste, 2, TOP, 5, 4));
	/* 40 bits with SL0 1: two tables at the top, of three levels or four */
	ste.q[2] = 0x044c355800000005;
	assert_false(frz_smmuv3_ste_is_frozen(&ste, 2, TOP, 5, 3));
	assert_false(frz_smmuv3_ste_is_frozen(&ste, 2, TOP, 5, 4));
	assert_true(frz_smmuv3_ste_obstacles(&ste) == BIT_OF(GRANULE));
}

/* Only what says nothing about the translation may be otherwise in a frozen entry. */
static void test_each_bit(void **state)
{
	static const u64 free_s1[8] = { [1] = 0x00003000c80000ff };
	static const u64 free_s2[8] = { [1] = 0x0000300000000000, [2] = 0x04473f0700000000 };
	/* The attributes that no leaf has, too: MAIR from its fourth byte on */
	static const u64 free_cd[8] = { [0] = 0x0000e00700003f0f, [3] = 0xffffffffff000000 };
	struct frz_smmuv3_ste s1 = live_s1, s2 = live_s2;
	struct frz_smmuv3_cd cd = live_cd;
	unsigned int i;
	u64 bit;

	(void)state;
	frz_smmuv3_ste_freeze_s1(&s1, CD_PA);
	frz_smmuv3_ste_freeze_s2(&s2, TOP);
	frz_smmuv3_cd_freeze(&cd, TOP, 9);
	for (i = 0; i < 8; i++) {
		for (bit = 1; bit; bit <<= 1) {
			s1.q[i] ^= bit;
			s2.q[i] ^= bit;
			cd.q[i] ^= bit;
			assert_int_equal(frz_smmuv3_ste_is_frozen(&s1, 1, CD_PA, 0, 4),
					 !!(free_s1[i] & bit));
			assert_int_equal(frz_smmuv3_ste_is_frozen(&s2, 2, TOP, 5, 4),
					 !!(free_s2[i] & bit));
			assert_int_equal(frz_smmuv3_cd_is_frozen(&cd, TOP, 9, 4),
					 !!(free_cd[i] & bit));
			s1.q[i] ^= bit;
			s2.q[i] ^= bit;
			cd.q[i] ^= bit;
		}
	}
}

/* Whatever else differs, the driver's own attach would break the entry to change it. */
static void test_hitless(void **state)
{
	struct frz_smmuv3_ste s1 = live_s1, s2 = live_s2;
	unsigned int i;

	(void)state;
	for (i = 0; i < FRZ_SMMUV3_QWORDS; i++) {
		s1.q[i] ^= 1 << 12;
		s2.q[i] ^= 1 << 12;
		assert_int_equal(frz_smmuv3_ste_hitless(&live_s1, &s1), i == 0);
		assert_int_equal(frz_smmuv3_ste_hitless(&live_s2, &s2), i == 3);
		s1 = live_s1;
		s2 = live_s2;
	}
	assert_true(frz_smmuv3_ste_hitless(&s1, &s1));
	assert_false(frz_smmuv3_ste_hitless(&s1, &s2));
	assert_false(frz_smmuv3_ste_hitless(&s2, &s1));
	/* The same in all but the stage, and neither translates. */
	s2 = s1;
	s2.q[0] ^= 0xe;
	assert_false(frz_smmuv3_ste_hitless(&s1, &s2));
	assert_false(frz_smmuv3_ste_hitless(&s2, &s1));
	assert_false(frz_smmuv3_ste_hitless(&entries[9], &entries[9]));
}

static void test_read(void **state)
{
	static const struct {
		bool valid, passes;
		u32 stage;
	} want[ARRAY_SIZE(entries)] = {
		{ 1, 1, 1 }, { 1, 1, 1 }, { 1, 1, 1 }, { 1, 1, 2 }, { 1, 1, 2 }, { 1, 1, 2 },
		{ 1, 1, 1 }, { 1, 1, 2 }, { 1, 1, 2 }, { 1, 1, 0 }, { 1, 1, 0 },
		{ 1, 0, 0 }, { 1, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 },
	};
	struct frz_smmuv3_ste ste;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		assert_int_equal(frz_smmuv3_ste_valid(&entries[i]), want[i].valid);
		assert_int_equal(frz_smmuv3_ste_passes(&entries[i]), want[i].passes);
		assert_int_equal(frz_smmuv3_ste_stage(&entries[i]), want[i].stage);
		ste = entries[i];
		frz_smmuv3_ste_abort(&ste);
		assert_int_equal(ste.q[0], 1);
		assert_true(differing(&ste, &entries[i]) <= 1);
	}
	assert_int_equal(frz_smmuv3_ste_cd(&pasid_s1), 0x22345000);
	assert_int_equal(frz_smmuv3_ste_top(&live_s2), 0x6234500000);
	assert_true(frz_smmuv3_cd_valid(&live_cd));
	assert_int_equal(frz_smmuv3_cd_asid(&live_cd), 7);
	assert_int_equal(frz_smmuv3_cd_top(&live_cd), 0x6234567000);
}

static void test_obstacles(void **state)
{
	struct frz_smmuv3_ste s1 = live_s1, s2 = live_s2;
	struct frz_smmuv3_cd cd = live_cd;

	(void)state;
	assert_true(frz_smmuv3_ste_obstacles(&s1) == 0);
	assert_true(frz_smmuv3_ste_obstacles(&s2) == 0);
	assert_true(frz_smmuv3_cd_obstacles(&cd) == 0);
	s1.q[1] |= 1 << 28;
	assert_true(frz_smmuv3_ste_obstacles(&s1) == BIT_OF(ATS));
	s1.q[1] = live_s1.q[1] | 2 << 28;
	/* What is of stage 2 says nothing. */
	s1.q[1] |= BIT_ULL(25);
	s1.q[2] |= BIT_ULL(57) | BIT_ULL(46);
	assert_true(frz_smmuv3_ste_obstacles(&s1) == BIT_OF(ATS));
	s2.q[1] |= BIT_ULL(25);
	assert_true(frz_smmuv3_ste_obstacles(&s2) == BIT_OF(DOMAIN));
	s2.q[2] |= BIT_ULL(57);
	assert_true(frz_smmuv3_ste_obstacles(&s2) == (BIT_OF(DOMAIN) | BIT_OF(STALL)));
	s2 = live_s2;
	s2.q[2] |= BIT_ULL(46);
	assert_true(frz_smmuv3_ste_obstacles(&s2) == BIT_OF(GRANULE));
	cd.q[0] |= BIT_ULL(44);
	assert_true(frz_smmuv3_cd_obstacles(&cd) == BIT_OF(STALL));
	cd.q[0] |= BIT_ULL(42);
	assert_true(frz_smmuv3_cd_obstacles(&cd) == (BIT_OF(DOMAIN) | BIT_OF(STALL)));
	cd.q[0] = live_cd.q[0] | BIT_ULL(43) | BIT_ULL(6);
	assert_true(frz_smmuv3_cd_obstacles(&cd) == (BIT_OF(DOMAIN) | BIT_OF(GRANULE)));
}

static void test_cd(void **state)
{
	struct frz_smmuv3_cd cd = live_cd;

	(void)state;
	assert_false(frz_smmuv3_cd_is_frozen(&cd, TOP, 0xfff9, 4));
	/* Access and dirty flags, stall */
	cd.q[0] |= BIT_ULL(42) | BIT_ULL(43) | BIT_ULL(44);
	cd.q[1] |= BIT_ULL(3);
	frz_smmuv3_cd_freeze(&cd, TOP, 0xfff9);
	assert_int_equal(cd.q[0], (live_cd.q[0] & GENMASK_ULL(47, 0)) | 0xfff9000000000000);
	assert_int_equal(cd.q[1], TOP);
	assert_memory_equal(&cd.q[2], &live_cd.q[2], 6 * sizeof(u64));
	assert_true(frz_smmuv3_cd_is_frozen(&cd, TOP, 0xfff9, 4));
	assert_false(frz_smmuv3_cd_is_frozen(&cd, TOP, 0xfff9, 3));
	assert_false(frz_smmuv3_cd_is_frozen(&cd, TOP, 0xfff8, 4));
	assert_false(frz_smmuv3_cd_is_frozen(&cd, TOP + 0x1000, 0xfff9, 4));
	/* 39 bits, 40, and less than a page */
	cd.q[0] = (cd.q[0] & ~0x3fULL) | 25;
	assert_true(frz_smmuv3_cd_is_frozen(&cd, TOP, 0xfff9, 3));
	cd.q[0] = (cd.q[0] & ~0x3fULL) | 24;
	assert_true(frz_smmuv3_cd_is_frozen(&cd, TOP, 0xfff9, 4));
	cd.q[0] |= 0x3f;
	assert_false(frz_smmuv3_cd_is_frozen(&cd, TOP, 0xfff9, 3));
	assert_false(frz_smmuv3_cd_is_frozen(&cd, TOP, 0xfff9, 4));
}

/* Fields with all of their bits set: none is lost, and none of the old ones stays. */
static void test_full_fields(void **state)
{
	const u64 high = 0x000a5a5a5a5a5000;
	struct frz_smmuv3_ste s1 = live_s1, s2 = live_s2;
	struct frz_smmuv3_cd cd = live_cd;

	(void)state;
	/* S1CDMax, S1ContextPtr, S1Fmt */
	s1.q[0] = 0xf80ffffffffffffb;
	assert_int_equal(frz_smmuv3_ste_cd(&s1), 0xfffffffffffc0);
	frz_smmuv3_ste_freeze_s1(&s1, high);
	assert_int_equal(s1.q[0], high | 0xb);
	assert_int_equal(frz_smmuv3_ste_cd(&s1), high);
	assert_true(frz_smmuv3_ste_is_frozen(&s1, 1, high, 0, 4));

	/* S2VMID, S2TTB */
	s2.q[2] = (live_s2.q[2] & ~0xffffULL) | 0xfedc;
	s2.q[3] = 0xffffffffffff0;
	assert_int_equal(frz_smmuv3_ste_vmid(&s2), 0xfedc);
	assert_int_equal(frz_smmuv3_ste_top(&s2), 0xffffffffffff0);
	frz_smmuv3_ste_freeze_s2(&s2, high);
	assert_int_equal(s2.q[3], high);
	assert_int_equal(frz_smmuv3_ste_top(&s2), high);
	assert_true(frz_smmuv3_ste_is_frozen(&s2, 2, high, 0xfedc, 4));

	/* ASID; TTB0 and HAFT below it */
	cd.q[0] |= 0xffff000000000000;
	cd.q[1] = 0xffffffffffff8;
	assert_int_equal(frz_smmuv3_cd_asid(&cd), 0xffff);
	assert_int_equal(frz_smmuv3_cd_top(&cd), 0xffffffffffff0);
	frz_smmuv3_cd_freeze(&cd, high, 1);
	assert_int_equal(frz_smmuv3_cd_asid(&cd), 1);
	assert_int_equal(cd.q[1], high);
	assert_int_equal(frz_smmuv3_cd_top(&cd), high);
	assert_true(frz_smmuv3_cd_is_frozen(&cd, high, 1, 4));
}

/*
 * Why a swap goes by the STE: a descriptor that is in use would for a while have the
 * tables of one domain and the tag of the other, in whatever order it is written.
 */
static void test_cd_in_place(void **state)
{
	struct frz_smmuv3_cd frozen = live_cd, cd;
	unsigned int first;

	(void)state;
	frz_smmuv3_cd_freeze(&frozen, TOP, 9);
	for (first = 0; first < 2; first++) {
		cd = live_cd;
		cd.q[first] = frozen.q[first];
		assert_int_not_equal(frz_smmuv3_cd_asid(&cd) == 9,
				     frz_smmuv3_cd_top(&cd) == TOP);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_change),
		cmocka_unit_test(test_wrong_order),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_freeze_s1),
		cmocka_unit_test(test_freeze_s2),
		cmocka_unit_test(test_each_bit),
		cmocka_unit_test(test_hitless),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_obstacles),
		cmocka_unit_test(test_cd),
		cmocka_unit_test(test_full_fields),
		cmocka_unit_test(test_cd_in_place),
	};

	return cmocka_run_group_tests_name("smmuv3", tests, NULL, NULL);
}
