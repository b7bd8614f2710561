// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this kernel hands to the next one.
 *
 * Structure: a list of preserved devices, each with the record that describes it
 * and the descriptors to swap between, and a list of frozen domains that they share
 * when they share a live domain. Both are described by the blob of handover.c.
 *
 * A device is held first: it joins the list, and from then on whoever would
 * change how it is used is told that it is preserved. So what preserve looks at
 * after that stays as it is. A device without a domain is held and no more.
 *
 * Preserve does what can fail or take time: it walks, allocates, encodes, writes
 * the blob as if every device were frozen and checks that. Freeze only swaps the
 * descriptor and brings the device's record up to date, and the last one seals the
 * blob: it allocates nothing, and its work does not depend on what is mapped.
 *
 * Locking: outgoing_rwsem is held for writing by whoever changes the lists, for
 * reading by whoever needs them to stay. LUO runs no preserve and no unpreserve
 * while it freezes, so a freeze never waits for one. outgoing_lock guards, within,
 * which devices are frozen and the seal; it is never held for long. Whether a device
 * is held or frozen PCI notes, so that others may ask in any context. At shutdown
 * there is one CPU and no lock is taken.
 *
 * Fails: preserve with an errno and one log line that names the device; freeze
 * only when something changed behind the preserve.
 */
#include <linux/iommu.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/rwsem.h>
#include <linux/slab.h>

#include "../pci/hands.h"
#include "backend.h"
#include "blob.h"
#include "check.h"
#include "handover.h"
#include "image.h"
#include "import.h"
#include "log.h"
#include "memory.h"
#include "outgoing.h"
#include "walk.h"

/* A frozen domain on one unit, shared by the devices of one live domain. */
struct outgoing_domain {
	struct list_head node;
	struct iommu_domain *live;
	const struct frz_backend *backend;
	struct iommu_device *unit;
	unsigned int users;
	u32 id;
	u32 tag;
	struct frz_memory memory;
};

/**
 * struct frz_outgoing_device - a device that is held or preserved
 * @node: in outgoing_devices
 * @pdev: the device
 * @domain: its frozen domain; NULL while it is only held
 * @live: the descriptor that it is preserved with
 * @frozen: the one that it is frozen with
 * @rec: its record in the blob
 * @bridges: those above it
 * @at: where the record is
 * @is_frozen: hardware uses @frozen
 * @preserve_us: how long preserve took
 * @freeze_us: how long freeze took
 */
struct frz_outgoing_device {
	struct list_head node;
	struct pci_dev *pdev;
	struct outgoing_domain *domain;
	struct frz_descriptor live;
	struct frz_descriptor frozen;
	struct frz_abi_device rec;
	struct frz_abi_bridge bridges[FRZ_MAX_BRIDGES];
	size_t at;
	bool is_frozen;
	u32 preserve_us;
	u32 freeze_us;
};

static DECLARE_RWSEM(outgoing_rwsem);
static DEFINE_MUTEX(outgoing_lock);
static LIST_HEAD(outgoing_devices);
static LIST_HEAD(outgoing_domains);
static unsigned int nr_preserved;
static unsigned int nr_frozen;
static u32 next_domain_id;

static void write_domain(struct frz_blob_writer *w,
			 const struct outgoing_domain *dom)
{
	const struct frz_memory *mem = &dom->memory;
	struct frz_abi_domain rec = {
		.id = dom->id,
		.format = mem->fmt->id,
		.levels = mem->levels,
		.leaf_levels = mem->leaf_levels,
		.unit = frz_blob_unit_number(w, dom->backend->reg_base(dom->unit)),
		.tag = dom->tag,
		.top = mem->top,
		.head = mem->head,
		.stats = mem->stats,
		.nr_chunks = mem->nr_chunks,
	};

	memcpy(rec.digest, mem->digest, sizeof(rec.digest));
	frz_blob_add_domain(w, &rec, mem->chunks);
}

