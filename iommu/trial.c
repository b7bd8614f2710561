// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a preserve would do, tried for user space: tells all obstacles, and serialises
 * the live domain for nothing but the figures.
 *
 * Structure: the callback of VFIO, which may be a module. Frozen tables of a
 * trial live as long as one call.
 *
 * Locking: trial_lock keeps VFIO from going away during a trial. The device's
 * lock keeps the device from going away while nobody has it open; VFIO keeps it
 * after that.
 *
 * Fails: a trial, for lack of memory or when the device goes away. An obstacle
 * is no failure of a trial.
 */
#include <linux/kexec_handover.h>
#include <linux/ktime.h>
#include <linux/pci.h>
#include <linux/rwsem.h>

#include "../pci/hands.h"
#include "backend.h"
#include "check.h"
#include "memory.h"
#include "query.h"
#include "trial.h"
#include "verify.h"
#include "walk.h"

static DECLARE_RWSEM(trial_lock);
static const struct frz_trial_ops *trial_ops;

struct trial_state {
	struct frz_store *store;
	struct frz_findings *f;
	struct iommu_freeze_trial *t;
};

static int note_pages(void *arg, u32 obstacle, u64 iova, u64 len)
{
	struct trial_state *state = arg;
	struct iommu_freeze_pages *pages;

	frz_found(state->f, obstacle, true);
	pages = &state->t->pages[obstacle - IOMMU_FREEZE_FIRST_PAGE_OBSTACLE];
	if (!pages->bytes)
		pages->iova = iova;
	pages->bytes += len;
	return 0;
}

static int note_extent(void *arg, const struct frz_extent *e)
{
	struct trial_state *state = arg;

	return frz_check_pages(state->store, e, note_pages, state);
}

/* Live tables that cannot be read are told in @t, and are no error. */
static int serialise(struct frz_memory *mem, struct pci_dev *pdev,
		     const struct frz_tree *live, struct trial_state *state)
{
	const struct frz_backend *backend = frz_backend_of(pdev);
	struct iommu_freeze_trial *t = state->t;
	ktime_t begin = ktime_get();
	u32 obstacle;
	int ret;

	ret = frz_memory_encode(mem, false, live,
				backend->leaf_levels(frz_unit_of(pdev)),
				note_extent, state, &t->iova);
	if (ret == -EINVAL || ret == -EFAULT) {
		t->result = IOMMU_FREEZE_UNREADABLE;
		return 0;
	}
	if (ret)
		return ret;
	ret = frz_memory_complete(mem);
	if (ret) {
		frz_memory_drop(mem);
		return ret;
	}
	for (obstacle = IOMMU_FREEZE_FIRST_PAGE_OBSTACLE;
	     obstacle < IOMMU_FREEZE_NR_OBSTACLES; obstacle++)
		frz_found(state->f, obstacle, false);
	t->serialised = 1;
	t->serialise_us = ktime_us_delta(ktime_get(), begin);
	return 0;
}

static void measure(const struct frz_memory *mem, const struct frz_tree *live,
		    struct iommu_freeze_trial *t)
{
	struct iommu_freeze_verify verify = {};
	struct iommu_freeze_device dev = {};
	ktime_t begin = ktime_get();

	frz_verify(mem, NULL, live, &verify);
	t->compare_us = ktime_us_delta(ktime_get(), begin);
	t->result = verify.result;
	t->iova = verify.iova;

	frz_query_tables(mem, &dev);
	t->format = dev.format;
	t->levels = dev.levels;
	t->tables = dev.tables;
	t->leaves = dev.leaves;
	t->extents = dev.extents;
	t->mapped = dev.mapped;
	t->memory = dev.memory;
}

/**
 * frz_trial_serialise - Make frozen tables, compare, measure, and drop them
 * @pdev: the device, attached to @live
 * @live: its domain, whose map does not change meanwhile
 * @store: what would keep its memory
 * @f: findings, added to
 * @t: filled
 *
 * Live tables that cannot be read are told in @t. Without KHO nothing is done.
 *
 * Context: May sleep; takes time in proportion to the entries of the live
 * tables.
 * Return: 0 or a negative errno.
 */
int frz_trial_serialise(struct pci_dev *pdev, struct iommu_domain *live,
			struct frz_store *store, struct frz_findings *f,
			struct iommu_freeze_trial *t)
{
	struct trial_state state = { .store = store, .f = f, .t = t };
	struct frz_memory mem;
	struct frz_tree tree;
	int ret;

	if (!kho_is_enabled())
		return 0;
	frz_backend_of(pdev)->tree(live, &tree);
	ret = serialise(&mem, pdev, &tree, &state);
	if (ret || !t->serialised)
		return ret;
	measure(&mem, &tree, t);
	frz_memory_drop(&mem);
	return 0;
}
EXPORT_SYMBOL_GPL(frz_trial_serialise);

/**
 * frz_trial_register - VFIO is there
 * @ops: its part in a trial
 */
void frz_trial_register(const struct frz_trial_ops *ops)
{
	guard(rwsem_write)(&trial_lock);
	trial_ops = ops;
}
EXPORT_SYMBOL_GPL(frz_trial_register);

/**
 * frz_trial_unregister - VFIO goes away
 *
 * Context: May sleep, until a trial is through.
 */
void frz_trial_unregister(void)
{
	guard(rwsem_write)(&trial_lock);
	trial_ops = NULL;
}
EXPORT_SYMBOL_GPL(frz_trial_unregister);

/**
 * frz_trial - Try for user space what a preserve would do
 * @t: names the device; filled
 *
 * Context: May sleep.
 * Return: 0, -ENOENT if there is no such device, -ENODEV if it was unbound
 * meanwhile, -ENOMEM, or -E2BIG for more tables than a handover takes.
 */
int frz_trial(struct iommu_freeze_trial *t)
{
	struct frz_findings f = {};
	struct pci_dev *pdev;
	bool vfio = false;
	int ret = 0;

	if (t->devid > 0xffff || t->segment > INT_MAX)
		return -ENOENT;
	pdev = pci_get_domain_bus_and_slot(t->segment, t->devid >> 8,
					   t->devid & 0xff);
	if (!pdev)
		return -ENOENT;

	scoped_guard(device, &pdev->dev) {
		if (frz_pci_removed(pdev)) {
			ret = -ENOENT;
			break;
		}
		frz_check_device(pdev, &f);
		vfio = frz_pci_keeps_dma(pdev);
		frz_found(&f, IOMMU_FREEZE_OBSTACLE_DRIVER, !vfio);
	}
	if (vfio) {
		guard(rwsem_read)(&trial_lock);
		if (trial_ops)
			ret = trial_ops->trial(pdev, &f, t);
	}
	pci_dev_put(pdev);
	t->looked = f.looked;
	t->found = f.found;
	return ret;
}
