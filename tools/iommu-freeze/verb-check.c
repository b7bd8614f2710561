// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze check: will it work?
 *
 * Structure: gathers what can be known about the host, its devices and the next
 * kernel, then judges it, then prints. No lock: it tells about the moment. What
 * could not be looked at is told as that. What was asked for and could not be
 * gathered fails.
 */
#include <stdlib.h>

#include "tool.h"

#define HOST "host"

static const char *iommu_name(enum iommu_type type)
{
	static const char * const name[] = {
		[IOMMU_VTD] = "vt-d",
		[IOMMU_AMD] = "amd-vi",
		[IOMMU_SMMUV3] = "smmuv3",
		[IOMMU_OTHER] = "other",
	};

	return name[type];
}

/* An obstacle was looked for in some device; told whether one has it. */
static bool was_looked_at(const struct check *check, u32 obstacle, bool *found)
{
	bool looked = false;
	size_t i;

	*found = false;
	for (i = 0; i < check->nr; i++) {
		looked |= !!(check->dev[i].trial.looked & BIT_ULL(obstacle));
		*found |= !!(check->dev[i].trial.found & BIT_ULL(obstacle));
	}
	return looked;
}

static const char *vtd_mode(const struct check *check)
{
	bool scalable;

	if (!was_looked_at(check, IOMMU_FREEZE_OBSTACLE_SCALABLE, &scalable))
		return NULL;
	return scalable ? "scalable" : "legacy";
}

static void judge_host(struct check *check)
{
	const struct host_facts *host = &check->host;
	struct findings *list = &check->findings;

	if (!(host->info.status & IOMMU_FREEZE_STATUS_KHO))
		finding_add(list, HOST, "kho", "boot with kho=on", "Kexec HandOver is off");
	if (!(host->info.status & IOMMU_FREEZE_STATUS_LIVEUPDATE))
		finding_add(list, HOST, "liveupdate", "boot with liveupdate=on",
			    "the Live Update Orchestrator is off");
	if (host->info.status & IOMMU_FREEZE_STATUS_BAD)
		finding_add(list, HOST, "handover", "see 'dmesg | grep iommu-freeze'",
			    "a handover came with this boot that cannot be read");
	if (host->iommu == IOMMU_NONE)
		finding_add(list, HOST, "no-iommu", "boot with intel_iommu=on",
			    "no IOMMU is in use");
	else if (host->iommu != IOMMU_VTD)
		finding_add(list, HOST, "iommu-type", NULL,
			    "the IOMMU is %s, only vt-d is supported", iommu_name(host->iommu));
	if (check->stage == STAGE_KEXEC && host->loaded_known && !host->loaded)
		finding_add(list, HOST, "no-kernel", "kexec -l", "no kernel is loaded");
}

/* In a command line, or else built into the kernel. */
static bool is_on(enum said said, bool by_default)
{
	return said ? said == SAID_ON : by_default;
}

static void judge_target_cmdline(struct check *check)
{
	u32 flags = check->target.flags;
	struct findings *list = &check->findings;
	struct cmdline c;

	if (!cmdline_parse(&c, check->target_cmdline)) {
		say("out of memory");
		exit(OUTCOME_FAILED);
	}
	if (!is_on(c.kho, flags & FRZ_NOTE_KHO_ON))
		finding_add(list, check->target_path, "target-kho", "add kho=on",
			    "Kexec HandOver will be off with that command line");
	if (!is_on(c.liveupdate, false))
		finding_add(list, check->target_path, "target-liveupdate", "add liveupdate=on",
			    "the Live Update Orchestrator will be off with that command line");
	if (!is_on(c.vtd, flags & FRZ_NOTE_VTD_ON))
		finding_add(list, check->target_path, "target-iommu", "add intel_iommu=on",
			    "VT-d will be off with that command line");
	else if (is_on(c.scalable, flags & FRZ_NOTE_VTD_SCALABLE) &&
		 vtd_mode(check) && !strcmp(vtd_mode(check), "legacy"))
		finding_add(list, check->target_path, "target-scalable", "add intel_iommu=sm_off",
			    "VT-d may be in scalable mode with that command line, and is in legacy mode now");
}

