// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: the blob parser.
 *
 * The first byte of the input chooses how the digest is checked: even, for real,
 * so almost nothing gets past it; odd, with a digest function that always gives
 * what the blob says, so that the fuzzer reaches the checks behind it. The rest
 * is the blob, in memory of just its size.
 *
 * What the parser takes must be readable to the end, and the writer must make the
 * same bytes of what was read, if that was not of an older version.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sha.h"

static void require(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "fuzz-blob: %s\n", what);
		abort();
	}
}

/* Gives the digest that is expected. Reads every byte, for the sanitizer. */
struct easy {
	const u8 *digest;
	u8 sum;
};

static void easy_init(void *ctx)
{
	((struct easy *)ctx)->sum = 0;
}

static void easy_update(void *ctx, const void *data, size_t len)
{
	struct easy *easy = ctx;
	const u8 *p = data;
	size_t i;

	for (i = 0; i < len; i++)
		easy->sum += p[i];
}

static void easy_final(void *ctx, u8 *digest)
{
	memcpy(digest, ((struct easy *)ctx)->digest, FRZ_DIGEST_LEN);
}

static void copy_units(const struct frz_blob *b, struct frz_blob_writer *w)
{
	static struct frz_context contexts[FRZ_MAX_CONTEXTS];
	struct frz_unit unit = {};
	u32 i;

	while (frz_blob_next_unit(b, &unit)) {
		for (i = 0; i < unit.nr_contexts; i++)
			frz_blob_context(b, &unit, i, &contexts[i].bus,
					 &contexts[i].address);
		frz_blob_add_unit(w, &unit, contexts, unit.nr_contexts);
	}
}

static void copy_domains(const struct frz_blob *b, struct frz_blob_writer *w)
{
	static struct frz_chunk chunks[FRZ_MAX_CHUNKS];
	struct frz_domain dom = {};
	struct frz_unit unit;
	u32 i;

	while (frz_blob_next_domain(b, &dom)) {
		require(frz_format_by_id(dom.format), "domain without a format");
		require(frz_blob_find_unit(b, dom.unit, &unit), "domain without a unit");
		for (i = 0; i < dom.nr_chunks; i++)
			frz_blob_chunk(b, &dom, i, &chunks[i]);
		frz_blob_add_domain(w, &dom, chunks, dom.nr_chunks);
	}
}

static void copy_devices(const struct frz_blob *b, struct frz_blob_writer *w)
{
	struct frz_bridge bridges[FRZ_MAX_BRIDGES];
	struct frz_device dev = {};
	struct frz_domain dom;
	struct frz_unit unit;
	u32 i;

	while (frz_blob_next_device(b, &dev)) {
		require(frz_blob_find_unit(b, dev.unit, &unit), "device without a unit");
		require(frz_blob_find_domain(b, dev.domain, &dom),
			"device without a domain");
		require(dom.unit == dev.unit, "device on another unit");
		for (i = 0; i < dev.nr_bridges; i++)
			frz_blob_bridge(b, &dev, i, &bridges[i]);
		frz_blob_add_device(w, &dev, bridges, dev.nr_bridges);
	}
}

/* How many units are of version 1, and so shorter than they will be written? */
static u32 old_units(const struct frz_blob *b)
{
	const struct frz_abi_record *r;
	struct frz_unit unit = {};
	u32 n = 0;

	while (frz_blob_next_unit(b, &unit)) {
		r = b->data + unit.at;
		n += le32_to_cpu(r->version) == 1;
	}
	return n;
}

static void check_taken(const struct frz_blob *b, const struct frz_sha256 *sha)
{
	const struct frz_abi_header *h = b->data;
	size_t len = b->len + old_units(b) * sizeof(__le64);
	struct frz_blob_writer w;
	u8 *copy = malloc(len);

	require(copy, "no memory");
	/* What is longer now may be too long. */
	if (len > FRZ_MAX_BLOB_LEN) {
		free(copy);
		return;
	}
	frz_blob_begin(&w, copy, len);
	copy_units(b, &w);
	copy_domains(b, &w);
	copy_devices(b, &w);
	require(frz_blob_end(&w, b->flags, b->generation, sha) == (long)len,
		"the writer refuses what the parser took");
	require(w.nr_records == le32_to_cpu(h->nr_records), "records were lost");
	if (len == b->len && le32_to_cpu(h->version) == FRZ_BLOB_VERSION)
		require(!memcmp(copy, h, len), "the writer makes other bytes");
	free(copy);
}

int LLVMFuzzerTestOneInput(const u8 *input, size_t size);
int LLVMFuzzerTestOneInput(const u8 *input, size_t size)
{
	struct easy easy = {};
	const struct frz_sha256 always = { easy_init, easy_update, easy_final, &easy };
	const struct frz_sha256 *sha = &sha256;
	struct frz_blob_error err;
	struct frz_blob b;
	void *data;
	int ret;

	if (!size--)
		return 0;
	data = malloc(size ?: 1);
	require(data, "no memory");
	memcpy(data, input + 1, size);
	if (input[0] & 1) {
		easy.digest = (u8 *)data + offsetof(struct frz_abi_header, digest);
		sha = &always;
	}

	ret = frz_blob_open(&b, data, size, sha, &err);
	if (ret) {
		require(ret < 0 && err.reason, "refused without a reason");
		require(err.offset <= size, "refused outside of the blob");
	} else {
		require(b.len <= size, "longer than its memory");
		check_taken(&b, sha);
	}
	free(data);
	return 0;
}
