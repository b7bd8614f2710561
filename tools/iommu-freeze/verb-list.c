// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze list and show: the devices that are preserved or frozen, in a line
 * each or with all that the kernel tells about each
 */
#include <stdlib.h>

#include "kernel.h"
#include "output.h"

static const char list_head[] =
	"DEVICE        DIRECTION STATE      MAPPED  TABLES  DIGEST        NAME\n";
static const char list_form[] =
	"{device:-12}  {direction:-9} {state:-9t} {mapped:7b} {memory:7b}  {digest:.12}  {name}\n";
static const char list_refused[] =
	"{device:-12}  {direction:-9} {state:-9t}       -       -  -             {why}\n";

#define SHOW_HEAD \
	"{device} [{name}|(no such device here)]\n" \
	"  direction  {direction}\n" \
	"  state      {state:t}\n"

static const char show_form[] =
	SHOW_HEAD
	"  format     {format}, {levels} levels\n"
	"  unit       registers [at {reg_base}|hidden by lockdown], domain id {did}\n"
	"  mapped     {mapped:b} in {extents} extents, {leaves} leaves\n"
	"  tables     {tables}, {memory:b} of memory\n"
	"  digest     {digest}\n"
	"[  preserve   {preserve_us} us\n"
	"][  freeze     {freeze_us} us\n"
	"][  compare    {compare_us} us\n"
	"][  replace    {replace_us} us\n]";
static const char show_refused[] =
	SHOW_HEAD
	"  why        {why}\n";

/*
 * Times that do not apply are null. Of a refused device, its place and why are
 * all that is sure.
 */
static json_t *device_json(const struct iommu_freeze_device *dev)
{
	bool in = dev->direction == IOMMU_FREEZE_INCOMING;
	bool refused = dev->state == IOMMU_FREEZE_REFUSED;
	bool frozen = !in && dev->state == IOMMU_FREEZE_FROZEN;
	bool replaced = in && dev->state == IOMMU_FREEZE_REPLACED;

	return json_pack("{ssss?ssssss?sssIsIsosIsIsIsIsIsososososo}",
			 "device", print_bdf(device_bdf(dev)),
			 "name", pci_name(device_bdf(dev)),
			 "direction", print_word(WORDS_DIRECTION, dev->direction),
			 "state", print_word(WORDS_STATE, dev->state),
			 "why", refused ? device_why(dev) : NULL,
			 "format", print_format(dev->format),
			 "levels", (u64)dev->levels,
			 "did", (u64)dev->did,
			 "reg_base", json_if(dev->reg_base, json_hex(dev->reg_base)),
			 "tables", dev->tables,
			 "leaves", dev->leaves,
			 "extents", dev->extents,
			 "mapped", dev->mapped,
			 "memory", dev->memory,
			 "preserve_us", json_if(!in, json_integer(dev->preserve_us)),
			 "freeze_us", json_if(frozen, json_integer(dev->freeze_us)),
			 "compare_us", json_if(replaced, json_integer(dev->compare_us)),
			 "replace_us", json_if(replaced, json_integer(dev->replace_us)),
			 "digest", json_digest(dev->digest));
}

static void tell(struct report *report, const struct selection *sel, const char *form,
		 const char *refused)
{
	const struct iommu_freeze_device *dev;

	for (dev = sel->dev; dev < sel->dev + sel->nr; dev++)
		report_device(report, dev->state == IOMMU_FREEZE_REFUSED ? refused : form,
			      device_json(dev));
}

static void print_list(const struct selection *sel, bool json)
{
	struct report report = { .verb = verb_list.name, .json = json, .head = list_head };
	const struct iommu_freeze_info *info = &sel->info;
	json_t *more;

	if (!json && !sel->nr && !sel->outcome)
		say("nothing is preserved or frozen");
	tell(&report, sel, list_form, list_refused);
	more = json_pack("{s{sbsbsbsIsIsIsI}}", "kernel",
			 "kho", !!(info->status & IOMMU_FREEZE_STATUS_KHO),
			 "liveupdate", !!(info->status & IOMMU_FREEZE_STATUS_LIVEUPDATE),
			 "bad_handover", !!(info->status & IOMMU_FREEZE_STATUS_BAD),
			 "blob_version", (u64)info->blob_version,
			 "outgoing", (u64)info->nr_outgoing,
			 "incoming", (u64)info->nr_incoming,
			 "generation", info->generation);
	report_end(&report, !sel->outcome, more);
}

static void print_show(const struct selection *sel, bool json)
{
	struct report report = { .verb = verb_show.name, .json = json, .between = "\n" };

	tell(&report, sel, show_form, show_refused);
	report_end(&report, !sel->outcome, json_object());
}

static enum outcome run(const struct args *args,
			void (*print)(const struct selection *sel, bool json))
{
	struct selection sel;
	enum outcome outcome;

	outcome = select_devices(&sel, args);
	if (!outcome) {
		print(&sel, args->json);
		outcome = sel.outcome;
	}
	free(sel.dev);
	return outcome;
}

static enum outcome run_list(const struct args *args)
{
	return run(args, print_list);
}

static enum outcome run_show(const struct args *args)
{
	return run(args, print_show);
}

const struct verb verb_list = {
	.name = "list",
	.brief = "list the devices that are preserved or frozen",
	.synopsis = "[--json] [--incoming | --outgoing] [-s SLOT] [-d ID] [BDF...]",
	.about =
	"One line for each device that this kernel hands to the next one (outgoing)\n"
	"or that the previous kernel handed to this one (incoming). MAPPED is the IO\n"
	"address space that translates, TABLES the memory that its tables take.\n",
	.takes = TAKES_JSON | TAKES_DIRECTION | TAKES_MATCH | TAKES_DEVICES,
	.run = run_list,
};

const struct verb verb_show = {
	.name = "show",
	.brief = "show all about a device: sizes, digest, times",
	.synopsis = "[--json] [--incoming | --outgoing] {-s SLOT | -d ID | BDF...}",
	.about =
	"All that the kernel tells about each device. Times are there once they were\n"
	"taken: preserve and freeze by the old kernel, compare and replace by the new\n"
	"one.\n",
	.takes = TAKES_JSON | TAKES_DIRECTION | TAKES_MATCH | TAKES_DEVICES | NEEDS_SOME,
	.run = run_show,
};
