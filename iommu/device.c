// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/iommu-freeze, see <linux/iommu-freeze.h> in uapi.
 *
 * Structure: none of its own; each ioctl asks query.c, incoming.c or trial.c.
 *
 * Locking: theirs. Nothing is kept between two ioctls, so a listing by index may
 * miss or repeat a device while others come and go.
 *
 * Fails: for anybody without CAP_SYS_ADMIN; where addresses would be told, under
 * lockdown (confidentiality).
 */
#include <linux/capability.h>
#include <linux/kho/abi/iommu-freeze.h>
#include <linux/kexec_handover.h>
#include <linux/ktime.h>
#include <linux/liveupdate.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommu-freeze.h>

#include "image.h"
#include "import.h"
#include "incoming.h"
#include "query.h"
#include "trial.h"

static_assert(IOMMU_FREEZE_DIGEST_LEN == FRZ_DIGEST_LEN);

#define EXTENTS_AT_ONCE	1024

union request {
	struct {
		u32 size;
		u32 flags;
	};
	struct iommu_freeze_info info;
	struct iommu_freeze_device device;
	struct iommu_freeze_extents extents;
	struct iommu_freeze_verify verify;
	struct iommu_freeze_discard discard;
	struct iommu_freeze_trial trial;
};

static bool addresses_hidden(void)
{
	return security_locked_down(LOCKDOWN_KCORE);
}

static int get_info(union request *req)
{
	struct iommu_freeze_info *info = &req->info;

	if (kho_is_enabled())
		info->status |= IOMMU_FREEZE_STATUS_KHO;
	if (liveupdate_enabled())
		info->status |= IOMMU_FREEZE_STATUS_LIVEUPDATE;
	if (frz_import_bad())
		info->status |= IOMMU_FREEZE_STATUS_BAD;
	info->status |= frz_image_status();
	info->blob_version = FRZ_BLOB_VERSION;
	info->nr_outgoing = frz_query_count(IOMMU_FREEZE_OUTGOING);
	info->nr_incoming = frz_query_count(IOMMU_FREEZE_INCOMING);
	info->generation = frz_import_generation();
	info->scratch = kho_scratch_size(&info->scratch_largest);
	return 0;
}

static int do_list(union request *req)
{
	struct iommu_freeze_device *dev = &req->device;
	int ret = frz_query_list(dev);

	if (addresses_hidden())
		dev->reg_base = 0;
	return ret;
}

/*
 * In pieces of our own: the user's memory, which may be slow or never answer, is
 * only touched when no lock is held.
 */
static int do_extents(union request *req)
{
	struct iommu_freeze_extents *x = &req->extents;
	u32 left = x->nr, room = min_t(u32, left, EXTENTS_AT_ONCE);
	struct iommu_freeze_extents piece = *x;
	struct iommu_freeze_extent *extents;
	int ret;

	if (addresses_hidden())
		return -EPERM;
	extents = kvmalloc_array(room, sizeof(*extents), GFP_KERNEL);
	if (room && !extents)
		return -ENOMEM;
	x->nr = 0;
	do {
		piece.nr = min(left, room);
		ret = frz_query_extents(&piece, extents);
		if (ret)
			break;
		if (copy_to_user(u64_to_user_ptr(x->extents) +
				 x->nr * sizeof(*extents), extents,
				 piece.nr * sizeof(*extents))) {
			ret = -EFAULT;
			break;
		}
		x->total = piece.total;
		x->nr += piece.nr;
		left -= piece.nr;
		if (piece.nr)
			piece.start = extents[piece.nr - 1].iova +
				      extents[piece.nr - 1].len;
		cond_resched();
	} while (left && piece.nr == room);
	kvfree(extents);
	return ret;
}

static int do_verify(union request *req)
{
	struct iommu_freeze_verify *verify = &req->verify;
	ktime_t begin = ktime_get();
	int ret = frz_query_verify(verify);

	verify->us = ktime_us_delta(ktime_get(), begin);
	if (addresses_hidden()) {
		verify->frozen_pa = 0;
		verify->now_pa = 0;
	}
	return ret;
}

static int do_discard(union request *req)
{
	return frz_incoming_discard(req->discard.segment, req->discard.devid);
}

static int do_trial(union request *req)
{
	return frz_trial(&req->trial);
}

/*
 * @size is what this kernel knows, @input how much of it the user sets: what
 * follows is ignored on the way in.
 */
static const struct {
	unsigned int cmd;
	size_t size;
	size_t input;
	int (*run)(union request *req);
} ioctls[] = {
	{ IOMMU_FREEZE_GET_INFO, sizeof(struct iommu_freeze_info),
	  offsetofend(struct iommu_freeze_info, flags), get_info },
	{ IOMMU_FREEZE_LIST, sizeof(struct iommu_freeze_device),
	  offsetofend(struct iommu_freeze_device, index), do_list },
	{ IOMMU_FREEZE_EXTENTS, sizeof(struct iommu_freeze_extents),
	  sizeof(struct iommu_freeze_extents), do_extents },
	{ IOMMU_FREEZE_VERIFY, sizeof(struct iommu_freeze_verify),
	  offsetofend(struct iommu_freeze_verify, devid), do_verify },
	{ IOMMU_FREEZE_DISCARD, sizeof(struct iommu_freeze_discard),
	  sizeof(struct iommu_freeze_discard), do_discard },
	{ IOMMU_FREEZE_TRIAL, sizeof(struct iommu_freeze_trial),
	  offsetofend(struct iommu_freeze_trial, devid), do_trial },
};

static long freeze_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *uptr = (void __user *)arg;
	union request req = {};
	unsigned int i;
	u32 user_size;
	int ret;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;

	for (i = 0; i < ARRAY_SIZE(ioctls); i++)
		if (ioctls[i].cmd == cmd)
			break;
	if (i == ARRAY_SIZE(ioctls))
		return -ENOTTY;

	ret = get_user(user_size, (u32 __user *)uptr);
	if (ret)
		return ret;
	if (user_size < ioctls[i].input)
		return -EINVAL;
	ret = copy_struct_from_user(&req, ioctls[i].size, uptr, user_size);
	if (ret)
		return ret;
	if (req.flags)
		return -EOPNOTSUPP;
	memset((void *)&req + ioctls[i].input, 0,
	       sizeof(req) - ioctls[i].input);

	ret = ioctls[i].run(&req);
	if (ret)
		return ret;
	if (copy_to_user(uptr, &req, min_t(size_t, user_size, ioctls[i].size)))
		return -EFAULT;
	return 0;
}

static const struct file_operations freeze_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = freeze_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice freeze_miscdev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "iommu-freeze",
	.mode = 0600,
	.fops = &freeze_fops,
};

builtin_misc_device(freeze_miscdev);
