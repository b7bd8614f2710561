// SPDX-License-Identifier: GPL-2.0-only
/*
 * SMMUv3: what a frozen domain means to the hardware.
 *
 * Structure: a device is translated by one stream table entry (STE) of 64 bytes, which
 * hardware reads in pieces of 64 bits (specification, section 3.21.3). Stage 1 is
 * swapped by quadword 0 of the STE: it points to a context descriptor (CD) in the
 * frozen memory, with an ASID of its own. Stage 2 is swapped by quadword 3, the address
 * of the tables: the VMID is in another quadword and stays, so both domains have the
 * same one meanwhile. They translate alike, only the size of leaves may differ, and
 * hardware has to say that it takes that (BBML level 2, section 3.21.1.3).
 *
 * In the next kernel the driver's own attach replaces the frozen domain, for either
 * stage in one store.
 *
 * Locking: STEs are written under arm_smmu_asid_lock, which guards ASIDs as well.
 *
 * Fails: nothing that has begun to change an STE.
 */
#include <linux/acpi_iort.h>
#include <linux/idr.h>
#include <linux/io-pgtable.h>
#include <linux/iommu.h>
#include <linux/iommu-freeze.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/pci-ats.h>
#include <linux/sizes.h>
#include <linux/xarray.h>

#include "../backend.h"
#include "../backends.h"
#include "../blob.h"
#include "../findings.h"
#include "../kind.h"
#include "../log.h"
#include "../memory.h"
#include "../walk.h"
#include "smmuv3.h"

static_assert(sizeof(struct frz_smmuv3_ste) == sizeof(struct arm_smmu_ste));
static_assert(sizeof(struct frz_smmuv3_ste) == sizeof(struct frz_descriptor));
static_assert(sizeof(struct arm_smmu_strtab_l2) == FRZ_SMMUV3_L2_LEN);

static struct frz_smmuv3_ste *ste_of(struct frz_descriptor *d)
{
	return (struct frz_smmuv3_ste *)d->q;
}

static const struct frz_smmuv3_ste *const_ste_of(const struct frz_descriptor *d)
{
	return (const struct frz_smmuv3_ste *)d->q;
}

static struct arm_smmu_master *master_of(struct pci_dev *pdev)
{
	return dev_iommu_priv_get(&pdev->dev);
}

static const struct io_pgtable_cfg *pgtable_cfg(struct iommu_domain *live)
{
	return &io_pgtable_ops_to_pgtable(to_smmu_domain(live)->pgtbl_ops)->cfg;
}

static bool is_s1(struct iommu_domain *live)
{
	return to_smmu_domain(live)->stage == ARM_SMMU_DOMAIN_S1;
}

/* Is ATS on, or would the driver turn it on with the next attach? */
static bool uses_ats(struct arm_smmu_master *master)
{
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(master->dev);

	return master->ats_enabled || master->ats_always_on ||
	       (master->smmu->features & ARM_SMMU_FEAT_ATS &&
		fwspec->flags & IOMMU_FWSPEC_PCI_RC_ATS &&
		pci_ats_supported(to_pci_dev(master->dev)));
}

/*
 * Streams that firmware uses, of whatever device (IORT, RMR): a kexec with frozen devices
 * cuts them off, behind each SMMU.
 */
static bool has_rmrs(void)
{
	struct frz_smmuv3_unit *unit = NULL;
	struct fwnode_handle *fwnode;
	bool any = false;
	LIST_HEAD(rmrs);

	while (!any && (unit = frz_smmuv3_next_unit(unit))) {
		fwnode = dev_fwnode(unit->smmu->dev);
		iort_get_rmr_sids(fwnode, &rmrs);
		any = !list_empty(&rmrs);
		iort_put_rmr_sids(fwnode, &rmrs);
	}
	return any;
}

/*
 * Below a bridge of ACPI or a generic one firmware has set up the links. What else has a
 * driver starts them anew when that probes, and devices with them.
 */
static bool keeps_links(struct pci_dev *pdev)
{
	struct device *host = pci_find_host_bridge(pdev->bus)->dev.parent;

	return !host || (host->driver &&
			 !strcmp(host->driver->name, "pci-host-generic"));
}

