// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kinds of IOMMU: each is found by its id, and has words for what no other one can
 * find. VT-d's checks of a blob are in test-blob-check.c, SMMUv3's here.
 */
#include <linux/bits.h>

#include "blob.h"
#include "cmocka-all.h"
#include "kind.h"
#include "obstacle.h"

static void test_lookup(void **state)
{
	const struct frz_kind *kind;
	u32 i, k;

	(void)state;
	for (i = 0; (kind = frz_kind_at(i)); i++) {
		assert_true(kind->id);
		assert_true(*kind->name);
		assert_ptr_equal(frz_kind_by_id(kind->id), kind);
		for (k = 0; k < i; k++)
			assert_string_not_equal(frz_kind_at(k)->name, kind->name);
	}
	assert_true(i);
	assert_null(frz_kind_at(i));
	assert_null(frz_kind_at(~0u));
	assert_null(frz_kind_by_id(0));
	assert_null(frz_kind_by_id(~0u));
}

static void test_vtd(void **state)
{
	const struct frz_kind *kind = frz_kind_by_id(FRZ_UNIT_VTD_LEGACY);

	(void)state;
	assert_non_null(kind);
	assert_string_equal(kind->name, "vtd-legacy");
}

static void test_smmuv3(void **state)
{
	const struct frz_kind *kind = frz_kind_by_id(FRZ_UNIT_SMMUV3);

	(void)state;
	assert_non_null(kind);
	assert_string_equal(kind->name, "smmuv3");
}

/* A unit of 16 bits of stream ids in two levels, with the level 2 tables of two buses. */
struct smmu {
	struct frz_abi_unit unit;
	struct frz_abi_table tables[3];
};

static const struct smmu two_levels = {
	.unit = {
		.record = { .type = FRZ_RECORD_UNIT, .version = FRZ_UNIT_VERSION },
		.kind = FRZ_UNIT_SMMUV3, .nr_tables = 3, .ids = { [6] = 0x10210 },
	},
	.tables = {
		{ .index = 1, .address = 0x104000, .len = 0x4000 },
		{ .index = FRZ_SMMUV3_TABLE_STRTAB, .address = 0x101000, .len = 0x1000 },
		{ .index = 255, .address = 0x108000, .len = 0x4000 },
	},
};

/* NULL, or the reason, and that it is told of this field. */
static const char *check_unit(const struct smmu *s, const void *where)
{
	const struct frz_kind *kind = frz_kind_by_id(FRZ_UNIT_SMMUV3);
	const u32 *field = NULL;
	const char *reason = kind->check(&s->unit, &field);

	if (reason)
		assert_ptr_equal(field, where);
	return reason;
}

static void test_smmuv3_tables(void **state)
{
	struct smmu s = two_levels;

	(void)state;
	assert_null(check_unit(&s, NULL));
	s.unit.nr_tables = 2;
	assert_null(check_unit(&s, NULL));
	s.tables[1].index = 2;
	s.tables[1].len = 0x4000;
	s.tables[1].address = 0x10c000;
	assert_string_equal(check_unit(&s, &s.unit.nr_tables), "unit: no stream table");
	s.unit.nr_tables = 0;
	assert_string_equal(check_unit(&s, &s.unit.nr_tables), "unit: no stream table");
	s = two_levels;
	s.tables[2].index = 256;
	assert_string_equal(check_unit(&s, &s.tables[2].index), "table: no such index");
	s.tables[2].index = 0x7fffffff;
	assert_string_equal(check_unit(&s, &s.tables[2].index), "table: no such index");
	s = two_levels;
	s.tables[0].len = 0x3000;
	assert_string_equal(check_unit(&s, &s.tables[0].index), "table: wrong length");
	s = two_levels;
	s.tables[0].address = 0x106000;
	assert_string_equal(check_unit(&s, &s.tables[0].index),
			    "table: not aligned to its length");
	s = two_levels;
	s.tables[1].len = 0x2000;
	assert_string_equal(check_unit(&s, &s.tables[1].index), "table: wrong length");
	/* 2^19 stream ids: the table is 16 KiB, and hardware would align its address. */
	s.unit.ids[6] = 0x10213;
	assert_string_equal(check_unit(&s, &s.tables[1].index), "table: wrong length");
	s.tables[1].len = 0x4000;
	assert_string_equal(check_unit(&s, &s.tables[1].index),
			    "table: not aligned to its length");
	s.tables[1].address = 0x10c000;
	assert_null(check_unit(&s, NULL));
}

