// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who comes back for a device of the previous kernel: its VMM, which retrieves it,
 * owns it and is finished some day, or user space, which looks at it and may give
 * it up.
 *
 * Structure: the devices of incoming.c.
 *
 * Locking: incoming_lock guards state, owner and pdev of a device. A device lets go
 * of its domain under finish_lock, which whoever looks at the domain takes.
 *
 * Fails: for a device that was refused, has another owner or is still frozen.
 */
#include <linux/export.h>
#include <uapi/linux/iommu-freeze.h>

#include "../pci/hands.h"
#include "backend.h"
#include "blob.h"
#include "incoming-device.h"
#include "log.h"

static struct frz_incoming_device *find_id(u64 id)
{
	if (id >> 48)
		return NULL;
	return frz_incoming_at(id >> 16, id >> 8, id);
}

/* What PCI did since it was found may have moved it. */
static void check_moved(struct frz_incoming_device *dev)
{
	struct pci_dev *pdev = NULL;
	const char *why;

	scoped_guard(spinlock_irqsave, &frz_incoming_lock)
		if (dev->state == FRZ_INCOMING_FROZEN && dev->adopted)
			pdev = pci_dev_get(dev->pdev);
	if (!pdev)
		return;
	why = frz_pci_changed(pdev, dev->rec, frz_device_bridges(dev->rec));
	if (why)
		frz_incoming_refuse(dev, why);
	pci_dev_put(pdev);
}

/**
 * frz_incoming_retrieve - Get an incoming device for the VMM
 * @id: frz_pci_id() of it, in the previous kernel
 *
 * One that is no longer where it was is refused. One that was replaced, and not
 * finished, is an ordinary device; its VMM may have died.
 *
 * Context: May sleep.
 * Return: the device with a reference, or NULL after a log line.
 */
struct pci_dev *frz_incoming_retrieve(u64 id)
{
	struct frz_incoming_device *dev = find_id(id);

	if (!dev) {
		pr_err_ratelimited("retrieve: device id %#llx is not in the handover\n",
				   id);
		return NULL;
	}
	check_moved(dev);
	guard(spinlock_irqsave)(&frz_incoming_lock);
	if (dev->state != FRZ_INCOMING_REPLACED &&
	    (dev->state != FRZ_INCOMING_FROZEN || !dev->adopted)) {
		frz_at(err_ratelimited, dev->rec, "not retrieved: it was refused, see above\n");
		return NULL;
	}
	return pci_dev_get(dev->pdev);
}
EXPORT_SYMBOL_GPL(frz_incoming_retrieve);

/**
 * frz_incoming_set_owner - Note whom a retrieved device was given to
 * @pdev: the device
 * @owner: any pointer that tells the owner from others
 *
 * Return: false if there is an owner already.
 */
bool frz_incoming_set_owner(struct pci_dev *pdev, const void *owner)
{
	struct frz_incoming_device *dev;

	guard(spinlock_irqsave)(&frz_incoming_lock);
	dev = frz_incoming_find(pdev);
	if (!dev || dev->owner)
		return false;
	dev->owner = owner;
	return true;
}
EXPORT_SYMBOL_GPL(frz_incoming_set_owner);

/**
 * frz_incoming_drop_owner - The owner of a device is gone
 * @pdev: any device
 * @owner: as for frz_incoming_set_owner(), or one that never was
 *
 * The device can be retrieved again from here on, or discarded.
 */
void frz_incoming_drop_owner(struct pci_dev *pdev, const void *owner)
{
	struct frz_incoming_device *dev;

	guard(spinlock_irqsave)(&frz_incoming_lock);
	dev = frz_incoming_find(pdev);
	if (dev && dev->owner == owner)
		dev->owner = NULL;
}
EXPORT_SYMBOL_GPL(frz_incoming_drop_owner);

/**
 * frz_incoming_is_owner - May @owner open this device?
 * @pdev: any device
 * @owner: as for frz_incoming_set_owner()
 *
 * Return: true unless the device is frozen and was given to another owner, or
 * to none.
 */
bool frz_incoming_is_owner(struct pci_dev *pdev, const void *owner)
{
	struct frz_incoming_device *dev;

	guard(spinlock_irqsave)(&frz_incoming_lock);
	dev = frz_incoming_find(pdev);
	return !dev || dev->state != FRZ_INCOMING_FROZEN ||
	       dev->owner == owner;
}
EXPORT_SYMBOL_GPL(frz_incoming_is_owner);

/**
 * frz_incoming_can_finish - May what was kept for a device be released?
 * @id: frz_pci_id() of it, in the previous kernel
 *
 * Return: false while hardware may use it, after a log line.
 */
bool frz_incoming_can_finish(u64 id)
{
	struct frz_incoming_device *dev = find_id(id);

	/* A discard releases what is looked at here. */
	guard(mutex)(&frz_finish_lock);
	if (!dev || dev->state == FRZ_INCOMING_NONE)
		return true;
	if (dev->state != FRZ_INCOMING_FROZEN && frz_incoming_has_left(dev))
		return true;
	frz_at(warn_ratelimited, dev->rec,
	       "not finished: still on its frozen domain; attach it first, or discard it\n");
	return false;
}

