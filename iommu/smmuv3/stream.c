// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads and writes stream table entries as hardware may see them, and flushes what
 * was cached through them.
 *
 * Structure: none of its own; entry.c tells in which stores an entry changes.
 *
 * Locking: whoever writes an entry holds arm_smmu_asid_lock, as the driver does, or
 * strtab_cfg.l2.lock where it may not sleep, or is alone: at boot before SMMUEN is of
 * any interest to a driver, and at shutdown. The second one also keeps the table where
 * it is.
 *
 * Fails: a swap, if the entry is not what it was thought to be.
 */
#include <linux/io.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "../blob.h"
#include "../format/format.h"
#include "../memory.h"
#include "smmuv3.h"

/**
 * frz_smmuv3_ste - The stream table entry of a stream
 * @smmu: the SMMU
 * @stream: stream id
 *
 * Return: the entry, NULL if there is no table for it.
 */
struct arm_smmu_ste *frz_smmuv3_ste(struct arm_smmu_device *smmu, u32 stream)
{
	struct arm_smmu_strtab_cfg *cfg = &smmu->strtab_cfg;
	u32 index = arm_smmu_strtab_l1_idx(stream);

	if (!frz_smmuv3_two_level(smmu))
		return stream < cfg->linear.num_ents ?
		       &cfg->linear.table[stream] : NULL;
	if (index >= cfg->l2.num_l1_ents || !cfg->l2.l2ptrs[index])
		return NULL;
	return &cfg->l2.l2ptrs[index]->stes[arm_smmu_strtab_l2_idx(stream)];
}

/**
 * frz_smmuv3_read - Read a stream table entry
 * @ste: the entry
 *
 * Return: what it is.
 */
struct frz_smmuv3_ste frz_smmuv3_read(const struct arm_smmu_ste *ste)
{
	struct frz_smmuv3_ste now;
	unsigned int i;

	for (i = 0; i < FRZ_SMMUV3_QWORDS; i++)
		now.q[i] = le64_to_cpu(READ_ONCE(ste->data[i]));
	return now;
}

/* Where an entry lies changes under strtab_cfg.l2.lock; a linear table stays. */
static void lock_table(struct arm_smmu_device *smmu, unsigned long *flags)
{
	*flags = 0;
	if (frz_smmuv3_two_level(smmu))
		spin_lock_irqsave(&smmu->strtab_cfg.l2.lock, *flags);
}

static void unlock_table(struct arm_smmu_device *smmu, unsigned long flags)
{
	if (frz_smmuv3_two_level(smmu))
		spin_unlock_irqrestore(&smmu->strtab_cfg.l2.lock, flags);
}

/**
 * frz_smmuv3_look - Read the entry of a stream, wherever it lies now
 * @smmu: the SMMU
 * @stream: stream id
 * @now: set to what it is
 *
 * Context: Any.
 * Return: false if there is no table for it.
 */
bool frz_smmuv3_look(struct arm_smmu_device *smmu, u32 stream,
		     struct frz_smmuv3_ste *now)
{
	struct arm_smmu_ste *ste;
	unsigned long flags;

	lock_table(smmu, &flags);
	ste = frz_smmuv3_ste(smmu, stream);
	if (ste)
		*now = frz_smmuv3_read(ste);
	unlock_table(smmu, flags);
	return ste;
}

static struct frz_smmuv3_cd read_cd(u64 pa)
{
	const struct arm_smmu_cd *cd = phys_to_virt(pa);
	struct frz_smmuv3_cd now;
	unsigned int i;

	for (i = 0; i < FRZ_SMMUV3_QWORDS; i++)
		now.q[i] = le64_to_cpu(cd->data[i]);
	return now;
}

/**
 * frz_smmuv3_is_frozen - Is an entry that of this frozen domain?
 * @ste: the entry
 * @mem: tables of the domain
 * @tag: its tag
 *
 * Return: true if so, through its context descriptor too.
 */
bool frz_smmuv3_is_frozen(const struct frz_smmuv3_ste *ste,
			  const struct frz_memory *mem, u32 tag)
{
	struct frz_smmuv3_cd cd;

	if (mem->fmt != &frz_format_lpae_s1)
		return frz_smmuv3_ste_is_frozen(ste, 2, mem->top, tag,
						mem->levels);
	if (!mem->head ||
	    !frz_smmuv3_ste_is_frozen(ste, 1, mem->head, 0, mem->levels))
		return false;
	cd = read_cd(mem->head);
	return frz_smmuv3_cd_is_frozen(&cd, mem->top, tag, mem->levels);
}

/**
 * frz_smmuv3_abort - Let a stream reach nothing
 * @ste: its entry; the caller flushes what was cached through it
 *
 * One store, as of an entry that aborts nothing else is looked at (section 5.2).
 */
void frz_smmuv3_abort(struct arm_smmu_ste *ste)
{
	struct arm_smmu_ste target;

	arm_smmu_make_abort_ste(&target);
	WRITE_ONCE(ste->data[0], target.data[0]);
}

/* An SMMU did not say that it has forgotten something. */
static bool is_deaf;

/**
 * frz_smmuv3_is_deaf - Was there a flush of which nobody knows whether it was done?
 *
 * Context: Any.
 * Return: true if hardware may go on by what memory no longer says.
 */
bool frz_smmuv3_is_deaf(void)
{
	return READ_ONCE(is_deaf);
}

