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
#define NOT_LOOKED "not looked at"

static const char *iommu_name(enum iommu_type type)
{
	static const char * const name[] = {
		[IOMMU_NONE] = "none",
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

/* Whoever loaded it: is the loaded kernel told what is frozen? */
static void judge_image(struct check *check)
{
	const struct host_facts *host = &check->host;

	if (host->info.status & IOMMU_FREEZE_STATUS_NO_HANDOVER)
		finding_add(&check->findings, HOST, "no-handover", "load it with kexec -s -l",
			    "the loaded kernel would not be told what is frozen");
	else if (host->loaded && !(host->info.status & IOMMU_FREEZE_STATUS_LOADED))
		finding_add(&check->findings, HOST, "handover-unknown", "try again",
			    "this kernel does not say whether the loaded one would be told what is frozen");
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
	if (!host->iommu)
		finding_add(list, HOST, "iommu-unknown", "mount sysfs",
			    "whether an IOMMU is in use is not known");
	else if (host->iommu == IOMMU_NONE)
		finding_add(list, HOST, "no-iommu", "boot with intel_iommu=on",
			    "no IOMMU is in use");
	else if (host->iommu > IOMMU_VTD)
		finding_add(list, HOST, "iommu-type", NULL,
			    "its IOMMU is not VT-d (%s)", iommu_name(host->iommu));
	if (check->stage == STAGE_KEXEC && !host->loaded_known)
		finding_add(list, HOST, "kernel-unknown", "mount sysfs",
			    "whether a kernel is loaded is not known");
	if (check->stage == STAGE_KEXEC && host->loaded_known && !host->loaded)
		finding_add(list, HOST, "no-kernel", "kexec -s -l first", "no kernel is loaded");
	if (check->stage == STAGE_KEXEC && !check->target_path)
		finding_add(list, HOST, "target-unknown", "name it with --target",
			    "whether the next kernel can take over frozen devices is not known");
	if (check->stage == STAGE_KEXEC)
		judge_image(check);
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
	if (c.intremap == SAID_OFF)
		finding_add(list, check->target_path, "target-intremap", "leave out intremap=off",
			    "interrupt remapping will be off with that command line: no VMM can bind its device");
	if (!is_on(c.vtd, flags & FRZ_NOTE_VTD_ON))
		finding_add(list, check->target_path, "target-iommu", "add intel_iommu=on",
			    "VT-d will be off with that command line");
	else if (is_on(c.scalable, flags & FRZ_NOTE_VTD_SCALABLE) &&
		 check->host.scalable && vtd_mode(check) && !strcmp(vtd_mode(check), "legacy"))
		finding_add(list, check->target_path, "target-scalable", "add intel_iommu=sm_off",
			    "VT-d will be in scalable mode with that command line, and is in legacy mode now");
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
			    "it reads handover versions %u to %u, this kernel writes %u",
			    t->oldest, t->newest, version);
	if (t->room && largest && t->room > largest)
		finding_add(list, check->target_path, "target-room",
			    "boot this kernel with a larger kho_scratch=",
			    "it needs %s in one piece, the largest KHO scratch area has %s",
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
	finding_add_device(list, dev, check->host.info.status & IOMMU_FREEZE_STATUS_KHO,
			   check->stage == STAGE_EARLY ? VMM_DOES : 0);
	if (check->stage == STAGE_KEXEC && t->use != IOMMU_FREEZE_IDLE &&
	    t->use != IOMMU_FREEZE_IS_PRESERVED)
		finding_add(list, place, "not-preserved-yet",
			    "have its VMM preserve it, or shut its VM down",
			    "a VMM uses it and has not preserved it: its DMA ends with the kexec");
	if (t->serialised && dev->vmm && dev->memlock < t->mapped)
		finding_add(list, place, "memlock", "raise RLIMIT_MEMLOCK",
			    "the VMM (pid %ld) may lock %s, the rebuild needs %s", dev->vmm,
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

/* In use and without a finding, it was looked at to the end. */
static const char *verdict(const struct check *check, const struct device_facts *dev)
{
	char place[BDF_LEN];

	if (finding_count(&check->findings, print_bdf(&dev->bdf, place)))
		return "not-ready";
	return dev->trial.use == IOMMU_FREEZE_IDLE ? "idle" : "ready";
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
	char name[OBSTACLE_LEN];
	u32 i;

	for (i = 0; i < 64; i++)
		if (bits & BIT_ULL(i))
			json_array_append_new(words, json_string(finding_obstacle(i, name)));
	return words;
}

/* Whether an obstacle is there, as a fact; null: it was not looked for. */
static json_t *json_found(const struct iommu_freeze_trial *trial, u32 obstacle)
{
	if (!(trial->looked & BIT_ULL(obstacle)))
		return json_null();
	return json_boolean(trial->found & BIT_ULL(obstacle));
}

static json_t *host_json(const struct check *check)
{
	const struct host_facts *host = &check->host;
	u32 status = host->info.status;

	return json_pack("{sbsbsbsIsososs?ss?sIsbsososo}",
		"kho", !!(status & IOMMU_FREEZE_STATUS_KHO),
		"liveupdate", !!(status & IOMMU_FREEZE_STATUS_LIVEUPDATE),
		"bad_handover", !!(status & IOMMU_FREEZE_STATUS_BAD),
		"blob_version", (json_int_t)host->info.blob_version,
		"scratch", json_size(host->info.scratch),
		"scratch_largest", json_size(host->info.scratch_largest),
		"iommu", iommu_name(host->iommu),
		"mode", vtd_mode(check),
		"units", (json_int_t)host->units,
		"scalable", host->scalable,
		"kexec_loaded", host->loaded_known ? json_boolean(host->loaded) : json_null(),
		"kexec_handover", !(status & IOMMU_FREEZE_STATUS_LOADED) ? json_null() :
				  json_boolean(!(status & IOMMU_FREEZE_STATUS_NO_HANDOVER)),
		"cmdline", host->cmdline_known ? json_text(host->cmdline) : json_null());
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
		"limit", dev->memlock == NO_LIMIT ? json_null() : json_count(dev->memlock));
}

static const char *reset_name(const struct device_facts *dev)
{
	return *dev->reset ? dev->reset : "none";
}

static json_t *device_json(const struct check *check, const struct device_facts *dev)
{
	char place[BDF_LEN], name[NAME_LEN];

	return json_pack("{ssss?ssss?ss?soss?ss?sosososososo}",
		"device", print_bdf(&dev->bdf, place),
		"name", pci_name(&dev->bdf, name, sizeof(name)),
		"verdict", verdict(check, dev),
		"driver", *dev->driver ? dev->driver : NULL,
		"group", *dev->group ? dev->group : NULL,
		"group_devices", dev->group_devices < 0 ? json_null() :
							  json_integer(dev->group_devices),
		"reset", dev->there ? reset_name(dev) : NULL,
		"use", facts_use(dev),
		"ats", json_found(&dev->trial, IOMMU_FREEZE_OBSTACLE_ATS),
		"pri_pasid", json_found(&dev->trial, IOMMU_FREEZE_OBSTACLE_PRI),
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
	field("cmdline");
	if (host->cmdline_known)
		puts(*host->cmdline ? host->cmdline : "nothing about KHO, LUO or the IOMMU");
	else
		puts(NOT_LOOKED);
	field("scratch");
	if (host->info.scratch && host->info.scratch_largest)
		printf("%s, the largest area has %s\n",
		       print_bytes(host->info.scratch, size, sizeof(size)),
		       print_bytes(host->info.scratch_largest, largest, sizeof(largest)));
	else
		puts("not known");
	field("iommu");
	if (host->iommu == IOMMU_VTD)
		printf("%s, units: %u, mode: %s\n", iommu_name(host->iommu), host->units,
		       vtd_mode(check) ?: NOT_LOOKED ", no device was tried");
	else
		puts(iommu_name(host->iommu) ?: NOT_LOOKED);
	field("kexec");
	puts(status & IOMMU_FREEZE_STATUS_NO_HANDOVER ?
	     "a kernel is loaded, without the handover" :
	     !host->loaded_known ? NOT_LOOKED " whether a kernel is loaded" :
	     host->loaded ? "a kernel is loaded" : "no kernel is loaded");
}

static void target_text(const struct check *check)
{
	const struct target *t = &check->target;
	char size[BYTES_LEN], cmdline[4096];

	field("target");
	if (!check->target_read) {
		puts(check->target_path ? NOT_LOOKED : NOT_LOOKED ", none is named");
		return;
	}
	printf("%s, ", t->kind);
	if (t->supported)
		printf("reads handover versions %u to %u", t->oldest, t->newest);
	else
		printf("reads no handover");
	if (t->room)
		printf(", needs %s in one piece", print_bytes(t->room, size, sizeof(size)));
	printf("; its command line: %s\n", !check->target_cmdline ? NOT_LOOKED :
	       print_text((u8 *)check->target_cmdline, sizeof(cmdline) - 1, cmdline));
}

/* A cell of the table of devices; "-" is what was not looked at or is not there. */
static void cell(int width, const char *text)
{
	printf("  %-*s", width, text);
}

static void found_cell(const struct iommu_freeze_trial *trial, u32 obstacle)
{
	cell(3, !(trial->looked & BIT_ULL(obstacle)) ? "-" :
		trial->found & BIT_ULL(obstacle) ? "on" : "off");
}

static void size_cell(const struct iommu_freeze_trial *trial, int width, u64 bytes)
{
	char size[BYTES_LEN];

	cell(width, trial->serialised ? print_bytes(bytes, size, sizeof(size)) : "-");
}

static void device_text(const struct check *check, const struct device_facts *dev)
{
	const struct iommu_freeze_trial *t = &dev->trial;
	char place[BDF_LEN], text[64];
	const char *word = verdict(check, dev);

	printf("%-12s  ", print_bdf(&dev->bdf, place));
	print_tinted(verdict_tint(word), 9, word);
	cell(10, *dev->driver ? dev->driver : "-");
	cell(9, facts_use(dev) ?: "-");
	snprintf(text, sizeof(text), "%s (%d)", dev->group, dev->group_devices);
	cell(7, *dev->group && dev->group_devices >= 0 ? text : "-");
	size_cell(t, 6, t->mapped);
	size_cell(t, 8, finding_not_kept(t));
	size_cell(t, 6, t->memory);
	cell(8, !t->serialised || !dev->vmm ? "-" : dev->memlock == NO_LIMIT ? "no limit" :
		print_bytes(dev->memlock, text, sizeof(text)));
	found_cell(t, IOMMU_FREEZE_OBSTACLE_ATS);
	found_cell(t, IOMMU_FREEZE_OBSTACLE_PRI);
	printf("  %s\n", dev->there ? reset_name(dev) : "-");
}

/* What "ready" says nothing about. */
static void not_looked_text(const struct check *check)
{
	const struct device_facts *dev;
	size_t idle = 0, memlock = 0;

	for (dev = check->dev; dev < check->dev + check->nr; dev++) {
		idle += dev->there && dev->trial.use == IOMMU_FREEZE_IDLE;
		memlock += dev->trial.serialised && !dev->vmm;
	}
	if (!check->target_read)
		printf("; target " NOT_LOOKED);
	else if (!check->target_cmdline)
		printf("; its command line " NOT_LOOKED);
	if (!check->nr)
		printf("; no device was looked at");
	if (idle)
		printf("; use and map " NOT_LOOKED " (idle): %zu of %zu", idle, check->nr);
	if (memlock)
		printf("; memlock " NOT_LOOKED ": %zu of %zu", memlock, check->nr);
}

static void last_line(const struct check *check, bool complete)
{
	size_t n = finding_count(&check->findings, NULL);
	size_t later = check->findings.nr - n;
	char text[64];

	putchar('\n');
	if (n) {
		snprintf(text, sizeof(text), "not ready: %zu finding%s", n, n == 1 ? "" : "s");
		print_tinted(TINT_BAD, 0, text);
		if (!complete)
			printf("; not all was looked at");
	} else if (!complete) {
		print_tinted(TINT_BAD, 0, "not ready: not all was looked at");
	} else {
		print_tinted(TINT_GOOD, 0, "ready");
		printf(" at stage %s", print_stage(check->stage));
	}
	if (later)
		printf("; left to the VMM: %zu", later);
	not_looked_text(check);
	putchar('\n');
}

/**
 * check_text - what check prints for people
 * @check: judged
 * @complete: whether all that was asked for was looked at
 */
void check_text(const struct check *check, bool complete)
{
	size_t i;

	field("stage");
	puts(print_stage(check->stage));
	host_text(check);
	target_text(check);
	if (check->nr)
		printf("\n%-12s  %-9s  %-10s  %-9s  %-7s  %-6s  %-8s  %-6s  %-8s  %-3s  %-3s  %s\n",
		       "DEVICE", "VERDICT", "DRIVER", "USE", "GROUP", "MAPPED", "NOT-KEPT",
		       "TABLES", "MEMLOCK", "ATS", "PRI", "RESET");
	for (i = 0; i < check->nr; i++)
		device_text(check, &check->dev[i]);
	if (check->findings.nr)
		putchar('\n');
	finding_print(&check->findings, NULL);
	last_line(check, complete);
}

static enum outcome gather_devices(struct check *check, const struct args *args)
{
	enum outcome outcome = OUTCOME_OK, one;
	struct device_facts *dev;
	char place[BDF_LEN];
	struct bdf *bdf;
	size_t i, nr;

	bdf = facts_devices(args, false, "", &nr);
	check->dev = calloc(nr + 1, sizeof(*check->dev));
	if (!check->dev) {
		say("out of memory");
		free(bdf);
		return OUTCOME_FAILED;
	}
	for (i = 0; i < nr; i++) {
		dev = &check->dev[check->nr];
		progress("check: %s, %zu of %zu", print_bdf(&bdf[i], place), i + 1, nr);
		facts_device(dev, "", &bdf[i]);
		one = kernel_trial(&dev->trial, &bdf[i], &dev->there);
		outcome = outcome_add(outcome, one);
		if (outcome_is_final(one))
			break;
		check->nr += !one;
	}
	facts_memlock(check->dev, check->nr, "");
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
	if (outcome_is_final(outcome)) {
		free(check.dev);
		return outcome;
	}
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
		check_text(&check, complete);
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