/* The device is forgotten, the domain with its last user. */
static void release(struct frz_incoming_device *dev)
{
	struct pci_dev *pdev;

	lockdep_assert_held(&frz_finish_lock);

	/* Whoever refuses it, because it is removed or was moved, still uses it. */
	frz_incoming_wait_refused(dev);
	scoped_guard(spinlock_irqsave, &frz_incoming_lock) {
		pdev = dev->pdev;
		dev->state = FRZ_INCOMING_NONE;
		dev->pdev = NULL;
		dev->owner = NULL;
	}
	frz_domain_put(dev->domain);
	pci_dev_put(pdev);
}

/**
 * frz_incoming_finish - Release what was kept for a device
 * @id: as for frz_incoming_can_finish(), which said yes
 *
 * Context: May sleep.
 */
void frz_incoming_finish(u64 id)
{
	struct frz_incoming_device *dev = find_id(id);

	guard(mutex)(&frz_finish_lock);
	if (!dev || dev->state == FRZ_INCOMING_NONE)
		return;
	release(dev);
	frz_at(info, dev->rec, "finished\n");
}

/**
 * frz_incoming_discard - Give up an incoming device that nobody will claim
 * @segment: its PCI segment
 * @devid: bus << 8 | devfn
 *
 * Stops the device and releases its tables. Its RAM is LUO's: that goes when the
 * session is finished.
 *
 * Context: May sleep.
 * Return: 0, -ENOENT, -EBUSY for a device that somebody has retrieved or that was
 * replaced, or -EIO when hardware still uses the tables, which are kept then.
 */
int frz_incoming_discard(u32 segment, u32 devid)
{
	struct frz_incoming_device *dev = NULL;

	guard(mutex)(&frz_finish_lock);
	if (devid <= 0xffff)
		dev = frz_incoming_at(segment, devid >> 8, devid);
	if (!dev || dev->state == FRZ_INCOMING_NONE)
		return -ENOENT;
	if (dev->state == FRZ_INCOMING_REPLACED)
		return -EBUSY;
	/* Nobody can retrieve it from here on. */
	scoped_guard(spinlock_irqsave, &frz_incoming_lock) {
		if (dev->owner)
			return -EBUSY;
		dev->owner = dev;
	}
	frz_incoming_refuse(dev, "discarded on request");
	if (!frz_incoming_has_left(dev)) {
		frz_at(err, dev->rec,
		       "not discarded: its IOMMU still uses the frozen tables, they are kept\n");
		scoped_guard(spinlock_irqsave, &frz_incoming_lock)
			dev->owner = NULL;
		return -EIO;
	}
	release(dev);
	dev->discarded = true;
	return 0;
}

static bool is_elsewhere(const void *arg)
{
	const struct frz_incoming_device *dev = arg;

	return (dev->state == FRZ_INCOMING_FROZEN) == frz_incoming_has_left(dev);
}

static void show(const struct frz_incoming_device *dev, struct frz_view *view)
{
	static const u32 states[] = {
		[FRZ_INCOMING_NONE] = IOMMU_FREEZE_DISCARDED,
		[FRZ_INCOMING_FROZEN] = IOMMU_FREEZE_FROZEN,
		[FRZ_INCOMING_REPLACED] = IOMMU_FREEZE_REPLACED,
		[FRZ_INCOMING_REFUSED] = IOMMU_FREEZE_REFUSED,
	};
	const struct frz_domain *dom = dev->domain;

	*view = (struct frz_view){
		.segment = dev->rec->segment,
		.devid = dev->rec->bus << 8 | dev->rec->devfn,
		.state = states[dev->state],
		.why = dev->why,
		.compare_us = dev->compare_us,
		.replace_us = dev->replace_us,
		.elsewhere = is_elsewhere,
		.dev = dev,
	};
	if (dev->state == FRZ_INCOMING_NONE)
		return;
	view->tag = dom->rec->tag;
	view->reg_base = dom->unit ? dom->backend->reg_base(dom->unit) : 0;
	view->memory = &dom->memory;
	view->shadow = &dom->shadow;
}

/**
 * frz_incoming_view - Show an incoming device, as long as there is something to see
 * @place: which one
 * @fn: what is done with it
 * @arg: for @fn
 *
 * Context: May sleep.
 * Return: what @fn returned, or -ENOENT.
 */
int frz_incoming_view(struct frz_place *place, frz_view_fn fn, void *arg)
{
	struct frz_incoming_device *dev = NULL;
	struct frz_view view;

	guard(mutex)(&frz_finish_lock);
	while ((dev = frz_incoming_next(dev))) {
		if (dev->state == FRZ_INCOMING_NONE && !dev->discarded)
			continue;
		show(dev, &view);
		if (frz_is_place(place, view.segment, view.devid))
			return fn(arg, &view);
	}
	return -ENOENT;
}
