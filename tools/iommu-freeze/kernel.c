// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: /dev/iommu-freeze
 *
 * One open file, for the life of the program. Every call may fail; the reason is
 * told here, in words that say what to do.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "kernel.h"

static int node = -1;

/* Not a request; none is 1. */
#define OPEN		1

#define NOT_THERE	"not there: the kernel lacks CONFIG_IOMMU_FREEZE, or it is off"
#define NOT_PERMITTED	"not permitted: needs CAP_SYS_ADMIN, and no kernel lockdown"
#define CANNOT		"this kernel cannot do it: use the tool of its version"

/* What an error means. */
static const struct answer {
	unsigned int request;	/* 0: all that have no answer of their own */
	int error;
	enum outcome outcome;
	const char *text;
} answers[] = {
	{ OPEN, ENOENT, OUTCOME_UNSUPPORTED, NOT_THERE },
	{ OPEN, ENXIO, OUTCOME_UNSUPPORTED, NOT_THERE },
	{ OPEN, ENODEV, OUTCOME_UNSUPPORTED, NOT_THERE },
	{ OPEN, EACCES, OUTCOME_DENIED, "Permission denied: run as root" },
	{ OPEN, EPERM, OUTCOME_DENIED, "Operation not permitted: run as root" },
	{ IOMMU_FREEZE_EXTENTS, EIO, OUTCOME_FAILED,
	  "the frozen tables cannot be read: see '" TOOL " verify'" },
	/* The struct has no tail that is not 0: it is about the tables. */
	{ IOMMU_FREEZE_TRIAL, E2BIG, OUTCOME_FAILED,
	  "its map needs more tables than a handover takes: map larger pages" },
	{ IOMMU_FREEZE_DISCARD, EBUSY, OUTCOME_FAILED,
	  "a VMM has retrieved it: finish its LUO session instead" },
	{ 0, EPERM, OUTCOME_DENIED, NOT_PERMITTED },
	{ 0, EACCES, OUTCOME_DENIED, NOT_PERMITTED },
	{ 0, ENOTTY, OUTCOME_UNSUPPORTED, CANNOT },
	{ 0, EOPNOTSUPP, OUTCOME_UNSUPPORTED, CANNOT },
	{ 0, E2BIG, OUTCOME_UNSUPPORTED, CANNOT },
	{ 0, ENOENT, OUTCOME_FAILED, "not frozen any more: see '" TOOL " list'" },
};

static enum outcome tell(unsigned int request, const char *object)
{
	const struct answer *a;

	for (a = answers; a < answers + ARRAY_SIZE(answers); a++) {
		if (a->error != errno || (a->request && a->request != request))
			continue;
		say("%s: %s", object, a->text);
		return a->outcome;
	}
	return say("%s: %s", object, strerror(errno));
}

/**
 * kernel_ask - ask the kernel, and tell what goes wrong
 * @request: IOMMU_FREEZE_...
 * @arg: its struct, whose input is set; filled
 * @object: what it is about, for messages
 * @missing: set to whether there is no such object, which is no failure then; NULL
 *	when it is one
 *
 * Return: outcome.
 */
enum outcome kernel_ask(unsigned int request, void *arg, const char *object, bool *missing)
{
	int ret;

	do {
		ret = ioctl(node, request, arg);
	} while (ret < 0 && errno == EINTR);
	if (missing)
		*missing = ret < 0 && errno == ENOENT;
	return ret >= 0 || (missing && *missing) ? OUTCOME_OK : tell(request, object);
}

/**
 * kernel_open - open the kernel's interface
 * @info: filled: the kernel's side as a whole
 *
 * Return: outcome.
 */
enum outcome kernel_open(struct iommu_freeze_info *info)
{
	*info = (struct iommu_freeze_info){ .size = sizeof(*info) };
	node = open(DEVICE_NODE, O_RDWR | O_CLOEXEC);
	if (node < 0)
		return tell(OPEN, DEVICE_NODE);
	return kernel_ask(IOMMU_FREEZE_GET_INFO, info, DEVICE_NODE, NULL);
}
