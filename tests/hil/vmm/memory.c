// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands about the kernel's memory: leaks, what was kept and is released, compaction.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "script.h"
#include "vmm.h"

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
/* kmemleak reports nothing that is younger than five seconds when a scan begins. */
#define KMEMLEAK_AGE	6

/*
 * leaks: let kmemleak look twice, as it greys what has changed since it was last seen; what it then
 * finds is a failure, also what was there before.
 */
int cmd_leaks(int argc, char **argv)
{
	unsigned int scans, found = 0;
	struct stat st;
	char line[256];
	int ret = 0;
	FILE *f;

	(void)argv;
	if (argc)
		return -EINVAL;
	if (stat(KMEMLEAK, &st))
		mount("debug", "/sys/kernel/debug", "debugfs", 0, NULL);
	for (scans = 0; scans < 2 && !ret; scans++) {
		sleep(KMEMLEAK_AGE);
		ret = vmm_write_file(KMEMLEAK, "scan");
	}
	if (ret)
		return ret;
	f = fopen(KMEMLEAK, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		found += !strncmp(line, "unreferenced object", 19);
		say("leak: %s", line);
		ret = -EUCLEAN;
	}
	fclose(f);
	say("leaks scans=%u found=%u", scans, found);
	return ret;
}

/* compact: have the kernel move every page that it may move */
int cmd_compact(int argc, char **argv)
{
	(void)argv;
	return argc ? -EINVAL : vmm_write_file("/proc/sys/vm/compact_memory", "1");
}

static int mem_info_kib(long *total, long *free)
{
	FILE *f;
	int n;

	/* What can be had back at any time is as good as free. */
	vmm_write_file("/proc/sys/vm/drop_caches", "3");
	f = fopen("/proc/meminfo", "re");
	if (!f)
		return -errno;
	n = fscanf(f, "MemTotal: %ld kB MemFree: %ld", total, free);
	fclose(f);
	return n == 2 ? 0 : -EIO;
}

/*
 * memory mark | memory grew KIB | memory lost-less KIB | memory back KIB: since the mark. What
 * KHO kept joins the total when it is released, to the page: "grew" is exact. What is free
 * varies by what everybody else does: "lost-less" and "back" allow for that, the one without
 * the number itself and the other with it.
 */
int cmd_memory(int argc, char **argv)
{
	static long marked_total, marked_free;
	long total, free, kib = argc == 2 ? atol(argv[1]) : 0;
	int ret = mem_info_kib(&total, &free);

	if (ret)
		return ret;
	if (argc == 1 && !strcmp(argv[0], "mark")) {
		marked_total = total;
		marked_free = free;
		return 0;
	}
	if (argc == 2 && !strcmp(argv[0], "grew"))
		ret = total - marked_total != kib;
	else if (argc == 2 && !strcmp(argv[0], "lost-less"))
		ret = marked_free - free >= kib;
	else if (argc == 2 && !strcmp(argv[0], "back"))
		ret = marked_free - free > kib;
	else
		return -EINVAL;
	say("memory total=%+ld free=%+ld KiB since the mark", total - marked_total,
	    free - marked_free);
	return ret ? -EUCLEAN : 0;
}
