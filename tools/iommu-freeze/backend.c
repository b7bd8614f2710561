// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: the table of the kinds of IOMMU
 */
#include "backend.h"

const struct backend backend_none = { .name = "none" };
const struct backend backend_other = { .name = "other" };
static const struct backend amd = { .name = "amd-vi", .units = "ivhd" };

#ifdef __aarch64__
const struct backend *const backends[] = { &backend_smmuv3, &amd, &backend_vtd, NULL };
#else
const struct backend *const backends[] = { &backend_vtd, &amd, &backend_smmuv3, NULL };
#endif
