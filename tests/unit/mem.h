/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Make-believe physical memory for tables: pages by address, each its own heap
 * block, so that the sanitizer sees a step beyond one. Used by one thread. A page
 * that was never made cannot be mapped, and limits make alloc and map fail.
 */
#ifndef TESTS_MEM_H
#define TESTS_MEM_H

#include "walk.h"

struct mem_page {
	u64 pa;
	__le64 *entries;
	struct mem_page *next;
};

struct mem {
	const struct frz_format *fmt;	/* of the tables in it, VT-d's if nobody says */
	struct mem_page *pages[1024];
	u64 next;		/* address of the next page that mem_alloc() gives */
	unsigned long allocs;	/* pages that mem_alloc() gave */
	unsigned long max_allocs;
	unsigned long maps;	/* calls of mem_map() */
	unsigned long max_maps;
};

struct mem *mem_new(void);
void mem_free(struct mem *mem);

/* The page at an address, made when it is not there yet. */
__le64 *mem_page(struct mem *mem, u64 pa);

/* Writes one entry of a table. */
void mem_set(struct mem *mem, u64 table, unsigned int index, u64 entry);
/*
 * The same with an entry of VT-d's (R 1, W 2, PS 0x80, SNP 0x800, address), which is put
 * as the format has it. Not by what is tested: these are numbers again.
 */
void mem_set_as(struct mem *mem, unsigned int level, u64 table, unsigned int index, u64 entry);
u64 mem_get(struct mem *mem, u64 table, unsigned int index);

/* For struct frz_tree and struct frz_encoder; priv is the struct mem. */
const __le64 *mem_map(void *priv, u64 table);
__le64 *mem_alloc(void *priv, u64 *pa);

/* Tables in this memory. */
struct frz_tree mem_tables(struct mem *mem, u64 top, unsigned int levels);

#endif
