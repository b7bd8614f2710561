// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest RAM, the passthrough device, and its IO address space: plain VFIO (cdev) and iommufd calls,
 * in the order in which a VMM makes them. Nothing here knows about the kexec; luo.c does.
 *
 * The caller owns the objects and calls from one thread. Every function may fail with the errno
 * of the one ioctl or file it names.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm.h"

/* vmm_ram_create() - guest RAM is one memfd: LUO can keep it, iommufd can pin it. */
int vmm_ram_create(struct vmm_ram *ram, uint64_t size)
{
	int fd, ret;

	fd = memfd_create("guest-ram", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, size)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	ram->fd = fd;
	return vmm_ram_mmap(ram);
}

/* vmm_ram_mmap() - map guest RAM into the VMM: a new memfd, or one that came through the kexec. */
int vmm_ram_mmap(struct vmm_ram *ram)
{
	off_t size = lseek(ram->fd, 0, SEEK_END);
	void *mem;

	if (size < 0)
		return -errno;
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ram->fd, 0);
	if (mem == MAP_FAILED)
		return -errno;
	ram->mem = mem;
	ram->size = size;
	return 0;
}

/* vmm_write_file() - a file of sysfs or procfs. */
int vmm_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* vmm_driver_bind() - what a host's tool does before the VMM starts: give @driver the function. */
int vmm_driver_bind(const char *bdf, const char *driver)
{
	char path[128];
	int ret;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", bdf);
	ret = vmm_write_file(path, driver);
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver/unbind", bdf);
	ret = vmm_write_file(path, bdf);
	if (ret && ret != -ENOENT)	/* no driver has it yet */
		return ret;
	return vmm_write_file("/sys/bus/pci/drivers_probe", bdf);
}

/* vmm_dev_open() - the cdev of a PCI function: its sysfs folder has vfio-dev/vfioN. */
int vmm_dev_open(struct vmm_dev *dev, const char *bdf)
{
	struct dirent *entry;
	char path[320];
	int fd = -ENODEV;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "vfio", 4))
			continue;
		snprintf(path, sizeof(path), "/dev/vfio/devices/%s", entry->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
		break;
	}
	closedir(dir);
	if (fd < 0)
		return fd;
	dev->fd = fd;
	return 0;
}

/* vmm_space_create() - an empty IO address space, in an iommufd of its own. */
int vmm_space_create(struct vmm_space *space)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, IOMMU_IOAS_ALLOC, &alloc)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	space->iommufd = fd;
	space->ioas = alloc.out_ioas_id;
	space->nr_hwpts = 0;
	return 0;
}

/* vmm_space_close() - its pages are let go once no device uses them. */
void vmm_space_close(struct vmm_space *space)
{
	close(space->iommufd);
	space->iommufd = -1;
	space->nr_hwpts = 0;
}

/*
 * vmm_dev_bind() - tie the cdev to the iommufd of an IO address space. Nothing is attached yet.
 * The same call for a cdev that was opened and for one that LUO gave back.
 */
int vmm_dev_bind(struct vmm_dev *dev, struct vmm_space *space)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = space->iommufd,
	};

	if (ioctl(dev->fd, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		return -errno;
	dev->id = bind.out_devid;
	dev->space = space;
	return 0;
}

/* vmm_map() - let the space's devices reach a piece of guest RAM. This pins the pages. */
int vmm_map(struct vmm_space *space, const struct vmm_ram *ram, uint64_t offset, uint64_t length,
	    uint64_t iova, bool writeable)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 (writeable ? IOMMU_IOAS_MAP_WRITEABLE : 0),
		.ioas_id = space->ioas,
		.fd = ram->fd,
		.start = offset,
		.length = length,
		.iova = iova,
	};

	return ioctl(space->iommufd, IOMMU_IOAS_MAP_FILE, &map) ? -errno : 0;
}

/* vmm_unmap() - take whole maps back. (0, UINT64_MAX) takes everything. */
int vmm_unmap(struct vmm_space *space, uint64_t iova, uint64_t length)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = space->ioas,
		.iova = iova,
		.length = length,
	};

	return ioctl(space->iommufd, IOMMU_IOAS_UNMAP, &unmap) ? -errno : 0;
}

/*
 * vmm_hwpt_alloc() - page tables for this device and those like it, that hold what the IO address
 * space holds.
 */
