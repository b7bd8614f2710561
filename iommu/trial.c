// SPDX-License-Identifier: GPL-2.0-only
/*
 * What would a preserve find? Asked by the preserve itself, which refuses for the
 * first obstacle, and by a trial for user space, which tells all of them and
 * serialises the live domain for nothing but the figures.
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
#include <linux/mm.h>
#include <linux/rwsem.h>

#include "freeze.h"

static DECLARE_RWSEM(trial_lock);
static const struct frz_trial_ops *trial_ops;

/**
 * frz_refuse - Refuse what was asked for if there is an obstacle
 * @pdev: the device
 * @what: what was asked for, as in "not preserved"
 * @f: findings
 *
 * Return: 0 if nothing was found, or -EOPNOTSUPP after a log line that names the
 * first obstacle and the way out.
 */
int frz_refuse(struct pci_dev *pdev, const char *what,
	       const struct frz_findings *f)
{
	const struct frz_obstacle *o;

	if (!f->found)
		return 0;
	o = frz_obstacle(__ffs64(f->found));
	frz_warn(pdev, "not %s: %s%s%s\n", what, o->text, o->fix ? "; " : "",
		 o->fix ?: "");
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_GPL(frz_refuse);

/**
 * frz_refuse_pages - Refuse to preserve a device for a page that it maps
 * @pdev: the device
 * @obstacle: what is the matter with the page
 * @iova: where it is mapped
 *
 * Return: -EFAULT for device memory, else -EPERM, after a log line.
 */
int frz_refuse_pages(struct pci_dev *pdev, u32 obstacle, u64 iova)
{
	const struct frz_obstacle *o = frz_obstacle(obstacle);

	frz_warn(pdev, "not preserved: iova %#llx: %s; %s\n", iova, o->text,
		 o->fix);
	return obstacle == IOMMU_FREEZE_OBSTACLE_NOT_RAM ? -EFAULT : -EPERM;
}
EXPORT_SYMBOL_GPL(frz_refuse_pages);

static int count_device(struct device *dev, void *count)
{
	(*(unsigned int *)count)++;
	return 0;
}

/**
 * frz_look_at_device - Can this device be frozen, however it is used?
 * @pdev: the device, which stays where it is
 * @f: findings, added to
 *
 * Context: May sleep.
 */
void frz_look_at_device(struct pci_dev *pdev, struct frz_findings *f)
{
	struct iommu_group *group = iommu_group_get(&pdev->dev);
	unsigned int count = 0;

	frz_pci_look(pdev, f);
	frz_look(f, IOMMU_FREEZE_OBSTACLE_UNFINISHED,
		 frz_incoming_state(pdev) != FRZ_INCOMING_NONE);
	if (frz_look(f, IOMMU_FREEZE_OBSTACLE_IOMMU, !group))
		return;
	iommu_group_for_each_dev(group, &count, count_device);
	iommu_group_put(group);
	frz_look(f, IOMMU_FREEZE_OBSTACLE_GROUP, count != 1);
	frz_vtd_look(pdev, f);
	frz_vtd_look_at_others(pdev, f);
}
EXPORT_SYMBOL_GPL(frz_look_at_device);

/**
 * frz_look_at_pages - Ask the store about every page of an extent
 * @store: the store
 * @e: the extent
 * @found: called with each run that has an obstacle; non-zero ends it
 * @arg: for @found
 *
 * Context: May sleep. The pages are pinned, if they are RAM.
 * Return: 0, or what @found returned.
 */
int frz_look_at_pages(struct frz_store *store, const struct frz_extent *e,
		      int (*found)(void *arg, u32 obstacle, u64 iova, u64 len),
		      void *arg)
{
	u64 end = e->pa + e->len;
	u64 pa = e->pa;
	u64 next;
	int ret;

	for (; pa < end; pa = next) {
		struct page *page = pfn_to_online_page(PHYS_PFN(pa));
		int obstacle = IOMMU_FREEZE_OBSTACLE_NOT_RAM;

		next = pa + PAGE_SIZE;
		if (page && !PageReserved(page)) {
			struct folio *folio = page_folio(page);

			next = PFN_PHYS(folio_pfn(folio)) + folio_size(folio);
			obstacle = store->obstacle(store, folio);
		}
		next = min(next, end);
		if (obstacle >= 0) {
			ret = found(arg, obstacle, e->iova + (pa - e->pa),
				    next - pa);
			if (ret)
				return ret;
		}
		cond_resched();
	}
	return 0;
}

struct trial_state {
	struct frz_store *store;
	struct frz_findings *f;
	struct iommu_freeze_trial *t;
};

static int note_pages(void *arg, u32 obstacle, u64 iova, u64 len)
{
	struct trial_state *state = arg;
	struct iommu_freeze_pages *pages;

	frz_look(state->f, obstacle, true);
	pages = &state->t->pages[obstacle - IOMMU_FREEZE_FIRST_PAGE_OBSTACLE];
	if (!pages->bytes)
		pages->iova = iova;
	pages->bytes += len;
	return 0;
}

static int note_extent(void *arg, const struct frz_extent *e)
{
	struct trial_state *state = arg;

	return frz_look_at_pages(state->store, e, note_pages, state);
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
	struct iommu_freeze_verify verify = {};
	struct iommu_freeze_device dev = {};
	ktime_t begin = ktime_get();
	struct frozen_tables ft;
	struct frz_tables tables;
	u32 obstacle;
	int ret;

	if (!kho_is_enabled())
		return 0;

	frz_vtd_live_tables(live, &tables);
	ret = frozen_tables_encode(&ft, false, &tables,
				   frz_vtd_leaf_levels(frz_vtd_unit(pdev)),
				   note_extent, &state, &t->iova);
	if (ret == -EINVAL || ret == -EFAULT) {
		t->result = IOMMU_FREEZE_UNREADABLE;
		return 0;
	}
	if (ret)
		return ret;
	for (obstacle = IOMMU_FREEZE_FIRST_PAGE_OBSTACLE;
	     obstacle < IOMMU_FREEZE_NR_OBSTACLES; obstacle++)
		frz_look(f, obstacle, false);
	t->serialised = 1;
	t->serialise_us = ktime_us_delta(ktime_get(), begin);

	begin = ktime_get();
	ret = frozen_tables_verify(&ft, &tables, &verify);
	t->compare_us = ktime_us_delta(ktime_get(), begin);
	t->result = verify.result;
	t->iova = verify.iova;

	frozen_tables_describe(&ft, &dev);
	t->format = dev.format;
	t->levels = dev.levels;
	t->tables = dev.tables;
	t->leaves = dev.leaves;
	t->extents = dev.extents;
	t->mapped = dev.mapped;
	t->memory = dev.memory;
	frozen_tables_drop(&ft);
	return ret;
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
		frz_look_at_device(pdev, &f);
		vfio = pdev->driver && !strcmp(pdev->driver->name, "vfio-pci");
		frz_look(&f, IOMMU_FREEZE_OBSTACLE_DRIVER, !vfio);
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
