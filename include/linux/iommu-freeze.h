/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls that the kernel makes into drivers/iommu/freeze.
 *
 * A frozen domain keeps a device's DMA translated across a kexec. The kernel
 * proper only asks the questions below; everything that answers them lives in
 * drivers/iommu/freeze. Without CONFIG_IOMMU_FREEZE each of them is a constant
 * and the code around it compiles to what it was.
 */
#ifndef _LINUX_IOMMU_FREEZE_H
#define _LINUX_IOMMU_FREEZE_H

#include <linux/errno.h>
#include <linux/types.h>

struct device;
struct file;
struct intel_iommu;
struct iommu_attach_handle;
struct iommu_domain;
struct iommufd_device;
struct iommufd_hw_pagetable;
struct liveupdate_file_op_args;
struct pci_dev;
struct pci_driver;
struct vfio_device;
struct vfio_device_file;

/* Only called where iommufd_freeze_device() said yes. */
int iommufd_freeze_attach(struct iommufd_hw_pagetable *hwpt,
			  struct iommufd_device *idev,
			  struct iommu_attach_handle *handle);

/* drivers/iommu/iommu.c, for drivers/iommu/freeze */
void iommu_group_leave_frozen(struct device *dev);

#ifdef CONFIG_IOMMU_FREEZE

/* drivers/iommu/freeze/iommu */
bool iommu_domain_is_frozen(const struct iommu_domain *domain);
struct iommu_domain *iommu_freeze_adopt(struct device *dev, bool alone);
void iommu_freeze_refuse_all(const char *why);
int iommu_freeze_may_kexec(void);
int iommu_freeze_pci_may_suspend(struct pci_dev *pdev);
bool iommu_freeze_vtd_adopt(struct intel_iommu *iommu);
void iommu_freeze_vtd_ignored(struct intel_iommu *iommu);
bool iommu_freeze_vtd_keep_ir(struct intel_iommu *iommu);
bool iommu_freeze_vtd_shutdown(void);
int iommu_freeze_vtd_replace(struct iommu_domain *domain, struct device *dev,
			     struct iommu_domain *old);

/* drivers/iommu/freeze/pci */
void iommu_freeze_pci_setup(struct pci_dev *pdev);
void iommu_freeze_pci_add(struct pci_dev *pdev);
int iommu_freeze_pci_may_bind(struct pci_dev *pdev,
			      const struct pci_driver *drv);
bool iommu_freeze_pci_keep_master(struct pci_dev *pdev);
bool iommu_freeze_pci_running(struct pci_dev *pdev);
int iommu_freeze_pci_may_change(struct pci_dev *pdev);
int iommu_freeze_pci_may_stop(struct pci_dev *pdev);
void iommu_freeze_pci_saved(struct pci_dev *pdev, bool reset);
void iommu_freeze_pci_write(struct pci_dev *pdev, u8 cap, int offset, u8 *bytes,
			    unsigned int count);

/* drivers/iommu/freeze/iommufd */
bool iommufd_freeze_device(struct iommufd_device *idev);
void iommu_freeze_memfd_begin(const struct liveupdate_file_op_args *args,
			      struct file *file);
int iommu_freeze_memfd_hold(struct file *file);
void iommu_freeze_memfd_lost(struct file *file);

/* drivers/iommu/freeze/vfio */
void vfio_freeze_init(void);
void vfio_freeze_exit(void);
int vfio_freeze_may_open(struct vfio_device_file *df);
void vfio_freeze_closed(struct vfio_device_file *df);
int vfio_freeze_may_change(struct vfio_device *device);

#else /* CONFIG_IOMMU_FREEZE */

static inline bool iommu_domain_is_frozen(const struct iommu_domain *domain)
{
	return false;
}

static inline struct iommu_domain *iommu_freeze_adopt(struct device *dev,
						      bool alone)
{
	return NULL;
}

static inline void iommu_freeze_refuse_all(const char *why)
{
}

static inline int iommu_freeze_may_kexec(void)
{
	return 0;
}

static inline int iommu_freeze_pci_may_suspend(struct pci_dev *pdev)
{
	return 0;
}

static inline bool iommu_freeze_vtd_adopt(struct intel_iommu *iommu)
{
	return false;
}

static inline void iommu_freeze_vtd_ignored(struct intel_iommu *iommu)
{
}

static inline bool iommu_freeze_vtd_keep_ir(struct intel_iommu *iommu)
{
	return false;
}

static inline bool iommu_freeze_vtd_shutdown(void)
{
	return false;
}

static inline int iommu_freeze_vtd_replace(struct iommu_domain *domain,
					   struct device *dev,
					   struct iommu_domain *old)
{
	return -EOPNOTSUPP;
}

static inline void iommu_freeze_pci_setup(struct pci_dev *pdev)
{
}

static inline void iommu_freeze_pci_add(struct pci_dev *pdev)
{
}

static inline int iommu_freeze_pci_may_bind(struct pci_dev *pdev,
					    const struct pci_driver *drv)
{
	return 0;
}

static inline bool iommu_freeze_pci_keep_master(struct pci_dev *pdev)
{
	return false;
}

static inline bool iommu_freeze_pci_running(struct pci_dev *pdev)
{
	return false;
}

static inline int iommu_freeze_pci_may_change(struct pci_dev *pdev)
{
	return 0;
}

static inline int iommu_freeze_pci_may_stop(struct pci_dev *pdev)
{
	return 0;
}

static inline void iommu_freeze_pci_saved(struct pci_dev *pdev, bool reset)
{
}

static inline void iommu_freeze_pci_write(struct pci_dev *pdev, u8 cap,
					  int offset, u8 *bytes,
					  unsigned int count)
{
}

static inline bool iommufd_freeze_device(struct iommufd_device *idev)
{
	return false;
}

static inline void
iommu_freeze_memfd_begin(const struct liveupdate_file_op_args *args,
			 struct file *file)
{
}

static inline int iommu_freeze_memfd_hold(struct file *file)
{
	return 0;
}

static inline void iommu_freeze_memfd_lost(struct file *file)
{
}

static inline void vfio_freeze_init(void)
{
}

static inline void vfio_freeze_exit(void)
{
}

static inline int vfio_freeze_may_open(struct vfio_device_file *df)
{
	return 0;
}

static inline void vfio_freeze_closed(struct vfio_device_file *df)
{
}

static inline int vfio_freeze_may_change(struct vfio_device *device)
{
	return 0;
}

#endif /* CONFIG_IOMMU_FREEZE */

#endif /* _LINUX_IOMMU_FREEZE_H */
