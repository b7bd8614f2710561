// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze discard: let go of incoming devices that nobody will claim
 *
 * Structure: asks the kernel for one device after the other. No lock. A device
 * that the kernel does not let go of fails, and the others are tried still.
 */
#include "tool.h"

/**
 * discard_json_one - what discard --json prints about a device
 * @dev: device, as it was before
 *
 * Return: object, NULL without memory.
 */
json_t *discard_json_one(const struct iommu_freeze_device *dev)
{
	struct bdf bdf = select_bdf(dev);
	char place[BDF_LEN];

	return json_pack("{ssssso}", "device", print_bdf(&bdf, place),
			 "was", print_state(dev->state),
			 "memory", json_count(dev->memory));
}

static enum outcome run_discard(const struct args *args)
{
	struct args incoming = *args;
	json_t *devices = json_array();
	char place[BDF_LEN], size[BYTES_LEN];
	struct selection sel;
	enum outcome outcome, one;
	size_t i, told = 0;
	struct bdf bdf;

	incoming.direction = IOMMU_FREEZE_INCOMING;
	outcome = select_devices(&sel, &incoming);
	if (outcome)
		goto out;
	outcome = sel.outcome;
	for (i = 0; i < sel.nr; i++) {
		one = kernel_discard(&sel.dev[i]);
		outcome = outcome_add(outcome, one);
		if (one)
			continue;
		bdf = select_bdf(&sel.dev[i]);
		if (args->json)
			json_array_append_new(devices, discard_json_one(&sel.dev[i]));
		else
			printf("%s discarded, %s released\n", print_bdf(&bdf, place),
			       print_bytes(sel.dev[i].memory, size, sizeof(size)));
		told++;
	}
	if (args->json) {
		one = json_end(json_devices(args->verb, devices, told, !outcome));
		outcome = outcome_add(outcome, one);
		devices = NULL;
	}
out:
	json_decref(devices);
	select_free(&sel);
	return outcome;
}

const struct verb verb_discard = {
	.name = "discard",
	.brief = "stop an incoming device that nobody will claim",
	.synopsis = "[--json] BDF...",
	.about =
	"For a device whose VMM does not come back after the kexec: bus mastering is\n"
	"turned off, its DMA is blocked and the memory of its frozen tables is released.\n"
	"This cannot be undone. A device that a VMM has retrieved is not discarded.\n",
	.takes = TAKES_JSON | TAKES_DEVICES | NEEDS_SOME,
	.run = run_discard,
};
