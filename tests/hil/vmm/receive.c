// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands for the NIC's receive ring: start it, wait for frames, count them, move its buffers to
 * other memory while it runs, and provoke a fault.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "guest.h"
#include "igb.h"
#include "receive.h"
#include "script.h"

#define PROVOKE_SECONDS	20
#define PAGE_WORDS	(HIL_PAGE / sizeof(uint64_t))

static struct igb igbs[VMM_MAX_DEVS];

/* The current device's NIC; NULL unless the VMM has it and its guest RAM. */
static struct igb *igb(void)
{
	struct igb *nic = &igbs[guest.cur];

	if (!guest_dev()->vmm.bar0 || !guest.files[GUEST_RAM].ram.size)
		return NULL;
	nic->regs = guest_dev()->vmm.bar0;
	nic->share = guest.files[GUEST_RAM].ram.mem + guest_share_offset();
	nic->iova = guest_share_iova();
	nic->dev = guest.cur;
	hil_run_of_dev(nic->run, guest.run, guest.cur);
	return nic;
}

/* receive_resume() - go on with the ring that is in guest RAM. */
int receive_resume(void)
{
	return igb_resume(igb());
}

/*
 * receive_count() - buffers of the ring in guest RAM, also before the NIC is there; 0 without
 * one.
 */
uint32_t receive_count(void)
{
	return igb() && !igb_resume(igb()) ? igb_state(igb())->count : 0;
}

/* receive_lost() - take in what has landed; is anything missing? */
bool receive_lost(void)
{
	if (!igb())
		return false;
	igb_poll(igb());
	return igb_lost(igb()) || igb_state(igb())->holes;
}

/* rx start COUNT [BAD-DESCRIPTOR] */
static int rx_start(int argc, char **argv)
{
	uint32_t count = argc > 1 ? strtoul(argv[1], NULL, 0) : 0;
	uint32_t bad = argc > 2 ? strtoul(argv[2], NULL, 0) : IGB_NO_BAD;
	int ret;

	if (guest_share_size() < igb_buffer_offset(count))
		return -ENOSPC;
	ret = igb_start(igb(), count, bad);
	if (!ret)
		say("rx-ready dev=%u count=%u", guest.cur, count);
	return ret;
}

/*
 * rx interrupts COUNT: a ring whose buffers are where a write is an interrupt; COUNT frames are
 * written there. Each makes some ten faults, so the rate should be low. None is to be counted.
 */
static int rx_interrupts(uint32_t count)
{
	int ret;

	if (guest_share_size() < igb_buffer_offset(count))
		return -ENOSPC;
	ret = igb_start(igb(), count, IGB_NO_BAD);
	if (ret)
		return ret;
	igb_aim(igb(), HIL_IRQ_ADDRESS);
	say("interrupts dev=%u", guest.cur);
	say("rx-ready dev=%u count=%u", guest.cur, count);
	return 0;
}

/* rx wait-frames N: until N more descriptors were used */
static int rx_wait_frames(uint64_t n)
{
	double end = now() + WAIT_SECONDS, last = now();
	uint64_t got = 0;

	while (got < n) {
		unsigned int taken = igb_poll(igb());

		got += taken;
		if (taken)
			last = now();
		if (now() > end || now() - last > SILENCE_SECONDS)
			return -ETIMEDOUT;
		usleep(2000);
	}
	return 0;
}

/* rx wait-idle SECONDS: the observer may stop now; until nothing came for so long */
static int rx_wait_idle(double seconds)
{
	double end = now() + WAIT_SECONDS, last = now();

	say("drain dev=%u", guest.cur);
	while (now() - last < seconds) {
		if (igb_poll(igb()))
			last = now();
		if (now() > end)
			return -ETIMEDOUT;
		usleep(2000);
	}
	return 0;
}

/*
 * rx provoke: one frame that has nowhere to land, after all the others: the fault that it makes
 * shows that faults are counted. The observer sends it. A device that is blocked may stand
 * still.
 */
static int rx_provoke(void)
{
	double end = now() + PROVOKE_SECONDS;
	int ret;

	while ((ret = igb_provoke(igb())) == -EBUSY && now() < end)
		usleep(2000);
	if (ret)
		return ret;
	say("provoke dev=%u", guest.cur);
	end = now() + PROVOKE_SECONDS;
	while (!igb_passed(igb()) && now() < end)
		usleep(2000);
	/* The head moves before the data. */
	usleep(20000);
	say("provoked dev=%u holes=%" PRIu64, guest.cur, igb_provoked(igb()));
	return 0;
}

/* stats: the guest's count and the NIC's own */
int cmd_stats(int argc, char **argv)
{
	struct igb_state *s;

	(void)argv;
	if (argc)
		return -EINVAL;
	if (!igb())
		return -ENODEV;
	s = igb_state(igb());
	igb_poll(igb());
	igb_read_stats(igb());
	say("count dev=%u landed=%" PRIu64 " lost=%" PRIu64 " duplicated=%" PRIu64
	    " out_of_order=%" PRIu64 " corrupt=%" PRIu64 " holes=%" PRIu64
	    " nic_received=%" PRIu64 " nic_missed=%" PRIu64,
	    guest.cur, s->landed, igb_lost(igb()), s->duplicated, s->out_of_order, s->corrupt,
	    s->holes, s->gprc, s->mpc + s->rnbc);
	return 0;
}

