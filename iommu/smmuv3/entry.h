/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: the bits of an SMMUv3 stream table entry and context descriptor, and in
 * which stores an entry changes, see entry.c. Pure; all words in the CPU's order.
 */
#ifndef _IOMMU_FREEZE_SMMUV3_ENTRY_H
#define _IOMMU_FREEZE_SMMUV3_ENTRY_H

#include <linux/types.h>

#define FRZ_SMMUV3_QWORDS	8

/**
 * struct frz_smmuv3_ste - a stream table entry (SMMUv3 spec, section 5.2)
 * @q: quadwords, from the lowest address up
 */
struct frz_smmuv3_ste {
	u64 q[FRZ_SMMUV3_QWORDS];
};

/**
 * struct frz_smmuv3_cd - a context descriptor (SMMUv3 spec, section 5.4)
 * @q: quadwords, from the lowest address up
 */
struct frz_smmuv3_cd {
	u64 q[FRZ_SMMUV3_QWORDS];
};

/**
 * struct frz_smmuv3_store - one store of 64 bits, which hardware sees whole or not
 * @qword: which quadword it writes
 * @sync: hardware has to forget the entry (CMD_CFGI_STE, CMD_SYNC) before the next one,
 *	or before the change is told to be done
 */
struct frz_smmuv3_store {
	u8 qword;
	bool sync;
};

#define FRZ_SMMUV3_MAX_STORES	FRZ_SMMUV3_QWORDS

int frz_smmuv3_stores(const struct frz_smmuv3_ste *from,
		      const struct frz_smmuv3_ste *to,
		      struct frz_smmuv3_store *stores);

bool frz_smmuv3_ste_valid(const struct frz_smmuv3_ste *ste);
bool frz_smmuv3_ste_passes(const struct frz_smmuv3_ste *ste);
u32 frz_smmuv3_ste_stage(const struct frz_smmuv3_ste *ste);
u64 frz_smmuv3_ste_cd(const struct frz_smmuv3_ste *ste);
u64 frz_smmuv3_ste_top(const struct frz_smmuv3_ste *ste);
u32 frz_smmuv3_ste_vmid(const struct frz_smmuv3_ste *ste);
u64 frz_smmuv3_ste_obstacles(const struct frz_smmuv3_ste *ste);
bool frz_smmuv3_ste_hitless(const struct frz_smmuv3_ste *from,
			    const struct frz_smmuv3_ste *to);
bool frz_smmuv3_ste_is_frozen(const struct frz_smmuv3_ste *ste, u32 stage,
			      u64 pointer, u32 vmid, u32 levels);
void frz_smmuv3_ste_freeze_s1(struct frz_smmuv3_ste *ste, u64 cd_pa);
void frz_smmuv3_ste_freeze_s2(struct frz_smmuv3_ste *ste, u64 top);
void frz_smmuv3_ste_abort(struct frz_smmuv3_ste *ste);

bool frz_smmuv3_cd_valid(const struct frz_smmuv3_cd *cd);
u32 frz_smmuv3_cd_asid(const struct frz_smmuv3_cd *cd);
u64 frz_smmuv3_cd_top(const struct frz_smmuv3_cd *cd);
u64 frz_smmuv3_cd_obstacles(const struct frz_smmuv3_cd *cd);
void frz_smmuv3_cd_freeze(struct frz_smmuv3_cd *cd, u64 top, u32 asid);
bool frz_smmuv3_cd_is_frozen(const struct frz_smmuv3_cd *cd, u64 top, u32 asid,
			     u32 levels);

#endif /* _IOMMU_FREEZE_SMMUV3_ENTRY_H */
