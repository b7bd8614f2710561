// SPDX-License-Identifier: GPL-2.0-only
/*
 * The old kernel: hold, preserve, freeze, unfreeze, unpreserve.
 *
 * Structure: test cases, see suite.c. Each looks at the entry that translates a device,
 * at the blob, at what PCI is told and at what the backend was asked for.
 *
 * Locking: none; there is one test at a time.
 *
 * Fails: the tests do.
 */
#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/iommu-freeze.h>
#include <linux/pci.h>
#include <uapi/linux/iommu-freeze.h>

#include "../blob.h"
#include "../compare.h"
#include "../findings.h"
#include "../image.h"
#include "../memory.h"
#include "../outgoing.h"
#include "../trial.h"
#include "faults.h"
#include "scene.h"
#include "suite.h"

static const char *no_flaw(void)
{
	return NULL;
}

static const char *a_flaw(void)
{
	return "it is not loaded";
}

static struct frz_scene *scene_of(struct kunit *test)
{
	struct frz_scene *s = test->priv;

	kunit_activate_static_stub(test, frz_image_flaw, no_flaw);
	return s;
}

static int hold(struct frz_scene_dev *dev)
{
	struct frz_outgoing_device *out = frz_outgoing_hold(&dev->pdev);

	if (IS_ERR(out))
		return PTR_ERR(out);
	dev->out = out;
	return 0;
}

static void unpreserve(struct frz_scene_dev *dev)
{
	frz_outgoing_unpreserve(dev->out);
	dev->out = NULL;
}

static int preserve(struct frz_scene *s, struct frz_scene_dev *dev)
{
	return frz_outgoing_preserve(dev->out, &s->live[dev->live].fake.domain,
				     &s->store);
}

static int hold_and_preserve(struct frz_scene *s, struct frz_scene_dev *dev)
{
	int ret = hold(dev);

	if (ret)
		return ret;
	ret = preserve(s, dev);
	if (ret)
		unpreserve(dev);
	return ret;
}

static void preserve_all(struct kunit *test, struct frz_scene *s)
{
	unsigned int i;

	for (i = 0; i < FRZ_SCENE_DEVS; i++)
		KUNIT_ASSERT_EQ(test, hold_and_preserve(s, &s->dev[i]), 0);
}

static void unpreserve_all(struct frz_scene *s)
{
	unsigned int i;

	for (i = 0; i < FRZ_SCENE_DEVS; i++)
		unpreserve(&s->dev[i]);
}

static bool is_sealed(void)
{
	const struct frz_abi_header *h = frz_fake.writer->buf;

	return h->flags & FRZ_BLOB_FROZEN;
}

/* What the next kernel would make of the blob as it is now. */
static int open_blob(struct frz_blob *b)
{
	return frz_blob_open(b, frz_fake.writer->buf, frz_fake.writer->used, NULL);
}

/* Neither kernel may be able to tell the tables of a view from the live ones. */
static int compare(void *arg, const struct frz_view *view)
{
	u8 digest[FRZ_DIGEST_LEN];
	struct frz_diff diff;
	struct frz_reader r;
	struct frz_tree t;

	if (!frz_memory_intact(view->memory, digest) || view->elsewhere(view->dev))
		return -EBADMSG;
	frz_memory_tree(&r, view->memory, &t);
	if (frz_compare(&t, view->live, &diff, NULL))
		return -EUCLEAN;
	frz_memory_tree(&r, view->memory, &t);
	return frz_compare(view->live, &t, &diff, NULL) ? -EUCLEAN : view->state;
}

static int view(struct frz_scene_dev *dev)
{
	struct frz_place place = {
		.segment = FRZ_FAKE_SEGMENT, .devid = dev->pdev.devfn,
	};

	return frz_outgoing_view(&place, compare, NULL);
}

/**
 * frz_test_freeze_and_back - All the way there and back
 * @test: the test
 *
 * Each entry is the live or the frozen one at any time, changes in one store, and
 * the blob says that something is frozen while all of it is.
 */