/* rx end SECONDS: what every run ends with */
static int rx_end(double seconds)
{
	int ret = rx_wait_idle(seconds);

	if (!ret)
		ret = cmd_stats(0, NULL);
	return ret ?: rx_provoke();
}

/* rx start|interrupts|wait-frames|wait-idle|provoke|end ... */
int cmd_rx(int argc, char **argv)
{
	if (!igb())
		return -ENODEV;
	if ((argc == 2 || argc == 3) && !strcmp(argv[0], "start"))
		return rx_start(argc, argv);
	if (argc == 2 && !strcmp(argv[0], "interrupts"))
		return rx_interrupts(strtoul(argv[1], NULL, 0));
	if (argc == 2 && !strcmp(argv[0], "wait-frames"))
		return rx_wait_frames(strtoull(argv[1], NULL, 0));
	if (argc == 2 && !strcmp(argv[0], "wait-idle"))
		return rx_wait_idle(atof(argv[1]));
	if (argc == 1 && !strcmp(argv[0], "provoke"))
		return rx_provoke();
	if (argc == 2 && !strcmp(argv[0], "end"))
		return rx_end(atof(argv[1]));
	return -EINVAL;
}

static uint64_t *old_page(uint32_t i)
{
	return (uint64_t *)(guest.files[GUEST_RAM].ram.mem + guest_share_offset() +
			    igb_buffer_offset(i));
}

/* What an old page holds from its remap on; no frame and no cookie looks like it. */
static uint64_t pattern(uint32_t i, unsigned int word)
{
	return 0x0ddba11000000000ull | (uint64_t)i << 12 | word;
}

/* All of them are held: to other memory, under the same IO addresses. */
static int move_buffers(uint32_t first, uint32_t count)
{
	uint64_t length = (uint64_t)count * HIL_PAGE;
	uint64_t iova = guest_share_iova() + igb_buffer_offset(first);
	enum guest_file_id spare = GUEST_SPARE + guest.cur;
	unsigned int word;
	uint32_t i;
	int ret;

	for (i = first; i < first + count; i++)
		for (word = 0; word < PAGE_WORDS; word++)
			old_page(i)[word] = pattern(i, word);
	ret = guest_unmap(iova, length);
	if (!ret)
		ret = guest_map(spare, 0, length, iova, true);
	if (ret)
		return ret;
	igb_move(igb(), guest.files[spare].ram.mem);
	/* The observer looks for them before the NIC gets there. */
	say("rx-ready dev=%u count=%u", guest.cur, igb_state(igb())->count);
	igb_release(igb());
	return 0;
}

/*
 * remap FIRST COUNT: these receive buffers get fresh pages while the NIC receives. They must be
 * mapped one by one (map split), and be less than half of the ring: the NIC goes on with the rest.
 */
int cmd_remap(int argc, char **argv)
{
	uint32_t first = argc == 2 ? strtoul(argv[0], NULL, 0) : 0;
	uint32_t count = argc == 2 ? strtoul(argv[1], NULL, 0) : 0;
	struct guest_file *spare = &guest.files[GUEST_SPARE + guest.cur];
	double end = now() + WAIT_SECONDS;
	int ret;

	if (argc != 2)
		return -EINVAL;
	if (!igb())
		return -ENODEV;
	if (spare->ram.size)
		return -EALREADY;
	if (count > igb_state(igb())->count / 2)
		return -EINVAL;
	ret = vmm_ram_create(&spare->ram, (uint64_t)count * HIL_PAGE);
	if (ret)
		return ret;
	while ((ret = igb_hold(igb(), first, count)) == -EAGAIN && now() < end) {
		igb_poll(igb());
		usleep(2000);
	}
	while (!ret && !igb_holds(igb())) {
		igb_poll(igb());
		if (now() > end)
			return -ETIMEDOUT;
		usleep(2000);
	}
	if (!ret)
		ret = move_buffers(first, count);
	if (ret)
		return ret;
	say("remapped count=%u", count);
	box_mark("mapped");
	return 0;
}

/* remap-verify: no old page was written to, and frames have landed in new ones */
int cmd_remap_verify(int argc, char **argv)
{
	const struct vmm_ram *spare = &guest.files[GUEST_SPARE + guest.cur].ram;
	unsigned int word, stale = 0, fresh = 0;
	const struct igb *nic = igb();
	uint32_t i;

	(void)argv;
	if (argc)
		return -EINVAL;
	if (!nic || !nic->nr_moved)
		return -ENODATA;
	for (i = 0; i < nic->nr_moved; i++) {
		const struct hil_frame *frame = (void *)(spare->mem + (uint64_t)i * HIL_PAGE);
		uint32_t index = nic->first_moved + i;

		for (word = 0; word < PAGE_WORDS; word++)
			if (old_page(index)[word] != pattern(index, word))
				break;
		if (word < PAGE_WORDS)
			stale++;
		if (hil_frame_ours(frame, nic->run) && hil_frame_whole(frame, le64toh(frame->seq)))
			fresh++;
	}
	say("remap-verify stale=%u fresh=%u", stale, fresh);
	return stale || !fresh ? -EUCLEAN : 0;
}
