// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: which devices the command line means
 *
 * Structure: a copy of the kernel's list that fits the arguments. No lock: a list
 * that changes meanwhile is seen when the kernel is asked about a device.
 * What may fail: asking the kernel, and a device that is named and not there.
 */
#include <stdlib.h>

#include "tool.h"

/**
 * select_bdf - place of a device of the kernel's list
 * @dev: device
 *
 * Return: place.
 */
struct bdf select_bdf(const struct iommu_freeze_device *dev)
{
	return (struct bdf){ .segment = dev->segment, .devid = dev->devid };
}

static bool same(const struct bdf *a, const struct bdf *b)
{
	return a->segment == b->segment && a->devid == b->devid;
}

static bool wanted(const struct args *args, const struct bdf *bdf)
{
	size_t i;

	if (!args->nr_bdf)
		return pci_filter_takes(args->slot, args->id, bdf);
	for (i = 0; i < args->nr_bdf; i++)
		if (same(&args->bdf[i], bdf))
			return true;
	return false;
}

static enum outcome add_direction(struct selection *sel, const struct args *args,
				  u32 direction)
{
	struct iommu_freeze_device dev, *more;
	enum outcome outcome;
	struct bdf bdf;
	bool end;
	u32 i;

	for (i = 0;; i++) {
		outcome = kernel_list(&dev, direction, i, &end);
		if (outcome || end)
			return outcome;
		bdf = select_bdf(&dev);
		if (!wanted(args, &bdf))
			continue;
		more = realloc(sel->dev, (sel->nr + 1) * sizeof(dev));
		if (!more) {
			say("out of memory");
			return OUTCOME_FAILED;
		}
		sel->dev = more;
		sel->dev[sel->nr++] = dev;
	}
}

static int by_place(const void *a, const void *b)
{
	const struct iommu_freeze_device *x = a, *y = b;

	/* Incoming is the larger number. */
	if (x->direction != y->direction)
		return x->direction > y->direction ? -1 : 1;
	if (x->segment != y->segment)
		return x->segment < y->segment ? -1 : 1;
	return (x->devid > y->devid) - (x->devid < y->devid);
}

/* Every device that was named has to be there; a filter has to match one. */
static void find_missing(struct selection *sel, const struct args *args)
{
	struct bdf bdf;
	char place[BDF_LEN];
	size_t i, j;

	for (i = 0; i < args->nr_bdf; i++) {
		for (j = 0; j < sel->nr; j++) {
			bdf = select_bdf(&sel->dev[j]);
			if (same(&args->bdf[i], &bdf))
				break;
		}
		if (j < sel->nr)
			continue;
		say("%s: no frozen or preserved device%s%s: see '" TOOL " list'",
		    print_bdf(&args->bdf[i], place), args->direction ? ", " : "",
		    args->direction ? print_direction(args->direction) : "");
		sel->outcome = OUTCOME_FAILED;
	}
	if ((args->slot || args->id) && !sel->nr) {
		say("-s or -d matches no frozen or preserved device: see '" TOOL " list'");
		sel->outcome = OUTCOME_FAILED;
	}
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
 * @sel: filled; to be freed by select_free() in any case
 * @args: command line
 *
 * Return: OUTCOME_OK when the list could be read; @sel->outcome tells whether all
 * that were named are in it.
 */
enum outcome select_devices(struct selection *sel, const struct args *args)
{
	enum outcome outcome;

	*sel = (struct selection){
		.all = !args->nr_bdf && !args->slot && !args->id && !args->direction,
	};
	outcome = kernel_open();
	if (!outcome)
		outcome = kernel_info(&sel->info);
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

/**
 * select_free - free a selection
 * @sel: selection
 */
void select_free(struct selection *sel)
{
	free(sel->dev);
	memset(sel, 0, sizeof(*sel));
}
