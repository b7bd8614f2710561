// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: which devices of the kernel's list the command line means
 *
 * The list may change meanwhile: that is seen when the kernel is asked about a
 * device.
 */
#include <stdlib.h>

#include "kernel.h"

static bool wanted(const struct args *args, struct bdf bdf)
{
	size_t i;

	if (!args->nr_bdf)
		return pci_filter_takes(bdf);
	for (i = 0; i < args->nr_bdf; i++)
		if (!bdf_compare(args->bdf[i], bdf))
			return true;
	return false;
}

static enum outcome add_direction(struct selection *sel, const struct args *args,
				  u32 direction)
{
	struct iommu_freeze_device dev;
	enum outcome outcome;
	bool end;
	u32 i;

	for (i = 0;; i++) {
		dev = (struct iommu_freeze_device){
			.size = sizeof(dev), .direction = direction, .index = i,
		};
		outcome = kernel_ask(IOMMU_FREEZE_LIST, &dev, DEVICE_NODE ": list", &end);
		if (outcome || end)
			return outcome;
		if (!wanted(args, device_bdf(&dev)))
			continue;
		sel->dev = must(realloc(sel->dev, (sel->nr + 1) * sizeof(dev)));
		sel->dev[sel->nr++] = dev;
	}
}

static int by_place(const void *a, const void *b)
{
	const struct iommu_freeze_device *x = a, *y = b;

	/* Incoming is the larger number. */
	if (x->direction != y->direction)
		return x->direction > y->direction ? -1 : 1;
	return bdf_compare(device_bdf(x), device_bdf(y));
}

/* Every device that was named has to be there; a filter has to match one. */
static void find_missing(struct selection *sel, const struct args *args)
{
	size_t i, j;

	for (i = 0; i < args->nr_bdf; i++) {
		for (j = 0; j < sel->nr; j++)
			if (!bdf_compare(args->bdf[i], device_bdf(&sel->dev[j])))
				break;
		if (j < sel->nr)
			continue;
		sel->outcome = say("%s: no frozen or preserved device%s%s: see '" TOOL " list'",
				   print_bdf(args->bdf[i]), args->direction ? ", " : "",
				   args->direction ? print_word(WORDS_DIRECTION, args->direction) :
						     "");
	}
	if ((args->slot || args->id) && !sel->nr)
		sel->outcome =
			say("-s or -d matches no frozen or preserved device: see '" TOOL " list'");
}

/* What explains an empty list, and what an operator must not miss. */
static void tell_status(const struct iommu_freeze_info *info)
{
	if (info->status & IOMMU_FREEZE_STATUS_BAD)
		say("a handover came that cannot be read: see 'dmesg | grep iommu-freeze'");
	if (!(info->status & IOMMU_FREEZE_STATUS_KHO))
		say("Kexec HandOver is off: boot with kho=on");
	if (!(info->status & IOMMU_FREEZE_STATUS_LIVEUPDATE))
		say("the Live Update Orchestrator is off: boot with liveupdate=on");
}

/**
 * select_devices - ask the kernel for the devices that are meant
 * @sel: filled; its dev is to be freed in any case
 * @args: command line
 *
 * Return: OUTCOME_OK when the list could be read; @sel->outcome tells whether all
 * that were named are in it.
 */
enum outcome select_devices(struct selection *sel, const struct args *args)
{
	enum outcome outcome;

	*sel = (struct selection){};
	outcome = kernel_open(&sel->info);
	if (!outcome && args->direction != IOMMU_FREEZE_OUTGOING)
		outcome = add_direction(sel, args, IOMMU_FREEZE_INCOMING);
	if (!outcome && args->direction != IOMMU_FREEZE_INCOMING)
		outcome = add_direction(sel, args, IOMMU_FREEZE_OUTGOING);
	if (outcome)
		return outcome;
	if (sel->nr)
		qsort(sel->dev, sel->nr, sizeof(*sel->dev), by_place);
	tell_status(&sel->info);
	find_missing(sel, args);
	return OUTCOME_OK;
}
