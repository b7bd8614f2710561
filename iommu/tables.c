// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of frozen tables.
 *
 * Structure: a struct frozen_tables owns a list of physically contiguous chunks,
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
#include <linux/mutex.h>
#include <linux/set_memory.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "freeze.h"

/*
 * Chunks double in size as tables are added, so that a small domain does not
 * waste memory and a large one lies in few pieces.
 */
#define CHUNK_MIN	SZ_16K
#define CHUNK_MAX	SZ_2M

/* struct sha256_ctx is over 100 bytes and blobs are rare: one state, one user. */
static DEFINE_MUTEX(sha256_lock);
static struct sha256_ctx sha256_state;

static void sha256_cb_init(void *ctx)
{
	sha256_init(ctx);
}

static void sha256_cb_update(void *ctx, const void *data, size_t len)
{
	sha256_update(ctx, data, len);
}

static void sha256_cb_final(void *ctx, u8 *digest)
{
	sha256_final(ctx, digest);
}

/**
 * frz_sha256_with - SHA-256 for the pure code, with a state of the caller's
 * @ctx: the state
 *
 * Return: the callbacks.
 */
struct frz_sha256 frz_sha256_with(struct sha256_ctx *ctx)
{
	return (struct frz_sha256){
		.init = sha256_cb_init,
		.update = sha256_cb_update,
		.final = sha256_cb_final,
		.ctx = ctx,
	};
}

static const struct frz_sha256 sha256_cb = {
	.init = sha256_cb_init,
	.update = sha256_cb_update,
	.final = sha256_cb_final,
	.ctx = &sha256_state,
};

/**
 * frz_sha256_begin - Borrow the SHA-256 state for the pure code
 *
 * Context: May sleep. Give it back with frz_sha256_end().
 * Return: the callbacks.
 */
const struct frz_sha256 *frz_sha256_begin(void)
{
	mutex_lock(&sha256_lock);
	return &sha256_cb;
}

/**
 * frz_sha256_end - Give back what frz_sha256_begin() lent
 */
void frz_sha256_end(void)
{
	mutex_unlock(&sha256_lock);
}

static void tables_digest(const struct frozen_tables *ft, u8 *digest)
{
	struct sha256_ctx ctx;
	u32 i;

	sha256_init(&ctx);
	for (i = 0; i < ft->nr_chunks; i++)
		sha256_update(&ctx, phys_to_virt(ft->chunks[i].address),
			      ft->chunks[i].used);
	sha256_final(&ctx, digest);
}

/* Do the tables still have their digest? Tells the one that they have. */
static bool tables_intact(const struct frozen_tables *ft, u8 *digest)
{
	tables_digest(ft, digest);
	return !memcmp(digest, ft->digest, FRZ_DIGEST_LEN);
}

static void *alloc_chunk(const struct frozen_tables *ft, size_t len)
{
	void *mem;

	if (ft->kept)
		return kho_alloc_preserve(len);
	mem = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN,
				       get_order(len));
	return mem ?: ERR_PTR(-ENOMEM);
}

static int add_chunk(struct frozen_tables *ft)
{
	struct frz_chunk *chunks, *chunk;
	size_t len = CHUNK_MIN;
	void *mem;

	if (ft->nr_chunks == FRZ_MAX_CHUNKS)
		return -E2BIG;
	if (ft->nr_chunks)
		len = min_t(size_t, 2 * ft->chunks[ft->nr_chunks - 1].len,
			    CHUNK_MAX);

	chunks = krealloc_array(ft->chunks, ft->nr_chunks + 1, sizeof(*chunks),
				GFP_KERNEL);
	if (!chunks)
		return -ENOMEM;
	ft->chunks = chunks;

	/* Fragmented memory has no large pieces left: take smaller ones. */
	mem = alloc_chunk(ft, len);
	while (IS_ERR(mem) && len > PAGE_SIZE) {
		len /= 2;
		mem = alloc_chunk(ft, len);
	}
	if (IS_ERR(mem))
		return PTR_ERR(mem);

	chunk = &chunks[ft->nr_chunks++];
	chunk->address = virt_to_phys(mem);
	chunk->len = len;
	chunk->used = 0;
	return 0;
}

