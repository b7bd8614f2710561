// SPDX-License-Identifier: GPL-2.0-only
/*
 * /init of the machine under test: mounts what is needed, reads what the runner wrote on the
 * kernel's command line (hil.boot=, hil.run=, hil.seed=), and plays the script of this kernel.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"
#include "script.h"

static void mount_all(void)
{
	mkdir("/dev", 0755);
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sys", "/sys", "sysfs", 0, NULL);
}

static void read_cmdline(void)
{
	char line[2048], *word, *save;
	FILE *f = fopen("/proc/cmdline", "re");

	if (!f)
		return;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	for (word = strtok_r(line, "\n\t ", &save); word; word = strtok_r(NULL, "\n\t ", &save)) {
		if (!strncmp(word, "hil.boot=", 9))
			guest.boot = atoi(word + 9);
		else if (!strncmp(word, "hil.seed=", 9))
			guest.seed = strtoull(word + 9, NULL, 0);
		else if (!strncmp(word, "hil.run=", 8) && strlen(word + 8) == 2 * HIL_RUN_BYTES)
			hil_run_parse(guest.run, word + 8);
	}
}

int main(void)
{
	char path[64];
	int fd, ret;

	mount_all();
	fd = open("/dev/console", O_RDWR);
	if (fd >= 0) {
		dup2(fd, 0);
		dup2(fd, 1);
		dup2(fd, 2);
	}
	guest_init();
	read_cmdline();
	say("boot=%u", guest.boot);
	ret = box_open();
	if (ret) {
		say("FAILED no memory for the box: %s", strerror(-ret));
		power_off();
	}
	box_mark("boot");
	snprintf(path, sizeof(path), "/scenario/boot%u", guest.boot);
	if (!script_run(path))
		box_mark("end");
	power_off();
}
