// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this kernel hands to the next one.
 *
 * Structure: a list of preserved devices, each with the record that describes it
 * and the context entries to flip between, and a list of frozen domains that
 * they share when they share a live domain. Both are described by a blob in
 * KHO-preserved memory.
 *
 * Preserve does what can fail or take time: it walks, allocates, encodes, and
 * makes sure that the blob will have room. Freeze only flips the context entry
 * and writes the blob into that room: it allocates nothing. The blob names only
 * devices that are frozen, so the next kernel never hears of one that is not.
 *
 * Locking: outgoing_lock serialises everything that changes the lists.
 * outgoing_list_lock is held for each change of the device list and of a
 * device's frozen flag, so that pci/ may look from any context. At shutdown
 * there is one CPU and no lock is taken.
 *
 * Fails: preserve with an errno and one log line that names the device; freeze
 * only when something changed behind the preserve.
 */
#include <linux/kexec_handover.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "freeze.h"

/* A frozen domain on one unit, shared by the devices of one live domain. */
struct outgoing_domain {
	struct list_head node;
	struct iommu_domain *live;
	struct intel_iommu *iommu;
	unsigned int users;
	unsigned int nr_frozen;
	u32 id;
	u32 did;
	struct frozen_tables tables;
};

struct outgoing_device {
	struct list_head node;
	struct pci_dev *pdev;
	struct outgoing_domain *domain;
	struct vtd_entry live_entry;
	struct vtd_entry frozen_entry;
	struct frz_device rec;
	struct frz_bridge bridges[FRZ_MAX_BRIDGES];
	bool frozen;
	u32 preserve_us;
	u32 freeze_us;
};

static DEFINE_MUTEX(outgoing_lock);
static DEFINE_SPINLOCK(outgoing_list_lock);
static LIST_HEAD(outgoing_devices);
static LIST_HEAD(outgoing_domains);
static unsigned int nr_frozen;
static u32 next_domain_id;

/* The blob: room for every preserved device, written at freeze. */
static void *blob;
static size_t blob_room;

static struct outgoing_device *find_device(struct pci_dev *pdev)
{
	struct outgoing_device *dev;

	list_for_each_entry(dev, &outgoing_devices, node)
		if (dev->pdev == pdev)
			return dev;
	return NULL;
}

/* The context table is one page for a whole bus: give it up with the last. */
static void put_context(struct pci_dev *pdev)
{
	struct outgoing_device *dev;

	list_for_each_entry(dev, &outgoing_devices, node)
		if (dev->pdev != pdev && dev->pdev->bus == pdev->bus &&
		    frz_vtd_unit(dev->pdev) == frz_vtd_unit(pdev))
			return;
	frz_vtd_unpreserve_context(pdev);
}

/* Describe what is frozen now. Needs no memory: the room was made at preserve. */
static int write_blob(void)
{
	struct frz_blob_writer w;
	struct outgoing_domain *dom;
	struct outgoing_device *dev;
	long len;

	lockdep_assert_held(&outgoing_lock);

	frz_blob_begin(&w, blob, blob_room);
	if (nr_frozen) {
		frz_vtd_write_units(&w);
		list_for_each_entry(dom, &outgoing_domains, node) {
			struct frz_domain rec = {
				.id = dom->id,
				.format = dom->tables.fmt->id,
				.levels = dom->tables.levels,
				.leaf_levels = dom->tables.leaf_levels,
				.unit = frz_vtd_unit_index(dom->iommu),
				.did = dom->did,
				.top = dom->tables.top,
				.stats = dom->tables.stats,
			};

			if (!dom->nr_frozen)
				continue;
			memcpy(rec.digest, dom->tables.digest,
			       sizeof(rec.digest));
			frz_blob_add_domain(&w, &rec, dom->tables.chunks,
					    dom->tables.nr_chunks);
		}
		list_for_each_entry(dev, &outgoing_devices, node)
			if (dev->frozen)
				frz_blob_add_device(&w, &dev->rec, dev->bridges,
						    dev->rec.nr_bridges);
	}

	len = frz_blob_end(&w, nr_frozen ? FRZ_BLOB_FROZEN : 0,
			   frz_incoming_generation() + 1, frz_sha256_begin());
	frz_sha256_end();
	if (len < 0) {
		pr_err("iommu-freeze: the blob for the next kernel is bad: %s (error %ld, offset %zu, value %#llx)\n",
		       w.err.reason ?: "no room", len, w.err.offset,
		       w.err.value);
		return len;
	}
	return 0;
}

