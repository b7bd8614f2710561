/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the observer (outside the machine) and the VMM (inside) agree on: the numbered test frame,
 * and the cookie that marks a receive buffer so that the observer finds it in the machine's memory.
 *
 * Everything is little endian. Both sides check the bytes of a frame, not only its number: the
 * whole frame follows from (run id, sequence number).
 */
#ifndef HIL_FRAME_H
#define HIL_FRAME_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define HIL_RUN_BYTES	16
#define HIL_PAGE	4096
#define HIL_FRAME_WORDS	16
#define HIL_ETHERTYPE	0x88b5	/* IEEE 802 local experimental */

/* 128 bytes on the wire (no FCS). @fill ends with a word that depends on @seq: it lands last. */
struct hil_frame {
	uint8_t dst[6];
	uint8_t src[6];
	uint8_t ethertype[2];
	uint8_t version[2];
	uint8_t run[HIL_RUN_BYTES];
	uint64_t seq;
	uint64_t fill[11];
};

_Static_assert(sizeof(struct hil_frame) == HIL_FRAME_WORDS * 8, "frame layout");

/*
 * The last 40 bytes of each receive buffer's page. The NIC never writes there. When a buffer
 * moves to another page its generation grows: the page with the highest one is the buffer.
 */
struct hil_cookie {
	uint8_t run[HIL_RUN_BYTES];
	uint64_t index;
	uint64_t dev;
	uint64_t generation;
};

_Static_assert(sizeof(struct hil_cookie) == 40, "cookie layout");

#define HIL_COOKIE_OFFSET	(HIL_PAGE - sizeof(struct hil_cookie))

static inline uint64_t hil_fill_word(uint64_t seq, unsigned int i)
{
	return (seq + 1) * 0x9e3779b97f4a7c15ull ^ ((uint64_t)(i + 1) << 56);
}

static inline void hil_frame_make(struct hil_frame *f, const uint8_t *run, uint64_t seq)
{
	static const uint8_t head[16] = {
		0x02, 0x49, 0x4f, 0x46, 0x5a, 0x01,	/* locally administered, unicast */
		0x02, 0x49, 0x4f, 0x46, 0x5a, 0x02,
		HIL_ETHERTYPE >> 8, HIL_ETHERTYPE & 0xff, 0, 1,
	};
	unsigned int i;

	memcpy(f, head, sizeof(head));
	memcpy(f->run, run, HIL_RUN_BYTES);
	f->seq = htole64(seq);
	for (i = 0; i < 11; i++)
		f->fill[i] = htole64(hil_fill_word(seq, i));
}

/*
 * A frame for a buffer that is no memory: written to HIL_IRQ_ADDRESS, each of its words is an
 * interrupt for the first CPU (VT-d spec, 5.1). Address bit 4 is the format. In the one that is to
 * be remapped, words would be NMIs if nobody did; those of the header are INIT and other things. In
 * the other one they have a delivery mode that does not exist: QEMU lets that format through.
 */
#define HIL_IRQ_ADDRESS	0xfee00010u
#define HIL_IRQ_WORDS	15	/* the shortest frame */
#define HIL_IRQ_NMI	0x400u
#define HIL_IRQ_NONE	0x300u

static inline void hil_irq_make(uint32_t *words)
{
	struct hil_frame frame;
	uint32_t i;

	hil_frame_make(&frame, (const uint8_t *)"no memory, no run", 0);
	memcpy(words, &frame, 16);
	for (i = 4; i < HIL_IRQ_WORDS; i++)
		words[i] = htole32((HIL_IRQ_ADDRESS + 4 * i) & 0x10 ? HIL_IRQ_NMI : HIL_IRQ_NONE);
}

/* Is this one of our frames at all? The content may still be wrong, see hil_frame_whole(). */
static inline bool hil_frame_ours(const struct hil_frame *f, const uint8_t *run)
{
	return f->ethertype[0] == HIL_ETHERTYPE >> 8 && f->ethertype[1] == (HIL_ETHERTYPE & 0xff) &&
	       !memcmp(f->run, run, HIL_RUN_BYTES);
}

static inline bool hil_frame_whole(const struct hil_frame *f, uint64_t seq)
{
	unsigned int i;

	if (le64toh(f->seq) != seq)
		return false;
	for (i = 0; i < 11; i++)
		if (le64toh(f->fill[i]) != hil_fill_word(seq, i))
			return false;
	return true;
}

static inline int hil_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* 32 lower case hex digits -> run id. */
static inline bool hil_run_parse(uint8_t *run, const char *hex)
{
	int i, hi, lo;

	for (i = 0; i < HIL_RUN_BYTES; i++) {
		hi = hil_hex_digit(hex[2 * i]);
		lo = hi < 0 ? -1 : hil_hex_digit(hex[2 * i + 1]);
		if (lo < 0)
			return false;
		run[i] = hi << 4 | lo;
	}
	return true;
}

/* Each NIC has its own run id, so that a frame tells for which NIC it was meant. */
static inline void hil_run_of_dev(uint8_t *out, const uint8_t *run, unsigned int dev)
{
	memcpy(out, run, HIL_RUN_BYTES);
	out[HIL_RUN_BYTES - 1] ^= dev;
}

#endif
