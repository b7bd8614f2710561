// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze show: all that the kernel tells about a device
 *
 * Structure: prints a selection. No lock. Only making the selection may fail.
 */
#include "tool.h"

/**
 * show_json - what show --json prints
 * @sel: devices
 *
 * Return: tree, NULL without memory.
 */
json_t *show_json(const struct selection *sel)
{
	json_t *devices = json_array();
	size_t i;

	for (i = 0; i < sel->nr; i++)
		json_array_append_new(devices, json_state(&sel->dev[i]));
	return json_devices(verb_show.name, devices, sel->nr, !sel->outcome);
}

static void field(const char *name)
{
	printf("  %-10s ", name);
}

static void show_tables(const struct iommu_freeze_device *dev)
{
	char size[BYTES_LEN], hex[HEX_LEN];

	field("format");
	printf("%s, %u levels\n", print_format(dev->format), dev->levels);
	field("unit");
	if (dev->reg_base)
		printf("registers at 0x%llx", dev->reg_base);
	else
		printf("registers hidden by lockdown");
	printf(", domain id %u\n", dev->did);
	field("mapped");
	printf("%s in %llu extents, %llu leaves\n",
	       print_bytes(dev->mapped, size, sizeof(size)), dev->extents,
	       dev->leaves);
	field("tables");
	printf("%llu, %s of memory\n", dev->tables,
	       print_bytes(dev->memory, size, sizeof(size)));
	field("digest");
	printf("%s\n", print_hex(dev->digest, FRZ_DIGEST_LEN, hex));
}

static void show_times(const struct iommu_freeze_device *dev)
{
	if (dev->direction == IOMMU_FREEZE_OUTGOING) {
		field("preserve");
		printf("%u us\n", dev->preserve_us);
		if (dev->state != IOMMU_FREEZE_FROZEN)
			return;
		field("freeze");
		printf("%u us\n", dev->freeze_us);
	} else if (dev->state == IOMMU_FREEZE_REPLACED) {
		field("compare");
		printf("%u us\n", dev->compare_us);
		field("replace");
		printf("%u us\n", dev->replace_us);
	}
}

/**
 * show_text - what show prints for people
 * @sel: devices
 */
void show_text(const struct selection *sel)
{
	const struct iommu_freeze_device *dev;
	char place[BDF_LEN], name[NAME_LEN];
	char why[IOMMU_FREEZE_WHY_LEN + 1];
	struct bdf bdf;

	for (dev = sel->dev; dev < sel->dev + sel->nr; dev++) {
		bdf = select_bdf(dev);
		printf("%s%s %s\n", dev == sel->dev ? "" : "\n",
		       print_bdf(&bdf, place),
		       pci_name(&bdf, name, sizeof(name)) ?: "(no such device here)");
		field("direction");
		puts(print_direction(dev->direction));
		field("state");
		print_tinted(print_state_tint(dev->state), 0, print_state(dev->state));
		putchar('\n');
		if (dev->state == IOMMU_FREEZE_REFUSED) {
			field("why");
			puts(print_text(dev->why, sizeof(dev->why), why));
			continue;
		}
		show_tables(dev);
		show_times(dev);
	}
}

static enum outcome run_show(const struct args *args)
{
	struct selection sel;
	enum outcome outcome;

	outcome = select_devices(&sel, args);
	if (!outcome) {
		if (args->json)
			outcome = json_end(show_json(&sel));
		else
			show_text(&sel);
		outcome = outcome_add(outcome, sel.outcome);
	}
	select_free(&sel);
	return outcome;
}

const struct verb verb_show = {
	.name = "show",
	.brief = "show all about a device: sizes, digest, times",
	.synopsis = "[--json] [--incoming | --outgoing] {-s SLOT | -d ID | BDF...}",
	.about =
	"All that the kernel tells about each device. Times are there once they were\n"
	"taken: preserve and freeze by the old kernel, compare and replace by the new\n"
	"one.\n",
	.takes = TAKES_JSON | TAKES_FILTER | TAKES_DEVICES | NEEDS_SOME,
	.run = run_show,
};
