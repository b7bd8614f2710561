// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ways out of this kernel, while devices are preserved or frozen.
 *
 * Structure: none of its own; it asks incoming.c about devices.
 *
 * A device that is still frozen from the last kexec cannot be handed on: its
 * session is not ours any more. A kexec over it is refused. Reboot, halt and power
 * off cannot be, so there it is stopped while translation is on. An emergency
 * restart and a crash kernel leave translation on with all entries as they are.
 *
 * Locking: a device that came frozen leaves that state and never enters it again,
 * so "none is frozen" stays true without a lock.  *
 * Fails: as above, with one log line.
 */
#include <linux/init.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/seq_buf.h>

#include "freeze.h"

/* Names of as many devices as fit into one line of the log. */
#define NAMES_LEN	512

/**
 * iommu_freeze_may_kexec - May this kernel be left by kexec?
 *
 * Context: reboot(KEXEC), before anything was torn down or frozen.
 * Return: 0, or -EBUSY after one log line that names each device that is still
 * frozen from the last kexec.
 */
int iommu_freeze_may_kexec(void)
{
	DECLARE_SEQ_BUF(names, NAMES_LEN);
	struct iommu_freeze_device dev;
	u32 i, nr = 0, left_out = 0;

	for (i = 0; !frz_incoming_list(i, &dev); i++) {
		if (dev.state != IOMMU_FREEZE_FROZEN)
			continue;
		nr++;
		if (left_out || seq_buf_used(&names) > NAMES_LEN - 32)
			left_out++;
		else
			seq_buf_printf(&names, " %04x:%02x:%02x.%u", dev.segment,
				       dev.devid >> 8, PCI_SLOT(dev.devid),
				       PCI_FUNC(dev.devid));
	}
	if (!nr)
		return 0;
	if (left_out)
		seq_buf_printf(&names, " and %u more", left_out);
	pr_err("iommu-freeze: kexec refused: still frozen since the last one:%s; have their VMM attach them, or give them up with 'iommu-freeze discard'\n",
	       seq_buf_str(&names));
	return -EBUSY;
}

/* Also called in a kexec, in which no device is left that it could stop. */
static int stop_incoming(struct notifier_block *nb, unsigned long action,
			 void *data)
{
	frz_incoming_refuse_all("the machine goes down before its VMM came back");
	return NOTIFY_DONE;
}

static struct notifier_block reboot_nb = {
	.notifier_call = stop_incoming,
	/* Before anybody who could end the chain. */
	.priority = INT_MAX,
};

static int __init frz_leave_init(void)
{
	return register_reboot_notifier(&reboot_nb);
}
device_initcall(frz_leave_init);
