// SPDX-License-Identifier: GPL-2.0-only
/*
 * A valid blob with as many of each record as asked for, no two alike: the shapes that
 * the parser has to tell apart. One thread, no locks.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sample.h"
#include "sha.h"

size_t sample_blob(void *buf, u32 units, u32 domains, u32 devices)
{
	static const struct frz_bridge bridges[] = {
		{ 0, 0x10, 0, 1, 9 }, { 1, 0, 1, 2, 9 }, { 2, 8, 2, 3, 9 },
	};
	struct frz_blob_writer w;
	long len;
	u32 i;

	frz_blob_begin(&w, buf, SAMPLE_ROOM);
	for (i = 0; i < units; i++) {
		u64 base = 0x100000 + i * 0x10000;
		struct frz_context contexts[] = {
			{ 0, base + 0x1000 }, { 1, base + 0x2000 },
			{ 255, base + 0x3000 },
		};
		struct frz_unit unit = {
			.kind = FRZ_UNIT_VTD_LEGACY,
			.segment = i,
			.reg_base = 0xfed90000 + i * 0x1000,
			.cap = 0xd2008c222f0686,
			.ecap = 0xf00f5e,
			.root = base,
			.irt = i % 2 ? base + 0x4000 : 0,
		};

		frz_blob_add_unit(&w, &unit, contexts, (1 + i) % 4);
	}
	for (i = 0; i < domains; i++) {
		u64 base = 0x40000000 + i * 0x100000;
		struct frz_chunk chunks[] = {
			{ base, 0x8000, 0x3000 }, { base + 0x8000, 0x4000, 0x1000 },
		};
		struct frz_domain dom = {
			.id = i,
			.format = FRZ_FORMAT_VTDSS,
			.levels = 3 + (1 + i) % 3,
			.leaf_levels = i % 2 ? 0x6 : 0xe,
			.unit = i % units,
			.did = i + 1,
			.top = base,
			/* mapped is not bounded by the parser */
			.stats = { 3, 514, 2, i ? ~0ULL : 0x40400000 },
		};

		memset(dom.digest, 0xa0 + i, sizeof(dom.digest));
		frz_blob_add_domain(&w, &dom, chunks, 1 + i % 2);
	}
	for (i = 0; i < devices; i++) {
		u32 n = i % 4;
		struct frz_device dev = {
			.segment = i % domains % units,
			.bus = n,
			.devfn = i & 0xff,
			.vendor = i ? 0xfff0 : 0x8086,
			.device = 0x10c9,
			.class_revision = 0x02000001,
			.domain = i % domains,
			.unit = i % domains % units,
			.state = FRZ_DEVICE_FROZEN - i % 2,
			.bars = { 0xfe860000, 0xfe880000, 0xd001 },
			.command = 0x406,
		};

		frz_blob_add_device(&w, &dev, bridges, n);
	}
	len = frz_blob_end(&w, FRZ_BLOB_FROZEN, 7, &sha256);
	if (len < 0) {
		fprintf(stderr, "sample blob: error %ld: %s\n", len,
			w.err.reason ?: "does not fit");
		exit(1);
	}
	return len;
}