static void check(struct pci_dev *pdev, struct frz_findings *f)
{
	struct arm_smmu_master *master = master_of(pdev);
	struct arm_smmu_device *smmu = master->smmu;
	/* It leaves its frozen domain whether or not it could be preserved again. */
	bool leaves = iommu_freeze_pci_running(pdev);

	frz_found(f, IOMMU_FREEZE_OBSTACLE_COHERENCY,
		  !(smmu->features & ARM_SMMU_FEAT_COHERENCY));
	frz_found(f, IOMMU_FREEZE_OBSTACLE_EXTENSION, smmu->impl_ops);
	frz_found(f, IOMMU_FREEZE_OBSTACLE_STALL,
		  master->stall_enabled ||
		  smmu->features & ARM_SMMU_FEAT_STALL_FORCE);
	frz_found(f, IOMMU_FREEZE_OBSTACLE_HOST_BRIDGE,
		  !leaves && !keeps_links(pdev));
	frz_found(f, IOMMU_FREEZE_OBSTACLE_ATS, uses_ats(master));
	frz_found(f, IOMMU_FREEZE_OBSTACLE_PRI,
		  arm_smmu_ssids_in_use(&master->cd_table));
	frz_found(f, IOMMU_FREEZE_OBSTACLE_RMRR, !leaves && has_rmrs());
	if (frz_found(f, IOMMU_FREEZE_OBSTACLE_ALIAS, master->num_streams != 1))
		return;
	frz_found(f, IOMMU_FREEZE_OBSTACLE_STREAM_TABLE,
		  !leaves && !frz_smmuv3_can_keep(master));
}

/*
 * Swapped here under one VMID, and by the next kernel as the exchange of a level 2 table
 * (specification, section 6.3.4, SMMU_IDR3.BBML).
 */
static bool swaps_s2(struct arm_smmu_device *smmu)
{
	return smmu->features & ARM_SMMU_FEAT_BBML2 && frz_smmuv3_two_level(smmu);
}

/* Levels of 9 bits each above a page's 12, for an address of 64 - size bits. */
static unsigned int levels_of(u32 size)
{
	return DIV_ROUND_UP(64 - size - 12, 9);
}

/* Does a walk begin lower, in several tables side by side? SL0: section 5.2, S2SL0. */
static bool is_concatenated(const struct io_pgtable_cfg *cfg)
{
	return levels_of(cfg->arm_lpae_s2_cfg.vtcr.tsz) !=
	       cfg->arm_lpae_s2_cfg.vtcr.sl + 2;
}

static void check_domain(struct iommu_domain *live, struct frz_findings *f)
{
	struct arm_smmu_domain *domain = to_smmu_domain(live);
	const struct io_pgtable_cfg *cfg;

	if (frz_found(f, IOMMU_FREEZE_OBSTACLE_DOMAIN,
		      !(live->type & __IOMMU_DOMAIN_PAGING) ||
		      domain->nest_parent || !domain->pgtbl_ops))
		return;
	cfg = pgtable_cfg(live);
	frz_found(f, IOMMU_FREEZE_OBSTACLE_DIRTY,
		  cfg->quirks & IO_PGTABLE_QUIRK_ARM_HD);
	frz_found(f, IOMMU_FREEZE_OBSTACLE_DOMAIN,
		  cfg->quirks & IO_PGTABLE_QUIRK_ARM_S2FWB);
	frz_found(f, IOMMU_FREEZE_OBSTACLE_GRANULE,
		  !(cfg->pgsize_bitmap & SZ_4K) ||
		  (!is_s1(live) && is_concatenated(cfg)));
	frz_found(f, IOMMU_FREEZE_OBSTACLE_STAGE_2,
		  !is_s1(live) && !swaps_s2(domain->smmu));
}

static const __le64 *map_live(void *priv, u64 table)
{
	cond_resched();
	if (!pfn_valid(PHYS_PFN(table)))
		return NULL;
	return phys_to_virt(table);
}

/*
 * Where a message interrupt of the device goes, as iommufd maps it (its software MSI
 * region). Interrupts are off while it is frozen, and the next kernel maps it anew.
 */
static bool is_doorbell(const struct frz_extent *leaf)
{
	return leaf->prot & FRZ_MMIO && leaf->iova >= MSI_IOVA_BASE &&
	       leaf->iova + leaf->len <= MSI_IOVA_BASE + MSI_IOVA_LENGTH;
}

