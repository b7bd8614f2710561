// SPDX-License-Identifier: GPL-2.0-only
/*
 * An IOMMU that is nothing but memory: a user of the contract of a backend that needs
 * no hardware, for the tests of this folder.
 *
 * Structure: one unit, which is off but in a test. A device is translated by an entry
 * of 16 bytes in its one table. A frozen entry points to a head, a live one to the
 * top of its tables. What the core takes is counted, so that a test sees what it
 * has not given back.
 *
 * Locking: none; there is one test at a time.
 *
 * Fails: as the contract allows, for lack of memory; and a swap from an entry that is
 * not there.
 */
#include <linux/gfp.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "../backend.h"
#include "../backends.h"
#include "../blob.h"
#include "../findings.h"
#include "../format/format.h"
#include "../import.h"
#include "../kind.h"
#include "../memory.h"
#include "backend.h"

struct frz_fake_unit frz_fake;

/* Nobody attaches anything: it only says whose device and domain it is. */
const struct iommu_ops frz_fake_ops = {};

/**
 * frz_fake_on - There is such a unit from now on
 *
 * Return: 0 or -ENOMEM.
 */
int frz_fake_on(void)
{
	memset(&frz_fake, 0, sizeof(frz_fake));
	frz_fake.table = (void *)get_zeroed_page(GFP_KERNEL);
	if (!frz_fake.table)
		return -ENOMEM;
	ida_init(&frz_fake.tags);
	frz_fake.iommu.ops = &frz_fake_ops;
	frz_fake.on = true;
	return 0;
}

/**
 * frz_fake_off - There is none any more
 */
void frz_fake_off(void)
{
	if (!frz_fake.on)
		return;
	frz_fake.on = false;
	ida_destroy(&frz_fake.tags);
	free_page((unsigned long)frz_fake.table);
	frz_fake.table = NULL;
}

/**
 * frz_fake_at - What translates a device
 * @stream: of the device
 *
 * Return: its entry.
 */
struct frz_fake_entry frz_fake_at(u32 stream)
{
	return frz_fake.table[stream % FRZ_FAKE_ENTRIES];
}

/**
 * frz_fake_put - Have a device translated by something else
 * @stream: of the device
 * @to: address of what the entry points to, 0 to clear it
 * @tag: of what is cached through it
 */
void frz_fake_put(u32 stream, u64 to, u64 tag)
{
	frz_fake.table[stream % FRZ_FAKE_ENTRIES] = (struct frz_fake_entry){
		.to = to ? to | FRZ_FAKE_PRESENT : 0, .tag = tag,
	};
	frz_fake.nr_stores++;
}

static bool is_entry(u32 stream, u64 to, u64 tag)
{
	struct frz_fake_entry e = frz_fake_at(stream);

	return e.to == to && e.tag == tag;
}

static void check(struct pci_dev *pdev, struct frz_findings *f)
{
	frz_found(f, IOMMU_FREEZE_OBSTACLE_ATS, false);
}

static void check_domain(struct iommu_domain *live, struct frz_findings *f)
{
	frz_found(f, IOMMU_FREEZE_OBSTACLE_DOMAIN, false);
}

static void tree(struct iommu_domain *live, struct frz_tree *t)
{
	*t = container_of(live, struct frz_fake_domain, domain)->tree;
}

static u32 get_stream(struct pci_dev *pdev)
{
	return pci_dev_id(pdev);
}

static u64 reg_base(struct iommu_device *unit)
{
	return FRZ_FAKE_REG_BASE;
}

static u32 leaf_levels(struct iommu_device *unit)
{
	return BIT(1) | BIT(2);
}

static bool coherent(struct iommu_device *unit)
{
	return true;
}

static int take_tag(u32 min, u32 max)
{
	int ret = ida_alloc_range(&frz_fake.tags, min, max, GFP_KERNEL);

	if (ret >= 0)
		frz_fake.nr_tags++;
	return ret;
}

