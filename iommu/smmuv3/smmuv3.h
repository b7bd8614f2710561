/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of this folder share: Arm SMMUv3.
 */
#ifndef _IOMMU_FREEZE_SMMUV3_H
#define _IOMMU_FREEZE_SMMUV3_H

#include <linux/idr.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include "../../../arm/arm-smmu-v3/arm-smmu-v3.h"
#include "../import.h"
#include "entry.h"

struct frz_blob_writer;
struct frz_memory;
struct pci_dev;

/**
 * struct frz_smmuv3_unit - an SMMU that its driver has started
 * @node: in the list of unit.c
 * @smmu: the SMMU
 * @reg_base: physical address of its registers
 * @users: outgoing: preserved devices
 * @l2_users: outgoing: of these, how many each level 2 table has, by its index
 * @nr_l2: outgoing: level 2 tables that have any
 * @is_over: outgoing: the last word was said; set under arm_smmu_asid_lock and
 *	streams_mutex
 * @import: incoming: what the previous kernel said of it
 * @met_table: incoming: address of the stream table that it was met with
 * @keep: incoming: bits of CR0 that stay as they are, 0 unless it was adopted
 * @vmids: incoming: those that frozen domains have
 */
struct frz_smmuv3_unit {
	struct list_head node;
	struct arm_smmu_device *smmu;
	u64 reg_base;
	unsigned int users;
	struct xarray l2_users;
	unsigned int nr_l2;
	bool is_over;
	struct frz_import_unit import;
	u64 met_table;
	u32 keep;
	struct ida vmids;
};

static inline struct arm_smmu_device *frz_to_smmu(struct iommu_device *unit)
{
	return container_of(unit, struct arm_smmu_device, iommu);
}

static inline bool frz_smmuv3_two_level(const struct arm_smmu_device *smmu)
{
	return smmu->features & ARM_SMMU_FEAT_2_LVL_STRTAB;
}

/* unit.c */
struct frz_smmuv3_unit *frz_smmuv3_add_unit(struct arm_smmu_device *smmu);
struct frz_smmuv3_unit *frz_smmuv3_unit(const struct arm_smmu_device *smmu);
struct frz_smmuv3_unit *frz_smmuv3_unit_at(u64 reg_base);
struct frz_smmuv3_unit *frz_smmuv3_next_unit(struct frz_smmuv3_unit *unit);
u64 frz_smmuv3_table(const struct arm_smmu_device *smmu);
size_t frz_smmuv3_table_size(const struct arm_smmu_device *smmu);
u64 frz_smmuv3_l2(const struct arm_smmu_device *smmu, u32 index);
int frz_smmuv3_write_sync(struct arm_smmu_device *smmu, u32 value, u32 reg,
			  u32 ack);

/* stream.c */
struct arm_smmu_ste *frz_smmuv3_ste(struct arm_smmu_device *smmu, u32 stream);
struct frz_smmuv3_ste frz_smmuv3_read(const struct arm_smmu_ste *ste);
bool frz_smmuv3_look(struct arm_smmu_device *smmu, u32 stream,
		     struct frz_smmuv3_ste *now);
bool frz_smmuv3_is_frozen(const struct frz_smmuv3_ste *ste,
			  const struct frz_memory *mem, u32 tag);
void frz_smmuv3_abort(struct arm_smmu_ste *ste);
int frz_smmuv3_flush(struct arm_smmu_device *smmu, u32 stream);
int frz_smmuv3_flush_tag(struct arm_smmu_device *smmu, u32 format, u32 tag);
int frz_smmuv3_flush_all(struct arm_smmu_device *smmu);
bool frz_smmuv3_is_deaf(void);
int frz_smmuv3_swap(struct arm_smmu_master *master,
		    const struct frz_smmuv3_ste *from,
		    const struct frz_smmuv3_ste *to);
void frz_smmuv3_block(struct arm_smmu_device *smmu, u32 stream);

/* outgoing.c */
bool frz_smmuv3_can_keep(struct arm_smmu_master *master);
int frz_smmuv3_preserve_units(void);
void frz_smmuv3_unpreserve_units(void);
void frz_smmuv3_write_units(struct frz_blob_writer *w);
int frz_smmuv3_preserve_device(struct pci_dev *pdev);
void frz_smmuv3_unpreserve_device(struct pci_dev *pdev);

/* incoming.c */
bool frz_smmuv3_was_left(const struct frz_abi_unit *rec);
void frz_smmuv3_release_unit(const struct frz_import_unit *unit);

#endif /* _IOMMU_FREEZE_SMMUV3_H */
