// SPDX-License-Identifier: GPL-2.0-only
/*
 * SMMUv3 in the old kernel: the stream tables that the next one adopts, and the last
 * word to each SMMU.
 *
 * While SMMUEN is 1 an SMMU takes no other stream table (specification, section
 * 6.3.24, SMMU_STRTAB_BASE). So the one that there is goes along: the only table, or
 * the level 1 table with the level 2 tables of frozen devices. An SMMU without a
 * frozen device hands over nothing and aborts all DMA.
 *
 * Structure: by unit how many preserved devices it has, and by level 2 table how many
 * of them count on it. As long as a table has one, the driver does not move it.
 *
 * Locking: what is kept here changes under outgoing_rwsem, which the core holds, and
 * l2_users under arm_smmu_asid_lock as well, under which the driver moves tables. When
 * the last word is said the rest of the system still runs, and may attach, detach and
 * find devices: that takes arm_smmu_asid_lock or streams_mutex, and under these nobody
 * changes a stream or adds a table after it.
 *
 * Fails: preserving, for lack of memory. The last word cannot.
 */
#include <linux/iopoll.h>
#include <linux/iommu-freeze.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/page-isolation.h>
#include <linux/pci.h>

#include "../backend.h"
#include "../blob.h"
#include "../log.h"
#include "../outgoing.h"
#include "smmuv3.h"

/**
 * frz_smmuv3_preserve_units - struct frz_backend, preserve_units
 *
 * A unit that no device counts on hands over nothing.
 *
 * Return: 0.
 */
int frz_smmuv3_preserve_units(void)
{
	return 0;
}

/**
 * frz_smmuv3_unpreserve_units - struct frz_backend, unpreserve_units
 */
void frz_smmuv3_unpreserve_units(void)
{
}

static int preserve(u64 pa, size_t size)
{
	return kho_preserve_pages(phys_to_page(pa), size >> PAGE_SHIFT);
}

static void unpreserve(u64 pa, size_t size)
{
	kho_unpreserve_pages(phys_to_page(pa), size >> PAGE_SHIFT);
}

/* Where the direct map has it, and not in an area that the next kernel sets aside? */
static bool is_plain(const void *virt, u64 pa)
{
	return virt_addr_valid(virt) && virt_to_phys((void *)virt) == pa &&
	       !is_migrate_cma_page(virt_to_page(virt));
}

static bool is_plain_l2(struct arm_smmu_device *smmu, u32 index)
{
	return is_plain(smmu->strtab_cfg.l2.l2ptrs[index],
			frz_smmuv3_l2(smmu, index));
}

/**
 * frz_smmuv3_can_keep - Can the tables that lead to a device's stream go along?
 * @master: the device
 *
 * Context: May sleep.
 * Return: true if their memory can be preserved.
 */
bool frz_smmuv3_can_keep(struct arm_smmu_master *master)
{
	struct arm_smmu_device *smmu = master->smmu;
	struct arm_smmu_strtab_cfg *cfg = &smmu->strtab_cfg;

	if (!frz_smmuv3_unit(smmu))
		return false;
	if (!frz_smmuv3_two_level(smmu))
		return is_plain(cfg->linear.table, cfg->linear.ste_dma);
	guard(mutex)(&arm_smmu_asid_lock);
	return is_plain(cfg->l2.l1tab, cfg->l2.l1_dma) &&
	       is_plain_l2(smmu, arm_smmu_strtab_l1_idx(master->streams[0].id));
}

/* The stream table, with the first device. */
static int get_unit(struct frz_smmuv3_unit *unit)
{
	int ret;

	if (unit->users++)
		return 0;
	ret = preserve(frz_smmuv3_table(unit->smmu),
		       frz_smmuv3_table_size(unit->smmu));
	if (ret)
		unit->users--;
	return ret;
}

static void put_unit(struct frz_smmuv3_unit *unit)
{
	if (--unit->users)
		return;
	unpreserve(frz_smmuv3_table(unit->smmu),
		   frz_smmuv3_table_size(unit->smmu));
}

