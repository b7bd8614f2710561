// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the machine's serial console, stamps each line with the observer's clock, and derives from
 * the lines of the VMM and of the kernels where the run is. The time of a line is when it reached
 * us; it is late by what QEMU's main loop is late.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "observer.h"

/* A kernel that prints one of these has failed, whatever the counters say. */
static const char *const bad_lines[] = {
	"Kernel panic", "BUG:", "WARNING:", "Oops", "KASAN:", "INFO: possible", "INFO: task",
	"unreferenced object", "suspected memory leaks", "UBSAN:", "INFO: rcu",
	"general protection fault", "pagealloc: memory corruption", "pagealloc: single bit error",
	"NMI received for unknown reason", "No irq handler for", "unexpected IRQ trap",
	"Spurious interrupt (vector",
};

/**
 * console_open() - begin with the machine's serial console.
 * @con: result
 * @path: the file that QEMU writes it to. A socket would lose bytes whenever we are late: QEMU's
 *	UART drops what its other side does not take
 * @log: file for the stamped lines
 * @pid: QEMU
 *
 * Return: 0 or a negative errno.
 */
int console_open(struct console *con, const char *path, const char *log, int pid)
{
	con->start = now_ns();
	con->ready_dev = -1;
	con->provoke_dev = -1;
	con->interrupts_dev = -1;
	con->freeze_us = -1;
	con->replace_us = -1;
	con->table_bytes = -1;
	con->extents = -1;
	con->leaves = -1;
	con->switches = -1;
	con->first_loss = -1;
	con->freeze_log = json_array();
	con->tool_log = json_array();
	con->vmm_log = json_array();
	strcpy(con->phases[0].name, "start");
	con->phases[0].start = con->start;
	con->nr_phases = 1;
	con->log = fopen(log, "we");
	if (!con->log)
		return -errno;
	con->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (con->fd < 0)
		return -errno;
	con->pidfd = pidfd_open(pid, 0);
	return con->pidfd < 0 ? -errno : 0;
}

struct phase *console_phase(struct console *con)
{
	return &con->phases[con->nr_phases - 1];
}

/**
 * console_phase_of() - the phase that most of a stretch of time lies in.
 * @con: the console
 * @from: start
 * @to: end
 *
 * Return: its name.
 */
const char *console_phase_of(const struct console *con, uint64_t from, uint64_t to)
{
	const char *name = "none";
	uint64_t best = 0;
	unsigned int i;

	for (i = 0; i < con->nr_phases; i++) {
		uint64_t start = con->phases[i].start;
		uint64_t end = i + 1 < con->nr_phases ? con->phases[i + 1].start : UINT64_MAX;

		start = start > from ? start : from;
		end = end < to ? end : to;
		if (end > start && end - start > best) {
			best = end - start;
			name = con->phases[i].name;
		}
	}
	return name;
}

static void enter_phase(struct console *con, const char *name, uint64_t now)
{
	struct phase *phase = console_phase(con);

	if (!strcmp(phase->name, name) || con->nr_phases == MAX_PHASES)
		return;
	phase = &con->phases[con->nr_phases++];
	snprintf(phase->name, sizeof(phase->name), "%s", name);
	phase->start = now;
}

/* "HIL: count dev=0 landed=1 ..." -> object */
static void guest_count(struct console *con, char *words)
{
	json_t *count = json_object();
	char *word, *save, *value;
	unsigned int dev = 0;

	for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		value = strchr(word, '=');
		if (!value)
			continue;
		*value++ = 0;
		if (!strcmp(word, "dev"))
			dev = strtoul(value, NULL, 10);
		else
			json_object_set_new(count, word, json_integer(strtoll(value, NULL, 10)));
	}
	if (dev >= MAX_NICS) {
		json_decref(count);
		return;
	}
	json_decref(con->guest[dev]);
	con->guest[dev] = count;
}

