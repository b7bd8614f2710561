// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints what a verb prints, from made-up answers of the kernel: render VERB
 * {json | text}. Only how it is printed is tested here; what the kernel answers
 * is tested where the kernel runs. One thread, no locks.
 */
#include "tool.h"

#define DEVICES 7

static struct iommu_freeze_device made(u32 i, u32 direction, u32 state)
{
	struct iommu_freeze_device dev = {
		.direction = direction,
		.segment = i == 6 ? 0x10000 : 0,
		.devid = 0xfe00 | i << 3,
		.state = state,
		.format = i == 5 ? 99 : FRZ_FORMAT_VTDSS,
		.levels = 4,
		.did = 7,
		.reg_base = i % 2 ? 0 : 0xfed90000,
		.tables = 6,
		.leaves = 514,
		.extents = 2,
		.mapped = i == 5 ? ~0ULL : 0x100000000ULL,
		.memory = 24576,
		.preserve_us = 812,
		.freeze_us = 0,
		.compare_us = 4294967295u,
		.replace_us = 41,
	};

	memset(dev.digest, 0xa0 + i, sizeof(dev.digest));
	/* Full, not terminated, and nothing for a terminal */
	memset(dev.why, 'x', sizeof(dev.why));
	memcpy(dev.why, "device is \033[31mnot\033[0m there\xff\n", 30);
	return dev;
}

static struct iommu_freeze_verify verified(u32 result)
{
	struct iommu_freeze_verify v = {
		.result = result,
		.iova = 0x1000000000000,
		.leaves = 514,
		.us = 132,
		.frozen_prot = FRZ_READ | FRZ_WRITE,
		.now_prot = FRZ_READ,
		.frozen_pa = 0x1000,
		.now_pa = 0x2000,
	};

	memset(v.digest, 0xa0, sizeof(v.digest));
	memset(v.expected, result == IOMMU_FREEZE_DIGEST_DIFFERS ? 0xb0 : 0xa0,
	       sizeof(v.expected));
	return v;
}

static void verify_all(bool json, const struct iommu_freeze_device *dev)
{
	json_t *devices = json_array();
	struct iommu_freeze_verify v;
	u32 i;

	/* Results 0 to 5 (unknown), then not mapped, then under lockdown */
	for (i = 0; i < 8; i++) {
		v = verified(i < 6 ? i : IOMMU_FREEZE_DIFFERS);
		if (i == 6)
			v.now_prot = 0;
		if (i >= 6)
			v.now_pa = 0;
		if (i == 7)
			v.frozen_pa = 0;
		if (json)
			json_array_append_new(devices, verify_json_one(dev, &v));
		else
			verify_text_one(dev, &v);
	}
	if (json)
		json_end(json_devices("verify", devices, 8, true));
	else
		json_decref(devices);
}

static void extents_all(bool json, const struct iommu_freeze_device *dev)
{
	static const struct iommu_freeze_extent extent[] = {
		{ 0, 0x40000000, 0x40000000, FRZ_READ | FRZ_WRITE, 0 },
		{ 0x1000000000000, 0x1000, 0x1000, FRZ_READ, 0 },
		{ 0x1fffffffffff000, 0xffffffffff000, 0x1000, FRZ_WRITE | FRZ_SNOOP, 0 },
	};
	struct extents_out out = { .json = json };
	size_t i, j;

	extents_begin(&out);
	for (i = 0; i < 3; i++) {
		extents_device(&out, &dev[i]);
		for (j = 0; j < i + (i == 2); j++)
			extents_extent(&out, &extent[j]);
		extents_device_end(&out, i != 1);
	}
	extents_end(&out, false);
}

int main(int argc, char **argv)
{
	struct iommu_freeze_device dev[DEVICES];
	struct selection sel = {
		.info = { .status = 3, .blob_version = 1, .nr_incoming = 6,
			  .nr_outgoing = 1, .generation = 2 },
		.dev = dev,
		.nr = DEVICES,
	};
	json_t *devices;
	bool json;
	u32 i;

	if (argc != 3 || print_begin())
		return OUTCOME_USAGE;
	json = !strcmp(argv[2], "json");
	for (i = 0; i < DEVICES; i++)
		dev[i] = made(i, i < 5 ? IOMMU_FREEZE_INCOMING : IOMMU_FREEZE_OUTGOING,
			      i == 5 ? IOMMU_FREEZE_FROZEN : i + 1);
	if (!strcmp(argv[1], "list")) {
		json ? (void)json_end(list_json(&sel)) : list_text(&sel);
	} else if (!strcmp(argv[1], "empty")) {
		sel.nr = 0;
		json ? (void)json_end(list_json(&sel)) : list_text(&sel);
	} else if (!strcmp(argv[1], "show")) {
		sel.outcome = OUTCOME_FAILED;
		json ? (void)json_end(show_json(&sel)) : show_text(&sel);
	} else if (!strcmp(argv[1], "verify")) {
		verify_all(json, dev);
	} else if (!strcmp(argv[1], "extents")) {
		extents_all(json, dev);
	} else if (!strcmp(argv[1], "discard")) {
		devices = json_pack("[o]", discard_json_one(&dev[1]));
		json_end(json_devices("discard", devices, 1, true));
	} else {
		return OUTCOME_USAGE;
	}
	pci_end();
	return print_end();
}
