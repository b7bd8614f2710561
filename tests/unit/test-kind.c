// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kinds of IOMMU: each is found by its id, and has words for what no other one can
 * find. Their checks of a blob are in test-blob-check.c.
 */
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_vtd),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_first),
	};

	return cmocka_run_group_tests_name("kind", tests, NULL, NULL);
}
