// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of frozen tables.
 *
 * Structure: a struct frz_memory owns a list of physically contiguous chunks,
 * filled from the front with tables of one page each. They are KHO-preserved
 * memory, except for a trial's, which must be gone with this kernel.
 * While it is encoded one thread owns it. Then it is sealed: read-only to the
 * CPU, with a digest over every table, and nobody writes to it until it is
 * freed, which is why reading takes no lock.
 *
 * Fails: encoding (no memory, a bad live table, a caller's check) and importing
 * what the previous kernel says (anything). Both leave nothing behind.
 */
#include <crypto/sha2.h>
#include <linux/bsearch.h>
#include <linux/cacheflush.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/set_memory.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "blob.h"
#include "encode.h"
#include "log.h"
#include "memory.h"

/*
 * Chunks double in size as tables are added, so that a small domain does not
 * waste memory and a large one lies in few pieces.
 */
#define CHUNK_MIN	SZ_16K
#define CHUNK_MAX	SZ_2M

static void tables_digest(const struct frz_memory *mem, u8 *digest)
{
	struct sha256_ctx ctx;
	u32 i;

	sha256_init(&ctx);
	for (i = 0; i < mem->nr_chunks; i++)
		sha256_update(&ctx, phys_to_virt(mem->chunks[i].address),
			      mem->chunks[i].used);
	sha256_final(&ctx, digest);
}

/**
 * frz_memory_intact - Do the tables still have their digest?
 * @mem: the tables
 * @digest: set to the one that they have, FRZ_DIGEST_LEN bytes
 *
 * Context: May sleep, takes as long as there are tables.
 * Return: true if so.
 */
bool frz_memory_intact(const struct frz_memory *mem, u8 *digest)
{
	tables_digest(mem, digest);
	return !memcmp(digest, mem->digest, FRZ_DIGEST_LEN);
}

static void *alloc_chunk(const struct frz_memory *mem, size_t len)
{
	void *chunk;

	if (mem->kept)
		return kho_alloc_preserve(len);
	chunk = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN,
					 get_order(len));
	return chunk ?: ERR_PTR(-ENOMEM);
}

static void free_chunk(const struct frz_memory *mem,
		       const struct frz_abi_chunk *chunk)
{
	void *virt = phys_to_virt(chunk->address);

	if (mem->kept)
		kho_unpreserve_free(virt);
	else
		free_pages((unsigned long)virt, get_order(chunk->len));
}

static int add_chunk(struct frz_memory *mem)
{
	struct frz_abi_chunk *chunks, *chunk;
	size_t len = CHUNK_MIN;
	void *virt;

	if (mem->nr_chunks == FRZ_MAX_CHUNKS)
		return -E2BIG;
	if (mem->nr_chunks)
		len = min_t(size_t, 2 * mem->chunks[mem->nr_chunks - 1].len,
			    CHUNK_MAX);

	chunks = krealloc_array(mem->chunks, mem->nr_chunks + 1,
				sizeof(*chunks), GFP_KERNEL);
	if (!chunks)
		return -ENOMEM;
	mem->chunks = chunks;

	/* Fragmented memory has no large pieces left: take smaller ones. */
	virt = alloc_chunk(mem, len);
	while (IS_ERR(virt) && len > PAGE_SIZE) {
		len /= 2;
		virt = alloc_chunk(mem, len);
	}
	if (IS_ERR(virt))
		return PTR_ERR(virt);

	chunk = &chunks[mem->nr_chunks++];
	chunk->address = virt_to_phys(virt);
	chunk->len = len;
	chunk->used = 0;
	return 0;
}

/* A zeroed page behind those that are in use, or an ERR_PTR(). */
static void *add_page(struct frz_memory *mem, u64 *pa)
{
	struct frz_abi_chunk *chunk;
	int ret;

	if (!mem->nr_chunks || mem->chunks[mem->nr_chunks - 1].used ==
			       mem->chunks[mem->nr_chunks - 1].len) {
		ret = add_chunk(mem);
		if (ret)
			return ERR_PTR(ret);
	}
	chunk = &mem->chunks[mem->nr_chunks - 1];
	*pa = chunk->address + chunk->used;
	chunk->used += PAGE_SIZE;
	return phys_to_virt(*pa);
}

struct encode_state {
	struct frz_encoder enc;
	struct frz_memory *mem;
	int (*check)(void *arg, const struct frz_extent *e);
	void *arg;
	int no_chunk;		/* why there was none */
};

static __le64 *alloc_table(void *priv, u64 *pa)
{
	struct encode_state *state = priv;
	void *table = add_page(state->mem, pa);

	cond_resched();
	if (!IS_ERR(table))
		return table;
	state->no_chunk = PTR_ERR(table);
	return NULL;
}