static void test_smmuv3_linear(void **state)
{
	struct smmu s = two_levels;

	(void)state;
	s.unit.nr_tables = 1;
	s.unit.ids[6] = 8;
	s.tables[0] = (struct frz_abi_table){
		.index = FRZ_SMMUV3_TABLE_STRTAB, .address = 0x104000, .len = 0x4000,
	};
	assert_null(check_unit(&s, NULL));
	s.tables[0].address = 0x105000;
	assert_string_equal(check_unit(&s, &s.tables[0].index),
			    "table: not aligned to its length");
	/* Less than a page */
	s.unit.ids[6] = 0;
	assert_string_equal(check_unit(&s, &s.tables[0].index), "table: wrong length");
	s.tables[0].len = 0x1000;
	assert_null(check_unit(&s, NULL));
	s.unit.ids[6] = 32;
	s.tables[0].len = BIT_ULL(38);
	s.tables[0].address = BIT_ULL(38);
	assert_null(check_unit(&s, NULL));
	/* One level has no level 2. */
	s.unit.nr_tables = 2;
	s.tables[1] = two_levels.tables[0];
	assert_string_equal(check_unit(&s, &s.tables[1].index), "table: no such index");
}

static void test_smmuv3_shape(void **state)
{
	/* Too many bits, too few for two levels, other splits and formats, other bits */
	static const u64 bad[] = { 33, 63, 0x10208, 0x10200, 0x10221, 0x10190, 0x10010, 0x20210,
				   0x30210, 0x210, 0x20010, 0x10a10, 0x110210, 0x100010210,
				   0x8000000000010210 };
	struct smmu s = two_levels;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		s.unit.ids[6] = bad[i];
		assert_string_equal(check_unit(&s, &s.unit.ids[6]),
				    "unit: no such shape of a stream table");
	}
}

static const char *check_domain(u32 unit, u32 format, u64 head)
{
	struct frz_abi_domain dom = { .format = format, .head = head };
	const u32 *field = NULL;
	const char *reason = frz_kind_by_id(unit)->check_domain(&dom, &field);

	if (reason)
		assert_ptr_equal(field, &dom.format);
	return reason;
}

static void test_domains(void **state)
{
	static const char other[] = "domain: tables of another kind of unit";

	(void)state;
	assert_null(check_domain(FRZ_UNIT_SMMUV3, FRZ_FORMAT_LPAE_S1, 0x1000));
	assert_null(check_domain(FRZ_UNIT_SMMUV3, FRZ_FORMAT_LPAE_S2, 0));
	assert_string_equal(check_domain(FRZ_UNIT_SMMUV3, FRZ_FORMAT_LPAE_S1, 0),
			    "domain: stage 1 without a context descriptor");
	assert_string_equal(check_domain(FRZ_UNIT_SMMUV3, FRZ_FORMAT_LPAE_S2, 0x1000),
			    "domain: stage 2 with a context descriptor");
	assert_string_equal(check_domain(FRZ_UNIT_SMMUV3, FRZ_FORMAT_VTDSS, 0), other);
	assert_null(check_domain(FRZ_UNIT_VTD_LEGACY, FRZ_FORMAT_VTDSS, 0));
	assert_string_equal(check_domain(FRZ_UNIT_VTD_LEGACY, FRZ_FORMAT_LPAE_S1, 0), other);
	assert_string_equal(check_domain(FRZ_UNIT_VTD_LEGACY, FRZ_FORMAT_LPAE_S2, 0), other);
}

static const char *check_stream(const struct smmu *s, u32 stream, u32 state)
{
	/* Not its requester id: firmware says what it is. */
	struct frz_abi_device dev = { .bus = 9, .stream = stream, .state = state };
	const u32 *field = NULL;
	const char *reason;

	reason = frz_kind_by_id(FRZ_UNIT_SMMUV3)->check_device(&s->unit, &dev, &field);
	if (reason)
		assert_ptr_equal(field, &dev.stream);
	return reason;
}

static void test_smmuv3_streams(void **state)
{
	static const char beyond[] = "device: stream beyond the stream table";
	static const char none[] = "device: no table has its stream";
	struct smmu s = two_levels;

	(void)state;
	assert_null(check_stream(&s, 0x100, FRZ_DEVICE_FROZEN));
	assert_null(check_stream(&s, 0xffff, FRZ_DEVICE_FROZEN));
	assert_string_equal(check_stream(&s, 0x10000, FRZ_DEVICE_FROZEN), beyond);
	assert_string_equal(check_stream(&s, ~0u, FRZ_DEVICE_PRESERVED), beyond);
	assert_string_equal(check_stream(&s, 0x200, FRZ_DEVICE_FROZEN), none);
	/* One that was never flipped is nothing that anybody looks for. */
	assert_null(check_stream(&s, 0x200, FRZ_DEVICE_PRESERVED));
	s.unit.ids[6] = 8;
	assert_null(check_stream(&s, 0xff, FRZ_DEVICE_FROZEN));
	assert_string_equal(check_stream(&s, 0x100, FRZ_DEVICE_FROZEN), beyond);
	s.unit.ids[6] = 32;
	assert_null(check_stream(&s, ~0u, FRZ_DEVICE_FROZEN));
	s.unit.ids[6] = 33;
	assert_string_equal(check_stream(&s, 0, FRZ_DEVICE_FROZEN), beyond);
}

