// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: the bits of an SMMUv3 stream table entry (STE) and context descriptor
 * (CD), and in which stores an STE changes
 *
 * Structure: none of its own. No lock: the caller keeps the entry to itself. Nothing
 * fails but a change of an entry that no store makes whole. The unit tests go through
 * every change of an entry store by store.
 *
 * SMMUv3 specification (IHI 0070): 5.2 "Stream Table Entry", 5.4 "Context Descriptor",
 * 3.21.3 "Configuration structures and configuration invalidation completion": hardware
 * may fetch an entry at any time and its quadwords in any order, each of them whole.
 *
 * Stage 1 is swapped by quadword 0 of the STE, which has the pointer to the CD and the
 * number of CDs in it; the CD has the top table and the ASID in two quadwords, so one
 * that is in use never changes. Stage 2 is swapped by quadword 3, which has the top
 * table alone: what quadword 2 has, the VMID and the shape of the tables, stays.
 *
 * The driver fills in entries from scratch, with zeroes where it sets nothing, so what
 * is known to be in a frozen one is compared whole: a field that is not in these lists
 * may change what the others mean.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/types.h>
#include <uapi/linux/iommu-freeze.h>

#include "entry.h"

#define STE_0_V			BIT_ULL(0)
#define STE_0_CONFIG		GENMASK_ULL(3, 1)
#define STE_0_CONFIG_SHIFT	1
#define CONFIG_ABORT		0
#define CONFIG_S1		5
#define CONFIG_S2		6
#define CONFIG_PASSES		4	/* a bit: without it, DMA is aborted */
#define STE_0_S1FMT		GENMASK_ULL(5, 4)
#define STE_0_S1CTXPTR		GENMASK_ULL(51, 6)
#define STE_0_S1CDMAX		GENMASK_ULL(63, 59)

#define STE_1_S1DSS		GENMASK_ULL(1, 0)	/* ignored if S1CDMAX is 0 */
#define STE_1_S1C		GENMASK_ULL(7, 2)	/* S1CIR, S1COR, S1CSH */
#define STE_1_S2FWB		BIT_ULL(25)
#define STE_1_S1STALLD		BIT_ULL(27)
#define STE_1_EATS		GENMASK_ULL(29, 28)
#define STE_1_STRW		GENMASK_ULL(31, 30)
#define STE_1_SHCFG		GENMASK_ULL(45, 44)
#define STE_1_FROZEN_S1		(STE_1_S1DSS | STE_1_S1C | STE_1_S1STALLD | STE_1_STRW | \
				 STE_1_SHCFG)
#define STE_1_FROZEN_S2		STE_1_SHCFG

#define STE_2_S2VMID		GENMASK_ULL(15, 0)
#define STE_2_S2T0SZ_SHIFT	32
#define STE_2_S2SL0_SHIFT	38
#define STE_2_S2WALK		GENMASK_ULL(45, 40)	/* S2IR0, S2OR0, S2SH0 */
#define STE_2_S2TG		GENMASK_ULL(47, 46)	/* 0: 4 KiB */
#define STE_2_S2PS		GENMASK_ULL(50, 48)
#define STE_2_S2AA64		BIT_ULL(51)
#define STE_2_S2PTW		BIT_ULL(54)
#define STE_2_S2S		BIT_ULL(57)
#define STE_2_S2R		BIT_ULL(58)
#define STE_2_FROZEN_S2		(STE_2_S2VMID | GENMASK_ULL(39, 32) | STE_2_S2WALK | STE_2_S2PS | \
				 STE_2_S2AA64 | STE_2_S2PTW | STE_2_S2R)

#define STE_3_S2TTB		GENMASK_ULL(51, 4)

#define CD_0_TG0		GENMASK_ULL(7, 6)	/* 0: 4 KiB */
#define CD_0_EPD1		BIT_ULL(30)
#define CD_0_V			BIT_ULL(31)
#define CD_0_AA64		BIT_ULL(41)
#define CD_0_HD			BIT_ULL(42)
#define CD_0_HA			BIT_ULL(43)
#define CD_0_S			BIT_ULL(44)
#define CD_0_ASID_SHIFT		48
#define CD_0_ASID		GENMASK_ULL(63, CD_0_ASID_SHIFT)
/* T0SZ, IR0, OR0, SH0; IPS; R, A, ASET */
#define CD_0_FROZEN		(GENMASK_ULL(5, 0) | GENMASK_ULL(13, 8) | CD_0_EPD1 | CD_0_V | \
				 GENMASK_ULL(34, 32) | CD_0_AA64 | GENMASK_ULL(47, 45) | CD_0_ASID)