static void tree(struct iommu_domain *live, struct frz_tree *t)
{
	const struct io_pgtable_cfg *cfg = pgtable_cfg(live);

	t->map = map_live;
	t->priv = NULL;
	t->leaves_out = is_doorbell;
	if (is_s1(live)) {
		t->fmt = &frz_format_lpae_s1;
		t->top = cfg->arm_lpae_s1_cfg.ttbr;
		t->levels = levels_of(cfg->arm_lpae_s1_cfg.tcr.tsz);
	} else {
		t->fmt = &frz_format_lpae_s2;
		t->top = cfg->arm_lpae_s2_cfg.vttbr;
		t->levels = levels_of(cfg->arm_lpae_s2_cfg.vtcr.tsz);
	}
}

static u32 get_stream(struct pci_dev *pdev)
{
	return master_of(pdev)->streams[0].id;
}

static u64 reg_base(struct iommu_device *unit)
{
	return frz_smmuv3_unit(frz_to_smmu(unit))->reg_base;
}

static u32 leaf_levels(struct iommu_device *unit)
{
	unsigned long sizes = frz_to_smmu(unit)->pgsize_bitmap;

	return BIT(1) | (sizes & SZ_2M ? BIT(2) : 0) |
	       (sizes & SZ_1G ? BIT(3) : 0);
}

static bool coherent(struct iommu_device *unit)
{
	return frz_to_smmu(unit)->features & ARM_SMMU_FEAT_COHERENCY;
}

static int tag_alloc(struct iommu_device *unit, struct iommu_domain *live)
{
	struct arm_smmu_device *smmu = frz_to_smmu(unit);
	u32 asid;
	int ret;

	if (!is_s1(live))
		return to_smmu_domain(live)->s2_cfg.vmid;
	guard(mutex)(&arm_smmu_asid_lock);
	ret = xa_alloc(&arm_smmu_asid_xa, &asid, NULL,
		       XA_LIMIT(1, BIT(smmu->asid_bits) - 1), GFP_KERNEL);
	return ret < 0 ? ret : asid;
}

/* ASIDs are common to all SMMUs, VMIDs are not. */
static int tag_claim(u32 format, u32 tag)
{
	if (format != FRZ_FORMAT_LPAE_S1)
		return 0;
	guard(mutex)(&arm_smmu_asid_lock);
	return xa_insert(&arm_smmu_asid_xa, tag, NULL, GFP_KERNEL);
}

static int tag_reserve(struct iommu_device *unit, u32 format, u32 tag)
{
	struct arm_smmu_device *smmu = frz_to_smmu(unit);
	int ret;

	if (format != FRZ_FORMAT_LPAE_S2)
		return tag < BIT(smmu->asid_bits) ? 0 : -ERANGE;
	if (tag >= BIT(smmu->vmid_bits))
		return -ERANGE;
	ret = ida_alloc_range(&smmu->vmid_map, tag, tag, GFP_KERNEL);
	if (ret < 0)
		return ret;
	ret = ida_alloc_range(&frz_smmuv3_unit(smmu)->vmids, tag, tag,
			      GFP_KERNEL);
	if (ret < 0)
		ida_free(&smmu->vmid_map, tag);
	return ret < 0 ? ret : 0;
}

/* In the old kernel the VMID is the live domain's. */
static void tag_free(struct iommu_device *unit, u32 format, u32 tag)
{
	struct arm_smmu_device *smmu = frz_to_smmu(unit);
	struct frz_smmuv3_unit *frz;

	if (format == FRZ_FORMAT_LPAE_S1) {
		guard(mutex)(&arm_smmu_asid_lock);
		xa_erase(&arm_smmu_asid_xa, tag);
		return;
	}
	frz = unit ? frz_smmuv3_unit(smmu) : NULL;
	if (!frz || !ida_exists(&frz->vmids, tag))
		return;
	ida_free(&frz->vmids, tag);
	ida_free(&smmu->vmid_map, tag);
}

static unsigned int nr_units(void)
{
	struct frz_smmuv3_unit *unit = NULL;
	unsigned int nr = 0;

	while ((unit = frz_smmuv3_next_unit(unit)))
		nr++;
	return nr;
}

static struct frz_smmuv3_cd to_cd(const struct arm_smmu_cd *cd)
{
	struct frz_smmuv3_cd now;
	unsigned int i;

