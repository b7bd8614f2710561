// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads and writes context entries as hardware may see them, and what else the files
 * of this folder ask of a unit.
 *
 * Structure: none of its own; entry.c tells in which stores an entry changes.
 *
 * Locking: whoever writes an entry holds intel_iommu::lock, or is alone: at boot and
 * at shutdown.
 *
 * Fails: a swap, if the entry is not what it was thought to be.
 */
#include <linux/pci.h>

#include "../../../intel/iommu.h"
#include "../../../intel/pasid.h"
#include "vtd.h"

static int other_alias(struct pci_dev *pdev, u16 alias, void *rid)
{
	return alias != *(u16 *)rid;
}

/**
 * frz_vtd_single_rid - Does a device use its own requester id, and no other one?
 * @pdev: the device
 *
 * Return: true if so.
 */
bool frz_vtd_single_rid(struct pci_dev *pdev)
{
	u16 rid = pci_dev_id(pdev);

	return !pci_for_each_dma_alias(pdev, other_alias, &rid);
}

/**
 * frz_vtd_remaps_interrupts - Does a unit remap interrupts?
 * @iommu: the unit
 *
 * Return: true if so.
 */
bool frz_vtd_remaps_interrupts(struct intel_iommu *iommu)
{
	return readl(iommu->reg + DMAR_GSTS_REG) & DMA_GSTS_IRES;
}

/**
 * frz_vtd_context - The context entry of a requester
 * @iommu: the unit
 * @stream: requester id
 *
 * Return: the entry, NULL if its bus has no context table.
 */
struct context_entry *frz_vtd_context(struct intel_iommu *iommu, u32 stream)
{
	return iommu_context_addr(iommu, PCI_BUS_NUM(stream), stream & 0xff, 0);
}

/**
 * frz_vtd_read - Read a context entry
 * @context: the entry
 *
 * Return: what it is.
 */
struct frz_vtd_entry frz_vtd_read(const struct context_entry *context)
{
	return (struct frz_vtd_entry){ .lo = context->lo, .hi = context->hi };
}

/* Both quadwords, if they are what they should be. */
static bool swap_whole(struct context_entry *context,
		       const struct frz_vtd_entry *from,
		       const struct frz_vtd_entry *to)
{
	u128 old = (u128)from->hi << 64 | from->lo;
	u128 new = (u128)to->hi << 64 | to->lo;

	return try_cmpxchg128((u128 *)context, &old, new);
}

/**
 * frz_vtd_write - Write a context entry
 * @iommu: the unit
 * @context: the entry
 * @from: what it is
 * @to: what it shall be
 *
 * Context: Does not sleep.
 * Return: true, or false if both are present and it was not @from: it stays then.
 */
bool frz_vtd_write(struct intel_iommu *iommu, struct context_entry *context,
		   const struct frz_vtd_entry *from,
		   const struct frz_vtd_entry *to)
{
	struct frz_vtd_store stores[FRZ_VTD_MAX_STORES];
	unsigned int i, n = frz_vtd_stores(from, to, stores);

	for (i = 0; i < n; i++) {
		/* What the new entry points to must be in memory before it. */
		dma_wmb();
		if (stores[i].lo && stores[i].hi) {
			if (!swap_whole(context, from, to))
				return false;
		} else if (stores[i].lo) {
			WRITE_ONCE(context->lo, to->lo);
		} else {
			WRITE_ONCE(context->hi, to->hi);
		}
		__iommu_flush_cache(iommu, context, sizeof(*context));
	}
	return true;
}

/**
 * frz_vtd_clear - Clear a context entry
 * @iommu: the unit
 * @context: the entry; the caller flushes what was cached through it
 */
void frz_vtd_clear(struct intel_iommu *iommu, struct context_entry *context)
{
	const struct frz_vtd_entry from = frz_vtd_read(context), none = {};

	frz_vtd_write(iommu, context, &from, &none);
}

/*
 * Nothing may be left that was cached through the old entry, under the old id
 * or, for a fetch that met the swap halfway, under the new one.
 */
static void flush_ids(struct device_domain_info *info, u16 old, u16 new)
{
	u16 sid = PCI_DEVID(info->bus, info->devfn);

	iommu_flush_write_buffer(info->iommu);
	intel_context_flush_no_pasid(info, NULL, old, sid);
	if (new != old)
		intel_context_flush_no_pasid(info, NULL, new, sid);
}

/**
 * frz_vtd_swap - Swap the context entry of a running device
 * @info: the device
 * @from: the entry that must be there
 * @to: the one that takes its place; its tables are complete
 *
 * Context: Any process context. Allocates nothing.
 * Return: 0, or -EBUSY if the entry was not @from, which then stays.
 */
int frz_vtd_swap(struct device_domain_info *info,
		 const struct frz_vtd_entry *from,
		 const struct frz_vtd_entry *to)
{
	struct intel_iommu *iommu = info->iommu;
	struct context_entry *context;
	bool done = false;

	scoped_guard(spinlock, &iommu->lock) {
		context = iommu_context_addr(iommu, info->bus, info->devfn, 0);
		if (context)
			done = frz_vtd_write(iommu, context, from, to);
	}
	if (!done)
		return -EBUSY;
	flush_ids(info, frz_vtd_entry_tag(from), frz_vtd_entry_tag(to));
	return 0;
}
