// SPDX-License-Identifier: GPL-2.0-only
/*
 * The new kernel: import, adopt, compare, replace, finish; and what is refused.
 *
 * Structure: test cases, see suite.c, each with a handover of jump.c. PCI's and the
 * IOMMU core's part is played here: a device is found, its group asks what it starts
 * on, and a live domain is attached.
 *
 * Locking: none; there is one test at a time.
 *
 * Fails: the tests do.
 */
#include <kunit/test.h>
#include <linux/iommu-freeze.h>
#include <linux/pci.h>

#include "../import.h"
#include "../incoming.h"
#include "faults.h"
#include "jump.h"
#include "scene.h"
#include "suite.h"

/* A handover that a test may spoil before arrive() */
static struct frz_jump *depart(struct kunit *test)
{
	struct frz_jump *j = kunit_kzalloc(test, sizeof(*j), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, j);
	KUNIT_ASSERT_EQ(test, frz_jump_make(test->priv, j), 0);
	return j;
}

static void arrive(struct kunit *test, struct frz_jump *j)
{
	KUNIT_ASSERT_EQ(test, frz_jump_write(j), 0);
	frz_jump_boot(test->priv, j);
}

/* What the driver does once the comparison has said yes. */
static void attach_live(struct frz_scene *s, unsigned int i)
{
	struct frz_scene_dev *dev = &s->dev[i];

	frz_fake_put(dev->pdev.devfn, s->live[dev->live].enc.top,
		     frz_scene_tag(dev->live));
	iommu_freeze_replaced(&dev->pdev.dev);
}

static int compare(struct frz_scene *s, unsigned int i)
{
	struct frz_scene_dev *dev = &s->dev[i];

	return frz_incoming_compare(&dev->pdev, &s->live[dev->live].fake.domain);
}

static void expect_runs(struct kunit *test, struct frz_jump *j, unsigned int i)
{
	struct frz_scene *s = test->priv;
	struct pci_dev *pdev = &s->dev[i].pdev;

	KUNIT_EXPECT_EQ(test, frz_incoming_state(pdev), FRZ_INCOMING_FROZEN);
	KUNIT_EXPECT_TRUE(test, iommu_domain_is_frozen(j->on[i]));
	KUNIT_EXPECT_TRUE(test, frz_jump_is_frozen(j, i));
	KUNIT_EXPECT_TRUE(test, frz_scene_is_master(&s->dev[i]));
	KUNIT_EXPECT_TRUE(test, iommu_freeze_pci_running(pdev));
	KUNIT_EXPECT_EQ(test, iommu_freeze_pci_may_stop(pdev), -EBUSY);
}

/* The IOMMU blocks it, it has no bus mastering, and nobody gets it. */
static void expect_stopped(struct kunit *test, struct frz_jump *j, unsigned int i)
{
	struct frz_scene *s = test->priv;
	struct pci_dev *pdev = &s->dev[i].pdev;

	KUNIT_EXPECT_EQ(test, frz_fake_at(pdev->devfn).to, 0);
	KUNIT_EXPECT_FALSE(test, frz_scene_is_master(&s->dev[i]));
	KUNIT_EXPECT_FALSE(test, iommu_freeze_pci_running(pdev));
	KUNIT_EXPECT_EQ(test, iommu_freeze_pci_may_stop(pdev), 0);
	KUNIT_EXPECT_NE(test, frz_incoming_state(pdev), FRZ_INCOMING_FROZEN);
	KUNIT_EXPECT_NULL(test, frz_incoming_retrieve(frz_pci_id(pdev)));
	KUNIT_EXPECT_EQ(test, compare(s, i), -ENODEV);
}

/* What was refused is given back to the page as well. */
static void expect_all_back(struct kunit *test, struct frz_jump *j)
{
	KUNIT_EXPECT_EQ(test, frz_jump_end(test->priv, j), 0);
	KUNIT_EXPECT_EQ(test, frz_fake.nr_tags, 0);
}

/**
 * frz_test_import_to_finish - All the way in
 * @test: the test
 */