void frz_test_freeze_and_back(struct kunit *test)
{
	struct frz_scene *s = scene_of(test);
	struct frz_fake_entry frozen[FRZ_SCENE_DEVS];
	unsigned int i, stores = frz_fake.nr_stores;

	preserve_all(test, s);
	KUNIT_EXPECT_EQ(test, frz_fake.nr_stores, stores);
	KUNIT_EXPECT_EQ(test, frz_fake.nr_tags, FRZ_SCENE_LIVES);
	KUNIT_EXPECT_EQ(test, frz_fake.nr_units, 1);
	KUNIT_EXPECT_EQ(test, frz_fake.nr_devices, FRZ_SCENE_DEVS);
	for (i = 0; i < FRZ_SCENE_DEVS; i++) {
		struct frz_scene_dev *dev = &s->dev[i];

		KUNIT_EXPECT_FALSE(test, is_sealed());
		KUNIT_EXPECT_TRUE(test, frz_scene_is_live(dev, s));
		KUNIT_EXPECT_EQ(test, view(dev), IOMMU_FREEZE_PRESERVED);
		KUNIT_EXPECT_FALSE(test, iommu_freeze_pci_keep_master(&dev->pdev));
		KUNIT_ASSERT_EQ(test, frz_outgoing_freeze(dev->out), 0);
		KUNIT_EXPECT_EQ(test, frz_fake.nr_stores, stores + i + 1);
		KUNIT_EXPECT_FALSE(test, frz_scene_is_live(dev, s));
		KUNIT_EXPECT_EQ(test, view(dev), IOMMU_FREEZE_FROZEN);
		KUNIT_EXPECT_TRUE(test, iommu_freeze_pci_keep_master(&dev->pdev));
		frozen[i] = frz_fake_at(dev->pdev.devfn);
	}
	KUNIT_EXPECT_TRUE(test, is_sealed());
	KUNIT_EXPECT_TRUE(test, frz_outgoing_any_frozen());
	/* Those of one live domain share their tables. */
	KUNIT_EXPECT_EQ(test, frozen[0].to, frozen[1].to);
	KUNIT_EXPECT_NE(test, frozen[0].to, frozen[2].to);
	KUNIT_EXPECT_NE(test, frozen[0].tag, frozen[2].tag);

	for (i = 0; i < FRZ_SCENE_DEVS; i++) {
		frz_outgoing_unfreeze(s->dev[i].out);
		KUNIT_EXPECT_FALSE(test, is_sealed());
		KUNIT_EXPECT_TRUE(test, frz_scene_is_live(&s->dev[i], s));
		KUNIT_EXPECT_EQ(test, view(&s->dev[i]), IOMMU_FREEZE_PRESERVED);
	}
	KUNIT_EXPECT_EQ(test, frz_fake.nr_stores, stores + 2 * FRZ_SCENE_DEVS);
	KUNIT_EXPECT_FALSE(test, frz_outgoing_any_frozen());
	unpreserve_all(s);
	KUNIT_EXPECT_EQ(test, frz_fake.nr_blocked, 0);
	for (i = 0; i < FRZ_SCENE_DEVS; i++)
		KUNIT_EXPECT_EQ(test, view(&s->dev[i]), -ENOENT);
}

static void check_record(struct kunit *test, struct frz_scene_dev *dev,
			 const struct frz_blob *b,
			 const struct frz_abi_device *rec)
{
	const struct frz_abi_domain *dom = frz_blob_domain(b, rec->domain);
	struct frz_fake_entry e = frz_fake_at(dev->pdev.devfn);

	KUNIT_ASSERT_NOT_NULL(test, dom);
	KUNIT_EXPECT_EQ(test, rec->segment, FRZ_FAKE_SEGMENT);
	KUNIT_EXPECT_EQ(test, rec->devfn, dev->pdev.devfn);
	KUNIT_EXPECT_EQ(test, rec->stream, dev->pdev.devfn);
	KUNIT_EXPECT_EQ(test, rec->vendor, dev->pdev.vendor);
	KUNIT_EXPECT_EQ(test, rec->state, FRZ_DEVICE_FROZEN);
	KUNIT_EXPECT_EQ(test, rec->command, dev->config[PCI_COMMAND / 4]);
	KUNIT_EXPECT_EQ(test, rec->bars[0], dev->config[PCI_BASE_ADDRESS_0 / 4]);
	KUNIT_EXPECT_EQ(test, dom->head | FRZ_FAKE_PRESENT, e.to);
	KUNIT_EXPECT_EQ(test, dom->tag, e.tag);
	KUNIT_EXPECT_GT(test, dom->nr_chunks, dev->live ? 0 : 1);
}

