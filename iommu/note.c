// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tells from the kernel's image which handovers this kernel reads, for
 * "iommu-freeze check --target" in the kernel before.
 *
 * Structure: an ELF note. No lock, nothing fails.
 */
#include <linux/elfnote.h>
#include <linux/iommu-freeze-abi.h>
#include <linux/types.h>

#include "frz.h"

struct versions {
	__le32 oldest;
	__le32 newest;
};

ELFNOTE32(FRZ_NOTE_NAME, FRZ_NOTE_VERSIONS, ((struct versions){
	.oldest = cpu_to_le32(1),
	.newest = cpu_to_le32(FRZ_BLOB_VERSION),
}));
