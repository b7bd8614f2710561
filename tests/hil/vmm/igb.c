// SPDX-License-Identifier: GPL-2.0-only
/*
 * One receive ring of an Intel 82576, polled, interrupts off. Register numbers and the descriptor
 * are those of the public 82576 data sheet (receive: chapter 7.1, registers: chapter 8).
 *
 * The ring has one page per descriptor; the NIC may write the first 2 KiB, the page's end holds the
 * cookie by which the observer finds it. With 32768 descriptors the NIC goes on for half a minute
 * at 1000 frames a second with no CPU at all, which is what a kexec is to it.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "../frame.h"
#include "igb.h"

#define IGB_CTRL	0x00000
#define  CTRL_FD		(1u << 0)
#define  CTRL_SLU		(1u << 6)
#define  CTRL_RST		(1u << 26)
#define IGB_STATUS	0x00008
#define  STATUS_LU		(1u << 1)
#define IGB_MDIC	0x00020
#define  MDIC_WRITE		(1u << 26)
#define  MDIC_READY		(1u << 28)
#define  MDIC_PHY_1		(1u << 21)
#define  PHY_CONTROL		(0u << 16)
#define  PHY_AUTONEG		0x1000u		/* enable */
#define  PHY_RESTART		0x0200u		/* autonegotiate again */
#define IGB_RCTL	0x00100
#define  RCTL_EN		(1u << 1)
#define  RCTL_UPE		(1u << 3)
#define  RCTL_MPE		(1u << 4)
#define  RCTL_BAM		(1u << 15)
#define  RCTL_SECRC		(1u << 26)
#define IGB_EIMC	0x01528
#define IGB_IMC		0x0150c
#define IGB_MPC		0x04010
#define IGB_GPRC	0x04074
#define IGB_RNBC	0x040a0
#define IGB_RDBAL	0x0c000
#define IGB_RDBAH	0x0c004
#define IGB_RDLEN	0x0c008
#define IGB_SRRCTL	0x0c00c
#define  SRRCTL_2K		2u
#define  SRRCTL_ONE_BUFFER	(1u << 25)
#define IGB_RDH		0x0c010
#define IGB_RDT		0x0c018
#define IGB_RXDCTL	0x0c028
#define  RXDCTL_ENABLE		(1u << 25)

#define STATE_MAGIC	0x3174617473626769ull
#define RXD_DD		1u

/* Advanced descriptor: we write two addresses, the NIC writes back status, length and more. */
struct igb_desc {
	uint64_t addr;
	union {
		uint64_t header_addr;
		struct {
			uint32_t status;
			uint16_t length;
			uint16_t vlan;
		} wb;
	};
};

/*
 * What is in memory and what the NIC is told of it, in order: arm64 keeps none between the two, and
 * the NIC is farther away than other CPUs, which __sync_synchronize() is about.
 */
static void in_order(void)
{
#ifdef __aarch64__
	__asm__ volatile("dmb osh" : : : "memory");
#else
	__asm__ volatile("" : : : "memory");
#endif
}

static uint32_t rd32(struct igb *igb, uint32_t reg)
{
	uint32_t value = *(volatile uint32_t *)(igb->regs + reg);

	in_order();
	return value;
}

static void wr32(struct igb *igb, uint32_t reg, uint32_t value)
{
	in_order();
	*(volatile uint32_t *)(igb->regs + reg) = value;
}

static int wait_for(struct igb *igb, uint32_t reg, uint32_t bits)
{
	int ms;

	for (ms = 0; ms < 10000; ms++) {
		if ((rd32(igb, reg) & bits) == bits)
			return 0;
		usleep(1000);
	}
	return -ETIMEDOUT;
}

static volatile struct igb_desc *descriptor(struct igb *igb, uint32_t i)
{
	return (struct igb_desc *)(igb->share + IGB_RING_OFFSET) + i;
}

static uint8_t *buffer(struct igb *igb, uint32_t i)
{
	if (i - igb->first_moved < igb->nr_moved)
		return igb->moved + (uint64_t)(i - igb->first_moved) * HIL_PAGE;
	return igb->share + igb_buffer_offset(i);
}

/* Marks a buffer's page for the observer. */
static void put_cookie(struct igb *igb, uint32_t i, uint64_t generation)
{
	struct hil_cookie cookie = {
		.index = htole64(i),
		.dev = htole64(igb->dev),
		.generation = htole64(generation),
	};

	memcpy(cookie.run, igb->run, sizeof(cookie.run));
	memcpy(buffer(igb, i) + HIL_COOKIE_OFFSET, &cookie, sizeof(cookie));
}

/* An IO address that nothing maps. */
static uint64_t bad_iova(const struct igb *igb)
{
	return igb->iova / 2;
}

static void give(struct igb *igb, uint32_t i)
{
	volatile struct igb_desc *desc = descriptor(igb, i);

	desc->header_addr = 0;
	desc->addr = igb->iova + igb_buffer_offset(i);
}

