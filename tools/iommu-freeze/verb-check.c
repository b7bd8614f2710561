// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze check: will it work?
 *
 * Gathers what can be known about the host, its devices and the next kernel, has
 * it judged and prints it. It tells about the moment. What could not be looked at
 * is told as that; what was asked for and could not be gathered fails.
 */
#include <stdlib.h>

#include "backend.h"
#include "kernel.h"

#define NOT_LOOKED "not looked at"
#define NOT_TRIED NOT_LOOKED ", no device was tried"

/* In use and without a finding, it was looked at to the end. */
static const char *verdict(const struct check *check, const struct device_facts *dev)
{
	if (finding_count(check->findings, print_bdf(dev->bdf)))
		return "not-ready";
	return dev->trial.use == IOMMU_FREEZE_IDLE ? "idle" : "ready";
}

/* A number of which 0 says that it is not known. */
static json_t *json_known(u64 value)
{
	return json_if(value, json_integer(value));
}

static json_t *json_words(u64 bits)
{
	json_t *words = json_array();
	u32 i;

	for (i = 0; i < 64; i++)
		if (bits & BIT_ULL(i))
			json_add(words, json_string(finding_obstacle(i)));
	return words;
}

/* Whether an obstacle is there, as a fact; null: it was not looked for. */
static json_t *json_found(const struct iommu_freeze_trial *trial, u32 obstacle)
{
	return json_if(trial->looked & BIT_ULL(obstacle),
		       json_boolean(trial->found & BIT_ULL(obstacle)));
}

static json_t *host_json(const struct check *check)
{
	const struct host_facts *host = &check->host;
	u32 status = host->info.status;

	return json_pack("{sbsbsbsIsososs?ss?sIsbsososo}",
		"kho", !!(status & IOMMU_FREEZE_STATUS_KHO),
		"liveupdate", !!(status & IOMMU_FREEZE_STATUS_LIVEUPDATE),
		"bad_handover", !!(status & IOMMU_FREEZE_STATUS_BAD),
		"blob_version", (u64)host->info.blob_version,
		"scratch", json_known(host->info.scratch),
		"scratch_largest", json_known(host->info.scratch_largest),
		"iommu", host->iommu ? host->iommu->name : NULL,
		"mode", backend_of(host)->mode ? backend_of(host)->mode(check) : NULL,
		"units", (u64)host->units,
		"scalable", host->scalable,
		"kexec_loaded", json_if(host->loaded_known, json_boolean(host->loaded)),
		"kexec_handover", json_if(status & IOMMU_FREEZE_STATUS_LOADED,
			json_boolean(!(status & IOMMU_FREEZE_STATUS_NO_HANDOVER))),
		"cmdline", json_if(host->cmdline_known, json_text(host->cmdline)));
}

static json_t *target_json(const struct check *check)
{
	const char *cmdline = check->args->target_cmdline;
	const struct target *t = &check->target;

	if (!check->target_read)
		return json_null();
	return json_pack("{sosssbsosososo}",
		"path", json_text(check->args->target),
		"kind", t->kind,
		"supported", t->supported,
		"oldest", json_if(t->supported, json_integer(t->oldest)),
		"newest", json_if(t->supported, json_integer(t->newest)),
		"room", json_known(t->room),
		"cmdline", json_if(cmdline, json_text(cmdline ?: "")));
}

static json_t *memlock_json(const struct device_facts *dev)
{
	if (!dev->vmm || !dev->trial.serialised)
		return json_null();
	return json_pack("{sIsIso}",
		"pid", (u64)dev->vmm,
		"need", dev->trial.mapped,
		"limit", json_if(dev->memlock != NO_LIMIT, json_integer(dev->memlock)));
}

static json_t *device_json(const struct check *check, const struct device_facts *dev)
{
	return json_pack("{ssss?ssss?ss?soss?ss?sosososososo}",
		"device", print_bdf(dev->bdf),
		"name", pci_name(dev->bdf),
		"verdict", verdict(check, dev),
		"driver", *dev->driver ? dev->driver : NULL,
		"group", *dev->group ? dev->group : NULL,
		"group_devices", json_known(dev->group_devices),
		"reset", !dev->there ? NULL : *dev->reset ? dev->reset : "none",
		"use", facts_use(dev),
		"ats", json_found(&dev->trial, IOMMU_FREEZE_OBSTACLE_ATS),
		"pri_pasid", json_found(&dev->trial, IOMMU_FREEZE_OBSTACLE_PRI),
		"looked", json_words(dev->trial.looked),
		"found", json_words(dev->trial.found),
		"trial", trial_json(&dev->trial),
		"memlock", memlock_json(dev));
}

static const char *kexec_text(const struct host_facts *host)
{
	if (host->info.status & IOMMU_FREEZE_STATUS_NO_HANDOVER)
		return "a kernel is loaded, without the handover";
	if (!host->loaded_known)
		return NOT_LOOKED " whether a kernel is loaded";
	return host->loaded ? "a kernel is loaded" : "no kernel is loaded";
}

static const char host_form[] =
	"kernel   KHO {kho}, LUO {liveupdate}, writes handover version {blob_version}\n"
	"cmdline  %s\n"
	"scratch  [{scratch:b}, the largest area has {scratch_largest:b}|not known]\n"
	"iommu    %s\n"
	"kexec    %s\n";
static const char target_form[] =
	"target   {kind}, [reads handover versions {oldest} to {newest}|reads no handover][, needs {room:b} in one piece]; "
	"its command line: [{cmdline}|" NOT_LOOKED "]\n";

