/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The blob for the next kernel and the memory that it lies in, see handover.c.
 */
#ifndef _IOMMU_FREEZE_HANDOVER_H
#define _IOMMU_FREEZE_HANDOVER_H

#include <linux/types.h>

struct frz_abi_bridge;
struct frz_abi_device;
struct frz_blob_writer;

int frz_handover_reserve(size_t need);
struct frz_blob_writer *frz_handover_begin(void);
int frz_handover_end(struct frz_blob_writer *w, u64 generation);
bool frz_handover_written(void);
void frz_handover_drop(void);
void frz_handover_seal_begin(void);
void frz_handover_seal_device(size_t at, const struct frz_abi_device *rec,
			      const struct frz_abi_bridge *bridges);
void frz_handover_seal_end(void);

#endif /* _IOMMU_FREEZE_HANDOVER_H */