/* Describe all that is preserved, as it will be when it is frozen. */
static int write_blob(void)
{
	struct frz_blob_writer *w = frz_handover_begin();
	const struct frz_backend *backend;
	struct frz_outgoing_device *dev;
	struct outgoing_domain *dom;
	unsigned int i;

	if (!w)
		return -ENOENT;
	for (i = 0; (backend = frz_backend_at(i)); i++)
		backend->write_units(w);
	list_for_each_entry(dom, &outgoing_domains, node)
		write_domain(w, dom);
	list_for_each_entry(dev, &outgoing_devices, node) {
		dom = dev->domain;
		if (!dom)
			continue;
		dev->at = w->used;
		dev->rec.unit = frz_blob_unit_number(w, dom->backend->reg_base(dom->unit));
		frz_blob_add_device(w, &dev->rec, dev->bridges);
	}
	return frz_handover_end(w, frz_import_generation() + 1);
}

/* Make sure that the blob has room for everything that is on the lists. */
static int reserve_blob(void)
{
	size_t need = sizeof(struct frz_abi_header);
	const struct frz_backend *backend;
	struct frz_outgoing_device *dev;
	struct outgoing_domain *dom;
	unsigned int i;

	for (i = 0; (backend = frz_backend_at(i)); i++)
		need += backend->nr_units() *
			frz_blob_size(FRZ_RECORD_UNIT, backend->nr_tables);
	list_for_each_entry(dom, &outgoing_domains, node)
		need += frz_blob_size(FRZ_RECORD_DOMAIN, dom->memory.nr_chunks);
	list_for_each_entry(dev, &outgoing_devices, node)
		if (dev->domain)
			need += frz_blob_size(FRZ_RECORD_DEVICE,
					      dev->rec.nr_bridges);
	return frz_handover_reserve(need);
}

static void unpreserve_units(const struct frz_backend *end)
{
	const struct frz_backend *backend;
	unsigned int i;

	for (i = 0; (backend = frz_backend_at(i)) && backend != end; i++)
		backend->unpreserve_units();
}

/* Also those of a unit without a frozen device: it must block in the next kernel. */
static int preserve_units(void)
{
	const struct frz_backend *backend;
	unsigned int i;
	int ret;

	for (i = 0; (backend = frz_backend_at(i)); i++) {
		ret = backend->preserve_units();
		if (ret) {
			unpreserve_units(backend);
			return ret;
		}
	}
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

	return frz_check_pages(state->store, e, refuse_pages, state);
}

static void put_domain(struct outgoing_domain *dom)
{
	if (--dom->users)
		return;
	list_del(&dom->node);
	dom->backend->tag_free(dom->unit, dom->memory.fmt->id, dom->tag);
	frz_memory_drop(&dom->memory);
	kfree(dom);
}

/* The tables are complete and sealed, or there are none. */
static int make_tables(struct outgoing_domain *dom, const struct frz_tree *live,
		       struct check_state *state, u64 *bad_iova)
{
	const struct frz_backend *backend = dom->backend;
	int ret;

	ret = frz_memory_encode(&dom->memory, true, live,
				backend->leaf_levels(dom->unit), check_extent,
				state, bad_iova);
	if (ret)
		return ret;
	if (backend->make_head)
		ret = backend->make_head(state->pdev, dom->live, &dom->memory,
					 dom->tag);
	if (!ret)
		ret = frz_memory_complete(&dom->memory);
	if (ret) {
		frz_memory_drop(&dom->memory);
		return ret;
	}
	frz_memory_seal(&dom->memory, backend->coherent(dom->unit));
	return 0;
}

static struct outgoing_domain *new_domain(struct check_state *state,
					  struct iommu_domain *live,
					  const struct frz_tree *tree)
{
	struct outgoing_domain *dom = kzalloc_obj(*dom);
	u64 bad_iova = 0;
	int ret;

	if (!dom)
		return ERR_PTR(refuse_tables(state, -ENOMEM, 0));
	dom->live = live;
	dom->backend = frz_backend_of(state->pdev);
	dom->unit = frz_unit_of(state->pdev);
	dom->id = next_domain_id++;
	dom->users = 1;

	ret = dom->backend->tag_alloc(dom->unit, live);
	if (ret < 0) {
		frz_warn(state->pdev, "not preserved: the IOMMU has no cache tag left\n");
		goto err_free;
	}
	dom->tag = ret;
	ret = make_tables(dom, tree, state, &bad_iova);
	if (ret) {
		ret = refuse_tables(state, ret, bad_iova);
		goto err_tag;
	}
	list_add_tail(&dom->node, &outgoing_domains);
	return dom;

err_tag:
	dom->backend->tag_free(dom->unit, tree->fmt->id, dom->tag);
err_free:
	kfree(dom);
	return ERR_PTR(ret);
}

