// SPDX-License-Identifier: GPL-2.0-only
/*
 * A handover as another kernel would have left it, and what boot does with it.
 *
 * Structure: the records of a blob, for a test to spoil before it is written, and
 * ordinary pages that are made to look as KHO leaves those that it kept: a mark in the
 * head page tells their order. KHO restores and frees them as any.
 *
 * Locking: none; there is one test at a time.
 *
 * Fails: making it, for lack of memory.
 */
#include <linux/gfp.h>
#include <linux/iommu-freeze.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "../../pci/hands.h"
#include "../blob.h"
#include "../import.h"
#include "../incoming-device.h"
#include "../memory.h"
#include "jump.h"

/* "KHOP", see kernel/liveupdate/kexec_handover.c */
#define MARK		(0x4b484f50UL << 32)
#define BLOB_ORDER	1

/* KHO counts what it gives back as memory that was not there before. */
static int keep(struct frz_jump *j, void *virt, int order)
{
	struct page *page = virt_to_page(virt);

	if (j->nr_pieces == FRZ_JUMP_PIECES)
		return -E2BIG;
	page->private = MARK | order;
	adjust_managed_page_count(page, -(1L << order));
	j->pieces[j->nr_pieces].phys = virt_to_phys(virt);
	j->pieces[j->nr_pieces++].order = order;
	return kho_preserved_order(virt_to_phys(virt)) == order ? 0 : -EINVAL;
}

/**
 * frz_jump_left - Memory that waits to be restored
 * @j: the handover
 *
 * Return: number of pieces.
 */
unsigned int frz_jump_left(const struct frz_jump *j)
{
	unsigned int i, left = 0;

	for (i = 0; i < j->nr_pieces; i++)
		left += kho_preserved_order(j->pieces[i].phys) == j->pieces[i].order;
	return left;
}

static void take_back(struct frz_jump *j)
{
	unsigned int i;

	for (i = 0; i < j->nr_pieces; i++)
		if (kho_preserved_order(j->pieces[i].phys) == j->pieces[i].order)
			kho_restore_free(phys_to_virt(j->pieces[i].phys));
	j->nr_pieces = 0;
}

static int any_extent(void *arg, const struct frz_extent *e)
{
	return 0;
}

/* From here on the chunks are the handover's, not @mem's. */
static int keep_chunks(struct frz_jump *j, unsigned int n, struct frz_memory *mem)
{
	unsigned int i;
	int ret = 0;

	if (mem->nr_chunks > FRZ_JUMP_CHUNKS)
		return -E2BIG;
	for (i = 0; i < mem->nr_chunks && !ret; i++) {
		j->chunks[n][i] = mem->chunks[i];
		ret = keep(j, phys_to_virt(mem->chunks[i].address),
			   get_order(mem->chunks[i].len));
	}
	kfree(mem->sorted);
	kfree(mem->chunks);
	return ret;
}

static int make_domain(struct frz_scene *s, struct frz_jump *j, unsigned int n)
{
	struct frz_memory mem;
	u64 *head, bad_iova;
	int ret;

	ret = frz_memory_encode(&mem, false, &s->live[n].fake.tree, BIT(1) | BIT(2),
				any_extent, NULL, &bad_iova);
	if (ret)
		return ret;
	head = frz_memory_page(&mem, &mem.head);
	ret = head ? 0 : -ENOMEM;
	if (!ret) {
		*head = mem.top;
		ret = frz_memory_complete(&mem);
	}
	if (ret) {
		frz_memory_drop(&mem);
		return ret;
	}
	j->dom[n] = (struct frz_abi_domain){
		.id = n,
		.format = mem.fmt->id,
		.levels = mem.levels,
		.leaf_levels = mem.leaf_levels,
		.tag = 7 + n,
		.top = mem.top,
		.head = mem.head,
		.stats = mem.stats,
		.nr_chunks = mem.nr_chunks,
	};
	memcpy(j->dom[n].digest, mem.digest, FRZ_DIGEST_LEN);
	return keep_chunks(j, n, &mem);
}

/**
 * frz_jump_make - Make a handover of all devices of a scene, frozen
 * @s: the scene; its devices are translated by their frozen tables now
 * @j: zeroed
 *
 * Return: 0 or a negative errno; frz_jump_end() undoes what was done.
 */
