/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: what keeps a device from being preserved, in words, see obstacle.c.
 * Pure.
 */
#ifndef _IOMMU_FREEZE_OBSTACLE_H
#define _IOMMU_FREEZE_OBSTACLE_H

#include <linux/types.h>

#include "words.h"

const struct frz_obstacle *frz_obstacle(u32 obstacle);

#endif /* _IOMMU_FREEZE_OBSTACLE_H */
