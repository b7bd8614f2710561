// SPDX-License-Identifier: GPL-2.0-only
/*
 * The observer's command line and its loop. One thread: what is sent, what has landed and what the
 * console says are put in order by one clock.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "observer.h"

/* Without a kexec there is no jump whose length the quiet stretch could copy. */
#define QUIET_WITHOUT_JUMP	(2 * NSEC)

/* A turn of our loop takes a tenth of a millisecond; after one of this length we were kept away. */
#define LATE			ms(1)

static const char usage[] =
"Usage: observer OPTION...\n"
"Sends numbered frames to a NIC of a QEMU machine and watches them land in its memory.\n"
"  --mem FILE           the machine's memory (memory-backend-file, share=on)\n"
"  --serial FILE        its serial console, a file that QEMU writes\n"
"  --log FILE           where the console's lines go, with time stamps\n"
"  --net LOCAL,REMOTE   a NIC: our and QEMU's unix datagram sockets; once per NIC\n"
"  --run HEX            run id, 32 hex digits, the same as the machine's hil.run=\n"
"  --rate N             frames per second and NIC (1000)\n"
"  --frames-min N       do not stop sending before that many (8000)\n"
"  --fault-line TEXT    the kernel tells of a blocked DMA in a line with this text\n"
"  --timeout SECONDS    give up (300)\n"
"  --pid N              QEMU's process\n"
"  --scenario NAME      for the report\n"
"  --json FILE          the report\n"
"Exit: 0 the run ended by itself and the report is written, 1 it did not, 2 usage or set-up.\n";

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC + ts.tv_nsec;
}

static int fail(const char *what, const char *name, int ret)
{
	fprintf(stderr, "observer: %s %s: %s\n", what, name, strerror(-ret));
	return 2;
}

/* From the first step of the update until the last replace; the time spent in it. */
static uint64_t jump_length(const struct console *con)
{
	uint64_t from = 0, to = 0;
	unsigned int i;

	for (i = 0; i < con->nr_phases; i++) {
		const struct phase *p = &con->phases[i];

		if (!from && (!strcmp(p->name, "preserve") || !strcmp(p->name, "switch")))
			from = p->start;
		if (!strcmp(p->name, "after"))
			to = p->start;
	}
	return from && to > from ? to - from : QUIET_WITHOUT_JUMP;
}

