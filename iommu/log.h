/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines in the kernel log. What is about a device names it first.
 */
#ifndef _IOMMU_FREEZE_LOG_H
#define _IOMMU_FREEZE_LOG_H

#include <linux/kho/abi/iommu-freeze.h>
#include <linux/pci.h>
#include <linux/printk.h>

#undef pr_fmt
#define pr_fmt(fmt) "iommu-freeze: " fmt

#define frz_info(pdev, fmt, ...) \
	pr_info("%s: " fmt, pci_name(pdev), ##__VA_ARGS__)
/* A VMM can call forth most of these as often as it likes. */
#define frz_warn(pdev, fmt, ...) \
	pr_warn_ratelimited("%s: " fmt, pci_name(pdev), ##__VA_ARGS__)

/* Which may not be there is named by where it was: rec is its record. */
#define frz_at(level, rec, fmt, ...)					\
do {									\
	const struct frz_abi_device *at_ = (rec);			\
	pr_##level("%04x:%02x:%02x.%u: " fmt, at_->segment, at_->bus,	\
		   PCI_SLOT(at_->devfn), PCI_FUNC(at_->devfn),		\
		   ##__VA_ARGS__);					\
} while (0)

#endif /* _IOMMU_FREEZE_LOG_H */
