/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Takes in what the previous kernel handed over, see import.c.
 */
#ifndef _IOMMU_FREEZE_IMPORT_H
#define _IOMMU_FREEZE_IMPORT_H

#include <linux/types.h>

struct frz_abi_unit;
struct frz_memory;
struct iommu_device;

bool frz_import_any(void);
u64 frz_import_generation(void);
bool frz_import_bad(void);

/* For a backend that meets a unit of the previous kernel */
enum frz_unit_state {
	FRZ_UNIT_NONE,		/* nothing came from the previous kernel */
	FRZ_UNIT_GOOD,
	FRZ_UNIT_BAD,		/* a blob came, but says nothing usable of it */
};

/**
 * struct frz_import_unit - a unit of the previous kernel
 * @rec: its record
 * @number: of it, in the blob
 */
struct frz_import_unit {
	const struct frz_abi_unit *rec;
	u32 number;
};

enum frz_unit_state frz_import_unit(u32 kind, u64 reg_base,
				    struct frz_import_unit *unit);
const struct frz_memory *frz_import_expected(const struct frz_import_unit *unit,
					     u32 stream, u32 *tag);
void frz_import_refuse(const struct frz_import_unit *unit, u32 stream,
		       const char *why);
void frz_import_unit_done(const struct frz_import_unit *unit,
			  struct iommu_device *iommu, const char *why);

#if IS_ENABLED(CONFIG_KUNIT)
/* For the tests, which import when boot is over */
void frz_import_take(phys_addr_t phys, size_t size);
int frz_import_settle(void);
void frz_import_forget(u32 nr);
#endif

#endif /* _IOMMU_FREEZE_IMPORT_H */
