/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: what keeps a device from being preserved, in words, see obstacle.c.
 * Pure.
 */
#ifndef _IOMMU_FREEZE_OBSTACLE_H
#define _IOMMU_FREEZE_OBSTACLE_H

#include <linux/types.h>

/**
 * struct frz_obstacle - what keeps a device from being preserved
 * @name: one word, stable, for programs
 * @text: for people, to follow the device's name and a colon
 * @fix: the way out, NULL if there is none
 */
struct frz_obstacle {
	const char *name;
	const char *text;
	const char *fix;
};

const struct frz_obstacle *frz_obstacle(u32 obstacle);

#endif /* _IOMMU_FREEZE_OBSTACLE_H */
