// SPDX-License-Identifier: GPL-2.0-only
/*
 * SMMUv3 in the new kernel: adopts the SMMUs that the old one left on.
 *
 * Structure: the units of unit.c; import.c has the rest of what was handed over.
 *
 * Locking: an SMMU is started by its driver's probe, and nobody else uses it or its
 * tables by then. Drivers may probe several at once, and import.c is for one.
 *
 * Fails: anything that comes from the other kernel. An SMMU that does not check out is
 * reset by its driver, as any other: it aborts all DMA until it translates by empty
 * tables. An entry that does not check out is made to abort.
 */
#include <linux/iommu-freeze.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>

#include "../blob.h"
#include "../import.h"
#include "../log.h"
#include "../memory.h"
#include "smmuv3.h"

static u64 table_at(const struct frz_abi_unit *rec, u32 index)
{
	const struct frz_abi_table *table = frz_unit_table(rec, index);

	return table ? table->address : 0;
}

/* Whole, as one block: that is how tables of these sizes were preserved. */
static bool is_preserved(u64 pa, u64 len)
{
	return kho_preserved_order(pa) == get_order(len);
}

static u64 base_now(struct arm_smmu_device *smmu)
{
	return readq_relaxed(smmu->base + ARM_SMMU_STRTAB_BASE) &
	       STRTAB_BASE_ADDR_MASK;
}

/* Registers that may not be written any more, and what this kernel would write. */
static u32 strtab_cfg(const struct arm_smmu_device *smmu)
{
	if (!frz_smmuv3_two_level(smmu))
		return FIELD_PREP(STRTAB_BASE_CFG_FMT,
				  STRTAB_BASE_CFG_FMT_LINEAR) |
		       FIELD_PREP(STRTAB_BASE_CFG_LOG2SIZE, smmu->sid_bits);
	return FIELD_PREP(STRTAB_BASE_CFG_FMT, STRTAB_BASE_CFG_FMT_2LVL) |
	       FIELD_PREP(STRTAB_BASE_CFG_SPLIT, STRTAB_SPLIT) |
	       FIELD_PREP(STRTAB_BASE_CFG_LOG2SIZE, STRTAB_SPLIT +
			  ilog2(smmu->strtab_cfg.l2.num_l1_ents));
}

static const char *check_registers(struct arm_smmu_device *smmu,
				   const struct frz_abi_unit *rec)
{
	static const struct {
		u32 id;
		u32 reg;
	} ids[] = {
		{ FRZ_SMMUV3_ID_IDR0, ARM_SMMU_IDR0 },
		{ FRZ_SMMUV3_ID_IDR1, ARM_SMMU_IDR1 },
		{ FRZ_SMMUV3_ID_IDR3, ARM_SMMU_IDR3 },
		{ FRZ_SMMUV3_ID_IDR5, ARM_SMMU_IDR5 },
		{ FRZ_SMMUV3_ID_IIDR, ARM_SMMU_IIDR },
		{ FRZ_SMMUV3_ID_CR1, ARM_SMMU_CR1 },
		{ FRZ_SMMUV3_ID_CR2, ARM_SMMU_CR2 },
		{ FRZ_SMMUV3_ID_STRTAB_BASE_CFG, ARM_SMMU_STRTAB_BASE_CFG },
	};
	u32 cr2 = readl_relaxed(smmu->base + ARM_SMMU_CR2);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(ids); i++)
		if (rec->ids[ids[i].id] != readl_relaxed(smmu->base + ids[i].reg))
			return "the registers of its SMMU changed";
	if (rec->ids[FRZ_SMMUV3_ID_STRTAB_BASE_CFG] != strtab_cfg(smmu))
		return "this kernel has its stream table in another format";
	if (!(cr2 & CR2_E2H) != !(smmu->features & ARM_SMMU_FEAT_E2H))
		return "this kernel runs at another exception level";
	return NULL;
}

/* A unit that translates, from the table that it should; else why not. */
static const char *check_unit(struct arm_smmu_device *smmu,
			      const struct frz_smmuv3_unit *unit,
			      const struct frz_abi_unit *rec)
{
	u32 gerror = readl_relaxed(smmu->base + ARM_SMMU_GERROR) ^
		     readl_relaxed(smmu->base + ARM_SMMU_GERRORN);
	u32 cr0 = readl_relaxed(smmu->base + ARM_SMMU_CR0);
	u64 table = table_at(rec, FRZ_SMMUV3_TABLE_STRTAB);
	const char *why = check_registers(smmu, rec);

	if (!(cr0 & CR0_SMMUEN))
		return "its SMMU was not on";
	if (cr0 & ~(CR0_SMMUEN | CR0_ATSCHK))
		return "the queues of its SMMU were on";
	/* Cached with each entry (section 6.3.9.2): it is not to change now. */
	if (!(cr0 & CR0_ATSCHK) != !(smmu->features & ARM_SMMU_FEAT_ATS))
		return "this kernel would check ATS otherwise";
	if (!(readl_relaxed(smmu->base + ARM_SMMU_GBPA) & GBPA_ABORT))
		return "its SMMU would let DMA pass if it were turned off";
	if (gerror & GERROR_SFM_ERR)
		return "its SMMU is in service failure mode";
	if (!(smmu->features & ARM_SMMU_FEAT_COHERENCY) || smmu->impl_ops)
		return "its SMMU is of another kind now";
	if (unit->met_table != table)
		return "its stream table is not where it was";
	if (why)
		return why;
	return is_preserved(table, frz_smmuv3_table_size(smmu)) ? NULL :
	       "its stream table is not preserved memory";
}

