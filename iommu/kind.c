// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: the kinds of IOMMU that a blob may name
 *
 * Structure: a constant list, made from the one table of backends; no lock. Looking
 * up an id that is not in it fails.
 */
#include <linux/array_size.h>
#include <linux/stddef.h>

#include "backends.h"
#include "kind.h"

static const struct frz_kind *const kinds[] = FRZ_KINDS;

/**
 * frz_kind_at - The kinds, one after the other
 * @index: from 0
 *
 * Return: the kind, NULL when there are no more.
 */
const struct frz_kind *frz_kind_at(u32 index)
{
	return index < ARRAY_SIZE(kinds) ? kinds[index] : NULL;
}

/**
 * frz_kind_by_id - Find a kind of IOMMU
 * @id: FRZ_UNIT_... of a blob
 *
 * Return: the kind, NULL when this kernel does not know it.
 */
const struct frz_kind *frz_kind_by_id(u32 id)
{
	const struct frz_kind *kind;
	u32 i;

	for (i = 0; (kind = frz_kind_at(i)); i++)
		if (kind->id == id)
			return kind;
	return NULL;
}
