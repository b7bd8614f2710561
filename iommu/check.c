// SPDX-License-Identifier: GPL-2.0-only
/*
 * What would a preserve find? Asked by the preserve itself, which refuses for the
 * first obstacle, and by a trial, which tells all of them. How a device is used
 * VFIO and iommufd look at.
 *
 * Structure: none of its own.
 *
 * Locking: the caller keeps the device where it is, and its pages pinned.
 *
 * Fails: nothing; what was found is noted.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "../pci/hands.h"
#include "backend.h"
#include "check.h"
#include "incoming.h"
#include "obstacle.h"
#include "store.h"
#include "walk.h"

static int count_device(struct device *dev, void *count)
{
	(*(unsigned int *)count)++;
	return 0;
}

/* Does the group of this device have memory that firmware reaches at all times? */
static bool firmware_uses(struct device *dev)
{
	struct iommu_resv_region *region, *next;
	struct iommu_group *group;
	bool found = false;
	LIST_HEAD(regions);

	group = iommu_group_get(dev);
	if (!group)
		return false;
	iommu_get_group_resv_regions(group, &regions);
	list_for_each_entry_safe(region, next, &regions, list) {
		found |= region->type == IOMMU_RESV_DIRECT;
		list_del(&region->list);
		kfree(region);
	}
	iommu_group_put(group);
	return found;
}

/*
 * Would a freeze cut off a device that firmware needs? Without a frozen device
 * translation goes off at the kexec and firmware's DMA to a reserved region (VT-d:
 * RMRR, SMMU: RMR) goes on. With one it stays on, and blocks every device that is
 * not frozen until the next kernel has mapped it again. Regions that a system gives
 * up once its driver is there (USB, graphics) do not count; Linux calls them
 * relaxable.
 */
static void check_firmware(struct pci_dev *pdev, struct frz_findings *f)
{
	struct pci_dev *other = NULL;
	bool found = false;

	for_each_pci_dev(other)
		found |= other != pdev && firmware_uses(&other->dev);
	frz_found(f, IOMMU_FREEZE_OBSTACLE_RMRR, found);
}

/**
 * frz_check_device - Can this device be frozen, however it is used?
 * @pdev: the device, which stays where it is
 * @f: findings, added to
 *
 * Context: May sleep.
 */
void frz_check_device(struct pci_dev *pdev, struct frz_findings *f)
{
	struct iommu_group *group = iommu_group_get(&pdev->dev);
	const struct frz_backend *backend = frz_backend_of(pdev);
	unsigned int count = 0;

	frz_pci_check(pdev, f);
	frz_found(f, IOMMU_FREEZE_OBSTACLE_UNFINISHED,
		  frz_incoming_state(pdev) != FRZ_INCOMING_NONE);
	if (frz_found(f, IOMMU_FREEZE_OBSTACLE_IOMMU, !group))
		return;
	iommu_group_for_each_dev(group, &count, count_device);
	iommu_group_put(group);
	frz_found(f, IOMMU_FREEZE_OBSTACLE_GROUP, count != 1);
	if (!frz_found(f, IOMMU_FREEZE_OBSTACLE_IOMMU, !backend))
		backend->check(pdev, f);
	check_firmware(pdev, f);
	if (backend)
		f->looked |= frz_obstacles_of_others(backend->kind);
}
EXPORT_SYMBOL_GPL(frz_check_device);

/**
 * frz_check_pages - Ask the store about every page of an extent
 * @store: the store
 * @e: the extent
 * @found: called with each run that has an obstacle; non-zero ends it
 * @arg: for @found
 *
 * Context: May sleep. The pages are pinned, if they are RAM.
 * Return: 0, or what @found returned.
 */
int frz_check_pages(struct frz_store *store, const struct frz_extent *e,
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
