/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: what the tool knows about a kind of IOMMU
 *
 * To add one, write a file with a struct backend like vtd.c and put it into the
 * table of backend.c.
 */
#ifndef IOMMU_FREEZE_BACKEND_H
#define IOMMU_FREEZE_BACKEND_H

#include "check.h"

/**
 * struct backend - a kind of IOMMU
 * @name: for programs
 * @units: what the names of its units in /sys/class/iommu begin with
 * @title: for people; NULL: nothing is frozen on it, and what follows is not set
 * @boot_with: what turns it on, on the kernel's command line; NULL: it is always on
 * @words: what words of it are called that have to do with this, NULL after the last
 * @look: learn what matters from the folder of a unit in sysfs; may be NULL
 * @mode: word of the mode that it is in, NULL: not looked at; may itself be NULL: it
 *	has but one
 * @judge_cmdline: what is in the way in the next kernel's command line
 * @unit_kind: FRZ_UNIT_... of its units in a handover
 * @unit_json: what such a unit has besides its place
 * @unit_print: and for people, from that
 */
struct backend {
	const char *name;
	const char *units;
	const char *title;
	const char *boot_with;
	const char *const *words;
	void (*look)(struct host_facts *host, const char *folder);
	const char *(*mode)(const struct check *check);
	void (*judge_cmdline)(struct check *check);
	u32 unit_kind;
	json_t *(*unit_json)(const struct frz_abi_unit *unit);
	void (*unit_print)(const json_t *unit);
};

extern const struct backend backend_vtd;	/* vtd.c */
extern const struct backend backend_smmuv3;	/* smmuv3.c */
extern const struct backend backend_none, backend_other;

/* NULL after the last. Where there is no IOMMU, the first one ought to be there. */
extern const struct backend *const backends[];

/* What is, or ought to be, there to freeze on. */
static inline const struct backend *backend_of(const struct host_facts *host)
{
	return host->iommu && host->iommu->title ? host->iommu : backends[0];
}

#endif /* IOMMU_FREEZE_BACKEND_H */
