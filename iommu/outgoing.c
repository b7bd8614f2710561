// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this kernel hands to the next one.
 *
 * Structure: a list of preserved devices, each with the record that describes it
 * and the context entries to flip between, and a list of frozen domains that
 * they share when they share a live domain. Both are described by a blob in
 * KHO-preserved memory.
 *
 * A device is held first: it joins the list, and from then on whoever would
 * change how it is used is told that it is preserved. So what preserve looks at
 * after that stays as it is. A device without a domain is held and no more.
 *
 * Preserve does what can fail or take time: it walks, allocates, encodes, writes
 * the blob as if every device were frozen and checks that. Freeze only flips the
 * context entry and brings the device's record up to date, and the last one
 * seals the blob: it allocates nothing, and its work does not depend on what is
 * mapped. Until it is sealed the blob says that nothing is frozen, so the next
 * kernel never hears of a device that is not.
 *
 * Locking: outgoing_rwsem is held for writing by whoever changes the lists, for
 * reading by whoever needs them to stay. LUO runs no preserve and no unpreserve
 * while it freezes, so a freeze never waits for one. outgoing_lock guards, within,
 * which devices are frozen and the seal; it is never held for long.
 * outgoing_list_lock is held for each change of the device list and of a device's
 * frozen flag, so that others may look from any context. At shutdown there is one
 * CPU and no lock is taken.
 *
 * Fails: preserve with an errno and one log line that names the device; freeze
 * only when something changed behind the preserve.
 */
#include <crypto/sha2.h>
#include <linux/kexec_handover.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "freeze.h"

/* A frozen domain on one unit, shared by the devices of one live domain. */
struct outgoing_domain {
	struct list_head node;
	struct iommu_domain *live;
	struct intel_iommu *iommu;
	unsigned int users;
	u32 id;
	u32 did;
	struct frozen_tables tables;
};

/**
 * struct outgoing_device - a device that is held or preserved
 * @node: in outgoing_devices
 * @pdev: the device
 * @domain: its frozen domain; NULL while it is only held
 * @live_entry: the context entry that it is preserved with
 * @frozen_entry: the one that it is frozen with
 * @rec: its record in the blob
 * @bridges: those above it
 * @at: where the record is
 * @frozen: hardware uses @frozen_entry
 * @preserve_us: how long preserve took
 * @freeze_us: how long freeze took
 */
struct outgoing_device {
	struct list_head node;
	struct pci_dev *pdev;
	struct outgoing_domain *domain;
	struct vtd_entry live_entry;
	struct vtd_entry frozen_entry;
	struct frz_device rec;
	struct frz_bridge bridges[FRZ_MAX_BRIDGES];
	size_t at;
	bool frozen;
	u32 preserve_us;
	u32 freeze_us;
};

static DECLARE_RWSEM(outgoing_rwsem);
static DEFINE_MUTEX(outgoing_lock);
static DEFINE_SPINLOCK(outgoing_list_lock);
static LIST_HEAD(outgoing_devices);
static LIST_HEAD(outgoing_domains);
static unsigned int nr_preserved;
static unsigned int nr_frozen;
static u32 next_domain_id;

/* The blob: all that is preserved, sealed when all of it is frozen. */
static void *blob;
static size_t blob_room;
static bool blob_written;
static struct frz_blob_writer blob_writer;
static struct frz_blob_seal seal;
static struct sha256_ctx seal_ctx;

static struct outgoing_device *find_device(struct pci_dev *pdev)
{
	struct outgoing_device *dev;

	list_for_each_entry(dev, &outgoing_devices, node)
		if (dev->pdev == pdev)
			return dev;
	return NULL;
}

/* The context table is one page for a whole bus: give it up with the last. */
static void put_context(struct outgoing_device *gone)
{
	struct outgoing_device *dev;

	list_for_each_entry(dev, &outgoing_devices, node)
		if (dev != gone && dev->domain &&
		    dev->pdev->bus == gone->pdev->bus &&
		    dev->domain->iommu == gone->domain->iommu)
			return;
	frz_vtd_unpreserve_context(gone->pdev);
}

