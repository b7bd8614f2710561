/* SPDX-License-Identifier: GPL-2.0-only */
/* What can be spoilt is listed at the top of saboteur.c. */
#ifndef HIL_SABOTEUR_H
#define HIL_SABOTEUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blob.h"

#define PAGE	4096

/*
 * What one kind of IOMMU unit has in memory.
 * @spoil: one of its own words; false if that is none of them
 * @entry: what translates the first device, as the blob has its place now
 * @entry_len: bytes of it
 * @add_foreign: see "foreign"
 * @root: index of the table that the unit itself points to
 */
struct kind {
	bool (*spoil)(const struct frz_blob *b, const char *what);
	uint64_t *(*entry)(const struct frz_blob *b);
	size_t entry_len;
	void (*add_foreign)(const struct frz_blob *b);
	u32 root;
};

extern const struct kind vtd;
extern const struct kind smmuv3;

/* Of the records, which the parser only reads. */
struct frz_abi_device *first_device(const struct frz_blob *b);
const struct frz_abi_domain *domain_of_first(const struct frz_blob *b);
const struct frz_abi_table *first_table(const struct frz_blob *b, u32 index);

uint64_t *page_at(u64 address);
u64 copy_page(const struct frz_blob *b, u64 from);

#endif
