// SPDX-License-Identifier: GPL-2.0-only
/*
 * The words for obstacles: programs tell them apart by name, and people read them
 * in one line of the kernel's log or of iommu-freeze(8).
 */
#include <string.h>

#include "cmocka-all.h"
#include "kind.h"
#include "obstacle.h"

static void test_names(void **state)
{
	const struct frz_obstacle *o, *other;
	u32 i, j;

	(void)state;
	for (i = 0; i < IOMMU_FREEZE_NR_OBSTACLES; i++) {
		o = frz_obstacle(i);
		assert_non_null(o);
		assert_non_null(o->name);
		assert_true(*o->name);
		assert_int_equal(strspn(o->name, "abcdefghijklmnopqrstuvwxyz-"),
				 strlen(o->name));
		for (j = 0; j < i; j++) {
			other = frz_obstacle(j);
			assert_string_not_equal(o->name, other->name);
		}
	}
}

/* "OBJECT: text; fix" has to be one line that can be read back. */
static void assert_words(const char *words)
{
	assert_non_null(words);
	assert_true(*words);
	assert_null(strpbrk(words, ";\n"));
	assert_int_not_equal(words[strlen(words) - 1], '.');
}

static void test_texts(void **state)
{
	const struct frz_obstacle *o, *other;
	u32 i, j;

	(void)state;
	for (i = 0; i < IOMMU_FREEZE_NR_OBSTACLES; i++) {
		o = frz_obstacle(i);
		assert_words(o->text);
		if (o->fix)
			assert_words(o->fix);
		for (j = 0; j < i; j++) {
			other = frz_obstacle(j);
			assert_string_not_equal(o->text, other->text);
		}
	}
}

static void test_beyond(void **state)
{
	(void)state;
	assert_null(frz_obstacle(IOMMU_FREEZE_NR_OBSTACLES));
	assert_null(frz_obstacle(63));
	assert_null(frz_obstacle(~0u));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_beyond),
	};

	return cmocka_run_group_tests_name("obstacle", tests, NULL, NULL);
}