void frz_test_import_to_finish(struct kunit *test)
{
	struct frz_scene *s = test->priv;
	struct frz_jump *j = depart(test);
	unsigned int i, stores = frz_fake.nr_stores;
	struct pci_dev *pdev;

	arrive(test, j);
	KUNIT_EXPECT_FALSE(test, frz_import_bad());
	KUNIT_EXPECT_EQ(test, frz_import_generation(), 1);
	KUNIT_EXPECT_EQ(test, frz_fake.nr_tags, FRZ_SCENE_LIVES);
	/* Those of no device were cleared, one store each. */
	KUNIT_EXPECT_EQ(test, frz_fake.nr_stores,
			stores + FRZ_FAKE_ENTRIES - FRZ_SCENE_DEVS);
	stores = frz_fake.nr_stores;
	for (i = 0; i < FRZ_SCENE_DEVS; i++) {
		u64 id = frz_pci_id(&s->dev[i].pdev);

		expect_runs(test, j, i);
		pdev = frz_incoming_retrieve(id);
		KUNIT_ASSERT_PTR_EQ(test, pdev, &s->dev[i].pdev);
		KUNIT_EXPECT_FALSE(test, frz_incoming_can_finish(id));
		KUNIT_EXPECT_EQ(test, compare(s, i), 0);
		expect_runs(test, j, i);
		KUNIT_EXPECT_EQ(test, frz_fake.nr_stores, stores + i);
		attach_live(s, i);
		KUNIT_EXPECT_EQ(test, frz_incoming_state(pdev), FRZ_INCOMING_REPLACED);
		KUNIT_EXPECT_FALSE(test, iommu_freeze_pci_running(pdev));
		KUNIT_EXPECT_TRUE(test, frz_scene_is_live(&s->dev[i], s));
		KUNIT_ASSERT_TRUE(test, frz_incoming_can_finish(id));
		/* The first of two that share their tables keeps them. */
		KUNIT_EXPECT_EQ(test, frz_fake.nr_tags, i < 2 ? 2 : 1);
		KUNIT_EXPECT_EQ(test, frz_jump_left(j), i < 2 ?
				j->dom[0].nr_chunks + j->dom[1].nr_chunks :
				j->dom[1].nr_chunks);
		frz_incoming_finish(id);
		pci_dev_put(pdev);
		KUNIT_EXPECT_EQ(test, frz_incoming_state(pdev), FRZ_INCOMING_NONE);
	}
	KUNIT_EXPECT_EQ(test, frz_fake.nr_tags, 0);
	KUNIT_EXPECT_EQ(test, frz_jump_left(j), 0);
	KUNIT_EXPECT_EQ(test, frz_fake.nr_blocked, 0);
	frz_jump_end(s, j);
}

/**
 * frz_test_compare - A live domain takes the place if it translates all, alike
 * @test: the test
 */
void frz_test_compare(struct kunit *test)
{
	struct frz_scene *s = test->priv;
	struct frz_jump *j = depart(test);
	__le64 *last = frz_scene_leaf(&s->live[0], FRZ_SCENE_IOVA + (11ULL << 30) +
				      2 * PAGE_SIZE);
	__le64 good = *last;

	arrive(test, j);
	/* Another page, less or more permission, and none at all */
	*last = cpu_to_le64(le64_to_cpu(good) ^ PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, compare(s, 0), -EUCLEAN);
	*last = cpu_to_le64(le64_to_cpu(good) ^ 3);
	KUNIT_EXPECT_EQ(test, compare(s, 0), -EUCLEAN);
	*last = cpu_to_le64(le64_to_cpu(good) | 3);
	KUNIT_EXPECT_EQ(test, compare(s, 0), -EUCLEAN);
	*last = 0;
	KUNIT_EXPECT_EQ(test, compare(s, 0), -EUCLEAN);
	*last = good;

	/* Tables that cannot be read, and a domain of another IOMMU */
	s->live[0].fake.tree.top = BIT_ULL(51);
	KUNIT_EXPECT_EQ(test, compare(s, 0), -EIO);
	s->live[0].fake.tree.top = s->live[0].enc.top;
	s->live[0].fake.domain.owner = NULL;
	KUNIT_EXPECT_EQ(test, compare(s, 0), -EINVAL);
	s->live[0].fake.domain.owner = &frz_fake_ops;

	expect_runs(test, j, 0);
	KUNIT_EXPECT_EQ(test, compare(s, 0), 0);
	/* It may map more. */
	KUNIT_EXPECT_EQ(test, frz_incoming_compare(&s->dev[2].pdev,
						   &s->live[0].fake.domain), 0);
	KUNIT_EXPECT_EQ(test, frz_incoming_compare(&s->dev[0].pdev,
						   &s->live[1].fake.domain), -EUCLEAN);
	expect_all_back(test, j);
}

/**
 * frz_test_bad_blob - A handover that cannot be read stops everything
 * @test: the test
 */
void frz_test_bad_blob(struct kunit *test)
{
	struct frz_scene *s = test->priv;
	struct frz_jump *j = depart(test);
	unsigned int i;

	KUNIT_ASSERT_EQ(test, frz_jump_write(j), 0);
	((u8 *)j->blob)[j->len - 1] ^= 1;
	frz_jump_boot(s, j);
	KUNIT_EXPECT_TRUE(test, frz_import_bad());
	for (i = 0; i < FRZ_SCENE_DEVS; i++) {
		KUNIT_EXPECT_NULL(test, j->on[i]);
		expect_stopped(test, j, i);
	}
	KUNIT_EXPECT_EQ(test, frz_fake.nr_tags, 0);
	/* What cannot be read does not say what it keeps. */
	KUNIT_EXPECT_EQ(test, frz_jump_end(s, j),
			j->dom[0].nr_chunks + j->dom[1].nr_chunks);
}

