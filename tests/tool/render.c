// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints what a verb prints, from made-up answers of the kernel: render VERB
 * {json | text} [ROOT]. Only how it is printed and judged is tested here; what
 * the kernel answers is tested where the kernel runs. The verb is "facts" for
 * check on what ROOT/sys and ROOT/proc tell. One thread, no locks.
 */
#include <stdlib.h>

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

/*
 * check and freeze
 */
#define PLACES		13
#define LOOKED_DEVICE	GENMASK_ULL(IOMMU_FREEZE_OBSTACLE_RMRR, 0)
#define LOOKED_USE	GENMASK_ULL(IOMMU_FREEZE_OBSTACLE_INTERRUPTS, 0)
#define LOOKED_ALL	GENMASK_ULL(IOMMU_FREEZE_NR_OBSTACLES - 1, 0)
#define FOUND(name)	BIT_ULL(IOMMU_FREEZE_OBSTACLE_##name)

/* A device as it should be, on a place where there is none. */
static struct device_facts tried(u32 i, u32 use)
{
	struct device_facts dev = {
		.bdf = { .segment = 0, .devid = 0xfe00 | i << 3 },
		.there = true,
		.driver = "vfio-pci",
		.group = "17",
		.group_devices = 1,
		.reset = "flr bus",
		.cdev = "/dev/vfio/devices/vfio0",
		.trial = { .use = use, .looked = LOOKED_DEVICE },
	};
	struct iommu_freeze_trial *t = &dev.trial;

	if (use == IOMMU_FREEZE_IDLE)
		return dev;
	dev.vmm = 4711;
	dev.memlock = NO_LIMIT;
	t->looked = LOOKED_ALL;
	t->serialised = 1;
	t->format = FRZ_FORMAT_VTDSS;
	t->levels = 4;
	t->tables = 6;
	t->leaves = 514;
	t->extents = 2;
	t->mapped = 0x100000000ULL;
	t->memory = 24576;
	t->serialise_us = 812;
	t->compare_us = 41;
	return dev;
}

static void found(struct device_facts *dev, u64 obstacles)
{
	u32 i;

	dev->trial.looked |= obstacles;
	dev->trial.found = obstacles;
	for (i = 0; i < IOMMU_FREEZE_NR_PAGE_OBSTACLES; i++)
		if (obstacles & BIT_ULL(IOMMU_FREEZE_FIRST_PAGE_OBSTACLE + i))
			dev->trial.pages[i] = (struct iommu_freeze_pages){
				.iova = 0x1000000000000 + i, .bytes = 0x1000 << i,
			};
}

/* In use, and the live tables were not even begun to be read. */
static void not_serialised(struct device_facts *dev)
{
	u32 use = dev->trial.use;

	dev->trial = (struct iommu_freeze_trial){ .use = use, .looked = LOOKED_USE };
}

static void differs(struct device_facts *dev, u32 result)
{
	dev->trial.result = result;
	dev->trial.iova = 0xfffffffff000;
}

/* Every verdict and every finding of a device; the order is that of run.sh. */
static size_t make_devices(struct device_facts *dev)
{
	size_t n = 0;

	dev[n] = tried(n, IOMMU_FREEZE_IN_USE);
	n++;
	dev[n] = tried(n, IOMMU_FREEZE_IS_PRESERVED);
	dev[n].memlock = dev[n].trial.mapped;
	n++;
	dev[n] = tried(n, IOMMU_FREEZE_IDLE);
	n++;
	dev[n] = tried(n, IOMMU_FREEZE_IN_USE);
	found(&dev[n], LOOKED_ALL | BIT_ULL(IOMMU_FREEZE_NR_OBSTACLES) | BIT_ULL(63));
	strcpy(dev[n].driver, "igb");
	n++;
	dev[n] = tried(n, IOMMU_FREEZE_IDLE);
	found(&dev[n], FOUND(DRIVER));
	*dev[n].driver = *dev[n].reset = *dev[n].cdev = '\0';
	n++;
	dev[n] = (struct device_facts){ .bdf.devid = 0xfe00 | n << 3, .group_devices = -1 };
	n++;
	dev[n] = tried(n, IOMMU_FREEZE_IN_USE);
	differs(&dev[n], IOMMU_FREEZE_DIFFERS);
	n++;
	dev[n] = tried(n, IOMMU_FREEZE_IN_USE);
	not_serialised(&dev[n]);
	differs(&dev[n], IOMMU_FREEZE_UNREADABLE);
	n++;
	dev[n] = tried(n, IOMMU_FREEZE_IN_USE);
	differs(&dev[n], 99);
	n++;
	dev[n] = tried(n, IOMMU_FREEZE_IN_USE);
	dev[n].memlock = dev[n].trial.mapped - 1;
	n++;
	dev[n] = tried(n, IOMMU_FREEZE_IN_USE);
	not_serialised(&dev[n]);
	n++;
	dev[n] = tried(n, 99);
	dev[n].trial.mapped = ~0ULL;
	dev[n].vmm = 0;
	found(&dev[n], FOUND(INTERRUPTS) | FOUND(NOT_PRESERVED));
	n++;
	dev[n] = tried(n, IOMMU_FREEZE_IN_USE);
	dev[n].trial.looked &= ~FOUND(DIRTY);
	n++;
	return n;
}

