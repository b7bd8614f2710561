// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SMMUs that there are, and where their stream tables lie.
 *
 * Structure: a list of units, one for each SMMU that its driver has started. A unit
 * goes with the resources of its device, should the start fail later.
 *
 * Locking: units_lock guards the list while drivers probe. A unit on it stays: nobody
 * can unbind an SMMU.
 *
 * Fails: adding a unit, for lack of memory.
 */
#include <linux/iopoll.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>

#include "smmuv3.h"

static DEFINE_MUTEX(units_lock);
static LIST_HEAD(units);

static void forget_unit(void *data)
{
	struct frz_smmuv3_unit *unit = data;

	guard(mutex)(&units_lock);
	list_del(&unit->node);
	xa_destroy(&unit->l2_users);
	ida_destroy(&unit->vmids);
}

/**
 * frz_smmuv3_add_unit - An SMMU is being started
 * @smmu: the SMMU; its structures are there, and its registers untouched
 *
 * Context: Its driver's probe.
 * Return: the unit, NULL if there is no memory.
 */
struct frz_smmuv3_unit *frz_smmuv3_add_unit(struct arm_smmu_device *smmu)
{
	struct frz_smmuv3_unit *unit;
	struct resource *regs;

	unit = devm_kzalloc(smmu->dev, sizeof(*unit), GFP_KERNEL);
	if (!unit)
		return NULL;
	regs = platform_get_resource(to_platform_device(smmu->dev),
				     IORESOURCE_MEM, 0);
	unit->smmu = smmu;
	unit->reg_base = regs->start;
	xa_init(&unit->l2_users);
	ida_init(&unit->vmids);
	scoped_guard(mutex, &units_lock)
		list_add_tail(&unit->node, &units);
	if (devm_add_action_or_reset(smmu->dev, forget_unit, unit))
		return NULL;
	return unit;
}

/**
 * frz_smmuv3_next_unit - The units, one after the other
 * @unit: the one before, NULL for the first
 *
 * Return: the next one, NULL after the last.
 */
struct frz_smmuv3_unit *frz_smmuv3_next_unit(struct frz_smmuv3_unit *unit)
{
	guard(mutex)(&units_lock);
	unit = unit ? list_next_entry(unit, node) :
		      list_first_entry(&units, typeof(*unit), node);
	return list_entry_is_head(unit, &units, node) ? NULL : unit;
}

/**
 * frz_smmuv3_unit - Find the unit of an SMMU
 * @smmu: the SMMU
 *
 * Return: the unit, NULL if there was no memory for it.
 */
struct frz_smmuv3_unit *frz_smmuv3_unit(const struct arm_smmu_device *smmu)
{
	struct frz_smmuv3_unit *unit = NULL;

	while ((unit = frz_smmuv3_next_unit(unit)))
		if (unit->smmu == smmu)
			break;
	return unit;
}

/**
 * frz_smmuv3_unit_at - Find a unit by its registers
 * @reg_base: their physical address
 *
 * Return: the unit, NULL if none was started there.
 */
struct frz_smmuv3_unit *frz_smmuv3_unit_at(u64 reg_base)
{
	struct frz_smmuv3_unit *unit = NULL;

	while ((unit = frz_smmuv3_next_unit(unit)))
		if (unit->reg_base == reg_base)
			break;
	return unit;
}

/**
 * frz_smmuv3_table - Address of the stream table
 * @smmu: the SMMU
 *
 * Return: where its level 1 table lies, or the only one.
 */
u64 frz_smmuv3_table(const struct arm_smmu_device *smmu)
{
	const struct arm_smmu_strtab_cfg *cfg = &smmu->strtab_cfg;

	return frz_smmuv3_two_level(smmu) ? cfg->l2.l1_dma : cfg->linear.ste_dma;
}

/**
 * frz_smmuv3_table_size - Size of that table
 * @smmu: the SMMU
 *
 * Return: its bytes, as whole pages.
 */
size_t frz_smmuv3_table_size(const struct arm_smmu_device *smmu)
{
	const struct arm_smmu_strtab_cfg *cfg = &smmu->strtab_cfg;

	if (frz_smmuv3_two_level(smmu))
		return PAGE_ALIGN(cfg->l2.num_l1_ents *
				  sizeof(*cfg->l2.l1tab));
	return PAGE_ALIGN((size_t)cfg->linear.num_ents *
			  sizeof(*cfg->linear.table));
}

/**
 * frz_smmuv3_l2 - Address of a level 2 table
 * @smmu: the SMMU, with two levels
 * @index: of its level 1 descriptor
 *
 * SMMUv3 specification, section 5.1, Level 1 Stream Table Descriptor.
 *
 * Return: its address, 0 if there is none.
 */
u64 frz_smmuv3_l2(const struct arm_smmu_device *smmu, u32 index)
{
	u64 l1 = le64_to_cpu(READ_ONCE(smmu->strtab_cfg.l2.l1tab[index].l2ptr));

	return l1 & STRTAB_L1_DESC_SPAN ? l1 & STRTAB_L1_DESC_L2PTR_MASK : 0;
}

/**
 * frz_smmuv3_write_sync - Write a register that acknowledges
 * @smmu: the SMMU
 * @value: what is written
 * @reg: offset of the register
 * @ack: offset of the one that tells when it is so
 *
 * Context: Any; spins, for a second if the SMMU does not answer.
 * Return: 0 or -ETIMEDOUT.
 */
int frz_smmuv3_write_sync(struct arm_smmu_device *smmu, u32 value, u32 reg,
			  u32 ack)
{
	u32 now;

	writel_relaxed(value, smmu->base + reg);
	return readl_relaxed_poll_timeout_atomic(smmu->base + ack, now,
						 now == value, 1,
						 ARM_SMMU_POLL_TIMEOUT_US);
}
