// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze verify: does hardware translate as was frozen?
 *
 * A device that the kernel cannot be asked about fails, and the others are asked
 * still.
 */
#include <stdlib.h>

#include "kernel.h"
#include "output.h"

static const char head[] =
	"DEVICE        DIRECTION STATE     RESULT           LEAVES       US  DIGEST\n";

#define ROW \
	"{device:-12}  {direction:-9} {state:-9} {result:-14t} {leaves:8} {us:8}  {digest:.12}\n"
#define FROZEN ROW "  iova {iova}: frozen [{frozen_pa} ]{frozen_prot}, now "

static const char *form_of(const struct iommu_freeze_verify *v)
{
	switch (v->result) {
	case IOMMU_FREEZE_DIFFERS:
		return v->now_prot ? FROZEN "[{now_pa} ]{now_prot}\n" : FROZEN "not mapped\n";
	case IOMMU_FREEZE_DIGEST_DIFFERS:
		return ROW "  the frozen tables were changed: sealed with {expected:.12}\n";
	case IOMMU_FREEZE_UNREADABLE:
		return ROW "  iova {iova}: the frozen tables cannot be walked\n";
	case IOMMU_FREEZE_ELSEWHERE:
		return ROW "  hardware is neither on the frozen tables nor on its live domain\n";
	default:
		return ROW;
	}
}

static void tell(struct report *report, const struct iommu_freeze_device *dev,
		 const struct iommu_freeze_verify *v)
{
	bool differs = v->result == IOMMU_FREEZE_DIFFERS;
	bool at = differs || v->result == IOMMU_FREEZE_UNREADABLE;
	bool shown = differs && (v->frozen_pa || v->now_pa);
	json_t *device;

	device = json_pack("{sssssssssosososososIsIsoso}",
			   "device", print_bdf(device_bdf(dev)),
			   "direction", print_word(WORDS_DIRECTION, dev->direction),
			   "state", print_word(WORDS_STATE, dev->state),
			   "result", print_word(WORDS_RESULT, v->result),
			   "iova", json_if(at, json_hex(v->iova)),
			   "frozen_prot", json_if(differs, json_prot(v->frozen_prot)),
			   "now_prot", json_if(differs, json_prot(v->now_prot)),
			   "frozen_pa", json_if(shown, json_hex(v->frozen_pa)),
			   "now_pa", json_if(shown && v->now_prot, json_hex(v->now_pa)),
			   "leaves", v->leaves,
			   "us", (u64)v->us,
			   "digest", json_digest(v->digest),
			   "expected", json_digest(v->expected));
	report_device(report, form_of(v), device);
}

static enum outcome verify_one(struct report *report, const struct args *args,
			       const struct selection *sel, size_t i)
{
	bool all = !args->nr_bdf && !args->slot && !args->id && !args->direction;
	const struct iommu_freeze_device *dev = &sel->dev[i];
	const char *place = print_bdf(device_bdf(dev));
	struct iommu_freeze_verify v = {
		.size = sizeof(v), .direction = dev->direction,
		.segment = dev->segment, .devid = dev->devid,
	};
	enum outcome outcome;

	/* Of what is blocked, there is nothing to compare. */
	if (dev->state == IOMMU_FREEZE_REFUSED)
		return say("%s: verify: it was refused and is blocked: %s", place, device_why(dev));
	if (dev->state == IOMMU_FREEZE_DISCARDED)
		return all ? OUTCOME_OK : say("%s: verify: it was discarded and is blocked", place);
	progress("verify: %s, %zu of %zu", place, i + 1, sel->nr);
	outcome = kernel_ask(IOMMU_FREEZE_VERIFY, &v, print_text("%s: verify", place), NULL);
	progress_clear();
	if (outcome)
		return outcome;
	tell(report, dev, &v);
	return v.result == IOMMU_FREEZE_SAME ? OUTCOME_OK : OUTCOME_DIFFERS;
}

static enum outcome run_verify(const struct args *args)
{
	struct report report = { .verb = args->verb, .json = args->json, .head = head };
	enum outcome outcome, one;
	struct selection sel;
	bool complete;
	size_t i;

	outcome = select_devices(&sel, args);
	if (outcome)
		goto out;
	outcome = sel.outcome;
	/* What could not be read cannot be verified either. */
	if (sel.info.status & IOMMU_FREEZE_STATUS_BAD)
		outcome = outcome_add(outcome, OUTCOME_FAILED);
	complete = !outcome;
	for (i = 0; i < sel.nr; i++) {
		one = verify_one(&report, args, &sel, i);
		if (one && one != OUTCOME_DIFFERS)
			complete = false;
		outcome = outcome_add(outcome, one);
	}
	if (!report.nr)
		say("nothing was verified");
	report_end(&report, complete, json_object());
out:
	free(sel.dev);
	return outcome;
}

const struct verb verb_verify = {
	.name = "verify",
	.brief = "compare what hardware uses now with what was frozen",
	.synopsis = "[--json] [--incoming | --outgoing] [-s SLOT] [-d ID] [BDF...]",
	.about =
	"Walks the tables that hardware uses now and compares them with the frozen ones,\n"
	"and these with the digest they were sealed with. Without a device: all of them.\n"
	"Exits 3 when something differs and names the first iova; also when another\n"
	"device could not be verified.\n",
	.takes = TAKES_JSON | TAKES_DIRECTION | TAKES_MATCH | TAKES_DEVICES,
	.run = run_verify,
};
