// SPDX-License-Identifier: GPL-2.0-only
/*
 * A valid blob with as many of each record as asked for, no two alike: the shapes that
 * the parser has to tell apart. One thread, no locks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "sample.h"

/* The root table, 0 to 3 context tables and for every other one an empty IRT. */
static void sample_unit(struct frz_blob_writer *w, u32 i)
{
	static const u32 buses[] = { 0, 1, 255 };
	u64 base = 0x100000 + i * 0x10000;
	struct frz_abi_table tables[5] = { { FRZ_VTD_TABLE_ROOT, 0, base, 0x1000 } };
	struct frz_abi_unit unit = {
		.kind = FRZ_UNIT_VTD_LEGACY,
		.segment = i,
		.reg_base = 0xfed90000 + i * 0x1000,
		.ids = { 0xd2008c222f0686, 0xf00f5e },
	};
	u32 n;

	for (n = 1; n <= (1 + i) % 4; n++)
		tables[n] = (struct frz_abi_table){ buses[n - 1], 0, base + n * 0x1000, 0x1000 };
	if (i % 2)
		tables[n++] = (struct frz_abi_table){ FRZ_VTD_TABLE_IRT, 0, base + 0x4000, 0x1000 };
	unit.nr_tables = n;
	frz_blob_add_unit(w, &unit, tables);
}

static void sample_domain(struct frz_blob_writer *w, u32 i, u32 units)
{
	u64 base = 0x40000000 + i * 0x100000;
	struct frz_abi_chunk chunks[] = {
		{ base, 0x8000, 0x3000 }, { base + 0x8000, 0x4000, 0x1000 },
	};
	struct frz_abi_domain dom = {
		.id = i,
		.format = FRZ_FORMAT_VTDSS,
		.levels = 3 + (1 + i) % 3,
		.leaf_levels = i % 2 ? 0x6 : 0xe,
		.unit = i % units,
		.tag = i + 1,
		.top = base,
		.head = i % 2 ? base + 0x8000 : 0,
		/* mapped is not bounded by the parser */
		.stats = { 3, 514, 2, i ? ~0ULL : 0x40400000 },
		.nr_chunks = 1 + i % 2,
	};

	memset(dom.digest, 0xa0 + i, sizeof(dom.digest));
	frz_blob_add_domain(w, &dom, chunks);
}

static void sample_device(struct frz_blob_writer *w, u32 i, u32 units, u32 domains)
{
	static const struct frz_abi_bridge bridges[] = {
		{ 0, 0x10, 0, 1, 9, 0 }, { 1, 0, 1, 2, 9, 0 }, { 2, 8, 2, 3, 9, 0 },
	};
	u32 n = i % 4;
	struct frz_abi_device dev = {
		.segment = i % domains % units,
		.bus = n,
		.devfn = i & 0xff,
		.vendor = i ? 0xfff0 : 0x8086,
		.device = 0x10c9,
		.class_revision = 0x02000001,
		.domain = i % domains,
		.unit = i % domains % units,
		.stream = n << 8 | (i & 0xff),
		.state = FRZ_DEVICE_FROZEN - i % 2,
		.command = 0x406,
		.bars = { 0xfe860000, 0xfe880000, 0xd001 },
		.nr_bridges = n,
	};

	frz_blob_add_device(w, &dev, bridges);
}

static size_t sample_end(struct frz_blob_writer *w)
{
	long len = frz_blob_end(w, FRZ_BLOB_FROZEN, 7);

	if (len < 0) {
		fprintf(stderr, "sample blob: error %ld: %s\n", len,
			w->err.reason ?: "does not fit");
		exit(1);
	}
	return len;
}

size_t sample_blob(void *buf, u32 units, u32 domains, u32 devices)
{
	struct frz_blob_writer w;
	u32 i;

	frz_blob_begin(&w, buf, SAMPLE_ROOM);
	for (i = 0; i < units; i++)
		sample_unit(&w, i);
	for (i = 0; i < domains; i++)
		sample_domain(&w, i, units);
	for (i = 0; i < devices; i++)
		sample_device(&w, i, units, domains);
	return sample_end(&w);
}

size_t sample_smmuv3(void *buf)
{
	static const struct frz_abi_unit units[] = {
		{ .kind = FRZ_UNIT_SMMUV3, .segment = 0, .reg_base = 0x9050000, .nr_tables = 1,
		  .ids = { 0x8d4101b, 0x8, 0x1400, 0x74, 0xd75, 0x6, 0x8, 0x43b } },
		{ .kind = FRZ_UNIT_SMMUV3, .segment = 1, .reg_base = 0x9070000, .nr_tables = 3,
		  .ids = { 0x8d4101b, 0x10, 0x1400, 0x74, 0xd75, 0x6, 0x10210, 0x43b } },
	};
	static const struct frz_abi_table linear = {
		FRZ_SMMUV3_TABLE_STRTAB, 0, 0x44000000, 0x4000
	};
	static const struct frz_abi_table levels[] = {
		{ FRZ_SMMUV3_TABLE_STRTAB, 0, 0x44100000, 0x1000 },
		{ 1, 0, 0x44104000, 0x4000 }, { 0x80, 0, 0x44108000, 0x4000 },
	};
	static const struct frz_abi_domain domains[] = {
		{ .id = 0, .format = FRZ_FORMAT_LPAE_S2, .levels = 4, .leaf_levels = 0xe, .unit = 0,
		  .tag = 1, .top = 0x50000000, .stats = { 3, 514, 2, 0x40400000 } },
		{ .id = 1, .format = FRZ_FORMAT_LPAE_S1, .levels = 4, .leaf_levels = 0xe, .unit = 1,
		  .tag = 2, .top = 0x50100000, .head = 0x50103000, .stats = { 3, 9, 2, 0x9000 } },
		{ .id = 2, .format = FRZ_FORMAT_LPAE_S2, .levels = 3, .leaf_levels = 0x2, .unit = 1,
		  .tag = 2, .top = 0x50200000, .stats = { 3, 9, 2, 0x9000 } },
	};
	static const struct frz_abi_device devices[] = {
		{ .segment = 0, .bus = 0, .devfn = 0x18, .vendor = 0x1b36, .device = 0x10,
		  .domain = 0, .unit = 0, .stream = 0x18, .state = FRZ_DEVICE_FROZEN },
		{ .segment = 1, .bus = 1, .devfn = 0, .vendor = 0x8086, .device = 0x10c9,
		  .domain = 1, .unit = 1, .stream = 0x100, .state = FRZ_DEVICE_FROZEN },
		/* Its stream is not its requester id. */
		{ .segment = 1, .bus = 2, .devfn = 0, .vendor = 0x8086, .device = 0x10c9,
		  .domain = 2, .unit = 1, .stream = 0x80ff, .state = FRZ_DEVICE_FROZEN },
	};
	struct frz_abi_chunk chunk = { .len = 0x8000, .used = 0x4000 };
	struct frz_abi_domain dom;
	struct frz_blob_writer w;
	u32 i;

	frz_blob_begin(&w, buf, SAMPLE_ROOM);
	frz_blob_add_unit(&w, &units[0], &linear);
	frz_blob_add_unit(&w, &units[1], levels);
	for (i = 0; i < 3; i++) {
		dom = domains[i];
		dom.nr_chunks = 1;
		chunk.address = dom.top;
		frz_blob_add_domain(&w, &dom, &chunk);
	}
	for (i = 0; i < 3; i++)
		frz_blob_add_device(&w, &devices[i], NULL);
	return sample_end(&w);
}