	for (i = 0; i < FRZ_SMMUV3_QWORDS; i++)
		now.q[i] = le64_to_cpu(cd->data[i]);
	return now;
}

static int make_head(struct pci_dev *pdev, struct iommu_domain *live,
		     struct frz_memory *mem, u32 tag)
{
	struct frz_smmuv3_cd frozen;
	struct arm_smmu_cd cd;
	unsigned int i;
	__le64 *page;
	u64 pa;

	if (!is_s1(live))
		return 0;
	page = frz_memory_page(mem, &pa);
	if (!page)
		return -ENOMEM;
	arm_smmu_make_s1_cd(&cd, master_of(pdev), to_smmu_domain(live));
	frozen = to_cd(&cd);
	frz_smmuv3_cd_freeze(&frozen, mem->top, tag);
	for (i = 0; i < FRZ_SMMUV3_QWORDS; i++)
		page[i] = cpu_to_le64(frozen.q[i]);
	mem->head = pa;
	return 0;
}

/* Does this entry lead to the CD of that domain? Under arm_smmu_asid_lock. */
static bool is_live_s1(struct arm_smmu_master *master, struct iommu_domain *live,
		       const struct frz_smmuv3_ste *ste)
{
	struct arm_smmu_cd want, *now;

	if (frz_smmuv3_ste_stage(ste) != 1 ||
	    frz_smmuv3_ste_cd(ste) != master->cd_table.cdtab_dma)
		return false;
	now = arm_smmu_get_cd_ptr(master, IOMMU_NO_PASID);
	arm_smmu_make_s1_cd(&want, master, to_smmu_domain(live));
	return now && !memcmp(now, &want, sizeof(want));
}

static bool is_live_s2(struct arm_smmu_master *master, struct iommu_domain *live,
		       const struct frz_smmuv3_ste *ste)
{
	struct frz_smmuv3_ste want;
	struct arm_smmu_ste target;

	arm_smmu_make_s2_domain_ste(&target, master, to_smmu_domain(live), false);
	want = frz_smmuv3_read(&target);
	return !memcmp(ste, &want, sizeof(want));
}

static int live_descriptor(struct pci_dev *pdev, struct iommu_domain *live,
			   struct frz_descriptor *d)
{
	struct arm_smmu_master *master = master_of(pdev);
	struct frz_smmuv3_ste *ste = ste_of(d);
	struct arm_smmu_ste *entry;
	bool is_live;

	guard(mutex)(&arm_smmu_asid_lock);
	entry = frz_smmuv3_ste(master->smmu, get_stream(pdev));
	if (!entry)
		return -EINVAL;
	*ste = frz_smmuv3_read(entry);
	is_live = is_s1(live) ? is_live_s1(master, live, ste) :
				is_live_s2(master, live, ste);
	return is_live && !frz_smmuv3_ste_obstacles(ste) ? 0 : -EINVAL;
}

static void frozen_descriptor(struct frz_descriptor *d,
			      const struct frz_memory *mem, u32 tag)
{
	if (mem->head)
		frz_smmuv3_ste_freeze_s1(ste_of(d), mem->head);
	else
		frz_smmuv3_ste_freeze_s2(ste_of(d), mem->top);
}

/* What is cached under the tag of an entry: of stage 1 it is in the CD. */
static int flush_entry(struct arm_smmu_master *master,
		       const struct frz_smmuv3_ste *ste)
{
	u64 pa = frz_smmuv3_ste_cd(ste);
	struct frz_smmuv3_cd cd;

	if (frz_smmuv3_ste_stage(ste) == 2)
		return frz_smmuv3_flush_tag(master->smmu, FRZ_FORMAT_LPAE_S2,
					    frz_smmuv3_ste_vmid(ste));
	cd = to_cd(pa == master->cd_table.cdtab_dma ?
		   arm_smmu_get_cd_ptr(master, IOMMU_NO_PASID) :
		   phys_to_virt(pa));
	return frz_smmuv3_flush_tag(master->smmu, FRZ_FORMAT_LPAE_S1,
				    frz_smmuv3_cd_asid(&cd));
}

