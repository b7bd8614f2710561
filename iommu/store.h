/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a provider of guest RAM answers.
 */
#ifndef _IOMMU_FREEZE_STORE_H
#define _IOMMU_FREEZE_STORE_H

struct folio;

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

#endif /* _IOMMU_FREEZE_STORE_H */
