// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze list: the devices that are preserved or frozen, one line each
 *
 * Structure: prints a selection. No lock. Only making the selection may fail.
 */
#include "tool.h"

/**
 * list_json - what list --json prints
 * @sel: devices
 *
 * Return: tree, NULL without memory.
 */
json_t *list_json(const struct selection *sel)
{
	const struct iommu_freeze_info *info = &sel->info;
	json_t *root, *kernel, *devices = json_array();
	size_t i;

	for (i = 0; i < sel->nr; i++)
		json_array_append_new(devices, json_state(&sel->dev[i]));
	root = json_devices(verb_list.name, devices, sel->nr, !sel->outcome);
	kernel = json_pack("{sbsbsbsIsIsIso}",
			   "kho", !!(info->status & IOMMU_FREEZE_STATUS_KHO),
			   "liveupdate", !!(info->status & IOMMU_FREEZE_STATUS_LIVEUPDATE),
			   "bad_handover", !!(info->status & IOMMU_FREEZE_STATUS_BAD),
			   "blob_version", (json_int_t)info->blob_version,
			   "outgoing", (json_int_t)info->nr_outgoing,
			   "incoming", (json_int_t)info->nr_incoming,
			   "generation", json_count(info->generation));
	if (json_object_set_new(root, "kernel", kernel)) {
		json_decref(root);
		return NULL;
	}
	return root;
}

/**
 * list_text - what list prints for people
 * @sel: devices
 */
void list_text(const struct selection *sel)
{
	char place[BDF_LEN], name[NAME_LEN], hex[HEX_LEN];
	char mapped[BYTES_LEN], memory[BYTES_LEN];
	char why[IOMMU_FREEZE_WHY_LEN + 1];
	const struct iommu_freeze_device *dev;
	struct bdf bdf;
	const char *last;

	if (!sel->nr)
		return;
	printf("%-12s  %-9s %-9s %7s %7s  %-12s  %s\n", "DEVICE", "DIRECTION",
	       "STATE", "MAPPED", "TABLES", "DIGEST", "NAME");
	for (dev = sel->dev; dev < sel->dev + sel->nr; dev++) {
		bdf = select_bdf(dev);
		printf("%-12s  %-9s ", print_bdf(&bdf, place),
		       print_direction(dev->direction));
		print_tinted(print_state_tint(dev->state), 9, print_state(dev->state));
		if (dev->state == IOMMU_FREEZE_REFUSED) {
			printf(" %7s %7s  %-12s  %s\n", "-", "-", "-",
			       print_text(dev->why, sizeof(dev->why), why));
			continue;
		}
		last = pci_name(&bdf, name, sizeof(name));
		printf(" %7s %7s  %.12s  %s\n",
		       print_bytes(dev->mapped, mapped, sizeof(mapped)),
		       print_bytes(dev->memory, memory, sizeof(memory)),
		       print_hex(dev->digest, FRZ_DIGEST_LEN, hex), last ?: "-");
	}
}

static enum outcome run_list(const struct args *args)
{
	struct selection sel;
	enum outcome outcome;

	outcome = select_devices(&sel, args);
	if (!outcome) {
		if (args->json) {
			outcome = json_end(list_json(&sel));
		} else {
			if (!sel.nr && !sel.outcome)
				say("nothing is preserved or frozen");
			list_text(&sel);
		}
		outcome = outcome_add(outcome, sel.outcome);
	}
	select_free(&sel);
	return outcome;
}

const struct verb verb_list = {
	.name = "list",
	.brief = "list the devices that are preserved or frozen",
	.synopsis = "[--json] [--incoming | --outgoing] [-s SLOT] [-d ID] [BDF...]",
	.about =
	"One line for each device that this kernel hands to the next one (outgoing)\n"
	"or that the previous kernel handed to this one (incoming). MAPPED is the IO\n"
	"address space that translates, TABLES the memory that its tables take.\n",
	.takes = TAKES_JSON | TAKES_FILTER | TAKES_DEVICES,
	.run = run_list,
};
