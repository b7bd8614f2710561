// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices of the previous kernel.
 *
 * Structure: an array of devices. A device is frozen until its VMM has replaced the
 * domain, then replaced until the VMM is finished, then forgotten. Whatever does not
 * check out on the way makes it refused: bus mastering off, no descriptor, one log
 * line, and the boot goes on. Who comes back for a device goes to claim.c.
 *
 * Locking: incoming_lock guards state, owner and pdev of a device. The array does
 * not change after boot; a device lets go of its domain under finish_lock.
 *
 * Fails: anything that comes from the other kernel.
 */
#include <linux/export.h>
#include <linux/iommu-freeze.h>
#include <linux/iommu.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "../pci/hands.h"
#include "backend.h"
#include "blob.h"
#include "incoming-device.h"
#include "log.h"

DEFINE_SPINLOCK(frz_incoming_lock); /* told above */
DEFINE_MUTEX(frz_finish_lock); /* told above */
struct frz_incoming_device *frz_incoming_devices;
unsigned int frz_nr_incoming;

/**
 * frz_incoming_next - The devices that came, one after the other
 * @dev: the one before, NULL for the first
 *
 * Return: the next one, NULL after the last.
 */
struct frz_incoming_device *frz_incoming_next(struct frz_incoming_device *dev)
{
	dev = dev ? dev + 1 : frz_incoming_devices;
	return dev < frz_incoming_devices + frz_nr_incoming ? dev : NULL;
}

/**
 * frz_incoming_find - Find a device
 * @pdev: the device
 *
 * Context: frz_incoming_lock or its group's mutex held, or boot.
 * Return: its state, NULL if it is of no concern.
 */
struct frz_incoming_device *frz_incoming_find(struct pci_dev *pdev)
{
	struct frz_incoming_device *dev = NULL;

	while ((dev = frz_incoming_next(dev)))
		if (dev->pdev == pdev)
			return dev;
	return NULL;
}

/**
 * frz_incoming_at - Find the device that was at a place
 * @segment: PCI segment
 * @bus: bus number
 * @devfn: device and function
 *
 * Return: its state, NULL if none came from there.
 */
struct frz_incoming_device *frz_incoming_at(u32 segment, u8 bus, u8 devfn)
{
	struct frz_incoming_device *dev = NULL;

	while ((dev = frz_incoming_next(dev)))
		if (dev->rec->segment == segment && dev->rec->bus == bus &&
		    dev->rec->devfn == devfn)
			return dev;
	return NULL;
}

static struct frz_incoming_device *find_stream(u32 unit, u32 stream)
{
	struct frz_incoming_device *dev = NULL;

	while ((dev = frz_incoming_next(dev)))
		if (dev->rec->unit == unit && dev->rec->stream == stream)
			return dev;
	return NULL;
}

/**
 * frz_incoming_refuse - Stop an incoming device
 * @dev: the device; nothing is done unless it is frozen
 * @why: reason, for the log
 *
 * Context: May sleep; the group mutex not held, unless its group does not know yet
 * that it is on its frozen domain.
 */
void frz_incoming_refuse(struct frz_incoming_device *dev, const char *why)
{
	struct pci_dev *pdev;

	scoped_guard(spinlock_irqsave, &frz_incoming_lock) {
		if (dev->state != FRZ_INCOMING_FROZEN)
			return;
		dev->state = FRZ_INCOMING_REFUSED;
		dev->why = why;
		dev->refusing = true;
		/* Once hardware has left the tables, others may finish it. */
		pdev = pci_dev_get(dev->pdev);
	}
	if (pdev)
		frz_pci_stop(pdev);
	/* The core must not think that it is on the frozen domain. */
	if (dev->adopted)
		iommu_group_leave_frozen(&pdev->dev);
	/* Also when the core could not: blocked it must be. */
	frz_domain_block(dev->domain, dev->rec->stream);
	if (pdev)
		frz_pci_left(pdev);
	pci_dev_put(pdev);
	store_release_wake_up(&dev->refusing, false);
	frz_at(err, dev->rec, "refused, its DMA is blocked: %s\n", why);
}