static int tag_alloc(struct iommu_device *unit, struct iommu_domain *live)
{
	return take_tag(1, 0xffff);
}

/* As if there were others, which share them. */
static int tag_claim(u32 format, u32 tag)
{
	int ret = format == frz_format_vtdss.id ? take_tag(tag, tag) : -EINVAL;

	return ret < 0 ? ret : 0;
}

static void tag_free(struct iommu_device *unit, u32 format, u32 tag)
{
	/* What is not of its space of tags stays taken, and is seen. */
	if (format != frz_format_vtdss.id)
		return;
	ida_free(&frz_fake.tags, tag);
	frz_fake.nr_tags--;
}

static unsigned int nr_units(void)
{
	return frz_fake.on;
}

static int preserve_units(void)
{
	int ret;

	if (!frz_fake.on)
		return 0;
	ret = kho_preserve_folio(virt_to_folio(frz_fake.table));
	if (!ret)
		frz_fake.nr_units++;
	return ret;
}

static void unpreserve_units(void)
{
	if (!frz_fake.on)
		return;
	kho_unpreserve_folio(virt_to_folio(frz_fake.table));
	frz_fake.nr_units--;
}

/**
 * frz_fake_write - Describe the unit in a blob
 * @w: the writer, in which a failure sticks
 */
void frz_fake_write(struct frz_blob_writer *w)
{
	struct frz_abi_unit rec = {
		.kind = FRZ_UNIT_FAKE,
		.segment = FRZ_FAKE_SEGMENT,
		.reg_base = FRZ_FAKE_REG_BASE,
		.ids = { FRZ_FAKE_ID },
		.nr_tables = 1,
	};
	struct frz_abi_table table = {
		.address = virt_to_phys(frz_fake.table), .len = PAGE_SIZE,
	};

	frz_blob_add_unit(w, &rec, &table);
}

static void write_units(struct frz_blob_writer *w)
{
	if (!frz_fake.on)
		return;
	frz_fake_write(w);
	frz_fake.writer = w;
}

static int preserve_device(struct pci_dev *pdev)
{
	void **path = &frz_fake.paths[pdev->devfn];

	*path = kzalloc(sizeof(u64), GFP_KERNEL);
	if (!*path)
		return -ENOMEM;
	frz_fake.nr_devices++;
	return 0;
}

static void unpreserve_device(struct pci_dev *pdev)
{
	kfree(frz_fake.paths[pdev->devfn]);
	frz_fake.paths[pdev->devfn] = NULL;
	frz_fake.nr_devices--;
}

static int make_head(struct pci_dev *pdev, struct iommu_domain *live,
		     struct frz_memory *mem, u32 tag)
{
	u64 *head = frz_memory_page(mem, &mem->head);

	if (!head)
		return -ENOMEM;
	*head = mem->top;
	return 0;
}

static int live_descriptor(struct pci_dev *pdev, struct iommu_domain *live,
			   struct frz_descriptor *d)
{
	struct frz_fake_entry e = frz_fake_at(get_stream(pdev));
	struct frz_tree t;

	tree(live, &t);
	if (e.to != (t.top | FRZ_FAKE_PRESENT))
		return -EINVAL;
	*d = (struct frz_descriptor){ .q = { e.to, e.tag } };
	return 0;
}

static void frozen_descriptor(struct frz_descriptor *d,
			      const struct frz_memory *mem, u32 tag)
{
	d->q[0] = mem->head | FRZ_FAKE_PRESENT;
	d->q[1] = tag;
}

static bool is_on(struct pci_dev *pdev, const struct frz_descriptor *d)
{
	return is_entry(get_stream(pdev), d->q[0], d->q[1]);
}

static int swap_descriptor(struct pci_dev *pdev, const struct frz_descriptor *from,
			   const struct frz_descriptor *to)
{
	if (!is_on(pdev, from))
		return -EBUSY;
	frz_fake_put(get_stream(pdev), to->q[0] & ~FRZ_FAKE_PRESENT, to->q[1]);
	return 0;
}

