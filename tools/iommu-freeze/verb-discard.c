// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze discard: let go of incoming devices that nobody will claim
 *
 * A device that the kernel does not let go of fails, and the others are tried
 * still.
 */
#include <stdlib.h>

#include "kernel.h"
#include "output.h"

static enum outcome run_discard(const struct args *args)
{
	struct report report = { .verb = args->verb, .json = args->json };
	struct args incoming = *args;
	struct iommu_freeze_discard discard = { .size = sizeof(discard) };
	const struct iommu_freeze_device *dev;
	enum outcome outcome, one;
	struct selection sel;

	incoming.direction = IOMMU_FREEZE_INCOMING;
	outcome = select_devices(&sel, &incoming);
	if (outcome)
		goto out;
	outcome = sel.outcome;
	for (dev = sel.dev; dev < sel.dev + sel.nr; dev++) {
		discard.segment = dev->segment;
		discard.devid = dev->devid;
		one = kernel_ask(IOMMU_FREEZE_DISCARD, &discard,
				 print_text("%s: discard", print_bdf(device_bdf(dev))), NULL);
		outcome = outcome_add(outcome, one);
		if (!one)
			report_device(&report, "{device} discarded, {memory:b} released\n",
				      json_pack("{sssssI}",
						"device", print_bdf(device_bdf(dev)),
						"was", print_word(WORDS_STATE, dev->state),
						"memory", dev->memory));
	}
	report_end(&report, !outcome, json_object());
out:
	free(sel.dev);
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
