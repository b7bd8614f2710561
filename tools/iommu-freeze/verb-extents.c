// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze extents: the contiguous runs that a device's frozen tables map
 *
 * There may be millions: the kernel is asked for as many as the buffer holds, and
 * they are printed before it is asked for more. When something fails half way, the
 * JSON is closed properly and says that it is not complete.
 */
#include <stdlib.h>

#include "kernel.h"
#include "output.h"

#define BATCH	16384

static const char head[] =
	"DEVICE        DIRECTION IOVA              ADDRESS          LENGTH        PROT\n";

static void print_extent(const struct iommu_freeze_device *dev, u64 nr, bool json,
			 const struct iommu_freeze_extent *e)
{
	json_t *extent = must(json_pack("{sososIso}",
					"iova", json_hex(e->iova),
					"pa", json_hex(e->pa),
					"length", e->len,
					"prot", json_prot(e->prot)));

	if (json) {
		fputs(nr ? ",\n    " : "\n    ", stdout);
		json_write(extent, JSON_COMPACT);
		return;
	}
	printf("%-12s  %-9s ", print_bdf(device_bdf(dev)),
	       print_word(WORDS_DIRECTION, dev->direction));
	print_form("0x{iova:15x} 0x{pa:14x} 0x{length:10x}  {prot}\n", extent);
	json_decref(extent);
}

static enum outcome print_extents(const struct iommu_freeze_device *dev, bool json,
				  struct iommu_freeze_extent *buf)
{
	struct iommu_freeze_extents x = {
		.size = sizeof(x), .direction = dev->direction, .segment = dev->segment,
		.devid = dev->devid, .extents = (uintptr_t)buf,
	};
	enum outcome outcome;
	u64 nr = 0;
	u32 i;

	do {
		x.nr = BATCH;
		outcome = kernel_ask(IOMMU_FREEZE_EXTENTS, &x,
				     print_text("%s: extents", print_bdf(device_bdf(dev))), NULL);
		if (outcome)
			return outcome;
		if (x.nr > BATCH || (!x.nr && nr != x.total))
			break;
		for (i = 0; i < x.nr; i++)
			print_extent(dev, nr++, json, &buf[i]);
		/* Nobody reads it any more: main() tells. */
		if (nr == x.total || ferror(stdout))
			return OUTCOME_OK;
		progress("extents: %s, %llu of %llu", print_bdf(device_bdf(dev)), nr, x.total);
		x.start = buf[x.nr - 1].iova + buf[x.nr - 1].len;
	} while (x.start > buf[0].iova);
	return say("%s: extents: the kernel told %llu of %llu", print_bdf(device_bdf(dev)), nr,
		   x.total);
}

static enum outcome run_extents(const struct args *args)
{
	static const char * const end[] = { "], \"complete\": true}", "], \"complete\": false}" };
	struct iommu_freeze_extent *buf = NULL;
	const struct iommu_freeze_device *dev;
	enum outcome outcome, one;
	struct selection sel;

	outcome = select_devices(&sel, args);
	if (outcome)
		goto out;
	buf = must(calloc(BATCH, sizeof(*buf)));
	outcome = sel.outcome;
	if (args->json)
		printf("{\"version\": %d, \"verb\": \"%s\", \"devices\": [", JSON_VERSION,
		       args->verb);
	else if (sel.nr)
		fputs(head, stdout);
	for (dev = sel.dev; dev < sel.dev + sel.nr; dev++) {
		if (args->json)
			printf("%s\n  {\"device\": \"%s\", \"direction\": \"%s\", \"extents\": [",
			       dev == sel.dev ? "" : ",", print_bdf(device_bdf(dev)),
			       print_word(WORDS_DIRECTION, dev->direction));
		one = print_extents(dev, args->json, buf);
		progress_clear();
		if (args->json)
			fputs(end[!!one], stdout);
		outcome = outcome_add(outcome, one);
	}
	if (args->json)
		puts(end[!!outcome]);
out:
	free(buf);
	free(sel.dev);
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
	.takes = TAKES_JSON | TAKES_DIRECTION | TAKES_MATCH | TAKES_DEVICES | NEEDS_SOME,
	.run = run_extents,
};
