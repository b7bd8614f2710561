/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What incoming.c and claim.c share: the devices of the previous kernel.
 */
#ifndef _IOMMU_FREEZE_INCOMING_DEVICE_H
#define _IOMMU_FREEZE_INCOMING_DEVICE_H

#include <linux/kho/abi/iommu-freeze.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/spinlock.h>

#include "domain.h"
#include "incoming.h"

/**
 * struct frz_incoming_device - a device of the previous kernel
 * @rec: its record in the blob
 * @domain: its frozen domain
 * @pdev: the device; NULL before it was found, and after it was finished
 * @state: what became of it
 * @refusing: somebody is stopping it
 * @adopted: its group is on the frozen domain, or was
 * @owner: whom it was given to, or NULL
 * @why: reason why it was refused
 * @discarded: on request
 * @compared: when it was compared
 * @compare_us: how long that took
 * @replace_us: how long the replace took
 * @leaves: how many were compared
 */
struct frz_incoming_device {
	const struct frz_abi_device *rec;
	struct frz_domain *domain;
	struct pci_dev *pdev;
	enum frz_incoming state;
	bool refusing;
	bool adopted;
	const void *owner;
	const char *why;
	bool discarded;
	ktime_t compared;
	u32 compare_us;
	u32 replace_us;
	u64 leaves;
};

extern spinlock_t frz_incoming_lock;
extern struct mutex frz_finish_lock;
extern struct frz_incoming_device *frz_incoming_devices;
extern unsigned int frz_nr_incoming;

struct frz_incoming_device *frz_incoming_next(struct frz_incoming_device *dev);
struct frz_incoming_device *frz_incoming_find(struct pci_dev *pdev);
struct frz_incoming_device *frz_incoming_at(u32 segment, u8 bus, u8 devfn);
void frz_incoming_refuse(struct frz_incoming_device *dev, const char *why);
void frz_incoming_wait_refused(struct frz_incoming_device *dev);

/* May its tables be freed? Hardware is asked, not our own state. */
static inline bool
frz_incoming_has_left(const struct frz_incoming_device *dev)
{
	return frz_domain_has_left(dev->domain, dev->rec->stream);
}

#endif /* _IOMMU_FREEZE_INCOMING_DEVICE_H */
