// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: /dev/iommu-freeze
 *
 * Structure: one open file, for the life of the program. No lock. Every call may
 * fail; the reason is told here, in words that say what to do.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "tool.h"

static int node = -1;

/**
 * kernel_open - open the kernel's interface
 *
 * Return: OUTCOME_OK, OUTCOME_UNSUPPORTED, OUTCOME_DENIED, OUTCOME_FAILED.
 */
enum outcome kernel_open(void)
{
	node = open(DEVICE_NODE, O_RDWR | O_CLOEXEC);
	if (node >= 0)
		return OUTCOME_OK;
	switch (errno) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		say("%s: not there: the kernel lacks CONFIG_IOMMU_FREEZE, or it is off",
		    DEVICE_NODE);
		return OUTCOME_UNSUPPORTED;
	case EACCES:
	case EPERM:
		say(DEVICE_NODE ": %s: run as root", strerror(errno));
		return OUTCOME_DENIED;
	default:
		say(DEVICE_NODE ": %s", strerror(errno));
		return OUTCOME_FAILED;
	}
}

/* what: the object and the deed, for the message */
static enum outcome refused(const char *what, int error)
{
	switch (error) {
	case EPERM:
	case EACCES:
		say("%s: not permitted: needs CAP_SYS_ADMIN, and no kernel lockdown", what);
		return OUTCOME_DENIED;
	case ENOTTY:
	case EOPNOTSUPP:
	case E2BIG:
		say("%s: this kernel cannot do it: use the tool of its version", what);
		return OUTCOME_UNSUPPORTED;
	case ENOENT:
		say("%s: not frozen any more: see '" TOOL " list'", what);
		return OUTCOME_FAILED;
	default:
		say("%s: %s", what, strerror(error));
		return OUTCOME_FAILED;
	}
}

static int call(unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(node, request, arg);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? errno : 0;
}

static const char *deed(const struct iommu_freeze_device *dev, const char *verb,
			char *buf, size_t len)
{
	struct bdf bdf = select_bdf(dev);
	char place[BDF_LEN];

	snprintf(buf, len, "%s: %s", print_bdf(&bdf, place), verb);
	return buf;
}

/**
 * kernel_info - the kernel's side as a whole
 * @info: filled
 *
 * Return: outcome.
 */
enum outcome kernel_info(struct iommu_freeze_info *info)
{
	int error;

	*info = (struct iommu_freeze_info){ .size = sizeof(*info) };
	error = call(IOMMU_FREEZE_GET_INFO, info);
	return error ? refused(DEVICE_NODE, error) : OUTCOME_OK;
}

/**
 * kernel_list - one device of the list
 * @dev: filled
 * @direction: enum iommu_freeze_direction
 * @index: from 0
 * @end: set when there is no device of that index
 *
 * Return: outcome.
 */
enum outcome kernel_list(struct iommu_freeze_device *dev, u32 direction,
			 u32 index, bool *end)
{
	int error;

	*dev = (struct iommu_freeze_device){
		.size = sizeof(*dev), .direction = direction, .index = index,
	};
	error = call(IOMMU_FREEZE_LIST, dev);
	*end = error == ENOENT;
	return error && !*end ? refused(DEVICE_NODE ": list", error) : OUTCOME_OK;
}

/**
 * kernel_extents - some extents of a device
 * @extents: nr, start and extents are input; filled
 * @dev: device
 *
 * Return: outcome.
 */
enum outcome kernel_extents(struct iommu_freeze_extents *extents,
			    const struct iommu_freeze_device *dev)
{
	char what[64];
	int error;

	extents->size = sizeof(*extents);
	extents->flags = 0;
	extents->direction = dev->direction;
	extents->segment = dev->segment;
	extents->devid = dev->devid;
	error = call(IOMMU_FREEZE_EXTENTS, extents);
	if (!error)
		return OUTCOME_OK;
	deed(dev, "extents", what, sizeof(what));
	if (error == EIO) {
		say("%s: the frozen tables cannot be read: see '" TOOL " verify'", what);
		return OUTCOME_FAILED;
	}
	return refused(what, error);
}

/**
 * kernel_verify - compare what hardware uses with what was frozen
 * @verify: filled
 * @dev: device
 *
 * Return: outcome of the call; what was found is in @verify->result.
 */
enum outcome kernel_verify(struct iommu_freeze_verify *verify,
			   const struct iommu_freeze_device *dev)
{
	char what[64];
	int error;

	*verify = (struct iommu_freeze_verify){
		.size = sizeof(*verify),
		.direction = dev->direction,
		.segment = dev->segment,
		.devid = dev->devid,
	};
	error = call(IOMMU_FREEZE_VERIFY, verify);
	if (!error)
		return OUTCOME_OK;
	return refused(deed(dev, "verify", what, sizeof(what)), error);
}

/**
 * kernel_trial - what a preserve of a device would find
 * @trial: filled
 * @bdf: the device, any PCI device
 * @there: set to whether there is such a device
 *
 * Return: outcome of the call; what was found is in @trial.
 */
enum outcome kernel_trial(struct iommu_freeze_trial *trial, const struct bdf *bdf,
			  bool *there)
{
	char what[64], place[BDF_LEN];
	int error;

	*trial = (struct iommu_freeze_trial){
		.size = sizeof(*trial), .segment = bdf->segment, .devid = bdf->devid,
	};
	error = call(IOMMU_FREEZE_TRIAL, trial);
	*there = error != ENOENT;
	if (!error || error == ENOENT)
		return OUTCOME_OK;
	snprintf(what, sizeof(what), "%s: trial", print_bdf(bdf, place));
	/* The struct has no tail that is not 0: it is about the tables. */
	if (error == E2BIG) {
		say("%s: its map needs more tables than a handover takes: map larger pages", what);
		return OUTCOME_FAILED;
	}
	return refused(what, error);
}

/**
 * kernel_discard - let go of an incoming device
 * @dev: device
 *
 * Return: outcome.
 */
enum outcome kernel_discard(const struct iommu_freeze_device *dev)
{
	struct iommu_freeze_discard discard = {
		.size = sizeof(discard),
		.segment = dev->segment,
		.devid = dev->devid,
	};
	char what[64];
	int error;

	error = call(IOMMU_FREEZE_DISCARD, &discard);
	if (!error)
		return OUTCOME_OK;
	deed(dev, "discard", what, sizeof(what));
	if (error == EBUSY) {
		say("%s: a VMM has retrieved it: finish its LUO session instead", what);
		return OUTCOME_FAILED;
	}
	return refused(what, error);
}