/* What the console said that concerns the NICs. */
static int handle_marks(struct console *con, struct nic *nics, unsigned int nr_nics,
			const struct memory *mem)
{
	bool all = true;
	unsigned int i;
	int ret;

	if (con->jumped) {
		con->jumped = false;
		for (i = 0; i < nr_nics; i++)
			nics[i].sent_at_jump = nics[i].sent;
	}
	if (con->provoke_dev >= 0 && con->provoke_dev < (int)nr_nics) {
		ret = sender_provoke(&nics[con->provoke_dev]);
		if (ret == -EAGAIN || ret == -ENOBUFS)
			return 0;	/* later */
		con->provoke_dev = -1;
	}
	if (con->interrupts_dev >= 0 && con->interrupts_dev < (int)nr_nics) {
		nics[con->interrupts_dev].interrupts = true;
		con->interrupts_dev = -1;
	}
	if (con->scan) {
		con->scan = false;
		for (i = 0; i < nr_nics; i++) {
			nics[i].late = memory_scan_late(mem, &nics[i]);
			nics[i].late_known = true;
		}
	}
	if (con->ready_dev < 0 || con->ready_dev >= (int)nr_nics)
		return 0;
	ret = memory_find_buffers(mem, &nics[con->ready_dev], con->ready_dev, con->ready_count);
	con->ready_dev = -1;
	if (ret)
		return fail("find", "the receive buffers in the machine's memory", ret);
	for (i = 0; i < nr_nics; i++)
		all = all && nics[i].slots;
	for (i = 0; all && i < nr_nics; i++) {
		if (nics[i].due)
			continue;
		nics[i].due = now_ns();
		nics[i].sending = true;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "mem", required_argument, NULL, 'm' },
		{ "serial", required_argument, NULL, 's' },
		{ "log", required_argument, NULL, 'l' },
		{ "net", required_argument, NULL, 'n' },
		{ "run", required_argument, NULL, 'r' },
		{ "rate", required_argument, NULL, 'R' },
		{ "frames-min", required_argument, NULL, 'f' },
		{ "fault-line", required_argument, NULL, 'F' },
		{ "timeout", required_argument, NULL, 'T' },
		{ "scenario", required_argument, NULL, 'S' },
		{ "pid", required_argument, NULL, 'p' },
		{ "json", required_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	const char *mem_path = NULL, *serial = NULL, *log = "/dev/null";
	const char *scenario = "", *json = NULL, *fault_line = NULL;
	static struct nic nics[MAX_NICS];
	static struct console con;
	uint64_t deadline, now, interval, last_shown, last_look, frames_min = 8000;
	unsigned int nr_nics = 0, rate = 1000, timeout = 300, i;
	uint8_t run[HIL_RUN_BYTES];
	bool run_known = false, timed_out = false;
	int pid = 0;
	struct memory mem;
	char *comma;
	int c, ret;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'm':
			mem_path = optarg;
			break;
		case 's':
			serial = optarg;
			break;
		case 'l':
			log = optarg;
			break;
		case 'r':
			run_known = strlen(optarg) == 32 && hil_run_parse(run, optarg);
			break;
		case 'R':
			rate = strtoul(optarg, NULL, 10);
			break;
		case 'f':
			frames_min = strtoull(optarg, NULL, 10);
			break;
		case 'F':
			fault_line = optarg;
			break;
		case 'T':
			timeout = strtoul(optarg, NULL, 10);
			break;
		case 'p':
			pid = atoi(optarg);
			break;
		case 'S':
			scenario = optarg;
			break;
		case 'j':
			json = optarg;
			break;
		case 'n':
			comma = strchr(optarg, ',');
			if (!comma || nr_nics == MAX_NICS) {
				fputs(usage, stderr);
				return 2;
			}
			*comma = 0;
			ret = sender_open(&nics[nr_nics++], optarg, comma + 1);
			if (ret)
				return fail("open socket", optarg, ret);
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (!mem_path || !serial || !json || !nr_nics || !run_known || !rate || !timeout || !pid) {
		fprintf(stderr,
			"observer: --mem, --serial, --pid, --net, --run and --json are needed%s\n",
			run_known ? "" : "; a run id has 32 hex digits");
		return 2;
	}
	for (i = 0; i < nr_nics; i++) {
		nics[i].number = i;
		hil_run_of_dev(nics[i].run, run, i);
	}
	/* We measure gaps of a few milliseconds; being late is our error, not the machine's. */
	prctl(PR_SET_TIMERSLACK, 1);
	setpriority(PRIO_PROCESS, 0, -15);

	ret = console_open(&con, serial, log, pid);
	if (ret)
		return fail("read the serial console", serial, ret);
	con.fault_line = fault_line;
	ret = memory_open(&mem, mem_path);
	if (ret)
		return fail("map the machine's memory", mem_path, ret);

	host_open(&con.host, pid);
	interval = NSEC / rate;
	last_shown = now_ns();
	last_look = last_shown;
	deadline = last_shown + timeout * NSEC;
	while (!con.hung_up) {
		struct timespec nap = { .tv_nsec = 60000 };

		console_read(&con);
		ret = handle_marks(&con, nics, nr_nics, &mem);
		if (ret)
			return ret;
		now = now_ns();
		if (now - last_look > LATE)
			con.absent += now - last_look;
		last_look = now;
		for (i = 0; i < nr_nics; i++) {
			sender_run(&nics[i], interval, now);
			memory_watch(&nics[i], &con, now_ns());
		}
		if (con.drain_at && nics[0].sent >= frames_min &&
		    now > con.drain_at + jump_length(&con))
			for (i = 0; i < nr_nics; i++)
				nics[i].sending = false;
		if (now > deadline) {
			timed_out = true;
			break;
		}
		if (now - last_shown > 2 * NSEC) {
			last_shown = now;
			host_open(&con.host, pid);
			fprintf(stderr, "# %s: %2.0f s, kernel %u, %s: %" PRIu64
				" sent, %" PRIu64 " landed\n", scenario,
				(now - con.start) / 1e9, con.boot, console_phase(&con)->name,
				nics[0].sent, nics[0].landed);
		}
		clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
	}
	for (i = 0; i < nr_nics; i++) {
		memory_sweep(&nics[i], &con, now_ns());
		memory_end(&nics[i], &con, now_ns());
		if (con.boot && !nics[i].late_known) {
			nics[i].late = memory_scan_late(&mem, &nics[i]);
			nics[i].late_known = true;
		}
	}
	ret = report_write(&con, nics, nr_nics, scenario, json, rate, timed_out);
	if (ret)
		return fail("write", json, ret);
	return timed_out || !con.done;
}