/* Until it is sealed the blob says that nothing is frozen. */
static void begin_seal(void)
{
	const struct frz_sha256 sha256 = frz_sha256_with(&seal_ctx);

	frz_blob_seal_begin(&seal, &blob_writer, &sha256);
}

/* Describe all that is preserved, as it will be when it is frozen. */
static int write_blob(void)
{
	struct frz_blob_writer w;
	struct outgoing_domain *dom;
	struct outgoing_device *dev;
	long len;

	blob_written = false;
	if (!blob)
		return -ENOENT;
	frz_blob_begin(&w, blob, blob_room);
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

		memcpy(rec.digest, dom->tables.digest, sizeof(rec.digest));
		frz_blob_add_domain(&w, &rec, dom->tables.chunks,
				    dom->tables.nr_chunks);
	}
	list_for_each_entry(dev, &outgoing_devices, node) {
		if (!dev->domain)
			continue;
		dev->at = w.used;
		frz_blob_add_device(&w, &dev->rec, dev->bridges,
				    dev->rec.nr_bridges);
	}

	len = frz_blob_end(&w, FRZ_BLOB_FROZEN, frz_incoming_generation() + 1,
			   frz_sha256_begin());
	frz_sha256_end();
	blob_written = len > 0;
	if (!blob_written) {
		pr_err("iommu-freeze: the blob for the next kernel is bad: %s (error %ld, offset %zu, value %#llx)\n",
		       w.err.reason ?: "no room", len, w.err.offset,
		       w.err.value);
		return len;
	}
	blob_writer = w;
	begin_seal();
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
		if (dev->domain)
			need += frz_blob_size_device(dev->rec.nr_bridges);
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
	blob_written = false;
}

/* Make sure that the blob has room for everything that is on the lists. */
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
	if (blob)
		kho_remove_subtree(blob);
	ret = kho_add_subtree(FRZ_KHO_NAME, new, need);
	if (ret) {
		kho_unpreserve_free(new);
		/* Other devices count on it, and it has its place back. */
		if (blob && kho_add_subtree(FRZ_KHO_NAME, blob, blob_room)) {
			pr_err("iommu-freeze: the handover is lost: no device can be frozen until another one is preserved, or all are unpreserved\n");
			kho_unpreserve_free(blob);
			blob = NULL;
			blob_room = 0;
		}
		return ret;
	}
	if (blob)
		kho_unpreserve_free(blob);
	blob = new;
	blob_room = need;
	return 0;
}

struct check_state {
	struct pci_dev *pdev;
	struct frz_store *store;
	bool told;
};

static int refuse_pages(void *arg, u32 obstacle, u64 iova, u64 len)
{
	struct check_state *state = arg;

	state->told = true;
	return frz_refuse_pages(state->pdev, obstacle, iova);
}

/* Each refusal has its line, also one for which no page is to blame. */
static int refuse_tables(const struct check_state *state, int error, u64 iova)
{
	if (state->told)
		return error;
	switch (error) {
	case -ENOMEM:
		frz_warn(state->pdev, "not preserved: no memory for its frozen tables\n");
		return error;
	case -E2BIG:
		frz_warn(state->pdev, "not preserved: its frozen tables are more than a handover takes; map fewer or larger pieces\n");
		return error;
	default:
		frz_warn(state->pdev, "not preserved: iova %#llx: the live tables cannot be read (error %d)\n",
			 iova, error);
		return -EIO;
	}
}

