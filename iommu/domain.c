// SPDX-License-Identifier: GPL-2.0-only
/*
 * A frozen domain in the new kernel: what the IOMMU core attaches nobody to, and what
 * a live domain is compared with before it takes its place.
 *
 * Structure: a struct frz_domain for each one of the blob, with the tables of the
 * previous kernel. Whoever needs the tables holds a reference: each device that is
 * not finished, and a comparison.
 *
 * Locking: set up at boot by one thread, then constant. The last reference frees the
 * tables.
 *
 * Fails: importing anything; a live domain that translates otherwise.
 */
#include <linux/iommu-freeze.h>
#include <linux/iommu.h>
#include <linux/pci.h>
#include <linux/sizes.h>

#include "backend.h"
#include "compare.h"
#include "domain.h"
#include "findings.h"
#include "log.h"

static const struct iommu_domain_ops frozen_domain_ops;

/**
 * iommu_domain_is_frozen - Is this a frozen domain?
 * @domain: any domain, or NULL
 *
 * Context: Any.
 * Return: true if so.
 */
bool iommu_domain_is_frozen(const struct iommu_domain *domain)
{
	return domain && domain->ops == &frozen_domain_ops;
}

/* A device is on its frozen domain from boot; nobody can be attached to it. */
static int frozen_attach_dev(struct iommu_domain *domain, struct device *dev,
			     struct iommu_domain *old)
{
	return -EBUSY;
}

static phys_addr_t frozen_iova_to_phys(struct iommu_domain *domain,
				       dma_addr_t iova)
{
	struct frz_domain *dom = container_of(domain, struct frz_domain, domain);
	struct frz_extent leaf;
	struct frz_reader r;
	struct frz_tree t;

	frz_memory_tree(&r, &dom->memory, &t);
	if (frz_lookup(&t, iova, &leaf))
		return 0;
	return leaf.pa + (iova - leaf.iova);
}

static const struct iommu_domain_ops frozen_domain_ops = {
	.attach_dev = frozen_attach_dev,
	.iova_to_phys = frozen_iova_to_phys,
};

static void take_tag(struct frz_domain *dom, int ret)
{
	if (ret)
		dom->why = dom->why ?: "its cache tag cannot be reserved";
	else
		dom->tag_taken = true;
}

/**
 * frz_domain_import - Take over a frozen domain of the previous kernel
 * @dom: zeroed but for its unit_rec; the caller has the first reference
 * @rec: its record in the blob, which stays
 * @backend: of its unit
 *
 * What does not check out is told in @dom->why.
 *
 * Context: Boot, one thread.
 */
void frz_domain_import(struct frz_domain *dom, const struct frz_abi_domain *rec,
		       const struct frz_backend *backend)
{
	dom->rec = rec;
	dom->backend = backend;
	/* Its ops are not the driver's, which may take a paging domain for its own. */
	dom->domain.type = IOMMU_DOMAIN_PLATFORM;
	dom->domain.ops = &frozen_domain_ops;
	dom->domain.owner = backend->ops;
	dom->domain.pgsize_bitmap = SZ_4K;
	refcount_set(&dom->users, 1);
	if (backend->tag_claim)
		take_tag(dom, backend->tag_claim(rec->format, rec->tag));
	if (!frz_memory_import(&dom->memory, rec, &dom->why))
		frz_shadow_take(&dom->shadow, &dom->memory);
}

/**
 * frz_domain_adopt - The unit of a frozen domain was adopted
 * @dom: the domain
 * @unit: the unit, which has handed out no tag yet
 *
 * Context: Boot, one thread.
 */
void frz_domain_adopt(struct frz_domain *dom, struct iommu_device *unit)
{
	dom->unit = unit;
	/* One that was claimed in vain is somebody else's. */
	if (dom->backend->tag_reserve &&
	    (dom->tag_taken || !dom->backend->tag_claim))
		take_tag(dom, dom->backend->tag_reserve(unit, dom->rec->format,
							dom->rec->tag));
	if (!dom->why)
		frz_memory_seal(&dom->memory, dom->backend->coherent(unit));
}

/**
 * frz_domain_forget_unit - The unit of a frozen domain goes away
 * @dom: the domain; its devices were stopped
 *
 * Context: Boot, one thread.
 */
void frz_domain_forget_unit(struct frz_domain *dom)
{
	if (dom->tag_taken)
		dom->backend->tag_free(dom->unit, dom->rec->format,
				       dom->rec->tag);
	dom->tag_taken = false;
	dom->unit = NULL;
}

/**
 * frz_domain_get - Keep the tables of a frozen domain
 * @dom: the domain, which somebody else keeps now
 *
 * Context: Any.
 */
