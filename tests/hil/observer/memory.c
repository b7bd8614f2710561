// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine's memory as a file: finds the receive buffers by their cookies, watches frames land,
 * and looks for frames where none may be. Reads only; the machine never notices.
 *
 * QEMU writes one buffer after the other, and x86 keeps stores in order: a frame in buffer N+1
 * means that buffer N is final, so a buffer that is passed over has lost its frame.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "observer.h"

#define LOOK_AHEAD	16
#define LONG_GAP	ms(15)

/* How old may be what is known of stolen time when a frame lands. It comes in ticks of 10 ms. */
#define STOLEN_AGE	ms(10)

/**
 * memory_open() - map the machine's memory.
 * @mem: result
 * @path: QEMU's memory-backend-file
 *
 * Return: 0 or a negative errno.
 */
int memory_open(struct memory *mem, const char *path)
{
	off_t size;
	void *map;

	mem->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (mem->fd < 0)
		return -errno;
	size = lseek(mem->fd, 0, SEEK_END);
	map = mmap(NULL, size, PROT_READ, MAP_SHARED, mem->fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	mem->map = map;
	mem->size = size;
	return 0;
}

/* Steps through the parts of the file that hold data; reading a hole would fill it. */
static bool next_data(const struct memory *mem, uint64_t *from, uint64_t *to)
{
	off_t start, end;

	if (*to >= mem->size)
		return false;
	start = lseek(mem->fd, *to, SEEK_DATA);
	if (start < 0)
		return false;
	end = lseek(mem->fd, start, SEEK_HOLE);
	*from = start;
	*to = end < 0 ? mem->size : (uint64_t)end;
	return true;
}

/**
 * memory_find_buffers() - by their cookies; of several for one buffer the newest counts.
 * @mem: the machine's memory
 * @nic: whose buffers
 * @dev: its number in the cookie
 * @count: how many the VMM says there are
 *
 * Return: 0, -ENOMEM, -ENOENT or -EEXIST when a buffer is there not at all or twice.
 */
int memory_find_buffers(const struct memory *mem, struct nic *nic, unsigned int dev,
			unsigned int count)
{
	const struct hil_frame **slots;
	uint64_t *generations;
	uint64_t from, to = 0, index, generation;
	unsigned int found = 0, i;
	bool moved = false;
	int ret = 0;

	if (nic->slots && nic->count != count)
		return -ENOENT;
	if (!nic->slots) {
		nic->next = 0;
		nic->count = count;
		nic->slots = calloc(count, sizeof(*nic->slots));
		nic->slot_seq = malloc(count * sizeof(*nic->slot_seq));
		nic->seen = calloc(MAX_FRAMES / 8, 1);
		if (!nic->slots || !nic->slot_seq || !nic->seen)
			return -ENOMEM;
		memset(nic->slot_seq, 0xff, count * sizeof(*nic->slot_seq));
	}
	slots = calloc(count, sizeof(*slots));
	generations = calloc(count, sizeof(*generations));
	if (!slots || !generations)
		return -ENOMEM;
	while (next_data(mem, &from, &to)) {
		for (; from < to; from += HIL_PAGE) {
			const struct hil_cookie *cookie = (void *)(mem->map + from +
								   HIL_COOKIE_OFFSET);

			index = le64toh(cookie->index);
			if (memcmp(cookie->run, nic->run, HIL_RUN_BYTES) || index >= count ||
			    le64toh(cookie->dev) != dev)
				continue;
			generation = le64toh(cookie->generation);
			if (slots[index] && generation == generations[index])
				ret = -EEXIST;
			if (slots[index] && generation <= generations[index])
				continue;
			found += !slots[index];
			slots[index] = (void *)(mem->map + from);
			generations[index] = generation;
		}
	}
	if (!ret && found != count)
		ret = -ENOENT;
	for (i = 0; !ret && i < count; i++) {
		if (nic->slots[i] == slots[i])
			continue;
		nic->slots[i] = slots[i];
		nic->slot_seq[i] = UINT64_MAX;
		moved = true;
	}
	/* The same buffers again: the ring was started anew. */
	if (!moved)
		nic->next = 0;
	free(slots);
	free(generations);
	return ret;
}

/* Is there a frame in this buffer that was not there before? */
static bool slot_is_new(const struct nic *nic, unsigned int i, uint64_t *seq)
{
	const struct hil_frame *frame = nic->slots[i];

	*seq = le64toh(*(const volatile uint64_t *)&frame->seq);
	if (*seq == nic->slot_seq[i] || !hil_frame_ours(frame, nic->run))
		return false;
	__sync_synchronize();
	return hil_frame_whole(frame, *seq);
}

/*
 * The time since the last landing, less what the host kept us from looking or QEMU from running:
 * that silence is the host's.
 */
static void note_gap(struct nic *nic, struct console *con, uint64_t now)
{
	struct phase *phase = console_phase(con);
	uint64_t gap, absent = con->absent - nic->last_absent;
	uint64_t delay = host_delay(&con->host, nic->last_delay), stolen = 0;

	if (now - nic->stolen_at > STOLEN_AGE) {
		stolen = host_stolen(&con->host, nic->last_stolen);
		nic->stolen_at = now;
	}
	if (!nic->last_landing)
		return;
	nic->waited += delay;
	nic->stolen += stolen;
	/* They are the same time, or some of it. */
	if (absent < delay)
		absent = delay;
	if (absent < stolen)
		absent = stolen;
	gap = now - nic->last_landing;
	gap = gap > absent ? gap - absent : 0;
	if (gap > nic->longest_gap) {
		nic->longest_gap = gap;
		nic->gap_start = nic->last_landing;
	}
	if (gap > LONG_GAP && nic->nr_gaps < MAX_GAPS) {
		nic->gaps[nic->nr_gaps].start = nic->last_landing;
		nic->gaps[nic->nr_gaps++].length = gap;
	}
	if (gap > phase->longest_gap)
		phase->longest_gap = gap;
	if (con->drain_at && nic->last_landing >= con->drain_at && gap > nic->quiet_gap)
		nic->quiet_gap = gap;
}

static void landed(struct nic *nic, struct console *con, unsigned int i, uint64_t seq, uint64_t now)
{
	nic->slot_seq[i] = seq;
	note_gap(nic, con, now);
	nic->last_landing = now;
	nic->last_absent = con->absent;
	console_phase(con)->landed[nic->number]++;

	if (seq >= nic->sent) {
		nic->corrupt++;
		return;
	}
	if (nic->seen[seq / 8] & 1u << seq % 8) {
		nic->duplicated++;
		return;
	}
	nic->seen[seq / 8] |= 1u << seq % 8;
	nic->landed++;
	if (con->boot && !con->user_at[con->boot] && seq >= nic->sent_at_jump)
		nic->landed_unowned++;
	if (seq < nic->end)
		nic->out_of_order++;
	else
		nic->end = seq + 1;
}

/**
 * memory_watch() - take note of frames that have landed since the last call.
 * @nic: the NIC
 * @con: for the phase
 * @now: time
 *
 * Return: true when there were any.
 */
bool memory_watch(struct nic *nic, struct console *con, uint64_t now)
{
	bool any = false;
	unsigned int k;
	uint64_t seq;

	if (!nic->slots)
		return false;
	for (k = 0; k < LOOK_AHEAD;) {
		unsigned int i = (nic->next + k) % nic->count;

		if (!slot_is_new(nic, i, &seq)) {
			k++;
			continue;
		}
		if (k && slot_is_new(nic, nic->next, &seq)) {
			k = 0;		/* landed while we looked ahead */
			continue;
		}
		slot_is_new(nic, i, &seq);
		landed(nic, con, i, seq, now);
		nic->next = (i + 1) % nic->count;
		any = true;
		k = 0;
	}
	/*
	 * Nothing for long: perhaps the ring went on somewhere else. (QEMU's igb runs through all
	 * of it when it cannot read a descriptor.) Look everywhere, less and less often.
	 */
	if (!any && nic->sent && now - nic->last_landing > ms(20) &&
	    now - nic->last_sweep > ms(20) + (now - nic->last_landing) / 4) {
		nic->last_sweep = now;
		for (k = 0; k < nic->count; k++) {
			unsigned int i = (nic->next + k) % nic->count;

			if (slot_is_new(nic, i, &seq)) {
				nic->next = i;
				break;
			}
		}
	}
	return any;
}

/**
 * memory_sweep() - at the end of the run: look at every buffer once more.
 * @nic: the NIC
 * @con: for the phase
 * @now: time
 */
void memory_sweep(struct nic *nic, struct console *con, uint64_t now)
{
	unsigned int i;
	uint64_t seq;

	for (i = 0; nic->slots && i < nic->count; i++) {
		if (slot_is_new(nic, i, &seq)) {
			landed(nic, con, i, seq, now);
		} else if (hil_frame_ours(nic->slots[i], nic->run) &&
			   !hil_frame_whole(nic->slots[i], le64toh(nic->slots[i]->seq))) {
			nic->corrupt++;
		}
	}
}

/**
 * memory_scan_late() - frames anywhere in memory that were sent after the last jump.
 * @mem: the machine's memory
 * @nic: the NIC they were sent to
 *
 * Return: how many. Not only receive buffers are searched: a stale translation writes elsewhere.
 */
uint64_t memory_scan_late(const struct memory *mem, const struct nic *nic)
{
	const size_t run_offset = offsetof(struct hil_frame, run);
	uint64_t from, to = 0, late = 0;

	while (next_data(mem, &from, &to)) {
		const uint8_t *at = mem->map + from, *end = mem->map + to;

		while ((at = memmem(at, end - at, nic->run, HIL_RUN_BYTES))) {
			struct hil_frame frame;
			const uint8_t *start = at - run_offset;

			at++;
			if (start < mem->map || start + sizeof(frame) > mem->map + mem->size)
				continue;
			memcpy(&frame, start, sizeof(frame));
			if (hil_frame_ours(&frame, nic->run) &&
			    le64toh(frame.seq) >= nic->sent_at_jump)
				late++;
		}
	}
	return late;
}

/**
 * memory_end() - the run is over: a NIC that fell silent has no landing that would end its gap.
 * @nic: the NIC, after memory_sweep()
 * @con: for the phase
 * @now: time
 */
void memory_end(struct nic *nic, struct console *con, uint64_t now)
{
	if (nic->landed < nic->sent || nic->sending)
		note_gap(nic, con, now);
}
