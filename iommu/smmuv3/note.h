/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: what a kernel's image tells of SMMUv3, see ../note.c
 */
#ifndef _IOMMU_FREEZE_SMMUV3_NOTE_H
#define _IOMMU_FREEZE_SMMUV3_NOTE_H

#define FRZ_SMMUV3_NOTE							\
	(IS_ENABLED(CONFIG_ARM_SMMU_V3) ? FRZ_NOTE_SMMUV3_ON : 0)

#endif /* _IOMMU_FREEZE_SMMUV3_NOTE_H */