#define CD_1_HAFT		BIT_ULL(3)	/* illegal without HA */
#define CD_1_TTB0		GENMASK_ULL(51, 4)
/* What the attributes 0 to 2 of the leaves mean, ../format/lpae.c; as io-pgtable-arm.c. */
#define CD_3_USED		GENMASK_ULL(23, 0)
#define CD_3_MAIR		0x04ff44ULL

#define SIZE			GENMASK_ULL(5, 0)	/* T0SZ, S2T0SZ */
#define SL0			GENMASK_ULL(1, 0)
#define LEVELS_OF_SL0_0		2

/* Levels that a region of 2^(64 - size) bytes takes, each of 9 bits above a page's 12. */
static u32 levels_of(u64 size)
{
	u32 bits = 64 - (size & SIZE);

	return bits < 12 ? 0 : (bits - 12 + 8) / 9;
}

static u32 config(const struct frz_smmuv3_ste *ste)
{
	return (ste->q[0] & STE_0_CONFIG) >> STE_0_CONFIG_SHIFT;
}

static bool zero_from(const u64 *q, unsigned int i)
{
	for (; i < FRZ_SMMUV3_QWORDS; i++)
		if (q[i])
			return false;
	return true;
}

/* Adds stores of what differs in quadwords @i to @last, then lets hardware forget. */
static int add_stores(const struct frz_smmuv3_ste *from, const struct frz_smmuv3_ste *to,
		      struct frz_smmuv3_store *stores, int n, u8 i, u8 last)
{
	int before = n;

	for (; i <= last; i++)
		if (from->q[i] != to->q[i])
			stores[n++] = (struct frz_smmuv3_store){ .qword = i };
	if (n > before)
		stores[n - 1].sync = true;
	return n;
}

/**
 * frz_smmuv3_stores - In which stores an STE changes
 * @from: what it is
 * @to: what it shall be
 * @stores: set, FRZ_SMMUV3_MAX_STORES at most
 *
 * Hardware reads the old or the new entry, or one that lets no DMA pass where one of
 * them does not: quadword 0 closes it before, or opens it after, all else, which
 * hardware must have forgotten by then (3.21.3.1).
 *
 * Return: number of stores; -EBUSY if both let DMA pass and differ in more than one
 * quadword, which hardware could see one without the other.
 */
int frz_smmuv3_stores(const struct frz_smmuv3_ste *from,
		      const struct frz_smmuv3_ste *to,
		      struct frz_smmuv3_store *stores)
{
	bool opens = frz_smmuv3_ste_passes(to);
	int n = 0;

	if (!opens)
		n = add_stores(from, to, stores, n, 0, 0);
	n = add_stores(from, to, stores, n, 1, FRZ_SMMUV3_QWORDS - 1);
	if (opens)
		n = add_stores(from, to, stores, n, 0, 0);
	if (n > 1 && opens && frz_smmuv3_ste_passes(from))
		return -EBUSY;
	return n;
}

/**
 * frz_smmuv3_ste_valid - Does hardware take an STE for one?
 * @ste: the entry
 *
 * Return: true if so.
 */
bool frz_smmuv3_ste_valid(const struct frz_smmuv3_ste *ste)
{
	return ste->q[0] & STE_0_V;
}

/**
 * frz_smmuv3_ste_passes - Does DMA pass through an STE, translated or not?
 * @ste: the entry
 *
 * Return: false if it is not valid or says to abort: no other field counts then.
 */
bool frz_smmuv3_ste_passes(const struct frz_smmuv3_ste *ste)
{
	return frz_smmuv3_ste_valid(ste) && (config(ste) & CONFIG_PASSES);
}

/**
 * frz_smmuv3_ste_stage - The one stage that an STE translates by
 * @ste: the entry
 *
 * Return: 1 or 2; 0 for one that does not translate, or by both.
 */
u32 frz_smmuv3_ste_stage(const struct frz_smmuv3_ste *ste)
{
	if (!frz_smmuv3_ste_valid(ste))
		return 0;
	if (config(ste) == CONFIG_S1)
		return 1;
	return config(ste) == CONFIG_S2 ? 2 : 0;
}

/**
 * frz_smmuv3_ste_cd - The context descriptor, or table of them, of stage 1
 * @ste: the entry
 *
 * Return: its physical address.
 */
u64 frz_smmuv3_ste_cd(const struct frz_smmuv3_ste *ste)
{
	return ste->q[0] & STE_0_S1CTXPTR;
}

/**
 * frz_smmuv3_ste_top - The top table of stage 2
 * @ste: the entry
 *
 * Return: its physical address.
 */
u64 frz_smmuv3_ste_top(const struct frz_smmuv3_ste *ste)
{
	return ste->q[3] & STE_3_S2TTB;
}

