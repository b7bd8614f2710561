/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The observer: one process, one thread, outside the machine. It sends numbered frames, watches
 * them land in the machine's memory, and reads the serial console, all by one clock that no kexec
 * stops. Times are CLOCK_MONOTONIC nanoseconds.
 */
#ifndef HIL_OBSERVER_H
#define HIL_OBSERVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/un.h>

#include "../frame.h"

#define MAX_NICS	4
#define MAX_PHASES	64
#define MAX_BOOTS	8
#define MAX_GAPS	32
#define MAX_FRAMES	(4u << 20)
#define MAX_THREADS	16
#define MAX_CPUS	64
#define NSEC		1000000000ull

/* The machine's memory: QEMU's shared file, mapped read-only. */
struct memory {
	int fd;
	const uint8_t *map;
	uint64_t size;
};

/* QEMU's threads, see host.c. */
struct host {
	struct {
		int tid, fd;
	} threads[MAX_THREADS];
	unsigned int nr;
	int stat;		/* /proc/stat */
	uint64_t tick;		/* its unit; 0 until it is open */
};

struct phase {
	char name[16];
	uint64_t start;
	uint64_t landed[MAX_NICS];
	uint64_t longest_gap;
};

/* What the serial console has told so far. */
struct console {
	int fd;
	int pidfd;		/* of QEMU: tells when there will be no more */
	FILE *log;
	uint64_t start;		/* of the run, for the log's time stamps */
	char line[1024];
	size_t len;

	struct phase phases[MAX_PHASES];
	unsigned int nr_phases;
	unsigned int boot;		/* kernels started so far, minus one */
	uint64_t jump_at[MAX_BOOTS];	/* "Starting new kernel" of boot N */
	uint64_t user_at[MAX_BOOTS];	/* first line of user space in boot N */
	const char *fault_line;		/* the kernel tells of a blocked DMA in such a line */
	unsigned int kernel_faults[MAX_BOOTS];
	unsigned int provoked_faults;	/* ... after the VMM said that it provokes one */
	bool provoked;
	uint64_t drain_at;		/* the VMM lets us stop; 0 = not yet */
	bool done, hung_up;
	bool jumped, scan;		/* something for the main loop to see and clear */
	int ready_dev;			/* same: device whose ring is ready, or -1 */
	unsigned int ready_count;
	int provoke_dev;		/* same: device to send a frame that must not land, or -1 */
	int interrupts_dev;		/* same: device that only such frames are for, or -1 */
	uint64_t absent;		/* how long we ourselves were not there to look */
	struct host host;
	char failed[256];		/* first "HIL: FAILED" */
	char report[256];		/* first kernel BUG, WARNING, ... */
	unsigned int reports;
	long long freeze_us, replace_us, table_bytes, extents, leaves, switches, first_loss;
	json_t *freeze_log;		/* every line of the kernel code under test */
	json_t *tool_log;		/* what iommu-freeze printed, run by the VMM's "tool" */
	json_t *vmm_log;		/* every other line of the VMM */
	json_t *guest[MAX_NICS];	/* last count of the guest */
};

/* One NIC: its frames, its socket, its receive buffers. */
struct nic {
	unsigned int number;
	uint8_t run[HIL_RUN_BYTES];
	struct sockaddr_un to;
	int sock;
	bool sending;
	bool interrupts;	/* its buffers are no memory: see hil_irq_make() */

	uint64_t due;		/* when the next frame is to go out */
	uint64_t stalled;	/* since when it cannot, or 0 */
	uint64_t sent;		/* frames offered; also the next number */
	uint64_t unsent;	/* of those: the NIC took nothing for over a second */
	uint64_t stalls;
	uint64_t sent_at_jump;	/* frames offered when the last old kernel ended */

	unsigned int count, next;	/* buffers; the one that should be filled next */
	const struct hil_frame **slots;
	uint64_t *slot_seq;	/* what was last seen in each */
	uint8_t *seen;
	uint64_t landed, duplicated, out_of_order, corrupt, end;
	uint64_t landed_unowned;	/* after the jump, before user space */
	uint64_t late;		/* see memory_scan_late() */
	bool late_known;

	uint64_t last_landing, last_sweep;
	uint64_t last_absent;	/* struct console's absent at the last landing */
	uint64_t last_delay[MAX_THREADS];
	uint64_t waited;	/* in all, see host_delay() */
	uint64_t last_stolen[MAX_CPUS], stolen_at;
	uint64_t stolen;	/* in all, see host_stolen() */
	uint64_t longest_gap, gap_start, quiet_gap;
	struct {
		uint64_t start, length;
	} gaps[MAX_GAPS];	/* the first ones that are long, for who looks for the cause */
	unsigned int nr_gaps;
};

static inline uint64_t ms(uint64_t n)
{
	return n * 1000000;
}

uint64_t now_ns(void);

/* console.c */
int console_open(struct console *con, const char *path, const char *log, int pid);
void console_read(struct console *con);
const char *console_phase_of(const struct console *con, uint64_t from, uint64_t to);
struct phase *console_phase(struct console *con);

/* memory.c */
int memory_open(struct memory *mem, const char *path);
int memory_find_buffers(const struct memory *mem, struct nic *nic, unsigned int dev,
			unsigned int count);
bool memory_watch(struct nic *nic, struct console *con, uint64_t now);
void memory_sweep(struct nic *nic, struct console *con, uint64_t now);
uint64_t memory_scan_late(const struct memory *mem, const struct nic *nic);
void memory_end(struct nic *nic, struct console *con, uint64_t now);

/* sender.c */
int sender_open(struct nic *nic, const char *local, const char *remote);
void sender_run(struct nic *nic, uint64_t interval, uint64_t now);
int sender_provoke(struct nic *nic);

/* host.c */
void host_open(struct host *host, int pid);
uint64_t host_delay(const struct host *host, uint64_t *last);
uint64_t host_stolen(const struct host *host, uint64_t *last);

/* report.c */
int report_write(const struct console *con, const struct nic *nics, unsigned int nr_nics,
		 const char *scenario, const char *path, unsigned int rate, bool timed_out);

#endif
