// SPDX-License-Identifier: GPL-2.0-only
/*
 * The Live Update Orchestrator's handler for the vfio-pci cdev, as the Orchestrator
 * knows it.
 *
 * It is built in where VFIO is a module: the Orchestrator looks up the handlers of
 * all files of all sessions when /dev/liveupdate is opened for the first time, and
 * if one is missing then, every session is lost, also those of other VMMs. luo.c
 * does the work.
 *
 * Structure: what VFIO registered, or NULL.
 *
 * Locking: vfio_lock keeps VFIO from going away. Where there is a file of a vfio
 * device, the file keeps it.
 *
 * Fails: retrieve, until VFIO is there; it can be tried again.
 */
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kho/abi/iommu-freeze.h>
#include <linux/liveupdate.h>
#include <linux/pci.h>
#include <linux/rwsem.h>

#include "../iommu/incoming.h"
#include "../iommu/log.h"
#include "handler.h"

static DECLARE_RWSEM(vfio_lock);
static const struct liveupdate_file_ops *vfio;

static bool can_preserve(struct liveupdate_file_handler *handler,
			 struct file *file)
{
	guard(rwsem_read)(&vfio_lock);
	return vfio && vfio->can_preserve(handler, file);
}

static int preserve(struct liveupdate_file_op_args *args)
{
	return vfio->preserve(args);
}

static void unpreserve(struct liveupdate_file_op_args *args)
{
	vfio->unpreserve(args);
}

static int freeze(struct liveupdate_file_op_args *args)
{
	return vfio->freeze(args);
}

static void unfreeze(struct liveupdate_file_op_args *args)
{
	vfio->unfreeze(args);
}

static int retrieve(struct liveupdate_file_op_args *args)
{
	struct pci_dev *pdev;

	guard(rwsem_read)(&vfio_lock);
	if (vfio)
		return vfio->retrieve(args);

	pdev = frz_incoming_retrieve(args->serialized_data);
	if (!pdev)
		return -EIO;
	frz_warn(pdev, "not retrieved yet: VFIO is not loaded; load vfio-pci and try again\n");
	pci_dev_put(pdev);
	return -EAGAIN;
}

static bool can_finish(struct liveupdate_file_op_args *args)
{
	return frz_incoming_can_finish(args->serialized_data);
}

static void finish(struct liveupdate_file_op_args *args)
{
	frz_incoming_finish(args->serialized_data);
}

static unsigned long get_id(struct file *file)
{
	return vfio->get_id(file);
}

static const struct liveupdate_file_ops ops = {
	.can_preserve = can_preserve,
	.preserve = preserve,
	.unpreserve = unpreserve,
	.freeze = freeze,
	.unfreeze = unfreeze,
	.retrieve = retrieve,
	.can_finish = can_finish,
	.finish = finish,
	.get_id = get_id,
	.retrieve_again = true,
};

static struct liveupdate_file_handler handler = {
	.ops = &ops,
	.compatible = FRZ_LUO_NAME,
};

/**
 * frz_luo_register - VFIO is there
 * @vfio_ops: its part of the handler; can_finish and finish are not asked for
 */
void frz_luo_register(const struct liveupdate_file_ops *vfio_ops)
{
	guard(rwsem_write)(&vfio_lock);
	vfio = vfio_ops;
}
EXPORT_SYMBOL_GPL(frz_luo_register);

/**
 * frz_luo_unregister - VFIO goes away
 *
 * Context: May sleep, until a retrieve is through.
 */
void frz_luo_unregister(void)
{
	guard(rwsem_write)(&vfio_lock);
	vfio = NULL;
}
EXPORT_SYMBOL_GPL(frz_luo_unregister);

static int __init frz_luo_init(void)
{
	int ret = liveupdate_register_file_handler(&handler);

	/* Without live update nothing can be preserved, and nothing came. */
	if (ret && ret != -EOPNOTSUPP)
		pr_err("no device can be preserved or retrieved (error %d)\n",
		       ret);
	return 0;
}
late_initcall(frz_luo_init);
