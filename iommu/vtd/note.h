/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: what a kernel's image tells of VT-d, see ../note.c
 */
#ifndef _IOMMU_FREEZE_VTD_NOTE_H
#define _IOMMU_FREEZE_VTD_NOTE_H

#define FRZ_VTD_NOTE							\
	((IS_ENABLED(CONFIG_INTEL_IOMMU_DEFAULT_ON) ?			\
	  FRZ_NOTE_VTD_ON : 0) |					\
	 (IS_ENABLED(CONFIG_INTEL_IOMMU_SCALABLE_MODE_DEFAULT_ON) ?	\
	  FRZ_NOTE_VTD_SCALABLE : 0))

#endif /* _IOMMU_FREEZE_VTD_NOTE_H */
