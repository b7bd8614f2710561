// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: an image of a kernel, from a file's bytes to the note in it.
 *
 * The file is one in memory, the same for all runs. One thread, no locks.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	/* libFuzzer keeps its own, and the sanitizers write to the descriptor. */
	stderr = fopen("/dev/null", "w");
	return stderr ? 0 : 1;
}

static const char *image(const u8 *data, size_t size)
{
	static char path[64];
	static int fd;

	if (!fd)
		fd = memfd_create("image", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

int LLVMFuzzerTestOneInput(const u8 *input, size_t size);
int LLVMFuzzerTestOneInput(const u8 *input, size_t size)
{
	enum outcome outcome;
	struct target target;

	outcome = target_read(image(input, size), &target);
	/* One of these two, and what counts as looked at is whole. */
	if (outcome == OUTCOME_OK ? !target.kind || target.oldest > target.newest :
	    outcome != OUTCOME_FAILED)
		abort();
	return 0;
}
