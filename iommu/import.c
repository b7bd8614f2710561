// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes in what the previous kernel handed over.
 *
 * Structure: a copy of the blob, in which records are read in place, and made from
 * it an array of frozen domains; incoming.c has the devices. Each unit is shown to
 * its backend when its driver starts it, in any order, before or after PCI is
 * enumerated. At the end of boot what was not adopted by then is refused.
 *
 * A blob that cannot be read at all leaves no devices to refuse. Then every unit
 * starts with empty tables and every endpoint without bus mastering.
 *
 * Locking: one thread, at boot. Afterwards nothing here changes.
 *
 * Fails: anything that comes from the other kernel.
 */
#include <kunit/visibility.h>
#include <linux/device/driver.h>
#include <linux/init.h>
#include <linux/iommu-freeze.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "backend.h"
#include "blob.h"
#include "domain.h"
#include "import.h"
#include "incoming.h"
#include "log.h"

/* A test imports when boot is over. */
#ifdef CONFIG_IOMMU_FREEZE_KUNIT_TEST
#define __import
#else
#define __import	__init
#endif

static struct frz_blob blob;
static bool bad;
static bool was_read;
static bool settled;
static struct frz_domain *domains;

/* Units whose tables hardware no longer uses: it was given others, or is off. */
static DECLARE_BITMAP(refused_units, FRZ_MAX_UNITS);

/**
 * frz_import_any - Did a blob come, good or bad?
 *
 * Context: Any, from early boot on, before it was read.
 * Return: true if so.
 */
bool frz_import_any(void)
{
	phys_addr_t phys;

	return kho_retrieve_subtree(FRZ_KHO_NAME, &phys, NULL) != -ENOENT;
}

/**
 * frz_import_generation - Kexecs in a row that carried something frozen
 *
 * Return: 0 if nothing came with this boot.
 */
u64 frz_import_generation(void)
{
	return blob.generation;
}

/**
 * frz_import_bad - Did a blob come that cannot be read?
 *
 * Return: true if so.
 */
bool frz_import_bad(void)
{
	return bad;
}

/**
 * frz_import_unit - Look up an IOMMU unit in the handover
 * @kind: FRZ_UNIT_... that it is driven as
 * @reg_base: physical address of its registers
 * @unit: set when the unit is good
 *
 * Context: Boot, one thread. Before postcore, when the handover is read, any unit is
 * bad if a handover came, as nobody may run on it unchecked.
 * Return: whether the unit came from the previous kernel, and is usable.
 */
enum frz_unit_state frz_import_unit(u32 kind, u64 reg_base,
				    struct frz_import_unit *unit)
{
	if (bad || (!was_read && frz_import_any()))
		return FRZ_UNIT_BAD;
	if (!blob.nr_devices)
		return FRZ_UNIT_NONE;
	/* What nobody had adopted was given up. */
	if (settled)
		return FRZ_UNIT_BAD;

	unit->number = 0;
	unit->rec = NULL;
	while ((unit->rec = frz_blob_next_unit(&blob, unit->rec))) {
		if (unit->rec->kind == kind && unit->rec->reg_base == reg_base)
			return FRZ_UNIT_GOOD;
		unit->number++;
	}
	return FRZ_UNIT_BAD;
}

/**
 * frz_import_expected - What should the descriptor of a stream point to?
 * @unit: the unit whose descriptor it is
 * @stream: the stream
 * @tag: set to the tag that it should carry
 *
 * Return: the frozen tables, NULL if no device may run there.
 */
const struct frz_memory *frz_import_expected(const struct frz_import_unit *unit,
					     u32 stream, u32 *tag)
{
	struct frz_domain *dom = frz_incoming_expected(unit->number, stream);

	if (!dom)
		return NULL;
	*tag = dom->rec->tag;
	return &dom->memory;
}

/**
 * frz_import_refuse - A descriptor is not what it should be
 * @unit: the unit whose descriptor it is; the backend has cleared it
 * @stream: the stream
 * @why: reason, for the log
 */
void frz_import_refuse(const struct frz_import_unit *unit, u32 stream,
		       const char *why)
{
	frz_incoming_refuse_stream(unit->number, stream, why);
}

/**
 * frz_import_unit_done - A unit was adopted or refused
 * @unit: what frz_import_unit() told
 * @iommu: the unit
 * @why: NULL, or the reason why it was refused, or is now after all
 *
 * Context: Boot, before any tag of the unit is allocated; or its driver gives up.
 */
void frz_import_unit_done(const struct frz_import_unit *unit,
			  struct iommu_device *iommu, const char *why)
{
	u32 i;

	if (why)
		__set_bit(unit->number, refused_units);
	for (i = 0; i < blob.nr_domains && !why; i++)
		if (domains[i].rec->unit == unit->number)
			frz_domain_adopt(&domains[i], iommu);
	frz_incoming_unit_done(unit->number, why);
	for (i = 0; i < blob.nr_domains && why; i++)
		if (domains[i].rec->unit == unit->number)
			frz_domain_forget_unit(&domains[i]);
}

/**
 * iommu_freeze_refuse_all - No IOMMU will be used: stop every incoming device
 * @why: reason, for the log
 *
 * Gives back what was taken of the units and forgets them, as they are freed.
 *
 * Context: Boot, one thread, before translation is turned off.
 */
void iommu_freeze_refuse_all(const char *why)
{
	u32 i;

	frz_incoming_refuse_all(why);
	for (i = 0; i < blob.nr_domains; i++)
		frz_domain_forget_unit(&domains[i]);
	bitmap_fill(refused_units, FRZ_MAX_UNITS);
}

