/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls that the kernel makes into drivers/iommu/freeze.
 *
 * A frozen domain keeps a device's DMA translated across a kexec. The kernel
 * proper only asks the questions below; everything that answers them lives in
 * drivers/iommu/freeze. Without CONFIG_IOMMU_FREEZE each of them is a constant
 * and the code around it compiles to what it was.
 *
 * What most of PCI and VFIO asks is answered by a word of struct pci_dev, in any
 * context. drivers/iommu/freeze/pci/hands.c sets these words, and says what whoever
 * reads them may rely on.
 */
#ifndef _LINUX_IOMMU_FREEZE_H
#define _LINUX_IOMMU_FREEZE_H

#include <linux/errno.h>
#include <linux/types.h>

struct arm_smmu_device;
struct device;
struct intel_iommu;
struct iommu_attach_handle;
struct iommu_domain;
struct iommufd_device;
struct iommufd_hw_pagetable;
struct pci_dev;
struct pci_driver;
struct vfio_device;
struct vfio_device_file;

/* Only called where iommufd_freeze_device() said yes. */
int iommufd_freeze_attach(struct iommufd_hw_pagetable *hwpt,
			  struct iommufd_device *idev,
			  struct iommu_attach_handle *handle);

/* Only called where iommu_domain_is_frozen() said yes of the domain that was left. */
void iommu_freeze_replaced(struct device *dev);

/* drivers/iommu/iommu.c, for drivers/iommu/freeze */
void iommu_group_leave_frozen(struct device *dev);

#ifdef CONFIG_IOMMU_FREEZE

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/pci.h>

/* drivers/iommu/freeze/iommu */
bool iommu_domain_is_frozen(const struct iommu_domain *domain);
struct iommu_domain *iommu_freeze_adopt(struct device *dev, bool alone);
void iommu_freeze_refuse_all(const char *why);
int iommu_freeze_may_kexec(void);
void iommu_freeze_smmuv3_adopt(struct arm_smmu_device *smmu);
bool iommu_freeze_smmuv3_holds(struct arm_smmu_device *smmu, u32 index);
bool iommu_freeze_smmuv3_is_over(struct arm_smmu_device *smmu);
u32 iommu_freeze_smmuv3_keep(struct arm_smmu_device *smmu);
bool iommu_freeze_smmuv3_shutdown(struct arm_smmu_device *smmu);
bool iommu_freeze_vtd_adopt(struct intel_iommu *iommu);
void iommu_freeze_vtd_ignored(struct intel_iommu *iommu);
bool iommu_freeze_vtd_keep_ir(struct intel_iommu *iommu);
bool iommu_freeze_vtd_shutdown(void);

/* drivers/iommu/freeze/pci */
bool iommu_freeze_pci_keep_config(void);
void iommu_freeze_pci_setup(struct pci_dev *pdev);
void iommu_freeze_pci_add(struct pci_dev *pdev);
int iommu_freeze_pci_may_bind(struct pci_dev *pdev,
			      const struct pci_driver *drv);
bool iommu_freeze_pci_may_suspend(struct pci_dev *pdev);
void iommu_freeze_pci_saved(struct pci_dev *pdev, bool reset);
void iommu_freeze_pci_write(struct pci_dev *pdev, u8 cap, int offset, u8 *bytes,
			    unsigned int count);

/* Bits of pci_dev::freeze_flags, of a function */
enum {
	PCI_FREEZE_HELD,	/* outgoing: to be used as it is used now */
	PCI_FREEZE_FROZEN,	/* outgoing: on its frozen domain */
	PCI_FREEZE_RUNNING,	/* incoming: on its frozen domain */
	PCI_FREEZE_STOPPED,	/* somebody stopped it, and nobody reset it since */
};

/**
 * iommu_freeze_pci_keep_master - Must bus mastering stay on?
 * @pdev: a function or bridge whose bus mastering somebody wants to clear
 *
 * Context: Any.
 * Return: true if it, or a function below it, is on a frozen domain.
 */
