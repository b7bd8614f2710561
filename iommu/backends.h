/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of backends: each has a folder of its name, with a frz_NAME_kind (pure)
 * and a frz_NAME_backend in it, and flags for the kernel's ELF note.
 */
#ifndef _IOMMU_FREEZE_BACKENDS_H
#define _IOMMU_FREEZE_BACKENDS_H

#include "vtd/note.h"

struct frz_backend;
struct frz_kind;

extern const struct frz_kind frz_vtd_kind;
extern const struct frz_backend frz_vtd_backend;

/* An IOMMU that is nothing but memory, for the tests. */
#ifdef CONFIG_IOMMU_FREEZE_KUNIT_TEST
extern const struct frz_kind frz_fake_kind;
extern const struct frz_backend frz_fake_backend;

#define FRZ_KINDS		{ &frz_vtd_kind, &frz_fake_kind }
#define FRZ_BACKENDS		{ &frz_vtd_backend, &frz_fake_backend }
#else
#define FRZ_KINDS		{ &frz_vtd_kind }
#define FRZ_BACKENDS		{ &frz_vtd_backend }
#endif
#define FRZ_NOTE_BACKENDS	(FRZ_VTD_NOTE)

#endif /* _IOMMU_FREEZE_BACKENDS_H */
