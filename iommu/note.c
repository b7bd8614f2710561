// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tells from the kernel's image which handovers this kernel reads, and what it
 * needs on its command line, for "iommu-freeze check --target" in the kernel
 * before.
 *
 * Structure: an ELF note. No lock, nothing fails.
 */
#include <asm/byteorder.h>
#include <linux/elfnote.h>
#include <linux/kconfig.h>
#include <linux/kho/abi/iommu-freeze.h>
#include <linux/types.h>

#include "backends.h"

#define KHO_ON	IS_ENABLED(CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT)

struct versions {
	__le32 oldest;
	__le32 newest;
	__le32 flags;
};

ELFNOTE32(FRZ_NOTE_NAME, FRZ_NOTE_VERSIONS, ((struct versions){
	.oldest = cpu_to_le32(FRZ_BLOB_OLDEST),
	.newest = cpu_to_le32(FRZ_BLOB_VERSION),
	.flags = cpu_to_le32((KHO_ON ? FRZ_NOTE_KHO_ON : 0) |
			     FRZ_NOTE_BACKENDS),
}));
