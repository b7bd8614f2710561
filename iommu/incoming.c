// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the previous kernel handed to this one.
 *
 * Structure: a copy of the blob and, made from it, an array of frozen domains
 * and one of devices. A device is frozen until its VMM has replaced the domain,
 * then replaced until the VMM is finished, then forgotten. Whatever does not
 * check out on the way makes it refused: bus mastering off, no context entry, one
 * log line, and the boot goes on.
 *
 * A blob that cannot be read at all leaves no devices to refuse. Then every unit
 * starts with empty tables and every endpoint without bus mastering.
 *
 * Locking: incoming_lock guards state, owner and pdev of a device, and the users
 * of a domain. The arrays do not change after boot; a domain's tables are freed with
 * its last device, under finish_lock, or by the comparison that is still reading
 * them then.
 *
 * Fails: anything that comes from the other kernel.
 */
#include <linux/init.h>
#include <linux/iommu.h>
#include <linux/kexec_handover.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait_bit.h>

#include "../../iommu-priv.h"
#include "freeze.h"

/**
 * struct incoming_domain - a frozen domain
 * @domain: what the IOMMU core sees: no map, no unmap
 * @rec: its record
 * @tables: its tables
 * @iommu: its unit, NULL until that was adopted
 * @why: reason why it was refused, or NULL
 * @did_taken: its domain id is reserved
 * @users: devices that are not finished, and comparisons under way
 */
struct incoming_domain {
	struct iommu_domain domain;
	struct frz_domain rec;
	struct frozen_tables tables;
	struct intel_iommu *iommu;
	const char *why;
	bool did_taken;
	unsigned int users;
};

struct incoming_device {
	struct frz_device rec;
	struct frz_bridge bridges[FRZ_MAX_BRIDGES];
	struct incoming_domain *domain;
	struct pci_dev *pdev;
	enum frz_incoming state;
	bool refusing;
	bool adopted;
	struct frz_pci_had had;
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
static struct frz_blob blob;
static bool bad;
static struct incoming_domain *domains;
static struct incoming_device *devices;
static unsigned int nr_devices;

/* Units whose tables hardware no longer uses: it was given others, or is off. */
static DECLARE_BITMAP(refused_units, FRZ_MAX_UNITS);

static const struct iommu_domain_ops frozen_domain_ops;

/**
 * iommu_domain_is_frozen - Is this a frozen domain?
 * @domain: any domain, or NULL
 *
 * Context: Any.
 * Return: true if so.
 */
bool iommu_domain_is_frozen(const struct iommu_domain *domain)
{
	return domain && domain->ops == &frozen_domain_ops;
}

static struct incoming_domain *to_incoming(struct iommu_domain *domain)
{
	return container_of(domain, struct incoming_domain, domain);
}

/* A device is on its frozen domain from boot; nobody can be attached to it. */
static int frozen_attach_dev(struct iommu_domain *domain, struct device *dev,
			     struct iommu_domain *old)
{
	return -EBUSY;
}

static phys_addr_t frozen_iova_to_phys(struct iommu_domain *domain,
				       dma_addr_t iova)
{
	struct frozen_reader r;
	struct frz_extent leaf;
	struct frz_tables t;

	frozen_tables_reader(&r, &to_incoming(domain)->tables, &t);
	if (frz_lookup(&t, iova, &leaf))
		return 0;
	return leaf.pa + (iova - leaf.iova);
}

static const struct iommu_domain_ops frozen_domain_ops = {
	.attach_dev = frozen_attach_dev,
	.iova_to_phys = frozen_iova_to_phys,
};

static struct incoming_device *find_pdev(struct pci_dev *pdev)
{
	unsigned int i;

	for (i = 0; i < nr_devices; i++)
		if (devices[i].pdev == pdev)
			return &devices[i];
	return NULL;
}

static struct incoming_device *find_at(u32 segment, u8 bus, u8 devfn)
{
	struct incoming_device *dev;

