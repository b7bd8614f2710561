// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tool with made-up answers of the kernel: render NAME {json | text} [ROOT]. Only
 * how it is printed and judged is tested here; what the kernel answers is tested where
 * the kernel runs. The name is that of a verb, "empty" for a list of nothing, "facts"
 * for check on what ROOT/sys and ROOT/proc tell, "check-" and which one, or "judge-" and
 * the number of a device to try. Exit code: 0 when the tool ran, of judge that of the
 * tool. One thread, no locks.
 *
 * The linker puts the functions __wrap_NAME here in the place of NAME.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "format/format.h"
#include "backend.h"
#include "kernel.h"

#undef main

#define DEVICES 8

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

/*
 * list, show, verify, extents and discard
 */
static struct iommu_freeze_device device[DEVICES];
static size_t nr_devices = 7;

static const struct iommu_freeze_info list_info = {
	.status = IOMMU_FREEZE_STATUS_KHO | IOMMU_FREEZE_STATUS_LIVEUPDATE,
	.blob_version = 1, .nr_incoming = 6, .nr_outgoing = 1, .generation = 2,
};

static void make_list(const char *name)
{
	u32 i;

	for (i = 0; i < DEVICES; i++)
		device[i] = made(i, i < 5 ? IOMMU_FREEZE_INCOMING : IOMMU_FREEZE_OUTGOING,
				 i == 5 ? IOMMU_FREEZE_FROZEN : i + 1);
	if (!strcmp(name, "empty"))
		nr_devices = 0;
	if (strcmp(name, "verify"))
		return;
	/* What is blocked is not compared. */
	nr_devices = DEVICES;
	for (i = 0; i < DEVICES; i++)
		device[i].state = IOMMU_FREEZE_FROZEN;
}

/* The number of a device, as made() and tried() place them. */
static u32 number(u32 devid)
{
	return devid >> 3 & 0x1f;
}

static int answer_list(struct iommu_freeze_device *dev)
{
	u32 i, index = dev->index;

	for (i = 0; i < nr_devices; i++) {
		if (device[i].direction != dev->direction || index--)
			continue;
		*dev = device[i];
		return 0;
	}
	errno = ENOENT;
	return -1;
}

/* Results 0 to 5 (unknown), then not mapped, then under lockdown */
static void answer_verify(struct iommu_freeze_verify *verify)
{
	u32 i = number(verify->devid);

	*verify = verified(i < 6 ? i : IOMMU_FREEZE_DIFFERS);
	if (i == 6)
		verify->now_prot = 0;
	if (i >= 6)
		verify->now_pa = 0;
	if (i == 7)
		verify->frozen_pa = 0;
}

/* The device 0 has none, 1 has fewer than it says, 2 has some. */
static void answer_extents(struct iommu_freeze_extents *x)
{
	static const struct iommu_freeze_extent extent[][3] = {
		{},
		{ { 0, 0x40000000, 0x40000000, FRZ_READ | FRZ_WRITE, 0 } },
		{ { 0, 0x40000000, 0x40000000, FRZ_READ | FRZ_WRITE, 0 },
		  { 0x1000000000000, 0x1000, 0x1000, FRZ_READ, 0 },
		  { 0x1fffffffffff000, 0xffffffffff000, 0x1000, FRZ_WRITE | FRZ_SNOOP, 0 } },
	};
	static const u64 nr[] = { 0, 1, 3 }, total[] = { 0, 2, 3 };
	u32 i = number(x->devid);

	x->total = total[i];
	x->nr = x->start ? 0 : nr[i];
	memcpy((void *)(uintptr_t)x->extents, extent[i], x->nr * sizeof(extent[i][0]));
}

/*
 * check and freeze
 */
