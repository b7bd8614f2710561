/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a preserve looks for, and a trial as well, see check.c.
 */
#ifndef _IOMMU_FREEZE_CHECK_H
#define _IOMMU_FREEZE_CHECK_H

#include "findings.h"

struct frz_extent;
struct frz_store;

void frz_check_device(struct pci_dev *pdev, struct frz_findings *f);
int frz_check_pages(struct frz_store *store, const struct frz_extent *e,
		    int (*found)(void *arg, u32 obstacle, u64 iova, u64 len),
		    void *arg);

#endif /* _IOMMU_FREEZE_CHECK_H */
