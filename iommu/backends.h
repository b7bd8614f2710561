/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of backends: each has a folder of its name, with a frz_NAME_kind (pure)
 * and a frz_NAME_backend in it, and flags for the kernel's ELF note.
 */
#ifndef _IOMMU_FREEZE_BACKENDS_H
#define _IOMMU_FREEZE_BACKENDS_H

#include "smmuv3/note.h"
#include "vtd/note.h"

struct frz_backend;
struct frz_kind;

extern const struct frz_kind frz_vtd_kind;
extern const struct frz_backend frz_vtd_backend;
extern const struct frz_kind frz_smmuv3_kind;
extern const struct frz_backend frz_smmuv3_backend;

/* An IOMMU that is nothing but memory, for the tests. */
extern const struct frz_kind frz_fake_kind;
extern const struct frz_backend frz_fake_backend;

/* The one whose driver is in this kernel: a machine has no other. */
#ifdef CONFIG_INTEL_IOMMU
#define FRZ_OWN(what)		frz_vtd_ ## what
#else
#define FRZ_OWN(what)		frz_smmuv3_ ## what
#endif

/* In user space all; what only one of them would tell is told as of the machine's own. */
#if defined(CONFIG_IOMMU_FREEZE_KUNIT_TEST)
#define FRZ_KINDS		{ &FRZ_OWN(kind), &frz_fake_kind }
#define FRZ_BACKENDS		{ &FRZ_OWN(backend), &frz_fake_backend }
#elif defined(__KERNEL__)
#define FRZ_KINDS		{ &FRZ_OWN(kind) }
#define FRZ_BACKENDS		{ &FRZ_OWN(backend) }
#elif defined(__aarch64__)
#define FRZ_KINDS		{ &frz_smmuv3_kind, &frz_vtd_kind }
#else
#define FRZ_KINDS		{ &frz_vtd_kind, &frz_smmuv3_kind }
#endif
#define FRZ_NOTE_BACKENDS	(FRZ_VTD_NOTE | FRZ_SMMUV3_NOTE)

#endif /* _IOMMU_FREEZE_BACKENDS_H */