static const struct host_facts good_host = {
	.info = { .status = IOMMU_FREEZE_STATUS_KHO | IOMMU_FREEZE_STATUS_LIVEUPDATE |
			    IOMMU_FREEZE_STATUS_LOADED,
		  .blob_version = 1, .scratch = 0x20000000, .scratch_largest = 0x10000000 },
	.cmdline_known = true,
	.cmdline = "kho=on liveupdate=on intel_iommu=on,sm_off",
	.iommu = IOMMU_VTD,
	.units = 2,
	.scalable = true,
	.loaded_known = true,
	.loaded = true,
};

static const struct target good_target = {
	.kind = "bzImage", .supported = true, .oldest = 1, .newest = 1, .room = 0x10000000,
};

/* The checks by name; false: there is none of that name. */
static bool make_check(struct check *check, const char *name, struct device_facts *dev)
{
	*check = (struct check){
		.stage = STAGE_PRESERVE, .host = good_host, .dev = dev, .nr = 1,
		.target = good_target,
	};
	dev[0] = tried(0, IOMMU_FREEZE_IN_USE);
	if (!strcmp(name, "check-ready")) {
		check->stage = STAGE_KEXEC;
		dev[0] = tried(0, IOMMU_FREEZE_IS_PRESERVED);
		dev[1] = tried(1, IOMMU_FREEZE_IDLE);
		check->nr = 2;
		check->target_path = "vmlinuz";
		check->target_read = true;
		check->target_cmdline = "kho=1 liveupdate=y intel_iommu=sm_off,on";
	} else if (!strcmp(name, "check-all")) {
		check->nr = make_devices(dev);
	} else if (!strcmp(name, "check-early")) {
		check->stage = STAGE_EARLY;
		found(&dev[0], FOUND(INTERRUPTS) | FOUND(NOT_PRESERVED));
	} else if (!strcmp(name, "check-late")) {
		check->stage = STAGE_EARLY;
		found(&dev[0], FOUND(INTERRUPTS) | FOUND(PUNCHED));
	} else if (!strcmp(name, "check-kexec")) {
		check->stage = STAGE_KEXEC;
		check->host.loaded = false;
		check->host.info.status &= ~IOMMU_FREEZE_STATUS_LOADED;
	} else if (!strcmp(name, "check-image")) {
		check->stage = STAGE_KEXEC;
		check->host.info.status |= IOMMU_FREEZE_STATUS_NO_HANDOVER;
		check->target_path = "vmlinuz";
		check->target_read = true;
		check->nr = 0;
	} else if (!strcmp(name, "check-image-unknown")) {
		check->stage = STAGE_KEXEC;
		check->host.info.status &= ~IOMMU_FREEZE_STATUS_LOADED;
		check->target_path = "vmlinuz";
		check->target_read = true;
		check->nr = 0;
	} else if (!strcmp(name, "check-host")) {
		check->host.info.status = IOMMU_FREEZE_STATUS_BAD;
		check->host.iommu = IOMMU_AMD;
		not_serialised(&dev[0]);
	} else if (!strcmp(name, "check-scalable")) {
		found(&dev[0], FOUND(SCALABLE));
	} else if (!strcmp(name, "check-none")) {
		check->host.iommu = IOMMU_NONE;
		check->nr = 0;
	} else if (!strcmp(name, "check-unknown")) {
		check->host = (struct host_facts){ .info.status = IOMMU_FREEZE_STATUS_KHO |
							    IOMMU_FREEZE_STATUS_LIVEUPDATE };
		check->stage = STAGE_KEXEC;
		check->target_path = "vm\377linuz";
		check->nr = 0;
	} else if (!strcmp(name, "check-target")) {
		check->target = (struct target){ .kind = "Image" };
		check->target_path = "Image";
		check->target_read = true;
	} else if (!strcmp(name, "check-newer")) {
		check->target.oldest = 2;
		check->target.newest = 3;
		check->target.room++;
		check->target_path = "vm\377linuz";
		check->target_read = true;
	} else if (!strcmp(name, "check-room")) {
		/* Only of both is it known whether one is too small. */
		check->target.room = ~0ULL;
		check->host.info.scratch_largest = 0;
		check->target_path = "vmlinuz";
		check->target_read = true;
	} else if (!strcmp(name, "check-escapes")) {
		check->target_path = "vm\033[31mlinuz";
		check->target_read = true;
		check->target_cmdline = "\033]0;kho=on\007 liveupdate=on";
	} else if (!strcmp(name, "check-words")) {
		check->target.flags = FRZ_NOTE_KHO_ON | FRZ_NOTE_VTD_ON | FRZ_NOTE_VTD_SCALABLE;
		check->target_path = "vmlinuz";
		check->target_read = true;
		check->target_cmdline = "kho=off quiet intremap=nosid,off -- liveupdate=on";
	} else {
		return false;
	}
	return true;
}

