/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: what the kernel is asked, and which devices it is asked about
 */
#ifndef IOMMU_FREEZE_KERNEL_H
#define IOMMU_FREEZE_KERNEL_H

#include "verb.h"

#define DEVICE_NODE	"/dev/iommu-freeze"

static inline struct bdf device_bdf(const struct iommu_freeze_device *dev)
{
	return (struct bdf){ .segment = dev->segment, .devid = dev->devid };
}

/* Why a device was refused; good as long as what print_text() makes. */
static inline const char *device_why(const struct iommu_freeze_device *dev)
{
	return print_clean(print_text("%.*s", IOMMU_FREEZE_WHY_LEN, (const char *)dev->why));
}

/* Whatever is asked of the kernel next, it ends the same way. */
static inline bool outcome_is_final(enum outcome outcome)
{
	return outcome == OUTCOME_UNSUPPORTED || outcome == OUTCOME_DENIED;
}

/* kernel.c */
enum outcome kernel_open(struct iommu_freeze_info *info);
enum outcome kernel_ask(unsigned int request, void *arg, const char *object, bool *missing);

/* select.c */

/**
 * struct selection - devices that the command line means
 * @info: about the kernel's side
 * @dev: those found, incoming ones first, by place
 * @nr: how many
 * @outcome: not OUTCOME_OK when a device that was named is not there
 */
struct selection {
	struct iommu_freeze_info info;
	struct iommu_freeze_device *dev;
	size_t nr;
	enum outcome outcome;
};

enum outcome select_devices(struct selection *sel, const struct args *args);

#endif /* IOMMU_FREEZE_KERNEL_H */