/*
 * Each entry must be what a device of the blob runs on, or abort. One that is bad costs
 * its own device and no other.
 */
static void check_stes(const struct frz_import_unit *unit, u32 first, u32 nr,
		       struct arm_smmu_ste *stes)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		struct frz_smmuv3_ste ste = frz_smmuv3_read(&stes[i]);
		const struct frz_memory *mem;
		u32 tag;

		mem = frz_import_expected(unit, first + i, &tag);
		if (mem && frz_smmuv3_is_frozen(&ste, mem, tag))
			continue;
		frz_smmuv3_abort(&stes[i]);
		if (mem)
			frz_import_refuse(unit, first + i,
					  "its stream table entry is not that of its frozen domain");
	}
}

/* What no device of the blob needs must be empty. */
static const char *check_two_level(struct arm_smmu_device *smmu,
				   const struct frz_import_unit *unit)
{
	const struct frz_abi_table *table = frz_unit_tables(unit->rec);
	struct arm_smmu_strtab_l1 *l1 =
		phys_to_virt(table_at(unit->rec, FRZ_SMMUV3_TABLE_STRTAB));
	u32 i;

	for (i = 0; i < unit->rec->nr_tables; i++, table++) {
		if (table->index == FRZ_SMMUV3_TABLE_STRTAB)
			continue;
		if (!is_preserved(table->address, FRZ_SMMUV3_L2_LEN))
			return "a level 2 stream table is not preserved memory";
		if (le64_to_cpu(l1[table->index].l2ptr) !=
		    (table->address | (STRTAB_SPLIT + 1)))
			return "its level 1 descriptor is not that of its level 2 table";
		check_stes(unit, table->index * STRTAB_NUM_L2_STES,
			   STRTAB_NUM_L2_STES, phys_to_virt(table->address));
	}
	for (i = 0; i < smmu->strtab_cfg.l2.num_l1_ents; i++)
		if (l1[i].l2ptr && !table_at(unit->rec, i))
			WRITE_ONCE(l1[i].l2ptr, 0);
	return NULL;
}

static void *take_table(u64 pa, u64 len)
{
	kho_restore_pages(pa, len >> PAGE_SHIFT);
	return phys_to_virt(pa);
}

/* The tables become those of the driver, in place of the empty ones that it has made. */
static void take_tables(struct arm_smmu_device *smmu,
			const struct frz_abi_unit *rec)
{
	const struct frz_abi_table *table = frz_unit_tables(rec);
	struct arm_smmu_strtab_cfg *cfg = &smmu->strtab_cfg;
	u32 i;

	for (i = 0; i < rec->nr_tables; i++, table++) {
		void *virt = take_table(table->address, table->len);

		if (table->index != FRZ_SMMUV3_TABLE_STRTAB) {
			cfg->l2.l2ptrs[table->index] = virt;
		} else if (frz_smmuv3_two_level(smmu)) {
			cfg->l2.l1tab = virt;
			cfg->l2.l1_dma = table->address;
		} else {
			cfg->linear.table = virt;
			cfg->linear.ste_dma = table->address;
		}
	}
}

/* NULL and the unit goes on with the tables of the previous kernel, or why not. */
static const char *adopt_unit(struct frz_smmuv3_unit *unit)
{
	const struct frz_import_unit *import = &unit->import;
	struct arm_smmu_device *smmu = unit->smmu;
	const char *why = check_unit(smmu, unit, import->rec);

	if (why)
		return why;
	if (frz_smmuv3_two_level(smmu)) {
		why = check_two_level(smmu, import);
		if (why)
			return why;
	} else {
		check_stes(import, 0, smmu->strtab_cfg.linear.num_ents,
			   phys_to_virt(table_at(import->rec,
						 FRZ_SMMUV3_TABLE_STRTAB)));
	}
	take_tables(smmu, import->rec);
	unit->keep = readl_relaxed(smmu->base + ARM_SMMU_CR0);
	/* What is latched there would halt the new queue (section 7.5). */
	writel_relaxed(readl_relaxed(smmu->base + ARM_SMMU_GERROR),
		       smmu->base + ARM_SMMU_GERRORN);
	return NULL;
}

