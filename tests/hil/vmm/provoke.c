// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands for what a VMM should not do, or may do only at other times: each scenario that uses one
 * says which refusal it expects.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "commands.h"
#include "guest.h"
#include "script.h"

/* The 82576's power management capability: data sheet, section 9.5.1 */
#define PM_CAP_82576	0x40

#define BAR_SIZE	(4 * HIL_PAGE)

/* provoke_ram_anonymous() - guest RAM as it must not be: nothing can keep it. */
int provoke_ram_anonymous(struct vmm_ram *ram, uint64_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		return -errno;
	ram->fd = -1;
	ram->mem = mem;
	ram->size = size;
	return 0;
}

/* provoke_map_anonymous() - and it can only be mapped by its address. */
int provoke_map_anonymous(struct vmm_space *space, const struct vmm_ram *ram, uint64_t offset,
			  uint64_t length, uint64_t iova, bool writeable)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 (writeable ? IOMMU_IOAS_MAP_WRITEABLE : 0),
		.ioas_id = space->ioas,
		.user_va = (uintptr_t)ram->mem + offset,
		.length = length,
		.iova = iova,
	};

	return ioctl(space->iommufd, IOMMU_IOAS_MAP, &map) ? -errno : 0;
}

/* punch PAGE: a hole into guest RAM; what is mapped for the device stays pinned and mapped */
int cmd_punch(int argc, char **argv)
{
	if (argc != 1)
		return -EINVAL;
	return guest_punch(strtoull(argv[0], NULL, 0) * HIL_PAGE);
}

/* power-down: the guest puts its device into D3hot */
int cmd_power_down(int argc, char **argv)
{
	(void)argv;
	if (argc)
		return -EINVAL;
	return vmm_config_set(&guest_dev()->vmm, PM_CAP_82576 + PCI_PM_CTRL,
			      PCI_PM_CTRL_STATE_MASK);
}

/* low-power [wakeup]: the VMM lets the host put the device to sleep, and be told when it wakes */
int cmd_low_power(int argc, char **argv)
{
	bool wakeup = argc == 1 && !strcmp(argv[0], "wakeup");
	struct vfio_device_feature feature = {
		.argsz = sizeof(feature),
		.flags = VFIO_DEVICE_FEATURE_SET |
			 (wakeup ? VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP :
				   VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY),
	};

	if (argc && !wakeup)
		return -EINVAL;
	return ioctl(guest_dev()->vmm.fd, VFIO_DEVICE_FEATURE, &feature) ? -errno : 0;
}

/* hot-reset: of the device's slot or bus, in the way of a VMM that has cdevs */
int cmd_hot_reset(int argc, char **argv)
{
	struct vfio_pci_hot_reset reset = { .argsz = sizeof(reset) };

	(void)argv;
	if (argc)
		return -EINVAL;
	return ioctl(guest_dev()->vmm.fd, VFIO_DEVICE_PCI_HOT_RESET, &reset) ? -errno : 0;
}

/* open-again BDF: a second user, through /dev/vfio/devices; the errno is that of open or bind */
int cmd_open_again(int argc, char **argv)
{
	struct vmm_space space = { .iommufd = -1 };
	struct vmm_dev dev = { .fd = -1 };
	int ret;

	if (argc != 1)
		return -EINVAL;
	ret = vmm_dev_open(&dev, argv[0]);
	if (ret)
		return ret;
	ret = vmm_space_create(&space);
	if (!ret) {
		ret = vmm_dev_bind(&dev, &space);
		vmm_space_close(&space);
	}
	vmm_dev_close(&dev);
	return ret;
}

/*
 * preserve-unbound: a second file of the current device, which is not the one that is bound: it
 * keeps nothing open that matters
 */
int cmd_preserve_unbound(int argc, char **argv)
{
	struct vmm_dev dev = { .fd = -1 };
	int ret;

	(void)argv;
	if (argc)
		return -EINVAL;
	ret = vmm_dev_open(&dev, guest_dev()->bdf);
	if (ret)
		return ret;
	ret = update_preserve(dev.fd, VMM_TOKEN_DEV + guest.cur);
	vmm_dev_close(&dev);
	return ret;
}

/*
 * bind-fault: retrieve the device and bind it with a struct that the kernel cannot write to. It has
 * opened the device by then, and closes it again.
 */
int cmd_bind_fault(int argc, char **argv)
{
	struct vmm_space space = { .iommufd = -1 };
	struct vfio_device_bind_iommufd *bind;
	int ret, fd;

	(void)argv;
	if (argc)
		return -EINVAL;
	bind = mmap(NULL, HIL_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bind == MAP_FAILED)
		return -errno;
	fd = update_retrieve_dev();
	ret = fd < 0 ? fd : vmm_space_create(&space);
	if (!ret) {
		bind->argsz = sizeof(*bind);
		bind->iommufd = space.iommufd;
		ret = mprotect(bind, HIL_PAGE, PROT_READ) ||
		      ioctl(fd, VFIO_DEVICE_BIND_IOMMUFD, bind) ? -errno : 0;
		vmm_space_close(&space);
	}
	if (fd >= 0)
		close(fd);
	munmap(bind, HIL_PAGE);
	return ret;
}

/* The first line of "resource" in sysfs is BAR 0: begin, end, flags. */
static int bar0_address(const char *bdf, uint64_t *address)
{
	unsigned long long begin;
	char path[64];
	FILE *f;
	int n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource", bdf);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	n = fscanf(f, "%llx", &begin);
	fclose(f);
	*address = begin;
	return n == 1 ? 0 : -EIO;
}

/* map-bar: the device's registers above its RAM, as a VMM does for DMA between devices */
int cmd_map_bar(int argc, char **argv)
{
	struct {
		struct vfio_device_feature feature;
		struct vfio_device_feature_dma_buf dma_buf;
		struct vfio_region_dma_range range;
	} get = {
		.feature = {
			.argsz = sizeof(get),
			.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF,
		},
		.dma_buf = {
			.region_index = VFIO_PCI_BAR0_REGION_INDEX,
			.open_flags = O_CLOEXEC,
			.nr_ranges = 1,
		},
		.range = { .length = BAR_SIZE },
	};
	const struct guest_map map = {
		.iova = VMM_IOVA + guest_share_size() + (1ull << 30),
		.length = BAR_SIZE,
		.file = GUEST_BAR + guest.cur,
		.writeable = true,
	};
	struct guest_file *file = &guest.files[map.file];
	struct vmm_ram bar = { .size = BAR_SIZE };
	uint64_t address = 0;
	int ret;

	(void)argv;
	if (argc)
		return -EINVAL;
	ret = bar0_address(guest_dev()->bdf, &address);
	if (ret)
		return ret;
	bar.fd = ioctl(guest_dev()->vmm.fd, VFIO_DEVICE_FEATURE, &get);
	if (bar.fd < 0)
		return -errno;
	ret = vmm_map(&guest_space()->vmm, &bar, 0, map.length, map.iova, map.writeable);
	/* The map has its own reference. */
	close(bar.fd);
	if (ret)
		return ret;
	file->address = address;
	file->ram.size = BAR_SIZE;
	ret = guest_note_map(guest_space(), &map);
	if (!ret)
		box_mark_active("mapped");
	return ret;
}