static struct check check;
static struct args typed = { .stage = STAGE_PRESERVE };

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
	dev[n] = (struct device_facts){ .bdf.devid = 0xfe00 | n << 3, };
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
	.iommu = &backend_vtd,
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
		.args = &typed, .host = good_host, .dev = dev, .nr = 1,
		.target = good_target,
	};
	dev[0] = tried(0, IOMMU_FREEZE_IN_USE);
	if (!strcmp(name, "check-ready")) {
		typed.stage = STAGE_KEXEC;
		dev[0] = tried(0, IOMMU_FREEZE_IS_PRESERVED);
		dev[1] = tried(1, IOMMU_FREEZE_IDLE);
		check->nr = 2;
		typed.target = "vmlinuz";
		check->target_read = true;
		typed.target_cmdline = "kho=1 liveupdate=y intel_iommu=sm_off,on";
	} else if (!strcmp(name, "check-all")) {
		check->nr = make_devices(dev);
	} else if (!strcmp(name, "check-early")) {
		typed.stage = STAGE_EARLY;
		found(&dev[0], FOUND(INTERRUPTS) | FOUND(NOT_PRESERVED));
	} else if (!strcmp(name, "check-late")) {
		typed.stage = STAGE_EARLY;
		found(&dev[0], FOUND(INTERRUPTS) | FOUND(PUNCHED));
	} else if (!strcmp(name, "check-kexec")) {
		typed.stage = STAGE_KEXEC;
		check->host.loaded = false;
		check->host.info.status &= ~IOMMU_FREEZE_STATUS_LOADED;
	} else if (!strcmp(name, "check-image")) {
		typed.stage = STAGE_KEXEC;
		check->host.info.status |= IOMMU_FREEZE_STATUS_NO_HANDOVER;
		typed.target = "vmlinuz";
		check->target_read = true;
		check->nr = 0;
	} else if (!strcmp(name, "check-image-unknown")) {
		typed.stage = STAGE_KEXEC;
		check->host.info.status &= ~IOMMU_FREEZE_STATUS_LOADED;
		typed.target = "vmlinuz";
		check->target_read = true;
		check->nr = 0;
	} else if (!strcmp(name, "check-host")) {
		check->host.info.status = IOMMU_FREEZE_STATUS_BAD;
		check->host.iommu = backends[1];	/* AMD-Vi */
		not_serialised(&dev[0]);
	} else if (!strcmp(name, "check-scalable")) {
		found(&dev[0], FOUND(SCALABLE));
	} else if (!strcmp(name, "check-none")) {
		check->host.iommu = &backend_none;
		check->nr = 0;
	} else if (!strcmp(name, "check-unknown")) {
		check->host = (struct host_facts){ .info.status = IOMMU_FREEZE_STATUS_KHO |
							    IOMMU_FREEZE_STATUS_LIVEUPDATE };
		typed.stage = STAGE_KEXEC;
		typed.target = "vm\377linuz";
		check->nr = 0;
	} else if (!strcmp(name, "check-target")) {
		check->target = (struct target){ .kind = "Image" };
		typed.target = "Image";
		check->target_read = true;
	} else if (!strcmp(name, "check-newer")) {
		check->target.oldest = 2;
		check->target.newest = 3;
		check->target.room++;
		typed.target = "vm\377linuz";
		check->target_read = true;
	} else if (!strcmp(name, "check-room")) {
		/* Only of both is it known whether one is too small. */
		check->target.room = ~0ULL;
		check->host.info.scratch_largest = 0;
		typed.target = "vmlinuz";
		check->target_read = true;
	} else if (!strcmp(name, "check-escapes")) {
		typed.target = "vm\033[31mlinuz";
		check->target_read = true;
		typed.target_cmdline = "\033]0;kho=on\007 liveupdate=on";
	} else if (!strcmp(name, "check-words")) {
		check->target.flags = FRZ_NOTE_KHO_ON | FRZ_NOTE_VTD_ON | FRZ_NOTE_VTD_SCALABLE;
		typed.target = "vmlinuz";
		check->target_read = true;
		typed.target_cmdline = "kho=off quiet intremap=nosid,off -- liveupdate=on";
	} else if (!strncmp(name, "check-smmuv3", strlen("check-smmuv3"))) {
		check->host.iommu = &backend_smmuv3;
		strcpy(check->host.cmdline, "iommufd.allow_unsafe_interrupts");
		typed.target = "Image";
		check->target.kind = typed.target;
		check->target_read = true;
		typed.target_cmdline = "kho=on liveupdate=on iommufd.allow_unsafe_interrupts=0";
		if (!strcmp(name, "check-smmuv3-good")) {
			check->target.flags = FRZ_NOTE_SMMUV3_ON;
			typed.target_cmdline =
				"kho=on liveupdate=on iommufd.allow_unsafe_interrupts=1";
		}
	} else {
		return false;
	}
	return true;
}

/*
 * What takes the place of the kernel, of the host and of the next kernel
 */
static bool use_root;

__typeof__(open) __real_open;
__typeof__(facts_host) __real_facts_host;
__typeof__(facts_device) __real_facts_device;
__typeof__(facts_memlock) __real_facts_memlock;
__typeof__(facts_devices) __real_facts_devices;

