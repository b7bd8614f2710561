/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: what keeps a device from being preserved, in words, see obstacle.c.
 * Pure.
 */
#ifndef _IOMMU_FREEZE_OBSTACLE_H
#define _IOMMU_FREEZE_OBSTACLE_H

#include <linux/types.h>

#include "words.h"

struct frz_kind;

const struct frz_obstacle *frz_obstacle(u32 obstacle);
u64 frz_obstacles_of_others(const struct frz_kind *kind);

#endif /* _IOMMU_FREEZE_OBSTACLE_H */
