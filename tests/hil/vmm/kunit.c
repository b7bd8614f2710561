// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's own tests.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "commands.h"
#include "script.h"
#include "vmm.h"

#define DEBUG	"/sys/kernel/debug"

/* Allocations that a test makes fail: also those that may sleep, and without a stack of each. */
static const char *const faults[][2] = {
	{ DEBUG "/failslab/ignore-gfp-wait", "N" },
	{ DEBUG "/failslab/verbose", "0" },
	{ DEBUG "/fail_page_alloc/ignore-gfp-wait", "N" },
	{ DEBUG "/fail_page_alloc/min-order", "0" },
	{ DEBUG "/fail_page_alloc/verbose", "0" },
};

/* kunit SUITE: have the kernel run one of its suites, all of which has to pass */
int cmd_kunit(int argc, char **argv)
{
	bool passed = false;
	char path[128], line[400];
	struct stat st;
	unsigned int i;
	FILE *f;
	int ret;

	if (argc != 1)
		return -EINVAL;
	if (stat(DEBUG "/kunit", &st))
		mount("debug", DEBUG, "debugfs", 0, NULL);
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		ret = vmm_write_file(faults[i][0], faults[i][1]);
		if (ret && ret != -ENOENT)
			return ret;
	}
	snprintf(path, sizeof(path), DEBUG "/kunit/%s/run", argv[0]);
	ret = vmm_write_file(path, "1");
	if (ret)
		return ret;
	snprintf(path, sizeof(path), DEBUG "/kunit/%s/results", argv[0]);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		say("kunit: %s", line);
		/* The suite's own line is the last one that is not indented. */
		if (line[0] != ' ' && line[0] != '#')
			passed = !strncmp(line, "ok ", 3);
	}
	fclose(f);
	return passed ? 0 : -EUCLEAN;
}