/**
 * frz_incoming_begin - So many devices come from the previous kernel
 * @nr: devices that frz_incoming_add() will be called for
 *
 * Context: Boot, one thread.
 * Return: 0 or -ENOMEM.
 */
int frz_incoming_begin(u32 nr)
{
	frz_incoming_devices = kcalloc(nr, sizeof(*frz_incoming_devices),
				       GFP_KERNEL);
	return frz_incoming_devices ? 0 : -ENOMEM;
}

/**
 * frz_incoming_add - A device comes from the previous kernel
 * @rec: its record, which stays
 * @dom: its frozen domain
 *
 * Context: Boot, one thread.
 */
void frz_incoming_add(const struct frz_abi_device *rec, struct frz_domain *dom)
{
	struct frz_incoming_device *dev = &frz_incoming_devices[frz_nr_incoming++];

	frz_domain_get(dom);
	dev->rec = rec;
	dev->domain = dom;
	dev->state = FRZ_INCOMING_FROZEN;
	if (dom->why)
		frz_incoming_refuse(dev, dom->why);
	else if (rec->state != FRZ_DEVICE_FROZEN)
		frz_incoming_refuse(dev, "it was preserved, but never frozen");
}

/**
 * frz_incoming_unit_done - A unit was adopted or refused
 * @unit: its number
 * @why: NULL, or the reason why it was refused
 *
 * Context: Boot, one thread.
 */
void frz_incoming_unit_done(u32 unit, const char *why)
{
	struct frz_incoming_device *dev = NULL;

	while ((dev = frz_incoming_next(dev)))
		if (dev->rec->unit == unit && (why || dev->domain->why))
			frz_incoming_refuse(dev, why ?: dev->domain->why);
}

/**
 * frz_incoming_expected - The frozen domain that a stream should be on
 * @unit: number of the unit
 * @stream: the stream
 *
 * Return: the domain, NULL if no device may run there.
 */
struct frz_domain *frz_incoming_expected(u32 unit, u32 stream)
{
	struct frz_incoming_device *dev = find_stream(unit, stream);

	return dev && dev->state == FRZ_INCOMING_FROZEN ? dev->domain : NULL;
}

/**
 * frz_incoming_refuse_stream - Stop an incoming device
 * @unit: number of its unit
 * @stream: its stream
 * @why: reason, for the log
 *
 * Context: May sleep.
 */
void frz_incoming_refuse_stream(u32 unit, u32 stream, const char *why)
{
	struct frz_incoming_device *dev = find_stream(unit, stream);

	if (dev)
		frz_incoming_refuse(dev, why);
}

/**
 * frz_incoming_refuse_all - Stop every incoming device
 * @why: reason, for the log
 *
 * Context: May sleep.
 */
void frz_incoming_refuse_all(const char *why)
{
	struct frz_incoming_device *dev = NULL;

	/* A finish, which may follow at once, takes the device away. */
	guard(mutex)(&frz_finish_lock);
	while ((dev = frz_incoming_next(dev)))
		frz_incoming_refuse(dev, why);
}

/**
 * frz_incoming_state - State of a device
 * @pdev: any device
 *
 * Context: Any.
 * Return: the state, FRZ_INCOMING_NONE for a device of no concern.
 */
enum frz_incoming frz_incoming_state(struct pci_dev *pdev)
{
	struct frz_incoming_device *dev;

	if (!frz_nr_incoming)
		return FRZ_INCOMING_NONE;

	guard(spinlock_irqsave)(&frz_incoming_lock);
	dev = frz_incoming_find(pdev);
	return dev ? dev->state : FRZ_INCOMING_NONE;
}

/**
 * frz_incoming_wait_refused - Wait until whoever is refusing a device is through
 * @dev: the device
 *
 * Context: May sleep; the group mutex not held.
 */
void frz_incoming_wait_refused(struct frz_incoming_device *dev)
{
	/* Pairs with store_release_wake_up() in frz_incoming_refuse(). */
	wait_var_event(&dev->refusing, !smp_load_acquire(&dev->refusing));
}

