/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this kernel hands to the next one, see outgoing.c.
 */
#ifndef _IOMMU_FREEZE_OUTGOING_H
#define _IOMMU_FREEZE_OUTGOING_H

#include <linux/types.h>

#include "view.h"

struct frz_descriptor;
struct frz_outgoing_device;
struct frz_store;
struct iommu_device;
struct iommu_domain;
struct pci_dev;

/* For VFIO */
struct frz_outgoing_device *frz_outgoing_hold(struct pci_dev *pdev);
int frz_outgoing_preserve(struct frz_outgoing_device *dev,
			  struct iommu_domain *live, struct frz_store *store);
void frz_outgoing_unpreserve(struct frz_outgoing_device *dev);
int frz_outgoing_freeze(struct frz_outgoing_device *dev);
void frz_outgoing_unfreeze(struct frz_outgoing_device *dev);

/* For the last word of the old kernel to its IOMMU */
bool frz_outgoing_any_frozen(void);
const struct frz_descriptor *
frz_outgoing_frozen_at(const struct iommu_device *unit, u32 stream);

int frz_outgoing_view(struct frz_place *place, frz_view_fn fn, void *arg);

#endif /* _IOMMU_FREEZE_OUTGOING_H */
