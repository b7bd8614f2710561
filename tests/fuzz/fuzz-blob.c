// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: the blob parser.
 *
 * The first byte of the input chooses what becomes of the digest: even, it stays as it
 * is, so almost nothing gets past it; odd, it is made right, so that the fuzzer reaches
 * the checks behind it. The rest is the blob, in memory of just its size.
 *
 * What the parser takes must be readable to the end, and the writer must make the
 * same bytes of what was read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "format/format.h"
#include "kind.h"
#include "sha.h"

static void require(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "fuzz-blob: %s\n", what);
		abort();
	}
}

static void copy_units(const struct frz_blob *b, struct frz_blob_writer *w)
{
	const struct frz_abi_unit *unit = NULL;

	while ((unit = frz_blob_next_unit(b, unit))) {
		require(frz_kind_by_id(unit->kind), "unit without a kind");
		frz_blob_add_unit(w, unit, frz_unit_tables(unit));
	}
}

static void copy_domains(const struct frz_blob *b, struct frz_blob_writer *w)
{
	const struct frz_abi_domain *dom = NULL;

	while ((dom = frz_blob_next_domain(b, dom))) {
		require(frz_format_by_id(dom->format), "domain without a format");
		require(frz_blob_unit(b, dom->unit), "domain without a unit");
		frz_blob_add_domain(w, dom, frz_domain_chunks(dom));
	}
}

static void copy_devices(const struct frz_blob *b, struct frz_blob_writer *w)
{
	const struct frz_abi_device *dev = NULL;
	const struct frz_abi_domain *dom;
	const struct frz_abi_unit *unit;

	while ((dev = frz_blob_next_device(b, dev))) {
		unit = frz_blob_unit(b, dev->unit);
		require(unit, "device without a unit");
		dom = frz_blob_domain(b, dev->domain);
		require(dom, "device without a domain");
		require(dom->unit == dev->unit, "device on another unit");
		require(frz_blob_unit_number(w, unit->reg_base) == (int)dev->unit,
			"unit of another number");
		frz_blob_add_device(w, dev, frz_device_bridges(dev));
	}
}

static void check_taken(const struct frz_blob *b)
{
	const struct frz_abi_header *h = b->data;
	struct frz_blob_writer w;
	u8 *copy = malloc(b->len);

	require(copy, "no memory");
	frz_blob_begin(&w, copy, b->len);
	copy_units(b, &w);
	copy_domains(b, &w);
	copy_devices(b, &w);
	require(frz_blob_end(&w, b->flags, b->generation) == (long)b->len,
		"the writer refuses what the parser took");
	require(w.nr_records == h->nr_records, "records were lost");
	require(!memcmp(copy, h, b->len), "the writer makes other bytes");
	free(copy);
}

int LLVMFuzzerTestOneInput(const u8 *input, size_t size);
int LLVMFuzzerTestOneInput(const u8 *input, size_t size)
{
	struct frz_blob_error err;
	struct frz_blob b;
	void *data;
	int ret;

	if (!size--)
		return 0;
	data = malloc(size ?: 1);
	require(data, "no memory");
	memcpy(data, input + 1, size);
	if (input[0] & 1)
		sha_fix_digest(data, size);

	ret = frz_blob_open(&b, data, size, &err);
	if (ret) {
		require(ret < 0 && err.reason, "refused without a reason");
		require(err.offset <= size, "refused outside of the blob");
	} else {
		require(b.len <= size, "longer than its memory");
		check_taken(&b);
	}
	free(data);
	return 0;
}