int frz_jump_make(struct frz_scene *s, struct frz_jump *j)
{
	unsigned int i;
	int ret = 0;

	s->jump = j;
	for (i = 0; i < FRZ_SCENE_LIVES && !ret; i++)
		ret = make_domain(s, j, i);
	for (i = 0; i < FRZ_SCENE_DEVS && !ret; i++) {
		struct frz_scene_dev *dev = &s->dev[i];

		dev->config[PCI_COMMAND / 4] |= PCI_COMMAND_MASTER;
		ret = frz_pci_record(&dev->pdev, &j->dev[i], NULL);
		j->dev[i].domain = dev->live;
		j->dev[i].stream = dev->pdev.devfn;
		j->dev[i].state = FRZ_DEVICE_FROZEN;
		frz_fake_put(dev->pdev.devfn, j->dom[dev->live].head,
			     j->dom[dev->live].tag);
	}
	j->flags = FRZ_BLOB_FROZEN;
	return ret;
}

/**
 * frz_jump_write - Write the blob of a handover
 * @j: the handover; its records are as they shall be
 *
 * Return: 0 or a negative errno.
 */
int frz_jump_write(struct frz_jump *j)
{
	struct frz_blob_writer w;
	unsigned int i;
	long len;

	j->blob = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, BLOB_ORDER);
	if (!j->blob)
		return -ENOMEM;
	frz_blob_begin(&w, j->blob, PAGE_SIZE << BLOB_ORDER);
	frz_fake_write(&w);
	for (i = 0; i < FRZ_SCENE_LIVES; i++)
		frz_blob_add_domain(&w, &j->dom[i], j->chunks[i]);
	for (i = 0; i < FRZ_SCENE_DEVS; i++)
		frz_blob_add_device(&w, &j->dev[i], NULL);
	len = frz_blob_end(&w, j->flags, 1);
	j->len = max(len, 0L);
	return keep(j, j->blob, BLOB_ORDER) ?: min(len, 0L);
}

/**
 * frz_jump_boot - What boot does with a handover
 * @s: the scene, found by PCI as it is
 * @j: the handover, written
 */
void frz_jump_boot(struct frz_scene *s, struct frz_jump *j)
{
	unsigned int i;

	frz_import_take(virt_to_phys(j->blob), j->len);
	for (i = 0; i < FRZ_SCENE_DEVS; i++) {
		iommu_freeze_pci_setup(&s->dev[i].pdev);
		iommu_freeze_pci_add(&s->dev[i].pdev);
	}
	frz_fake_start();
	for (i = 0; i < FRZ_SCENE_DEVS; i++)
		j->on[i] = iommu_freeze_adopt(&s->dev[i].pdev.dev, true);
	frz_import_settle();
}

/**
 * frz_jump_end - Forget a handover, whatever became of it
 * @s: the scene
 * @j: the handover
 *
 * Return: pieces of memory that the kernel did not give back, once every device was
 * given up.
 */
unsigned int frz_jump_end(struct frz_scene *s, struct frz_jump *j)
{
	unsigned int i, left;

	s->jump = NULL;
	for (i = 0; i < FRZ_SCENE_DEVS; i++) {
		struct pci_dev *pdev = &s->dev[i].pdev;

		if (frz_incoming_discard(FRZ_FAKE_SEGMENT, pdev->devfn))
			frz_incoming_finish(frz_pci_id(pdev));
		clear_bit(PCI_FREEZE_STOPPED, &pdev->freeze_flags);
	}
	left = frz_jump_left(j);
	frz_import_forget(FRZ_SCENE_LIVES);
	kfree(frz_incoming_devices);
	frz_incoming_devices = NULL;
	frz_nr_incoming = 0;
	take_back(j);
	return left;
}

/**
 * frz_jump_is_frozen - Is a device translated by the tables of the handover?
 * @j: the handover
 * @i: number of the device
 *
 * Return: true if so.
 */
bool frz_jump_is_frozen(const struct frz_jump *j, unsigned int i)
{
	const struct frz_abi_domain *dom = &j->dom[j->dev[i].domain];
	struct frz_fake_entry e = frz_fake_at(j->dev[i].devfn);

	return e.to == (dom->head | FRZ_FAKE_PRESENT) && e.tag == dom->tag;
}
