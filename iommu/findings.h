/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was looked for in a device, and what was found, see findings.c.
 */
#ifndef _IOMMU_FREEZE_FINDINGS_H
#define _IOMMU_FREEZE_FINDINGS_H

#include <linux/bits.h>
#include <linux/types.h>
#include <uapi/linux/iommu-freeze.h>

struct pci_dev;

/**
 * struct frz_findings - what was looked for in a device, and what was found
 * @looked: bit n: looked for enum iommu_freeze_obstacle n
 * @found: bit n: and found it
 *
 * Preserve refuses for the first one that is found; a trial tells all of them.
 */
struct frz_findings {
	u64 looked;
	u64 found;
};

/**
 * frz_found - Note that an obstacle was looked for
 * @f: findings, added to
 * @obstacle: enum iommu_freeze_obstacle
 * @found: whether it was found
 *
 * Return: @found.
 */
static inline bool frz_found(struct frz_findings *f, u32 obstacle, bool found)
{
	f->looked |= BIT_ULL(obstacle);
	if (found)
		f->found |= BIT_ULL(obstacle);
	return found;
}

int frz_refuse(struct pci_dev *pdev, const char *what,
	       const struct frz_findings *f);
int frz_refuse_pages(struct pci_dev *pdev, u32 obstacle, u64 iova);

#endif /* _IOMMU_FREEZE_FINDINGS_H */
