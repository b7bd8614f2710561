// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of frozen domains behind an IOMMU that is nothing but memory: the way of
 * a device out of one kernel and into the next one, and each allocation on it failing
 * in turn.
 *
 * Structure: the cases of outgoing.c and incoming.c, and a sweep over both.
 *
 * Locking: none; KUnit runs one at a time. A device that is preserved or came frozen
 * would be in the same lists, so nobody may have one meanwhile.
 *
 * Fails: the tests do.
 */
#include <kunit/test.h>
#include <linux/kexec_handover.h>

#include "../import.h"
#include "../incoming.h"
#include "../outgoing.h"
#include "../view.h"
#include "faults.h"
#include "jump.h"
#include "scene.h"
#include "suite.h"

/*
 * Fewer would mean that most of the way was not gone. The allocators' own are among
 * them, and come and go; they do without.
 */
#define LEAST_SITES	30
#define LEAST_REFUSED	20

static int any(void *arg, const struct frz_view *view)
{
	return 0;
}

static int init(struct kunit *test)
{
	struct frz_place place = { .by_index = true };

	if (!kho_is_enabled())
		kunit_skip(test, "needs kho=on");
	if (!frz_outgoing_view(&place, any, NULL) || frz_import_any())
		kunit_skip(test, "a device of this machine is preserved, or came frozen");
	return frz_scene_init(test);
}

/* What a case that was given up has left in the core's lists. */
static void give_up(struct frz_scene *s)
{
	unsigned int i;

	if (s->jump)
		frz_jump_end(s, s->jump);
	for (i = 0; i < FRZ_SCENE_DEVS; i++) {
		if (!s->dev[i].out)
			continue;
		frz_outgoing_unfreeze(s->dev[i].out);
		frz_outgoing_unpreserve(s->dev[i].out);
	}
}

static void exit_case(struct kunit *test)
{
	if (test->priv)
		give_up(test->priv);
	frz_scene_exit(test);
}

KUNIT_DEFINE_ACTION_WRAPPER(end_faults, frz_faults_end, struct frz_faults *);

static void sweep(struct kunit *test)
{
	struct frz_faults *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	if (frz_faults_begin(f, test))
		kunit_skip(test, "needs failslab and fail_page_alloc that spare nothing");
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, end_faults, f), 0);
	frz_sweep_outgoing(f);
	frz_sweep_incoming(f);
	kunit_info(test, "%u allocation sites failed in turn, %u of them refused the call\n",
		   f->sites, f->refused);
	KUNIT_EXPECT_GE(test, f->sites, LEAST_SITES);
	KUNIT_EXPECT_GE(test, f->refused, LEAST_REFUSED);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(frz_test_freeze_and_back),
	KUNIT_CASE(frz_test_blob_of_freeze),
	KUNIT_CASE(frz_test_hold),
	KUNIT_CASE(frz_test_preserve_refused),
	KUNIT_CASE(frz_test_freeze_refused),
	KUNIT_CASE(frz_test_unpreserve_frozen),
	KUNIT_CASE(frz_test_import_to_finish),
	KUNIT_CASE(frz_test_compare),
	KUNIT_CASE(frz_test_bad_blob),
	KUNIT_CASE(frz_test_bad_device),
	KUNIT_CASE(frz_test_bad_tables),
	KUNIT_CASE(frz_test_bad_entry),
	KUNIT_CASE(frz_test_bad_group),
	KUNIT_CASE(frz_test_bad_unit),
	KUNIT_CASE(frz_test_not_frozen),
	KUNIT_CASE(frz_test_owner),
	KUNIT_CASE_SLOW(sweep),
	{}
};

static struct kunit_suite suite = {
	.name = "iommu_freeze",
	.init = init,
	.exit = exit_case,
	.test_cases = cases,
};

kunit_test_suite(suite);
