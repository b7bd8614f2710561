// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: the table of verbs
 *
 * Structure: a constant list in the order of the help text. No lock. Looking up
 * a name that is not in it fails.
 */
#include "tool.h"

static const struct verb *const verbs[] = {
	&verb_list,
	&verb_show,
	&verb_check,
	&verb_freeze,
	&verb_verify,
	&verb_extents,
	&verb_discard,
	&verb_decode,
	&verb_version,
	&verb_help,
};

/**
 * verb_at - go through the verbs
 * @i: from 0
 *
 * Return: the verb, NULL after the last.
 */
const struct verb *verb_at(size_t i)
{
	return i < ARRAY_SIZE(verbs) ? verbs[i] : NULL;
}

/**
 * verb_find - find a verb
 * @name: as it was typed
 *
 * Return: the verb, NULL when there is none of that name.
 */
const struct verb *verb_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(verbs[i]->name, name))
			return verbs[i];
	return NULL;
}