static unsigned long l2_users(struct frz_smmuv3_unit *unit, u32 index)
{
	void *users = xa_load(&unit->l2_users, index);

	return users ? xa_to_value(users) : 0;
}

static int set_l2_users(struct frz_smmuv3_unit *unit, u32 index,
			unsigned long users)
{
	return xa_err(xa_store(&unit->l2_users, index,
			       users ? xa_mk_value(users) : NULL, GFP_KERNEL));
}

static int get_l2(struct frz_smmuv3_unit *unit, u32 index)
{
	unsigned long users = l2_users(unit, index);
	int ret;

	/* A record takes no more, besides the level 1 table. */
	if (!users && unit->nr_l2 == FRZ_MAX_TABLES - 1)
		return -E2BIG;
	guard(mutex)(&arm_smmu_asid_lock);
	/* It may be another one than that which was looked at. */
	if (!is_plain_l2(unit->smmu, index))
		return -EAGAIN;
	ret = set_l2_users(unit, index, users + 1);
	if (ret || users)
		return ret;
	ret = preserve(frz_smmuv3_l2(unit->smmu, index), FRZ_SMMUV3_L2_LEN);
	if (ret)
		set_l2_users(unit, index, 0);
	else
		unit->nr_l2++;
	return ret;
}

static void put_l2(struct frz_smmuv3_unit *unit, u32 index)
{
	unsigned long users = l2_users(unit, index) - 1;

	guard(mutex)(&arm_smmu_asid_lock);
	/* There is an entry already: that needs no memory. */
	set_l2_users(unit, index, users);
	if (users)
		return;
	unit->nr_l2--;
	unpreserve(frz_smmuv3_l2(unit->smmu, index), FRZ_SMMUV3_L2_LEN);
}

static struct arm_smmu_master *master_of(struct pci_dev *pdev)
{
	return dev_iommu_priv_get(&pdev->dev);
}

/**
 * frz_smmuv3_preserve_device - struct frz_backend, preserve_device
 * @pdev: the device, of one stream
 *
 * Return: 0 or a negative errno.
 */
int frz_smmuv3_preserve_device(struct pci_dev *pdev)
{
	struct arm_smmu_master *master = master_of(pdev);
	struct frz_smmuv3_unit *unit = frz_smmuv3_unit(master->smmu);
	int ret;

	ret = get_unit(unit);
	if (ret || !frz_smmuv3_two_level(unit->smmu))
		return ret;
	ret = get_l2(unit, arm_smmu_strtab_l1_idx(master->streams[0].id));
	if (ret)
		put_unit(unit);
	return ret;
}

/**
 * frz_smmuv3_unpreserve_device - struct frz_backend, unpreserve_device
 * @pdev: the device
 */
void frz_smmuv3_unpreserve_device(struct pci_dev *pdev)
{
	struct arm_smmu_master *master = master_of(pdev);
	struct frz_smmuv3_unit *unit = frz_smmuv3_unit(master->smmu);

	if (frz_smmuv3_two_level(unit->smmu))
		put_l2(unit, arm_smmu_strtab_l1_idx(master->streams[0].id));
	put_unit(unit);
}

static void add_table(struct frz_abi_unit *rec, struct frz_abi_table *tables,
		      u32 index, u64 address, u64 len)
{
	tables[rec->nr_tables++] = (struct frz_abi_table){
		.index = index, .address = address, .len = len,
	};
}

