// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ways out of this kernel, while devices are preserved or frozen.
 *
 * Structure: none of its own; it asks outgoing.c and incoming.c about devices and
 * looks at the image that is loaded for kexec.
 *
 * A device that is still frozen from the last kexec cannot be handed on: its
 * session is not ours any more. A kexec over it is refused. Reboot, halt and power
 * off cannot be, so there it is stopped while translation is on. An emergency
 * restart and a crash kernel leave translation on with all entries as they are.
 *
 * Suspend, hibernation and kexec jump turn the IOMMU off, or put devices to sleep,
 * and are refused as long as one device is preserved or frozen.
 *
 * Locking: a device that came frozen leaves that state and never enters it again,
 * so "none is frozen" stays true without a lock. What is preserved can change until
 * LUO has closed its sessions, so the image is looked at in the freeze itself; and
 * until user space is frozen, so suspend is refused after that.
 *
 * Fails: as above, with one log line.
 */
#include <linux/init.h>
#include <linux/kexec.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/seq_buf.h>

#include "../../../../kernel/kexec_internal.h"
#include "freeze.h"

/* Names of as many devices as fit into one line of the log. */
#define NAMES_LEN	512

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
	if (!nr) {
		/*
		 * One that was stopped may not have been reset, and the next
		 * kernel knows nothing of it. That can take a minute, so it is
		 * done while the guests run; from here on none is stopped.
		 */
		frz_pci_reset_all();
		return 0;
	}
	if (left_out)
		seq_buf_printf(&names, " and %u more", left_out);
	pr_err("iommu-freeze: kexec refused: still frozen since the last one:%s; have their VMM attach them, or give them up with 'iommu-freeze discard'\n",
	       seq_buf_str(&names));
	return -EBUSY;
}

static bool takes_handover(const struct kimage *image)
{
	return image->kho.fdt && image->kho.scratch;
}

/**
 * frz_image_flaw - Why the loaded kernel cannot be told what is frozen
 *
 * Only kexec_file_load() hands KHO's tree to the next kernel. Whether that kernel
 * has CONFIG_IOMMU_FREEZE stands in a note inside of its compressed part, which
 * nobody unpacks here: that is for "iommu-freeze check --target".
 *
 * Context: Inside reboot(KEXEC), which keeps the image.
 * Return: NULL or the reason.
 */
const char *frz_image_flaw(void)
{
	if (!takes_handover(kexec_image))
		return "the next kernel was loaded without the handover; use 'kexec -s -l'";
	return NULL;
}

/**
 * frz_image_status - What user space may know of the loaded kernel
 *
 * Context: Any context that is not an interrupt.
 * Return: IOMMU_FREEZE_STATUS_LOADED and _NO_HANDOVER as they apply; neither
 * while one is being loaded or unloaded.
 */
u32 frz_image_status(void)
{
	u32 status = 0;

	/* A panic here would find no crash kernel: be quick. */
	guard(preempt)();
	if (!kexec_trylock())
		return 0;
	if (kexec_image) {
		status = IOMMU_FREEZE_STATUS_LOADED;
		if (!takes_handover(kexec_image))
			status |= IOMMU_FREEZE_STATUS_NO_HANDOVER;
	}
	kexec_unlock();
	return status;
}

/**
 * iommu_freeze_pci_may_suspend - May this device be put to sleep with the system?
 * @pdev: the device
 *
 * Context: System suspend, hibernation or kexec jump; user space is frozen and no
 * device was suspended yet.
 * Return: 0, or -EBUSY after one log line.
 */
int iommu_freeze_pci_may_suspend(struct pci_dev *pdev)
{
	if (frz_outgoing_preserved(pdev)) {
		frz_warn(pdev, "suspend refused: it is preserved for the next kernel; close its LUO session\n");
		return -EBUSY;
	}
	if (frz_incoming_state(pdev) == FRZ_INCOMING_FROZEN) {
		frz_warn(pdev, "suspend refused: it is still frozen since the last kexec; have its VMM attach it, or give it up with 'iommu-freeze discard'\n");
		return -EBUSY;
	}
	return 0;
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
