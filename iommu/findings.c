// SPDX-License-Identifier: GPL-2.0-only
/*
 * Refuses what was asked for, for what was found, with one line in the log.
 *
 * Structure: none of its own; no lock. That it refuses is all that it does.
 */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/export.h>

#include "findings.h"
#include "log.h"
#include "obstacle.h"

/**
 * frz_refuse - Refuse what was asked for if there is an obstacle
 * @pdev: the device
 * @what: what was asked for, as in "not preserved"
 * @f: findings
 *
 * Return: 0 if nothing was found, or -EOPNOTSUPP after a log line that names the
 * first obstacle and the way out.
 */
int frz_refuse(struct pci_dev *pdev, const char *what,
	       const struct frz_findings *f)
{
	const struct frz_obstacle *o;

	if (!f->found)
		return 0;
	o = frz_obstacle(__ffs64(f->found));
	frz_warn(pdev, "not %s: %s%s%s\n", what, o->text, o->fix ? "; " : "",
		 o->fix ?: "");
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_GPL(frz_refuse);

/**
 * frz_refuse_pages - Refuse to preserve a device for a page that it maps
 * @pdev: the device
 * @obstacle: what is the matter with the page
 * @iova: where it is mapped
 *
 * Return: -EFAULT for device memory, else -EPERM, after a log line.
 */
int frz_refuse_pages(struct pci_dev *pdev, u32 obstacle, u64 iova)
{
	const struct frz_obstacle *o = frz_obstacle(obstacle);

	frz_warn(pdev, "not preserved: iova %#llx: %s; %s\n", iova, o->text,
		 o->fix);
	return obstacle == IOMMU_FREEZE_OBSTACLE_NOT_RAM ? -EFAULT : -EPERM;
}
EXPORT_SYMBOL_GPL(frz_refuse_pages);