static void write_ids(struct arm_smmu_device *smmu, u64 *ids)
{
	void __iomem *base = smmu->base;

	ids[FRZ_SMMUV3_ID_IDR0] = readl_relaxed(base + ARM_SMMU_IDR0);
	ids[FRZ_SMMUV3_ID_IDR1] = readl_relaxed(base + ARM_SMMU_IDR1);
	ids[FRZ_SMMUV3_ID_IDR3] = readl_relaxed(base + ARM_SMMU_IDR3);
	ids[FRZ_SMMUV3_ID_IDR5] = readl_relaxed(base + ARM_SMMU_IDR5);
	ids[FRZ_SMMUV3_ID_CR1] = readl_relaxed(base + ARM_SMMU_CR1);
	ids[FRZ_SMMUV3_ID_CR2] = readl_relaxed(base + ARM_SMMU_CR2);
	ids[FRZ_SMMUV3_ID_STRTAB_BASE_CFG] =
		readl_relaxed(base + ARM_SMMU_STRTAB_BASE_CFG);
	ids[FRZ_SMMUV3_ID_IIDR] = readl_relaxed(base + ARM_SMMU_IIDR);
}

static void write_unit(struct frz_blob_writer *w, struct frz_smmuv3_unit *unit)
{
	static struct frz_abi_table tables[FRZ_MAX_TABLES];
	struct frz_abi_unit rec = {
		.kind = FRZ_UNIT_SMMUV3,
		.reg_base = unit->reg_base,
	};
	unsigned long index;
	void *users;

	write_ids(unit->smmu, rec.ids);
	xa_for_each(&unit->l2_users, index, users)
		add_table(&rec, tables, index,
			  frz_smmuv3_l2(unit->smmu, index), FRZ_SMMUV3_L2_LEN);
	add_table(&rec, tables, FRZ_SMMUV3_TABLE_STRTAB,
		  frz_smmuv3_table(unit->smmu),
		  frz_smmuv3_table_size(unit->smmu));
	frz_blob_add_unit(w, &rec, tables);
}

/**
 * frz_smmuv3_write_units - struct frz_backend, write_units
 * @w: the writer
 *
 * Context: Under outgoing_rwsem, which also guards the scratch array.
 */
void frz_smmuv3_write_units(struct frz_blob_writer *w)
{
	struct frz_smmuv3_unit *unit = NULL;

	while ((unit = frz_smmuv3_next_unit(unit)))
		if (unit->users)
			write_unit(w, unit);
}

/* Section 6.3.16, SMMU_GBPA: while SMMUEN is 0 all DMA aborts, or bypasses. */
static void abort_when_off(struct arm_smmu_device *smmu)
{
	void __iomem *gbpa = smmu->base + ARM_SMMU_GBPA;
	u32 value;

	if (readl_relaxed_poll_timeout_atomic(gbpa, value,
					      !(value & GBPA_UPDATE), 1,
					      ARM_SMMU_POLL_TIMEOUT_US))
		goto err;
	writel_relaxed(value | GBPA_ABORT | GBPA_UPDATE, gbpa);
	if (!readl_relaxed_poll_timeout_atomic(gbpa, value,
					       !(value & GBPA_UPDATE), 1,
					       ARM_SMMU_POLL_TIMEOUT_US))
		return;
err:
	pr_err("%s: does not answer: its devices may reach all memory\n",
	       dev_name(smmu->dev));
}

/*
 * Whoever attached the device anew behind the freeze left an entry for tables that
 * are not kept.
 */
static bool is_frozen_entry(const struct arm_smmu_ste *ste,
			    const struct frz_descriptor *frozen)
{
	struct frz_smmuv3_ste now = frz_smmuv3_read(ste);

	return !memcmp(now.q, frozen->q, sizeof(now.q));
}

/* Is there a frozen device among these streams? All others abort. */
static bool abort_others(struct arm_smmu_device *smmu, struct arm_smmu_ste *stes,
			 u32 first, u32 nr)
{
	const struct frz_descriptor *frozen;
	bool keep = false;
	u32 i;

	for (i = 0; i < nr; i++) {
		frozen = frz_outgoing_frozen_at(&smmu->iommu, first + i);
		if (frozen)
			keep = true;
		if (!frozen || !is_frozen_entry(&stes[i], frozen))
			frz_smmuv3_abort(&stes[i]);
	}
	return keep;
}

