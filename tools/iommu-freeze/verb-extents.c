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
 * extents_begin - what comes before the first device
 * @out: zeroed apart from json
 */
void extents_begin(struct extents_out *out)
{
	if (out->json)
		printf("{\"version\": %d, \"verb\": \"%s\", \"devices\": [",
		       JSON_VERSION, verb_extents.name);
}

/**
 * extents_device - begin a device
 * @out: how it is printed
 * @dev: device
 */
void extents_device(struct extents_out *out, const struct iommu_freeze_device *dev)
{
	struct bdf bdf = select_bdf(dev);

	print_bdf(&bdf, out->place);
	out->direction = print_direction(dev->direction);
	out->nr = 0;
	if (out->json)
		printf("%s\n  {\"device\": \"%s\", \"direction\": \"%s\", \"extents\": [",
		       out->devices ? "," : "", out->place, out->direction);
	else if (!out->devices)
		printf("%-12s  %-9s %-17s %-16s %-12s  %s\n", "DEVICE", "DIRECTION",
		       "IOVA", "ADDRESS", "LENGTH", "PROT");
	out->devices++;
}

/**
 * extents_extent - one extent of the device
 * @out: how it is printed
 * @e: extent
 *
 * Return: OUTCOME_FAILED without memory.
 */
enum outcome extents_extent(struct extents_out *out,
			    const struct iommu_freeze_extent *e)
{
	char prot[PROT_LEN];
	json_t *extent;

	print_prot(e->prot, prot);
	if (!out->json) {
		printf("%-12s  %-9s 0x%015llx 0x%014llx 0x%010llx  %s\n", out->place,
		       out->direction, e->iova, e->pa, e->len, prot);
		out->nr++;
		return OUTCOME_OK;
	}
	extent = json_pack("{sosososs}", "iova", json_hex(e->iova),
			   "pa", json_hex(e->pa), "length", json_count(e->len),
			   "prot", prot);
	if (!extent) {
		say("out of memory");
		return OUTCOME_FAILED;
	}
	fputs(out->nr++ ? ",\n    " : "\n    ", stdout);
	json_dumpf(extent, stdout, JSON_COMPACT);
	json_decref(extent);
	return OUTCOME_OK;
}

/**
 * extents_device_end - end a device
 * @out: how it is printed
 * @complete: whether all its extents were printed
 */
void extents_device_end(struct extents_out *out, bool complete)
{
	if (out->json)
		printf("], \"complete\": %s}", complete ? "true" : "false");
}

/**
 * extents_end - what comes after the last device
 * @out: how it is printed
 * @complete: whether all that was asked for was printed
 */
void extents_end(struct extents_out *out, bool complete)
{
	if (out->json)
		printf("], \"complete\": %s}\n", complete ? "true" : "false");
}

/* All of one device, which was begun. */
static enum outcome print_all(struct extents_out *out,
			      const struct iommu_freeze_device *dev,
			      struct iommu_freeze_extent *buf)
{
	struct iommu_freeze_extents x = {};
	enum outcome outcome;
	u64 total = 0;
	u32 i;

	for (;;) {
		x.nr = BATCH;
		x.extents = (uintptr_t)buf;
		outcome = kernel_extents(&x, dev);
		if (outcome)
			return outcome;
		total = x.total;
		if (x.nr > BATCH || (!x.nr && out->nr != total))
			break;
		for (i = 0; i < x.nr; i++) {
			outcome = extents_extent(out, &buf[i]);
			if (outcome)
				return outcome;
		}
		/* Nobody reads it any more: print_end() tells. */
		if (out->nr == total || ferror(stdout))
			return OUTCOME_OK;
		progress("extents: %s, %llu of %llu", out->place, out->nr, total);
		x.start = buf[x.nr - 1].iova + buf[x.nr - 1].len;
		if (x.start <= buf[0].iova)
			break;
	}
	say("%s: extents: the kernel told %llu of %llu", out->place, out->nr, total);
	return OUTCOME_FAILED;
}

static enum outcome run_extents(const struct args *args)
{
	struct extents_out out = { .json = args->json };
	struct iommu_freeze_extent *buf = NULL;
	enum outcome outcome, one;
	struct selection sel;
	size_t i;

	outcome = select_devices(&sel, args);
	if (outcome)
		goto out;
	buf = calloc(BATCH, sizeof(*buf));
	if (!buf) {
		say("out of memory");
		outcome = OUTCOME_FAILED;
		goto out;
	}
	outcome = sel.outcome;
	extents_begin(&out);
	for (i = 0; i < sel.nr; i++) {
		extents_device(&out, &sel.dev[i]);
		one = print_all(&out, &sel.dev[i], buf);
		progress_clear();
		extents_device_end(&out, !one);
		outcome = outcome_add(outcome, one);
	}
	extents_end(&out, !outcome);
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
	.run = run_extents,
};