	for (dev = devices; dev < devices + nr_devices; dev++)
		if (dev->rec.segment == segment && dev->rec.bus == bus &&
		    dev->rec.devfn == devfn)
			return dev;
	return NULL;
}

static struct incoming_device *find_id(u64 id)
{
	if (id >> 48)
		return NULL;
	return find_at(id >> 16, id >> 8, id);
}

/* May its tables be freed? Hardware is asked, not our own state. */
static bool has_left(const struct incoming_device *dev)
{
	return !dev->domain->iommu ||
	       frz_vtd_has_left(dev->domain->iommu, dev->rec.bus,
				dev->rec.devfn, dev->domain->tables.top);
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
	if (pdev)
		frz_pci_stop(pdev);
	if (dev->adopted) {
		frz_pci_left(pdev, &dev->had);
		/* The core must not think that it is on the frozen domain. */
		iommu_group_leave_frozen(&pdev->dev);
	}
	pci_dev_put(pdev);
	/* Also when the core could not: blocked it must be. */
	if (!has_left(dev))
		frz_vtd_block(dev->domain->iommu, dev->rec.bus, dev->rec.devfn,
			      dev->domain->rec.did);
	store_release_wake_up(&dev->refusing, false);
	pr_err("iommu-freeze: %04x:%02x:%02x.%u: refused, its DMA is blocked: %s\n",
	       dev->rec.segment, dev->rec.bus, PCI_SLOT(dev->rec.devfn),
	       PCI_FUNC(dev->rec.devfn), why);
}

/**
 * frz_incoming_id_frozen - Is the device with this id on its frozen domain?
 * @id: frz_pci_id() of it, in the previous kernel
 *
 * Return: true if so.
 */
bool frz_incoming_id_frozen(u64 id)
{
	struct incoming_device *dev = find_id(id);

	return dev && dev->state == FRZ_INCOMING_FROZEN;
}

/**
 * frz_incoming_refuse_id - Stop an incoming device
 * @id: frz_pci_id() of it, in the previous kernel
 * @why: reason, for the log
 *
 * Context: May sleep.
 */
void frz_incoming_refuse_id(u64 id, const char *why)
{
	struct incoming_device *dev = find_id(id);

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
	for (dev = devices; dev < devices + nr_devices; dev++)
		refuse(dev, why);
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
	unsigned int i;

	for (i = 0; i < nr_devices; i++)
		refuse(&devices[i], why);
	for (i = 0; i < blob.nr_domains; i++) {
		if (domains[i].did_taken)
			frz_vtd_did_free(domains[i].iommu, domains[i].rec.did);
		domains[i].did_taken = false;
		domains[i].iommu = NULL;
	}
	bitmap_fill(refused_units, FRZ_MAX_UNITS);
}

/**
 * frz_incoming_generation - Kexecs in a row that carried something frozen
 *
 * Return: 0 if nothing came with this boot.
 */
u64 frz_incoming_generation(void)
{
	return blob.generation;
}

/**
 * frz_incoming_bad - Did a blob come that cannot be read?
 *
 * Return: true if so.
 */
bool frz_incoming_bad(void)
{
	return bad;
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

/**
 * frz_incoming_frozen_below - Is this a frozen device or a bridge above one?
 * @pdev: the device or bridge
 *
 * Context: Any.
 * Return: true if so.
 */
bool frz_incoming_frozen_below(struct pci_dev *pdev)
{
	struct incoming_device *dev;
	struct pci_dev *up;

	guard(spinlock_irqsave)(&incoming_lock);
	for (dev = devices; dev < devices + nr_devices; dev++) {
		if (dev->state != FRZ_INCOMING_FROZEN)
			continue;
		for (up = dev->pdev; up; up = pci_upstream_bridge(up))
			if (up == pdev)
				return true;
	}
	return false;
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
		       (struct pci_dev *pdev, const struct frz_device *rec,
			const struct frz_bridge *bridges))
{
	struct incoming_device *dev;
	const char *why;

	dev = find_at(pci_domain_nr(pdev->bus), pdev->bus->number, pdev->devfn);
	if (!dev || dev->state == FRZ_INCOMING_NONE || dev->pdev)
		return false;

	if (dev->state == FRZ_INCOMING_FROZEN) {
		why = check(pdev, &dev->rec, dev->bridges);
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

/**
 * frz_incoming_unit - Look up an IOMMU unit in the handover
 * @reg_base: physical address of its registers
 * @unit: set when the unit is good
 *
 * Devices of the unit that PCI has not found by now are refused.
 *
 * Context: Boot, after PCI enumeration.
 * Return: whether the unit came from the previous kernel, and is usable.
 */
enum frz_unit_state frz_incoming_unit(u64 reg_base,
				      struct frz_incoming_unit *unit)
{
	struct incoming_device *dev;

	if (bad)
		return FRZ_UNIT_BAD;
	if (!blob.nr_devices)
		return FRZ_UNIT_NONE;

	for (dev = devices; dev < devices + nr_devices; dev++)
		if (!dev->pdev)
			refuse(dev, "it is not there any more");

	memset(unit, 0, sizeof(*unit));
	unit->blob = &blob;
	while (frz_blob_next_unit(&blob, &unit->rec)) {
		if (unit->rec.reg_base == reg_base)
			return FRZ_UNIT_GOOD;
		unit->index++;
	}
	return FRZ_UNIT_BAD;
}

/**
 * frz_incoming_unit_done - A unit was adopted or refused
 * @unit: what frz_incoming_unit() told
 * @iommu: the unit
 * @why: NULL, or the reason why it was refused
 *
 * Context: Boot, before any domain id of the unit is allocated.
 */
void __init frz_incoming_unit_done(const struct frz_incoming_unit *unit,
				   struct intel_iommu *iommu, const char *why)
{
	struct incoming_device *dev;
	struct frz_unit rec;
	u32 i;

	if (why)
		__set_bit(unit->index, refused_units);

	for (i = 0; i < blob.nr_domains && !why; i++) {
		struct incoming_domain *dom = &domains[i];

		frz_blob_find_unit(&blob, dom->rec.unit, &rec);
		if (rec.reg_base != unit->rec.reg_base)
			continue;
		dom->iommu = iommu;
		dom->did_taken = !frz_vtd_did_reserve(iommu, dom->rec.did);
		if (!dom->did_taken)
			dom->why = dom->why ?: "its domain id cannot be reserved";
		if (!dom->why)
			frozen_tables_seal(&dom->tables, frz_vtd_coherent(iommu));
	}

	for (dev = devices; dev < devices + nr_devices; dev++) {
		frz_blob_find_unit(&blob, dev->rec.unit, &rec);
		if (rec.reg_base != unit->rec.reg_base)
			continue;
		if (why || dev->domain->why)
			refuse(dev, why ?: dev->domain->why);
	}
}

/**
 * frz_incoming_expected - What should the context entry at a place point to?
 * @unit: the unit whose entry it is
 * @bus: bus number
 * @devfn: device and function
 * @did: set to the domain id that it should carry
 *
 * Return: the frozen tables, NULL if no device may run there.
 */
const struct frozen_tables *
frz_incoming_expected(const struct frz_incoming_unit *unit, u8 bus, u8 devfn,
		      u32 *did)
{
	struct incoming_device *dev = find_at(unit->rec.segment, bus, devfn);

	if (!dev || dev->rec.unit != unit->index ||
	    dev->state != FRZ_INCOMING_FROZEN)
		return NULL;
	*did = dev->domain->rec.did;
	return &dev->domain->tables;
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

	if (!dev_is_pci(dev))
		return NULL;
	in = find_pdev(to_pci_dev(dev));
	if (!in || in->state != FRZ_INCOMING_FROZEN)
		return NULL;

	if (!in->domain->iommu) {
		refuse(in, "its IOMMU was not on");
		return NULL;
	}
	if (!alone) {
		refuse(in, "it shares its IOMMU group now");
		return NULL;
	}
	if (frz_vtd_adopt_device(in->pdev, in->domain->iommu)) {
		refuse(in, "it is behind another IOMMU or has another requester id");
		return NULL;
	}
	frz_pci_adopt(in->pdev, &in->had);
	in->adopted = true;
	in->domain->domain.owner = dev_iommu_ops(dev);
	frz_info(in->pdev, "incoming, runs on its frozen domain\n");
	return &in->domain->domain;
}

static const char *prot_name(u32 prot)
{
	switch (prot & (FRZ_READ | FRZ_WRITE)) {
	case FRZ_READ:
		return "read-only";
	case FRZ_WRITE:
		return "write-only";
	default:
		return "read-write";
	}
}

/* The last of its users is through with a domain. */
static void put_domain(struct incoming_domain *dom)
{
	scoped_guard(spinlock_irqsave, &incoming_lock)
		if (--dom->users)
			return;
	if (dom->did_taken)
		frz_vtd_did_free(dom->iommu, dom->rec.did);
	frozen_tables_release(&dom->tables);
}

static int compare(struct incoming_device *dev, struct pci_dev *pdev,
		   struct iommu_domain *live)
{
	struct frz_tables frozen_t, live_t;
	ktime_t begin = ktime_get();
	struct frozen_reader r;
	struct frz_findings f = {};
	struct frz_stats stats;
	struct frz_diff diff;
	u64 offset;
	int ret;

	frz_vtd_look(pdev, &f);
	if (!f.found)
		frz_vtd_look_at_domain(live, &f);
	if (frz_refuse(pdev, "replaced", &f))
		return -EINVAL;

	frozen_tables_reader(&r, &dev->domain->tables, &frozen_t);
	frz_vtd_live_tables(live, &live_t);
	ret = frz_compare(&frozen_t, &live_t, &diff, &stats);
	if (ret < 0) {
		frz_warn(pdev, "not replaced: iova %#llx: the %s tables cannot be read (error %d)\n",
			 diff.iova, diff.live_failed ? "new" : "frozen", ret);
		return -EIO;
	}
	if (ret) {
		offset = diff.iova - diff.frozen.iova;
		if (!diff.live_present)
			frz_warn(pdev, "not replaced: iova %#llx: frozen %s, not mapped now\n",
				 diff.iova, prot_name(diff.frozen.prot));
		else
			/* No addresses: a VMM may ask for this line, and read it. */
			frz_warn(pdev, "not replaced: iova %#llx: frozen %s, now mapped %s to %s page\n",
				 diff.iova, prot_name(diff.frozen.prot),
				 prot_name(diff.live.prot),
				 diff.frozen.pa + offset == diff.live.pa +
				 (diff.iova - diff.live.iova) ? "the same" : "another");
		return -EUCLEAN;
	}
	dev->compared = ktime_get();
	dev->compare_us = ktime_us_delta(dev->compared, begin);
	dev->leaves = stats.leaves;
	return 0;
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
	struct incoming_device *dev;
	int ret;

	/* Should it be refused now, a FINISH may not free what is compared. */
	scoped_guard(spinlock_irqsave, &incoming_lock) {
		dev = find_pdev(pdev);
		if (!dev || dev->state != FRZ_INCOMING_FROZEN)
			return -ENODEV;
		dev->domain->users++;
	}
	ret = compare(dev, pdev, live);
	put_domain(dev->domain);
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
	frz_pci_left(pdev, &dev->had);
	dev->replace_us = ktime_us_delta(ktime_get(), dev->compared);
	frz_info(pdev, "replaced in %u us (%llu leaves compared in %u us)\n",
		 dev->replace_us, dev->leaves, dev->compare_us);
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
	struct pci_dev *pdev = NULL;
	const char *why;

	if (!dev) {
		pr_err_ratelimited("iommu-freeze: retrieve: device id %#llx is not in the handover\n",
				   id);
		return NULL;
	}
	/* What PCI did since it was found may have moved it. */
	scoped_guard(spinlock_irqsave, &incoming_lock)
		if (dev->state == FRZ_INCOMING_FROZEN && dev->adopted)
			pdev = pci_dev_get(dev->pdev);
	if (pdev) {
		why = frz_pci_changed(pdev, &dev->rec, dev->bridges);
		if (why)
			refuse(dev, why);
		pci_dev_put(pdev);
	}
	guard(spinlock_irqsave)(&incoming_lock);
	if (dev->state != FRZ_INCOMING_REPLACED &&
	    (dev->state != FRZ_INCOMING_FROZEN || !dev->adopted)) {
		pr_err_ratelimited("iommu-freeze: %04x:%02x:%02x.%u: not retrieved: it was refused, see above\n",
				   dev->rec.segment, dev->rec.bus,
				   PCI_SLOT(dev->rec.devfn),
				   PCI_FUNC(dev->rec.devfn));
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
	pr_warn_ratelimited("iommu-freeze: %04x:%02x:%02x.%u: not finished: still on its frozen domain; attach it first, or discard it\n",
			    dev->rec.segment, dev->rec.bus,
			    PCI_SLOT(dev->rec.devfn),
			    PCI_FUNC(dev->rec.devfn));
	return false;
}

/* The device is forgotten, the domain with its last user. */
static void release(struct incoming_device *dev)
{
	struct incoming_domain *dom = dev->domain;
	struct pci_dev *pdev;

	lockdep_assert_held(&finish_lock);

	scoped_guard(spinlock_irqsave, &incoming_lock) {
		pdev = dev->pdev;
		dev->state = FRZ_INCOMING_NONE;
		dev->pdev = NULL;
		dev->owner = NULL;
	}
	put_domain(dom);
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
	frz_store_memfd_finish(id);
	pr_info("iommu-freeze: %04x:%02x:%02x.%u: finished\n", dev->rec.segment,
		dev->rec.bus, PCI_SLOT(dev->rec.devfn),
		PCI_FUNC(dev->rec.devfn));
}

static u32 devid_of(const struct incoming_device *dev)
{
	return dev->rec.bus << 8 | dev->rec.devfn;
}

/* The device that user space names, as long as there is something to see. */
static struct incoming_device *find_devid(u32 segment, u32 devid)
{
	struct incoming_device *dev;

	for (dev = devices; dev < devices + nr_devices; dev++)
		if (dev->rec.segment == segment && devid_of(dev) == devid &&
		    (dev->state != FRZ_INCOMING_NONE || dev->discarded))
			return dev;
	return NULL;
}

/**
 * frz_incoming_list - Describe one incoming device for user space
 * @index: which one, from 0
 * @out: filled; zeroed by the caller
 *
 * Context: May sleep.
 * Return: 0, or -ENOENT past the last one.
 */
int frz_incoming_list(u32 index, struct iommu_freeze_device *out)
{
	static const u32 states[] = {
		[FRZ_INCOMING_NONE] = IOMMU_FREEZE_DISCARDED,
		[FRZ_INCOMING_FROZEN] = IOMMU_FREEZE_FROZEN,
		[FRZ_INCOMING_REPLACED] = IOMMU_FREEZE_REPLACED,
		[FRZ_INCOMING_REFUSED] = IOMMU_FREEZE_REFUSED,
	};
	struct incoming_device *dev;

	guard(mutex)(&finish_lock);
	for (dev = devices; dev < devices + nr_devices; dev++) {
		if (dev->state == FRZ_INCOMING_NONE && !dev->discarded)
			continue;
		if (index--)
			continue;
		out->segment = dev->rec.segment;
		out->devid = devid_of(dev);
		out->state = states[dev->state];
		out->compare_us = dev->compare_us;
		out->replace_us = dev->replace_us;
		if (dev->why)
			strscpy(out->why, dev->why, sizeof(out->why));
		if (dev->state == FRZ_INCOMING_NONE)
			return 0;
		out->did = dev->domain->rec.did;
		if (dev->domain->iommu)
			out->reg_base = frz_vtd_reg_base(dev->domain->iommu);
		frozen_tables_describe(&dev->domain->tables, out);
		return 0;
	}
	return -ENOENT;
}

/**
 * frz_incoming_verify - Check the frozen tables of an incoming device
 * @req: names the device; filled
 *
 * A device on its frozen domain must be where its tables are, and they must be
 * what they were when it arrived. After the replace, it must be elsewhere.
 *
 * Context: May sleep.
 * Return: 0 or -ENOENT.
 */
int frz_incoming_verify(struct iommu_freeze_verify *req)
{
	struct incoming_device *dev;
	bool frozen;
	int ret;

	guard(mutex)(&finish_lock);
	dev = find_devid(req->segment, req->devid);
	if (!dev || dev->discarded || !dev->domain->tables.nr_chunks)
		return -ENOENT;
	ret = frozen_tables_verify(&dev->domain->tables, NULL, req);
	frozen = dev->state == FRZ_INCOMING_FROZEN;
	if (frozen == has_left(dev))
		req->result = IOMMU_FREEZE_ELSEWHERE;
	return ret;
}

/**
 * frz_incoming_extents - List some extents of an incoming device
 * @req: names the device; filled, but for the extents
 * @extents: room for as many as @req says
 *
 * Context: May sleep.
 * Return: 0, -ENOENT or -EIO.
 */
int frz_incoming_extents(struct iommu_freeze_extents *req,
			 struct iommu_freeze_extent *extents)
{
	struct incoming_device *dev;

	guard(mutex)(&finish_lock);
	dev = find_devid(req->segment, req->devid);
	if (!dev || dev->discarded || !dev->domain->tables.nr_chunks)
		return -ENOENT;
	return frozen_tables_extents(&dev->domain->tables, req, extents);
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
	struct incoming_device *dev;

	guard(mutex)(&finish_lock);
	dev = find_devid(segment, devid);
	if (!dev || dev->discarded)
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
		pr_err("iommu-freeze: %04x:%02x:%02x.%u: not discarded: its IOMMU still uses the frozen tables, they are kept\n",
		       segment, dev->rec.bus, PCI_SLOT(dev->rec.devfn),
		       PCI_FUNC(dev->rec.devfn));
		scoped_guard(spinlock_irqsave, &incoming_lock)
			dev->owner = NULL;
		return -EIO;
	}
	release(dev);
	frz_store_memfd_finish((u64)segment << 16 | devid);
	dev->discarded = true;
	return 0;
}

static int __init import_domains(void)
{
	struct frz_domain rec = {};
	struct incoming_domain *dom;

	domains = kcalloc(blob.nr_domains, sizeof(*domains), GFP_KERNEL);
	if (!domains)
		return -ENOMEM;

	for (dom = domains; frz_blob_next_domain(&blob, &rec); dom++) {
		dom->rec = rec;
		dom->domain.type = IOMMU_DOMAIN_UNMANAGED;
		dom->domain.ops = &frozen_domain_ops;
		dom->domain.pgsize_bitmap = SZ_4K;
		if (!frozen_tables_import(&dom->tables, &blob, &rec, &dom->why))
			frozen_tables_remember(&dom->tables);
	}
	return 0;
}

static int __init import_devices(void)
{
	struct frz_device rec = {};
	struct incoming_device *dev;
	u32 i;

	devices = kcalloc(blob.nr_devices, sizeof(*devices), GFP_KERNEL);
	if (!devices)
		return -ENOMEM;

	for (dev = devices; frz_blob_next_device(&blob, &rec); dev++) {
		dev->rec = rec;
		dev->state = FRZ_INCOMING_FROZEN;
		for (i = 0; i < rec.nr_bridges; i++)
			frz_blob_bridge(&blob, &rec, i, &dev->bridges[i]);
		for (i = 0; i < blob.nr_domains; i++)
			if (domains[i].rec.id == rec.domain)
				dev->domain = &domains[i];
		dev->domain->users++;
		nr_devices++;
		if (dev->domain->why)
			refuse(dev, dev->domain->why);
		else if (rec.state != FRZ_DEVICE_FROZEN)
			refuse(dev, "it was preserved, but never frozen");
	}
	return 0;
}

/* Our own copy: the page allocator gets the memory of the original back. */
static void * __init take_blob(phys_addr_t phys, size_t size)
{
	int order = kho_preserved_order(phys);
	void *copy;

	if (order < 0 || size > PAGE_SIZE << order) {
		pr_err("iommu-freeze: the handover is not in preserved memory\n");
		return NULL;
	}
	copy = kvmemdup(phys_to_virt(phys), size, GFP_KERNEL);
	kho_restore_free(phys_to_virt(phys));
	if (!copy)
		pr_err("iommu-freeze: no memory for the handover\n");
	return copy;
}

static int __init frz_incoming_init(void)
{
	struct frz_blob_error err = {};
	phys_addr_t phys;
	size_t size;
	void *copy;
	int ret;

	ret = kho_retrieve_subtree(FRZ_KHO_NAME, &phys, &size);
	if (ret == -ENOENT)
		return 0;

	bad = true;
	if (ret) {
		pr_err("iommu-freeze: the handover cannot be found (error %d)\n",
		       ret);
		goto out;
	}
	copy = take_blob(phys, size);
	if (!copy)
		goto out;

	ret = frz_blob_open(&blob, copy, size, frz_sha256_begin(), &err);
	frz_sha256_end();
	if (ret) {
		pr_err("iommu-freeze: the handover is refused: offset %#zx: %s (value %#llx, error %d)\n",
		       err.offset, err.reason, err.value, ret);
		goto out_free;
	}
	if (!(blob.flags & FRZ_BLOB_FROZEN) || !blob.nr_devices) {
		/* Somebody preserved and unpreserved, nothing is frozen. */
		bad = false;
		goto out_free;
	}
	if (import_domains() || import_devices()) {
		pr_err("iommu-freeze: no memory for the incoming devices\n");
		goto out_free;
	}
	bad = false;
	pr_info("iommu-freeze: %u devices on %u frozen domains come from the previous kernel\n",
		blob.nr_devices, blob.nr_domains);
	return 0;

out_free:
	memset(&blob, 0, sizeof(blob));
	kvfree(copy);
out:
	if (bad)
		pr_err("iommu-freeze: every device starts blocked and without bus mastering\n");
	return 0;
}
postcore_initcall(frz_incoming_init);

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

/* By now the IOMMU driver has probed: who is not on a frozen domain never will. */
static int __init frz_incoming_settle(void)
{
	struct incoming_device *dev;
	struct frz_unit rec = {};
	u32 index = 0;

	for (dev = devices; dev < devices + nr_devices; dev++)
		if (!dev->adopted)
			refuse(dev, "no IOMMU driver took it over");

	while (nr_devices && frz_blob_next_unit(&blob, &rec))
		if (test_bit(index++, refused_units))
			frz_vtd_release_unit(&blob, &rec);
	if (nr_devices || bad)
		bus_register_notifier(&pci_bus_type, &device_goes_nb);
	return 0;
}
device_initcall(frz_incoming_settle);