static int swap_descriptor(struct pci_dev *pdev, const struct frz_descriptor *from,
			   const struct frz_descriptor *to)
{
	struct arm_smmu_master *master = master_of(pdev);
	int ret = frz_smmuv3_swap(master, const_ste_of(from), const_ste_of(to));

	if (ret == -EBUSY)
		return ret;
	ret = flush_entry(master, const_ste_of(from)) ?: ret;
	ret = flush_entry(master, const_ste_of(to)) ?: ret;
	/* Nobody knows what the SMMU goes by then; the entry is again as the caller thinks. */
	if (ret)
		frz_smmuv3_swap(master, const_ste_of(to), const_ste_of(from));
	return ret;
}

static bool is_on(struct pci_dev *pdev, const struct frz_descriptor *d)
{
	struct arm_smmu_master *master = master_of(pdev);
	struct frz_smmuv3_ste now;

	guard(mutex)(&arm_smmu_asid_lock);
	return frz_smmuv3_look(master->smmu, get_stream(pdev), &now) &&
	       !memcmp(now.q, d->q, sizeof(now.q));
}

static int adopt(struct pci_dev *pdev, struct iommu_device *unit, u32 stream)
{
	struct arm_smmu_master *master = master_of(pdev);

	if (master->smmu != frz_to_smmu(unit) || master->num_streams != 1 ||
	    master->streams[0].id != stream)
		return -ENODEV;
	return 0;
}

static bool has_left(struct iommu_device *unit, u32 stream,
		     const struct frz_memory *mem)
{
	struct frz_smmuv3_ste ste;

	if (frz_smmuv3_is_deaf())
		return false;
	if (!frz_smmuv3_look(frz_to_smmu(unit), stream, &ste))
		return true;
	switch (frz_smmuv3_ste_stage(&ste)) {
	case 1:
		return frz_smmuv3_ste_cd(&ste) != mem->head;
	case 2:
		return frz_smmuv3_ste_top(&ste) != mem->top;
	default:
		return true;
	}
}

static void block(struct iommu_device *unit, u32 stream, u32 tag)
{
	struct arm_smmu_device *smmu = frz_to_smmu(unit);

	frz_smmuv3_block(smmu, stream);
	if (smmu->features & ARM_SMMU_FEAT_TRANS_S1)
		frz_smmuv3_flush_tag(smmu, FRZ_FORMAT_LPAE_S1, tag);
	if (smmu->features & ARM_SMMU_FEAT_TRANS_S2)
		frz_smmuv3_flush_tag(smmu, FRZ_FORMAT_LPAE_S2, tag);
}

/*
 * The driver knows nothing of the frozen domain's tag. Its own one is clean, as each is
 * flushed when its domain goes; but that is for it to know.
 */
static void left(struct pci_dev *pdev, u32 format, u32 tag)
{
	struct arm_smmu_master *master = master_of(pdev);
	struct frz_smmuv3_ste now;

	frz_smmuv3_flush_tag(master->smmu, format, tag);
	if (frz_smmuv3_look(master->smmu, get_stream(pdev), &now) &&
	    frz_smmuv3_ste_stage(&now))
		flush_entry(master, &now);
}

const struct frz_backend frz_smmuv3_backend = {
	.kind = &frz_smmuv3_kind,
	.ops = &arm_smmu_ops,
	.check = check,
	.check_domain = check_domain,
	.tree = tree,
	.stream = get_stream,
	.reg_base = reg_base,
	.leaf_levels = leaf_levels,
	.coherent = coherent,
	.tag_alloc = tag_alloc,
	.tag_claim = tag_claim,
	.tag_reserve = tag_reserve,
	.tag_free = tag_free,
	.nr_units = nr_units,
	.nr_tables = FRZ_MAX_TABLES,
	.preserve_units = frz_smmuv3_preserve_units,
	.unpreserve_units = frz_smmuv3_unpreserve_units,
	.write_units = frz_smmuv3_write_units,
	.preserve_device = frz_smmuv3_preserve_device,
	.unpreserve_device = frz_smmuv3_unpreserve_device,
	.make_head = make_head,
	.live_descriptor = live_descriptor,
	.frozen_descriptor = frozen_descriptor,
	.swap_descriptor = swap_descriptor,
	.is_on = is_on,
	.adopt = adopt,
	.was_left = frz_smmuv3_was_left,
	.has_left = has_left,
	.block = block,
	.left = left,
	.release_unit = frz_smmuv3_release_unit,
};