static void interrupts_off(struct igb *igb)
{
	wr32(igb, IGB_IMC, ~0u);
	wr32(igb, IGB_EIMC, ~0u);
}

/**
 * igb_start() - reset the NIC, build the ring in guest RAM, receive.
 * @igb: registers and memory
 * @count: descriptors, a multiple of 8
 * @bad: index of a descriptor to spoil, or IGB_NO_BAD
 *
 * Return: 0, -EINVAL, -ETIMEDOUT when the link or the queue does not come up.
 */
int igb_start(struct igb *igb, uint32_t count, uint32_t bad)
{
	struct igb_state *state = igb_state(igb);
	uint64_t ring = igb->iova + IGB_RING_OFFSET;
	uint32_t i;
	int ret;

	if (!count || count > IGB_MAX_DESCRIPTORS || count % 8)
		return -EINVAL;

	interrupts_off(igb);
	wr32(igb, IGB_CTRL, rd32(igb, IGB_CTRL) | CTRL_RST);
	usleep(20000);
	interrupts_off(igb);
	wr32(igb, IGB_CTRL, rd32(igb, IGB_CTRL) | CTRL_SLU | CTRL_FD);
	wr32(igb, IGB_MDIC, MDIC_WRITE | MDIC_PHY_1 | PHY_CONTROL | PHY_AUTONEG | PHY_RESTART);
	ret = wait_for(igb, IGB_MDIC, MDIC_READY);
	if (ret)
		return ret;
	ret = wait_for(igb, IGB_STATUS, STATUS_LU);
	if (ret)
		return ret;

	/* A ring that is started anew (its device was not preserved) keeps the guest's counts. */
	if (state->magic != STATE_MAGIC)
		memset(state, 0, sizeof(*state));
	state->magic = STATE_MAGIC;
	state->count = count;
	state->next = 0;
	igb->nr_moved = 0;
	igb->nr_hold = 0;
	for (i = 0; i < count; i++) {
		put_cookie(igb, i, 0);
		give(igb, i);
	}
	if (bad < count)
		descriptor(igb, bad)->addr = bad_iova(igb);

	wr32(igb, IGB_RDBAL, (uint32_t)ring);
	wr32(igb, IGB_RDBAH, ring >> 32);
	wr32(igb, IGB_RDLEN, count * sizeof(struct igb_desc));
	wr32(igb, IGB_SRRCTL, SRRCTL_2K | SRRCTL_ONE_BUFFER);
	wr32(igb, IGB_RDH, 0);
	wr32(igb, IGB_RDT, 0);
	wr32(igb, IGB_RXDCTL, rd32(igb, IGB_RXDCTL) | RXDCTL_ENABLE);
	ret = wait_for(igb, IGB_RXDCTL, RXDCTL_ENABLE);
	if (ret)
		return ret;
	/* Clear the counters, so that what igb_read_stats() adds up is ours. */
	rd32(igb, IGB_GPRC);
	rd32(igb, IGB_MPC);
	rd32(igb, IGB_RNBC);
	wr32(igb, IGB_RCTL, RCTL_EN | RCTL_UPE | RCTL_MPE | RCTL_BAM | RCTL_SECRC);
	wr32(igb, IGB_RDT, count - 1);
	return 0;
}

/**
 * igb_aim() - all buffers of a ring that was just started are one address, not of guest RAM.
 * @igb: registers and memory
 * @address: that address
 */
void igb_aim(struct igb *igb, uint64_t address)
{
	uint32_t i;

	for (i = 0; i < igb_state(igb)->count; i++)
		descriptor(igb, i)->addr = address;
	__sync_synchronize();
}

/**
 * igb_resume() - go on with a ring that the NIC never stopped filling.
 * @igb: registers and memory
 *
 * Nothing is written to the NIC: all state is in guest RAM.
 * Return: 0, or -ENODATA when guest RAM holds no ring.
 */
int igb_resume(struct igb *igb)
{
	return igb_state(igb)->magic == STATE_MAGIC ? 0 : -ENODATA;
}

static void take_frame(struct igb *igb, const struct hil_frame *frame, uint16_t length)
{
	struct igb_state *state = igb_state(igb);
	uint8_t *seen = igb->share + IGB_SEEN_OFFSET;
	uint64_t seq = le64toh(frame->seq);

	if (length < sizeof(*frame) || !hil_frame_ours(frame, igb->run) ||
	    seq >= IGB_SEEN_BITS || !hil_frame_whole(frame, seq)) {
		state->corrupt++;
		return;
	}
	if (seen[seq / 8] & 1u << seq % 8) {
		state->duplicated++;
		return;
	}
	seen[seq / 8] |= 1u << seq % 8;
	state->landed++;
	if (seq < state->end)
		state->out_of_order++;
	else
		state->end = seq + 1;
}