/**
 * frz_test_blob_of_freeze - What the next kernel is told
 * @test: the test
 *
 * It decodes, names what hardware uses, and knows what changed until the freeze.
 */
void frz_test_blob_of_freeze(struct kunit *test)
{
	const struct frz_abi_device *rec = NULL;
	struct frz_scene *s = scene_of(test);
	struct frz_blob b;
	unsigned int i;

	preserve_all(test, s);
	KUNIT_ASSERT_EQ(test, open_blob(&b), 0);
	KUNIT_EXPECT_EQ(test, b.flags, 0);
	/* The VMM's to change until then. */
	s->dev[1].config[PCI_COMMAND / 4] &= ~PCI_COMMAND_MASTER;
	s->dev[2].config[PCI_BASE_ADDRESS_0 / 4] += SZ_1M;
	for (i = 0; i < FRZ_SCENE_DEVS; i++)
		KUNIT_ASSERT_EQ(test, frz_outgoing_freeze(s->dev[i].out), 0);

	KUNIT_ASSERT_EQ(test, open_blob(&b), 0);
	KUNIT_EXPECT_EQ(test, b.flags, FRZ_BLOB_FROZEN);
	KUNIT_EXPECT_EQ(test, b.nr_domains, FRZ_SCENE_LIVES);
	KUNIT_ASSERT_EQ(test, b.nr_devices, FRZ_SCENE_DEVS);
	for (i = 0; (rec = frz_blob_next_device(&b, rec)); i++)
		check_record(test, &s->dev[i], &b, rec);

	for (i = 0; i < FRZ_SCENE_DEVS; i++)
		frz_outgoing_unfreeze(s->dev[i].out);
	/* What is left is told of, and nothing else. */
	unpreserve(&s->dev[0]);
	KUNIT_ASSERT_EQ(test, open_blob(&b), 0);
	KUNIT_EXPECT_EQ(test, b.nr_domains, FRZ_SCENE_LIVES);
	KUNIT_EXPECT_EQ(test, b.nr_devices, FRZ_SCENE_DEVS - 1);
	unpreserve(&s->dev[1]);
	KUNIT_ASSERT_EQ(test, open_blob(&b), 0);
	KUNIT_EXPECT_EQ(test, b.nr_domains, FRZ_SCENE_LIVES - 1);
	KUNIT_EXPECT_EQ(test, b.nr_devices, FRZ_SCENE_DEVS - 2);
	unpreserve(&s->dev[2]);
}

/**
 * frz_test_hold - A device is held once, and PCI knows as long as it is
 * @test: the test
 */
void frz_test_hold(struct kunit *test)
{
	struct frz_scene *s = scene_of(test);
	struct frz_scene_dev *dev = &s->dev[0];

	KUNIT_EXPECT_EQ(test, iommu_freeze_pci_may_change(&dev->pdev), 0);
	KUNIT_ASSERT_EQ(test, hold(dev), 0);
	KUNIT_EXPECT_EQ(test, iommu_freeze_pci_may_change(&dev->pdev), -EBUSY);
	KUNIT_EXPECT_EQ(test, iommu_freeze_pci_may_stop(&dev->pdev), -EBUSY);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(frz_outgoing_hold(&dev->pdev)), -EBUSY);
	KUNIT_EXPECT_EQ(test, iommu_freeze_pci_may_change(&dev->pdev), -EBUSY);
	unpreserve(dev);
	KUNIT_EXPECT_EQ(test, iommu_freeze_pci_may_change(&dev->pdev), 0);
	KUNIT_EXPECT_EQ(test, iommu_freeze_pci_may_stop(&dev->pdev), 0);
}

