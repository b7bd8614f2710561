// SPDX-License-Identifier: GPL-2.0-only
/*
 * A blob to take apart, see made.h.
 */
#include <stdlib.h>

#include "cmocka-all.h"
#include "made.h"

const struct frz_abi_unit made_units[] = {
	{ .kind = 1, .segment = 0, .reg_base = 0xfed90000, .ids = { 1, 2 },
	  .nr_tables = 4 },
	{ .kind = 1, .segment = 1, .reg_base = 0xfed91000, .ids = { 3, 4 },
	  .nr_tables = 2 },
};

const struct frz_abi_table made_tables[][4] = {
	{ { 0x100, 0, 0x100000, 0x1000 }, { 1, 0, 0x101000, 0x1000 },
	  { 4, 0, 0x102000, 0x1000 }, { 0x101, 0, 0x103000, 0x1000 } },
	{ { 0x100, 0, 0x110000, 0x1000 }, { 0, 0, 0x111000, 0x1000 } },
};

const struct frz_abi_domain made_domains[] = {
	{ .id = 7, .format = 1, .levels = 4, .leaf_levels = 0xe, .unit = 0,
	  .tag = 0x10, .top = 0x401000, .stats = { 5, 6, 7, 8 }, .nr_chunks = 2,
	  .digest = { 1 } },
	{ .id = 8, .format = 1, .levels = 3, .leaf_levels = 0x6, .unit = 0,
	  .tag = 0x11, .top = 0x500000, .stats = { 1, 2, 3, 4 }, .nr_chunks = 1,
	  .digest = { 2 } },
	{ .id = 9, .format = 1, .levels = 5, .leaf_levels = 0x2, .unit = 1,
	  .tag = 0x10, .top = 0x600000, .head = 0x602000, .stats = { 2, 2, 3, 4 },
	  .nr_chunks = 1, .digest = { 3 } },
};

const struct frz_abi_chunk made_chunks[][2] = {
	{ { 0x300000, 0x100000, 0x3000 }, { 0x400000, 0x4000, 0x2000 } },
	{ { 0x500000, 0x1000, 0x1000 } },
	{ { 0x600000, 0x4000, 0x3000 } },
};

const struct frz_abi_device made_devices[] = {
	{ .segment = 0, .bus = 1, .devfn = 0, .vendor = 0x8086, .device = 0x10c9,
	  .class_revision = 0x02000001, .hdr_type = 0x80, .domain = 7, .unit = 0,
	  .stream = 0x100, .state = FRZ_DEVICE_FROZEN, .command = 6,
	  .bars = { 1, 2, 3, 4, 5, 6 }, .nr_bridges = 1 },
	{ .segment = 0, .bus = 4, .devfn = 0x11, .vendor = 0x8086, .device = 0x10c9,
	  .domain = 8, .unit = 0, .stream = 0x411, .state = FRZ_DEVICE_PRESERVED,
	  .nr_bridges = 3 },
	{ .segment = 1, .bus = 0, .devfn = 0x18, .vendor = 0x1b36, .device = 0x10,
	  .subsystem_vendor = 0x1af4, .subsystem_device = 0x1100,
	  .domain = 9, .unit = 1, .stream = 0x18, .state = FRZ_DEVICE_FROZEN },
};

const struct frz_abi_bridge made_bridges[][3] = {
	{ { 0, 0x10, 0, 1, 1, 0 } },
	{ { 0, 0x18, 0, 2, 5, 0 }, { 2, 0, 2, 3, 4, 0 }, { 3, 8, 3, 4, 4, 0 } },
	{},
};

long make(struct frz_blob_writer *w, void *buf, size_t cap)
{
	int i;

	frz_blob_begin(w, buf, cap);
	for (i = 0; i < 2; i++)
		frz_blob_add_unit(w, &made_units[i], made_tables[i]);
	for (i = 0; i < 3; i++)
		frz_blob_add_domain(w, &made_domains[i], made_chunks[i]);
	for (i = 0; i < 3; i++)
		frz_blob_add_device(w, &made_devices[i],
				    made_devices[i].nr_bridges ? made_bridges[i] : NULL);
	return frz_blob_end(w, FRZ_BLOB_FROZEN, 3);
}

static void touch(const void *data, size_t len)
{
	const volatile u8 *p = data;

	while (len--)
		(void)*p++;
}

static void read_record(const struct frz_abi_record *r, const void *elements, size_t len)
{
	touch(r, elements - (const void *)r);
	touch(elements, len);
	assert_int_equal(elements + len - (const void *)r, r->len);
}

void read_all(const struct frz_blob *b)
{
	const struct frz_abi_domain *dom = NULL;
	const struct frz_abi_device *dev = NULL;
	const struct frz_abi_unit *unit = NULL;
	u32 n = 0;

	for (; (unit = frz_blob_next_unit(b, unit)); n++)
		read_record(&unit->record, frz_unit_tables(unit),
			    unit->nr_tables * sizeof(struct frz_abi_table));
	for (; (dom = frz_blob_next_domain(b, dom)); n++)
		read_record(&dom->record, frz_domain_chunks(dom),
			    dom->nr_chunks * sizeof(struct frz_abi_chunk));
	for (; (dev = frz_blob_next_device(b, dev)); n++)
		read_record(&dev->record, frz_device_bridges(dev),
			    dev->nr_bridges * sizeof(struct frz_abi_bridge));
	assert_int_equal(n, b->nr_units + b->nr_domains + b->nr_devices);
}

size_t made_digested;
bool made_no_memory;

int __wrap_EVP_DigestUpdate(EVP_MD_CTX *ctx, const void *data, size_t len)
{
	made_digested += len;
	return __real_EVP_DigestUpdate(ctx, data, len);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return made_no_memory ? NULL : __real_reallocarray(p, n, size);
}

const struct frz_kind *__wrap_frz_kind_by_id(u32 id)
{
	static const struct frz_kind kind = { .name = "test", .id = MADE_KIND };

	return id == kind.id ? &kind : __real_frz_kind_by_id(id);
}
