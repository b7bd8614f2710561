// SPDX-License-Identifier: GPL-2.0-only
/* Spoils root and context tables of VT-d in legacy mode (spec, sections 9.1 and 9.3). */
#include <err.h>
#include <string.h>

#include "saboteur.h"

/* The root table of the first device's unit. */
static uint64_t *first_root(const struct frz_blob *b)
{
	return page_at(first_table(b, FRZ_VTD_TABLE_ROOT)->address);
}

/* Its root entry. */
static uint64_t *first_root_entry(const struct frz_blob *b)
{
	return first_root(b) + 2 * first_device(b)->bus;
}

static u64 context_table(const struct frz_blob *b)
{
	return first_table(b, first_device(b)->bus)->address;
}

/* Its context entry. */
static uint64_t *context(const struct frz_blob *b)
{
	return page_at(context_table(b)) + 2 * first_device(b)->devfn;
}

/* What is a field of the context entry, or "" for the domain id. */
static bool spoil_context(const struct frz_blob *b, const char *what)
{
	uint64_t *entry = context(b);

	if (!*what)
		entry[1] ^= 1ULL << 8;
	else if (!strcmp(what, "-top"))
		entry[0] ^= 1ULL << 20;
	else if (!strcmp(what, "-type"))
		entry[0] |= 2ULL << 2;
	else if (!strcmp(what, "-width"))
		entry[1] ^= 3ULL;
	else if (!strcmp(what, "-absent"))
		entry[0] &= ~1ULL;
	else if (!strcmp(what, "-back"))
		entry[0] = (entry[0] & (PAGE - 1)) | domain_of_first(b)->top;
	else
		return false;
	return true;
}

static bool spoil(const struct frz_blob *b, const char *what)
{
	if (!strncmp(what, "context", 7))
		return spoil_context(b, what + 7);
	if (!strcmp(what, "root-entry"))
		first_root_entry(b)[1] ^= 1ULL << 12;
	else if (!strcmp(what, "root-table"))
		*first_root_entry(b) = copy_page(b, context_table(b)) | 1;
	else
		return false;
	return true;
}

static void add_foreign(const struct frz_blob *b)
{
	u64 table = context_table(b);

	/* Function 1.0 of the same bus, and all of bus 5. */
	memcpy(page_at(table) + 2 * 8, context(b), 16);
	first_root(b)[2 * 5] = table | 1;
}

const struct kind vtd = {
	.spoil = spoil,
	.entry = context,
	.entry_len = 16,
	.add_foreign = add_foreign,
	.root = FRZ_VTD_TABLE_ROOT,
};
