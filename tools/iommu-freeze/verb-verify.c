// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze verify: does hardware translate as was frozen?
 *
 * Structure: asks the kernel about one device after the other. No lock. A device
 * that cannot be asked about fails, and the others are asked still.
 */
#include "tool.h"

/**
 * verify_json_one - what verify --json prints about a device
 * @dev: device
 * @v: what was found
 *
 * Return: object, NULL without memory.
 */
json_t *verify_json_one(const struct iommu_freeze_device *dev,
			const struct iommu_freeze_verify *v)
{
	bool differs = v->result == IOMMU_FREEZE_DIFFERS;
	bool at = differs || v->result == IOMMU_FREEZE_UNREADABLE;
	char place[BDF_LEN], frozen_prot[PROT_LEN], now_prot[PROT_LEN];
	struct bdf bdf = select_bdf(dev);
	bool hidden = !v->frozen_pa && !v->now_pa;

	print_prot(v->frozen_prot, frozen_prot);
	print_prot(v->now_prot, now_prot);
	return json_pack("{ssssssssso?ss?ss?so?so?sosIsoso}",
		"device", print_bdf(&bdf, place),
		"direction", print_direction(dev->direction),
		"state", print_state(dev->state),
		"result", print_result(v->result),
		"iova", at ? json_hex(v->iova) : NULL,
		"frozen_prot", differs ? frozen_prot : NULL,
		"now_prot", differs ? now_prot : NULL,
		"frozen_pa", differs && !hidden ? json_hex(v->frozen_pa) : NULL,
		"now_pa", differs && !hidden && v->now_prot ? json_hex(v->now_pa) : NULL,
		"leaves", json_count(v->leaves),
		"us", (json_int_t)v->us,
		"digest", json_digest(v->digest),
		"expected", json_digest(v->expected));
}

static void say_what(const struct iommu_freeze_verify *v)
{
	bool hidden = !v->frozen_pa && !v->now_pa;
	char prot[PROT_LEN], digest[HEX_LEN];

	switch (v->result) {
	case IOMMU_FREEZE_DIFFERS:
		printf("  iova 0x%llx: frozen ", v->iova);
		if (!hidden)
			printf("0x%llx ", v->frozen_pa);
		printf("%s, now ", print_prot(v->frozen_prot, prot));
		if (!v->now_prot) {
			puts("not mapped");
			break;
		}
		if (!hidden)
			printf("0x%llx ", v->now_pa);
		puts(print_prot(v->now_prot, prot));
		break;
	case IOMMU_FREEZE_DIGEST_DIFFERS:
		printf("  the frozen tables were changed: sealed with %.12s\n",
		       print_hex(v->expected, FRZ_DIGEST_LEN, digest));
		break;
	case IOMMU_FREEZE_UNREADABLE:
		printf("  iova 0x%llx: the frozen tables cannot be walked\n", v->iova);
		break;
	case IOMMU_FREEZE_ELSEWHERE:
		puts("  hardware is neither on the frozen tables nor on its live domain");
		break;
	}
}

/**
 * verify_text_one - what verify prints for people about a device
 * @dev: device
 * @v: what was found
 */
void verify_text_one(const struct iommu_freeze_device *dev,
		     const struct iommu_freeze_verify *v)
{
	struct bdf bdf = select_bdf(dev);
	char place[BDF_LEN], hex[HEX_LEN];

	printf("%-12s  %-9s %-9s ", print_bdf(&bdf, place),
	       print_direction(dev->direction), print_state(dev->state));
	print_tinted(v->result ? TINT_BAD : TINT_GOOD, 14, print_result(v->result));
	printf(" %8llu %8u  %.12s\n", v->leaves, v->us,
	       print_hex(v->digest, FRZ_DIGEST_LEN, hex));
	say_what(v);
}

/* Refused and discarded devices are blocked: there is nothing to compare. */
static enum outcome is_blocked(const struct selection *sel,
			       const struct iommu_freeze_device *dev, bool *blocked)
{
	struct bdf bdf = select_bdf(dev);
	char place[BDF_LEN], why[IOMMU_FREEZE_WHY_LEN + 1];

	*blocked = true;
	if (dev->state == IOMMU_FREEZE_REFUSED) {
		say("%s: verify: it was refused and is blocked: %s",
		    print_bdf(&bdf, place),
		    print_text(dev->why, sizeof(dev->why), why));
		return OUTCOME_FAILED;
	}
	if (dev->state == IOMMU_FREEZE_DISCARDED) {
		if (sel->all)
			return OUTCOME_OK;
		say("%s: verify: it was discarded and is blocked",
		    print_bdf(&bdf, place));
		return OUTCOME_FAILED;
	}
	*blocked = false;
	return OUTCOME_OK;
}

static enum outcome verify_one(const struct selection *sel, size_t i,
			       json_t *devices, size_t *told)
{
	const struct iommu_freeze_device *dev = &sel->dev[i];
	struct bdf bdf = select_bdf(dev);
	struct iommu_freeze_verify v;
	enum outcome outcome;
	char place[BDF_LEN];
	bool blocked;

	outcome = is_blocked(sel, dev, &blocked);
	if (blocked)
		return outcome;
	progress("verify: %s, %zu of %zu", print_bdf(&bdf, place), i + 1, sel->nr);
	outcome = kernel_verify(&v, dev);
	progress_clear();
	if (outcome)
		return outcome;
	if (devices) {
		json_array_append_new(devices, verify_json_one(dev, &v));
	} else {
		if (!*told)
			printf("%-12s  %-9s %-9s %-14s %8s %8s  %s\n", "DEVICE",
			       "DIRECTION", "STATE", "RESULT", "LEAVES", "US",
			       "DIGEST");
		verify_text_one(dev, &v);
		fflush(stdout);
	}
	(*told)++;
	return v.result == IOMMU_FREEZE_SAME ? OUTCOME_OK : OUTCOME_DIFFERS;
}

static enum outcome run_verify(const struct args *args)
{
	enum outcome outcome, one;
	json_t *devices = NULL;
	struct selection sel;
	bool complete;
	size_t i, told = 0;

	outcome = select_devices(&sel, args);
	if (outcome)
		goto out;
	outcome = sel.outcome;
	/* What could not be read cannot be verified either. */
	if (sel.info.status & IOMMU_FREEZE_STATUS_BAD)
		outcome = outcome_add(outcome, OUTCOME_FAILED);
	complete = !outcome;
	if (args->json)
		devices = json_array();
	for (i = 0; i < sel.nr; i++) {
		one = verify_one(&sel, i, devices, &told);
		if (one && one != OUTCOME_DIFFERS)
			complete = false;
		outcome = outcome_add(outcome, one);
	}
	if (!told)
		say("nothing was verified");
	if (args->json) {
		one = json_end(json_devices(args->verb, devices, told, complete));
		outcome = outcome_add(outcome, one);
	}
out:
	select_free(&sel);
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
	.takes = TAKES_JSON | TAKES_FILTER | TAKES_DEVICES,
	.run = run_verify,
};
