// SPDX-License-Identifier: GPL-2.0-only
/*
 * What VFIO does for the Live Update Orchestrator, called by handler.c, and the
 * trial of a device that is in use.
 *
 * Structure: a struct preserved_file for each preserved file, in LUO's
 * private_data.
 *
 * Locking: LUO calls under the session's mutex. preserve takes the device set's
 * lock, which bind, attach, detach and close hold, to the end. It first has the
 * device held, then takes the other locks under which its use is changed (igate,
 * memory_lock), one by one, and looks: who takes such a lock later to change
 * something asks whether it is held. freeze holds memory_lock, as the power state
 * stays the VMM's to change until a device is frozen.
 *
 * Who may fail: preserve, with an errno and one log line that says why; freeze,
 * when something changed behind the preserve, or the device is on its way out;
 * retrieve, for a refused device, or until a driver has it that keeps its DMA
 * going. handler.c holds finish back until hardware has left the frozen domain.
 */
#include <linux/anon_inodes.h>
#include <linux/iommu-freeze.h>
#include <linux/iommufd.h>
#include <linux/liveupdate.h>
#include <linux/slab.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>
#include <uapi/linux/iommu-freeze.h>

#include "../../../vfio/vfio.h"
#include "../iommu/backend.h"
#include "../iommu/check.h"
#include "../iommu/incoming.h"
#include "../iommu/log.h"
#include "../iommu/outgoing.h"
#include "../iommu/store.h"
#include "../iommu/trial.h"
#include "../iommufd/hands.h"
#include "../pci/hands.h"
#include "luo.h"

struct preserved_file {
	struct frz_outgoing_device *out;
	struct iommufd_hw_pagetable *hwpt;
};

static struct vfio_pci_core_device *to_vfio_pci(struct vfio_device *device)
{
	return container_of(device, struct vfio_pci_core_device, vdev);
}