/**
 * frz_smmuv3_ste_vmid - The tag of what is cached through stage 2
 * @ste: the entry
 *
 * Return: the VMID.
 */
u32 frz_smmuv3_ste_vmid(const struct frz_smmuv3_ste *ste)
{
	return ste->q[2] & STE_2_S2VMID;
}

/* Is the top of stage 2 one table, of this many levels of 4 KiB? */
static bool s2_has_levels(const struct frz_smmuv3_ste *ste, u32 levels)
{
	return !(ste->q[2] & STE_2_S2TG) &&
	       levels_of(ste->q[2] >> STE_2_S2T0SZ_SHIFT) == levels &&
	       (ste->q[2] >> STE_2_S2SL0_SHIFT & SL0) + LEVELS_OF_SL0_0 == levels;
}

/**
 * frz_smmuv3_ste_obstacles - What in an STE keeps its device from being frozen
 * @ste: the entry of a live domain, of stage 1 or 2
 *
 * Return: bits of enum iommu_freeze_obstacle.
 */
u64 frz_smmuv3_ste_obstacles(const struct frz_smmuv3_ste *ste)
{
	u64 found = 0;

	if (ste->q[1] & STE_1_EATS)
		found |= BIT_ULL(IOMMU_FREEZE_OBSTACLE_ATS);
	if (frz_smmuv3_ste_stage(ste) != 2)
		return found;
	if (ste->q[1] & STE_1_S2FWB)
		found |= BIT_ULL(IOMMU_FREEZE_OBSTACLE_DOMAIN);
	if (ste->q[2] & STE_2_S2S)
		found |= BIT_ULL(IOMMU_FREEZE_OBSTACLE_STALL);
	if (!s2_has_levels(ste, levels_of(ste->q[2] >> STE_2_S2T0SZ_SHIFT)))
		found |= BIT_ULL(IOMMU_FREEZE_OBSTACLE_GRANULE);
	return found;
}

/**
 * frz_smmuv3_ste_hitless - May one STE take the place of another in a single store?
 * @from: the one
 * @to: the other
 *
 * All but quadword 0 must be the same for stage 1, all but quadword 3 for stage 2. An
 * attach of the driver is hitless then.
 *
 * Return: true if so, also if they are the same.
 */
bool frz_smmuv3_ste_hitless(const struct frz_smmuv3_ste *from,
			    const struct frz_smmuv3_ste *to)
{
	u32 stage = frz_smmuv3_ste_stage(from);
	unsigned int i;

	if (!stage || frz_smmuv3_ste_stage(to) != stage)
		return false;
	for (i = 0; i < FRZ_SMMUV3_QWORDS; i++)
		if (from->q[i] != to->q[i] && i != (stage == 1 ? 0 : 3))
			return false;
	return true;
}

static bool is_frozen_s1(const struct frz_smmuv3_ste *ste, u64 cd)
{
	return ste->q[0] == (STE_0_V | CONFIG_S1 << STE_0_CONFIG_SHIFT | cd) &&
	       !(ste->q[1] & ~STE_1_FROZEN_S1) && zero_from(ste->q, 2);
}

static bool is_frozen_s2(const struct frz_smmuv3_ste *ste, u64 top, u32 vmid, u32 levels)
{
	return ste->q[0] == (STE_0_V | CONFIG_S2 << STE_0_CONFIG_SHIFT) &&
	       !(ste->q[1] & ~STE_1_FROZEN_S2) && !(ste->q[2] & ~STE_2_FROZEN_S2) &&
	       (ste->q[2] & STE_2_S2AA64) && frz_smmuv3_ste_vmid(ste) == vmid &&
	       s2_has_levels(ste, levels) && ste->q[3] == top && zero_from(ste->q, 4);
}

/**
 * frz_smmuv3_ste_is_frozen - Is an STE that of this frozen domain?
 * @ste: the entry
 * @stage: that the domain translates by, 1 or 2
 * @pointer: address of its context descriptor (stage 1) or top table (stage 2)
 * @vmid: its VMID, 0 for stage 1
 * @levels: levels of its tables; for stage 1 its context descriptor has them
 *
 * Return: true if so. Its device has no ATS and does not stall.
 */
bool frz_smmuv3_ste_is_frozen(const struct frz_smmuv3_ste *ste, u32 stage,
			      u64 pointer, u32 vmid, u32 levels)
{
	if (stage == 1)
		return !vmid && is_frozen_s1(ste, pointer);
	return stage == 2 && is_frozen_s2(ste, pointer, vmid, levels);
}

/**
 * frz_smmuv3_ste_freeze_s1 - Turn an STE of stage 1 into that of a frozen domain
 * @ste: the live entry
 * @cd_pa: address of the frozen context descriptor
 *
 * There is one, so a transaction with a PASID is refused, as it was without a context
 * descriptor for it; and the default substream (S1DSS) is ignored.
 */