static bool check_one(const char *name, bool json)
{
	bool complete = strcmp(name, "check-unknown");
	struct device_facts dev[PLACES];
	struct check check;

	if (!make_check(&check, name, dev))
		return false;
	check_judge(&check);
	if (json)
		json_end(check_json(&check, complete));
	else
		check_text(&check, complete);
	finding_free(&check.findings);
	return true;
}

/* Of the host and of the devices that ROOT tells about; each is taken to be in use. */
static void facts_all(bool json, const char *root)
{
	struct device_facts dev[PLACES];
	struct check check = { .stage = STAGE_KEXEC, .dev = dev };
	const struct args args = {};
	struct bdf *bdf;
	size_t nr;

	check.host.info = good_host.info;
	facts_host(&check.host, root);
	bdf = facts_devices(&args, false, root, &nr);
	for (; check.nr < nr && check.nr < PLACES; check.nr++) {
		facts_device(&dev[check.nr], root, &bdf[check.nr]);
		dev[check.nr].there = true;
		dev[check.nr].trial = tried(0, IOMMU_FREEZE_IS_PRESERVED).trial;
	}
	facts_memlock(dev, check.nr, root);
	free(bdf);
	check_judge(&check);
	json ? (void)json_end(check_json(&check, true)) : check_text(&check, true);
	finding_free(&check.findings);
}

static void freeze_all(bool json)
{
	struct device_facts dev[PLACES];
	size_t nr = make_devices(dev), i;
	struct findings findings = {};

	for (i = 0; i < nr; i++) {
		trial_judge(&dev[i], true, &findings);
		if (!json)
			trial_text_one(&dev[i], &findings);
	}
	if (json)
		json_end(trial_json(dev, nr, &findings, true));
	finding_free(&findings);
}

/* The exit code that each of the devices makes for. */
static void judge_all(void)
{
	struct device_facts dev[PLACES];
	size_t nr = make_devices(dev), i;
	struct findings findings = {};

	for (i = 0; i < nr; i++)
		printf("%d%s", trial_judge(&dev[i], true, &findings), i + 1 < nr ? " " : "\n");
	finding_free(&findings);
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

	if (argc < 3 || print_begin())
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
	} else if (!strcmp(argv[1], "freeze")) {
		freeze_all(json);
	} else if (!strcmp(argv[1], "judge")) {
		judge_all();
	} else if (!strcmp(argv[1], "facts") && argc == 4) {
		facts_all(json, argv[3]);
	} else if (!check_one(argv[1], json)) {
		return OUTCOME_USAGE;
	}
	pci_end();
	return print_end();
}
