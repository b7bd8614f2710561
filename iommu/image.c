// SPDX-License-Identifier: GPL-2.0-only
/*
 * The image that is loaded for kexec: can it be told what is frozen?
 *
 * Structure: none of its own.
 *
 * Locking: kexec's own lock, held by reboot(KEXEC) or tried. What is loaded can
 * change until then, so the freeze itself looks at it.
 *
 * Fails: nothing.
 */
#include <kunit/static_stub.h>
#include <linux/kexec.h>
#include <linux/preempt.h>
#include <uapi/linux/iommu-freeze.h>

#include "../../../../kernel/kexec_internal.h"
#include "image.h"

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
	/* A test freezes without a kernel to go to. */
	KUNIT_STATIC_STUB_REDIRECT(frz_image_flaw);

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
