/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The image that is loaded for kexec, see image.c.
 */
#ifndef _IOMMU_FREEZE_IMAGE_H
#define _IOMMU_FREEZE_IMAGE_H

#include <linux/types.h>

const char *frz_image_flaw(void);
u32 frz_image_status(void);

#endif /* _IOMMU_FREEZE_IMAGE_H */