static void judge_target(struct check *check)
{
	const struct target *t = &check->target;
	u32 version = check->host.info.blob_version;
	u64 largest = check->host.info.scratch_largest;
	struct findings *list = &check->findings;
	char need[BYTES_LEN], have[BYTES_LEN];

	if (!check->target_read)
		return;
	if (!t->supported) {
		finding_add(list, check->target_path, "target",
			    "boot a kernel with CONFIG_IOMMU_FREEZE",
			    "it cannot take over frozen devices");
		return;
	}
	if (version < t->oldest || version > t->newest)
		finding_add(list, check->target_path, "target-version",
			    "boot a kernel that reads it",
			    "it reads handovers of version %u to %u, this kernel writes %u",
			    t->oldest, t->newest, version);
	if (t->room && largest && t->room > largest)
		finding_add(list, check->target_path, "target-room",
			    "boot this kernel with a larger kho_scratch=",
			    "it needs %s in one piece, the largest area of KHO scratch has %s",
			    print_bytes(t->room, need, sizeof(need)),
			    print_bytes(largest, have, sizeof(have)));
	if (check->target_cmdline)
		judge_target_cmdline(check);
}

/* What a VMM does itself when its turn comes. */
#define VMM_DOES (BIT_ULL(IOMMU_FREEZE_OBSTACLE_INTERRUPTS) | \
		  BIT_ULL(IOMMU_FREEZE_OBSTACLE_NOT_PRESERVED))

static void judge_device(struct check *check, const struct device_facts *dev)
{
	const struct iommu_freeze_trial *t = &dev->trial;
	struct findings *list = &check->findings;
	char need[BYTES_LEN], have[BYTES_LEN], place[BDF_LEN];

	print_bdf(&dev->bdf, place);
	if (!dev->there) {
		finding_add(list, place, "no-device", NULL, "no such device");
		return;
	}
	finding_add_trial(list, place, dev->driver, t,
			  check->stage == STAGE_EARLY ? VMM_DOES : 0);
	if (t->result != IOMMU_FREEZE_SAME)
		finding_add(list, place, "differs", "report it",
			    "iova 0x%llx: the frozen tables are not as the live ones (%s)",
			    t->iova, print_result(t->result));
	if (check->stage == STAGE_KEXEC && t->use == IOMMU_FREEZE_IN_USE)
		finding_add(list, place, "left-behind", "have its VMM preserve it, or shut its VM down",
			    "a VMM uses it and has not preserved it, its DMA ends with the kexec");
	if (t->serialised && dev->vmm && !dev->unlimited && dev->memlock < t->mapped)
		finding_add(list, place, "memlock", "raise its RLIMIT_MEMLOCK",
			    "process %ld may lock %s of memory, the new map needs %s", dev->vmm,
			    print_bytes(dev->memlock, have, sizeof(have)),
			    print_bytes(t->mapped, need, sizeof(need)));
}

/**
 * check_judge - what is in the way
 * @check: gathered; findings are added
 */
void check_judge(struct check *check)
{
	size_t i;

	judge_host(check);
	judge_target(check);
	for (i = 0; i < check->nr; i++)
		judge_device(check, &check->dev[i]);
}

/* Ready is only what was looked at to the end. */
static const char *verdict(const struct check *check, const struct device_facts *dev)
{
	char place[BDF_LEN];

	if (finding_count(&check->findings, print_bdf(&dev->bdf, place)))
		return "not-ready";
	if (dev->trial.use == IOMMU_FREEZE_IDLE)
		return "idle";
	return dev->trial.serialised ? "ready" : "not-tried";
}