/**
 * frz_incoming_wait - Wait until a device that is being refused is stopped
 * @pdev: any device
 *
 * Context: May sleep; the group mutex not held.
 */
void frz_incoming_wait(struct pci_dev *pdev)
{
	struct frz_incoming_device *dev;

	scoped_guard(spinlock_irqsave, &frz_incoming_lock)
		dev = frz_incoming_find(pdev);
	if (dev)
		frz_incoming_wait_refused(dev);
}
EXPORT_SYMBOL_GPL(frz_incoming_wait);

/**
 * frz_incoming_seen - PCI found a device
 * @pdev: the device, which nobody can have a reference to yet
 * @check: tells NULL if it is the device of the record, else a reason
 *
 * A device that was refused is stopped.
 *
 * Context: Enumeration, before anything but BARs and identity was looked at.
 * Return: true if it is a frozen device and must run on.
 */
bool frz_incoming_seen(struct pci_dev *pdev, const char *(*check)
		       (struct pci_dev *pdev, const struct frz_abi_device *rec,
			const struct frz_abi_bridge *bridges))
{
	struct frz_incoming_device *dev;
	const char *why;

	dev = frz_incoming_at(pci_domain_nr(pdev->bus), pdev->bus->number, pdev->devfn);
	if (!dev || dev->state == FRZ_INCOMING_NONE || dev->pdev)
		return false;

	if (dev->state == FRZ_INCOMING_FROZEN) {
		why = check(pdev, dev->rec, frz_device_bridges(dev->rec));
		if (!why) {
			guard(spinlock_irqsave)(&frz_incoming_lock);
			dev->pdev = pdev;
			return true;
		}
		frz_incoming_refuse(dev, why);
	}
	frz_pci_stop(pdev);
	return false;
}

/**
 * frz_incoming_added - PCI goes on with a device that was found
 * @pdev: the device, which can be referred to from now on
 *
 * Context: Enumeration, before any driver can match.
 * Return: true if frz_incoming_seen() said that it must run on.
 */
bool frz_incoming_added(struct pci_dev *pdev)
{
	struct frz_incoming_device *dev;

	dev = frz_incoming_at(pci_domain_nr(pdev->bus), pdev->bus->number, pdev->devfn);
	if (!dev || dev->state == FRZ_INCOMING_NONE ||
	    (dev->pdev && dev->pdev != pdev))
		return false;

	guard(spinlock_irqsave)(&frz_incoming_lock);
	dev->pdev = pci_dev_get(pdev);
	return dev->state == FRZ_INCOMING_FROZEN;
}

/* May the group of this device start on its frozen domain? NULL or why not. */
static const char *check_group(struct frz_incoming_device *dev, bool alone)
{
	const struct frz_domain *dom = dev->domain;

	if (!dom->unit)
		return "its IOMMU was not on";
	if (!alone)
		return "it shares its IOMMU group now";
	if (frz_backend_of(dev->pdev) != dom->backend ||
	    dom->backend->adopt(dev->pdev, dom->unit, dev->rec->stream))
		return "it is behind another IOMMU or has another stream id";
	return NULL;
}

/**
 * iommu_freeze_adopt - The domain that a new group starts on
 * @dev: any device of the group
 * @alone: it is the only one
 *
 * Context: Group mutex held, before the first attach.
 * Return: the frozen domain that hardware uses for @dev already, or NULL.
 */
struct iommu_domain *iommu_freeze_adopt(struct device *dev, bool alone)
{
	struct frz_incoming_device *in;
	const char *why;

	if (!dev_is_pci(dev))
		return NULL;
	in = frz_incoming_find(to_pci_dev(dev));
	if (!in || in->state != FRZ_INCOMING_FROZEN)
		return NULL;
	why = check_group(in, alone);
	if (why) {
		frz_incoming_refuse(in, why);
		return NULL;
	}
	in->adopted = true;
	frz_info(in->pdev, "incoming, runs on its frozen domain\n");
	return &in->domain->domain;
}

