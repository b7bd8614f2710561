// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads and writes context entries as hardware may see them, and what else the files
 * of this folder ask of a unit.
 *
 * Structure: none of its own; entry.c tells in which stores an entry changes.
 *
 * Locking: whoever clears an entry holds intel_iommu::lock, or is alone: at boot and
 * at shutdown. A swap takes it.
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

/**
 * frz_vtd_clear - Clear a context entry
 * @iommu: the unit
 * @context: the entry; the caller flushes what was cached through it
 */
void frz_vtd_clear(struct intel_iommu *iommu, struct context_entry *context)
{
	const struct frz_vtd_entry from = frz_vtd_read(context), none = {};
	struct frz_vtd_store stores[FRZ_VTD_MAX_STORES];
	unsigned int i, n = frz_vtd_stores(&from, &none, stores);

	for (i = 0; i < n; i++) {
		if (stores[i].lo)
			WRITE_ONCE(context->lo, none.lo);
		if (stores[i].hi)
			WRITE_ONCE(context->hi, none.hi);
		__iommu_flush_cache(iommu, context, sizeof(*context));
	}
}

/**
 * frz_vtd_swap - Swap the context entry of a running device
 * @info: the device
 * @from: the entry that must be there
 * @to: the one that takes its place; its tables are complete
 *
 * Context: Any process context. Allocates nothing.
 * Return: 0, or -EBUSY if the entry was not @from, which then stays, or if hardware
 * could see a mixture.
 */
int frz_vtd_swap(struct device_domain_info *info,
		 const struct frz_vtd_entry *from,
		 const struct frz_vtd_entry *to)
{
	struct context_entry old = { .lo = from->lo, .hi = from->hi };
	struct context_entry new = { .lo = to->lo, .hi = to->hi };
	struct frz_vtd_store stores[FRZ_VTD_MAX_STORES];

	if (frz_vtd_stores(from, to, stores) != 1)
		return -EBUSY;
	return intel_context_swap(info, &old, &new);
}
