/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of this folder share: VT-d in legacy mode.
 */
#ifndef _IOMMU_FREEZE_VTD_H
#define _IOMMU_FREEZE_VTD_H

#include <linux/types.h>

#include "entry.h"

struct context_entry;
struct device_domain_info;
struct frz_blob_writer;
struct frz_import_unit;
struct intel_iommu;
struct pci_dev;

#define FRZ_VTD_ROOT_ENTRIES	256
#define FRZ_VTD_TABLE_ENTRIES	256

/* context.c */
struct frz_vtd_entry frz_vtd_read(const struct context_entry *context);
void frz_vtd_clear(struct intel_iommu *iommu, struct context_entry *context);
struct context_entry *frz_vtd_context(struct intel_iommu *iommu, u32 stream);
int frz_vtd_swap(struct device_domain_info *info,
		 const struct frz_vtd_entry *from,
		 const struct frz_vtd_entry *to);
bool frz_vtd_single_rid(struct pci_dev *pdev);
bool frz_vtd_remaps_interrupts(struct intel_iommu *iommu);

/* outgoing.c */
int frz_vtd_preserve_units(void);
void frz_vtd_unpreserve_units(void);
void frz_vtd_write_units(struct frz_blob_writer *w);
int frz_vtd_preserve_device(struct pci_dev *pdev);
void frz_vtd_unpreserve_device(struct pci_dev *pdev);

/* incoming.c */
void frz_vtd_release_unit(const struct frz_import_unit *unit);

#endif /* _IOMMU_FREEZE_VTD_H */