static bool is_vfio_pci(struct vfio_device *device)
{
	return dev_is_pci(device->dev) &&
	       frz_pci_keeps_dma(to_pci_dev(device->dev));
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

static void check_power(struct vfio_pci_core_device *vdev,
			struct frz_findings *f)
{
	lockdep_assert_held(&vdev->memory_lock);
	frz_found(f, IOMMU_FREEZE_OBSTACLE_POWER,
		  vdev->pm_runtime_engaged ||
		  vdev->pdev->current_state != PCI_D0);
}

/* How the device is used, by whoever has it open. Device set lock held. */
static void check_use(struct vfio_device *device, struct frz_findings *f)
{
	struct vfio_pci_core_device *vdev = to_vfio_pci(device);

	lockdep_assert_held(&device->dev_set->lock);

	frz_found(f, IOMMU_FREEZE_OBSTACLE_CDEV,
		  !vfio_device_cdev_opened(device));
	frz_found(f, IOMMU_FREEZE_OBSTACLE_BOUND, !device->iommufd_device);
	frz_found(f, IOMMU_FREEZE_OBSTACLE_ATTACHED, !device->iommufd_attached);
	scoped_guard(rwsem_read, &vdev->memory_lock)
		check_power(vdev, f);
	scoped_guard(mutex, &vdev->igate)
		frz_found(f, IOMMU_FREEZE_OBSTACLE_INTERRUPTS,
			  vdev->irq_type != VFIO_PCI_NUM_IRQS);
}

/* What a device is attached to, NULL if that cannot be frozen. */
static struct iommufd_hw_pagetable *check_hwpt(struct vfio_device *device,
					       struct frz_findings *f)
{
	const struct frz_backend *backend;
	struct iommufd_hw_pagetable *hwpt;

	if (!device->iommufd_device || !device->iommufd_attached)
		return NULL;
	hwpt = iommufd_freeze_check(device->iommufd_device, f);
	/* What a domain of another IOMMU looks like nobody here knows. */
	if (!hwpt || f->found & BIT_ULL(IOMMU_FREEZE_OBSTACLE_IOMMU))
		return NULL;
	backend = frz_backend_of_domain(iommufd_freeze_domain(hwpt));
	if (!frz_found(f, IOMMU_FREEZE_OBSTACLE_DOMAIN, !backend))
		backend->check_domain(iommufd_freeze_domain(hwpt), f);
	/* Tables that nobody here can read */
	return f->found & (BIT_ULL(IOMMU_FREEZE_OBSTACLE_DOMAIN) |
			   BIT_ULL(IOMMU_FREEZE_OBSTACLE_GRANULE)) ? NULL : hwpt;
}

static int vfio_luo_preserve(struct liveupdate_file_op_args *args)
{
	struct vfio_device_file *df = args->file->private_data;
	struct pci_dev *pdev = to_vfio_pci(df->device)->pdev;
	struct iommu_freeze_pages pages;
	struct preserved_file *pf;
	struct frz_findings f = {};
	struct frz_store store;
	int ret;

	pf = kzalloc_obj(*pf);
	if (!pf) {
		frz_warn(pdev, "not preserved: no memory\n");
		return -ENOMEM;
	}

	guard(mutex)(&df->device->dev_set->lock);

	pf->out = frz_outgoing_hold(pdev);
	if (IS_ERR(pf->out)) {
		ret = PTR_ERR(pf->out);
		frz_warn(pdev, "not preserved: %s\n",
			 ret == -EBUSY ? "it is already" : "no memory");
		goto err_free;
	}
	frz_check_device(pdev, &f);
	/* Another file of the same device may be the one that is bound. */
	if (!frz_found(&f, IOMMU_FREEZE_OBSTACLE_BOUND, !df->access_granted)) {
		check_use(df->device, &f);
		pf->hwpt = check_hwpt(df->device, &f);
	}
	ret = frz_refuse(pdev, "preserved", &f);
	if (ret)
		goto err_unhold;

	iommufd_freeze_preserve(pf->hwpt);
	if (iommufd_freeze_device_memory(pf->hwpt, &pages)) {
		ret = frz_refuse_pages(pdev, IOMMU_FREEZE_OBSTACLE_NOT_RAM,
				       pages.iova);
		goto err_unpreserve;
	}
	frz_store_memfd(&store, args);
	ret = frz_outgoing_preserve(pf->out, iommufd_freeze_domain(pf->hwpt),
				    &store);
	if (ret)
		goto err_unpreserve;
	args->private_data = pf;
	args->serialized_data = frz_pci_id(pdev);
	return 0;

err_unpreserve:
	iommufd_freeze_unpreserve(df->device->iommufd_device, pf->hwpt);
err_unhold:
	frz_outgoing_unpreserve(pf->out);
err_free:
	kfree(pf);
	return ret;
}

static void vfio_luo_unpreserve(struct liveupdate_file_op_args *args)
{
	struct vfio_device_file *df = args->file->private_data;
	struct preserved_file *pf = args->private_data;

	guard(mutex)(&df->device->dev_set->lock);
	frz_outgoing_unpreserve(pf->out);
	iommufd_freeze_unpreserve(df->device->iommufd_device, pf->hwpt);
	kfree(pf);
}

/*
 * Whoever unbinds or removes a device holds its lock until the file is closed,
 * which it will not be: device_shutdown() would wait for that lock. A device that
 * is reset from outside VFIO is locked as well.
 */
static int vfio_luo_freeze(struct liveupdate_file_op_args *args)
{
	struct vfio_device_file *df = args->file->private_data;
	struct vfio_pci_core_device *vdev = to_vfio_pci(df->device);
	struct preserved_file *pf = args->private_data;
	struct frz_findings f = {};
	int ret = -EBUSY;

	if (!device_trylock(&vdev->pdev->dev)) {
		frz_warn(vdev->pdev, "not frozen: it is being unbound, removed or reset; close it and unpreserve, or wait\n");
		return -EBUSY;
	}
	/* Power is the VMM's to change until now, through config space. */
	scoped_guard(rwsem_read, &vdev->memory_lock) {
		check_power(vdev, &f);
		if (!frz_refuse(vdev->pdev, "frozen", &f))
			ret = frz_outgoing_freeze(pf->out);
	}
	device_unlock(&vdev->pdev->dev);
	return ret;
}

static void vfio_luo_unfreeze(struct liveupdate_file_op_args *args)
{
	struct preserved_file *pf = args->private_data;

	frz_outgoing_unfreeze(pf->out);
}

/* The vfio_device of a PCI device, registered and with a reference. */
static struct vfio_device *find_device(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *vdev;
	struct vfio_device *device = NULL;

	guard(device)(&pdev->dev);
	if (!frz_pci_keeps_dma(pdev))
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
		frz_warn(pdev, "not retrieved yet: it is not bound to vfio-pci; bind it and try again\n");
		ret = -EAGAIN;
		goto err_pdev;
	}
	df = vfio_allocate_device_file(device);
	if (IS_ERR(df)) {
		ret = PTR_ERR(df);
		goto err_registration;
	}
	if (!frz_incoming_set_owner(pdev, df)) {
		frz_warn(pdev, "not retrieved: somebody has its file open\n");
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
	pr_info_ratelimited("%s: retrieved\n", pci_name(pdev));
	pci_dev_put(pdev);
	return 0;

err_owner:
	frz_incoming_drop_owner(pdev, df);
err_df:
	kfree(df);
err_registration:
	vfio_device_put_registration(device);
err_pdev:
	pci_dev_put(pdev);
	return ret;
}

const struct liveupdate_file_ops frz_luo_ops = {
	.can_preserve = vfio_luo_can_preserve,
	.preserve = vfio_luo_preserve,
	.unpreserve = vfio_luo_unpreserve,
	.freeze = vfio_luo_freeze,
	.unfreeze = vfio_luo_unfreeze,
	.retrieve = vfio_luo_retrieve,
	.get_id = vfio_luo_get_id,
};

static int vfio_trial(struct pci_dev *pdev, struct frz_findings *f,
		      struct iommu_freeze_trial *t)
{
	struct vfio_device *device = find_device(pdev);
	struct iommufd_hw_pagetable *hwpt;
	struct frz_store store;
	int ret = 0;

	/* It was bound a moment ago, see frz_trial(). */
	if (!device)
		return -ENODEV;

	scoped_guard(mutex, &device->dev_set->lock) {
		if (!device->open_count)
			break;
		t->use = iommu_freeze_pci_may_change(pdev) ?
			 IOMMU_FREEZE_IS_PRESERVED : IOMMU_FREEZE_IN_USE;
		check_use(device, f);
		hwpt = check_hwpt(device, f);
		if (!hwpt)
			break;
		frz_store_memfd_trial(&store);
		iommufd_freeze_hold(hwpt);
		if (!frz_found(f, IOMMU_FREEZE_OBSTACLE_NOT_RAM,
			       iommufd_freeze_device_memory(hwpt, &t->pages[0])))
			ret = frz_trial_serialise(pdev,
						  iommufd_freeze_domain(hwpt),
						  &store, f, t);
		iommufd_freeze_unhold(hwpt);
	}
	vfio_device_put_registration(device);
	return ret;
}

const struct frz_trial_ops frz_luo_trial_ops = {
	.trial = vfio_trial,
};