/* Refused, and the device is held as before and on its live domain. */
static void expect_refused(struct kunit *test, struct frz_scene *s, int error)
{
	struct frz_scene_dev *dev = &s->dev[0];

	KUNIT_EXPECT_EQ(test, preserve(s, dev), error);
	KUNIT_EXPECT_EQ(test, frz_fake.nr_tags, 0);
	KUNIT_EXPECT_EQ(test, frz_fake.nr_units, 0);
	KUNIT_EXPECT_EQ(test, frz_fake.nr_devices, 0);
	KUNIT_EXPECT_EQ(test, view(dev), -ENOENT);
	KUNIT_EXPECT_EQ(test, iommu_freeze_pci_may_change(&dev->pdev), -EBUSY);
}

/**
 * frz_test_preserve_refused - What cannot be kept is refused, and nothing is left
 * @test: the test
 */
void frz_test_preserve_refused(struct kunit *test)
{
	struct frz_scene *s = scene_of(test);
	struct frz_scene_dev *dev = &s->dev[0];
	__le64 *leaf = frz_scene_leaf(&s->live[0], FRZ_SCENE_IOVA + (9ULL << 30));
	__le64 good = *leaf;
	u64 top = s->live[0].enc.top;

	KUNIT_ASSERT_EQ(test, hold(dev), 0);
	s->punched = s->ram + 9;
	expect_refused(test, s, -EPERM);
	s->punched = NULL;

	/* No RAM there */
	*leaf = cpu_to_le64(BIT_ULL(51) | 3);
	expect_refused(test, s, -EFAULT);
	*leaf = good;

	/* Tables where nothing can be read */
	s->live[0].fake.tree.top = BIT_ULL(51);
	frz_fake_put(dev->pdev.devfn, BIT_ULL(51), frz_scene_tag(0));
	expect_refused(test, s, -EIO);
	s->live[0].fake.tree.top = top;

	/* Translated by something else than its domain */
	frz_fake_put(dev->pdev.devfn, s->live[1].enc.top, frz_scene_tag(1));
	expect_refused(test, s, -EINVAL);
	frz_fake_put(dev->pdev.devfn, top, frz_scene_tag(0));

	dev->gone = true;
	expect_refused(test, s, -EIO);
	dev->gone = false;

	KUNIT_EXPECT_EQ(test, preserve(s, dev), 0);
	/* The memory of one that shares its tables must be kept, too. */
	KUNIT_ASSERT_EQ(test, hold(&s->dev[1]), 0);
	s->punched = s->ram + 9;
	KUNIT_EXPECT_EQ(test, preserve(s, &s->dev[1]), -EPERM);
	KUNIT_EXPECT_EQ(test, frz_fake.nr_devices, 1);
	unpreserve(&s->dev[1]);
	unpreserve(dev);
}

/**
 * frz_test_freeze_refused - What changed behind a preserve is not frozen
 * @test: the test
 *
 * It stays as it is, and the others can be taken back.
 */
