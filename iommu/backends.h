/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of backends: each has a folder of its name, with a frz_NAME_kind (pure)
 * and a frz_NAME_backend in it.
 */
#ifndef _IOMMU_FREEZE_BACKENDS_H
#define _IOMMU_FREEZE_BACKENDS_H

#define FRZ_BACKENDS(x)	x(vtd)

#endif /* _IOMMU_FREEZE_BACKENDS_H */
