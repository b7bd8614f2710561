// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze extents: the contiguous runs that a device's frozen tables map
 *
 * Structure: asks the kernel for as many as the buffer holds and prints them
 * before it asks for more: there may be millions. No lock. When something fails
 * half way, the JSON is closed properly and says that it is not complete.
 */
#include <stdlib.h>

#include "tool.h"

#define BATCH	16384

/**
 * extents_json_one - one extent in JSON
 * @e: extent
 *
 * Return: object, NULL without memory.
 */
json_t *extents_json_one(const struct iommu_freeze_extent *e)
{
	char prot[PROT_LEN];

	return json_pack("{s:o, s:o, s:I, s:s}", "iova", json_hex(e->iova),
			 "pa", json_hex(e->pa), "length", (json_int_t)e->len,
			 "prot", print_prot(e->prot, prot));
}

/**
 * extents_text_one - one extent for people
 * @dev: device
 * @e: extent
 */
void extents_text_one(const struct iommu_freeze_device *dev,
		      const struct iommu_freeze_extent *e)
{
	struct bdf bdf = select_bdf(dev);
	char place[BDF_LEN], prot[PROT_LEN];

	printf("%-12s  %-9s 0x%014llx 0x%014llx 0x%010llx  %s\n",
	       print_bdf(&bdf, place), print_direction(dev->direction), e->iova,
	       e->pa, e->len, print_prot(e->prot, prot));
}

static enum outcome print_one(const struct iommu_freeze_device *dev,
			      const struct iommu_freeze_extent *e, bool json,
			      bool first)
{
	json_t *extent;

	if (!json) {
		extents_text_one(dev, e);
		return OUTCOME_OK;
	}
	extent = extents_json_one(e);
	if (!extent) {
		say("out of memory");
		return OUTCOME_FAILED;
	}
	fputs(first ? "\n    " : ",\n    ", stdout);
	json_dumpf(extent, stdout, JSON_COMPACT);
	json_decref(extent);
	return OUTCOME_OK;
}

/* All of one device. The list of extents is open in JSON. */
static enum outcome print_all(const struct iommu_freeze_device *dev,
			      struct iommu_freeze_extent *buf, bool json)
{
	struct iommu_freeze_extents x = {};
	u64 told = 0, total = 0;
	enum outcome outcome;
	struct bdf bdf = select_bdf(dev);
	char place[BDF_LEN];
	u32 i;

	for (;;) {
		x.nr = BATCH;
		x.extents = (uintptr_t)buf;
		outcome = kernel_extents(&x, dev);
		if (outcome)
			return outcome;
		total = told + x.total;
		if (x.nr > BATCH || (!x.nr && x.total))
			break;
		for (i = 0; i < x.nr; i++) {
			outcome = print_one(dev, &buf[i], json, !told);
			if (outcome)
				return outcome;
			told++;
		}
		/* Nobody reads it any more: print_end() tells. */
		if (told == total || ferror(stdout))
			return OUTCOME_OK;
		progress("extents: %s, %llu of %llu", print_bdf(&bdf, place), told,
			 total);
		x.start = buf[x.nr - 1].iova + buf[x.nr - 1].len;
		if (x.start <= buf[0].iova)
			break;
	}
	say("%s: extents: the kernel told %llu of %llu", print_bdf(&bdf, place),
	    told, total);
	return OUTCOME_FAILED;
}

static enum outcome print_device(const struct iommu_freeze_device *dev,
				 struct iommu_freeze_extent *buf, bool json,
				 bool first)
{
	struct bdf bdf = select_bdf(dev);
	enum outcome outcome;
	char place[BDF_LEN];

	if (json)
		printf("%s{\"device\": \"%s\", \"direction\": \"%s\", \"extents\": [",
		       first ? "" : ", ", print_bdf(&bdf, place),
		       print_direction(dev->direction));
	else if (first)
		printf("%-12s  %-9s %-16s %-16s %-12s  %s\n", "DEVICE", "DIRECTION",
		       "IOVA", "ADDRESS", "LENGTH", "PROT");
	outcome = print_all(dev, buf, json);
	progress_clear();
	if (json)
		printf("], \"complete\": %s}", outcome ? "false" : "true");
	return outcome;
}

static enum outcome extents(const struct args *args)
{
	struct iommu_freeze_extent *buf = NULL;
	struct selection sel;
	enum outcome outcome;
	size_t i;

	outcome = select_devices(&sel, args);
	if (outcome)
		goto out;
	outcome = sel.outcome;
	buf = calloc(BATCH, sizeof(*buf));
	if (!buf) {
		say("out of memory");
		outcome = OUTCOME_FAILED;
		goto out;
	}
	if (args->json)
		printf("{\"version\": %d, \"verb\": \"%s\", \"devices\": [",
		       JSON_VERSION, args->verb);
	for (i = 0; i < sel.nr; i++)
		outcome = outcome_add(outcome, print_device(&sel.dev[i], buf,
							    args->json, !i));
	if (args->json)
		printf("], \"complete\": %s}\n", outcome ? "false" : "true");
out:
	free(buf);
	select_free(&sel);
	return outcome;
}

const struct verb verb_extents = {
	.name = "extents",
	.brief = "list what a device's frozen tables map",
	.synopsis = "[--json] [--incoming | --outgoing] {-s SLOT | -d ID | BDF...}",
	.about =
	"The contiguous runs of IO addresses and where they translate to, read from the\n"
	"frozen tables as they are in memory. PROT is r, w and s (snoop). Not under\n"
	"kernel lockdown, as it shows physical addresses.\n",
	.takes = TAKES_JSON | TAKES_FILTER | TAKES_DEVICES | NEEDS_SOME,
	.run = extents,
};