struct encode_state {
	struct frz_encoder enc;
	struct frozen_tables *ft;
	int (*check)(void *arg, const struct frz_extent *e);
	void *arg;
	int no_chunk;		/* why there was none */
};

static __le64 *alloc_table(void *priv, u64 *pa)
{
	struct encode_state *state = priv;
	struct frozen_tables *ft = state->ft;
	struct frz_chunk *chunk;

	cond_resched();
	if (!ft->nr_chunks ||
	    ft->chunks[ft->nr_chunks - 1].used ==
	    ft->chunks[ft->nr_chunks - 1].len) {
		state->no_chunk = add_chunk(ft);
		if (state->no_chunk)
			return NULL;
	}
	chunk = &ft->chunks[ft->nr_chunks - 1];
	*pa = chunk->address + chunk->used;
	chunk->used += PAGE_SIZE;
	return phys_to_virt(*pa);
}

static int compare_chunks(const void *a, const void *b)
{
	const struct frz_chunk *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

/* The chunks are complete: make them easy to find. */
static int sort_chunks(struct frozen_tables *ft)
{
	ft->sorted = kmemdup_array(ft->chunks, ft->nr_chunks,
				   sizeof(*ft->chunks), GFP_KERNEL);
	if (!ft->sorted)
		return -ENOMEM;
	sort(ft->sorted, ft->nr_chunks, sizeof(*ft->sorted), compare_chunks,
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
 * frozen_tables_encode - Make frozen tables from a live domain
 * @ft: uninitialised; owned by the caller on success
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
int frozen_tables_encode(struct frozen_tables *ft, bool keep,
			 const struct frz_tables *live, u32 leaf_levels,
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
		.ft = ft,
		.check = check,
		.arg = arg,
	};
	int ret;

	memset(ft, 0, sizeof(*ft));
	ft->fmt = live->fmt;
	ft->levels = live->levels;
	ft->leaf_levels = leaf_levels;
	ft->kept = keep;

	ret = frz_encode_begin(&state.enc);
	if (!ret)
		ret = frz_walk(live, encode_extent, &state, NULL, bad_iova);
	if (!ret)
		ret = sort_chunks(ft);
	ret = state.no_chunk ?: ret;
	if (ret) {
		frozen_tables_drop(ft);
		return ret;
	}
	ft->top = state.enc.top;
	ft->stats = state.enc.stats;
	tables_digest(ft, ft->digest);
	return 0;
}

/**
 * frozen_tables_import - Take over frozen tables of the previous kernel
 * @ft: uninitialised; owned by the caller on success
 * @b: the open blob
 * @rec: the domain's record in it
 * @why: set to the reason on failure
 *
 * Checks that each chunk is memory that KHO kept for us, in one piece of that
 * size, and that the tables still have the digest they were handed over with.
 *
 * Context: May sleep. Early enough that nothing else restored the chunks.
 * Return: 0; -EBADMSG if the digest is wrong, in which case the memory is still
 * the caller's to release; -EINVAL or -ENOMEM with nothing to release.
 */
int frozen_tables_import(struct frozen_tables *ft, const struct frz_blob *b,
			 const struct frz_domain *rec, const char **why)
{
	u8 digest[FRZ_DIGEST_LEN];
	u32 i;

	memset(ft, 0, sizeof(*ft));
	ft->fmt = frz_format_by_id(rec->format);
	ft->levels = rec->levels;
	ft->leaf_levels = rec->leaf_levels;
	ft->top = rec->top;
	ft->stats = rec->stats;
	ft->kept = true;
	memcpy(ft->digest, rec->digest, sizeof(ft->digest));

	ft->chunks = kcalloc(rec->nr_chunks, sizeof(*ft->chunks), GFP_KERNEL);
	if (!ft->chunks) {
		*why = "no memory for the list of its chunks";
		return -ENOMEM;
	}

	for (i = 0; i < rec->nr_chunks; i++) {
		struct frz_chunk *chunk = &ft->chunks[i];
		int order;

		frz_blob_chunk(b, rec, i, chunk);
		order = kho_preserved_order(chunk->address);
		if (order < 0 || PAGE_SIZE << order != chunk->len) {
			*why = "a chunk of its tables is not preserved memory";
			kfree(ft->chunks);
			ft->chunks = NULL;
			return -EINVAL;
		}
	}
	ft->nr_chunks = rec->nr_chunks;
	if (sort_chunks(ft)) {
		*why = "no memory for the list of its chunks";
		kfree(ft->chunks);
		ft->chunks = NULL;
		ft->nr_chunks = 0;
		return -ENOMEM;
	}

	if (!tables_intact(ft, digest)) {
		*why = "the digest of its tables does not match";
		return -EBADMSG;
	}
	return 0;
}

/**
 * frozen_tables_seal - Finish frozen tables before hardware uses them
 * @ft: the tables, freshly encoded or imported
 * @coherent: the unit's page walks snoop the CPU caches (VT-d ECAP.C)
 *
 * Makes the memory read-only to the CPU, so that a stray write is caught where it
 * happens. That can fail only for lack of memory to split a large page of the
 * direct map; the tables are as good without.
 *
 * Context: May sleep.
 */
void frozen_tables_seal(struct frozen_tables *ft, bool coherent)
{
	u32 i;

	for (i = 0; i < ft->nr_chunks; i++) {
		void *mem = phys_to_virt(ft->chunks[i].address);

		if (!coherent)
			clflush_cache_range(mem, ft->chunks[i].used);
		if (set_memory_ro((unsigned long)mem,
				  ft->chunks[i].len >> PAGE_SHIFT))
			pr_warn_once("iommu-freeze: frozen tables stay writable, no memory to seal them\n");
	}
	ft->sealed = true;
}

static void unseal(struct frozen_tables *ft)
{
	u32 i;

	if (!ft->sealed)
		return;
	for (i = 0; i < ft->nr_chunks; i++)
		set_memory_rw((unsigned long)phys_to_virt(ft->chunks[i].address),
			      ft->chunks[i].len >> PAGE_SHIFT);
	ft->sealed = false;
}

/**
 * frozen_tables_drop - Free tables that this kernel encoded
 * @ft: the tables, which hardware must not reach any more
 *
 * Context: May sleep.
 */
void frozen_tables_drop(struct frozen_tables *ft)
{
	u32 i;

	unseal(ft);
	for (i = 0; i < ft->nr_chunks; i++) {
		void *mem = phys_to_virt(ft->chunks[i].address);

		if (ft->kept)
			kho_unpreserve_free(mem);
		else
			free_pages((unsigned long)mem,
				   get_order(ft->chunks[i].len));
	}
	kfree(ft->sorted);
	kfree(ft->chunks);
	memset(ft, 0, sizeof(*ft));
}

/**
 * frozen_tables_release - Free tables that the previous kernel handed over
 * @ft: the tables, which hardware must not reach any more
 *
 * Context: May sleep.
 */
void frozen_tables_release(struct frozen_tables *ft)
{
	u32 i;

	unseal(ft);
	for (i = 0; i < ft->nr_chunks; i++)
		kho_restore_free(phys_to_virt(ft->chunks[i].address));
	kvfree(ft->shadow);
	kfree(ft->sorted);
	kfree(ft->chunks);
	memset(ft, 0, sizeof(*ft));
}

static int find_table(const void *key, const void *element)
{
	const struct frz_chunk *chunk = element;
	u64 table = *(const u64 *)key;

	if (table < chunk->address)
		return -1;
	return table - chunk->address >= chunk->used;
}

static const __le64 *map_frozen(void *priv, u64 table)
{
	struct frozen_reader *r = priv;

	cond_resched();
	if (!r->budget || !bsearch(&table, r->ft->sorted, r->ft->nr_chunks,
				   sizeof(*r->ft->sorted), find_table))
		return NULL;
	r->budget--;
	return phys_to_virt(table);
}

/**
 * frozen_tables_reader - Prepare frozen tables for a walk or comparison
 * @r: state of the reader, lives as long as @t is used
 * @ft: the tables
 * @t: set up for the pure code
 *
 * A table outside the chunks is refused, and so is more work than there are
 * tables: the tables may come from another kernel.
 */
void frozen_tables_reader(struct frozen_reader *r,
			  const struct frozen_tables *ft, struct frz_tables *t)
{
	r->ft = ft;
	r->budget = ft->stats.tables;
	t->fmt = ft->fmt;
	t->levels = ft->levels;
	t->top = ft->top;
	t->map = map_frozen;
	t->priv = r;
}

/*
 * More extents than this are not worth the memory that it takes to name the iova
 * of a change.
 */
#define SHADOW_MAX	65536

struct shadow_state {
	struct frz_extent *shadow;
	u64 nr;
	u64 max;
	u64 iova;
};

static int shadow_store(void *arg, const struct frz_extent *e)
{
	struct shadow_state *state = arg;

	if (state->nr == state->max)
		return -E2BIG;
	state->shadow[state->nr++] = *e;
	return 0;
}

/**
 * frozen_tables_remember - Note what the tables say
 * @ft: intact incoming tables
 *
 * Without memory for it only the digest will tell that they changed.
 *
 * Context: May sleep.
 */
void frozen_tables_remember(struct frozen_tables *ft)
{
	struct shadow_state state = { .max = ft->stats.extents };
	struct frozen_reader r;
	struct frz_tables t;

	if (!state.max || state.max > SHADOW_MAX)
		return;
	state.shadow = kvmalloc_array(state.max, sizeof(*state.shadow),
				      GFP_KERNEL);
	if (!state.shadow)
		return;
	frozen_tables_reader(&r, ft, &t);
	if (frz_walk(&t, shadow_store, &state, NULL, NULL) ||
	    state.nr != state.max) {
		kvfree(state.shadow);
		return;
	}
	ft->shadow = state.shadow;
}

static int shadow_compare(void *arg, const struct frz_extent *e)
{
	struct shadow_state *state = arg;
	const struct frz_extent *s;

	if (state->nr == state->max) {
		state->iova = e->iova;
		return 1;
	}
	s = &state->shadow[state->nr++];
	if (e->iova != s->iova)
		state->iova = min(e->iova, s->iova);
	else if (e->pa != s->pa || e->prot != s->prot)
		state->iova = e->iova;
	else if (e->len != s->len)
		state->iova = e->iova + min(e->len, s->len);
	else
		return 0;
	return 1;
}

static int shadow_skip(void *arg, const struct frz_extent *e)
{
	return 0;
}

/* Where do the tables differ from what they said? 0 for nowhere, 1, or -errno. */
static int compare_shadow(const struct frozen_tables *ft,
			  const struct frz_tables *t, u64 *iova, u64 *leaves)
{
	struct shadow_state state = {
		.shadow = ft->shadow, .max = ft->stats.extents,
	};
	struct frz_stats stats = {};
	int ret;

	ret = frz_walk(t, shadow_compare, &state, &stats, iova);
	if (!ret && state.nr < state.max) {
		state.iova = state.shadow[state.nr].iova;
		ret = 1;
	}
	if (ret == 1)
		*iova = state.iova;
	*leaves = stats.leaves;
	return ret;
}

/* What did the tables say about this iova, and what do they say now? */
static void tell_shadow(const struct frozen_tables *ft, u64 iova,
			struct iommu_freeze_verify *result)
{
	struct frozen_reader r;
	struct frz_extent now;
	struct frz_tables t;
	u64 i;

	for (i = 0; i < ft->stats.extents; i++) {
		const struct frz_extent *s = &ft->shadow[i];

		if (iova >= s->iova && iova - s->iova < s->len) {
			result->frozen_prot = s->prot;
			result->frozen_pa = s->pa + (iova - s->iova);
		}
	}
	frozen_tables_reader(&r, ft, &t);
	if (!frz_lookup(&t, iova, &now)) {
		result->now_prot = now.prot;
		result->now_pa = now.pa + (iova - now.iova);
	}
}

/**
 * frozen_tables_verify - Check frozen tables against what they should be
 * @ft: the tables
 * @live: what hardware uses now and must translate alike, or NULL if it uses @ft
 * @result: filled but for the fields that name the device
 *
 * Context: May sleep. The map of @live must not change meanwhile.
 * Return: 0; what was found is in @result.
 */
int frozen_tables_verify(const struct frozen_tables *ft,
			 const struct frz_tables *live,
			 struct iommu_freeze_verify *result)
{
	bool intact = tables_intact(ft, result->digest);
	struct frz_stats stats = {};
	struct frz_diff diff = {};
	struct frozen_reader r;
	struct frz_tables t;
	u64 offset, iova = 0;
	u64 leaves = 0;
	int ret;

	memcpy(result->expected, ft->digest, sizeof(result->expected));
	frozen_tables_reader(&r, ft, &t);
	if (live) {
		ret = frz_compare(&t, live, &diff, &stats);
		iova = diff.iova;
		leaves = stats.leaves;
	} else if (ft->shadow) {
		ret = compare_shadow(ft, &t, &iova, &leaves);
	} else {
		ret = frz_walk(&t, shadow_skip, NULL, &stats, &iova);
		leaves = stats.leaves;
	}

	result->leaves = leaves;
	if (ret < 0) {
		result->result = IOMMU_FREEZE_UNREADABLE;
	} else if (ret) {
		result->result = IOMMU_FREEZE_DIFFERS;
		if (live) {
			offset = iova - diff.frozen.iova;
			result->frozen_prot = diff.frozen.prot;
			result->frozen_pa = diff.frozen.pa + offset;
			result->now_prot = diff.live.prot;
			if (diff.live_present)
				result->now_pa = diff.live.pa +
						 (iova - diff.live.iova);
		} else {
			tell_shadow(ft, iova, result);
		}
	} else if (!intact) {
		result->result = IOMMU_FREEZE_DIGEST_DIFFERS;
	} else {
		result->result = IOMMU_FREEZE_SAME;
	}
	result->iova = ret ? iova : 0;
	return 0;
}

struct extents_state {
	struct iommu_freeze_extents *req;
	struct iommu_freeze_extent *extents;
	u32 room;
};

static int store_extent(void *arg, const struct frz_extent *e)
{
	struct extents_state *state = arg;

	if (state->req->nr == state->room)
		return 1;
	state->extents[state->req->nr++] = (struct iommu_freeze_extent){
		.iova = e->iova, .pa = e->pa, .len = e->len, .prot = e->prot,
	};
	return 0;
}

/**
 * frozen_tables_extents - List some extents of frozen tables
 * @ft: the tables
 * @req: what is asked for; nr and total are set
 * @extents: room for as many as @req says
 *
 * The cost is that of the extents that are stored.
 *
 * Context: May sleep.
 * Return: 0, or -EIO for tables that cannot be read.
 */
int frozen_tables_extents(const struct frozen_tables *ft,
			  struct iommu_freeze_extents *req,
			  struct iommu_freeze_extent *extents)
{
	struct extents_state state = {
		.req = req, .extents = extents, .room = req->nr,
	};
	struct frozen_reader r;
	struct frz_tables t;

	req->nr = 0;
	req->total = ft->stats.extents;
	frozen_tables_reader(&r, ft, &t);
	return frz_walk_from(&t, req->start, store_extent, &state, NULL,
			     NULL) < 0 ? -EIO : 0;
}

static u64 tables_memory(const struct frozen_tables *ft)
{
	u64 bytes = 0;
	u32 i;

	for (i = 0; i < ft->nr_chunks; i++)
		bytes += ft->chunks[i].len;
	return bytes;
}

/**
 * frozen_tables_describe - Describe frozen tables for user space
 * @ft: the tables
 * @out: what they are and how large
 */
void frozen_tables_describe(const struct frozen_tables *ft,
			    struct iommu_freeze_device *out)
{
	out->format = ft->fmt->id;
	out->levels = ft->levels;
	out->tables = ft->stats.tables;
	out->leaves = ft->stats.leaves;
	out->extents = ft->stats.extents;
	out->mapped = ft->stats.bytes;
	out->memory = tables_memory(ft);
	memcpy(out->digest, ft->digest, sizeof(out->digest));
}