/**
 * igb_poll() - take in what has landed and give the buffers back.
 * @igb: registers and memory
 *
 * A descriptor whose DMA was blocked is never written; we know it by the head being past it.
 * With buffers to hold back it stops once it has taken all of them.
 * Return: descriptors taken.
 */
unsigned int igb_poll(struct igb *igb)
{
	struct igb_state *state = igb_state(igb);
	uint32_t head = state->next;
	bool head_known = false, given = false;
	unsigned int taken = 0;
	uint32_t last = 0;

	while (taken < state->count && !igb_holds(igb)) {
		volatile struct igb_desc *desc = descriptor(igb, state->next);

		if (desc->wb.status & RXD_DD) {
			in_order();
			take_frame(igb, (struct hil_frame *)buffer(igb, state->next),
				   desc->wb.length);
		} else if (!head_known) {
			/* Look once where the NIC is, then look at the descriptor again. */
			head = rd32(igb, IGB_RDH);
			head_known = true;
			continue;
		} else if (head != state->next) {
			state->holes++;
		} else {
			break;
		}
		if (state->next - igb->hold < igb->nr_hold) {
			igb->nr_held++;
		} else {
			give(igb, state->next);
			last = state->next;
			given = true;
		}
		if (head_known && head == state->next)
			head_known = false;
		state->next = (state->next + 1) % state->count;
		taken++;
	}
	if (given) {
		__sync_synchronize();
		wr32(igb, IGB_RDT, last);
	}
	return taken;
}

/**
 * igb_hold() - from now on igb_poll() does not give these buffers back.
 * @igb: registers and memory
 * @first: the first one
 * @count: how many
 *
 * The tail stays before the first one, so the NIC goes on with the rest of the ring only: the
 * caller polls until igb_holds(), and is done with them before that rest is used up.
 * Return: 0, -EINVAL for buffers that the ring does not have, or the whole of it; -EAGAIN while the
 * next buffer is one of them: poll, and try again.
 */
int igb_hold(struct igb *igb, uint32_t first, uint32_t count)
{
	const struct igb_state *state = igb_state(igb);

	if (!count || first >= state->count || count > state->count - first ||
	    count == state->count)
		return -EINVAL;
	if (state->next - first < count)
		return -EAGAIN;
	igb->hold = first;
	igb->nr_hold = count;
	igb->nr_held = 0;
	return 0;
}

/**
 * igb_move() - the buffers that are held have other pages now, under the same IO addresses.
 * @igb: registers and memory
 * @mem: those pages, in order
 */
void igb_move(struct igb *igb, uint8_t *mem)
{
	uint32_t i;

	igb->moved = mem;
	igb->first_moved = igb->hold;
	igb->nr_moved = igb->nr_hold;
	for (i = igb->hold; i < igb->hold + igb->nr_hold; i++)
		put_cookie(igb, i, 1);
}

/**
 * igb_release() - give back what was held.
 * @igb: registers and memory
 */
void igb_release(struct igb *igb)
{
	uint32_t i, end = igb->hold + igb->nr_hold;

	for (i = igb->hold; i < end; i++)
		give(igb, i);
	igb->nr_hold = 0;
	__sync_synchronize();
	wr32(igb, IGB_RDT, end - 1);
}

/**
 * igb_provoke() - let the NIC's next write go where nothing is mapped.
 * @igb: registers and memory
 *
 * Return: 0, or -EBUSY while frames are on their way.
 */
int igb_provoke(struct igb *igb)
{
	const struct igb_state *state = igb_state(igb);

	if (igb_poll(igb) || rd32(igb, IGB_RDH) != state->next)
		return -EBUSY;
	memset(buffer(igb, state->next), 0, sizeof(struct hil_frame));
	descriptor(igb, state->next)->addr = bad_iova(igb);
	__sync_synchronize();
	return 0;
}

/* igb_passed() - has the NIC gone past the descriptor that is ours next? */
bool igb_passed(struct igb *igb)
{
	return rd32(igb, IGB_RDH) != igb_state(igb)->next;
}

/**
 * igb_provoked() - take in what came of igb_provoke(), and forget it: the guest's counts are
 * those of frames that had somewhere to land.
 * @igb: registers and memory
 *
 * Return: descriptors that the NIC went past and whose frame is not there.
 */
uint64_t igb_provoked(struct igb *igb)
{
	struct igb_state *state = igb_state(igb);
	uint64_t holes = state->holes, corrupt = state->corrupt, n;

	igb_poll(igb);
	n = state->holes - holes + state->corrupt - corrupt;
	state->holes = holes;
	state->corrupt = corrupt;
	return n;
}

/**
 * igb_read_stats() - add the NIC's own counters to ours; reading clears them.
 * @igb: registers and memory
 */
void igb_read_stats(struct igb *igb)
{
	struct igb_state *state = igb_state(igb);

	state->gprc += rd32(igb, IGB_GPRC);
	state->mpc += rd32(igb, IGB_MPC);
	state->rnbc += rd32(igb, IGB_RNBC);
}
