// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: Intel VT-d
 */
#include <stdlib.h>

#include "backend.h"
#include "blob.h"

struct vtd_words {
	enum said on, scalable, intremap;
};

/*
 * drivers/iommu/intel/iommu.c, intel_iommu_setup(); arch/x86/kernel/pci-dma.c,
 * iommu_setup(); drivers/iommu/irq_remapping.c, setup_irqremap(): the value is a
 * list with commas, of which only the beginning of each part counts.
 */
static const struct {
	const char *word;
	const char *part;
	size_t to;
	enum said said;
} parts[] = {
	{ "intel_iommu", "on", offsetof(struct vtd_words, on), SAID_ON },
	{ "intel_iommu", "off", offsetof(struct vtd_words, on), SAID_OFF },
	{ "intel_iommu", "sm_on", offsetof(struct vtd_words, scalable), SAID_ON },
	{ "intel_iommu", "sm_off", offsetof(struct vtd_words, scalable), SAID_OFF },
	{ "iommu", "off", offsetof(struct vtd_words, on), SAID_OFF },
	{ "intremap", "on", offsetof(struct vtd_words, intremap), SAID_ON },
	{ "intremap", "off", offsetof(struct vtd_words, intremap), SAID_OFF },
};

static void take_word(void *arg, const char *name, const char *value)
{
	struct vtd_words *w = arg;
	size_t i;

	if (!value && !strcmp(name, "nointremap"))
		w->intremap = SAID_OFF;
	for (; value; value = strchr(value, ',')) {
		value += *value == ',';
		for (i = 0; i < ARRAY_SIZE(parts); i++)
			if (!strcmp(parts[i].word, name) &&
			    !strncmp(parts[i].part, value, strlen(parts[i].part)))
				*(enum said *)(arg + parts[i].to) = parts[i].said;
	}
}

static const char *const words[] = { "intel_iommu", "iommu", NULL };

/* VT-d spec, section 10.4.3, Extended Capability Register, SMTS; not known: yes. */
static void look(struct host_facts *host, const char *folder)
{
	char line[32];

	if (!facts_line(line, sizeof(line), print_text("%s/intel-iommu/ecap", folder), "") ||
	    strtoull(line, NULL, 16) & BIT_ULL(43))
		host->scalable = true;
}

/* The trial of any device tells. */
static const char *mode(const struct check *check)
{
	const struct device_facts *dev;
	u64 looked = 0, found = 0;

	for (dev = check->dev; dev < check->dev + check->nr; dev++) {
		looked |= dev->trial.looked;
		found |= dev->trial.found;
	}
	if (!(looked & BIT_ULL(IOMMU_FREEZE_OBSTACLE_SCALABLE)))
		return NULL;
	return found & BIT_ULL(IOMMU_FREEZE_OBSTACLE_SCALABLE) ? "scalable" : "legacy";
}

static void judge_cmdline(struct check *check)
{
	const char *path = check->args->target, *now = mode(check);
	u32 flags = check->target.flags;
	struct vtd_words w = {};

	cmdline_each(check->args->target_cmdline, take_word, &w);
	if (w.intremap == SAID_OFF)
		finding_add(check->findings, path, "target-intremap", "leave out intremap=off",
			    "interrupt remapping will be off with that command line: no VMM can bind its device");
	if (!cmdline_on(w.on, flags & FRZ_NOTE_VTD_ON))
		finding_add(check->findings, path, "target-iommu", "add intel_iommu=on",
			    "VT-d will be off with that command line");
	else if (cmdline_on(w.scalable, flags & FRZ_NOTE_VTD_SCALABLE) &&
		 check->host.scalable && now && !strcmp(now, "legacy"))
		finding_add(check->findings, path, "target-scalable", "add intel_iommu=sm_off",
			    "VT-d will be in scalable mode with that command line, and is in legacy mode now");
}

static u64 table_at(const struct frz_abi_unit *unit, u32 index)
{
	const struct frz_abi_table *table = frz_unit_table(unit, index);

	return table ? table->address : 0;
}

static json_t *unit_json(const struct frz_abi_unit *unit)
{
	u64 irt = table_at(unit, FRZ_VTD_TABLE_IRT), pa;
	json_t *contexts = json_array();
	u32 bus;

	for (bus = 0; bus < 256; bus++) {
		pa = table_at(unit, bus);
		if (pa)
			json_add(contexts, json_pack("{sIso}", "bus", (u64)bus,
						     "address", json_hex(pa)));
	}
	return json_pack("{sososososo}",
			 "cap", json_hex(unit->ids[FRZ_VTD_ID_CAP]),
			 "ecap", json_hex(unit->ids[FRZ_VTD_ID_ECAP]),
			 "root", json_hex(table_at(unit, FRZ_VTD_TABLE_ROOT)),
			 "irt", json_if(irt, json_hex(irt)),
			 "contexts", contexts);
}

static void unit_print(const json_t *unit)
{
	print_form("  cap      {cap}, ecap {ecap}\n"
		   "  root     {root}\n"
		   "[  irt      {irt}\n]", unit);
	print_each("  context  {address}, bus {bus:2x}\n", json_object_get(unit, "contexts"),
		   NULL, NULL);
}

const struct backend backend_vtd = {
	.name = "vt-d",
	.units = "dmar",
	.title = "VT-d",
	.boot_with = "intel_iommu=on",
	.words = words,
	.look = look,
	.mode = mode,
	.judge_cmdline = judge_cmdline,
	.unit_kind = FRZ_UNIT_VTD_LEGACY,
	.unit_json = unit_json,
	.unit_print = unit_print,
};