void frz_test_freeze_refused(struct kunit *test)
{
	struct frz_scene *s = scene_of(test);
	struct frz_scene_dev *dev = &s->dev[0];
	struct frz_fake_entry other;

	preserve_all(test, s);
	kunit_activate_static_stub(test, frz_image_flaw, a_flaw);
	KUNIT_EXPECT_EQ(test, frz_outgoing_freeze(dev->out), -ENOEXEC);
	kunit_activate_static_stub(test, frz_image_flaw, no_flaw);

	dev->gone = true;
	KUNIT_EXPECT_EQ(test, frz_outgoing_freeze(dev->out), -EIO);
	dev->gone = false;
	KUNIT_EXPECT_TRUE(test, frz_scene_is_live(dev, s));

	KUNIT_ASSERT_EQ(test, frz_outgoing_freeze(s->dev[1].out), 0);
	KUNIT_ASSERT_EQ(test, frz_outgoing_freeze(s->dev[2].out), 0);
	frz_fake_put(dev->pdev.devfn, s->live[1].enc.top, 1);
	other = frz_fake_at(dev->pdev.devfn);
	KUNIT_EXPECT_EQ(test, frz_outgoing_freeze(dev->out), -EBUSY);
	KUNIT_EXPECT_MEMEQ(test, &other, &frz_fake.table[dev->pdev.devfn],
			   sizeof(other));
	KUNIT_EXPECT_FALSE(test, is_sealed());
	/* LUO takes all of them back. */
	frz_outgoing_unfreeze(dev->out);
	KUNIT_EXPECT_MEMEQ(test, &other, &frz_fake.table[dev->pdev.devfn],
			   sizeof(other));
	frz_outgoing_unfreeze(s->dev[1].out);
	frz_outgoing_unfreeze(s->dev[2].out);
	KUNIT_EXPECT_TRUE(test, frz_scene_is_live(&s->dev[1], s));
	KUNIT_EXPECT_TRUE(test, frz_scene_is_live(&s->dev[2], s));
	KUNIT_EXPECT_FALSE(test, frz_outgoing_any_frozen());
	unpreserve_all(s);
}

/**
 * frz_test_unpreserve_frozen - No device is left on tables that are freed
 * @test: the test
 *
 * Who put its entry back behind the unfreeze finds it blocked.
 */
void frz_test_unpreserve_frozen(struct kunit *test)
{
	struct frz_scene *s = scene_of(test);
	struct frz_scene_dev *dev = &s->dev[0];
	struct frz_fake_entry frozen;

	KUNIT_ASSERT_EQ(test, hold_and_preserve(s, dev), 0);
	KUNIT_ASSERT_EQ(test, frz_outgoing_freeze(dev->out), 0);
	frozen = frz_fake_at(dev->pdev.devfn);
	frz_outgoing_unfreeze(dev->out);
	frz_fake.table[dev->pdev.devfn] = frozen;
	unpreserve(dev);
	KUNIT_EXPECT_EQ(test, frz_fake.nr_blocked, 1);
	KUNIT_EXPECT_EQ(test, frz_fake_at(dev->pdev.devfn).to, 0);
}

static unsigned int held(struct kunit *test)
{
	struct frz_scene *s = test->priv;
	unsigned int i, n = 0;

	for (i = 0; i < FRZ_SCENE_DEVS; i++)
		n += !!iommu_freeze_pci_may_change(&s->dev[i].pdev) +
		     2 * (view(&s->dev[i]) > 0) + frz_scene_is_live(&s->dev[i], s);
	return n << 16 | frz_fake.nr_tags << 12 | frz_fake.nr_devices << 8 |
	       frz_fake.nr_units << 4 | iommu_freeze_pci_keep_master(&s->dev[0].pdev);
}

/* Which device the calls of the sweep are about */
static unsigned int swept;

static struct frz_scene_dev *swept_dev(struct kunit *test)
{
	return &((struct frz_scene *)test->priv)->dev[swept];
}

static int call_hold(struct kunit *test)
{
	return hold(swept_dev(test));
}

static void undo_hold(struct kunit *test, int ret)
{
	if (!ret)
		unpreserve(swept_dev(test));
}

static int call_preserve(struct kunit *test)
{
	return preserve(test->priv, swept_dev(test));
}

static void undo_preserve(struct kunit *test, int ret)
{
	if (ret)
		return;
	unpreserve(swept_dev(test));
	KUNIT_ASSERT_EQ(test, hold(swept_dev(test)), 0);
}

static int call_trial(struct kunit *test)
{
	struct frz_scene *s = test->priv;
	struct frz_scene_dev *dev = swept_dev(test);
	static struct iommu_freeze_trial t;
	struct frz_findings f = {};
	int ret;

	memset(&t, 0, sizeof(t));
	ret = frz_trial_serialise(&dev->pdev, &s->live[dev->live].fake.domain,
				  &s->store, &f, &t);
	if (!ret && (t.result != IOMMU_FREEZE_SAME || !t.serialised))
		ret = -EUCLEAN;
	return ret;
}

