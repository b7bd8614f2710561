/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What VFIO does for the Live Update Orchestrator and for a trial, see luo.c.
 */
#ifndef _IOMMU_FREEZE_VFIO_LUO_H
#define _IOMMU_FREEZE_VFIO_LUO_H

struct frz_trial_ops;
struct liveupdate_file_ops;

extern const struct liveupdate_file_ops frz_luo_ops;
extern const struct frz_trial_ops frz_luo_trial_ops;

#endif /* _IOMMU_FREEZE_VFIO_LUO_H */
