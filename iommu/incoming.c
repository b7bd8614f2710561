// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices of the previous kernel.
 *
 * Structure: an array of devices. A device is frozen until its VMM has replaced the
 * domain, then replaced until the VMM is finished, then forgotten. Whatever does not
 * check out on the way makes it refused: bus mastering off, no descriptor, one log
 * line, and the boot goes on.
 *
 * Locking: incoming_lock guards state, owner and pdev of a device. The array does
 * not change after boot; a device lets go of its domain under finish_lock.
 *
 * Fails: anything that comes from the other kernel.
 */
#include <linux/init.h>
#include <linux/iommu-freeze.h>
#include <linux/iommu.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait_bit.h>
#include <uapi/linux/iommu-freeze.h>

#include "../../iommu-priv.h"
#include "../pci/hands.h"
#include "backend.h"
#include "blob.h"
#include "domain.h"
#include "incoming.h"
#include "log.h"

/**
 * struct incoming_device - a device of the previous kernel
 * @rec: its record in the blob
 * @domain: its frozen domain
 * @pdev: the device; NULL before it was found, and after it was finished
 * @state: what became of it
 * @refusing: somebody is stopping it
 * @adopted: its group is on the frozen domain, or was
 * @owner: whom it was given to, or NULL
 * @why: reason why it was refused
 * @discarded: on request
 * @compared: when it was compared
 * @compare_us: how long that took
 * @replace_us: how long the replace took
 * @leaves: how many were compared
 */
struct incoming_device {
	const struct frz_abi_device *rec;
	struct frz_domain *domain;
	struct pci_dev *pdev;
	enum frz_incoming state;
	bool refusing;
	bool adopted;
	const void *owner;
	const char *why;
	bool discarded;
	ktime_t compared;
	u32 compare_us;
	u32 replace_us;
	u64 leaves;
};

static DEFINE_SPINLOCK(incoming_lock);
static DEFINE_MUTEX(finish_lock);
static struct incoming_device *devices;
static unsigned int nr_devices;

#define for_each_incoming(dev) \
	for (dev = devices; dev < devices + nr_devices; dev++)

/* Where a device was, as its log lines begin; it may not be there. */
#define PLACE		"%04x:%02x:%02x.%u: "
#define PLACE_OF(dev)	(dev)->rec->segment, (dev)->rec->bus, \
			PCI_SLOT((dev)->rec->devfn), PCI_FUNC((dev)->rec->devfn)

static struct incoming_device *find_pdev(struct pci_dev *pdev)
{
	struct incoming_device *dev;

	for_each_incoming(dev)
		if (dev->pdev == pdev)
			return dev;
	return NULL;
}

static struct incoming_device *find_at(u32 segment, u8 bus, u8 devfn)
{
	struct incoming_device *dev;

	for_each_incoming(dev)
		if (dev->rec->segment == segment && dev->rec->bus == bus &&
		    dev->rec->devfn == devfn)
			return dev;
	return NULL;
}

static struct incoming_device *find_id(u64 id)
{
	if (id >> 48)
		return NULL;
	return find_at(id >> 16, id >> 8, id);
}

static struct incoming_device *find_stream(u32 unit, u32 stream)
{
	struct incoming_device *dev;

	for_each_incoming(dev)
		if (dev->rec->unit == unit && dev->rec->stream == stream)
			return dev;
	return NULL;
}

/* May its tables be freed? Hardware is asked, not our own state. */
static bool has_left(const struct incoming_device *dev)
{
	return frz_domain_has_left(dev->domain, dev->rec->stream);
}

static void refuse(struct incoming_device *dev, const char *why)
{
	struct pci_dev *pdev;

	scoped_guard(spinlock_irqsave, &incoming_lock) {
		if (dev->state != FRZ_INCOMING_FROZEN)
			return;
		dev->state = FRZ_INCOMING_REFUSED;
		dev->why = why;
		dev->refusing = true;
		/* Once hardware has left the tables, others may finish it. */
		pdev = pci_dev_get(dev->pdev);
	}
	if (pdev) {
		frz_pci_stop(pdev);
		frz_pci_left(pdev);
	}
	/* The core must not think that it is on the frozen domain. */
	if (dev->adopted)
		iommu_group_leave_frozen(&pdev->dev);
	pci_dev_put(pdev);
	/* Also when the core could not: blocked it must be. */
	frz_domain_block(dev->domain, dev->rec->stream);
	store_release_wake_up(&dev->refusing, false);
	pr_err(PLACE "refused, its DMA is blocked: %s\n", PLACE_OF(dev), why);
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
	devices = kcalloc(nr, sizeof(*devices), GFP_KERNEL);
	return devices ? 0 : -ENOMEM;
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
	struct incoming_device *dev = &devices[nr_devices++];

	frz_domain_get(dom);
	dev->rec = rec;
	dev->domain = dom;
	dev->state = FRZ_INCOMING_FROZEN;
	if (dom->why)
		refuse(dev, dom->why);
	else if (rec->state != FRZ_DEVICE_FROZEN)
		refuse(dev, "it was preserved, but never frozen");
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
	struct incoming_device *dev;

	for_each_incoming(dev)
		if (dev->rec->unit == unit && (why || dev->domain->why))
			refuse(dev, why ?: dev->domain->why);
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
	struct incoming_device *dev = find_stream(unit, stream);

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
	struct incoming_device *dev = find_stream(unit, stream);

	if (dev)
		refuse(dev, why);
}

