// SPDX-License-Identifier: GPL-2.0-only
/*
 * The Live Update Orchestrator's handler for the vfio-pci cdev, and the trial of
 * a device that is in use.
 *
 * Structure: a struct preserved_file for each preserved file, in LUO's
 * private_data. In the new kernel the device record of incoming.c notes which
 * file a device was retrieved as; only that one may open it.
 *
 * Locking: LUO calls under the session's mutex. preserve takes the device set's
 * lock, which bind, attach, detach and close hold.
 *
 * Who may fail: preserve, with an errno and one log line that says why; freeze,
 * when something changed behind the preserve; retrieve, for a refused device.
 * finish is held back by can_finish until hardware has left the frozen domain.
 */
#include <linux/anon_inodes.h>
#include <linux/iommufd.h>
#include <linux/liveupdate.h>
#include <linux/slab.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

#include "../../../vfio/vfio.h"
#include "../iommu/freeze.h"

struct preserved_file {
	struct io_pagetable *iopt;
};

static struct vfio_pci_core_device *to_vfio_pci(struct vfio_device *device)
{
	return container_of(device, struct vfio_pci_core_device, vdev);
}

static bool is_vfio_pci(struct vfio_device *device)
{
	return dev_is_pci(device->dev) && device->ops->name &&
	       !strcmp(device->ops->name, "vfio-pci");
}

static bool vfio_luo_can_preserve(struct liveupdate_file_handler *handler,
				  struct file *file)
{
	struct vfio_device_file *df;

	if (file->f_op != &vfio_device_fops)
		return false;
	df = file->private_data;
	return !df->group && is_vfio_pci(df->device);
}

/* The device is opened once only: the file stands for the device. */
static unsigned long vfio_luo_get_id(struct file *file)
{
	struct vfio_device_file *df = file->private_data;

	return (unsigned long)df->device;
}

/* How the device is used, by whoever has it open. Device set lock held. */
static void look_at_use(struct vfio_device *device, struct frz_findings *f)
{
	struct vfio_pci_core_device *vdev = to_vfio_pci(device);

	lockdep_assert_held(&device->dev_set->lock);

	frz_look(f, IOMMU_FREEZE_OBSTACLE_CDEV,
		 !vfio_device_cdev_opened(device));
	frz_look(f, IOMMU_FREEZE_OBSTACLE_BOUND, !device->iommufd_device);
	frz_look(f, IOMMU_FREEZE_OBSTACLE_ATTACHED, !device->iommufd_attached);
	frz_look(f, IOMMU_FREEZE_OBSTACLE_POWER,
		 vdev->pm_runtime_engaged ||
		 vdev->pdev->current_state != PCI_D0);
	scoped_guard(mutex, &vdev->igate)
		frz_look(f, IOMMU_FREEZE_OBSTACLE_INTERRUPTS,
			 vdev->irq_type != VFIO_PCI_NUM_IRQS);
}

/* The live domain of a device that is attached, NULL if it cannot be frozen. */
static struct iommu_domain *look_at_domain(struct vfio_device *device,
					   struct frz_findings *f,
					   struct io_pagetable **iopt)
{
	struct iommu_domain *live;

	if (!device->iommufd_device || !device->iommufd_attached)
		return NULL;
	live = iommufd_freeze_look(device->iommufd_device, f, iopt);
	/* What a domain of another IOMMU looks like nobody here knows. */
	if (!live || f->found & BIT_ULL(IOMMU_FREEZE_OBSTACLE_IOMMU))
		return NULL;
	frz_vtd_look_at_domain(live, f);
	return f->found & BIT_ULL(IOMMU_FREEZE_OBSTACLE_DOMAIN) ? NULL : live;
}

static int vfio_luo_preserve(struct liveupdate_file_op_args *args)
{
	struct vfio_device_file *df = args->file->private_data;
	struct pci_dev *pdev = to_vfio_pci(df->device)->pdev;
	struct iommu_domain *live = NULL;
	struct iommu_freeze_pages pages;
	struct preserved_file *pf;
	struct frz_findings f = {};
	struct frz_store store;
	int ret;

	pf = kzalloc_obj(*pf);
	if (!pf)
		return -ENOMEM;

	guard(mutex)(&df->device->dev_set->lock);

	frz_look_at_device(pdev, &f);
	/* Another file of the same device may be the one that is bound. */
	if (!frz_look(&f, IOMMU_FREEZE_OBSTACLE_BOUND, !df->access_granted)) {
		look_at_use(df->device, &f);
		live = look_at_domain(df->device, &f, &pf->iopt);
	}
	ret = frz_refuse(pdev, "preserved", &f);
	if (ret)
		goto err_free;

	iommufd_freeze_preserve(pf->iopt);
	if (iommufd_freeze_device_memory(pf->iopt, &pages)) {
		ret = frz_refuse_pages(pdev, IOMMU_FREEZE_OBSTACLE_NOT_RAM,
				       pages.iova);
		goto err_unpreserve;
	}
	frz_store_memfd(&store, args);
	ret = frz_outgoing_preserve(pdev, live, &store);
	if (ret)
		goto err_unpreserve;
	args->private_data = pf;
	args->serialized_data = frz_pci_id(pdev);
	return 0;

err_unpreserve:
	iommufd_freeze_unpreserve(pf->iopt);
err_free:
	kfree(pf);
	return ret;
}

