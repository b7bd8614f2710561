// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: the list of table formats
 *
 * Structure: a constant list, one description per file beside this one; no lock.
 * Looking up an id that is not in the list fails.
 */
#include <linux/array_size.h>
#include <linux/stddef.h>

#include "format.h"

static const struct frz_format *const formats[] = {
	&frz_format_vtdss,
	&frz_format_lpae_s1,
	&frz_format_lpae_s2,
};

/**
 * frz_format_by_id - find a table format
 * @id: FRZ_FORMAT_... of the blob
 *
 * Return: the format, NULL when this kernel does not know it.
 */
const struct frz_format *frz_format_by_id(u32 id)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(formats); i++)
		if (formats[i]->id == id)
			return formats[i];
	return NULL;
}
