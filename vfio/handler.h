/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where VFIO, which may be a module, tells the Live Update Orchestrator's handler
 * that it is there, see handler.c.
 */
#ifndef _IOMMU_FREEZE_VFIO_HANDLER_H
#define _IOMMU_FREEZE_VFIO_HANDLER_H

struct liveupdate_file_ops;

void frz_luo_register(const struct liveupdate_file_ops *vfio_ops);
void frz_luo_unregister(void);

#endif /* _IOMMU_FREEZE_VFIO_HANDLER_H */