static void vfio_luo_unpreserve(struct liveupdate_file_op_args *args)
{
	struct vfio_device_file *df = args->file->private_data;
	struct preserved_file *pf = args->private_data;

	guard(mutex)(&df->device->dev_set->lock);
	frz_outgoing_unpreserve(to_vfio_pci(df->device)->pdev);
	iommufd_freeze_unpreserve(pf->iopt);
	kfree(pf);
}

static int vfio_luo_freeze(struct liveupdate_file_op_args *args)
{
	struct vfio_device_file *df = args->file->private_data;
	struct pci_dev *pdev = to_vfio_pci(df->device)->pdev;
	struct frz_findings f = {};

	/* Power is the VMM's to change until now, through config space. */
	scoped_guard(mutex, &df->device->dev_set->lock)
		look_at_use(df->device, &f);
	if (frz_refuse(pdev, "frozen", &f))
		return -EBUSY;
	return frz_outgoing_freeze(pdev);
}

static void vfio_luo_unfreeze(struct liveupdate_file_op_args *args)
{
	struct vfio_device_file *df = args->file->private_data;

	frz_outgoing_unfreeze(to_vfio_pci(df->device)->pdev);
}

/* The vfio_device of a PCI device, registered and with a reference. */
static struct vfio_device *find_device(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *vdev;
	struct vfio_device *device = NULL;

	guard(device)(&pdev->dev);
	if (!pdev->driver || strcmp(pdev->driver->name, "vfio-pci"))
		return NULL;
	vdev = pci_get_drvdata(pdev);
	if (vdev && vfio_device_try_get_registration(&vdev->vdev))
		device = &vdev->vdev;
	return device;
}

static int vfio_luo_retrieve(struct liveupdate_file_op_args *args)
{
	struct vfio_device_file *df;
	struct vfio_device *device;
	struct pci_dev *pdev;
	struct file *file;
	int ret;

	pdev = frz_incoming_retrieve(args->serialized_data);
	if (!pdev)
		return -EIO;

	device = find_device(pdev);
	if (!device) {
		frz_warn(pdev, "not retrieved: it is not bound to vfio-pci\n");
		ret = -ENODEV;
		goto err_pdev;
	}
	df = vfio_allocate_device_file(device);
	if (IS_ERR(df)) {
		ret = PTR_ERR(df);
		goto err_registration;
	}
	if (!frz_incoming_set_owner(pdev, df)) {
		ret = -EBUSY;
		goto err_df;
	}
	file = anon_inode_getfile_fmode("[vfio-device]", &vfio_device_fops, df,
					O_RDWR, FMODE_PREAD | FMODE_PWRITE);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto err_owner;
	}
	/* As for a cdev: all mmaps of the device are in one address space. */
	file->f_mapping = device->inode->i_mapping;

	args->file = file;
	frz_info(pdev, "retrieved\n");
	pci_dev_put(pdev);
	return 0;

err_owner:
	frz_incoming_set_owner(pdev, NULL);
err_df:
	kfree(df);
err_registration:
	vfio_device_put_registration(device);
err_pdev:
	pci_dev_put(pdev);
	return ret;
}

static bool vfio_luo_can_finish(struct liveupdate_file_op_args *args)
{
	return frz_incoming_can_finish(args->serialized_data);
}

static void vfio_luo_finish(struct liveupdate_file_op_args *args)
{
	frz_incoming_finish(args->serialized_data);
}

static const struct liveupdate_file_ops vfio_luo_ops = {
	.can_preserve = vfio_luo_can_preserve,
	.preserve = vfio_luo_preserve,
	.unpreserve = vfio_luo_unpreserve,
	.freeze = vfio_luo_freeze,
	.unfreeze = vfio_luo_unfreeze,
	.retrieve = vfio_luo_retrieve,
	.can_finish = vfio_luo_can_finish,
	.finish = vfio_luo_finish,
	.get_id = vfio_luo_get_id,
	.owner = THIS_MODULE,
};

