// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load the next kernel and jump into it. The next kernel gets this kernel's own files: its initrd
 * is packed here from the running root (init, scenario, kernel image), so that every kernel of a
 * chain can start another one.
 *
 * Loading is the slow part and may fail at leisure; the jump is one system call.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vmm.h"

#define WHITE		"\n\t "

/* As the architecture's kernels are called. */
#ifdef __aarch64__
#define KERNEL_PATH	"/boot/Image"
#else
#define KERNEL_PATH	"/boot/bzImage"
#endif

/* One cpio ("newc") header with its name, padded to four bytes. */
static int cpio_header(int out, const char *name, unsigned int mode, uint64_t size, int ino)
{
	/* inode, mode, uid, gid, links, mtime, size, device (4), length of the name, checksum */
	unsigned int fields[] = {
		ino, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, strlen(name) + 1, 0,
	};
	char head[512];
	size_t i;
	int len;

	len = snprintf(head, sizeof(head), "070701");
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		len += snprintf(head + len, sizeof(head) - len, "%08X", fields[i]);
	len += snprintf(head + len, sizeof(head) - len, "%s", name) + 1;
	memset(head + len, 0, 3);
	len = (len + 3) & ~3;
	return write(out, head, len) == len ? 0 : -EIO;
}

static int cpio_file(int out, const char *path, int ino)
{
	static const char zero[4];
	struct stat st;
	int in, ret;
	off_t left;

	in = open(path, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return -errno;
	ret = fstat(in, &st) ? -errno : cpio_header(out, path + 1, st.st_mode, st.st_size, ino);
	for (left = st.st_size; !ret && left;) {
		ssize_t n = sendfile(out, in, NULL, left);

		if (n <= 0)
			ret = -EIO;
		else
			left -= n;
	}
	close(in);
	if (!ret && st.st_size % 4 && write(out, zero, 4 - st.st_size % 4) < 0)
		ret = -EIO;
	return ret;
}

static int cpio_dir(int out, const char *path, int *ino)
{
	struct dirent *entry;
	char file[320];
	int ret;
	DIR *dir;

	dir = opendir(path);
	if (!dir)
		return -errno;
	ret = cpio_header(out, path + 1, S_IFDIR | 0755, 0, (*ino)++);
	while (!ret && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		ret = cpio_file(out, file, (*ino)++);
	}
	closedir(dir);
	return ret;
}

static int pack_initrd(void)
{
	int fd = memfd_create("initrd", MFD_CLOEXEC);
	int ino = 1, ret;

	if (fd < 0)
		return -errno;
	/* Mount points and the console, without which init has no output. */
	ret = cpio_header(fd, "dev", S_IFDIR | 0755, 0, ino++);
	if (!ret)
		ret = cpio_header(fd, "proc", S_IFDIR | 0755, 0, ino++);
	if (!ret)
		ret = cpio_header(fd, "sys", S_IFDIR | 0755, 0, ino++);
	if (!ret)
		ret = cpio_file(fd, "/init", ino++);
	if (!ret)
		ret = cpio_dir(fd, "/scenario", &ino);
	if (!ret)
		ret = cpio_dir(fd, "/boot", &ino);
	if (!ret)
		ret = cpio_header(fd, "TRAILER!!!", 0, 0, 0);
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

/* This kernel's command line with another hil.boot=N. */
static int next_cmdline(char *out, size_t size, unsigned int next_boot)
{
	char line[2048], *word, *save;
	size_t len = 0;
	FILE *f;

	f = fopen("/proc/cmdline", "re");
	if (!f)
		return -errno;
	if (!fgets(line, sizeof(line), f))
		line[0] = 0;
	fclose(f);
	out[0] = 0;
	for (word = strtok_r(line, WHITE, &save); word; word = strtok_r(NULL, WHITE, &save))
		if (strncmp(word, "hil.boot=", 9))
			len += snprintf(out + len, size - len, "%s ", word);
	snprintf(out + len, size - len, "hil.boot=%u", next_boot);
	return 0;
}

/**
 * vmm_kexec_load() - load /boot/bzImage, or /boot/Image, as the next kernel.
 * @next_boot: which script it runs
 * @append: goes to the end of its command line
 *
 * Return: 0 or a negative errno.
 */
int vmm_kexec_load(unsigned int next_boot, const char *append)
{
	int kernel, initrd, ret;
	char cmdline[2048];
	size_t len;

	ret = next_cmdline(cmdline, sizeof(cmdline), next_boot);
	if (ret)
		return ret;
	len = strlen(cmdline);
	if ((size_t)snprintf(cmdline + len, sizeof(cmdline) - len, " %s", append) >=
	    sizeof(cmdline) - len)
		return -E2BIG;
	kernel = open(KERNEL_PATH, O_RDONLY | O_CLOEXEC);
	if (kernel < 0)
		return -errno;
	initrd = pack_initrd();
	if (initrd < 0) {
		close(kernel);
		return initrd;
	}
	if (syscall(SYS_kexec_file_load, kernel, initrd, strlen(cmdline) + 1, cmdline, 0ul))
		ret = -errno;
	close(initrd);
	close(kernel);
	return ret;
}

/**
 * vmm_kexec_jump() - into the loaded kernel. LUO freezes all sessions on the way.
 *
 * Return: only when it fails, a negative errno: then everything still runs as before.
 */
int vmm_kexec_jump(void)
{
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
	return -errno;
}
