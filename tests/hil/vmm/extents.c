// SPDX-License-Identifier: GPL-2.0-only
/*
 * extents-check: what iommu-freeze says that a device's frozen tables map is what the VMM
 * mapped, page by page.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "guest.h"
#include "script.h"
#include "tool.h"

#define MAX_EXTENTS	100000

/* One object per line: {"iova":"0x...","pa":"0x...","length":N,"prot":"rw"} */
static bool parse(const char *line, struct guest_run *run)
{
	const char *iova = strstr(line, "\"iova\":\""), *pa = strstr(line, "\"pa\":\"");
	const char *length = strstr(line, "\"length\":"), *prot = strstr(line, "\"prot\":\"");

	if (!iova || !pa || !length || !prot)
		return false;
	run->iova = strtoull(iova + 8, NULL, 16);
	run->pa = strtoull(pa + 6, NULL, 16);
	run->length = strtoull(length + 9, NULL, 10);
	prot += 8;
	run->writeable = memchr(prot, 'w', strcspn(prot, "\""));
	return true;
}

/* Extents may end where runs do not: as long as they can be. */
static int64_t read_extents(struct tool *tool, struct guest_run *runs)
{
	struct guest_run next, *last = NULL;
	char line[400];
	int64_t n = 0;

	while (tool->out && fgets(line, sizeof(line), tool->out)) {
		if (!parse(line, &next))
			continue;
		if (last && last->iova + last->length == next.iova &&
		    last->pa + last->length == next.pa && last->writeable == next.writeable) {
			last->length += next.length;
			continue;
		}
		if (n == MAX_EXTENTS)
			return -E2BIG;
		last = &runs[n++];
		*last = next;
	}
	return n;
}

static void show(char *out, size_t size, const struct guest_run *runs, int64_t nr, int64_t i)
{
	const struct guest_run *run = &runs[i];

	if (i >= nr)
		snprintf(out, size, "nothing");
	else
		snprintf(out, size, "iova 0x%" PRIx64 " pa 0x%" PRIx64 " length 0x%" PRIx64 " %s",
			 run->iova, run->pa, run->length, run->writeable ? "rw" : "r");
}

static int compare(const char *bdf, const struct guest_run *want, int64_t nr_want,
		   const struct guest_run *got, int64_t nr_got)
{
	char expected[128], found[128];
	int64_t i;

	for (i = 0; i < nr_want && i < nr_got; i++)
		if (want[i].iova != got[i].iova || want[i].pa != got[i].pa ||
		    want[i].length != got[i].length || want[i].writeable != got[i].writeable)
			break;
	if (i == nr_want && i == nr_got) {
		say("extents-check %s extents=%" PRId64, bdf, nr_got);
		return 0;
	}
	show(expected, sizeof(expected), want, nr_want, i);
	show(found, sizeof(found), got, nr_got, i);
	say("extents-check %s: expected %s, found %s", bdf, expected, found);
	return -EUCLEAN;
}

/*
 * extents-check [BDF]: of the current device. In a later kernel after retrieve and map: the VMM
 * has no maps to compare with before.
 */
int cmd_extents_check(int argc, char **argv)
{
	const char *bdf = argc ? argv[0] : guest_dev()->bdf;
	char *args[3] = { "extents", "--json" };
	struct guest_run *want = NULL, *got;
	int64_t nr_want, nr_got = 0;
	struct tool tool;
	int ret;

	if (argc > 1 || !*bdf)
		return -EINVAL;
	args[2] = (char *)bdf;
	got = malloc(MAX_EXTENTS * sizeof(*got));
	if (!got)
		return -ENOMEM;
	nr_want = guest_runs(guest_space(), &want);
	ret = nr_want < 0 ? nr_want : tool_open(&tool, 3, args);
	if (!ret) {
		nr_got = read_extents(&tool, got);
		ret = tool_close(&tool);
		if (ret > 0) {
			say("iommu-freeze extents: exit status %d", ret);
			ret = -EUCLEAN;
		}
		if (!ret && nr_got < 0)
			ret = nr_got;
	}
	if (!ret)
		ret = compare(bdf, want, nr_want, got, nr_got);
	free(want);
	free(got);
	return ret;
}
