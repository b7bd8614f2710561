// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ways out of this kernel, while devices are preserved or frozen.
 *
 * Structure: none of its own; it asks incoming.c and PCI about devices.
 *
 * A device that is still frozen from the last kexec cannot be handed on: its
 * session is not ours any more. A kexec over it is refused. Reboot, halt and power
 * off cannot be, so there it is stopped while translation is on. An emergency
 * restart and a crash kernel leave translation on with all entries as they are.
 *
 * Suspend, hibernation and kexec jump turn the IOMMU off, or put devices to sleep;
 * PCI asks pci/hooks.c, which refuses them as long as one device is preserved or
 * frozen.
 *
 * Locking: a device that came frozen leaves that state and never enters it again,
 * so "none is frozen" stays true without a lock.
 *
 * Fails: as above, with one log line.
 */
#include <linux/init.h>
#include <linux/iommu-freeze.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/seq_buf.h>
#include <uapi/linux/iommu-freeze.h>

#include "../pci/hands.h"
#include "incoming.h"
#include "log.h"

/* Names of as many devices as fit into one line of the log. */
#define NAMES_LEN	512

struct frozen_names {
	struct seq_buf *buf;
	u32 nr;
	u32 left_out;
};

static int note_frozen(void *arg, const struct frz_view *view)
{
	struct frozen_names *names = arg;

	if (view->state != IOMMU_FREEZE_FROZEN)
		return 0;
	names->nr++;
	if (names->left_out || seq_buf_used(names->buf) > NAMES_LEN - 32)
		names->left_out++;
	else
		seq_buf_printf(names->buf, " %04x:%02x:%02x.%u", view->segment,
			       view->devid >> 8, PCI_SLOT(view->devid),
			       PCI_FUNC(view->devid));
	return 0;
}

/**
 * iommu_freeze_may_kexec - May this kernel be left by kexec?
 *
 * Devices that were stopped and not reset since are reset.
 *
 * Context: reboot(KEXEC), before anything was torn down or frozen. May sleep.
 * Return: 0, or -EBUSY after one log line that names each device that is still
 * frozen from the last kexec.
 */
int iommu_freeze_may_kexec(void)
{
	DECLARE_SEQ_BUF(buf, NAMES_LEN);
	struct frozen_names names = { .buf = &buf };
	struct frz_place place = { .by_index = true };
	u32 i = 0;

	while (!frz_incoming_view(&place, note_frozen, &names))
		place.index = ++i;
	if (!names.nr) {
		/*
		 * One that was stopped may not have been reset, and the next
		 * kernel knows nothing of it. That can take a minute, so it is
		 * done while the guests run; from here on none is stopped.
		 */
		frz_pci_reset_all();
		return 0;
	}
	if (names.left_out)
		seq_buf_printf(&buf, " and %u more", names.left_out);
	pr_err("kexec refused: still frozen since the last one:%s; have their VMM attach them, or give them up with 'iommu-freeze discard'\n",
	       seq_buf_str(&buf));
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