static int issue(struct arm_smmu_device *smmu, struct arm_smmu_cmd *cmds, int n)
{
	int ret;

	/*
	 * Who has not started yet, or never will, takes no commands. What is cached
	 * goes when it starts.
	 */
	if (!(readl_relaxed(smmu->base + ARM_SMMU_CR0) & CR0_CMDQEN))
		return 0;
	ret = arm_smmu_cmdq_issue_cmdlist(smmu, &smmu->cmdq, cmds, n, true);
	if (ret) {
		WRITE_ONCE(is_deaf, true);
		dev_err_ratelimited(smmu->dev, "does not answer: what it has cached is not known\n");
	}
	return ret;
}

/**
 * frz_smmuv3_flush - Have an SMMU forget the configuration of a stream
 * @smmu: the SMMU
 * @stream: stream id
 *
 * Its entry, the context descriptors that this led to, and the level 1 descriptor that
 * led to it, which may have been another one a moment ago (section 4.3.1).
 *
 * Context: Any that may spin.
 * Return: 0 or a negative errno if the SMMU does not answer.
 */
int frz_smmuv3_flush(struct arm_smmu_device *smmu, u32 stream)
{
	struct arm_smmu_cmd cmd = arm_smmu_make_cmd_cfgi_ste(stream, false);

	return issue(smmu, &cmd, 1);
}

/**
 * frz_smmuv3_flush_tag - Have an SMMU forget the translations of a domain
 * @smmu: the SMMU
 * @format: FRZ_FORMAT_... of the domain's tables
 * @tag: its ASID, or VMID
 *
 * Context: Any that may spin.
 * Return: 0 or a negative errno if the SMMU does not answer.
 */
int frz_smmuv3_flush_tag(struct arm_smmu_device *smmu, u32 format, u32 tag)
{
	struct arm_smmu_cmd cmd;

	if (format == FRZ_FORMAT_LPAE_S2)
		cmd = arm_smmu_make_cmd_tlbi(CMDQ_OP_TLBI_S12_VMALL, 0, tag);
	else if (smmu->features & ARM_SMMU_FEAT_E2H)
		cmd = arm_smmu_make_cmd_tlbi(CMDQ_OP_TLBI_EL2_ASID, tag, 0);
	else
		cmd = arm_smmu_make_cmd_tlbi(CMDQ_OP_TLBI_NH_ASID, tag, 0);
	return issue(smmu, &cmd, 1);
}

/**
 * frz_smmuv3_flush_all - Have an SMMU forget everything
 * @smmu: the SMMU
 *
 * Context: Any that may spin.
 * Return: 0 or a negative errno if the SMMU does not answer.
 */
int frz_smmuv3_flush_all(struct arm_smmu_device *smmu)
{
	struct arm_smmu_cmd cmds[3];
	int n = 0;

	cmds[n++] = arm_smmu_make_cmd_cfgi_all();
	if (smmu->features & ARM_SMMU_FEAT_HYP)
		cmds[n++] = arm_smmu_make_cmd_op(CMDQ_OP_TLBI_EL2_ALL);
	cmds[n++] = arm_smmu_make_cmd_op(CMDQ_OP_TLBI_NSNH_ALL);
	return issue(smmu, cmds, n);
}

static bool same(const struct frz_smmuv3_ste *a, const struct frz_smmuv3_ste *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/**
 * frz_smmuv3_swap - Swap the stream table entry of a running device
 * @master: the device, of one stream
 * @from: the entry that must be there
 * @to: the one that takes its place; what it points to is complete
 *
 * The caller flushes what is cached under the tags of both.
 *
 * Context: May sleep. Allocates nothing.
 * Return: 0; -EBUSY if the entry was not @from, which then stays, or if hardware could
 * see a mixture; another negative errno if the entry is @to, and the SMMU does not answer.
 */
int frz_smmuv3_swap(struct arm_smmu_master *master,
		    const struct frz_smmuv3_ste *from,
		    const struct frz_smmuv3_ste *to)
{
	struct frz_smmuv3_store stores[FRZ_SMMUV3_MAX_STORES];
	u32 stream = master->streams[0].id;
	struct frz_smmuv3_ste now;
	struct arm_smmu_ste *ste;
	u8 i;

	guard(mutex)(&arm_smmu_asid_lock);
	ste = frz_smmuv3_ste(master->smmu, stream);
	if (!ste || !frz_smmuv3_ste_valid(from) ||
	    frz_smmuv3_stores(from, to, stores) != 1)
		return -EBUSY;
	now = frz_smmuv3_read(ste);
	if (!same(&now, from))
		return -EBUSY;
	i = stores[0].qword;
	/* What it points to, before it does */
	dma_wmb();
	WRITE_ONCE(ste->data[i], cpu_to_le64(to->q[i]));
	return frz_smmuv3_flush(master->smmu, stream);
}

/**
 * frz_smmuv3_block - Let a stream reach nothing from now on
 * @smmu: the SMMU
 * @stream: stream id
 *
 * Context: Any that may spin.
 */
void frz_smmuv3_block(struct arm_smmu_device *smmu, u32 stream)
{
	struct arm_smmu_ste *ste;
	unsigned long flags;

	lock_table(smmu, &flags);
	ste = frz_smmuv3_ste(smmu, stream);
	if (ste)
		frz_smmuv3_abort(ste);
	unlock_table(smmu, flags);
	frz_smmuv3_flush(smmu, stream);
}
