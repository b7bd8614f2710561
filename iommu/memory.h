/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory of frozen tables, see memory.c.
 */
#ifndef _IOMMU_FREEZE_MEMORY_H
#define _IOMMU_FREEZE_MEMORY_H

#include <linux/kho/abi/iommu-freeze.h>
#include <linux/types.h>

struct frz_blob;
struct frz_extent;
struct frz_format;
struct frz_tree;

/**
 * struct frz_memory - the IO page tables of one frozen domain
 * @fmt: their format
 * @levels: levels of the tables
 * @leaf_levels: levels at which a leaf may be, as in struct frz_encoder
 * @top: physical address of the top table
 * @head: physical address of the head, 0 if a descriptor points to the top
 * @stats: what is in them
 * @digest: SHA-256 over the used part of each chunk
 * @chunks: the memory, in the order of the digest
 * @sorted: the same by address, once the tables are complete
 * @nr_chunks: elements of @chunks and of @sorted
 * @kept: the memory is KHO's
 * @sealed: the memory is read-only to the CPU
 *
 * Not locked: filled by one thread, constant once sealed.
 */
struct frz_memory {
	const struct frz_format *fmt;
	u32 levels;
	u32 leaf_levels;
	u64 top;
	u64 head;
	struct frz_stats stats;
	u8 digest[FRZ_DIGEST_LEN];
	struct frz_abi_chunk *chunks;
	struct frz_abi_chunk *sorted;
	u32 nr_chunks;
	bool kept;
	bool sealed;
};

int frz_memory_encode(struct frz_memory *mem, bool keep,
		      const struct frz_tree *live, u32 leaf_levels,
		      int (*check)(void *arg, const struct frz_extent *e),
		      void *arg, u64 *bad_iova);
void *frz_memory_page(struct frz_memory *mem, u64 *pa);
int frz_memory_complete(struct frz_memory *mem);
int frz_memory_import(struct frz_memory *mem, const struct frz_abi_domain *rec,
		      const char **why);
bool frz_memory_intact(const struct frz_memory *mem, u8 *digest);
void frz_memory_seal(struct frz_memory *mem, bool coherent);
void frz_memory_drop(struct frz_memory *mem);
void frz_memory_release(struct frz_memory *mem);

/**
 * struct frz_reader - reads frozen tables for the pure code
 * @mem: the tables
 * @budget: tables that may still be read; bounds the work on bad ones
 */
struct frz_reader {
	const struct frz_memory *mem;
	u64 budget;
};

void frz_memory_tree(struct frz_reader *r, const struct frz_memory *mem,
		     struct frz_tree *t);

#endif /* _IOMMU_FREEZE_MEMORY_H */