static struct liveupdate_file_handler vfio_luo_handler = {
	.ops = &vfio_luo_ops,
	.compatible = FRZ_LUO_NAME,
};

static int vfio_trial(struct pci_dev *pdev, struct frz_findings *f,
		      struct iommu_freeze_trial *t)
{
	struct vfio_device *device = find_device(pdev);
	struct iommu_domain *live;
	struct io_pagetable *iopt;
	struct frz_store store;
	int ret = 0;

	/* It was bound a moment ago, see frz_trial(). */
	if (!device)
		return -ENODEV;

	scoped_guard(mutex, &device->dev_set->lock) {
		if (!device->open_count)
			break;
		t->use = frz_outgoing_preserved(pdev) ?
			 IOMMU_FREEZE_IS_PRESERVED : IOMMU_FREEZE_IN_USE;
		look_at_use(device, f);
		live = look_at_domain(device, f, &iopt);
		if (!live)
			break;
		frz_store_memfd_trial(&store);
		iommufd_freeze_hold(iopt);
		if (!frz_look(f, IOMMU_FREEZE_OBSTACLE_NOT_RAM,
			      iommufd_freeze_device_memory(iopt, &t->pages[0])))
			ret = frz_trial_serialise(pdev, live, &store, f, t);
		iommufd_freeze_unhold(iopt);
	}
	vfio_device_put_registration(device);
	return ret;
}

static const struct frz_trial_ops trial_ops = {
	.trial = vfio_trial,
};

static bool registered;

/**
 * vfio_freeze_init - Register the handler
 *
 * Return: 0, also without live update; or a negative errno.
 */
int vfio_freeze_init(void)
{
	int ret = liveupdate_register_file_handler(&vfio_luo_handler);

	if (ret && ret != -EOPNOTSUPP)
		return ret;
	registered = !ret;
	frz_trial_register(&trial_ops);
	return 0;
}

/**
 * vfio_freeze_exit - Undo vfio_freeze_init()
 */
void vfio_freeze_exit(void)
{
	frz_trial_unregister();
	if (registered)
		liveupdate_unregister_file_handler(&vfio_luo_handler);
}

/**
 * vfio_freeze_may_open - May this file open its device?
 * @df: the file
 *
 * Context: Device set lock held.
 * Return: 0, or -EBUSY for a frozen device that was not retrieved as @df.
 */
int vfio_freeze_may_open(struct vfio_device_file *df)
{
	struct pci_dev *pdev;

	if (!dev_is_pci(df->device->dev))
		return 0;
	pdev = to_pci_dev(df->device->dev);
	if (frz_incoming_is_owner(pdev, df))
		return 0;
	frz_warn(pdev, "not opened: it is frozen; retrieve its file from /dev/liveupdate\n");
	return -EBUSY;
}

static bool enters_low_power(unsigned long arg)
{
	struct vfio_device_feature feature;

	if (copy_from_user(&feature, (void __user *)arg, sizeof(feature)))
		return false;
	if (!(feature.flags & VFIO_DEVICE_FEATURE_SET))
		return false;
	switch (feature.flags & VFIO_DEVICE_FEATURE_MASK) {
	case VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY:
	case VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP:
		return true;
	}
	return false;
}

/**
 * vfio_freeze_may_ioctl - May this ioctl go on?
 * @df: the file
 * @cmd: the ioctl
 * @arg: its argument
 *
 * Return: 0, or -EBUSY for one that would undo what was preserved, or stop a
 * frozen device.
 */
int vfio_freeze_may_ioctl(struct vfio_device_file *df, unsigned int cmd,
			  unsigned long arg)
{
	struct pci_dev *pdev;
	bool preserved;

	if (!dev_is_pci(df->device->dev))
		return 0;
	pdev = to_pci_dev(df->device->dev);
	preserved = frz_outgoing_preserved(pdev);
	if (!preserved && !iommu_freeze_pci_running(pdev))
		return 0;

	switch (cmd) {
	case VFIO_DEVICE_ATTACH_IOMMUFD_PT:
	case VFIO_DEVICE_DETACH_IOMMUFD_PT:
	case VFIO_DEVICE_SET_IRQS:
		return preserved ? -EBUSY : 0;
	case VFIO_DEVICE_RESET:
	case VFIO_DEVICE_PCI_HOT_RESET:
		return -EBUSY;
	case VFIO_DEVICE_FEATURE:
		return enters_low_power(arg) ? -EBUSY : 0;
	}
	return 0;
}