static int __import import_domains(void)
{
	const struct frz_abi_domain *rec = NULL;
	struct frz_domain *dom;

	domains = kcalloc(blob.nr_domains, sizeof(*domains), GFP_KERNEL);
	if (!domains)
		return -ENOMEM;
	dom = domains;
	while ((rec = frz_blob_next_domain(&blob, rec))) {
		dom->unit_rec = frz_blob_unit(&blob, rec->unit);
		frz_domain_import(dom, rec, frz_backend_by_kind(dom->unit_rec->kind));
		dom++;
	}
	return 0;
}

static struct frz_domain * __import find_domain(u32 id)
{
	struct frz_domain *dom = domains;

	while (dom->rec->id != id)
		dom++;
	return dom;
}

static void __import import_devices(void)
{
	const struct frz_abi_device *rec = NULL;

	while ((rec = frz_blob_next_device(&blob, rec)))
		frz_incoming_add(rec, find_domain(rec->domain));
}

/* Our own copy: the page allocator gets the memory of the original back. */
static void * __import take_blob(phys_addr_t phys, size_t size)
{
	int order = kho_preserved_order(phys);
	void *copy;

	if (order < 0 || size > PAGE_SIZE << order) {
		pr_err("the handover is not in preserved memory\n");
		return NULL;
	}
	copy = kvmemdup(phys_to_virt(phys), size, GFP_KERNEL);
	kho_restore_free(phys_to_virt(phys));
	if (!copy)
		pr_err("no memory for the handover\n");
	return copy;
}

/* Sets bad unless all is well, or nothing in the blob was frozen. */
static void __import open_blob(void *copy, size_t size)
{
	struct frz_blob_error err = {};
	int ret;

	ret = frz_blob_open(&blob, copy, size, &err);
	if (ret) {
		pr_err("the handover is refused: offset %#zx: %s (value %#llx, error %d)\n",
		       err.offset, err.reason, err.value, ret);
		goto out_free;
	}
	if (!(blob.flags & FRZ_BLOB_FROZEN) || !blob.nr_devices) {
		/* Somebody preserved and unpreserved, nothing is frozen. */
		bad = false;
		goto out_free;
	}
	/* Once there are domains nothing fails: they need their records. */
	if (frz_incoming_begin(blob.nr_devices) || import_domains()) {
		pr_err("no memory for the incoming devices\n");
		goto out_free;
	}
	import_devices();
	bad = false;
	pr_info("%u devices on %u frozen domains come from the previous kernel\n",
		blob.nr_devices, blob.nr_domains);
	return;

out_free:
	memset(&blob, 0, sizeof(blob));
	kvfree(copy);
}

/**
 * frz_import_take - Take in a handover
 * @phys: where the blob is
 * @size: of it
 *
 * Context: Boot, one thread; or a test.
 */
VISIBLE_IF_KUNIT void __import frz_import_take(phys_addr_t phys, size_t size)
{
	void *copy = take_blob(phys, size);

	bad = true;
	if (copy)
		open_blob(copy, size);
}

static int __init frz_import_init(void)
{
	phys_addr_t phys;
	size_t size;
	int ret;

	was_read = true;
	ret = kho_retrieve_subtree(FRZ_KHO_NAME, &phys, &size);
	if (ret == -ENOENT)
		return 0;

	bad = true;
	if (ret)
		pr_err("the handover cannot be found (error %d)\n", ret);
	else
		frz_import_take(phys, size);
	if (bad)
		pr_err("every device starts blocked and without bus mastering\n");
	return 0;
}
postcore_initcall(frz_import_init);

/* PCI's bus is there, and nobody can remove a device from it yet. */
static int __init frz_import_watch(void)
{
	if (blob.nr_devices || bad)
		frz_incoming_watch();
	return 0;
}
fs_initcall(frz_import_watch);

/**
 * frz_import_settle - By now the IOMMU drivers have probed
 *
 * Who is not on a frozen domain never will.
 *
 * Context: Boot, one thread; or a test.
 * Return: 0.
 */
VISIBLE_IF_KUNIT int __import frz_import_settle(void)
{
	struct frz_import_unit unit = {};
	u32 i;

	if (!blob.nr_devices && !bad)
		return 0;
	wait_for_device_probe();
	settled = true;
	frz_incoming_settle();
	for (; (unit.rec = frz_blob_next_unit(&blob, unit.rec)); unit.number++)
		if (test_bit(unit.number, refused_units))
			frz_backend_by_kind(unit.rec->kind)->release_unit(&unit);
	/* The devices keep them now; one without a device goes. */
	for (i = 0; i < blob.nr_domains; i++)
		frz_domain_put(&domains[i]);
	return 0;
}
late_initcall_sync(frz_import_settle);

#ifdef CONFIG_IOMMU_FREEZE_KUNIT_TEST
/**
 * frz_import_forget - As if nothing had come
 * @nr: domains of the blob that was taken in
 *
 * Context: A test; hardware does not use what is left of them.
 */
void frz_import_forget(u32 nr)
{
	u32 i;

	for (i = 0; domains && i < nr; i++)
		while (domains[i].rec && refcount_read(&domains[i].users))
			frz_domain_put(&domains[i]);
	kfree(domains);
	domains = NULL;
	kvfree(blob.data);
	memset(&blob, 0, sizeof(blob));
	bitmap_zero(refused_units, FRZ_MAX_UNITS);
	settled = false;
	bad = false;
}
#endif
