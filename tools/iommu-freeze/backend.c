// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: the table of the kinds of IOMMU
 */
#include "backend.h"

const struct backend backend_none = { .name = "none" };
const struct backend backend_other = { .name = "other" };
static const struct backend amd = { .name = "amd-vi", .units = "ivhd" };
static const struct backend smmuv3 = { .name = "smmuv3", .units = "smmu3" };

const struct backend *const backends[] = { &backend_vtd, &amd, &smmuv3, NULL };
