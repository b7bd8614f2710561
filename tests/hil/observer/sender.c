// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends one NIC's frames at a fixed rate over a unix datagram socket. The socket pushes back when
 * QEMU is late: then the same frame is tried again and the delay shows as a stall, not as a loss.
 * A wire does not push back for ever, so when nothing is taken for a second the frames that come
 * due are lost, until the NIC takes one again.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "observer.h"

#define MAX_BURST	8

/**
 * sender_open() - socket of one NIC.
 * @nic: the NIC
 * @local: our end, made here
 * @remote: QEMU's end
 *
 * Return: 0 or a negative errno.
 */
int sender_open(struct nic *nic, const char *local, const char *remote)
{
	struct sockaddr_un from = { .sun_family = AF_UNIX };

	nic->to.sun_family = AF_UNIX;
	if (strlen(local) >= sizeof(from.sun_path) || strlen(remote) >= sizeof(from.sun_path))
		return -ENAMETOOLONG;
	strcpy(from.sun_path, local);
	strcpy(nic->to.sun_path, remote);
	unlink(local);
	nic->sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (nic->sock < 0 || bind(nic->sock, (struct sockaddr *)&from, sizeof(from)))
		return -errno;
	return 0;
}

/**
 * sender_run() - send what is due.
 * @nic: the NIC
 * @interval: between two frames
 * @now: time
 */
void sender_run(struct nic *nic, uint64_t interval, uint64_t now)
{
	uint32_t irqs[HIL_IRQ_WORDS];
	struct hil_frame frame;
	const void *data = nic->interrupts ? (void *)irqs : &frame;
	size_t len = nic->interrupts ? sizeof(irqs) : sizeof(frame);
	int burst;

	for (burst = 0; nic->sending && nic->due <= now && burst < MAX_BURST; burst++) {
		if (nic->sent == MAX_FRAMES) {
			nic->sending = false;
			return;
		}
		hil_irq_make(irqs);
		hil_frame_make(&frame, nic->run, nic->sent);
		if (sendto(nic->sock, data, len, 0, (struct sockaddr *)&nic->to,
			   sizeof(nic->to)) == (ssize_t)len) {
			nic->stalled = 0;
		} else if (errno == EAGAIN || errno == ENOBUFS) {
			if (!nic->stalled) {
				nic->stalled = now;
				nic->stalls++;
			}
			if (now - nic->stalled < NSEC)
				return;
			nic->unsent++;
		} else {
			nic->sending = false;	/* the machine is gone */
			return;
		}
		nic->sent++;
		nic->due += interval;
	}
}

/**
 * sender_provoke() - send one frame that is not ours: its DMA is to be blocked.
 * @nic: the NIC, to which nothing else is sent any more
 *
 * Return: 0 or a negative errno.
 */
int sender_provoke(struct nic *nic)
{
	struct hil_frame frame;

	hil_frame_make(&frame, nic->run, nic->sent);
	memset(frame.run, 0xff, sizeof(frame.run));
	return sendto(nic->sock, &frame, sizeof(frame), 0, (struct sockaddr *)&nic->to,
		      sizeof(nic->to)) == sizeof(frame) ? 0 : -errno;
}