static size_t blob_need(void)
{
	struct outgoing_domain *dom;
	size_t need = frz_blob_size_header();
	struct outgoing_device *dev;

	need += frz_vtd_nr_units() * frz_blob_size_unit(FRZ_MAX_CONTEXTS);
	list_for_each_entry(dom, &outgoing_domains, node)
		need += frz_blob_size_domain(dom->tables.nr_chunks);
	list_for_each_entry(dev, &outgoing_devices, node)
		need += frz_blob_size_device(FRZ_MAX_BRIDGES);
	return need;
}

static void drop_blob(void)
{
	if (!blob)
		return;
	kho_remove_subtree(blob);
	kho_unpreserve_free(blob);
	blob = NULL;
	blob_room = 0;
}

/* Make sure that the blob will have room for everything that is on the lists. */
static int reserve_blob(void)
{
	size_t need = blob_need();
	void *new;
	int ret;

	if (need <= blob_room)
		return 0;
	if (need > FRZ_MAX_BLOB_LEN)
		return -E2BIG;

	need = roundup_pow_of_two(PAGE_ALIGN(need));
	new = kho_alloc_preserve(need);
	if (IS_ERR(new))
		return PTR_ERR(new);

	/* KHO knows the subtree by name, so the old one must go first. */
	drop_blob();
	blob = new;
	blob_room = need;
	ret = kho_add_subtree(FRZ_KHO_NAME, blob, blob_room);
	if (ret) {
		kho_unpreserve_free(blob);
		blob = NULL;
		blob_room = 0;
		return ret;
	}
	return write_blob();
}

struct check_state {
	struct pci_dev *pdev;
	const struct frz_store *store;
};

static int refuse_pages(void *arg, u32 obstacle, u64 iova, u64 len)
{
	return frz_refuse_pages(arg, obstacle, iova);
}

static int check_extent(void *arg, const struct frz_extent *e)
{
	struct check_state *state = arg;

	return frz_look_at_pages(state->store, e, refuse_pages, state->pdev);
}

static void put_domain(struct outgoing_domain *dom)
{
	if (--dom->users)
		return;
	list_del(&dom->node);
	if (dom->did)
		frz_vtd_did_free(dom->iommu, dom->did);
	frozen_tables_drop(&dom->tables);
	kfree(dom);
}

/* The frozen domain for this live one: that of another device, or a new one. */
static struct outgoing_domain *get_domain(struct pci_dev *pdev,
					  struct iommu_domain *live,
					  const struct frz_store *store)
{
	struct intel_iommu *iommu = frz_vtd_unit(pdev);
	struct check_state state = { .pdev = pdev, .store = store };
	struct outgoing_domain *dom;
	struct frz_tables tables;
	u64 bad_iova = 0;
	int ret;

	frz_vtd_live_tables(live, &tables);

	/* Shared, but this device's session must keep the memory as well. */
	list_for_each_entry(dom, &outgoing_domains, node) {
		if (dom->live != live || dom->iommu != iommu)
			continue;
		ret = frz_walk(&tables, check_extent, &state, NULL, &bad_iova);
		if (ret)
			return ERR_PTR(ret);
		dom->users++;
		return dom;
	}

	dom = kzalloc_obj(*dom);
	if (!dom)
		return ERR_PTR(-ENOMEM);
	dom->live = live;
	dom->iommu = iommu;
	dom->id = next_domain_id++;
	dom->users = 1;

	ret = frozen_tables_encode(&dom->tables, &tables,
				   frz_vtd_leaf_levels(iommu), check_extent,
				   &state, &bad_iova);
	if (ret) {
		if (ret == -EINVAL)
			frz_warn(pdev, "not preserved: iova %#llx: the live tables cannot be read\n",
				 bad_iova);
		kfree(dom);
		return ERR_PTR(ret);
	}
	frozen_tables_seal(&dom->tables, frz_vtd_coherent(iommu));
	list_add_tail(&dom->node, &outgoing_domains);

	ret = frz_vtd_did_alloc(iommu);
	if (ret < 0) {
		frz_warn(pdev, "not preserved: the IOMMU has no domain id left\n");
		put_domain(dom);
		return ERR_PTR(ret);
	}
	dom->did = ret;
	return dom;
}

