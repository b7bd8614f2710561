// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long the host kept QEMU from running: the time that its threads stood in a run queue, from
 * /proc/PID/task/TID/schedstat (second number, nanoseconds), and the time for which a host above
 * this one, if it is a virtual machine itself, took processors away: "steal" in /proc/stat. A
 * silence in which the host gave QEMU no processor says nothing about the device.
 *
 * Nothing here may fail: a host that does not tell kept nobody waiting.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "observer.h"

/**
 * host_open() - find QEMU's threads; more of them may come.
 * @host: result; also called again to look for new ones
 * @pid: of QEMU
 */
void host_open(struct host *host, int pid)
{
	struct dirent *entry;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return;
	if (!host->tick) {
		host->stat = open("/proc/stat", O_RDONLY | O_CLOEXEC);
		host->tick = NSEC / sysconf(_SC_CLK_TCK);
	}
	while ((entry = readdir(dir))) {
		int tid = atoi(entry->d_name);
		unsigned int i;

		for (i = 0; i < host->nr && host->threads[i].tid != tid; i++)
			;
		if (tid <= 0 || i < host->nr || host->nr == MAX_THREADS)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", pid, tid);
		host->threads[host->nr].fd = open(path, O_RDONLY | O_CLOEXEC);
		if (host->threads[host->nr].fd >= 0)
			host->threads[host->nr++].tid = tid;
	}
	closedir(dir);
}

/**
 * host_delay() - how long was QEMU kept waiting since the last call?
 * @host: the threads
 * @last: the caller's memory of that call, MAX_THREADS elements; updated
 *
 * Return: of the thread that waited longest, in nanoseconds. They wait at the same time, so adding
 * them up would count it twice.
 */
uint64_t host_delay(const struct host *host, uint64_t *last)
{
	uint64_t longest = 0;
	unsigned int i;
	char text[96];
	ssize_t n;

	for (i = 0; i < host->nr; i++) {
		uint64_t delay;
		char *second;

		n = pread(host->threads[i].fd, text, sizeof(text) - 1, 0);
		if (n <= 0)
			continue;
		text[n] = 0;
		strtoull(text, &second, 10);
		delay = strtoull(second, NULL, 10);
		if (delay - last[i] > longest)
			longest = delay - last[i];
		last[i] = delay;
	}
	return longest;
}

/**
 * host_stolen() - how long were processors taken away from this host since the last call?
 * @host: for /proc/stat
 * @last: the caller's memory of that call, MAX_CPUS elements; updated
 *
 * This is not cheap: /proc/stat tells of all interrupts as well.
 *
 * Return: of the processor that was away longest, in nanoseconds, to a tick.
 */
uint64_t host_stolen(const struct host *host, uint64_t *last)
{
	uint64_t longest = 0;
	unsigned int cpu;
	char text[8192];
	char *line;
	ssize_t n;

	n = pread(host->stat, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return 0;
	text[n] = 0;
	/* The first line has the sums. */
	line = strchr(text, '\n');
	for (cpu = 0; cpu < MAX_CPUS && line; cpu++, line = strchr(line, '\n')) {
		uint64_t ticks, stolen;

		line++;
		/* user nice system idle iowait irq softirq steal */
		if (sscanf(line, "cpu%*u %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &ticks) != 1)
			break;
		stolen = ticks * host->tick;
		if (stolen - last[cpu] > longest)
			longest = stolen - last[cpu];
		last[cpu] = stolen;
	}
	return longest;
}
