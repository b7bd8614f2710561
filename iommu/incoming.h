/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices of the previous kernel, see incoming.c.
 */
#ifndef _IOMMU_FREEZE_INCOMING_H
#define _IOMMU_FREEZE_INCOMING_H

#include <linux/pci.h>
#include <linux/types.h>

#include "view.h"

struct frz_abi_bridge;
struct frz_abi_device;
struct frz_domain;
struct iommu_domain;

enum frz_incoming {
	FRZ_INCOMING_NONE,	/* not from the previous kernel */
	FRZ_INCOMING_FROZEN,	/* runs on its frozen domain */
	FRZ_INCOMING_REPLACED,	/* runs on a live domain, not finished yet */
	FRZ_INCOMING_REFUSED,	/* blocked */
};

enum frz_incoming frz_incoming_state(struct pci_dev *pdev);

/* For PCI */
bool frz_incoming_seen(struct pci_dev *pdev, const char *(*check)
		       (struct pci_dev *pdev, const struct frz_abi_device *rec,
			const struct frz_abi_bridge *bridges));
bool frz_incoming_added(struct pci_dev *pdev);
void frz_incoming_wait(struct pci_dev *pdev);

/* For the attach of a live domain */
int frz_incoming_compare(struct pci_dev *pdev, struct iommu_domain *live);

/* For VFIO */
struct pci_dev *frz_incoming_retrieve(u64 id);
bool frz_incoming_set_owner(struct pci_dev *pdev, const void *owner);
void frz_incoming_drop_owner(struct pci_dev *pdev, const void *owner);
bool frz_incoming_is_owner(struct pci_dev *pdev, const void *owner);
bool frz_incoming_can_finish(u64 id);
void frz_incoming_finish(u64 id);

/* For user space */
int frz_incoming_discard(u32 segment, u32 devid);
int frz_incoming_view(struct frz_place *place, frz_view_fn fn, void *arg);

/* For import.c and leave.c */
int frz_incoming_begin(u32 nr);
void frz_incoming_add(const struct frz_abi_device *rec, struct frz_domain *dom);
void frz_incoming_unit_done(u32 unit, const char *why);
struct frz_domain *frz_incoming_expected(u32 unit, u32 stream);
void frz_incoming_refuse_stream(u32 unit, u32 stream, const char *why);
void frz_incoming_refuse_all(const char *why);
void frz_incoming_watch(void);
void frz_incoming_settle(void);

/* The id of a device in LUO's serialized_data. */
static inline u64 frz_pci_id(struct pci_dev *pdev)
{
	return ((u64)pci_domain_nr(pdev->bus) << 16) | pci_dev_id(pdev);
}

#endif /* _IOMMU_FREEZE_INCOMING_H */
