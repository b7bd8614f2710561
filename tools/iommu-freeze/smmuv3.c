// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: Arm SMMUv3
 */
#include "backend.h"
#include "blob.h"

#define UNSAFE	"iommufd.allow_unsafe_interrupts"

/* A switch of a module without a value is one that is on. */
static void take_word(void *arg, const char *name, const char *value)
{
	if (!strcmp(name, UNSAFE))
		cmdline_switch(arg, value ?: "y");
}

/*
 * The driver has no word that turns it off. What other devices do by default and where
 * memory comes from decide what can be frozen; how a VMM gets its interrupts, whether
 * it can come back.
 */
static const char *const words[] = {
	"iommu.passthrough", "cma", "arm_smmu_v3.disable_cmdqv", UNSAFE, NULL
};

static void judge_cmdline(struct check *check)
{
	enum said now = SAID_NOTHING, then = SAID_NOTHING;
	const char *path = check->args->target;

	if (!(check->target.flags & FRZ_NOTE_SMMUV3_ON))
		finding_add(check->findings, path, "target-iommu",
			    "boot a kernel with CONFIG_ARM_SMMU_V3=y",
			    "it has no driver for an SMMUv3");
	/* Whether the host needs it is not known; it is on if somebody found that it does. */
	cmdline_each(check->host.cmdline, take_word, &now);
	cmdline_each(check->args->target_cmdline, take_word, &then);
	if (now == SAID_ON && then != SAID_ON)
		finding_add(check->findings, path, "target-interrupts", "add " UNSAFE "=1",
			    "interrupts that are not isolated will not be allowed with that command line, and are now: no VMM may bind its device");
}

static json_t *unit_json(const struct frz_abi_unit *unit)
{
	const struct frz_abi_table *table = frz_unit_tables(unit);
	json_t *level2 = json_array(), *strtab = NULL;
	u32 i;

	for (i = 0; i < unit->nr_tables; i++, table++) {
		if (table->index == FRZ_SMMUV3_TABLE_STRTAB)
			strtab = json_hex(table->address);
		else
			json_add(level2, json_pack("{soso}",
						   "stream", json_hex((u64)table->index << 8),
						   "address", json_hex(table->address)));
	}
	return json_pack("{sosososososososososo}",
			 "idr0", json_hex(unit->ids[FRZ_SMMUV3_ID_IDR0]),
			 "idr1", json_hex(unit->ids[FRZ_SMMUV3_ID_IDR1]),
			 "idr3", json_hex(unit->ids[FRZ_SMMUV3_ID_IDR3]),
			 "idr5", json_hex(unit->ids[FRZ_SMMUV3_ID_IDR5]),
			 "cr1", json_hex(unit->ids[FRZ_SMMUV3_ID_CR1]),
			 "cr2", json_hex(unit->ids[FRZ_SMMUV3_ID_CR2]),
			 "strtab_base_cfg", json_hex(unit->ids[FRZ_SMMUV3_ID_STRTAB_BASE_CFG]),
			 "iidr", json_hex(unit->ids[FRZ_SMMUV3_ID_IIDR]),
			 "strtab", strtab,
			 "level2", level2);
}

static void unit_print(const json_t *unit)
{
	print_form("  idr      0 {idr0}, 1 {idr1}, 3 {idr3}, 5 {idr5}, iidr {iidr}\n"
		   "  cr       1 {cr1}, 2 {cr2}\n"
		   "  strtab   {strtab}, base_cfg {strtab_base_cfg}\n", unit);
	print_each("  level 2  {address}, streams from {stream}\n",
		   json_object_get(unit, "level2"), NULL, NULL);
}

const struct backend backend_smmuv3 = {
	.name = "smmuv3",
	.units = "smmu3",
	.title = "SMMUv3",
	.words = words,
	.judge_cmdline = judge_cmdline,
	.unit_kind = FRZ_UNIT_SMMUV3,
	.unit_json = unit_json,
	.unit_print = unit_print,
};
