/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A frozen domain in the new kernel, see domain.c.
 */
#ifndef _IOMMU_FREEZE_DOMAIN_H
#define _IOMMU_FREEZE_DOMAIN_H

#include <linux/iommu.h>
#include <linux/kho/abi/iommu-freeze.h>
#include <linux/refcount.h>

#include "memory.h"
#include "verify.h"

struct frz_backend;

/**
 * struct frz_domain - a frozen domain
 * @domain: what the IOMMU core sees: no map, no unmap
 * @rec: its record in the blob
 * @unit_rec: that of its unit
 * @backend: of its unit
 * @memory: its tables
 * @shadow: what they said at boot
 * @unit: its unit, NULL until that was adopted
 * @why: reason why it was refused, or NULL
 * @tag_taken: its tag is reserved
 * @users: devices that are not finished, and comparisons under way
 *
 * Set up at boot by one thread; @memory and @shadow go with the last user.
 */
struct frz_domain {
	struct iommu_domain domain;
	const struct frz_abi_domain *rec;
	const struct frz_abi_unit *unit_rec;
	const struct frz_backend *backend;
	struct frz_memory memory;
	struct frz_shadow shadow;
	struct iommu_device *unit;
	const char *why;
	bool tag_taken;
	refcount_t users;
};

void frz_domain_import(struct frz_domain *dom, const struct frz_abi_domain *rec,
		       const struct frz_backend *backend);
void frz_domain_adopt(struct frz_domain *dom, struct iommu_device *unit);
void frz_domain_forget_unit(struct frz_domain *dom);
void frz_domain_get(struct frz_domain *dom);
void frz_domain_put(struct frz_domain *dom);
bool frz_domain_has_left(const struct frz_domain *dom, u32 stream);
void frz_domain_block(const struct frz_domain *dom, u32 stream);
int frz_domain_compare(struct frz_domain *dom, struct pci_dev *pdev,
		       struct iommu_domain *live, u64 *leaves);

#endif /* _IOMMU_FREEZE_DOMAIN_H */