/* The frozen domain for this live one: that of another device, or a new one. */
static struct outgoing_domain *get_domain(struct pci_dev *pdev,
					  struct iommu_domain *live,
					  struct frz_store *store)
{
	struct check_state state = { .pdev = pdev, .store = store };
	struct iommu_device *unit = frz_unit_of(pdev);
	struct outgoing_domain *dom;
	struct frz_tree tree;
	u64 bad_iova = 0;
	int ret;

	frz_backend_of(pdev)->tree(live, &tree);
	list_for_each_entry(dom, &outgoing_domains, node) {
		if (dom->live != live || dom->unit != unit)
			continue;
		/* Shared, but this device's session must keep the memory as well. */
		ret = frz_walk(&tree, check_extent, &state, NULL, &bad_iova);
		if (ret)
			return ERR_PTR(refuse_tables(&state, ret, bad_iova));
		dom->users++;
		return dom;
	}
	return new_domain(&state, live, &tree);
}

/**
 * frz_outgoing_hold - From now on a device is used as it is used now
 * @pdev: the device
 *
 * Whoever changes how the device is used asks PCI whether it is held, under the lock
 * that the change takes: take each of these locks afterwards, and what is seen under
 * it stays.
 *
 * Context: May sleep.
 * Return: what the other calls here take, until frz_outgoing_unpreserve(); or an
 * ERR_PTR(): -ENOMEM, or -EBUSY if it is held already.
 */
struct frz_outgoing_device *frz_outgoing_hold(struct pci_dev *pdev)
{
	struct frz_outgoing_device *dev = kzalloc_obj(*dev);

	if (!dev)
		return ERR_PTR(-ENOMEM);
	dev->pdev = pdev;

	guard(rwsem_write)(&outgoing_rwsem);
	if (!frz_pci_hold(pdev)) {
		kfree(dev);
		return ERR_PTR(-EBUSY);
	}
	list_add_tail(&dev->node, &outgoing_devices);
	return dev;
}
EXPORT_SYMBOL_GPL(frz_outgoing_hold);

/* What the backend needs in the next kernel to translate the device. */
static int preserve_path(struct pci_dev *pdev, const struct frz_backend *backend)
{
	int ret;

	if (!nr_preserved) {
		ret = preserve_units();
		if (ret) {
			frz_warn(pdev, "not preserved: the root tables of the IOMMU cannot be kept (error %d)\n",
				 ret);
			return ret;
		}
	}
	ret = backend->preserve_device(pdev);
	if (!ret)
		return 0;
	frz_warn(pdev, "not preserved: the tables that lead to its descriptor cannot be kept (error %d)\n",
		 ret);
	if (!nr_preserved)
		unpreserve_units(NULL);
	return ret;
}

/* Undo preserve_path(); the device counts no more. */
static void unpreserve_path(struct pci_dev *pdev,
			    const struct frz_backend *backend)
{
	backend->unpreserve_device(pdev);
	if (!nr_preserved)
		unpreserve_units(NULL);
}

/* The blob is about all that is preserved now. */
static int announce(struct frz_outgoing_device *dev, struct outgoing_domain *dom)
{
	int ret;

	dev->domain = dom;
	nr_preserved++;
	ret = reserve_blob();
	if (!ret)
		ret = write_blob();
	if (!ret)
		return 0;
	frz_warn(dev->pdev, "not preserved: no room for the handover (error %d)\n",
		 ret);
	dev->domain = NULL;
	nr_preserved--;
	return ret;
}

/* It is about what is left: one device less, or none. */
static void announce_rest(void)
{
	if (nr_preserved)
		write_blob();
	else
		frz_handover_drop();
}

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
int frz_outgoing_preserve(struct frz_outgoing_device *dev,
			  struct iommu_domain *live, struct frz_store *store)
{
	const struct frz_backend *backend = frz_backend_of(dev->pdev);
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
	ret = backend->live_descriptor(pdev, live, &dev->live);
	if (ret) {
		frz_warn(pdev, "not preserved: its descriptor is not that of its domain\n");
		return ret;
	}
	dom = get_domain(pdev, live, store);
	if (IS_ERR(dom))
		return PTR_ERR(dom);
	dev->rec.domain = dom->id;
	dev->rec.stream = backend->stream(pdev);
	dev->rec.state = FRZ_DEVICE_FROZEN;
	dev->frozen = dev->live;
	backend->frozen_descriptor(&dev->frozen, &dom->memory, dom->tag);

