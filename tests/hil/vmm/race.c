// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands that do two things at once: a preserve of the current device, which takes as long as
 * there is much to encode ("map copies N"), and what must not get past it. They make sessions of
 * their own and close them again, and tell the walker nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "guest.h"
#include "script.h"

/* What a preserve must hold off. Each returns 0 or a negative errno. */
static int race_attach(void)
{
	return vmm_attach(&guest_dev()->vmm, guest_space()->vmm.hwpts[1]);
}

static int race_detach(void)
{
	return vmm_detach(&guest_dev()->vmm);
}

static int race_irqs(void)
{
	return vmm_irqs(&guest_dev()->vmm, true);
}

static int race_reset(void)
{
	return vmm_reset(&guest_dev()->vmm);
}

static int race_hot_reset(void)
{
	return cmd_hot_reset(0, NULL);
}

static int race_low_power(void)
{
	return cmd_low_power(0, NULL);
}

static const struct {
	const char *name;
	int (*call)(void);
} calls[] = {
	{ "attach", race_attach }, { "detach", race_detach }, { "irqs", race_irqs },
	{ "reset", race_reset }, { "hot-reset", race_hot_reset }, { "low-power", race_low_power },
};

/* A session with guest RAM in it. */
static int begin(struct vmm_luo *luo)
{
	unsigned int i;
	int ret = vmm_session_create(luo, "race");

	for (i = 0; i < GUEST_FILES && !ret; i++)
		if (guest.files[i].ram.fd >= 0)
			ret = vmm_preserve(luo, guest.files[i].ram.fd, VMM_TOKEN_RAM + i);
	return ret;
}

/* /dev/liveupdate is for one at a time. */
static void end(struct vmm_luo *luo)
{
	if (luo->session >= 0)
		vmm_session_close(luo);
	if (luo->fd >= 0)
		close(luo->fd);
	luo->fd = -1;
}

static int preserve(struct vmm_luo *luo)
{
	return vmm_preserve(luo, guest_dev()->vmm.fd, VMM_TOKEN_DEV + guest.cur);
}

/* The map is locked early in a preserve: there is nothing here to unmap, which is another errno. */
static bool map_locked(void)
{
	return vmm_unmap(&guest_space()->vmm, 16 * HIL_PAGE, HIL_PAGE) == -EBUSY;
}

/* race attach|detach|irqs|reset|hot-reset|low-power: in the middle of a preserve; its errno */
int cmd_race(int argc, char **argv)
{
	struct vmm_luo luo = { .fd = -1, .session = -1 };
	bool running = true;
	int ret, status;
	size_t i;
	pid_t pid;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (argc == 1 && !strcmp(argv[0], calls[i].name))
			break;
	if (i == sizeof(calls) / sizeof(calls[0]))
		return -EINVAL;
	ret = begin(&luo);
	if (ret)
		goto out;
	pid = fork();
	if (pid < 0) {
		ret = -errno;
		goto out;
	}
	if (!pid)
		_exit(-preserve(&luo));
	while (running && !map_locked())
		running = !waitpid(pid, &status, WNOHANG);
	if (running)
		running = !waitpid(pid, &status, WNOHANG);
	if (!running) {
		say("race: the preserve was over before it was met");
		ret = -ETIMEDOUT;
		goto out;
	}
	ret = calls[i].call();
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status)) {
		say("race: the preserve failed, status %#x", status);
		ret = -EUCLEAN;
	}
out:
	end(&luo);
	return ret;
}

struct storm {
	unsigned long changed, busy, failed;
};

static void storm(struct storm *count)
{
	static int (*const steps[])(void) = { race_detach, race_attach, race_irqs };
	unsigned int i;
	int ret;

	for (i = 0;; i++) {
		ret = steps[i % 3]();
		if (i % 3 == 2)
			vmm_irqs(&guest_dev()->vmm, false);
		if (!ret)
			count->changed++;
		else if (ret == -EBUSY)
			count->busy++;
		else
			count->failed++;
	}
}

/*
 * storm ROUNDS: preserve and unpreserve, while another process detaches, attaches and sets up
 * interrupts as fast as it can. The device is attached and quiet afterwards.
 */
int cmd_storm(int argc, char **argv)
{
	unsigned long rounds = argc == 1 ? strtoul(argv[0], NULL, 0) : 0;
	unsigned long preserved = 0, refused = 0;
	struct vmm_luo luo = { .fd = -1, .session = -1 };
	struct storm *count;
	int ret = 0;
	pid_t pid;

	if (!rounds)
		return -EINVAL;
	count = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (count == MAP_FAILED)
		return -errno;
	pid = fork();
	if (!pid)
		storm(count);
	if (pid < 0)
		ret = -errno;
	while (!ret && rounds--) {
		ret = begin(&luo);
		if (!ret)
			ret = preserve(&luo);
		/* Detached, or with interrupts on, just then. */
		refused += ret == -EOPNOTSUPP;
		preserved += !ret;
		if (ret == -EOPNOTSUPP)
			ret = 0;
		end(&luo);
	}
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	say("storm preserved=%lu refused=%lu changed=%lu busy=%lu failed=%lu", preserved, refused,
	    count->changed, count->busy, count->failed);
	if (!ret && (!preserved || !count->changed || !count->busy || count->failed))
		ret = -EUCLEAN;
	munmap(count, sizeof(*count));
	vmm_irqs(&guest_dev()->vmm, false);
	vmm_detach(&guest_dev()->vmm);
	return ret ?: vmm_attach(&guest_dev()->vmm, guest_space()->vmm.hwpts[0]);
}

static pid_t unbinder;

/*
 * unbind BDF: through sysfs, by somebody else, while the device is in use: returns when it waits
 * for us to close the device
 */
int cmd_unbind(int argc, char **argv)
{
	double begun = now();
	char path[96];
	struct stat st;
	unsigned int i;

	if (argc != 1)
		return -EINVAL;
	unbinder = fork();
	if (unbinder < 0)
		return -errno;
	if (!unbinder) {
		/* What it has open or mapped nobody else can close. */
		for (i = 0; i < VMM_MAX_DEVS; i++)
			if (guest.devs[i].vmm.bar0)
				munmap(guest.devs[i].vmm.bar0, guest.devs[i].vmm.bar0_size);
		close_range(0, ~0u, 0);
		_exit(vmm_write_file("/sys/bus/pci/drivers/vfio-pci/unbind", argv[0]) ? 1 : 0);
	}
	/* The cdev goes when the unbind has begun, holding the device's lock. */
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", argv[0]);
	while (!stat(path, &st)) {
		if (now() - begun > 30)
			return -ETIMEDOUT;
		usleep(10000);
	}
	return 0;
}

/* unbound: the unbind is through */
int cmd_unbound(int argc, char **argv)
{
	int status;

	(void)argv;
	if (argc)
		return -EINVAL;
	if (waitpid(unbinder, &status, 0) != unbinder)
		return -errno;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}