/**
 * frz_test_bad_device - Another device in its place is stopped, the others run
 * @test: the test
 */
void frz_test_bad_device(struct kunit *test)
{
	struct frz_jump *j = depart(test);

	j->dev[0].device++;
	j->dev[2].bars[0] += SZ_1M;
	arrive(test, j);
	expect_stopped(test, j, 0);
	expect_runs(test, j, 1);
	expect_stopped(test, j, 2);
	KUNIT_EXPECT_EQ(test, frz_fake.nr_blocked, 0);
	expect_all_back(test, j);
}

/**
 * frz_test_bad_tables - Tables that changed on the way stop their devices
 * @test: the test
 */
void frz_test_bad_tables(struct kunit *test)
{
	struct frz_jump *j = depart(test);

	((u8 *)phys_to_virt(j->dom[0].top))[0] ^= 1;
	arrive(test, j);
	expect_stopped(test, j, 0);
	expect_stopped(test, j, 1);
	expect_runs(test, j, 2);
	expect_all_back(test, j);
}

/**
 * frz_test_bad_entry - One that is translated by something else is stopped
 * @test: the test
 */
void frz_test_bad_entry(struct kunit *test)
{
	struct frz_scene *s = test->priv;
	struct frz_jump *j = depart(test);

	frz_fake_put(s->dev[0].pdev.devfn, j->dom[0].head, j->dom[1].tag);
	frz_fake_put(s->dev[2].pdev.devfn, 0, 0);
	arrive(test, j);
	expect_stopped(test, j, 0);
	expect_runs(test, j, 1);
	expect_stopped(test, j, 2);
	expect_all_back(test, j);
}

/**
 * frz_test_bad_group - A device is not adopted behind another unit or stream
 * @test: the test
 *
 * By then its entry was found to be good: it has to go.
 */
void frz_test_bad_group(struct kunit *test)
{
	struct frz_scene *s = test->priv;
	struct frz_jump *j = depart(test);
	struct frz_fake_entry e = frz_fake_at(s->dev[0].pdev.devfn);
	static struct iommu_device elsewhere = { .ops = &frz_fake_ops };

	/* Its DMA carried another id than it has. */
	j->dev[0].stream = PCI_DEVFN(31, 0);
	frz_fake.table[j->dev[0].stream] = e;
	frz_fake_put(s->dev[0].pdev.devfn, 0, 0);
	s->dev[1].iommu.iommu_dev = &elsewhere;
	arrive(test, j);
	s->dev[1].iommu.iommu_dev = &frz_fake.iommu;
	KUNIT_EXPECT_EQ(test, frz_fake_at(j->dev[0].stream).to, 0);
	expect_stopped(test, j, 0);
	expect_stopped(test, j, 1);
	expect_runs(test, j, 2);
	KUNIT_EXPECT_EQ(test, frz_fake.nr_blocked, 2);
	expect_all_back(test, j);
}

/**
 * frz_test_bad_unit - A unit that is not what it was stops all of its devices
 * @test: the test
 */
void frz_test_bad_unit(struct kunit *test)
{
	struct frz_jump *j = depart(test);
	unsigned int i;

	frz_fake.refuse = "it is in another mode";
	arrive(test, j);
	for (i = 0; i < FRZ_SCENE_DEVS; i++) {
		KUNIT_EXPECT_NULL(test, j->on[i]);
		expect_stopped(test, j, i);
	}
	KUNIT_EXPECT_EQ(test, frz_fake.nr_released, 1);
	expect_all_back(test, j);
}

/**
 * frz_test_not_frozen - What was only preserved does not come
 * @test: the test
 */
void frz_test_not_frozen(struct kunit *test)
{
	struct frz_scene *s = test->priv;
	struct frz_jump *j = depart(test);

	j->dev[1].state = FRZ_DEVICE_PRESERVED;
	arrive(test, j);
	expect_runs(test, j, 0);
	expect_stopped(test, j, 1);
	expect_all_back(test, j);

	memset(j, 0, sizeof(*j));
	KUNIT_ASSERT_EQ(test, frz_jump_make(s, j), 0);
	j->flags = 0;
	arrive(test, j);
	/* Nothing is known of any of them, and nothing is wrong. */
	KUNIT_EXPECT_FALSE(test, frz_import_bad());
	KUNIT_EXPECT_EQ(test, frz_incoming_state(&s->dev[0].pdev), FRZ_INCOMING_NONE);
	KUNIT_EXPECT_NULL(test, j->on[0]);
	frz_jump_end(s, j);
}