static int compare_chunks(const void *a, const void *b)
{
	const struct frz_abi_chunk *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

/* The chunks are complete: make them easy to find. */
static int sort_chunks(struct frz_memory *mem)
{
	mem->sorted = kmemdup_array(mem->chunks, mem->nr_chunks,
				    sizeof(*mem->chunks), GFP_KERNEL);
	if (!mem->sorted)
		return -ENOMEM;
	sort(mem->sorted, mem->nr_chunks, sizeof(*mem->sorted), compare_chunks,
	     NULL);
	return 0;
}

static int encode_extent(void *arg, const struct frz_extent *e)
{
	struct encode_state *state = arg;
	int ret;

	ret = state->check(state->arg, e);
	if (ret)
		return ret;
	return frz_encode_extent(&state->enc, e);
}

/**
 * frz_memory_encode - Make frozen tables from a live domain
 * @mem: uninitialised; owned by the caller on success, who then completes it
 * @keep: for the next kernel, in KHO-preserved memory; or for this one only
 * @live: the tables to copy, which must not change meanwhile
 * @leaf_levels: levels at which the hardware takes a leaf
 * @check: called for each extent before it is copied; non-zero refuses it
 * @arg: for @check
 * @bad_iova: where the live tables cannot be read, set on -EINVAL and -EFAULT
 *
 * Context: May sleep, takes as long as there are entries.
 * Return: 0, what @check returned, -ENOMEM, -E2BIG for more tables than a handover
 * takes, or -EINVAL or -EFAULT for live tables that cannot be read. Nothing is left
 * behind on failure.
 */
int frz_memory_encode(struct frz_memory *mem, bool keep,
		      const struct frz_tree *live, u32 leaf_levels,
		      int (*check)(void *arg, const struct frz_extent *e),
		      void *arg, u64 *bad_iova)
{
	struct encode_state state = {
		.enc = {
			.fmt = live->fmt,
			.levels = live->levels,
			.leaf_levels = leaf_levels,
			.alloc = alloc_table,
			.priv = &state,
		},
		.mem = mem,
		.check = check,
		.arg = arg,
	};
	int ret;

	memset(mem, 0, sizeof(*mem));
	mem->fmt = live->fmt;
	mem->levels = live->levels;
	mem->leaf_levels = leaf_levels;
	mem->kept = keep;

	ret = frz_encode_begin(&state.enc);
	if (!ret)
		ret = frz_walk(live, encode_extent, &state, NULL, bad_iova);
	ret = state.no_chunk ?: ret;
	if (ret) {
		frz_memory_drop(mem);
		return ret;
	}
	mem->top = state.enc.top;
	mem->stats = state.enc.stats;
	return 0;
}

/**
 * frz_memory_page - Take a page more, for a head of the tables
 * @mem: encoded, not complete
 * @pa: set to its physical address
 *
 * Return: the page, zeroed, or NULL.
 */
void *frz_memory_page(struct frz_memory *mem, u64 *pa)
{
	void *page = add_page(mem, pa);

	return IS_ERR(page) ? NULL : page;
}

/**
 * frz_memory_complete - Nothing more is written to the tables
 * @mem: the tables
 *
 * Context: May sleep, takes as long as there are tables.
 * Return: 0 or -ENOMEM; the caller drops @mem then.
 */
int frz_memory_complete(struct frz_memory *mem)
{
	int ret = sort_chunks(mem);

	if (!ret)
		tables_digest(mem, mem->digest);
	return ret;
}

static int import_chunks(struct frz_memory *mem,
			 const struct frz_abi_domain *rec, const char **why)
{
	u32 i;

	mem->chunks = kmemdup_array(frz_domain_chunks(rec), rec->nr_chunks,
				    sizeof(*mem->chunks), GFP_KERNEL);
	if (!mem->chunks) {
		*why = "no memory for the list of its chunks";
		return -ENOMEM;
	}
	for (i = 0; i < rec->nr_chunks; i++) {
		int order = kho_preserved_order(mem->chunks[i].address);

		if (order < 0 || PAGE_SIZE << order != mem->chunks[i].len) {
			*why = "a chunk of its tables is not preserved memory";
			return -EINVAL;
		}
	}
	mem->nr_chunks = rec->nr_chunks;
	if (sort_chunks(mem)) {
		*why = "no memory for the list of its chunks";
		return -ENOMEM;
	}
	return 0;
}

/**
 * frz_memory_import - Take over frozen tables of the previous kernel
 * @mem: uninitialised; owned by the caller on success
 * @rec: the domain's record in the blob
 * @why: set to the reason on failure
 *
 * Checks that each chunk is memory that KHO kept for us, in one piece of that
 * size, and that the tables still have the digest they were handed over with.
 *
 * Context: May sleep. Early enough that nothing else restored the chunks.
 * Return: 0; -EBADMSG if the digest is wrong, in which case the memory is still
 * the caller's to release; -EINVAL or -ENOMEM with nothing to release.
 */
int frz_memory_import(struct frz_memory *mem, const struct frz_abi_domain *rec,
		      const char **why)
{
	u8 digest[FRZ_DIGEST_LEN];
	int ret;

	memset(mem, 0, sizeof(*mem));
	mem->fmt = frz_format_by_id(rec->format);
	mem->levels = rec->levels;
	mem->leaf_levels = rec->leaf_levels;
	mem->top = rec->top;
	mem->head = rec->head;
	mem->stats = rec->stats;
	mem->kept = true;
	memcpy(mem->digest, rec->digest, sizeof(mem->digest));

	ret = import_chunks(mem, rec, why);
	if (ret) {
		kfree(mem->chunks);
		mem->chunks = NULL;
		mem->nr_chunks = 0;
		return ret;
	}
	if (!frz_memory_intact(mem, digest)) {
		*why = "the digest of its tables does not match";
		return -EBADMSG;
	}
	return 0;
}

#ifndef CONFIG_X86
/* Units that do not snoop are refused. */
static void clflush_cache_range(void *virt, unsigned int size)
{
}
#endif

/**
 * frz_memory_seal - Finish frozen tables before hardware uses them
 * @mem: the tables, complete or imported
 * @coherent: the unit's page walks snoop the CPU caches
 *
 * Makes the memory read-only to the CPU, so that a stray write is caught where it
 * happens. That can fail only for lack of memory to split a large page of the
 * direct map; the tables are as good without. arm64 cannot do that to its direct
 * map: there a stray write is found by the digest.
 *
 * Context: May sleep.
 */
void frz_memory_seal(struct frz_memory *mem, bool coherent)
{
	u32 i;

	for (i = 0; i < mem->nr_chunks; i++) {
		void *virt = phys_to_virt(mem->chunks[i].address);

		if (!coherent)
			clflush_cache_range(virt, mem->chunks[i].used);
		if (IS_ENABLED(CONFIG_X86) &&
		    set_memory_ro((unsigned long)virt,
				  mem->chunks[i].len >> PAGE_SHIFT))
			pr_warn_once("frozen tables stay writable, no memory to seal them\n");
	}
	mem->sealed = IS_ENABLED(CONFIG_X86);
}

static void unseal(struct frz_memory *mem)
{
	u32 i;

	if (!mem->sealed)
		return;
	for (i = 0; i < mem->nr_chunks; i++)
		set_memory_rw((unsigned long)phys_to_virt(mem->chunks[i].address),
			      mem->chunks[i].len >> PAGE_SHIFT);
	mem->sealed = false;
}

static void forget(struct frz_memory *mem)
{
	kfree(mem->sorted);
	kfree(mem->chunks);
	memset(mem, 0, sizeof(*mem));
}

/**
 * frz_memory_drop - Free tables that this kernel encoded
 * @mem: the tables, which hardware must not reach any more
 *
 * Context: May sleep.
 */
void frz_memory_drop(struct frz_memory *mem)
{
	u32 i;

	unseal(mem);
	for (i = 0; i < mem->nr_chunks; i++)
		free_chunk(mem, &mem->chunks[i]);
	forget(mem);
}

/**
 * frz_memory_release - Free tables that the previous kernel handed over
 * @mem: the tables, which hardware must not reach any more
 *
 * Context: May sleep.
 */
void frz_memory_release(struct frz_memory *mem)
{
	u32 i;

	unseal(mem);
	for (i = 0; i < mem->nr_chunks; i++)
		kho_restore_free(phys_to_virt(mem->chunks[i].address));
	forget(mem);
}

static int find_table(const void *key, const void *element)
{
	const struct frz_abi_chunk *chunk = element;
	u64 table = *(const u64 *)key;

	if (table < chunk->address)
		return -1;
	return table - chunk->address >= chunk->used;
}

static const __le64 *map_frozen(void *priv, u64 table)
{
	struct frz_reader *r = priv;

	cond_resched();
	if (!r->budget || !bsearch(&table, r->mem->sorted, r->mem->nr_chunks,
				   sizeof(*r->mem->sorted), find_table))
		return NULL;
	r->budget--;
	return phys_to_virt(table);
}

/**
 * frz_memory_tree - Prepare frozen tables for a walk or comparison
 * @r: state of the reader, lives as long as @t is used
 * @mem: the tables
 * @t: set up for the pure code
 *
 * A table outside the chunks is refused, and so is more work than there are
 * tables: the tables may come from another kernel.
 */
void frz_memory_tree(struct frz_reader *r, const struct frz_memory *mem,
		     struct frz_tree *t)
{
	r->mem = mem;
	r->budget = mem->stats.tables;
	t->fmt = mem->fmt;
	t->levels = mem->levels;
	t->top = mem->top;
	t->map = map_frozen;
	t->priv = r;
	t->leaves_out = NULL;
}