static int check_extent(void *arg, const struct frz_extent *e)
{
	struct check_state *state = arg;

	return frz_look_at_pages(state->store, e, refuse_pages, state);
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
					  struct frz_store *store)
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
			return ERR_PTR(refuse_tables(&state, ret, bad_iova));
		dom->users++;
		return dom;
	}

	dom = kzalloc_obj(*dom);
	if (!dom)
		return ERR_PTR(refuse_tables(&state, -ENOMEM, 0));
	dom->live = live;
	dom->iommu = iommu;
	dom->id = next_domain_id++;
	dom->users = 1;

	ret = frozen_tables_encode(&dom->tables, true, &tables,
				   frz_vtd_leaf_levels(iommu), check_extent,
				   &state, &bad_iova);
	if (ret) {
		kfree(dom);
		return ERR_PTR(refuse_tables(&state, ret, bad_iova));
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
 * frz_outgoing_hold - From now on a device is used as it is used now
 * @pdev: the device
 *
 * frz_outgoing_preserved() is true from here on. Whoever changes how the device
 * is used asks that under the lock that the change takes: take each of these
 * locks afterwards, and what is seen under it stays.
 *
 * Context: May sleep.
 * Return: what the other calls here take, until frz_outgoing_unpreserve(); or an
 * ERR_PTR() of -ENOMEM.
 */
struct outgoing_device *frz_outgoing_hold(struct pci_dev *pdev)
{
	struct outgoing_device *dev = kzalloc_obj(*dev);

	if (!dev)
		return ERR_PTR(-ENOMEM);
	dev->pdev = pdev;

	guard(rwsem_write)(&outgoing_rwsem);
	guard(spinlock_irqsave)(&outgoing_list_lock);
	list_add_tail(&dev->node, &outgoing_devices);
	return dev;
}
EXPORT_SYMBOL_GPL(frz_outgoing_hold);

/**
 * frz_outgoing_preserve - Prepare a device to be frozen
 * @dev: the device, held and attached to @live, in which no obstacle was found
 * @live: its domain, whose map must not change until unpreserve
 * @store: what keeps its memory
 *
 * Context: May sleep; takes time in proportion to the entries of the live
 * tables.
 * Return: 0, or an errno after one log line that says why; the device is then
 * held as before.
 */
int frz_outgoing_preserve(struct outgoing_device *dev, struct iommu_domain *live,
			  struct frz_store *store)
{
	struct pci_dev *pdev = dev->pdev;
	ktime_t begin = ktime_get();
	struct outgoing_domain *dom;
	int ret;

	guard(rwsem_write)(&outgoing_rwsem);

	ret = frz_pci_record(pdev, &dev->rec, dev->bridges);
	if (ret) {
		frz_warn(pdev, "not preserved: it does not answer\n");
		return ret;
	}
	ret = frz_vtd_live_entry(pdev, live, &dev->live_entry);
	if (ret)
		return ret;

	dom = get_domain(pdev, live, store);
	if (IS_ERR(dom))
		return PTR_ERR(dom);
	dev->rec.domain = dom->id;
	dev->rec.unit = frz_vtd_unit_index(dom->iommu);
	dev->rec.state = FRZ_DEVICE_FROZEN;
	dev->frozen_entry = dev->live_entry;
	frz_vtd_frozen_entry(&dev->frozen_entry, dom->tables.top, dom->did);

	if (!nr_preserved) {
		ret = frz_vtd_preserve_roots();
		if (ret) {
			frz_warn(pdev, "not preserved: the root tables of the IOMMU cannot be kept (error %d)\n",
				 ret);
			goto err_domain;
		}
	}
	ret = frz_vtd_preserve_context(pdev);
	if (ret) {
		frz_warn(pdev, "not preserved: the context table of its bus cannot be kept (error %d)\n",
			 ret);
		goto err_roots;
	}

	dev->domain = dom;
	nr_preserved++;
	ret = reserve_blob();
	if (!ret)
		ret = write_blob();
	if (ret) {
		frz_warn(pdev, "not preserved: no room for the handover (error %d)\n",
			 ret);
		goto err_context;
	}

	dev->preserve_us = ktime_us_delta(ktime_get(), begin);
	frz_info(pdev, "preserved: %llu extents, %llu leaves, %llu bytes of tables, %llu bytes mapped\n",
		 dom->tables.stats.extents, dom->tables.stats.leaves,
		 dom->tables.stats.tables << PAGE_SHIFT,
		 dom->tables.stats.bytes);
	return 0;

err_context:
	put_context(dev);
	dev->domain = NULL;
	nr_preserved--;
err_roots:
	if (!nr_preserved)
		frz_vtd_unpreserve_roots();
err_domain:
	put_domain(dom);
	if (nr_preserved)
		write_blob();
	else
		drop_blob();
	return ret;
}
EXPORT_SYMBOL_GPL(frz_outgoing_preserve);

/*
 * What is freed is asked of the hardware first. A device that is still on its
 * frozen tables has met an error that was logged; it ends here, blocked, and not
 * in memory that is given away.
 */
static void leave_tables(struct outgoing_device *dev)
{
	struct outgoing_domain *dom = dev->domain;

	if (frz_vtd_has_left(dom->iommu, dev->rec.bus, dev->rec.devfn,
			     dom->tables.top))
		return;
	frz_vtd_block(dom->iommu, dev->rec.bus, dev->rec.devfn, dom->did);
	frz_warn(dev->pdev, "its DMA is blocked: it was still on its frozen domain when that was given up; attach it anew\n");
}

/**
 * frz_outgoing_unpreserve - Undo frz_outgoing_preserve() and frz_outgoing_hold()
 * @dev: the device, preserved or only held; it is gone afterwards
 *
 * Context: May sleep.
 */
void frz_outgoing_unpreserve(struct outgoing_device *dev)
{
	guard(rwsem_write)(&outgoing_rwsem);

	if (dev->domain) {
		leave_tables(dev);
		put_context(dev);
		nr_preserved--;
	}
	scoped_guard(spinlock_irqsave, &outgoing_list_lock)
		list_del(&dev->node);
	if (dev->domain) {
		put_domain(dev->domain);
		if (nr_preserved) {
			write_blob();
		} else {
			frz_vtd_unpreserve_roots();
			drop_blob();
		}
		frz_info(dev->pdev, "unpreserved\n");
	}
	kfree(dev);
}
EXPORT_SYMBOL_GPL(frz_outgoing_unpreserve);

static void set_frozen(struct outgoing_device *dev, bool frozen)
{
	guard(spinlock_irqsave)(&outgoing_list_lock);
	dev->frozen = frozen;
	nr_frozen += frozen ? 1 : -1;
}

/**
 * frz_outgoing_freeze - Flip a preserved device to its frozen domain
 * @dev: the device
 *
 * Allocates nothing and walks nothing: the work is the same for each device. The
 * device never stops.
 *
 * Context: May sleep. Called inside reboot(KEXEC).
 * Return: 0, or an errno after one log line; the device is then on its live
 * domain as before.
 */
int frz_outgoing_freeze(struct outgoing_device *dev)
{
	struct pci_dev *pdev = dev->pdev;
	ktime_t begin = ktime_get();
	const char *flaw = frz_image_flaw();
	int ret;

	if (flaw) {
		frz_warn(pdev, "not frozen: %s\n", flaw);
		return -ENOEXEC;
	}

	guard(rwsem_read)(&outgoing_rwsem);
	guard(mutex)(&outgoing_lock);

	if (!blob_written) {
		frz_warn(pdev, "not frozen: the blob for the next kernel is bad, see above\n");
		return -EIO;
	}
	/* BARs and bus mastering are the VMM's to change until now. */
	ret = frz_pci_record(pdev, &dev->rec, dev->bridges);
	if (ret) {
		frz_warn(pdev, "not frozen: it does not answer\n");
		return ret;
	}

	ret = frz_vtd_flip(pdev, &dev->live_entry, &dev->frozen_entry);
	if (ret) {
		frz_warn(pdev, "not frozen: its context entry changed after it was preserved\n");
		return ret;
	}

	frz_blob_seal_device(&seal, dev->at, &dev->rec, dev->bridges);
	set_frozen(dev, true);
	if (nr_frozen == nr_preserved)
		frz_blob_seal_end(&seal);
	dev->freeze_us = ktime_us_delta(ktime_get(), begin);
	frz_info(pdev, "frozen in %u us\n", dev->freeze_us);
	return 0;
}
EXPORT_SYMBOL_GPL(frz_outgoing_freeze);

/**
 * frz_outgoing_unfreeze - Undo frz_outgoing_freeze()
 * @dev: a frozen device
 *
 * A device whose entry is not the frozen one any more is not frozen either,
 * whoever changed it: the entry stays as it is.
 *
 * Context: May sleep. Called when the kexec is given up.
 */
void frz_outgoing_unfreeze(struct outgoing_device *dev)
{
	guard(rwsem_read)(&outgoing_rwsem);
	guard(mutex)(&outgoing_lock);

	if (!dev->frozen)
		return;
	if (frz_vtd_flip(dev->pdev, &dev->frozen_entry, &dev->live_entry))
		frz_warn(dev->pdev, "its context entry changed after it was frozen, and stays as it is\n");
	/* The first one to leave breaks the seal; that needs no memory. */
	if (nr_frozen == nr_preserved)
		begin_seal();
	set_frozen(dev, false);
	frz_info(dev->pdev, "unfrozen\n");
}
EXPORT_SYMBOL_GPL(frz_outgoing_unfreeze);

/**
 * frz_outgoing_preserved - Is this device preserved?
 * @pdev: the device
 *
 * Context: Any.
 * Return: true if so, and already while it is only held.
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
 * frz_outgoing_frozen_at - The context entry of a frozen device at this place
 * @iommu: the unit that translates it; several may have devices on one bus
 * @bus: bus number
 * @devfn: device and function
 *
 * Context: Only with the other CPUs stopped, or with the lists stable.
 * Return: the entry that it was frozen with, or NULL.
 */
const struct vtd_entry *
frz_outgoing_frozen_at(const struct intel_iommu *iommu, u8 bus, u8 devfn)
{
	struct outgoing_device *dev;

	list_for_each_entry(dev, &outgoing_devices, node)
		if (dev->frozen && dev->domain->iommu == iommu &&
		    dev->rec.bus == bus && dev->rec.devfn == devfn)
			return &dev->frozen_entry;
	return NULL;
}

/**
 * frz_outgoing_on_bus - Is a preserved device on this bus?
 * @iommu: the unit that translates it
 * @bus: bus number
 *
 * Context: Only with the lists stable.
 * Return: true if so.
 */
bool frz_outgoing_on_bus(const struct intel_iommu *iommu, u8 bus)
{
	struct outgoing_device *dev;

	list_for_each_entry(dev, &outgoing_devices, node)
		if (dev->domain && dev->domain->iommu == iommu &&
		    dev->rec.bus == bus)
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

	lockdep_assert_held(&outgoing_rwsem);

	list_for_each_entry(dev, &outgoing_devices, node)
		if (dev->domain && dev->rec.segment == segment &&
		    devid < 0x10000 && dev->rec.bus == devid >> 8 &&
		    dev->rec.devfn == (devid & 0xff))
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

	guard(rwsem_read)(&outgoing_rwsem);
	list_for_each_entry(dev, &outgoing_devices, node) {
		if (!dev->domain || index--)
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
 * Context: May sleep. The map of a preserved device does not change. A freeze
 * does not wait for this.
 * Return: 0 or -ENOENT.
 */
int frz_outgoing_verify(struct iommu_freeze_verify *req)
{
	struct outgoing_device *dev;
	struct frz_tables live;
	int ret;

	guard(rwsem_read)(&outgoing_rwsem);
	dev = find_at(req->segment, req->devid);
	if (!dev)
		return -ENOENT;
	frz_vtd_live_tables(dev->domain->live, &live);
	ret = frozen_tables_verify(&dev->domain->tables, &live, req);
	scoped_guard(mutex, &outgoing_lock)
		if (!frz_vtd_is_on(dev->pdev, dev->frozen ?
				   &dev->frozen_entry : &dev->live_entry))
			req->result = IOMMU_FREEZE_ELSEWHERE;
	return ret;
}

/**
 * frz_outgoing_extents - List some extents of an outgoing device
 * @req: names the device; filled, but for the extents
 * @extents: room for as many as @req says
 *
 * Context: May sleep. A freeze does not wait for this.
 * Return: 0, -ENOENT or -EIO.
 */
int frz_outgoing_extents(struct iommu_freeze_extents *req,
			 struct iommu_freeze_extent *extents)
{
	struct outgoing_device *dev;

	guard(rwsem_read)(&outgoing_rwsem);
	dev = find_at(req->segment, req->devid);
	return dev ? frozen_tables_extents(&dev->domain->tables, req, extents) :
		     -ENOENT;
}
