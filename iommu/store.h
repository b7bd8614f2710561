/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a provider of guest RAM answers, and who provides it, see store_memfd.c.
 */
#ifndef _IOMMU_FREEZE_STORE_H
#define _IOMMU_FREEZE_STORE_H

struct folio;
struct liveupdate_file_op_args;

/**
 * struct frz_store - a provider of guest RAM that survives the kexec
 * @obstacle: which obstacle keeps the store from keeping this folio until the
 *	device is finished, or -1 if it does keep it. Called for each folio that
 *	a leaf maps, with the folio pinned
 * @priv: for @obstacle
 * @kept: for @obstacle: what it found to be kept last
 */
struct frz_store {
	int (*obstacle)(struct frz_store *store, struct folio *folio);
	const void *priv;
	const void *kept;
};

void frz_store_memfd(struct frz_store *store,
		     const struct liveupdate_file_op_args *args);
void frz_store_memfd_trial(struct frz_store *store);

#endif /* _IOMMU_FREEZE_STORE_H */