	ret = preserve_path(pdev, backend);
	if (ret)
		goto err_domain;
	ret = announce(dev, dom);
	if (ret)
		goto err_path;

	dev->preserve_us = ktime_us_delta(ktime_get(), begin);
	frz_info(pdev, "preserved: %llu extents, %llu leaves, %llu bytes of tables, %llu bytes mapped\n",
		 dom->memory.stats.extents, dom->memory.stats.leaves,
		 dom->memory.stats.tables << PAGE_SHIFT,
		 dom->memory.stats.bytes);
	return 0;

err_path:
	unpreserve_path(pdev, backend);
err_domain:
	put_domain(dom);
	announce_rest();
	return ret;
}
EXPORT_SYMBOL_GPL(frz_outgoing_preserve);

/*
 * What is freed is asked of the hardware first. A device that is still on its
 * frozen tables has met an error that was logged; it ends here, blocked, and not
 * in memory that is given away.
 */
static void leave_tables(struct frz_outgoing_device *dev)
{
	struct outgoing_domain *dom = dev->domain;

	if (dom->backend->has_left(dom->unit, dev->rec.stream, &dom->memory))
		return;
	dom->backend->block(dom->unit, dev->rec.stream, dom->tag);
	frz_warn(dev->pdev, "its DMA is blocked: it was still on its frozen domain when that was given up; attach it anew\n");
}

/**
 * frz_outgoing_unpreserve - Undo frz_outgoing_preserve() and frz_outgoing_hold()
 * @dev: the device, preserved or only held; it is gone afterwards
 *
 * Context: May sleep.
 */
void frz_outgoing_unpreserve(struct frz_outgoing_device *dev)
{
	struct outgoing_domain *dom = dev->domain;

	guard(rwsem_write)(&outgoing_rwsem);

	list_del(&dev->node);
	if (dom) {
		leave_tables(dev);
		nr_preserved--;
		unpreserve_path(dev->pdev, dom->backend);
		put_domain(dom);
		announce_rest();
		frz_info(dev->pdev, "unpreserved\n");
	}
	frz_pci_unhold(dev->pdev);
	kfree(dev);
}
EXPORT_SYMBOL_GPL(frz_outgoing_unpreserve);

/* Why a device cannot be frozen now, after a log line, or 0. */
static int check_freeze(struct frz_outgoing_device *dev)
{
	int ret;

	if (!frz_handover_written()) {
		frz_warn(dev->pdev, "not frozen: the blob for the next kernel is bad, see above\n");
		return -EIO;
	}
	/* BARs and bus mastering are the VMM's to change until now. */
	ret = frz_pci_record(dev->pdev, &dev->rec, dev->bridges);
	if (ret)
		frz_warn(dev->pdev, "not frozen: it does not answer\n");
	return ret;
}

/**
 * frz_outgoing_freeze - Swap a preserved device to its frozen domain
 * @dev: the device
 *
 * Allocates nothing and walks nothing: the work is the same for each device. The
 * device never stops.
 *
 * Context: May sleep. Called inside reboot(KEXEC).
 * Return: 0, or an errno after one log line; the device is then on its live
 * domain as before.
 */
int frz_outgoing_freeze(struct frz_outgoing_device *dev)
{
	const struct frz_backend *backend = dev->domain->backend;
	struct pci_dev *pdev = dev->pdev;
	const char *flaw = frz_image_flaw();
	ktime_t begin = ktime_get();
	int ret;

	if (flaw) {
		frz_warn(pdev, "not frozen: %s\n", flaw);
		return -ENOEXEC;
	}
	guard(rwsem_read)(&outgoing_rwsem);
	guard(mutex)(&outgoing_lock);

	ret = check_freeze(dev);
	if (ret)
		return ret;
	ret = backend->swap_descriptor(pdev, &dev->live, &dev->frozen);
	if (ret) {
		frz_warn(pdev, "not frozen: its descriptor changed after it was preserved\n");
		return ret;
	}

	frz_handover_seal_device(dev->at, &dev->rec, dev->bridges);
	dev->is_frozen = true;
	frz_pci_freeze(pdev);
	WRITE_ONCE(nr_frozen, nr_frozen + 1);
	if (nr_frozen == nr_preserved)
		frz_handover_seal_end();
	dev->freeze_us = ktime_us_delta(ktime_get(), begin);
	frz_info(pdev, "frozen in %u us\n", dev->freeze_us);
	return 0;
}
EXPORT_SYMBOL_GPL(frz_outgoing_freeze);