static enum tint verdict_tint(const char *word)
{
	switch (*word) {
	case 'r':
		return TINT_GOOD;
	case 'i':
		return TINT_NONE;
	default:
		return TINT_BAD;
	}
}

static json_t *json_size(u64 value)
{
	return value ? json_count(value) : json_null();
}

static json_t *json_words(u64 bits)
{
	json_t *words = json_array();
	const struct frz_obstacle *o;
	u32 i;

	for (i = 0; i < 64; i++) {
		if (!(bits & BIT_ULL(i)))
			continue;
		o = frz_obstacle(i);
		json_array_append_new(words, json_string(o ? o->name : "unknown"));
	}
	return words;
}

static json_t *host_json(const struct check *check)
{
	const struct host_facts *host = &check->host;
	u32 status = host->info.status;

	return json_pack("{sbsbsbsIsososs?s?sIsoso}",
		"kho", !!(status & IOMMU_FREEZE_STATUS_KHO),
		"liveupdate", !!(status & IOMMU_FREEZE_STATUS_LIVEUPDATE),
		"bad_handover", !!(status & IOMMU_FREEZE_STATUS_BAD),
		"blob_version", (json_int_t)host->info.blob_version,
		"scratch", json_size(host->info.scratch),
		"scratch_largest", json_size(host->info.scratch_largest),
		"iommu", iommu_name(host->iommu),
		"mode", vtd_mode(check),
		"units", (json_int_t)host->units,
		"kexec_loaded", host->loaded_known ? json_boolean(host->loaded) : json_null(),
		"cmdline", json_text(host->cmdline));
}

static json_t *target_json(const struct check *check)
{
	const struct target *t = &check->target;

	if (!check->target_read)
		return json_null();
	return json_pack("{sosssbsosososo}",
		"path", json_text(check->target_path),
		"kind", t->kind,
		"supported", t->supported,
		"oldest", t->supported ? json_count(t->oldest) : json_null(),
		"newest", t->supported ? json_count(t->newest) : json_null(),
		"room", json_size(t->room),
		"cmdline", check->target_cmdline ? json_text(check->target_cmdline) : json_null());
}

static json_t *memlock_json(const struct device_facts *dev)
{
	if (!dev->vmm || !dev->trial.serialised)
		return json_null();
	return json_pack("{sIsoso}",
		"pid", (json_int_t)dev->vmm,
		"need", json_count(dev->trial.mapped),
		"limit", dev->unlimited ? json_null() : json_count(dev->memlock));
}

static json_t *device_json(const struct check *check, const struct device_facts *dev)
{
	char place[BDF_LEN], name[NAME_LEN];

	return json_pack("{ssss?ssss?ss?sosssssosososo}",
		"device", print_bdf(&dev->bdf, place),
		"name", pci_name(&dev->bdf, name, sizeof(name)),
		"verdict", verdict(check, dev),
		"driver", *dev->driver ? dev->driver : NULL,
		"group", *dev->group ? dev->group : NULL,
		"group_devices", dev->group_devices < 0 ? json_null() :
							  json_integer(dev->group_devices),
		"reset", dev->reset,
		"use", print_use(dev->trial.use),
		"looked", json_words(dev->trial.looked),
		"found", json_words(dev->trial.found),
		"trial", json_trial(&dev->trial),
		"memlock", memlock_json(dev));
}

/**
 * check_json - what check --json prints
 * @check: judged
 * @complete: whether all that was asked for was looked at
 *
 * Return: tree, NULL without memory.
 */