/* Its driver gave up after all, and turned it off: it aborts all DMA. */
static void lose_unit(void *data)
{
	struct frz_smmuv3_unit *unit = data;

	if (unit->keep)
		frz_import_unit_done(&unit->import, &unit->smmu->iommu,
				     "its IOMMU did not start");
}

/**
 * iommu_freeze_smmuv3_adopt - Take over an SMMU that the previous kernel left on
 * @smmu: the SMMU; its structures are there, its registers were not written to
 *
 * An SMMU of a good handover goes on with its stream table: iommu_freeze_smmuv3_keep()
 * says so when it is reset.
 *
 * Context: Its driver's probe.
 */
void iommu_freeze_smmuv3_adopt(struct arm_smmu_device *smmu)
{
	static DEFINE_MUTEX(one_at_a_time);
	struct frz_smmuv3_unit *unit = frz_smmuv3_add_unit(smmu);
	enum frz_unit_state state = FRZ_UNIT_BAD;
	const char *why;

	guard(mutex)(&one_at_a_time);
	if (unit) {
		unit->met_table = base_now(smmu);
		state = frz_import_unit(FRZ_UNIT_SMMUV3, unit->reg_base,
					&unit->import);
	}
	switch (state) {
	case FRZ_UNIT_NONE:
		return;
	case FRZ_UNIT_BAD:
		break;
	case FRZ_UNIT_GOOD:
		why = devm_add_action(smmu->dev, lose_unit, unit) ?
		      "no memory for its IOMMU" : adopt_unit(unit);
		frz_import_unit_done(&unit->import, &smmu->iommu, why);
		if (why)
			break;
		pr_info("%s: translation stays on\n", dev_name(smmu->dev));
		return;
	}
	pr_warn("%s: all DMA blocked until drivers take their devices\n",
		dev_name(smmu->dev));
}

/**
 * iommu_freeze_smmuv3_keep - Which bits of CR0 stay on when an SMMU is reset?
 * @smmu: the SMMU
 *
 * As long as SMMUEN is on, its stream table and memory attributes may not be written
 * (specification, section 6.3.9, SMMU_CR0).
 *
 * Context: Its driver's probe.
 * Return: 0 if it is to be reset as usual.
 */
u32 iommu_freeze_smmuv3_keep(struct arm_smmu_device *smmu)
{
	struct frz_smmuv3_unit *unit = frz_smmuv3_unit(smmu);

	return unit ? unit->keep : 0;
}

/**
 * frz_smmuv3_was_left - struct frz_backend, was_left
 * @rec: record of the unit
 *
 * Return: true if a driver has met it, and hardware is off or has another table.
 */
bool frz_smmuv3_was_left(const struct frz_abi_unit *rec)
{
	struct frz_smmuv3_unit *met = frz_smmuv3_unit_at(rec->reg_base);
	u32 cr0;

	if (!met)
		return false;
	cr0 = readl_relaxed(met->smmu->base + ARM_SMMU_CR0ACK);
	return !(cr0 & CR0_SMMUEN) ||
	       base_now(met->smmu) != table_at(rec, FRZ_SMMUV3_TABLE_STRTAB);
}

static void release_table(u64 pa, u64 len)
{
	if (is_preserved(pa, len))
		free_pages_exact(take_table(pa, len), len);
}

/**
 * frz_smmuv3_release_unit - struct frz_backend, release_unit
 * @unit: the unit
 *
 * A record that is wrong names memory of others: what hardware did not start from
 * stays as it is. So does all of a unit that no driver has met.
 *
 * Context: Boot, after the unit was given other tables or was turned off.
 */
void frz_smmuv3_release_unit(const struct frz_import_unit *unit)
{
	const struct frz_abi_table *table = frz_unit_tables(unit->rec);
	u64 pa = table_at(unit->rec, FRZ_SMMUV3_TABLE_STRTAB);
	const struct arm_smmu_strtab_l1 *l1 = phys_to_virt(pa);
	struct frz_smmuv3_unit *met;
	u32 i;

	met = frz_smmuv3_unit_at(unit->rec->reg_base);
	if (!met || met->keep || met->met_table != pa ||
	    !frz_smmuv3_was_left(unit->rec) ||
	    !is_preserved(pa, frz_smmuv3_table_size(met->smmu)))
		return;
	for (i = 0; i < unit->rec->nr_tables; i++)
		if (table[i].index != FRZ_SMMUV3_TABLE_STRTAB &&
		    frz_smmuv3_two_level(met->smmu) &&
		    table[i].index < met->smmu->strtab_cfg.l2.num_l1_ents &&
		    le64_to_cpu(l1[table[i].index].l2ptr) ==
		    (table[i].address | (STRTAB_SPLIT + 1)))
			release_table(table[i].address, table[i].len);
	release_table(pa, frz_unit_table(unit->rec, FRZ_SMMUV3_TABLE_STRTAB)->len);
}
