// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memfd store: guest RAM in memfds that LUO preserves.
 *
 * Structure: none of its own. A memfd is frozen while LUO preserves it: nothing
 * can be truncated, punched or added. So a folio that is in the page cache of a
 * preserved memfd now was there when LUO listed its folios.
 *
 * Locking: the session's mutex, which LUO holds during preserve; the folio is
 * pinned by iommufd.
 *
 * Fails: never; it says no. A memfd of another session does not count: it could
 * be finished, and its memory freed, while the device still writes to it.
 */
#include <linux/kho/abi/memfd.h>
#include <linux/liveupdate.h>
#include <linux/pagemap.h>

#include "../iommu/freeze.h"

static bool memfd_keeps(const struct frz_store *store, struct folio *folio)
{
	struct address_space *mapping = folio_mapping(folio);

	/* LUO's id of a memfd is its inode, see memfd_luo_get_id(). */
	return mapping && mapping->host &&
	       liveupdate_preserved_with(store->priv, MEMFD_LUO_FH_COMPATIBLE,
					 (unsigned long)mapping->host);
}

/**
 * frz_store_memfd - Prepare the memfd store for one preserve
 * @store: set up
 * @args: arguments of the .preserve() call in progress
 */
void frz_store_memfd(struct frz_store *store,
		     const struct liveupdate_file_op_args *args)
{
	store->name = "memfd that was preserved before in this session";
	store->keeps = memfd_keeps;
	store->priv = args;
}
EXPORT_SYMBOL_GPL(frz_store_memfd);
