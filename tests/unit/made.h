/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A blob that the writer makes, for tests that take it apart: units 0 (root table, two
 * context tables, interrupt remapping table) and 1 (root table, one context table);
 * domains 7 (2 chunks) and 8 on unit 0, 9 on unit 1 with a head and the same tag as
 * 7; devices 0000:01:00.0 and 0000:04:02.1 on unit 0, the latter below three bridges,
 * and 0001:00:03.0 on unit 1 with none. Used by one thread.
 */
#ifndef TESTS_MADE_H
#define TESTS_MADE_H

#include "blob.h"
#include "kind.h"

#define MADE_UNIT	sizeof(struct frz_abi_unit)
#define MADE_DOMAIN	sizeof(struct frz_abi_domain)
#define MADE_DEVICE	sizeof(struct frz_abi_device)
/* All tables, chunks and bridges have one length. */
#define MADE_LEN	(80 + 2 * MADE_UNIT + 3 * MADE_DOMAIN + 3 * MADE_DEVICE + \
			 (4 + 2 + 2 + 1 + 1 + 1 + 3) * 24)

extern const struct frz_abi_unit made_units[2];
extern const struct frz_abi_table made_tables[2][4];
extern const struct frz_abi_domain made_domains[3];
extern const struct frz_abi_chunk made_chunks[3][2];
extern const struct frz_abi_device made_devices[3];
extern const struct frz_abi_bridge made_bridges[3][3];

/* Writes all of it; the errors stick. */
long make(struct frz_blob_writer *w, void *buf, size_t cap);

/* Reads every byte of every record. */
void read_all(const struct frz_blob *b);

/* Put by the linker in the place of what they are named after, which is then real. */
int __wrap_EVP_DigestUpdate(EVP_MD_CTX *ctx, const void *data, size_t len);
int __real_EVP_DigestUpdate(EVP_MD_CTX *ctx, const void *data, size_t len);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
const struct frz_kind *__wrap_frz_kind_by_id(u32 id);
const struct frz_kind *__real_frz_kind_by_id(u32 id);

extern size_t made_digested;	/* bytes that went into digests */
extern bool made_no_memory;	/* there is none for the checks */

/* A kind of IOMMU that is nowhere, and has no rules of its own. */
#define MADE_KIND	0x7e57

#endif