static void host_print(const struct host_facts *host, const json_t *values)
{
	const char *cmdline = "[{cmdline}|" NOT_LOOKED "]", *iommu = "[{iommu}|" NOT_LOOKED "]";

	if (host->cmdline_known && !*host->cmdline)
		cmdline = "nothing about KHO, LUO or the IOMMU";
	if (host->iommu && host->iommu->title)
		iommu = host->iommu->mode ?
			"{iommu}, units: {units}, mode: [{mode}|" NOT_TRIED "]" :
			"{iommu}, units: {units}";
	print_form(print_text(host_form, cmdline, iommu, kexec_text(host)), values);
}

#define TRIAL_CELLS "{trial.mapped:-6b}  {trial.not_kept:-8b}  {trial.memory:-6b}"

/* A row of the table; "-" is what was not looked at or is not there. */
static const char *form_of(const struct device_facts *dev)
{
	const char *group = "-", *memlock = "-";

	if (*dev->group && dev->group_devices)
		group = print_text("%s (%u)", dev->group, dev->group_devices);
	if (dev->vmm && dev->trial.serialised)
		memlock = dev->memlock == NO_LIMIT ? "no limit" : print_bytes(dev->memlock);
	return print_text("{device:-12}  {verdict:-9t}  {driver:-10}  {use:-9}  %-7s  " TRIAL_CELLS
			  "  %-8s  {ats:-3}  {pri_pasid:-3}  {reset}\n", group, memlock);
}

/* What "ready" says nothing about. */
static void not_looked_print(const struct check *check)
{
	const struct device_facts *dev;
	size_t idle = 0, memlock = 0;

	for (dev = check->dev; dev < check->dev + check->nr; dev++) {
		idle += dev->there && dev->trial.use == IOMMU_FREEZE_IDLE;
		memlock += dev->trial.serialised && !dev->vmm;
	}
	if (!check->target_read)
		printf("; target " NOT_LOOKED);
	else if (!check->args->target_cmdline)
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
	size_t n = finding_count(check->findings, NULL);
	size_t later = json_array_size(check->findings) - n;

	putchar('\n');
	if (n) {
		print_tinted(0, print_text("not ready: %zu finding%s", n, n == 1 ? "" : "s"));
		if (!complete)
			printf("; not all was looked at");
	} else if (!complete) {
		print_tinted(0, "not ready: not all was looked at");
	} else {
		print_tinted(0, "ready");
		printf(" at stage %s", print_word(WORDS_STAGE, check->args->stage));
	}
	if (later)
		printf("; left to the VMM: %zu", later);
	not_looked_print(check);
	putchar('\n');
}

static void print(const struct check *check, bool complete)
{
	bool json = check->args->json;
	struct report report = {
		.verb = verb_check.name,
		.json = json,
		.head =
		"\nDEVICE        VERDICT    DRIVER      USE        GROUP    MAPPED  NOT-KEPT  TABLES  MEMLOCK   ATS  PRI  RESET\n",
	};
	json_t *host = must(host_json(check)), *target = must(target_json(check)), *more;
	const struct device_facts *dev;

	if (!json) {
		printf("stage    %s\n", print_word(WORDS_STAGE, check->args->stage));
		host_print(&check->host, host);
		if (check->target_read)
			print_form(target_form, target);
		else
			puts(check->args->target ? "target   " NOT_LOOKED :
						  "target   " NOT_LOOKED ", none is named");
	}
	for (dev = check->dev; dev < check->dev + check->nr; dev++)
		report_device(&report, form_of(dev), device_json(check, dev));
	if (!json) {
		if (json_array_size(check->findings))
			putchar('\n');
		finding_print(check->findings, NULL);
		last_line(check, complete);
	}
	more = json_pack("{sssbsososO}",
			 "stage", print_word(WORDS_STAGE, check->args->stage),
			 "ready", complete && !finding_count(check->findings, NULL),
			 "host", host,
			 "target", target,
			 "findings", check->findings);
	report_end(&report, complete, more);
}

static enum outcome gather_devices(struct check *check)
{
	enum outcome outcome = OUTCOME_OK, one;
	struct device_facts *dev;
	struct bdf *bdf;
	size_t i, nr;

	bdf = facts_devices(check->args, false, &nr);
	check->dev = must(calloc(nr + 1, sizeof(*check->dev)));
	for (i = 0; i < nr; i++) {
		dev = &check->dev[check->nr];
		progress("check: %s, %zu of %zu", print_bdf(bdf[i]), i + 1, nr);
		one = facts_device(dev, bdf[i]);
		outcome = outcome_add(outcome, one);
		if (outcome_is_final(one))
			break;
		check->nr += !one;
	}
	facts_memlock(check->dev, check->nr);
	progress_clear();
	free(bdf);
	if (nr)
		return outcome;
	if (check->args->slot || check->args->id)
		return say("-s or -d matches no PCI device");
	say("no device is bound to vfio-pci: only the host was checked");
	return outcome;
}

static enum outcome run_check(const struct args *args)
{
	struct check check = { .args = args };
	enum outcome outcome, one;

	outcome = kernel_open(&check.host.info);
	if (outcome)
		return outcome;
	facts_host(&check.host);
	outcome = gather_devices(&check);
	if (outcome_is_final(outcome))
		goto out;
	if (args->target) {
		one = target_read(args->target, &check.target);
		check.target_read = !one;
		outcome = outcome_add(outcome, one);
	}
	check_judge(&check);
	print(&check, !outcome);
	if (finding_count(check.findings, NULL))
		outcome = outcome_add(outcome, OUTCOME_FAILED);
out:
	json_decref(check.findings);
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