static void undo_nothing(struct kunit *test, int ret)
{
}

static int call_freeze(struct kunit *test)
{
	return frz_outgoing_freeze(swept_dev(test)->out);
}

static int call_unfreeze(struct kunit *test)
{
	frz_outgoing_unfreeze(swept_dev(test)->out);
	return 0;
}

static void undo_freeze(struct kunit *test, int ret)
{
	KUNIT_FAIL(test, "a freeze, or its undoing, allocates memory");
	if (!ret)
		frz_outgoing_unfreeze(swept_dev(test)->out);
}

static int call_unpreserve(struct kunit *test)
{
	unpreserve(swept_dev(test));
	return 0;
}

/*
 * There may have been no memory to check what is left in the blob. Then nothing of it is
 * frozen; what is frozen the blob tells of, and of nothing that is gone.
 */
static void expect_true_blob(struct kunit *test, struct frz_scene *s)
{
	unsigned int i, left = 0, frozen = 0;
	struct frz_blob b;

	for (i = 0; i < FRZ_SCENE_DEVS; i++) {
		if (!s->dev[i].out)
			continue;
		left++;
		frozen += !frz_outgoing_freeze(s->dev[i].out);
	}
	KUNIT_EXPECT_TRUE(test, !frozen || frozen == left);
	if (frozen) {
		KUNIT_EXPECT_TRUE(test, is_sealed());
		KUNIT_EXPECT_EQ(test, open_blob(&b), 0);
		KUNIT_EXPECT_EQ(test, b.nr_devices, left);
	}
	for (i = 0; i < FRZ_SCENE_DEVS; i++)
		if (s->dev[i].out)
			frz_outgoing_unfreeze(s->dev[i].out);
}

static void undo_unpreserve(struct kunit *test, int ret)
{
	expect_true_blob(test, test->priv);
	KUNIT_ASSERT_EQ(test, hold_and_preserve(test->priv, swept_dev(test)), 0);
}

static void sweep_each(struct frz_faults *f, const struct frz_fault_call *c)
{
	for (swept = 0; swept < FRZ_SCENE_DEVS; swept++)
		frz_faults_call(f, c);
}

/**
 * frz_sweep_outgoing - Every allocation in the old kernel fails in turn
 * @f: the sweep
 *
 * What was refused works when there is memory. A freeze, and its undoing, allocate
 * nothing. No unpreserve is refused.
 */
void frz_sweep_outgoing(struct frz_faults *f)
{
	static const struct frz_fault_call
	trial = { "trial", NULL, call_trial, undo_nothing, held },
	holds = { "hold", NULL, call_hold, undo_hold, held },
	preserves = { "preserve", NULL, call_preserve, undo_preserve, held },
	freezes = { "freeze", NULL, call_freeze, undo_freeze, held },
	unfreezes = { "unfreeze", NULL, call_unfreeze, undo_freeze, held },
	unpreserves = { "unpreserve", NULL, call_unpreserve, undo_unpreserve, held };
	struct frz_scene *s = scene_of(f->test);
	unsigned int i, here = held(f->test);
	int pages = frz_faults_pages();

	swept = 0;
	frz_faults_call(f, &trial);
	swept = FRZ_SCENE_DEVS - 1;
	frz_faults_call(f, &trial);
	for (swept = 0; swept < FRZ_SCENE_DEVS; swept++) {
		frz_faults_call(f, &holds);
		frz_faults_call(f, &preserves);
	}
	sweep_each(f, &freezes);
	KUNIT_EXPECT_TRUE(f->test, is_sealed());
	sweep_each(f, &unfreezes);
	sweep_each(f, &unpreserves);
	for (i = 0; i < FRZ_SCENE_DEVS; i++)
		KUNIT_EXPECT_TRUE(f->test, frz_scene_is_live(&s->dev[i], s));
	KUNIT_EXPECT_EQ(f->test, held(f->test), here);
	KUNIT_EXPECT_EQ(f->test, frz_faults_pages(), pages);
}
