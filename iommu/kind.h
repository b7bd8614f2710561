/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: what kernel and tool both know of a kind of IOMMU, see kind.c. Pure.
 */
#ifndef _IOMMU_FREEZE_KIND_H
#define _IOMMU_FREEZE_KIND_H

#include <linux/kho/abi/iommu-freeze.h>
#include <linux/types.h>
#include <uapi/linux/iommu-freeze.h>

#include "words.h"

/**
 * struct frz_kind - a kind of IOMMU unit, as a blob names it
 * @name: as it is shown to people
 * @id: FRZ_UNIT_... of the blob
 * @obstacles: words for what only this kind can find; those that it leaves empty
 *	have words of their own in obstacle.c
 * @check: Is a unit in a blob, which keeps the rules that hold for every kind, one of
 *	this kind? NULL, or what is wrong with it and @field set to where. May itself
 *	be NULL.
 * @check_domain: The same for a domain on one of its units. May be NULL.
 * @check_device: The same for a device below one of its units. May be NULL.
 */
struct frz_kind {
	const char *name;
	u32 id;
	struct frz_obstacle obstacles[IOMMU_FREEZE_NR_OBSTACLES];
	const char *(*check)(const struct frz_abi_unit *unit, const u32 **field);
	const char *(*check_domain)(const struct frz_abi_domain *dom, const u32 **field);
	const char *(*check_device)(const struct frz_abi_unit *unit,
				    const struct frz_abi_device *dev, const u32 **field);
};

const struct frz_kind *frz_kind_by_id(u32 id);
const struct frz_kind *frz_kind_at(u32 index);

#endif /* _IOMMU_FREEZE_KIND_H */