json_t *check_json(const struct check *check, bool complete)
{
	bool ready = complete && !finding_count(&check->findings, NULL);
	json_t *root, *devices = json_array();
	size_t i;

	for (i = 0; i < check->nr; i++)
		json_array_append_new(devices, device_json(check, &check->dev[i]));
	root = json_devices(verb_check.name, devices, check->nr, complete);
	if (!json_object_set_new(root, "stage", json_string(print_stage(check->stage))) &&
	    !json_object_set_new(root, "ready", json_boolean(ready)) &&
	    !json_object_set_new(root, "host", host_json(check)) &&
	    !json_object_set_new(root, "target", target_json(check)) &&
	    !json_object_set_new(root, "findings", finding_json(&check->findings)))
		return root;
	json_decref(root);
	return NULL;
}

static void field(const char *name)
{
	printf("%-8s ", name);
}

static void host_text(const struct check *check)
{
	const struct host_facts *host = &check->host;
	char size[BYTES_LEN], largest[BYTES_LEN];
	u32 status = host->info.status;

	field("kernel");
	printf("KHO %s, LUO %s, writes handover version %u\n",
	       status & IOMMU_FREEZE_STATUS_KHO ? "on" : "off",
	       status & IOMMU_FREEZE_STATUS_LIVEUPDATE ? "on" : "off",
	       host->info.blob_version);
	field("scratch");
	if (host->info.scratch)
		printf("%s, the largest area has %s\n",
		       print_bytes(host->info.scratch, size, sizeof(size)),
		       print_bytes(host->info.scratch_largest, largest, sizeof(largest)));
	else
		puts("none");
	field("iommu");
	if (host->iommu)
		printf("%s, units: %u, mode: %s\n", iommu_name(host->iommu), host->units,
		       vtd_mode(check) ?: "not looked at, no device was tried");
	else
		puts("none");
	field("kexec");
	puts(!host->loaded_known ? "not known whether a kernel is loaded" :
	     host->loaded ? "a kernel is loaded" : "no kernel is loaded");
}

static void target_text(const struct check *check)
{
	const struct target *t = &check->target;
	char size[BYTES_LEN];

	field("target");
	if (!check->target_read) {
		puts("not looked at");
		return;
	}
	printf("%s, ", t->kind);
	if (t->supported)
		printf("reads handover versions %u to %u", t->oldest, t->newest);
	else
		printf("reads no handover");
	if (t->room)
		printf(", needs %s in one piece", print_bytes(t->room, size, sizeof(size)));
	printf(", its command line was %slooked at\n", check->target_cmdline ? "" : "not ");
}

static void device_text(const struct check *check, const struct device_facts *dev)
{
	char place[BDF_LEN], mapped[BYTES_LEN], memory[BYTES_LEN];
	const struct iommu_freeze_trial *t = &dev->trial;
	const char *word = verdict(check, dev);

	printf("%-12s  ", print_bdf(&dev->bdf, place));
	print_tinted(verdict_tint(word), 9, word);
	printf("  %-10s  %-9s  %5s  %-12s  %8s  %8s  ", *dev->driver ? dev->driver : "-",
	       dev->there ? print_use(t->use) : "-", *dev->group ? dev->group : "-",
	       *dev->reset ? dev->reset : "none",
	       t->serialised ? print_bytes(t->mapped, mapped, sizeof(mapped)) : "-",
	       t->serialised ? print_bytes(t->memory, memory, sizeof(memory)) : "-");
	if (!t->serialised || !dev->vmm)
		puts("not looked at");
	else if (dev->unlimited)
		puts("no limit");
	else
		puts(print_bytes(dev->memlock, mapped, sizeof(mapped)));
}

/**
 * check_text - what check prints for people, but for the last line
 * @check: judged
 */
void check_text(const struct check *check)
{
	size_t i;

	host_text(check);
	if (check->target_path)
		target_text(check);
	if (check->nr)
		printf("\n%-12s  %-9s  %-10s  %-9s  %5s  %-12s  %8s  %8s  %s\n", "DEVICE",
		       "VERDICT", "DRIVER", "USE", "GROUP", "RESET", "MAPPED", "TABLES",
		       "MEMLOCK");
	for (i = 0; i < check->nr; i++)
		device_text(check, &check->dev[i]);
	if (check->findings.nr)
		putchar('\n');
	finding_print(&check->findings, NULL);
}