/**
 * frz_incoming_compare - May this live domain replace the frozen one?
 * @pdev: an incoming device on its frozen domain
 * @live: the domain to attach; its map must not change until it is attached
 *
 * Context: May sleep; takes as long as there are entries.
 * Return: 0 if every frozen iova translates alike in @live; -EUCLEAN if not, and
 * -EIO if tables cannot be read, both after one log line; -ENODEV if the device
 * was refused meanwhile.
 */
int frz_incoming_compare(struct pci_dev *pdev, struct iommu_domain *live)
{
	ktime_t begin = ktime_get();
	struct frz_incoming_device *dev;
	int ret;

	/* Should it be refused now, a FINISH may not free what is compared. */
	scoped_guard(spinlock_irqsave, &frz_incoming_lock) {
		dev = frz_incoming_find(pdev);
		if (!dev || dev->state != FRZ_INCOMING_FROZEN)
			return -ENODEV;
		frz_domain_get(dev->domain);
	}
	ret = frz_domain_compare(dev->domain, pdev, live, &dev->leaves);
	if (!ret) {
		dev->compared = ktime_get();
		dev->compare_us = ktime_us_delta(dev->compared, begin);
	}
	frz_domain_put(dev->domain);
	return ret;
}
EXPORT_SYMBOL_GPL(frz_incoming_compare);

/**
 * iommu_freeze_replaced - A device left its frozen domain
 * @dev: the device
 *
 * Context: Group mutex held.
 */
void iommu_freeze_replaced(struct device *dev)
{
	struct pci_dev *pdev = to_pci_dev(dev);
	struct frz_incoming_device *in;

	in = frz_incoming_find(pdev);
	if (!in)
		return;
	if (in->domain->backend->left)
		in->domain->backend->left(pdev, in->domain->rec->format, in->domain->rec->tag);
	scoped_guard(spinlock_irqsave, &frz_incoming_lock) {
		/* A refused device goes this way to its default domain. */
		if (in->state != FRZ_INCOMING_FROZEN)
			return;
		in->state = FRZ_INCOMING_REPLACED;
	}
	/* From here on it may be finished, and forgets its pdev. */
	frz_pci_left(pdev);
	in->replace_us = ktime_us_delta(ktime_get(), in->compared);
	frz_info(pdev, "replaced in %u us (%llu leaves compared in %u us)\n",
		 in->replace_us, in->leaves, in->compare_us);
}

/* Still in its group, and translated as it was; its driver has left it. */
static int device_goes(struct notifier_block *nb, unsigned long action,
		       void *data)
{
	struct frz_incoming_device *dev;

	if (action != BUS_NOTIFY_DEL_DEVICE)
		return NOTIFY_DONE;
	scoped_guard(spinlock_irqsave, &frz_incoming_lock)
		dev = frz_incoming_find(to_pci_dev(data));
	if (dev) {
		frz_incoming_refuse(dev, "it was removed");
		/* Whoever else refuses it needs its group, which goes with it next. */
		frz_incoming_wait_refused(dev);
	}
	/* What is found in its place again is another pci_dev. */
	frz_pci_reset(to_pci_dev(data), true);
	return NOTIFY_OK;
}

static struct notifier_block device_goes_nb = {
	.notifier_call = device_goes,
};

/**
 * frz_incoming_watch - From now on a device that is removed is noticed
 *
 * Context: Boot, before devices can be removed.
 */
void frz_incoming_watch(void)
{
	bus_register_notifier(&pci_bus_type, &device_goes_nb);
}

/**
 * frz_incoming_settle - Who is not on a frozen domain by now never will be
 *
 * Context: Boot, after PCI devices were found and IOMMU drivers have probed.
 */
void frz_incoming_settle(void)
{
	struct frz_incoming_device *dev = NULL;

	while ((dev = frz_incoming_next(dev))) {
		if (!dev->pdev)
			frz_incoming_refuse(dev, "it is not there any more");
		else if (!dev->adopted)
			frz_incoming_refuse(dev, "no IOMMU driver took it over");
		if (dev->state == FRZ_INCOMING_REFUSED &&
		    !frz_incoming_has_left(dev))
			frz_at(err, dev->rec,
			       "its IOMMU was not started: it may do DMA, its memory stays in place\n");
	}
}
