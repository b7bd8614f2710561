/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a device that is frozen, or may be, shows of itself to user space: the same
 * for both directions.
 */
#ifndef _IOMMU_FREEZE_VIEW_H
#define _IOMMU_FREEZE_VIEW_H

#include <linux/types.h>

struct frz_memory;
struct frz_shadow;
struct frz_tree;

/**
 * struct frz_view - a device as user space may see it
 * @segment: its PCI segment
 * @devid: bus << 8 | devfn
 * @state: enum iommu_freeze_state
 * @why: incoming: the reason why it was refused, or NULL
 * @tag: of its frozen domain
 * @reg_base: registers of its unit, 0 if that is not known
 * @preserve_us: outgoing: how long preserve took
 * @freeze_us: outgoing: how long freeze took
 * @compare_us: incoming: how long the comparison took
 * @replace_us: incoming: how long the replace took
 * @memory: its frozen tables, NULL if there are none any more
 * @shadow: what they said, or NULL
 * @live: what hardware uses beside them and must translate alike, or NULL
 * @elsewhere: hardware is not where it should be. May sleep; only to be asked while
 *	there is @memory
 * @dev: for @elsewhere
 */
struct frz_view {
	u32 segment;
	u32 devid;
	u32 state;
	const char *why;
	u32 tag;
	u64 reg_base;
	u32 preserve_us;
	u32 freeze_us;
	u32 compare_us;
	u32 replace_us;
	const struct frz_memory *memory;
	const struct frz_shadow *shadow;
	const struct frz_tree *live;
	bool (*elsewhere)(const void *dev);
	const void *dev;
};

/**
 * struct frz_place - which device is meant
 * @index: one after the other, from 0
 * @by_index: by @index, or else by place
 * @segment: PCI segment
 * @devid: bus << 8 | devfn
 */
struct frz_place {
	u32 index;
	bool by_index;
	u32 segment;
	u32 devid;
};

/**
 * frz_is_place - Is this device meant?
 * @place: which one is; counted down
 * @segment: PCI segment of the device
 * @devid: bus << 8 | devfn
 *
 * Return: true if so.
 */
static inline bool frz_is_place(struct frz_place *place, u32 segment, u32 devid)
{
	if (place->by_index)
		return !place->index--;
	return place->segment == segment && place->devid == devid;
}

/* What is done with a view, while what it shows stays. */
typedef int (*frz_view_fn)(void *arg, const struct frz_view *view);

#endif /* _IOMMU_FREEZE_VIEW_H */