static int adopt(struct pci_dev *pdev, struct iommu_device *unit, u32 stream)
{
	return frz_unit_of(pdev) == unit && get_stream(pdev) == stream ? 0 : -ENODEV;
}

static bool has_left(struct iommu_device *unit, u32 stream,
		     const struct frz_memory *mem)
{
	return frz_fake_at(stream).to != (mem->head | FRZ_FAKE_PRESENT);
}

static void block(struct iommu_device *unit, u32 stream, u32 tag)
{
	frz_fake_put(stream, 0, 0);
	frz_fake.nr_blocked++;
}

static void release_unit(const struct frz_import_unit *unit)
{
	frz_fake.nr_released++;
}

/* What its driver looks at when it starts the unit in the new kernel. */
static const char *check_unit(const struct frz_import_unit *unit)
{
	const struct frz_abi_table *table = frz_unit_table(unit->rec, 0);

	if (table->address != virt_to_phys(frz_fake.table))
		return "its table is not where it was";
	if (unit->rec->ids[0] != FRZ_FAKE_ID)
		return "it is another one";
	return frz_fake.refuse;
}

/**
 * frz_fake_start - Its driver starts the unit in the new kernel
 *
 * An entry that is not what it should be costs its device; a unit that is not, all of
 * them.
 */
void frz_fake_start(void)
{
	struct frz_import_unit unit;
	const struct frz_memory *mem;
	const char *why = NULL;
	u32 i, tag;

	switch (frz_import_unit(FRZ_UNIT_FAKE, FRZ_FAKE_REG_BASE, &unit)) {
	case FRZ_UNIT_NONE:
		return;
	case FRZ_UNIT_BAD:
		memset(frz_fake.table, 0, PAGE_SIZE);
		return;
	case FRZ_UNIT_GOOD:
		why = check_unit(&unit);
	}
	for (i = 0; i < FRZ_FAKE_ENTRIES; i++) {
		mem = frz_import_expected(&unit, i, &tag);
		if (mem && !why &&
		    is_entry(i, mem->head | FRZ_FAKE_PRESENT, tag))
			continue;
		frz_fake_put(i, 0, 0);
		if (mem && !why)
			frz_import_refuse(&unit, i,
					  "its entry is not that of its frozen domain");
	}
	frz_import_unit_done(&unit, &frz_fake.iommu, why);
}

static const char *check_tables(const struct frz_abi_unit *unit, const u32 **field)
{
	*field = &unit->kind;
	if (!frz_fake.on)
		return "unit: of a test, and there is none";
	*field = &unit->nr_tables;
	return unit->nr_tables == 1 && frz_unit_table(unit, 0) ?
	       NULL : "unit: not one table";
}

const struct frz_kind frz_fake_kind = {
	.name = "fake",
	.id = FRZ_UNIT_FAKE,
	.check = check_tables,
};

const struct frz_backend frz_fake_backend = {
	.kind = &frz_fake_kind,
	.ops = &frz_fake_ops,
	.check = check,
	.check_domain = check_domain,
	.tree = tree,
	.stream = get_stream,
	.reg_base = reg_base,
	.leaf_levels = leaf_levels,
	.coherent = coherent,
	.tag_alloc = tag_alloc,
	.tag_claim = tag_claim,
	.tag_free = tag_free,
	.nr_units = nr_units,
	.nr_tables = 1,
	.preserve_units = preserve_units,
	.unpreserve_units = unpreserve_units,
	.write_units = write_units,
	.preserve_device = preserve_device,
	.unpreserve_device = unpreserve_device,
	.make_head = make_head,
	.live_descriptor = live_descriptor,
	.frozen_descriptor = frozen_descriptor,
	.swap_descriptor = swap_descriptor,
	.is_on = is_on,
	.adopt = adopt,
	.has_left = has_left,
	.block = block,
	.release_unit = release_unit,
};
