/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What VFIO's part asks of iommufd, see hands.c. Linked into iommufd.
 */
#ifndef _IOMMU_FREEZE_IOMMUFD_HANDS_H
#define _IOMMU_FREEZE_IOMMUFD_HANDS_H

#include <linux/types.h>

struct frz_findings;
struct iommu_domain;
struct iommu_freeze_pages;
struct iommufd_device;
struct iommufd_hw_pagetable;

struct iommufd_hw_pagetable *iommufd_freeze_check(struct iommufd_device *idev,
						  struct frz_findings *f);
struct iommu_domain *iommufd_freeze_domain(struct iommufd_hw_pagetable *hwpt);
bool iommufd_freeze_device_memory(struct iommufd_hw_pagetable *hwpt,
				  struct iommu_freeze_pages *pages);
void iommufd_freeze_preserve(struct iommufd_hw_pagetable *hwpt);
void iommufd_freeze_unpreserve(struct iommufd_device *idev,
			       struct iommufd_hw_pagetable *hwpt);
void iommufd_freeze_hold(struct iommufd_hw_pagetable *hwpt);
void iommufd_freeze_unhold(struct iommufd_hw_pagetable *hwpt);

#endif /* _IOMMU_FREEZE_IOMMUFD_HANDS_H */
