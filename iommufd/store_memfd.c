// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memfd store: guest RAM in memfds that LUO preserves.
 *
 * Old kernel: a memfd is frozen while LUO preserves it, nothing can be truncated,
 * punched or added. So a folio that is in the page cache of a preserved memfd now
 * was there when LUO listed its folios, and is kept.
 *
 * New kernel: once retrieved, the pages are ordinary ones that may be migrated,
 * collapsed, swapped or truncated, while the device goes on writing to where they
 * are. Between the retrieve of the memfd and the pins of the VMM's new map we
 * hold them.
 *
 * Structure: a struct memfd_hold for each retrieved memfd whose session has a
 * frozen device: the ids of those devices and a reference to each folio. It goes
 * when the last of them is finished or discarded. Until the references are taken,
 * two flags of the mapping keep reclaim and migration away; nobody else has the
 * file yet. A retrieve ends its hold itself: nobody else takes it away before.
 *
 * Locking: preserve runs under the session's mutex, with the folio pinned by
 * iommufd. hold_lock guards the list of holds and the ids of each; a device is
 * found to be frozen and its id added in one go, so that a discard, which takes
 * the lock after it stopped the device, finds every id of it.
 *
 * Fails: for lack of memory, or when LUO cannot retrieve the memfd. Its pages go
 * back to the page allocator then, so the devices are stopped first.
 */
#include <linux/folio_batch.h>
#include <linux/kho/abi/memfd.h>
#include <linux/list.h>
#include <linux/liveupdate.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "../iommu/freeze.h"

struct memfd_hold {
	struct list_head node;
	struct file *file;
	u64 *ids;
	unsigned int nr_ids;
	struct folio **folios;
	size_t nr_folios;
	bool retrieving;
};

static DEFINE_MUTEX(hold_lock);
static LIST_HEAD(holds);

/*
 * The folio is pinned, its file may be on its way out: an inode, and with it the
 * mapping, is freed after a grace period that begins when no folio points to it.
 * Asking about the file alone would not do: a hole that was punched after the map
 * leaves a page that is pinned, mapped, and not kept.
 */
static int memfd_obstacle(struct frz_store *store, struct folio *folio)
{
	const struct liveupdate_file_op_args *args = store->priv;
	struct address_space *mapping;
	struct inode *inode;
	bool preserved;

	guard(rcu)();
	mapping = folio_mapping(folio);
	if (!mapping)
		return folio_test_anon(folio) ?
		       IOMMU_FREEZE_OBSTACLE_NOT_MEMFD :
		       IOMMU_FREEZE_OBSTACLE_PUNCHED;
	inode = mapping->host;
	/* As memfd_luo_can_preserve() and memfd_luo_get_id() have it. */
	if (!shmem_mapping(mapping) || inode->i_nlink)
		return IOMMU_FREEZE_OBSTACLE_NOT_MEMFD;
	/* LUO has a reference to what it preserves: it stays this inode. */
	if (args && store->kept == inode)
		return -1;
	if (args)
		preserved = liveupdate_preserved_with(args, MEMFD_LUO_FH_COMPATIBLE,
						      (unsigned long)inode);
	else
		preserved = READ_ONCE(SHMEM_I(inode)->flags) & SHMEM_F_MAPPING_FROZEN;
	if (!preserved)
		return IOMMU_FREEZE_OBSTACLE_NOT_PRESERVED;
	store->kept = inode;
	return -1;
}

/**
 * frz_store_memfd - Prepare the memfd store for one preserve
 * @store: set up
 * @args: arguments of the .preserve() call in progress
 *
 * A memfd of another session does not count: it could be finished, and its memory
 * freed, while the device still writes to it.
 */
void frz_store_memfd(struct frz_store *store,
		     const struct liveupdate_file_op_args *args)
{
	store->obstacle = memfd_obstacle;
	store->priv = args;
	store->kept = NULL;
}
EXPORT_SYMBOL_GPL(frz_store_memfd);

/**
 * frz_store_memfd_trial - Prepare the memfd store for a trial
 * @store: set up
 *
 * There is no session to ask: a memfd that any session preserves counts.
 */
void frz_store_memfd_trial(struct frz_store *store)
{
	store->obstacle = memfd_obstacle;
	store->priv = NULL;
	store->kept = NULL;
}
EXPORT_SYMBOL_GPL(frz_store_memfd_trial);

static struct memfd_hold *find_hold(struct file *file)
{
	struct memfd_hold *hold;

	list_for_each_entry(hold, &holds, node)
		if (hold->file == file)
			return hold;
	return NULL;
}

static void drop_hold(struct memfd_hold *hold)
{
	size_t i;

	list_del(&hold->node);
	for (i = 0; i < hold->nr_folios; i++) {
		folio_put(hold->folios[i]);
		cond_resched();
	}
	kvfree(hold->folios);
	kfree(hold->ids);
	kfree(hold);
}

