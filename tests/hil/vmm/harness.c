// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands about the run itself: waiting, marks, files of sysfs, modules, the end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "commands.h"
#include "guest.h"
#include "script.h"

/* pause SECONDS */
int cmd_pause(int argc, char **argv)
{
	if (argc != 1)
		return -EINVAL;
	usleep(atof(argv[0]) * 1e6);
	return 0;
}

/* phase NAME: for the observer */
int cmd_phase(int argc, char **argv)
{
	if (argc != 1)
		return -EINVAL;
	say_phase(argv[0]);
	return 0;
}

/* mark NAME: for the walker */
int cmd_mark(int argc, char **argv)
{
	if (argc != 1)
		return -EINVAL;
	box_mark(argv[0]);
	return 0;
}

/* write PATH TEXT: a file of sysfs or procfs */
int cmd_write(int argc, char **argv)
{
	return argc == 2 ? vmm_write_file(argv[0], argv[1]) : -EINVAL;
}

/* modules: those of this kernel, in the order of /boot/order */
int cmd_modules(int argc, char **argv)
{
	char name[64], path[80];
	int fd, ret = 0;
	FILE *order;

	(void)argv;
	if (argc)
		return -EINVAL;
	order = fopen("/boot/order", "re");
	if (!order)
		return -errno;
	while (!ret && fscanf(order, "%63s", name) == 1) {
		snprintf(path, sizeof(path), "/boot/%s.ko", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0)) {
			ret = -errno;
			say("module %s: %s", name, strerror(errno));
		}
		if (fd >= 0)
			close(fd);
	}
	fclose(order);
	return ret;
}

/* remove BDF: take a device away from the kernel, as a hot-unplug does; its DMA must end */
int cmd_remove(int argc, char **argv)
{
	char path[128];

	if (argc != 1)
		return -EINVAL;
	/* What must hold of the device changes somewhere in the middle. */
	box_mark("discard");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", argv[0]);
	return vmm_write_file(path, "1");
}

/*
 * power BDF STATE: the device is in this power state, D0 or D3hot, as PCI knows it; or active or
 * suspended, as runtime PM does
 */
int cmd_power(int argc, char **argv)
{
	char path[128], state[16] = "";
	FILE *f;

	if (argc != 2)
		return -EINVAL;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", argv[0],
		 argv[1][0] == 'D' ? "power_state" : "power/runtime_status");
	f = fopen(path, "re");
	if (!f)
		return -errno;
	if (fscanf(f, "%15s", state) != 1)
		state[0] = '\0';
	fclose(f);
	if (!strcmp(state, argv[1]))
		return 0;
	say("%s is in %s", argv[0], state);
	return -EUCLEAN;
}

int cmd_poweroff(int argc, char **argv)
{
	(void)argv;
	if (argc)
		return -EINVAL;
	box_mark("end");
	power_off();
}

/*
 * leave reboot|poweroff: at once, with all devices as they are. What the kernel does to them on its
 * way is judged, other than after poweroff.
 */
int cmd_leave(int argc, char **argv)
{
	bool off = argc == 1 && !strcmp(argv[0], "poweroff");

	if (!off && (argc != 1 || strcmp(argv[0], "reboot")))
		return -EINVAL;
	box_mark("leave");
	say("done");
	reboot(off ? RB_POWER_OFF : RB_AUTOBOOT);
	return -errno;
}
