// SPDX-License-Identifier: GPL-2.0-only
/* Make-believe physical memory, see mem.h. */
#include <stdlib.h>

#include <asm/byteorder.h>
#include <linux/array_size.h>

#include "mem.h"

#define MEM_PAGE 4096

static struct mem_page **mem_bucket(struct mem *mem, u64 pa)
{
	return &mem->pages[(pa / MEM_PAGE * 2654435761u >> 12) %
			   ARRAY_SIZE(mem->pages)];
}

static struct mem_page *mem_find(struct mem *mem, u64 pa)
{
	struct mem_page *page = *mem_bucket(mem, pa);

	while (page && page->pa != pa)
		page = page->next;
	return page;
}

struct mem *mem_new(void)
{
	struct mem *mem = calloc(1, sizeof(*mem));

	if (!mem)
		abort();
	mem->fmt = &frz_format_vtdss;
	mem->next = 0x10000000;
	mem->max_allocs = -1UL;
	mem->max_maps = -1UL;
	return mem;
}

void mem_free(struct mem *mem)
{
	struct mem_page *page, *next;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mem->pages); i++) {
		for (page = mem->pages[i]; page; page = next) {
			next = page->next;
			free(page->entries);
			free(page);
		}
	}
	free(mem);
}

__le64 *mem_page(struct mem *mem, u64 pa)
{
	struct mem_page *page = mem_find(mem, pa);

	if (page)
		return page->entries;
	page = malloc(sizeof(*page));
	if (!page)
		abort();
	page->pa = pa;
	page->entries = calloc(1, MEM_PAGE);
	if (!page->entries)
		abort();
	page->next = *mem_bucket(mem, pa);
	*mem_bucket(mem, pa) = page;
	return page->entries;
}

void mem_set(struct mem *mem, u64 table, unsigned int index, u64 entry)
{
	mem_page(mem, table)[index] = cpu_to_le64(entry);
}

/* Stage 1: AF, nG, not privileged; read-only, or not; attributes 1 inner, or 0 outer. */
static u64 lpae_s1_leaf(u64 entry)
{
	return (entry & 2 ? 0xc41 : 0xcc1) | (entry & 0x800 ? 0x304 : 0x200);
}

/* Stage 2: AF; read, write; attributes 0xf inner, or 5 outer */
static u64 lpae_s2_leaf(u64 entry)
{
	return 0x401 | (entry & 3) << 6 | (entry & 0x800 ? 0x33c : 0x214);
}

void mem_set_as(struct mem *mem, unsigned int level, u64 table, unsigned int index, u64 entry)
{
	u64 pa = entry & 0xffffffffff000;
	bool leaf = level == 1 || entry & 0x80;
	u64 as = pa | 3;

	if (mem->fmt == &frz_format_vtdss || !(entry & 3)) {
		mem_set(mem, table, index, entry);
		return;
	}
	if (leaf)
		as = pa | (level == 1 ? 2 : 0) |
		     (mem->fmt == &frz_format_lpae_s1 ? lpae_s1_leaf(entry) : lpae_s2_leaf(entry));
	mem_set(mem, table, index, as);
}

u64 mem_get(struct mem *mem, u64 table, unsigned int index)
{
	struct mem_page *page = mem_find(mem, table);

	return page ? le64_to_cpu(page->entries[index]) : 0;
}

const __le64 *mem_map(void *priv, u64 table)
{
	struct mem *mem = priv;
	struct mem_page *page;

	if (mem->maps == mem->max_maps)
		return NULL;
	mem->maps++;
	page = mem_find(mem, table);
	return page ? page->entries : NULL;
}

__le64 *mem_alloc(void *priv, u64 *pa)
{
	struct mem *mem = priv;

	if (mem->allocs == mem->max_allocs)
		return NULL;
	mem->allocs++;
	*pa = mem->next;
	mem->next += MEM_PAGE;
	return mem_page(mem, *pa);
}

struct frz_tree mem_tables(struct mem *mem, u64 top, unsigned int levels)
{
	struct frz_tree t = {
		.fmt = mem->fmt,
		.top = top,
		.levels = levels,
		.map = mem_map,
		.priv = mem,
	};

	return t;
}