/**
 * frz_outgoing_unfreeze - Undo frz_outgoing_freeze()
 * @dev: a frozen device
 *
 * A device whose descriptor is not the frozen one any more is not frozen either,
 * whoever changed it: it stays as it is.
 *
 * Context: May sleep. Called when the kexec is given up.
 */
void frz_outgoing_unfreeze(struct frz_outgoing_device *dev)
{
	guard(rwsem_read)(&outgoing_rwsem);
	guard(mutex)(&outgoing_lock);

	if (!dev->is_frozen)
		return;
	if (dev->domain->backend->swap_descriptor(dev->pdev, &dev->frozen, &dev->live))
		frz_warn(dev->pdev, "its descriptor changed after it was frozen, and stays as it is\n");
	/* The first one to leave breaks the seal; that needs no memory. */
	if (nr_frozen == nr_preserved)
		frz_handover_seal_begin();
	dev->is_frozen = false;
	frz_pci_unfreeze(dev->pdev);
	WRITE_ONCE(nr_frozen, nr_frozen - 1);
	frz_info(dev->pdev, "unfrozen\n");
}
EXPORT_SYMBOL_GPL(frz_outgoing_unfreeze);

/**
 * frz_outgoing_frozen_at - The descriptor of a frozen device at this place
 * @unit: the unit that translates it
 * @stream: its stream
 *
 * Context: Shutdown: LUO lets nobody preserve or unpreserve any more.
 * Return: the descriptor that it was frozen with, or NULL.
 */
const struct frz_descriptor *
frz_outgoing_frozen_at(const struct iommu_device *unit, u32 stream)
{
	struct frz_outgoing_device *dev;

	list_for_each_entry(dev, &outgoing_devices, node)
		if (dev->is_frozen && dev->domain->unit == unit &&
		    dev->rec.stream == stream)
			return &dev->frozen;
	return NULL;
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

static bool is_elsewhere(const void *arg)
{
	const struct frz_outgoing_device *dev = arg;

	guard(mutex)(&outgoing_lock);
	return !dev->domain->backend->is_on(dev->pdev, dev->is_frozen ?
					    &dev->frozen : &dev->live);
}

static int show(const struct frz_outgoing_device *dev, frz_view_fn fn, void *arg)
{
	const struct outgoing_domain *dom = dev->domain;
	struct frz_tree live;
	struct frz_view view = {
		.segment = dev->rec.segment,
		.devid = dev->rec.bus << 8 | dev->rec.devfn,
		.state = dev->is_frozen ? IOMMU_FREEZE_FROZEN :
					  IOMMU_FREEZE_PRESERVED,
		.tag = dom->tag,
		.reg_base = dom->backend->reg_base(dom->unit),
		.preserve_us = dev->preserve_us,
		.freeze_us = dev->freeze_us,
		.memory = &dom->memory,
		.live = &live,
		.elsewhere = is_elsewhere,
		.dev = dev,
	};

	dom->backend->tree(dom->live, &live);
	return fn(arg, &view);
}

/**
 * frz_outgoing_view - Show a preserved device
 * @place: which one
 * @fn: what is done with it
 * @arg: for @fn
 *
 * Context: May sleep. A freeze does not wait for this.
 * Return: what @fn returned, or -ENOENT.
 */
int frz_outgoing_view(struct frz_place *place, frz_view_fn fn, void *arg)
{
	struct frz_outgoing_device *dev;

	guard(rwsem_read)(&outgoing_rwsem);
	list_for_each_entry(dev, &outgoing_devices, node)
		if (dev->domain &&
		    frz_is_place(place, dev->rec.segment,
				 dev->rec.bus << 8 | dev->rec.devfn))
			return show(dev, fn, arg);
	return -ENOENT;
}
