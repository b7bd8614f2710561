// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze freeze --trial: what a freeze of a device takes
 *
 * A device that the kernel cannot be asked about fails, and the others are asked
 * still.
 */
#include <stdlib.h>

#include "check.h"
#include "kernel.h"

/*
 * OUTCOME_OK when it was serialised and nothing is in the way, OUTCOME_DIFFERS when
 * the frozen tables are not as the live ones, else OUTCOME_FAILED.
 */
static enum outcome judge(const struct device_facts *dev, bool kho, json_t *findings)
{
	const struct iommu_freeze_trial *t = &dev->trial;

	finding_add_device(findings, dev, kho, 0);
	if (dev->there && t->use == IOMMU_FREEZE_IDLE)
		finding_add(findings, print_bdf(dev->bdf), "idle", "start its VM",
			    "nobody has it open: nothing to serialise");
	if (t->result != IOMMU_FREEZE_SAME)
		return OUTCOME_DIFFERS;
	return finding_count(findings, print_bdf(dev->bdf)) ? OUTCOME_FAILED : OUTCOME_OK;
}

/* How much of a map has an obstacle. A page has one at most. */
static u64 not_kept(const struct iommu_freeze_trial *trial)
{
	u64 sum = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(trial->pages); i++)
		sum += trial->pages[i].bytes;
	return sum;
}

/**
 * trial_json - the frozen tables that a device would get
 * @trial: what the kernel told
 *
 * Return: object, null when none were made.
 */
json_t *trial_json(const struct iommu_freeze_trial *trial)
{
	if (!trial->serialised)
		return json_null();
	return must(json_pack("{sssIsIsIsIsIsIsIsIsIss}",
			      "format", print_format(trial->format),
			      "levels", (u64)trial->levels,
			      "tables", trial->tables,
			      "leaves", trial->leaves,
			      "extents", trial->extents,
			      "mapped", trial->mapped,
			      "not_kept", not_kept(trial),
			      "memory", trial->memory,
			      "serialise_us", (u64)trial->serialise_us,
			      "compare_us", (u64)trial->compare_us,
			      "result", print_word(WORDS_RESULT, trial->result)));
}

static const char trial_form[] =
	"[  mapped     {trial.mapped:b} in {trial.extents} extents, {trial.leaves} leaves\n"
	"  not kept   {trial.not_kept:b}\n"
	"  tables     {trial.tables}, {trial.memory:b} of memory, {trial.format}, {trial.levels} levels\n"
	"  serialise  {trial.serialise_us} us\n"
	"  compare    {trial.compare_us} us\n]";

static const char *result_of(const struct iommu_freeze_trial *trial)
{
	if (trial->result)
		return print_word(WORDS_RESULT, trial->result);
	return trial->serialised ? "serialised, same as the live tables" : "not serialised";
}

static void tell(struct report *report, const struct device_facts *dev, const json_t *findings)
{
	json_t *device = must(json_pack("{ssss?ss?so}",
					"device", print_bdf(dev->bdf),
					"name", pci_name(dev->bdf),
					"use", facts_use(dev),
					"trial", trial_json(&dev->trial)));

	report_device(report, "{device} [{name}|(no such device here)]\n", json_incref(device));
	if (!report->json) {
		printf("  result     ");
		print_tinted(0, result_of(&dev->trial));
		putchar('\n');
		print_form(trial_form, device);
		finding_print(findings, print_bdf(dev->bdf));
		fflush(stdout);
	}
	json_decref(device);
}

static enum outcome run_freeze(const struct args *args)
{
	struct report report = { .verb = args->verb, .json = args->json, .between = "\n" };
	json_t *findings = must(json_array());
	struct iommu_freeze_info info;
	enum outcome outcome, one = OUTCOME_OK;
	struct device_facts dev;
	struct bdf *bdf = NULL;
	size_t i, nr = 0;

	outcome = kernel_open(&info);
	if (outcome)
		goto out;
	bdf = facts_devices(args, true, &nr);
	if (!nr)
		outcome = say("-s or -d matches no device that is bound to vfio-pci");
	for (i = 0; i < nr; i++) {
		progress("trial: %s, %zu of %zu", print_bdf(bdf[i]), i + 1, nr);
		one = facts_device(&dev, bdf[i]);
		progress_clear();
		if (!one) {
			one = judge(&dev, info.status & IOMMU_FREEZE_STATUS_KHO, findings);
			tell(&report, &dev, findings);
		}
		outcome = outcome_add(outcome, one);
		if (outcome_is_final(one))
			goto out;
	}
	report_end(&report, report.nr == nr && nr,
		   json_pack("{sO}", "findings", findings));
out:
	json_decref(report.devices);
	json_decref(findings);
	free(bdf);
	return outcome;
}

const struct verb verb_freeze = {
	.name = "freeze",
	.brief = "try what a freeze of a device takes, for nothing but the figures",
	.synopsis = "--trial [--json] {-s SLOT | -d ID | BDF...}",
	.about =
	"Serialises the live domain of each device into frozen tables, compares the two,\n"
	"tells sizes and times, and drops the tables. The device stays on its live\n"
	"domain; changes of its map wait meanwhile. What would keep the device from being\n"
	"preserved is told, one line each. Devices are frozen for good by the live update\n"
	"itself, inside kexec.\n",
	.takes = TAKES_TRIAL | TAKES_JSON | TAKES_MATCH | TAKES_DEVICES | NEEDS_SOME,
	.run = run_freeze,
};