/**
 * frz_outgoing_preserve - Prepare a device to be frozen
 * @pdev: the device, attached to @live, in which no obstacle was found
 * @live: its domain, whose map must not change until unpreserve
 * @store: what keeps its memory
 *
 * Context: May sleep; takes time in proportion to the entries of the live
 * tables. The caller keeps the device from being attached elsewhere.
 * Return: 0, or an errno after one log line that says why.
 */
int frz_outgoing_preserve(struct pci_dev *pdev, struct iommu_domain *live,
			  const struct frz_store *store)
{
	ktime_t begin = ktime_get();
	struct outgoing_device *dev;
	const char *why;
	int ret;

	guard(mutex)(&outgoing_lock);

	dev = kzalloc_obj(*dev);
	if (!dev)
		return -ENOMEM;
	dev->pdev = pdev;

	ret = frz_pci_record(pdev, &dev->rec, dev->bridges);
	if (!ret)
		ret = frz_vtd_live_entry(pdev, live, &dev->live_entry);
	if (ret)
		goto err_free;

	dev->domain = get_domain(pdev, live, store);
	if (IS_ERR(dev->domain)) {
		ret = PTR_ERR(dev->domain);
		goto err_free;
	}
	dev->rec.domain = dev->domain->id;
	dev->rec.unit = frz_vtd_unit_index(dev->domain->iommu);
	dev->rec.state = FRZ_DEVICE_FROZEN;
	dev->frozen_entry = dev->live_entry;
	frz_vtd_frozen_entry(&dev->frozen_entry, dev->domain->tables.top,
			     dev->domain->did);

	if (list_empty(&outgoing_devices)) {
		why = frz_vtd_preserve_roots();
		if (why) {
			frz_warn(pdev, "not preserved: %s\n", why);
			ret = -EOPNOTSUPP;
			goto err_domain;
		}
	}
	ret = frz_vtd_preserve_context(pdev);
	if (ret)
		goto err_roots;

	scoped_guard(spinlock_irqsave, &outgoing_list_lock)
		list_add_tail(&dev->node, &outgoing_devices);

	ret = reserve_blob();
	if (ret) {
		frz_warn(pdev, "not preserved: no room for the handover (error %d)\n",
			 ret);
		goto err_list;
	}

	dev->preserve_us = ktime_us_delta(ktime_get(), begin);
	frz_info(pdev, "preserved: %llu extents, %llu leaves, %llu bytes of tables, %llu bytes mapped\n",
		 dev->domain->tables.stats.extents,
		 dev->domain->tables.stats.leaves,
		 dev->domain->tables.stats.tables << PAGE_SHIFT,
		 dev->domain->tables.stats.bytes);
	return 0;

err_list:
	scoped_guard(spinlock_irqsave, &outgoing_list_lock)
		list_del(&dev->node);
	put_context(pdev);
err_roots:
	if (list_empty(&outgoing_devices))
		frz_vtd_unpreserve_roots();
err_domain:
	put_domain(dev->domain);
err_free:
	kfree(dev);
	return ret;
}
EXPORT_SYMBOL_GPL(frz_outgoing_preserve);

/**
 * frz_outgoing_unpreserve - Undo frz_outgoing_preserve()
 * @pdev: a preserved device
 *
 * Context: May sleep.
 */