/**
 * frz_incoming_refuse_all - Stop every incoming device
 * @why: reason, for the log
 *
 * Context: May sleep.
 */
void frz_incoming_refuse_all(const char *why)
{
	struct incoming_device *dev;

	/* A finish, which may follow at once, takes the device away. */
	guard(mutex)(&finish_lock);
	for_each_incoming(dev)
		refuse(dev, why);
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
	struct incoming_device *dev;

	if (!nr_devices)
		return FRZ_INCOMING_NONE;

	guard(spinlock_irqsave)(&incoming_lock);
	dev = find_pdev(pdev);
	return dev ? dev->state : FRZ_INCOMING_NONE;
}

static void wait_refused(struct incoming_device *dev)
{
	/* Pairs with store_release_wake_up() in refuse(). */
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
	struct incoming_device *dev;

	scoped_guard(spinlock_irqsave, &incoming_lock)
		dev = find_pdev(pdev);
	if (dev)
		wait_refused(dev);
}

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
	struct incoming_device *dev;
	const char *why;

	dev = find_at(pci_domain_nr(pdev->bus), pdev->bus->number, pdev->devfn);
	if (!dev || dev->state == FRZ_INCOMING_NONE || dev->pdev)
		return false;

	if (dev->state == FRZ_INCOMING_FROZEN) {
		why = check(pdev, dev->rec, frz_device_bridges(dev->rec));
		if (!why) {
			guard(spinlock_irqsave)(&incoming_lock);
			dev->pdev = pdev;
			return true;
		}
		refuse(dev, why);
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
	struct incoming_device *dev;

	dev = find_at(pci_domain_nr(pdev->bus), pdev->bus->number, pdev->devfn);
	if (!dev || dev->state == FRZ_INCOMING_NONE ||
	    (dev->pdev && dev->pdev != pdev))
		return false;

	guard(spinlock_irqsave)(&incoming_lock);
	dev->pdev = pci_dev_get(pdev);
	return dev->state == FRZ_INCOMING_FROZEN;
}