static void vmm_line(struct console *con, char *line, uint64_t now)
{
	unsigned int dev, count;
	long long a, b;
	char name[16];

	if (strncmp(line, "tool: ", 6) && json_array_size(con->vmm_log) < 2000)
		json_array_append_new(con->vmm_log, json_string(line));
	if (sscanf(line, "phase=%15s", name) == 1) {
		if (!strcmp(name, "driver"))
			con->scan = true;
		enter_phase(con, name, now);
	} else if (sscanf(line, "rx-ready dev=%u count=%u", &dev, &count) == 2) {
		con->ready_dev = dev < MAX_NICS ? (int)dev : -1;
		con->ready_count = count;
	} else if (!strncmp(line, "boot=", 5)) {
		if (!con->user_at[con->boot])
			con->user_at[con->boot] = now;
		if (con->boot)
			enter_phase(con, "user", now);
	} else if (sscanf(line, "provoke dev=%u", &dev) == 1) {
		con->provoked = true;
		con->provoke_dev = dev < MAX_NICS ? (int)dev : -1;
	} else if (sscanf(line, "interrupts dev=%u", &dev) == 1) {
		con->interrupts_dev = dev < MAX_NICS ? (int)dev : -1;
	} else if (!strncmp(line, "drain ", 6)) {
		if (!con->drain_at)
			con->drain_at = now;
	} else if (!strncmp(line, "count ", 6)) {
		guest_count(con, line + 6);
	} else if (sscanf(line, "switched count=%lld first_loss=%lld", &a, &b) == 2) {
		con->switches = a;
		con->first_loss = b;
	} else if (!strncmp(line, "FAILED", 6)) {
		if (!con->failed[0])
			snprintf(con->failed, sizeof(con->failed), "%s", line);
	} else if (!strncmp(line, "tool: ", 6)) {
		if (json_array_size(con->tool_log) < 1000)
			json_array_append_new(con->tool_log, json_string(line + 6));
	} else if (!strcmp(line, "done")) {
		con->done = true;
	}
}

/* "iommu-freeze: 0000:01:00.0: ..." */
static void freeze_line(struct console *con, const char *line)
{
	const char *text = strstr(line, ": ");
	long long a, b, c;

	if (json_array_size(con->freeze_log) < 1000)
		json_array_append_new(con->freeze_log, json_string(line));
	text = text ? strstr(text + 2, ": ") : NULL;
	if (!text)
		return;
	text += 2;
	if (sscanf(text, "frozen in %lld us", &a) == 1) {
		con->freeze_us = a;
	} else if (sscanf(text, "replaced in %lld us", &a) == 1) {
		con->replace_us = a;
	} else if (sscanf(text, "preserved: %lld extents, %lld leaves, %lld bytes of tables",
			  &a, &b, &c) == 3) {
		con->extents = a;
		con->leaves = b;
		con->table_bytes = c;
	}
}

static void kernel_line(struct console *con, const char *line, uint64_t now)
{
	const char *freeze = strstr(line, "iommu-freeze: ");
	size_t i;

	if (strstr(line, "kexec_core: Starting new kernel")) {
		if (con->boot + 1 < MAX_BOOTS)
			con->boot++;
		con->jump_at[con->boot] = now;
		con->jumped = true;
		enter_phase(con, "kexec", now);
	} else if (strstr(line, "Linux version") && con->boot) {
		enter_phase(con, "boot", now);
	} else if (con->fault_line && strstr(line, con->fault_line)) {
		if (con->provoked)
			con->provoked_faults++;
		else
			con->kernel_faults[con->boot]++;
	} else if (freeze) {
		freeze_line(con, freeze);
	}
	for (i = 0; i < sizeof(bad_lines) / sizeof(bad_lines[0]); i++) {
		if (!strstr(line, bad_lines[i]))
			continue;
		if (!con->reports++)
			snprintf(con->report, sizeof(con->report), "%.255s", line);
		break;
	}
}

static void one_line(struct console *con, uint64_t now)
{
	char *vmm;

	con->line[con->len] = 0;
	con->len = 0;
	fprintf(con->log, "%10.4f %s\n", (now - con->start) / 1e9, con->line);
	fflush(con->log);
	vmm = strstr(con->line, "HIL: ");
	if (vmm)
		vmm_line(con, vmm + 5, now);
	else
		kernel_line(con, con->line, now);
}

/**
 * console_read() - take what has come; never blocks.
 * @con: the console
 */
void console_read(struct console *con)
{
	struct pollfd qemu = { .fd = con->pidfd, .events = POLLIN };
	bool ended = poll(&qemu, 1, 0) == 1;
	uint64_t now = now_ns();
	char buf[4096];
	ssize_t n, i;

	n = read(con->fd, buf, sizeof(buf));
	/* What QEMU wrote before it ended is there by now. */
	con->hung_up = n < 0 || (!n && ended);
	for (i = 0; i < n; i++) {
		if (buf[i] == '\r')
			continue;
		if (buf[i] == '\n' || con->len == sizeof(con->line) - 1) {
			one_line(con, now);
			if (buf[i] == '\n')
				continue;
		}
		con->line[con->len++] = buf[i];
	}
}
