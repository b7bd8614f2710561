/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of backends. Each has a folder, with what user space knows of it too (a
 * struct frz_kind) and with what it does (a struct frz_backend).
 */
#ifndef _IOMMU_FREEZE_BACKENDS_H
#define _IOMMU_FREEZE_BACKENDS_H

struct frz_backend;
struct frz_kind;

extern const struct frz_kind frz_vtd_kind;
extern const struct frz_backend frz_vtd_backend;

#define FRZ_KINDS	{ &frz_vtd_kind }
#define FRZ_BACKENDS	{ &frz_vtd_backend }

#endif /* _IOMMU_FREEZE_BACKENDS_H */
