// SPDX-License-Identifier: GPL-2.0-only
/*
 * Spoils what an SMMUv3 has in memory (IHI 0070): level 1 descriptors (section 5.1), stream
 * table entries, STE (5.2), and context descriptors, CD (5.4). A stream table of two
 * levels has 256 entries in each of the second one; a linear one is not spoilt.
 */
#include <err.h>
#include <string.h>

#include "saboteur.h"

#define SPLIT		8
#define STE_WORDS	8
#define L2PTR		0xfffffffffffc0ULL

static u32 level_1_index(const struct frz_blob *b)
{
	return first_device(b)->stream >> SPLIT;
}

/* The level 1 descriptors of the first device's unit. */
static uint64_t *level_1(const struct frz_blob *b)
{
	return page_at(first_table(b, FRZ_SMMUV3_TABLE_STRTAB)->address);
}

/* The first device's own entry. A driver that was let go on may have moved its table. */
static uint64_t *ste(const struct frz_blob *b)
{
	u64 at = level_1(b)[level_1_index(b)] & L2PTR;

	at += first_device(b)->stream % (1 << SPLIT) * STE_WORDS * sizeof(uint64_t);
	return page_at(at & -PAGE) + at % PAGE / sizeof(uint64_t);
}

/* Where an entry has the address that it leads to: S1ContextPtr, S2TTB. */
static uint64_t *pointer(const struct frz_blob *b)
{
	return ste(b) + (domain_of_first(b)->format == FRZ_FORMAT_LPAE_S2 ? 3 : 0);
}

static void spoil_back(const struct frz_blob *b)
{
	const struct frz_abi_domain *dom = domain_of_first(b);
	u64 mask = 0xffffffffff000ULL;

	*pointer(b) = (*pointer(b) & ~mask) | (dom->head ? dom->head : dom->top);
}

static void spoil_cd(const struct frz_blob *b)
{
	u64 cd = domain_of_first(b)->head;

	if (!cd)
		errx(1, "the first domain has no context descriptor: it is of stage 2");
	page_at(cd)[0] ^= 1ULL << 48;
}

static bool spoil(const struct frz_blob *b, const char *what)
{
	if (!strcmp(what, "ste"))
		*pointer(b) ^= 1ULL << 20;
	else if (!strcmp(what, "ste-type"))
		/* Config: the first stage or the second one become neither. */
		ste(b)[0] = (ste(b)[0] & ~(7ULL << 1)) | 4ULL << 1;
	else if (!strcmp(what, "ste-tag"))
		ste(b)[2] ^= 1ULL;
	else if (!strcmp(what, "ste-absent"))
		ste(b)[0] &= ~1ULL;
	else if (!strcmp(what, "ste-back"))
		spoil_back(b);
	else if (!strcmp(what, "level-1"))
		/* Span: half as many entries. */
		level_1(b)[level_1_index(b)] -= 1;
	else if (!strcmp(what, "cd"))
		spoil_cd(b);
	else
		return false;
	return true;
}

static void add_foreign(const struct frz_blob *b)
{
	uint64_t *entry = ste(b);

	/* Function 1.0 of the same bus, and all of bus 5. */
	memcpy(entry + 8 * STE_WORDS, entry, STE_WORDS * sizeof(uint64_t));
	level_1(b)[5] = level_1(b)[level_1_index(b)];
}

const struct kind smmuv3 = {
	.spoil = spoil,
	.entry = ste,
	.entry_len = STE_WORDS * sizeof(uint64_t),
	.add_foreign = add_foreign,
	.root = FRZ_SMMUV3_TABLE_STRTAB,
};