static void last_line(const struct check *check, bool complete)
{
	size_t n = finding_count(&check->findings, NULL), idle = 0, i;
	char text[64];

	for (i = 0; i < check->nr; i++)
		idle += !strcmp(verdict(check, &check->dev[i]), "idle");
	putchar('\n');
	if (n) {
		snprintf(text, sizeof(text), "not ready: %zu in the way", n);
		print_tinted(TINT_BAD, 0, text);
	} else if (!complete) {
		print_tinted(TINT_BAD, 0, "not ready: something could not be looked at");
	} else {
		print_tinted(TINT_GOOD, 0, "ready");
		printf(" at stage %s", print_stage(check->stage));
		if (idle)
			printf("; idle, use and map not looked at: %zu of %zu devices", idle,
			       check->nr);
	}
	putchar('\n');
}

static enum outcome gather_devices(struct check *check, const struct args *args)
{
	enum outcome outcome = OUTCOME_OK, one;
	char place[BDF_LEN];
	struct bdf *bdf;
	size_t i, nr;

	bdf = facts_devices(args, "", &nr);
	check->dev = calloc(nr + 1, sizeof(*check->dev));
	if (!check->dev) {
		say("out of memory");
		exit(OUTCOME_FAILED);
	}
	for (i = 0; i < nr; i++) {
		struct device_facts *dev = &check->dev[check->nr];

		progress("check: %s, %zu of %zu", print_bdf(&bdf[i], place), i + 1, nr);
		facts_device(dev, "", &bdf[i]);
		one = kernel_trial(&dev->trial, &bdf[i], &dev->there);
		outcome = outcome_add(outcome, one);
		check->nr += !one;
	}
	progress_clear();
	free(bdf);
	if (nr)
		return outcome;
	if (args->slot || args->id) {
		say("-s or -d matches no PCI device");
		return OUTCOME_FAILED;
	}
	say("no device is bound to vfio-pci: only the host was checked");
	return outcome;
}

static enum outcome run_check(const struct args *args)
{
	struct check check = {
		.stage = args->stage,
		.target_path = args->target,
		.target_cmdline = args->target_cmdline,
	};
	enum outcome outcome, one;
	bool complete;

	outcome = kernel_open();
	if (!outcome)
		outcome = kernel_info(&check.host.info);
	if (outcome)
		return outcome;
	facts_host(&check.host, "");
	outcome = gather_devices(&check, args);
	if (args->target) {
		one = target_read(args->target, &check.target);
		check.target_read = !one;
		outcome = outcome_add(outcome, one);
	}
	complete = !outcome;
	check_judge(&check);
	if (args->json) {
		one = json_end(check_json(&check, complete));
		outcome = outcome_add(outcome, one);
	} else {
		check_text(&check);
		last_line(&check, complete);
	}
	if (finding_count(&check.findings, NULL))
		outcome = outcome_add(outcome, OUTCOME_FAILED);
	finding_free(&check.findings);
	free(check.dev);
	return outcome;
}

const struct verb verb_check = {
	.name = "check",
	.brief = "tell before the kexec whether it will work",
	.synopsis = "[--stage STAGE] [--target IMAGE] [--target-cmdline TEXT] [--json]\n"
		    "                          [-s SLOT] [-d ID] [BDF...]",
	.about =
	"Looks at the host and at each device, without a device at all that are bound to\n"
	"vfio-pci, and names what is in the way, one line each. A device that is in use is\n"
	"serialised for trial, as by 'freeze --trial'. At the stage 'early', what a VMM does\n"
	"itself when its turn comes does not count; at 'kexec', a device in use that is not\n"
	"preserved by now does.\n",
	.takes = TAKES_CHECK | TAKES_JSON | TAKES_MATCH | TAKES_DEVICES,
	.run = run_check,
};