void frz_outgoing_unpreserve(struct pci_dev *pdev)
{
	struct outgoing_device *dev;

	guard(mutex)(&outgoing_lock);

	dev = find_device(pdev);
	if (WARN_ON_ONCE(!dev || dev->frozen))
		return;

	scoped_guard(spinlock_irqsave, &outgoing_list_lock)
		list_del(&dev->node);
	put_context(pdev);
	put_domain(dev->domain);
	kfree(dev);

	if (list_empty(&outgoing_devices)) {
		frz_vtd_unpreserve_roots();
		drop_blob();
	}
	frz_info(pdev, "unpreserved\n");
}
EXPORT_SYMBOL_GPL(frz_outgoing_unpreserve);

static void set_frozen(struct outgoing_device *dev, bool frozen)
{
	guard(spinlock_irqsave)(&outgoing_list_lock);
	dev->frozen = frozen;
	if (frozen) {
		dev->domain->nr_frozen++;
		nr_frozen++;
	} else {
		dev->domain->nr_frozen--;
		nr_frozen--;
	}
}

/**
 * frz_outgoing_freeze - Flip a preserved device to its frozen domain
 * @pdev: a preserved device
 *
 * Allocates nothing and walks nothing. The device never stops.
 *
 * Context: May sleep. Called inside reboot(KEXEC).
 * Return: 0, or an errno after one log line; the device is then on its live
 * domain as before.
 */
int frz_outgoing_freeze(struct pci_dev *pdev)
{
	ktime_t begin = ktime_get();
	const char *flaw = frz_image_flaw();
	struct outgoing_device *dev;
	int ret;

	if (flaw) {
		frz_warn(pdev, "not frozen: %s\n", flaw);
		return -ENOEXEC;
	}

	guard(mutex)(&outgoing_lock);

	dev = find_device(pdev);
	if (!dev)
		return -ENOENT;

	/* BARs and bus mastering are the VMM's to change until now. */
	ret = frz_pci_record(pdev, &dev->rec, dev->bridges);
	if (ret)
		return ret;

	ret = frz_vtd_flip(pdev, &dev->live_entry, &dev->frozen_entry);
	if (ret) {
		frz_warn(pdev, "not frozen: its context entry changed after it was preserved\n");
		return ret;
	}

	set_frozen(dev, true);
	ret = write_blob();
	if (ret) {
		set_frozen(dev, false);
		WARN_ON_ONCE(frz_vtd_flip(pdev, &dev->frozen_entry,
					  &dev->live_entry));
		return ret;
	}
	dev->freeze_us = ktime_us_delta(ktime_get(), begin);
	frz_info(pdev, "frozen in %u us\n", dev->freeze_us);
	return 0;
}
EXPORT_SYMBOL_GPL(frz_outgoing_freeze);

/**
 * frz_outgoing_unfreeze - Undo frz_outgoing_freeze()
 * @pdev: a frozen device
 *
 * Context: May sleep. Called when the kexec is given up.
 */
void frz_outgoing_unfreeze(struct pci_dev *pdev)
{
	struct outgoing_device *dev;

	guard(mutex)(&outgoing_lock);

	dev = find_device(pdev);
	if (!dev || !dev->frozen)
		return;
	if (WARN_ON_ONCE(frz_vtd_flip(pdev, &dev->frozen_entry,
				      &dev->live_entry)))
		return;
	set_frozen(dev, false);
	write_blob();
	frz_info(pdev, "unfrozen\n");
}
EXPORT_SYMBOL_GPL(frz_outgoing_unfreeze);

/**
 * frz_outgoing_preserved - Is this device preserved?
 * @pdev: the device
 *
 * Context: Any.
 * Return: true if so.
 */
bool frz_outgoing_preserved(struct pci_dev *pdev)
{
	if (list_empty(&outgoing_devices))
		return false;

	guard(spinlock_irqsave)(&outgoing_list_lock);
	return find_device(pdev);
}
EXPORT_SYMBOL_GPL(frz_outgoing_preserved);

/**
 * frz_outgoing_frozen_below - Is this a frozen device or a bridge above one?
 * @pdev: the device or bridge
 *
 * Context: Any.
 * Return: true if so.
 */
