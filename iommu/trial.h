/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A trial, for user space, of what a preserve would do, see trial.c.
 */
#ifndef _IOMMU_FREEZE_TRIAL_H
#define _IOMMU_FREEZE_TRIAL_H

#include <linux/types.h>

struct frz_findings;
struct frz_store;
struct iommu_domain;
struct iommu_freeze_trial;
struct pci_dev;

/**
 * struct frz_trial_ops - VFIO's part in a trial
 * @trial: looks at how @pdev is used and has its live domain serialised by
 *	frz_trial_serialise() while nothing can change it; 0 or a negative errno
 */
struct frz_trial_ops {
	int (*trial)(struct pci_dev *pdev, struct frz_findings *f,
		     struct iommu_freeze_trial *t);
};

int frz_trial_serialise(struct pci_dev *pdev, struct iommu_domain *live,
			struct frz_store *store, struct frz_findings *f,
			struct iommu_freeze_trial *t);
void frz_trial_register(const struct frz_trial_ops *ops);
void frz_trial_unregister(void);
int frz_trial(struct iommu_freeze_trial *t);

#endif /* _IOMMU_FREEZE_TRIAL_H */