int __wrap_open(const char *path, int flags)
{
	return __real_open(strcmp(path, DEVICE_NODE) ? path : "/dev/null", flags);
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	switch (request) {
	case IOMMU_FREEZE_GET_INFO:
		*(struct iommu_freeze_info *)arg = check.host.info;
		return 0;
	case IOMMU_FREEZE_LIST:
		return answer_list(arg);
	case IOMMU_FREEZE_VERIFY:
		answer_verify(arg);
		return 0;
	case IOMMU_FREEZE_EXTENTS:
		answer_extents(arg);
		return 0;
	case IOMMU_FREEZE_TRIAL:
		*(struct iommu_freeze_trial *)arg = tried(0, IOMMU_FREEZE_IS_PRESERVED).trial;
		return 0;
	default:
		return 0;
	}
}

void __wrap_facts_host(struct host_facts *host)
{
	if (use_root)
		__real_facts_host(host);
	else
		*host = check.host;
}

enum outcome __wrap_facts_device(struct device_facts *dev, struct bdf bdf)
{
	if (use_root)
		return __real_facts_device(dev, bdf);
	*dev = check.dev[number(bdf.devid)];
	return OUTCOME_OK;
}

void __wrap_facts_memlock(struct device_facts *dev, size_t nr)
{
	if (use_root)
		__real_facts_memlock(dev, nr);
}

struct bdf *__wrap_facts_devices(const struct args *args, bool vfio_only, size_t *nr)
{
	struct bdf *bdf;

	if (use_root || args->nr_bdf)
		return __real_facts_devices(args, vfio_only, nr);
	bdf = must(calloc(check.nr + 1, sizeof(*bdf)));
	for (*nr = 0; *nr < check.nr; ++*nr)
		bdf[*nr] = check.dev[*nr].bdf;
	return bdf;
}

enum outcome __wrap_target_read(const char *path, struct target *target)
{
	*target = check.target;
	return check.target_read ? OUTCOME_OK : OUTCOME_FAILED;
}

#define MAX_ARGS 20

static struct {
	const char *word[MAX_ARGS];
	int nr;
} line = { { TOOL }, 1 };

static void add(const char *word)
{
	if (line.nr == MAX_ARGS - 1)
		abort();
	line.word[line.nr++] = word;
}

/* The devices first to last, as tried() and made() place them. */
static void add_devices(u32 first, u32 last)
{
	for (; first <= last; first++)
		add(strdup(print_text("fe:%02x.0", first)));
}

static void add_check(void)
{
	add("check");
	add("--stage");
	add(print_word(WORDS_STAGE, typed.stage));
	if (typed.target) {
		add("--target");
		add(typed.target);
	}
	if (typed.target_cmdline) {
		add("--target-cmdline");
		add(typed.target_cmdline);
	}
}

/* The command line of the tool for a name; false: there is none of that name. */
static bool make_line(const char *name, struct device_facts *dev)
{
	make_list(name);
	check = (struct check){ .host.info = list_info, .dev = dev };
	if (!strcmp(name, "list") || !strcmp(name, "empty")) {
		add("list");
	} else if (!strcmp(name, "show")) {
		/* One of them is in another segment, and one is not there. */
		add("show");
		add_devices(0, 5);
		add("10000:fe:06.0");
		add("ff:1f.7");
	} else if (!strcmp(name, "verify")) {
		add("verify");
	} else if (!strcmp(name, "extents")) {
		add("extents");
		add_devices(0, 2);
	} else if (!strcmp(name, "discard")) {
		add("discard");
		add_devices(1, 1);
	} else if (!strcmp(name, "freeze")) {
		add("freeze");
		add("--trial");
		add_devices(0, make_devices(dev) - 1);
	} else if (!strncmp(name, "judge-", 6)) {
		make_devices(dev);
		add("freeze");
		add("--trial");
		add_devices(atoi(name + 6), atoi(name + 6));
	} else if (!strcmp(name, "facts")) {
		use_root = true;
		check.host.info = good_host.info;
		typed.stage = STAGE_KEXEC;
		add_check();
	} else if (make_check(&check, name, dev)) {
		add_check();
	} else {
		return false;
	}
	return true;
}

int tool_main(int argc, char **argv);

int main(int argc, char **argv)
{
	struct device_facts dev[PLACES];
	int code;

	if (argc < 3 || !make_line(argv[1], dev))
		return OUTCOME_USAGE;
	if (!strcmp(argv[2], "json"))
		add("--json");
	if (argc > 3)
		facts_root = argv[3];
	code = tool_main(line.nr, (char **)line.word);
	return code == OUTCOME_USAGE || !strncmp(argv[1], "judge-", 6) ? code : OUTCOME_OK;
}