static void assert_words(u32 obstacle, const char *name, const char *text, const char *fix)
{
	const struct frz_obstacle *o = frz_obstacle(obstacle);

	assert_non_null(o);
	assert_string_equal(o->name, name);
	assert_string_equal(o->text, text);
	if (fix)
		assert_string_equal(o->fix, fix);
	else
		assert_null(o->fix);
}

/* Some words are the same for every kind, and others only one kind has. */
static void test_words(void **state)
{
	(void)state;
	assert_words(IOMMU_FREEZE_OBSTACLE_DRIVER, "driver",
		     "it is not bound to vfio-pci", "bind it");
	assert_words(IOMMU_FREEZE_OBSTACLE_IOMMU, "iommu", "its IOMMU is not VT-d",
		     "boot with intel_iommu=on");
	assert_words(IOMMU_FREEZE_OBSTACLE_CPU, "cpu",
		     "this CPU cannot swap 16 bytes at once (no cmpxchg16b)", NULL);
	assert_words(IOMMU_FREEZE_OBSTACLE_SCALABLE, "scalable",
		     "VT-d is in scalable mode", "boot with intel_iommu=on,sm_off");
	assert_words(IOMMU_FREEZE_OBSTACLE_STREAM_TABLE, "stream-table",
		     "its SMMU has a stream table in memory that cannot be kept",
		     "boot with cma=0");
	assert_string_equal(frz_kind_by_id(FRZ_UNIT_SMMUV3)->obstacles
			    [IOMMU_FREEZE_OBSTACLE_IOMMU].text, "its IOMMU is not an SMMUv3");
}

/* The first kind that has a word for an obstacle, NULL if none has. */
static const struct frz_kind *first_with(u32 obstacle)
{
	const struct frz_kind *kind;
	u32 i;

	for (i = 0; (kind = frz_kind_at(i)); i++)
		if (kind->obstacles[obstacle].name)
			return kind;
	return NULL;
}

/* What is not the same for every kind is told in the first one's words. */
static void test_first(void **state)
{
	const struct frz_kind *kind;
	u32 i, of_kinds = 0;

	(void)state;
	for (i = 0; i < IOMMU_FREEZE_NR_OBSTACLES; i++) {
		kind = first_with(i);
		if (kind) {
			assert_ptr_equal(frz_obstacle(i), &kind->obstacles[i]);
			of_kinds++;
		}
	}
	assert_in_range(of_kinds, 3, IOMMU_FREEZE_NR_OBSTACLES - 1);
}

/* What a kind cannot have is what only others have words for. */
static void test_others(void **state)
{
	(void)state;
	assert_true(frz_obstacles_of_others(frz_kind_by_id(FRZ_UNIT_VTD_LEGACY)) ==
		    (BIT_ULL(IOMMU_FREEZE_OBSTACLE_COHERENCY) |
		     BIT_ULL(IOMMU_FREEZE_OBSTACLE_EXTENSION) |
		     BIT_ULL(IOMMU_FREEZE_OBSTACLE_STREAM_TABLE) |
		     BIT_ULL(IOMMU_FREEZE_OBSTACLE_STALL) |
		     BIT_ULL(IOMMU_FREEZE_OBSTACLE_HOST_BRIDGE) |
		     BIT_ULL(IOMMU_FREEZE_OBSTACLE_GRANULE) |
		     BIT_ULL(IOMMU_FREEZE_OBSTACLE_STAGE_2)));
	assert_true(frz_obstacles_of_others(frz_kind_by_id(FRZ_UNIT_SMMUV3)) ==
		    (BIT_ULL(IOMMU_FREEZE_OBSTACLE_CPU) |
		     BIT_ULL(IOMMU_FREEZE_OBSTACLE_SCALABLE)));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_vtd),
		cmocka_unit_test(test_smmuv3),
		cmocka_unit_test(test_smmuv3_tables),
		cmocka_unit_test(test_smmuv3_linear),
		cmocka_unit_test(test_smmuv3_shape),
		cmocka_unit_test(test_smmuv3_streams),
		cmocka_unit_test(test_domains),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_first),
	};

	return cmocka_run_group_tests_name("kind", tests, NULL, NULL);
}
