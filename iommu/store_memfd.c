// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memfd store: guest RAM in memfds that LUO preserves.
 *
 * A memfd is frozen while LUO preserves it, nothing can be truncated, punched or
 * added. So a folio that is in the page cache of a preserved memfd now was there
 * when LUO listed its folios, and is kept. In the next kernel mm/memfd_luo.c leaves
 * it where it is until the session is finished.
 *
 * Structure: none of its own.
 *
 * Locking: preserve runs under the session's mutex, with the folio pinned by
 * iommufd.
 *
 * Fails: nothing; it says what is in the way.
 */
#include <linux/export.h>
#include <linux/kho/abi/memfd.h>
#include <linux/liveupdate.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/shmem_fs.h>
#include <uapi/linux/iommu-freeze.h>

#include "store.h"

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
