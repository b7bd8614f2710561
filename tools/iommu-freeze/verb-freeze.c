// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze freeze --trial: what a freeze of a device takes
 *
 * Structure: asks the kernel about one device after the other. No lock. A device
 * that cannot be asked about fails, and the others are asked still.
 */
#include <stdlib.h>

#include "tool.h"

/**
 * trial_judge - what is in the way of a device
 * @dev: the device, tried
 * @kho: Kexec HandOver is on
 * @findings: added to
 *
 * Return: OUTCOME_OK when it was serialised and nothing is in the way,
 * OUTCOME_DIFFERS when the frozen tables are not as the live ones, else
 * OUTCOME_FAILED.
 */
enum outcome trial_judge(const struct device_facts *dev, bool kho,
			 struct findings *findings)
{
	const struct iommu_freeze_trial *t = &dev->trial;
	char place[BDF_LEN];

	print_bdf(&dev->bdf, place);
	finding_add_device(findings, dev, kho, 0);
	if (dev->there && t->use == IOMMU_FREEZE_IDLE)
		finding_add(findings, place, "idle", "start its VM",
			    "nobody has it open: nothing to serialise");
	if (t->result != IOMMU_FREEZE_SAME)
		return OUTCOME_DIFFERS;
	return finding_count(findings, place) ? OUTCOME_FAILED : OUTCOME_OK;
}

/**
 * trial_json - what freeze --trial --json prints
 * @dev: devices, tried and judged
 * @nr: how many
 * @findings: what was found
 * @complete: whether all that was asked for was done
 *
 * Return: tree, NULL without memory.
 */
json_t *trial_json(const struct device_facts *dev, size_t nr,
		   const struct findings *findings, bool complete)
{
	char place[BDF_LEN], name[NAME_LEN];
	json_t *root, *item, *devices = json_array();
	size_t i;

	for (i = 0; i < nr; i++) {
		item = json_pack("{ssss?ss?so}",
				 "device", print_bdf(&dev[i].bdf, place),
				 "name", pci_name(&dev[i].bdf, name, sizeof(name)),
				 "use", facts_use(&dev[i]),
				 "trial", json_trial(&dev[i].trial));
		json_array_append_new(devices, item);
	}
	root = json_devices(verb_freeze.name, devices, nr, complete);
	if (json_object_set_new(root, "findings", finding_json(findings))) {
		json_decref(root);
		return NULL;
	}
	return root;
}

static void field(const char *name)
{
	printf("  %-10s ", name);
}

/**
 * trial_text_one - what freeze --trial prints for people about a device
 * @dev: device, tried and judged
 * @findings: what was found, of other devices as well
 */
void trial_text_one(const struct device_facts *dev, const struct findings *findings)
{
	const struct iommu_freeze_trial *t = &dev->trial;
	char place[BDF_LEN], name[NAME_LEN], size[BYTES_LEN];

	printf("%s %s\n", print_bdf(&dev->bdf, place),
	       pci_name(&dev->bdf, name, sizeof(name)) ?: "(no such device here)");
	field("result");
	if (t->serialised && !t->result)
		print_tinted(TINT_GOOD, 0, "serialised, same as the live tables");
	else
		print_tinted(TINT_BAD, 0, t->result ? print_result(t->result) : "not serialised");
	putchar('\n');
	if (t->serialised) {
		field("mapped");
		printf("%s in %llu extents, %llu leaves\n",
		       print_bytes(t->mapped, size, sizeof(size)), t->extents, t->leaves);
		field("not kept");
		puts(print_bytes(finding_not_kept(t), size, sizeof(size)));
		field("tables");
		printf("%llu, %s of memory, %s, %u levels\n", t->tables,
		       print_bytes(t->memory, size, sizeof(size)),
		       print_format(t->format), t->levels);
		field("serialise");
		printf("%u us\n", t->serialise_us);
		field("compare");
		printf("%u us\n", t->compare_us);
	}
	finding_print(findings, place);
}

static enum outcome run_freeze(const struct args *args)
{
	struct iommu_freeze_info info;
	struct device_facts *dev;
	struct findings findings = {};
	enum outcome outcome, one;
	char place[BDF_LEN];
	size_t i, nr, told = 0;
	struct bdf *bdf;
	bool kho;

	outcome = kernel_open();
	if (!outcome)
		outcome = kernel_info(&info);
	if (outcome)
		return outcome;
	kho = info.status & IOMMU_FREEZE_STATUS_KHO;
	bdf = facts_devices(args, true, "", &nr);
	dev = calloc(nr + 1, sizeof(*dev));
	if (!dev) {
		say("out of memory");
		outcome = OUTCOME_FAILED;
		goto out;
	}
	if (!nr) {
		say("-s or -d matches no device that is bound to vfio-pci");
		outcome = OUTCOME_FAILED;
	}
	for (i = 0; i < nr; i++) {
		progress("trial: %s, %zu of %zu", print_bdf(&bdf[i], place), i + 1, nr);
		facts_device(&dev[told], "", &bdf[i]);
		one = kernel_trial(&dev[told].trial, &bdf[i], &dev[told].there);
		progress_clear();
		if (one) {
			outcome = outcome_add(outcome, one);
			if (outcome_is_final(one))
				goto out;
			continue;
		}
		outcome = outcome_add(outcome, trial_judge(&dev[told], kho, &findings));
		if (!args->json) {
			printf("%s", told ? "\n" : "");
			trial_text_one(&dev[told], &findings);
			fflush(stdout);
		}
		told++;
	}
	if (args->json) {
		one = json_end(trial_json(dev, told, &findings, told == nr && nr));
		outcome = outcome_add(outcome, one);
	}
out:
	finding_free(&findings);
	free(dev);
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
