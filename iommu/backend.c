// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds the backend of a device, a domain or a unit of the blob.
 *
 * Structure: a constant list, made from the one table of backends; no lock. What is
 * behind no IOMMU, or behind one that is not in the list, has none.
 */
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/pci.h>

#include "backend.h"
#include "backends.h"
#include "kind.h"

static const struct frz_backend *const backends[] = FRZ_BACKENDS;

/**
 * frz_backend_at - The backends, one after the other
 * @index: from 0
 *
 * Return: the backend, NULL when there are no more.
 */
const struct frz_backend *frz_backend_at(unsigned int index)
{
	return index < ARRAY_SIZE(backends) ? backends[index] : NULL;
}

/**
 * frz_unit_of - The unit that translates a device
 * @pdev: the device
 *
 * Return: the unit, NULL if it is behind none.
 */
struct iommu_device *frz_unit_of(struct pci_dev *pdev)
{
	return pdev->dev.iommu ? pdev->dev.iommu->iommu_dev : NULL;
}

static const struct frz_backend *by_ops(const struct iommu_ops *ops)
{
	const struct frz_backend *b;
	unsigned int i;

	for (i = 0; (b = frz_backend_at(i)); i++)
		if (b->ops == ops)
			return b;
	return NULL;
}

/**
 * frz_backend_of - The backend of the unit above a device
 * @pdev: the device
 *
 * Return: the backend, NULL if there is none.
 */
const struct frz_backend *frz_backend_of(struct pci_dev *pdev)
{
	struct iommu_device *unit = frz_unit_of(pdev);

	return unit ? by_ops(unit->ops) : NULL;
}

/**
 * frz_backend_of_domain - The backend of a domain
 * @domain: any domain
 *
 * Return: the backend, NULL if there is none.
 */
const struct frz_backend *frz_backend_of_domain(struct iommu_domain *domain)
{
	return by_ops(domain->owner);
}
EXPORT_SYMBOL_GPL(frz_backend_of_domain);

/**
 * frz_backend_by_kind - The backend of a unit in the blob
 * @kind: FRZ_UNIT_...
 *
 * Return: the backend, NULL if there is none.
 */
const struct frz_backend *frz_backend_by_kind(u32 kind)
{
	const struct frz_backend *b;
	unsigned int i;

	for (i = 0; (b = frz_backend_at(i)); i++)
		if (b->kind->id == kind)
			return b;
	return NULL;
}