static inline bool iommu_freeze_pci_keep_master(const struct pci_dev *pdev)
{
	return atomic_read(&pdev->freeze_dma);
}

/**
 * iommu_freeze_pci_running - Does this device come frozen from the last kernel?
 * @pdev: the device
 *
 * Context: Any.
 * Return: true until its domain is replaced.
 */
static inline bool iommu_freeze_pci_running(const struct pci_dev *pdev)
{
	return test_bit_acquire(PCI_FREEZE_RUNNING, &pdev->freeze_flags);
}

/**
 * iommu_freeze_pci_stopped - Was this device stopped, and not reset since?
 * @pdev: the device
 *
 * Context: Any.
 * Return: true if its DMA was cut off, as it was refused, discarded or removed.
 */
static inline bool iommu_freeze_pci_stopped(const struct pci_dev *pdev)
{
	return test_bit(PCI_FREEZE_STOPPED, &pdev->freeze_flags);
}

/**
 * iommu_freeze_pci_may_change - May attachment or interrupts of a device change?
 * @pdev: the device
 *
 * Context: Any; under the lock that guards what is to change, as a preserve that
 * begins looks at it under the same.
 * Return: 0, or -EBUSY for a preserved device.
 */
static inline int iommu_freeze_pci_may_change(const struct pci_dev *pdev)
{
	return test_bit(PCI_FREEZE_HELD, &pdev->freeze_flags) ? -EBUSY : 0;
}

/**
 * iommu_freeze_pci_may_stop - May a function or bridge be reset, or put to sleep?
 * @pdev: the function or bridge, or NULL
 *
 * Context: As for iommu_freeze_pci_may_change(); a freeze takes the device's lock.
 * Return: 0, or -EBUSY if it, or a function below it, is preserved or comes frozen
 * from the last kernel.
 */
static inline int iommu_freeze_pci_may_stop(const struct pci_dev *pdev)
{
	return pdev && atomic_read(&pdev->freeze_held) ? -EBUSY : 0;
}

/* drivers/iommu/freeze/iommufd */
bool iommufd_freeze_device(struct iommufd_device *idev);

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

static inline void iommu_freeze_smmuv3_adopt(struct arm_smmu_device *smmu)
{
}

static inline bool iommu_freeze_smmuv3_holds(struct arm_smmu_device *smmu,
					     u32 index)
{
	return false;
}

static inline bool iommu_freeze_smmuv3_is_over(struct arm_smmu_device *smmu)
{
	return false;
}

static inline u32 iommu_freeze_smmuv3_keep(struct arm_smmu_device *smmu)
{
	return 0;
}

static inline bool iommu_freeze_smmuv3_shutdown(struct arm_smmu_device *smmu)
{
	return false;
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

static inline bool iommu_freeze_pci_keep_config(void)
{
	return false;
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

static inline bool iommu_freeze_pci_may_suspend(struct pci_dev *pdev)
{
	return true;
}

static inline void iommu_freeze_pci_saved(struct pci_dev *pdev, bool reset)
{
}

static inline void iommu_freeze_pci_write(struct pci_dev *pdev, u8 cap,
					  int offset, u8 *bytes,
					  unsigned int count)
{
}

static inline bool iommu_freeze_pci_keep_master(const struct pci_dev *pdev)
{
	return false;
}

static inline bool iommu_freeze_pci_running(const struct pci_dev *pdev)
{
	return false;
}

static inline bool iommu_freeze_pci_stopped(const struct pci_dev *pdev)
{
	return false;
}

static inline int iommu_freeze_pci_may_change(const struct pci_dev *pdev)
{
	return 0;
}

static inline int iommu_freeze_pci_may_stop(const struct pci_dev *pdev)
{
	return 0;
}

static inline bool iommufd_freeze_device(struct iommufd_device *idev)
{
	return false;
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