void frz_smmuv3_ste_freeze_s1(struct frz_smmuv3_ste *ste, u64 cd_pa)
{
	ste->q[0] &= ~(STE_0_S1CTXPTR | STE_0_S1FMT | STE_0_S1CDMAX);
	ste->q[0] |= cd_pa;
}

/**
 * frz_smmuv3_ste_freeze_s2 - Turn an STE of stage 2 into that of a frozen domain
 * @ste: the live entry; the VMID and the shape of the tables stay
 * @top: address of the frozen top table
 */
void frz_smmuv3_ste_freeze_s2(struct frz_smmuv3_ste *ste, u64 top)
{
	ste->q[3] = (ste->q[3] & ~STE_3_S2TTB) | top;
}

/**
 * frz_smmuv3_ste_abort - Turn an STE into one that blocks all DMA, without an event
 * @ste: any entry; only quadword 0 changes
 */
void frz_smmuv3_ste_abort(struct frz_smmuv3_ste *ste)
{
	ste->q[0] = STE_0_V | CONFIG_ABORT << STE_0_CONFIG_SHIFT;
}

/**
 * frz_smmuv3_cd_valid - Does hardware take a CD for one?
 * @cd: the descriptor
 *
 * Return: true if so.
 */
bool frz_smmuv3_cd_valid(const struct frz_smmuv3_cd *cd)
{
	return cd->q[0] & CD_0_V;
}

/**
 * frz_smmuv3_cd_asid - The tag of what is cached through a CD
 * @cd: the descriptor
 *
 * Return: the ASID.
 */
u32 frz_smmuv3_cd_asid(const struct frz_smmuv3_cd *cd)
{
	return (cd->q[0] & CD_0_ASID) >> CD_0_ASID_SHIFT;
}

/**
 * frz_smmuv3_cd_top - The top table that a CD points to
 * @cd: the descriptor
 *
 * Return: its physical address.
 */
u64 frz_smmuv3_cd_top(const struct frz_smmuv3_cd *cd)
{
	return cd->q[1] & CD_1_TTB0;
}

/**
 * frz_smmuv3_cd_obstacles - What in a CD keeps its device from being frozen
 * @cd: the descriptor of a live domain
 *
 * Return: bits of enum iommu_freeze_obstacle.
 */
u64 frz_smmuv3_cd_obstacles(const struct frz_smmuv3_cd *cd)
{
	u64 found = 0;

	if (cd->q[0] & CD_0_S)
		found |= BIT_ULL(IOMMU_FREEZE_OBSTACLE_STALL);
	if (cd->q[0] & (CD_0_HA | CD_0_HD))
		found |= BIT_ULL(IOMMU_FREEZE_OBSTACLE_DOMAIN);
	if (cd->q[0] & CD_0_TG0)
		found |= BIT_ULL(IOMMU_FREEZE_OBSTACLE_GRANULE);
	return found;
}

/**
 * frz_smmuv3_cd_freeze - Turn a CD into that of a frozen domain
 * @cd: a copy of the live descriptor; the size of its region and its attributes stay
 * @top: address of the frozen top table
 * @asid: tag of the frozen domain
 *
 * Hardware does not write to tables through it, and does not hold transactions that no
 * software would ever answer for.
 */
void frz_smmuv3_cd_freeze(struct frz_smmuv3_cd *cd, u64 top, u32 asid)
{
	cd->q[0] &= ~(CD_0_ASID | CD_0_HA | CD_0_HD | CD_0_S);
	cd->q[0] |= (u64)asid << CD_0_ASID_SHIFT;
	cd->q[1] = (cd->q[1] & ~(CD_1_TTB0 | CD_1_HAFT)) | top;
}

/**
 * frz_smmuv3_cd_is_frozen - Is a CD that of this frozen domain?
 * @cd: the descriptor
 * @top: address of its top table
 * @asid: its tag
 * @levels: levels of its tables
 *
 * Return: true if so. It has no second region (TTB1).
 */
bool frz_smmuv3_cd_is_frozen(const struct frz_smmuv3_cd *cd, u64 top, u32 asid,
			     u32 levels)
{
	u64 must = CD_0_V | CD_0_AA64 | CD_0_EPD1;

	return (cd->q[0] & must) == must && !(cd->q[0] & ~CD_0_FROZEN) &&
	       frz_smmuv3_cd_asid(cd) == asid && levels_of(cd->q[0]) == levels &&
	       cd->q[1] == top && !cd->q[2] &&
	       (cd->q[3] & CD_3_USED) == CD_3_MAIR && zero_from(cd->q, 4);
}
