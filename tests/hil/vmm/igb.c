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

static uint32_t rd32(struct igb *igb, uint32_t reg)
{
	return *(volatile uint32_t *)(igb->regs + reg);
}

static void wr32(struct igb *igb, uint32_t reg, uint32_t value)
{
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
	return igb->share + IGB_BUFFERS_OFFSET + (uint64_t)i * HIL_PAGE;
}

static void give(struct igb *igb, uint32_t i)
{
	volatile struct igb_desc *desc = descriptor(igb, i);

	desc->header_addr = 0;
	desc->addr = igb->iova + IGB_BUFFERS_OFFSET + (uint64_t)i * HIL_PAGE;
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
	struct hil_cookie cookie = { .dev = htole64(igb->dev) };
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
	memcpy(cookie.run, igb->run, sizeof(cookie.run));
	for (i = 0; i < count; i++) {
		cookie.index = htole64(i);
		memcpy(buffer(igb, i) + HIL_COOKIE_OFFSET, &cookie, sizeof(cookie));
		give(igb, i);
	}
	if (bad < count)
		descriptor(igb, bad)->addr = igb->iova / 2;

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
 * Return: descriptors taken.
 */
unsigned int igb_poll(struct igb *igb)
{
	struct igb_state *state = igb_state(igb);
	uint32_t head = state->next;
	bool head_known = false;
	unsigned int taken = 0;
	uint32_t last = 0;

	while (taken < state->count) {
		volatile struct igb_desc *desc = descriptor(igb, state->next);

		if (desc->wb.status & RXD_DD) {
			__sync_synchronize();
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
		give(igb, state->next);
		last = state->next;
		if (head_known && head == state->next)
			head_known = false;
		state->next = (state->next + 1) % state->count;
		taken++;
	}
	if (taken) {
		__sync_synchronize();
		wr32(igb, IGB_RDT, last);
	}
	return taken;
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
