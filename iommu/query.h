/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What user space asks about devices, see query.c.
 */
#ifndef _IOMMU_FREEZE_QUERY_H
#define _IOMMU_FREEZE_QUERY_H

#include <linux/types.h>

struct frz_memory;
struct iommu_freeze_device;
struct iommu_freeze_extent;
struct iommu_freeze_extents;
struct iommu_freeze_verify;

void frz_query_tables(const struct frz_memory *mem,
		      struct iommu_freeze_device *out);
int frz_query_list(struct iommu_freeze_device *dev);
u32 frz_query_count(u32 direction);
int frz_query_verify(struct iommu_freeze_verify *req);
int frz_query_extents(struct iommu_freeze_extents *req,
		      struct iommu_freeze_extent *extents);

#endif /* _IOMMU_FREEZE_QUERY_H */