/* May the group of this device start on its frozen domain? NULL or why not. */
static const char *check_group(struct incoming_device *dev, bool alone)
{
	const struct frz_domain *dom = dev->domain;

	if (!dom->unit)
		return "its IOMMU was not on";
	if (!alone)
		return "it shares its IOMMU group now";
	if (frz_backend_of(dev->pdev) != dom->backend ||
	    dom->backend->adopt(dev->pdev, dom->unit))
		return "it is behind another IOMMU or has another requester id";
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
	struct incoming_device *in;
	const char *why;

	if (!dev_is_pci(dev))
		return NULL;
	in = find_pdev(to_pci_dev(dev));
	if (!in || in->state != FRZ_INCOMING_FROZEN)
		return NULL;
	why = check_group(in, alone);
	if (why) {
		refuse(in, why);
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
	struct incoming_device *dev;
	int ret;

	/* Should it be refused now, a FINISH may not free what is compared. */
	scoped_guard(spinlock_irqsave, &incoming_lock) {
		dev = find_pdev(pdev);
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
 * frz_incoming_replaced - A device left its frozen domain
 * @pdev: the device
 *
 * Context: Group mutex held.
 */
void frz_incoming_replaced(struct pci_dev *pdev)
{
	struct incoming_device *dev = find_pdev(pdev);

	if (!dev)
		return;
	scoped_guard(spinlock_irqsave, &incoming_lock) {
		/* A refused device goes this way to its default domain. */
		if (dev->state != FRZ_INCOMING_FROZEN)
			return;
		dev->state = FRZ_INCOMING_REPLACED;
	}
	frz_pci_left(pdev);
	dev->replace_us = ktime_us_delta(ktime_get(), dev->compared);
	frz_info(pdev, "replaced in %u us (%llu leaves compared in %u us)\n",
		 dev->replace_us, dev->leaves, dev->compare_us);
}

/* What PCI did since it was found may have moved it. */
static void check_moved(struct incoming_device *dev)
{
	struct pci_dev *pdev = NULL;
	const char *why;

	scoped_guard(spinlock_irqsave, &incoming_lock)
		if (dev->state == FRZ_INCOMING_FROZEN && dev->adopted)
			pdev = pci_dev_get(dev->pdev);
	if (!pdev)
		return;
	why = frz_pci_changed(pdev, dev->rec, frz_device_bridges(dev->rec));
	if (why)
		refuse(dev, why);
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
	struct incoming_device *dev = find_id(id);

	if (!dev) {
		pr_err_ratelimited("retrieve: device id %#llx is not in the handover\n",
				   id);
		return NULL;
	}
	check_moved(dev);
	guard(spinlock_irqsave)(&incoming_lock);
	if (dev->state != FRZ_INCOMING_REPLACED &&
	    (dev->state != FRZ_INCOMING_FROZEN || !dev->adopted)) {
		pr_err_ratelimited(PLACE "not retrieved: it was refused, see above\n",
				   PLACE_OF(dev));
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
	struct incoming_device *dev;

	guard(spinlock_irqsave)(&incoming_lock);
	dev = find_pdev(pdev);
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
	struct incoming_device *dev;

	guard(spinlock_irqsave)(&incoming_lock);
	dev = find_pdev(pdev);
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
	struct incoming_device *dev;

	guard(spinlock_irqsave)(&incoming_lock);
	dev = find_pdev(pdev);
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
	struct incoming_device *dev = find_id(id);

	/* A discard releases what is looked at here. */
	guard(mutex)(&finish_lock);
	if (!dev || dev->state == FRZ_INCOMING_NONE)
		return true;
	if (dev->state != FRZ_INCOMING_FROZEN && has_left(dev))
		return true;
	pr_warn_ratelimited(PLACE "not finished: still on its frozen domain; attach it first, or discard it\n",
			    PLACE_OF(dev));
	return false;
}

/* The device is forgotten, the domain with its last user. */
static void release(struct incoming_device *dev)
{
	struct pci_dev *pdev;

	lockdep_assert_held(&finish_lock);

	scoped_guard(spinlock_irqsave, &incoming_lock) {
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
	struct incoming_device *dev = find_id(id);

	guard(mutex)(&finish_lock);
	if (!dev || dev->state == FRZ_INCOMING_NONE)
		return;
	release(dev);
	pr_info(PLACE "finished\n", PLACE_OF(dev));
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
	struct incoming_device *dev = NULL;

	guard(mutex)(&finish_lock);
	if (devid <= 0xffff)
		dev = find_at(segment, devid >> 8, devid);
	if (!dev || dev->state == FRZ_INCOMING_NONE)
		return -ENOENT;
	if (dev->state == FRZ_INCOMING_REPLACED)
		return -EBUSY;
	/* Nobody can retrieve it from here on. */
	scoped_guard(spinlock_irqsave, &incoming_lock) {
		if (dev->owner)
			return -EBUSY;
		dev->owner = dev;
	}
	refuse(dev, "discarded on request");
	if (!has_left(dev)) {
		pr_err(PLACE "not discarded: its IOMMU still uses the frozen tables, they are kept\n",
		       PLACE_OF(dev));
		scoped_guard(spinlock_irqsave, &incoming_lock)
			dev->owner = NULL;
		return -EIO;
	}
	release(dev);
	dev->discarded = true;
	return 0;
}

static bool is_elsewhere(const void *arg)
{
	const struct incoming_device *dev = arg;

	return (dev->state == FRZ_INCOMING_FROZEN) == has_left(dev);
}

static void show(const struct incoming_device *dev, struct frz_view *view)
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
	struct incoming_device *dev;
	struct frz_view view;

	guard(mutex)(&finish_lock);
	for_each_incoming(dev) {
		if (dev->state == FRZ_INCOMING_NONE && !dev->discarded)
			continue;
		show(dev, &view);
		if (frz_is_place(place, view.segment, view.devid))
			return fn(arg, &view);
	}
	return -ENOENT;
}

/* Still in its group, and translated as it was; its driver has left it. */
static int device_goes(struct notifier_block *nb, unsigned long action,
		       void *data)
{
	struct incoming_device *dev;

	if (action != BUS_NOTIFY_DEL_DEVICE)
		return NOTIFY_DONE;
	scoped_guard(spinlock_irqsave, &incoming_lock)
		dev = find_pdev(to_pci_dev(data));
	if (dev) {
		refuse(dev, "it was removed");
		/* Whoever else refuses it needs its group, which goes with it next. */
		wait_refused(dev);
	}
	/* What is found in its place again is another pci_dev. */
	frz_pci_reset(to_pci_dev(data), true);
	return NOTIFY_OK;
}

static struct notifier_block device_goes_nb = {
	.notifier_call = device_goes,
};

/**
 * frz_incoming_settle - Who is not on a frozen domain by now never will be
 *
 * Context: Boot, after PCI devices were found and IOMMU drivers have probed.
 */
void frz_incoming_settle(void)
{
	struct incoming_device *dev;

	for_each_incoming(dev) {
		if (!dev->pdev)
			refuse(dev, "it is not there any more");
		else if (!dev->adopted)
			refuse(dev, "no IOMMU driver took it over");
	}
	bus_register_notifier(&pci_bus_type, &device_goes_nb);
}
