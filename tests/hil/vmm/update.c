// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands for the way from one kernel to the next: sessions, preserve, kexec, retrieve, finish.
 * Several sessions may be open; commands act on the current one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "guest.h"
#include "receive.h"
#include "script.h"

#define MAX_SESSIONS	4

static struct vmm_luo luo = { .fd = -1, .session = -1 };

static struct {
	char name[32];		/* empty: not used */
	int fd;
} sessions[MAX_SESSIONS];

static int cur_session = -1;

static int find_session(const char *name)
{
	int i;

	for (i = 0; i < MAX_SESSIONS; i++)
		if (!strcmp(sessions[i].name, name))
			return i;
	return -1;
}

/* A session that was just created or retrieved becomes the current one. */
static int open_session(const char *name, int (*how)(struct vmm_luo *, const char *))
{
	int slot = find_session("");
	int ret;

	if (slot < 0)
		return -ENOSPC;
	if (strlen(name) >= sizeof(sessions[0].name))
		return -EINVAL;
	ret = how(&luo, name);
	if (ret)
		return ret;
	strcpy(sessions[slot].name, name);
	sessions[slot].fd = luo.session;
	cur_session = slot;
	return 0;
}

/* create NAME */
int cmd_create(int argc, char **argv)
{
	return argc == 1 ? open_session(argv[0], vmm_session_create) : -EINVAL;
}

/* session NAME: make another one the current one */
int cmd_session(int argc, char **argv)
{
	int slot = argc == 1 ? find_session(argv[0]) : -1;

	if (slot < 0)
		return -EINVAL;
	cur_session = slot;
	luo.session = sessions[slot].fd;
	return 0;
}

static int preserve_ram(void)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < GUEST_SPARE && !ret; i++)
		if (guest.files[i].ram.fd >= 0)
			ret = vmm_preserve(&luo, guest.files[i].ram.fd, VMM_TOKEN_RAM + i);
	return ret;
}

/*
 * preserve [ram|dev|spare]: RAM first, then the device that reaches it; or the device's spare
 * memory and the device
 */
int cmd_preserve(int argc, char **argv)
{
	bool spare_too = argc && !strcmp(argv[0], "spare");
	bool ram_too = !argc || !strcmp(argv[0], "ram");
	bool dev_too = !argc || !strcmp(argv[0], "dev") || spare_too;
	unsigned int spare = GUEST_SPARE + guest.cur;
	struct guest_dev *dev = guest_dev();
	int ret = 0;

	if (argc > 1 || (!ram_too && !dev_too))
		return -EINVAL;
	say_phase("preserve");
	if (ram_too)
		ret = preserve_ram();
	if (spare_too)
		ret = vmm_preserve(&luo, guest.files[spare].ram.fd, VMM_TOKEN_RAM + spare);
	if (!ret && dev_too)
		ret = vmm_preserve(&luo, dev->vmm.fd, VMM_TOKEN_DEV + guest.cur);
	if (ret)
		return ret;
	if (dev_too)
		dev->session = cur_session;
	ret = guest_remember();
	if (!ret)
		box_mark_active("preserved");
	return ret;
}

/* update_preserve() - into the current session. */
int update_preserve(int fd, uint64_t token)
{
	return vmm_preserve(&luo, fd, token);
}

/* close-session: in the old kernel this un-preserves */
int cmd_close_session(int argc, char **argv)
{
	unsigned int i;
	int ret;

	(void)argv;
	if (argc || cur_session < 0)
		return -EINVAL;
	ret = vmm_session_close(&luo);
	if (ret)
		return ret;
	for (i = 0; i < VMM_MAX_DEVS; i++)
		if (guest.devs[i].session == cur_session)
			guest.devs[i].session = -1;
	sessions[cur_session].name[0] = '\0';
	cur_session = -1;
	box_mark_active("unpreserved");
	return 0;
}

/* load [WORD]: the next kernel; WORD goes to the end of its command line */
int cmd_load(int argc, char **argv)
{
	return argc > 1 ? -EINVAL : vmm_kexec_load(guest.boot + 1, argc ? argv[0] : "");
}

/* kexec: into it */
int cmd_kexec(int argc, char **argv)
{
	int ret;

	(void)argv;
	if (argc)
		return -EINVAL;
	box_mark("freeze");
	say_phase("freeze");
	ret = vmm_kexec_jump();
	box_mark("rolled-back");
	return ret;
}

static int retrieve_ram(void)
{
	struct vmm_ram *ram = &guest.files[GUEST_RAM].ram;
	uint32_t files;
	unsigned int i;
	int ret, fd;

	fd = vmm_retrieve(&luo, VMM_TOKEN_RAM + GUEST_RAM);
	if (fd < 0)
		return fd;
	ram->fd = fd;
	ret = vmm_ram_mmap(ram);
	if (!ret)
		ret = guest_recall(&files);
	for (i = GUEST_RAM + 1; i < GUEST_FILES && !ret; i++) {
		if (!(files & 1u << i))
			continue;
		fd = vmm_retrieve(&luo, VMM_TOKEN_RAM + i);
		if (fd < 0)
			return fd;
		guest.files[i].ram.fd = fd;
		ret = vmm_ram_mmap(&guest.files[i].ram);
	}
	return ret;
}

/* update_retrieve_dev() - the current device's file; to one process at a time. */
int update_retrieve_dev(void)
{
	return vmm_retrieve(&luo, VMM_TOKEN_DEV + guest.cur);
}

static int retrieve_file(void)
{
	struct guest_dev *dev = guest_dev();
	int ret;

	if (dev->state != GUEST_NONE)
		return -EALREADY;
	ret = update_retrieve_dev();
	if (ret < 0)
		return ret;
	dev->vmm.fd = ret;
	return 0;
}

static int retrieve_dev(const char *with, bool bare)
{
	struct guest_dev *dev = guest_dev();
	int ret = retrieve_file();

	if (ret)
		return ret;
	ret = guest_bind(with);
	if (!ret && vmm_bar0_mmap(&dev->vmm) && !bare)
		ret = -EIO;
	if (ret) {
		vmm_dev_close(&dev->vmm);
		return ret;
	}
	dev->state = GUEST_FROZEN;
	ret = bare ? 0 : receive_resume();
	if (!ret)
		box_mark("retrieved");
	return ret;
}

/* retrieve NAME [ram]: session, RAM, and the current device, bound to a new iommufd */
int cmd_retrieve(int argc, char **argv)
{
	bool ram_only = argc == 2 && !strcmp(argv[1], "ram");
	int ret;

	if (argc != 1 && !ram_only)
		return -EINVAL;
	say_phase("retrieve");
	ret = open_session(argv[0], vmm_session_retrieve);
	if (!ret)
		ret = retrieve_ram();
	return ret || ram_only ? ret : retrieve_dev(NULL, false);
}

/*
 * retrieve-dev [with N | unbound | bare]: one more device of the session, see open; unbound: its
 * file only
 */
int cmd_retrieve_dev(int argc, char **argv)
{
	bool bare = argc == 1 && !strcmp(argv[0], "bare");

	if (argc == 1 && !strcmp(argv[0], "unbound"))
		return retrieve_file();
	if (argc && !bare && (argc != 2 || strcmp(argv[0], "with")))
		return -EINVAL;
	return retrieve_dev(argc == 2 ? argv[1] : NULL, bare);
}

/* finish */
int cmd_finish(int argc, char **argv)
{
	int ret;

	(void)argv;
	if (argc)
		return -EINVAL;
	ret = vmm_finish(&luo);
	if (!ret)
		box_mark_active("finished");
	return ret;
}
