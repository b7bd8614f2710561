/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the core asks of PCI, see hands.c.
 */
#ifndef _IOMMU_FREEZE_PCI_HANDS_H
#define _IOMMU_FREEZE_PCI_HANDS_H

#include <linux/pci.h>
#include <linux/types.h>

struct frz_abi_bridge;
struct frz_abi_device;
struct frz_findings;

void frz_pci_check(struct pci_dev *pdev, struct frz_findings *f);
bool frz_pci_removed(struct pci_dev *pdev);
int frz_pci_record(struct pci_dev *pdev, struct frz_abi_device *rec,
		   struct frz_abi_bridge *bridges);
const char *frz_pci_changed(struct pci_dev *pdev,
			    const struct frz_abi_device *rec,
			    const struct frz_abi_bridge *bridges);
const char *frz_pci_check_incoming(struct pci_dev *pdev,
				   const struct frz_abi_device *rec,
				   const struct frz_abi_bridge *bridges);

/* Outgoing: may not change; then: on its frozen domain */
bool frz_pci_hold(struct pci_dev *pdev);
void frz_pci_unhold(struct pci_dev *pdev);
void frz_pci_freeze(struct pci_dev *pdev);
void frz_pci_unfreeze(struct pci_dev *pdev);

/* Incoming: on its frozen domain */
void frz_pci_run_on(struct pci_dev *pdev);
void frz_pci_left(struct pci_dev *pdev);

void frz_pci_stop(struct pci_dev *pdev);
void frz_pci_reset_stopped(struct pci_dev *pdev);
void frz_pci_reset(struct pci_dev *pdev, bool going);
void frz_pci_reset_all(void);

/**
 * frz_pci_keeps_dma - Is a device bound to a driver that leaves running DMA alone?
 * @pdev: the device; its driver stays, as it is locked or in use
 *
 * Such a driver is built on vfio-pci-core, whose device is the driver's data.
 *
 * Return: true if so.
 */
static inline bool frz_pci_keeps_dma(struct pci_dev *pdev)
{
	return pdev->driver && pdev->driver->driver_keeps_dma;
}

#endif /* _IOMMU_FREEZE_PCI_HANDS_H */
