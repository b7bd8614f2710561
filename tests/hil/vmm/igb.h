/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMM's driver for one receive ring of an 82576 ("igb") NIC. The ring, its buffers and the
 * driver's own counters all live in guest RAM: after a kexec igb_resume() goes on from there.
 */
#ifndef HIL_IGB_H
#define HIL_IGB_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Where things are in a device's share of guest RAM. The first page stays empty: when a descriptor
 * read is blocked, QEMU's igb goes on with a stale one, and that one's address is a buffer's with
 * the lower 32 bits cleared. A frame that lands there hurts nobody and counts as lost.
 */
#define IGB_STATE_OFFSET	0x001000ull
#define IGB_SEEN_OFFSET		0x010000ull	/* bitmap of sequence numbers */
#define IGB_SEEN_BITS		(4u << 20)
#define IGB_RING_OFFSET		0x100000ull
#define IGB_BUFFERS_OFFSET	0x200000ull
#define IGB_MAX_DESCRIPTORS	32768u		/* RDLEN at most 512 KiB */

/* Plain counters: one process on one machine reads and writes them. */
struct igb_state {
	uint64_t magic;
	uint32_t count;		/* descriptors in the ring */
	uint32_t next;		/* the one we look at next */
	uint64_t landed;	/* distinct frames, whole and of this run */
	uint64_t duplicated;
	uint64_t out_of_order;
	uint64_t corrupt;
	uint64_t holes;		/* descriptors that the NIC passed over without writing */
	uint64_t end;		/* highest sequence number seen, plus one */
	uint64_t gprc;		/* the NIC's counters clear on read: summed up here */
	uint64_t mpc;
	uint64_t rnbc;
};

struct igb {
	volatile uint8_t *regs;
	uint8_t *share;		/* this device's share of guest RAM, as we see it */
	uint64_t iova;		/* ... as the device sees it */
	uint8_t run[16];
	unsigned int dev;

	uint32_t hold, nr_hold;	/* buffers that the NIC does not get back for now */
	uint32_t nr_held;	/* ... that it has not got back */
	uint8_t *moved;		/* where the held buffers are after igb_move() */
	uint32_t first_moved, nr_moved;
};

/* A buffer address that nothing maps, to provoke one fault; IGB_NO_BAD for none. */
#define IGB_NO_BAD	UINT32_MAX

int igb_start(struct igb *igb, uint32_t count, uint32_t bad);
void igb_aim(struct igb *igb, uint64_t address);
int igb_resume(struct igb *igb);
unsigned int igb_poll(struct igb *igb);
void igb_read_stats(struct igb *igb);
int igb_hold(struct igb *igb, uint32_t first, uint32_t count);
void igb_move(struct igb *igb, uint8_t *mem);
void igb_release(struct igb *igb);
int igb_provoke(struct igb *igb);
bool igb_passed(struct igb *igb);
uint64_t igb_provoked(struct igb *igb);

static inline uint64_t igb_buffer_offset(uint32_t i)
{
	return IGB_BUFFERS_OFFSET + i * 4096ull;
}

/* igb_holds() - are all buffers that igb_hold() named out of the NIC's reach? */
static inline bool igb_holds(const struct igb *igb)
{
	return igb->nr_hold && igb->nr_held == igb->nr_hold;
}

static inline struct igb_state *igb_state(const struct igb *igb)
{
	return (struct igb_state *)(igb->share + IGB_STATE_OFFSET);
}

/* igb_lost() - as far as the guest can tell: numbers below the highest one that never came. */
static inline uint64_t igb_lost(const struct igb *igb)
{
	return igb_state(igb)->end - igb_state(igb)->landed;
}

#endif