void frz_domain_get(struct frz_domain *dom)
{
	refcount_inc(&dom->users);
}

/**
 * frz_domain_put - Undo frz_domain_get()
 * @dom: the domain; hardware does not use it for whoever is through with it
 *
 * Context: May sleep.
 */
void frz_domain_put(struct frz_domain *dom)
{
	if (!refcount_dec_and_test(&dom->users))
		return;
	frz_domain_forget_unit(dom);
	frz_shadow_drop(&dom->shadow);
	frz_memory_release(&dom->memory);
}

/**
 * frz_domain_has_left - Has hardware left the tables of a frozen domain?
 * @dom: the domain
 * @stream: of the device that was on it
 *
 * Hardware is asked, as memory may be freed for a yes.
 *
 * Return: true if so.
 */
bool frz_domain_has_left(const struct frz_domain *dom, u32 stream)
{
	if (dom->unit)
		return dom->backend->has_left(dom->unit, stream, &dom->memory);
	return !dom->backend->was_left || dom->backend->was_left(dom->unit_rec);
}

/**
 * frz_domain_block - Block a device that may be on a frozen domain
 * @dom: the domain
 * @stream: of the device
 *
 * Context: Any that may spin.
 */
void frz_domain_block(const struct frz_domain *dom, u32 stream)
{
	if (dom->unit && !frz_domain_has_left(dom, stream))
		dom->backend->block(dom->unit, stream, dom->rec->tag);
}

static const char *prot_name(u32 prot)
{
	switch (prot & (FRZ_READ | FRZ_WRITE)) {
	case FRZ_READ:
		return "read-only";
	case FRZ_WRITE:
		return "write-only";
	default:
		return "read-write";
	}
}

/* No addresses: a VMM may ask for this line, and read it. */
static void tell_difference(struct pci_dev *pdev, const struct frz_diff *diff)
{
	u64 frozen = diff->frozen.pa + (diff->iova - diff->frozen.iova);
	u64 live = diff->live.pa + (diff->iova - diff->live.iova);

	if (!diff->live_present)
		frz_warn(pdev, "not replaced: iova %#llx: frozen %s, not mapped now\n",
			 diff->iova, prot_name(diff->frozen.prot));
	else
		frz_warn(pdev, "not replaced: iova %#llx: frozen %s, now mapped %s to %s page\n",
			 diff->iova, prot_name(diff->frozen.prot),
			 prot_name(diff->live.prot),
			 frozen == live ? "the same" : "another");
}

static int check_live(struct frz_domain *dom, struct pci_dev *pdev,
		      struct iommu_domain *live)
{
	struct frz_findings f = {};

	if (!frz_found(&f, IOMMU_FREEZE_OBSTACLE_IOMMU,
		       frz_backend_of(pdev) != dom->backend))
		dom->backend->check(pdev, &f);
	if (!f.found && !frz_found(&f, IOMMU_FREEZE_OBSTACLE_DOMAIN,
				   live->owner != dom->backend->ops))
		dom->backend->check_domain(live, &f);
	return frz_refuse(pdev, "replaced", &f) ? -EINVAL : 0;
}

/**
 * frz_domain_compare - Does a live domain translate all that a frozen one does?
 * @dom: the frozen domain, which the caller keeps
 * @pdev: the device on it
 * @live: the live domain, whose map does not change
 * @leaves: set to how many were compared
 *
 * Context: May sleep; takes as long as there are entries.
 * Return: 0 if it does; -EUCLEAN if not, -EIO if tables cannot be read, -EINVAL for a
 * domain that cannot replace it, each after one log line.
 */
int frz_domain_compare(struct frz_domain *dom, struct pci_dev *pdev,
		       struct iommu_domain *live, u64 *leaves)
{
	struct frz_tree frozen_t, live_t;
	struct frz_stats stats;
	struct frz_diff diff;
	struct frz_reader r;
	int ret;

	ret = check_live(dom, pdev, live);
	if (ret)
		return ret;
	frz_memory_tree(&r, &dom->memory, &frozen_t);
	dom->backend->tree(live, &live_t);
	ret = frz_compare(&frozen_t, &live_t, &diff, &stats);
	if (ret < 0) {
		frz_warn(pdev, "not replaced: iova %#llx: the %s tables cannot be read (error %d)\n",
			 diff.iova, diff.live_failed ? "new" : "frozen", ret);
		return -EIO;
	}
	if (ret) {
		tell_difference(pdev, &diff);
		return -EUCLEAN;
	}
	*leaves = stats.leaves;
	return 0;
}
