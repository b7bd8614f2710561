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
	if (!dev->there) {
		finding_add(findings, place, "no-device", NULL, "no such device");
		return OUTCOME_FAILED;
	}
	finding_add_trial(findings, place, dev->driver, t, 0);
	if (t->result != IOMMU_FREEZE_SAME) {
		finding_add(findings, place, "differs", "report it",
			    "iova 0x%llx: the frozen tables are not as the live ones (%s)",
			    t->iova, print_result(t->result));
		return OUTCOME_DIFFERS;
	}
	if (t->serialised)
		return t->found ? OUTCOME_FAILED : OUTCOME_OK;
	if (!kho)
		finding_add(findings, place, "kho", "boot with kho=on",
			    "it cannot be serialised, Kexec HandOver is off");
	else if (t->use == IOMMU_FREEZE_IDLE)
		finding_add(findings, place, "idle", "start its VM",
			    "nobody has it open, there is nothing to serialise");
	else if (!t->found)
		finding_add(findings, place, "unknown", "see the kernel's log",
			    "it was not serialised");
	return OUTCOME_FAILED;
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
	json_t *root, *devices = json_array();
	size_t i;

	for (i = 0; i < nr; i++)
		json_array_append_new(devices,
			json_pack("{ssss?ssso}",
				"device", print_bdf(&dev[i].bdf, place),
				"name", pci_name(&dev[i].bdf, name, sizeof(name)),
				"use", print_use(dev[i].trial.use),
				"trial", json_trial(&dev[i].trial)));
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
	char place[BDF_LEN], name[NAME_LEN], size[BYTES_LEN], hex[HEX_LEN];

	printf("%s %s\n", print_bdf(&dev->bdf, place),
	       pci_name(&dev->bdf, name, sizeof(name)) ?: "(no such device here)");
	if (t->serialised) {
		field("result");
		print_tinted(t->result ? TINT_BAD : TINT_GOOD, 0, print_result(t->result));
		puts(t->result ? "" : ", it stays on its live domain");
		field("mapped");
		printf("%s in %llu extents, %llu leaves\n",
		       print_bytes(t->mapped, size, sizeof(size)), t->extents, t->leaves);
		field("tables");
		printf("%llu, %s of memory, %s, %u levels\n", t->tables,
		       print_bytes(t->memory, size, sizeof(size)),
		       print_format(t->format), t->levels);
		field("serialise");
		printf("%u us\n", t->serialise_us);
		field("compare");
		printf("%u us\n", t->compare_us);
		field("digest");
		puts(print_hex(t->digest, FRZ_DIGEST_LEN, hex));
	}
	finding_print(findings, place);
}

static enum outcome try_one(struct device_facts *dev, const struct bdf *bdf, bool kho,
			    struct findings *findings)
{
	enum outcome outcome;
	char place[BDF_LEN];

	facts_device(dev, "", bdf);
	progress("trial: %s", print_bdf(bdf, place));
	outcome = kernel_trial(&dev->trial, bdf, &dev->there);
	progress_clear();
	return outcome ?: trial_judge(dev, kho, findings);
}

static enum outcome run_freeze(const struct args *args)
{
	struct device_facts *dev = NULL;
	struct iommu_freeze_info info;
	struct findings findings = {};
	enum outcome outcome, one;
	struct bdf *bdf = NULL;
	size_t i, nr, told = 0;

	outcome = kernel_open();
	if (!outcome)
		outcome = kernel_info(&info);
	if (outcome)
		return outcome;
	bdf = facts_devices(args, "", &nr);
	dev = calloc(nr + 1, sizeof(*dev));
	if (!dev) {
		say("out of memory");
		outcome = OUTCOME_FAILED;
		goto out;
	}
	if (!nr) {
		say("-s or -d matches no PCI device");
		outcome = OUTCOME_FAILED;
	}
	for (i = 0; i < nr; i++) {
		one = try_one(&dev[told], &bdf[i], info.status & IOMMU_FREEZE_STATUS_KHO,
			      &findings);
		outcome = outcome_add(outcome, one);
		/* Not asked about: it was told why. */
		if (one && one != OUTCOME_DIFFERS && !dev[told].trial.looked && dev[told].there)
			continue;
		if (!args->json)
			trial_text_one(&dev[told], &findings);
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
	"tells sizes, times and digest, and drops the tables. The device stays on its live\n"
	"domain; changes of its map wait meanwhile. What would keep the device from being\n"
	"preserved is told, one line each. Devices are frozen for good by the live update\n"
	"itself, inside kexec.\n",
	.takes = TAKES_TRIAL | TAKES_JSON | TAKES_MATCH | TAKES_DEVICES | NEEDS_SOME,
	.run = run_freeze,
};
