// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands about the kernel's memory: leaks, what was kept and is released, compaction.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "guest.h"
#include "script.h"
#include "vmm.h"

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
#define MOVABLE_PAGES	65536
#define HUGE		(2ull << 20)

#ifndef MADV_COLLAPSE	/* glibc 2.36 has no name for it */
#define MADV_COLLAPSE	25
#endif
/* kmemleak reports nothing that is younger than five seconds when a scan begins. */
#define KMEMLEAK_AGE	6

/* arm64 takes write access away from no page of its direct map, nor tells of their size. */
#ifdef __aarch64__
#define SEALS		0
#else
#define SEALS		1
#endif

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
		if (scans)
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

/* The number behind @name in a file of lines "name number". */
static int read_number(const char *path, const char *name, long *value)
{
	size_t len = strlen(name);
	char line[128];
	int ret = -ENOENT;
	FILE *f;

	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (ret && fgets(line, sizeof(line), f)) {
		if (strncmp(line, name, len))
			continue;
		*value = strtol(line + len, NULL, 10);
		ret = 0;
	}
	fclose(f);
	return ret;
}

/*
 * compact: have the kernel move every page that it may move. Pages of our own, with holes between
 * them, show whether it moves any.
 */
int cmd_compact(int argc, char **argv)
{
	static uint64_t before[MOVABLE_PAGES], after[MOVABLE_PAGES];
	unsigned int i, moved = 0;
	uint8_t *mem;
	int ret;

	(void)argv;
	if (argc)
		return -EINVAL;
	mem = mmap(NULL, sizeof(before) / 8 * HIL_PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		return -errno;
	madvise(mem, sizeof(before) / 8 * HIL_PAGE, MADV_NOHUGEPAGE);
	memset(mem, 1, sizeof(before) / 8 * HIL_PAGE);
	for (i = 0; i < MOVABLE_PAGES; i += 2)
		madvise(mem + (uint64_t)i * HIL_PAGE, HIL_PAGE, MADV_DONTNEED);
	ret = guest_pagemap(mem, MOVABLE_PAGES, before);
	if (!ret)
		ret = vmm_write_file("/proc/sys/vm/compact_memory", "1");
	if (!ret)
		ret = guest_pagemap(mem, MOVABLE_PAGES, after);
	for (i = 1; !ret && i < MOVABLE_PAGES; i += 2)
		moved += before[i] != after[i];
	munmap(mem, sizeof(before) / 8 * HIL_PAGE);
	if (!ret)
		say("compact moved=%u", moved);
	return ret;
}

/* Have the kernel put all of a file into huge pages, as far as it can. */
static int collapse(const struct vmm_ram *ram)
{
	uint64_t size = ram->size & ~(HUGE - 1), at;
	uint8_t *room, *mem;

	/* Where addresses and places in the file are aligned alike. */
	room = mmap(NULL, size + HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED)
		return -errno;
	mem = (uint8_t *)(((uintptr_t)room + HUGE - 1) & ~(HUGE - 1));
	if (mmap(mem, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, ram->fd, 0) ==
	    MAP_FAILED) {
		munmap(room, size + HUGE);
		return -errno;
	}
	/* It fails for what is held. */
	for (at = 0; at < size; at += HUGE)
		madvise(mem + at, HUGE, MADV_COLLAPSE);
	munmap(room, size + HUGE);
	return 0;
}

/*
 * collapse: have the kernel put guest RAM into huge pages. That moves every page that nobody
 * holds, for certain.
 */
int cmd_collapse(int argc, char **argv)
{
	const struct guest_file *file = &guest.files[GUEST_RAM];
	uint64_t *before, *after;
	unsigned int moved = 0;
	int64_t i, nr;
	int ret;

	(void)argv;
	if (argc)
		return -EINVAL;
	nr = guest_pages(file, &before);
	if (nr < 0)
		return nr;
	ret = collapse(&file->ram);
	if (!ret && guest_pages(file, &after) == nr) {
		for (i = 0; i < nr; i++)
			moved += before[i] != after[i];
		free(after);
		say("collapse moved=%u", moved);
	} else {
		ret = ret ?: -EIO;
	}
	free(before);
	return ret;
}

/*
 * memory_total_kib() - memory that the kernel has; what KHO keeps joins it when it is released, to
 * the page.
 */
long memory_total_kib(void)
{
	long total;

	return read_number("/proc/meminfo", "MemTotal:", &total) ? 0 : total;
}

static int mem_info_kib(long *total, long *free, long *small)
{
	static const char meminfo[] = "/proc/meminfo";
	int ret;

	/* What can be had back at any time is as good as free. */
	vmm_write_file("/proc/sys/vm/drop_caches", "3");
	ret = read_number(meminfo, "MemTotal:", total);
	if (!ret)
		ret = read_number(meminfo, "MemFree:", free);
	*small = 0;
	return ret || !SEALS ? ret : read_number(meminfo, "DirectMap4k:", small);
}

/*
 * memory mark | memory grew KIB | memory lost-less KIB | memory sealed: since the mark. What KHO
 * kept joins the total when it is released, to the page: "grew" is exact. What is free varies by
 * what everybody else does: "lost-less" allows for that. "sealed": some pages are no longer
 * mapped as their neighbours, as they are read-only: a large page of the direct map was split;
 * nothing where the machine's kernel cannot do that.
 */
int cmd_memory(int argc, char **argv)
{
	static long marked_total, marked_free, marked_small;
	long total, free, small, kib = argc == 2 ? atol(argv[1]) : 0;
	int ret = mem_info_kib(&total, &free, &small);

	if (ret)
		return ret;
	if (argc == 1 && !strcmp(argv[0], "mark")) {
		marked_total = total;
		marked_free = free;
		marked_small = small;
		return 0;
	}
	if (argc == 2 && !strcmp(argv[0], "grew"))
		ret = total - marked_total != kib;
	else if (argc == 2 && !strcmp(argv[0], "lost-less"))
		ret = marked_free - free >= kib;
	else if (argc == 1 && !strcmp(argv[0], "sealed"))
		ret = SEALS && small <= marked_small;
	else
		return -EINVAL;
	say("memory total=%+ld free=%+ld in-small-pages=%+ld KiB since the mark",
	    total - marked_total, free - marked_free, small - marked_small);
	return ret ? -EUCLEAN : 0;
}