int vmm_hwpt_alloc(struct vmm_dev *dev)
{
	struct vmm_space *space = dev->space;
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.dev_id = dev->id,
		.pt_id = space->ioas,
		.data_type = IOMMU_HWPT_DATA_NONE,
	};

	if (space->nr_hwpts == VMM_MAX_HWPTS)
		return -ENOSPC;
	if (ioctl(space->iommufd, IOMMU_HWPT_ALLOC, &alloc))
		return -errno;
	space->hwpts[space->nr_hwpts++] = alloc.out_hwpt_id;
	return 0;
}

/*
 * vmm_attach() - put the device on page tables: a HWPT, or the IOAS and the kernel picks the HWPT.
 * When the device already is on some, this replaces them. After a kexec those are the frozen
 * domain's, and an error means that the device is still on them and still running.
 */
int vmm_attach(struct vmm_dev *dev, uint32_t pt_id)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.pt_id = pt_id,
	};

	return ioctl(dev->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) ? -errno : 0;
}

/* vmm_detach() - the opposite; the device's DMA is blocked from here on. */
int vmm_detach(struct vmm_dev *dev)
{
	struct vfio_device_detach_iommufd_pt detach = { .argsz = sizeof(detach) };

	return ioctl(dev->fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach) ? -errno : 0;
}

/* vmm_reset() - function level reset. */
int vmm_reset(struct vmm_dev *dev)
{
	return ioctl(dev->fd, VFIO_DEVICE_RESET) ? -errno : 0;
}

/* vmm_bar0_mmap() - the device's registers. */
int vmm_bar0_mmap(struct vmm_dev *dev)
{
	struct vfio_region_info info = {
		.argsz = sizeof(info),
		.index = VFIO_PCI_BAR0_REGION_INDEX,
	};
	void *mem;

	if (ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &info))
		return -errno;
	mem = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd, info.offset);
	if (mem == MAP_FAILED)
		return -errno;
	dev->bar0 = mem;
	dev->bar0_size = info.size;
	return 0;
}

/* vmm_irqs() - MSI to an eventfd that nobody reads, or no interrupts at all. */
int vmm_irqs(struct vmm_dev *dev, bool on)
{
	struct {
		struct vfio_irq_set set;
		int32_t eventfd;
	} irqs = {
		.set = {
			.argsz = on ? sizeof(irqs) : sizeof(irqs.set),
			.flags = VFIO_IRQ_SET_ACTION_TRIGGER |
				 (on ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE),
			.index = VFIO_PCI_MSI_IRQ_INDEX,
			.count = on,
		},
		.eventfd = -1,
	};
	int ret;

	if (on) {
		irqs.eventfd = eventfd(0, EFD_CLOEXEC);
		if (irqs.eventfd < 0)
			return -errno;
	}
	ret = ioctl(dev->fd, VFIO_DEVICE_SET_IRQS, &irqs) ? -errno : 0;
	/* VFIO has its own reference. */
	if (on)
		close(irqs.eventfd);
	return ret;
}

/* vmm_config_set() - set bits in a word of the device's config space, as the guest would. */
int vmm_config_set(struct vmm_dev *dev, unsigned int at, uint16_t bits)
{
	struct vfio_region_info info = {
		.argsz = sizeof(info),
		.index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	uint16_t word;

	if (ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &info))
		return -errno;
	if (pread(dev->fd, &word, 2, info.offset + at) != 2)
		return -EIO;
	word |= bits;
	if (pwrite(dev->fd, &word, 2, info.offset + at) != 2)
		return -EIO;
	return 0;
}

/*
 * vmm_bus_master() - let the device start DMA. VFIO hands a function over with bus mastering off.
 * One that came through the kexec still has it on.
 */
int vmm_bus_master(struct vmm_dev *dev)
{
	return vmm_config_set(dev, PCI_COMMAND,
			      PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
}

/*
 * vmm_dev_close() - give the device back: it is reset, unless it is preserved or frozen. The
 * registers' map would keep it open.
 */
int vmm_dev_close(struct vmm_dev *dev)
{
	int ret;

	if (dev->bar0)
		munmap(dev->bar0, dev->bar0_size);
	ret = close(dev->fd) ? -errno : 0;
	dev->bar0 = NULL;
	dev->fd = -1;
	return ret;
}