static bool abort_two_level(struct arm_smmu_device *smmu)
{
	struct arm_smmu_strtab_cfg *cfg = &smmu->strtab_cfg;
	bool keep = false;
	u32 i;

	for (i = 0; i < cfg->l2.num_l1_ents; i++) {
		if (!cfg->l2.l2ptrs[i])
			continue;
		if (abort_others(smmu, cfg->l2.l2ptrs[i]->stes,
				 i * STRTAB_NUM_L2_STES, STRTAB_NUM_L2_STES))
			keep = true;
		else
			WRITE_ONCE(cfg->l2.l1tab[i].l2ptr, 0);
	}
	return keep;
}

/*
 * Nobody but frozen devices gets through, and the SMMU writes to no memory any more:
 * not to its event queues, and it sends no interrupt. The commands are the last ones.
 */
static void leave_on(struct arm_smmu_device *smmu)
{
	u32 on = readl_relaxed(smmu->base + ARM_SMMU_CR0) &
		 (CR0_SMMUEN | CR0_ATSCHK);

	if (!frz_smmuv3_flush_all(smmu) &&
	    !frz_smmuv3_write_sync(smmu, 0, ARM_SMMU_IRQ_CTRL,
				   ARM_SMMU_IRQ_CTRLACK) &&
	    !frz_smmuv3_write_sync(smmu, on, ARM_SMMU_CR0, ARM_SMMU_CR0ACK))
		return;
	/* What it has cached, and its queues, are memory of the next kernel. */
	writel_relaxed(0, smmu->base + ARM_SMMU_CR0);
	pr_err("%s: does not answer: turned off, DMA of its frozen devices is lost\n",
	       dev_name(smmu->dev));
}

/**
 * iommu_freeze_smmuv3_holds - Must a level 2 table stay where it is?
 * @smmu: the SMMU
 * @index: of its level 1 descriptor
 *
 * Context: Under arm_smmu_asid_lock.
 * Return: true if a preserved device counts on it.
 */
bool iommu_freeze_smmuv3_holds(struct arm_smmu_device *smmu, u32 index)
{
	struct frz_smmuv3_unit *unit = frz_smmuv3_unit(smmu);

	return unit && l2_users(unit, index);
}

/**
 * iommu_freeze_smmuv3_is_over - Was the last word to an SMMU said?
 * @smmu: the SMMU
 *
 * Context: Under arm_smmu_asid_lock or the SMMU's streams_mutex.
 * Return: true if its streams must stay as they are.
 */
bool iommu_freeze_smmuv3_is_over(struct arm_smmu_device *smmu)
{
	struct frz_smmuv3_unit *unit;

	if (!kexec_in_progress)
		return false;
	unit = frz_smmuv3_unit(smmu);
	return unit && unit->is_over;
}

/**
 * iommu_freeze_smmuv3_shutdown - Last word of the old kernel to an SMMU
 * @smmu: the SMMU
 *
 * In a kexec with frozen devices an SMMU that has one goes on to translate, for frozen
 * devices alone. Any other one aborts all DMA.
 *
 * Context: Its driver's shutdown; devices behind it were shut down.
 * Return: true if that was done, false if the caller should turn it off.
 */
bool iommu_freeze_smmuv3_shutdown(struct arm_smmu_device *smmu)
{
	struct frz_smmuv3_unit *unit = frz_smmuv3_unit(smmu);
	struct arm_smmu_strtab_cfg *cfg = &smmu->strtab_cfg;
	bool keep;

	if (!kexec_in_progress || !frz_outgoing_any_frozen())
		return false;

	guard(mutex)(&smmu->streams_mutex);
	guard(mutex)(&arm_smmu_asid_lock);
	if (unit)
		unit->is_over = true;
	keep = frz_smmuv3_two_level(smmu) ? abort_two_level(smmu) :
	       abort_others(smmu, cfg->linear.table, 0, cfg->linear.num_ents);
	/* Also for the time after the next kernel, or in one that does not adopt it */
	abort_when_off(smmu);
	if (!keep)
		return false;
	leave_on(smmu);
	return true;
}