bool frz_outgoing_frozen_below(struct pci_dev *pdev)
{
	struct outgoing_device *dev;
	struct pci_dev *up;

	if (!READ_ONCE(nr_frozen))
		return false;

	guard(spinlock_irqsave)(&outgoing_list_lock);
	list_for_each_entry(dev, &outgoing_devices, node) {
		if (!dev->frozen)
			continue;
		for (up = dev->pdev; up; up = pci_upstream_bridge(up))
			if (up == pdev)
				return true;
	}
	return false;
}

/**
 * frz_outgoing_frozen_at - Is a frozen device at this place?
 * @iommu: the unit that translates it; several may have devices on one bus
 * @bus: bus number
 * @devfn: device and function
 *
 * Context: Only with the other CPUs stopped, or with the lists stable.
 * Return: true if so.
 */
bool frz_outgoing_frozen_at(const struct intel_iommu *iommu, u8 bus, u8 devfn)
{
	struct outgoing_device *dev;

	list_for_each_entry(dev, &outgoing_devices, node)
		if (dev->frozen && dev->domain->iommu == iommu &&
		    dev->rec.bus == bus && dev->rec.devfn == devfn)
			return true;
	return false;
}

/**
 * frz_outgoing_any_frozen - Is any device frozen?
 *
 * Context: Any.
 * Return: true if so.
 */
bool frz_outgoing_any_frozen(void)
{
	return READ_ONCE(nr_frozen);
}

static struct outgoing_device *find_at(u32 segment, u32 devid)
{
	struct outgoing_device *dev;

	lockdep_assert_held(&outgoing_lock);

	list_for_each_entry(dev, &outgoing_devices, node)
		if (dev->rec.segment == segment && devid < 0x10000 &&
		    dev->rec.bus == devid >> 8 && dev->rec.devfn == (devid & 0xff))
			return dev;
	return NULL;
}

/**
 * frz_outgoing_list - Describe one outgoing device for user space
 * @index: which one, from 0
 * @out: filled; zeroed by the caller
 *
 * Context: May sleep.
 * Return: 0, or -ENOENT past the last one.
 */
int frz_outgoing_list(u32 index, struct iommu_freeze_device *out)
{
	struct outgoing_device *dev;

	guard(mutex)(&outgoing_lock);
	list_for_each_entry(dev, &outgoing_devices, node) {
		if (index--)
			continue;
		out->segment = dev->rec.segment;
		out->devid = dev->rec.bus << 8 | dev->rec.devfn;
		out->state = dev->frozen ? IOMMU_FREEZE_FROZEN :
					   IOMMU_FREEZE_PRESERVED;
		out->did = dev->domain->did;
		out->reg_base = frz_vtd_reg_base(dev->domain->iommu);
		out->preserve_us = dev->preserve_us;
		out->freeze_us = dev->freeze_us;
		frozen_tables_describe(&dev->domain->tables, out);
		return 0;
	}
	return -ENOENT;
}

/**
 * frz_outgoing_verify - Compare the frozen tables of a device with its live ones
 * @req: names the device; filled
 *
 * Context: May sleep. The map of a preserved device does not change.
 * Return: 0 or -ENOENT.
 */
int frz_outgoing_verify(struct iommu_freeze_verify *req)
{
	struct outgoing_device *dev;
	struct frz_tables live;
	int ret;

	guard(mutex)(&outgoing_lock);
	dev = find_at(req->segment, req->devid);
	if (!dev)
		return -ENOENT;
	frz_vtd_live_tables(dev->domain->live, &live);
	ret = frozen_tables_verify(&dev->domain->tables, &live, req);
	if (!frz_vtd_is_on(dev->pdev, dev->frozen ? &dev->frozen_entry :
						    &dev->live_entry))
		req->result = IOMMU_FREEZE_ELSEWHERE;
	return ret;
}

/**
 * frz_outgoing_extents - List the extents of an outgoing device
 * @req: names the device; filled
 *
 * Context: May sleep.
 * Return: 0, -ENOENT, -EFAULT or -EIO.
 */
int frz_outgoing_extents(struct iommu_freeze_extents *req)
{
	struct outgoing_device *dev;

	guard(mutex)(&outgoing_lock);
	dev = find_at(req->segment, req->devid);
	return dev ? frozen_tables_extents(&dev->domain->tables, req) : -ENOENT;
}