static int add_id(struct memfd_hold *hold, u64 id)
{
	u64 *ids = krealloc_array(hold->ids, hold->nr_ids + 1, sizeof(*ids),
				  GFP_KERNEL);

	if (!ids)
		return -ENOMEM;
	hold->ids = ids;
	ids[hold->nr_ids++] = id;
	return 0;
}

/**
 * iommu_freeze_memfd_begin - A memfd is about to get its pages
 * @args: arguments of the .retrieve() call in progress
 * @file: the memfd, empty and known to nobody else
 */
void iommu_freeze_memfd_begin(const struct liveupdate_file_op_args *args,
			      struct file *file)
{
	struct memfd_hold *hold = kzalloc_obj(*hold);
	unsigned int n;
	u64 id;

	guard(mutex)(&hold_lock);
	for (n = 0; liveupdate_data_with(args, FRZ_LUO_NAME, n, &id); n++) {
		if (!frz_incoming_id_frozen(id))
			continue;
		if (!hold || add_id(hold, id))
			frz_incoming_refuse_id(id, "no memory to hold its RAM");
	}
	if (!hold || !hold->nr_ids) {
		kfree(hold);
		return;
	}

	hold->file = file;
	hold->retrieving = true;
	mapping_set_inaccessible(file->f_mapping);
	list_add(&hold->node, &holds);
}

static int hold_folios(struct memfd_hold *hold)
{
	struct address_space *mapping = hold->file->f_mapping;
	struct folio_batch batch;
	pgoff_t next = 0;
	size_t room = 0;
	unsigned int i;

	folio_batch_init(&batch);
	while (filemap_get_folios(mapping, &next, ULONG_MAX, &batch)) {
		unsigned int n = folio_batch_count(&batch);

		if (hold->nr_folios + n > room) {
			struct folio **folios;

			room = max_t(size_t, 2 * room, PAGE_SIZE / sizeof(*folios));
			folios = kvrealloc(hold->folios, array_size(room, sizeof(*folios)),
					   GFP_KERNEL);
			if (!folios) {
				folio_batch_release(&batch);
				return -ENOMEM;
			}
			hold->folios = folios;
		}
		/* The references of the batch become ours. */
		for (i = 0; i < n; i++)
			hold->folios[hold->nr_folios++] = batch.folios[i];
		folio_batch_reinit(&batch);
		cond_resched();
	}
	return 0;
}

static void lose(struct memfd_hold *hold)
{
	unsigned int i;

	lockdep_assert_held(&hold_lock);
	for (i = 0; i < hold->nr_ids; i++)
		frz_incoming_refuse_id(hold->ids[i],
				       "its RAM could not be retrieved");
	drop_hold(hold);
}

/**
 * iommu_freeze_memfd_hold - A memfd has got its pages
 * @file: the memfd of iommu_freeze_memfd_begin()
 *
 * Return: 0 or -ENOMEM; the devices that used the memory are stopped then.
 */
int iommu_freeze_memfd_hold(struct file *file)
{
	struct address_space *mapping = file->f_mapping;
	struct memfd_hold *hold;
	int ret;

	guard(mutex)(&hold_lock);
	hold = find_hold(file);
	if (!hold)
		return 0;

	ret = hold->nr_ids ? hold_folios(hold) : 0;
	if (ret) {
		lose(hold);
		return ret;
	}
	/* Held pages stay where they are: back to an ordinary mapping. */
	clear_bit(AS_INACCESSIBLE, &mapping->flags);
	mapping_clear_unevictable(mapping);
	shmem_unlock_mapping(mapping);

	hold->retrieving = false;
	if (!hold->nr_ids)
		drop_hold(hold);
	return 0;
}

/**
 * iommu_freeze_memfd_lost - The pages of a memfd are about to be freed
 * @file: the memfd of iommu_freeze_memfd_begin()
 *
 * Stops the devices that use them.
 */
void iommu_freeze_memfd_lost(struct file *file)
{
	struct memfd_hold *hold;

	guard(mutex)(&hold_lock);
	hold = find_hold(file);
	if (hold)
		lose(hold);
}

/**
 * frz_store_memfd_finish - A device does not need its pages held any more
 * @id: frz_pci_id() of it, in the previous kernel; it is not frozen any more
 */
void frz_store_memfd_finish(u64 id)
{
	struct memfd_hold *hold, *next;
	unsigned int i;

	guard(mutex)(&hold_lock);
	list_for_each_entry_safe(hold, next, &holds, node) {
		for (i = 0; i < hold->nr_ids; i++)
			if (hold->ids[i] == id)
				hold->ids[i--] = hold->ids[--hold->nr_ids];
		if (!hold->nr_ids && !hold->retrieving)
			drop_hold(hold);
	}
}