/**
 * frz_test_owner - A device has one owner, and is given up by nobody else
 * @test: the test
 */
void frz_test_owner(struct kunit *test)
{
	struct frz_scene *s = test->priv;
	struct frz_jump *j = depart(test);
	struct pci_dev *pdev = &s->dev[2].pdev;

	arrive(test, j);
	KUNIT_EXPECT_FALSE(test, frz_incoming_is_owner(pdev, test));
	KUNIT_EXPECT_TRUE(test, frz_incoming_set_owner(pdev, test));
	KUNIT_EXPECT_FALSE(test, frz_incoming_set_owner(pdev, s));
	KUNIT_EXPECT_TRUE(test, frz_incoming_is_owner(pdev, test));
	KUNIT_EXPECT_EQ(test, frz_incoming_discard(FRZ_FAKE_SEGMENT, pdev->devfn),
			-EBUSY);
	expect_runs(test, j, 2);
	frz_incoming_drop_owner(pdev, s);
	KUNIT_EXPECT_TRUE(test, frz_incoming_is_owner(pdev, test));
	frz_incoming_drop_owner(pdev, test);
	KUNIT_EXPECT_EQ(test, frz_incoming_discard(FRZ_FAKE_SEGMENT, pdev->devfn), 0);
	KUNIT_EXPECT_EQ(test, frz_fake_at(pdev->devfn).to, 0);
	KUNIT_EXPECT_FALSE(test, frz_scene_is_master(&s->dev[2]));
	KUNIT_EXPECT_EQ(test, frz_jump_left(j), j->dom[0].nr_chunks);
	KUNIT_EXPECT_EQ(test, frz_incoming_discard(FRZ_FAKE_SEGMENT, pdev->devfn),
			-ENOENT);
	expect_runs(test, j, 0);
	expect_all_back(test, j);
}

/* Of the sweep */
static struct frz_jump jump;

static void prepare_boot(struct kunit *test)
{
	memset(&jump, 0, sizeof(jump));
	KUNIT_ASSERT_EQ(test, frz_jump_make(test->priv, &jump), 0);
	KUNIT_ASSERT_EQ(test, frz_jump_write(&jump), 0);
}

static int call_boot(struct kunit *test)
{
	struct frz_scene *s = test->priv;
	unsigned int i;

	frz_jump_boot(s, &jump);
	for (i = 0; i < FRZ_SCENE_DEVS; i++)
		if (frz_incoming_state(&s->dev[i].pdev) != FRZ_INCOMING_FROZEN)
			return -ENOMEM;
	return 0;
}

/* Each device runs as it ran, or was stopped; there is nothing between. */
static void undo_boot(struct kunit *test, int ret)
{
	struct frz_scene *s = test->priv;
	unsigned int i;

	for (i = 0; i < FRZ_SCENE_DEVS; i++) {
		if (frz_incoming_state(&s->dev[i].pdev) == FRZ_INCOMING_FROZEN)
			expect_runs(test, &jump, i);
		else
			expect_stopped(test, &jump, i);
	}
	frz_jump_end(s, &jump);
}

static int call_compare(struct kunit *test)
{
	return compare(test->priv, 0);
}

static int call_finish(struct kunit *test)
{
	struct frz_scene *s = test->priv;

	/* The only one on its tables: they go with it. */
	frz_incoming_finish(frz_pci_id(&s->dev[2].pdev));
	return 0;
}

static void undo_nothing(struct kunit *test, int ret)
{
	KUNIT_FAIL(test, "what may not be refused allocates memory");
}

static unsigned int held(struct kunit *test)
{
	return frz_jump_left(&jump) << 8 | frz_fake.nr_tags;
}

/**
 * frz_sweep_incoming - Every allocation in the new kernel fails in turn
 * @f: the sweep
 *
 * A device that there is no memory for is stopped. A comparison and a finish need none.
 */
void frz_sweep_incoming(struct frz_faults *f)
{
	static const struct frz_fault_call
	boot = { "boot", prepare_boot, call_boot, undo_boot, held },
	compares = { "compare", NULL, call_compare, undo_nothing, held },
	finishes = { "finish", NULL, call_finish, undo_nothing, held };
	int pages = frz_faults_pages();

	memset(&jump, 0, sizeof(jump));
	frz_faults_call(f, &boot);
	frz_faults_call(f, &compares);
	attach_live(f->test->priv, 2);
	frz_faults_call(f, &finishes);
	frz_jump_end(f->test->priv, &jump);
	KUNIT_EXPECT_EQ(f->test, frz_fake.nr_tags, 0);
	KUNIT_EXPECT_EQ(f->test, frz_faults_pages(), pages);
}
