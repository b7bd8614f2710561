/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: words for what keeps a device from being preserved. Pure.
 */
#ifndef _IOMMU_FREEZE_WORDS_H
#define _IOMMU_FREEZE_WORDS_H

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

#endif /* _IOMMU_FREEZE_WORDS_H */
