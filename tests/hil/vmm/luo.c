// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMM's side of the Live Update Orchestrator: a named session that carries file descriptors
 * to the next kernel. Guest RAM goes first, the device second: the kernel checks at preserve that
 * every page the device can reach is kept, and it keeps no page that no store has taken in.
 *
 * The session's fd must stay open until the kexec: closing it un-preserves everything in it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/liveupdate.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmm.h"

static int luo_open(struct vmm_luo *luo)
{
	if (luo->fd < 0)
		luo->fd = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);
	return luo->fd < 0 ? -errno : 0;
}

/* vmm_session_create() - old kernel: an empty session. */
int vmm_session_create(struct vmm_luo *luo, const char *name)
{
	struct liveupdate_ioctl_create_session create = { .size = sizeof(create) };
	int ret = luo_open(luo);

	if (ret)
		return ret;
	snprintf((char *)create.name, sizeof(create.name), "%s", name);
	if (ioctl(luo->fd, LIVEUPDATE_IOCTL_CREATE_SESSION, &create))
		return -errno;
	luo->session = create.fd;
	return 0;
}

/* vmm_preserve() - old kernel: put one file into the session, under a number of our choice. */
int vmm_preserve(struct vmm_luo *luo, int fd, uint64_t token)
{
	struct liveupdate_session_preserve_fd preserve = {
		.size = sizeof(preserve),
		.fd = fd,
		.token = token,
	};

	return ioctl(luo->session, LIVEUPDATE_SESSION_PRESERVE_FD, &preserve) ? -errno : 0;
}

/* vmm_session_retrieve() - new kernel: the session, by its name. */
int vmm_session_retrieve(struct vmm_luo *luo, const char *name)
{
	struct liveupdate_ioctl_retrieve_session retrieve = { .size = sizeof(retrieve) };
	int ret = luo_open(luo);

	if (ret)
		return ret;
	snprintf((char *)retrieve.name, sizeof(retrieve.name), "%s", name);
	if (ioctl(luo->fd, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &retrieve))
		return -errno;
	luo->session = retrieve.fd;
	return 0;
}

/* vmm_retrieve() - new kernel: one file by its number. Returns the new fd, or a negative errno. */
int vmm_retrieve(struct vmm_luo *luo, uint64_t token)
{
	struct liveupdate_session_retrieve_fd retrieve = {
		.size = sizeof(retrieve),
		.token = token,
	};

	if (ioctl(luo->session, LIVEUPDATE_SESSION_RETRIEVE_FD, &retrieve))
		return -errno;
	return retrieve.fd;
}

/*
 * vmm_finish() - new kernel: we have everything back. Refused while a device of the session is
 * still on its frozen domain; nothing is lost then, attach it and call again.
 */
int vmm_finish(struct vmm_luo *luo)
{
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };

	return ioctl(luo->session, LIVEUPDATE_SESSION_FINISH, &finish) ? -errno : 0;
}

/* vmm_session_close() - old kernel: un-preserve all. New kernel, after FINISH: only tidy up. */
int vmm_session_close(struct vmm_luo *luo)
{
	int ret = close(luo->session) ? -errno : 0;

	luo->session = -1;
	return ret;
}
