// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands for what a VMM should not do, or may do only at other times: each scenario that uses one
 * says which refusal it expects.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <linux/kexec.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "commands.h"
#include "guest.h"
#include "script.h"

/* The 82576's power management capability: data sheet, section 9.5.1 */
#define PM_CAP_82576	0x40

/* Its PCI Express capability: section 9.5.4 */
#define EXP_CAP_82576	0xa0

#define BAR_SIZE	(4 * HIL_PAGE)

/*
 * Where load-code puts its code: a page of RAM, as long as kexec puts back what was there. And the
 * code, which resets the machine.
 */
#ifdef __aarch64__
#define CODE_AT		0x41000000
#define CODE_ARCH	KEXEC_ARCH_AARCH64
/* PSCI's SYSTEM_RESET: movz w0, #9; movk w0, #0x8400, lsl #16; hvc #0 */
static const uint32_t reset_code[] = { 0x52800120, 0x72b08000, 0xd4000002 };
#else
#define CODE_AT		0x100000
#define CODE_ARCH	KEXEC_ARCH_X86_64
/* mov $6,%al; mov $0xcf9,%edx; out %al,(%dx) */
static const uint8_t reset_code[] = { 0xb0, 0x06, 0xba, 0xf9, 0x0c, 0x00, 0x00, 0xee };
#endif

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

/* flr: the guest resets its device */
int cmd_flr(int argc, char **argv)
{
	(void)argv;
	if (argc)
		return -EINVAL;
	return vmm_config_set(&guest_dev()->vmm, EXP_CAP_82576 + PCI_EXP_DEVCTL,
			      PCI_EXP_DEVCTL_BCR_FLR);
}

/* A register of BAR 0, or NULL. */
static volatile uint32_t *reg(const char *offset)
{
	uint64_t at = strtoull(offset, NULL, 0);
	struct vmm_dev *dev = &guest_dev()->vmm;

	if (!dev->bar0 || at % 4 || at + 4 > dev->bar0_size)
		return NULL;
	return (volatile uint32_t *)(dev->bar0 + at);
}

/* poke OFFSET BITS: set them in a register of the current device */
int cmd_poke(int argc, char **argv)
{
	volatile uint32_t *at = argc == 2 ? reg(argv[0]) : NULL;

	if (!at)
		return -EINVAL;
	*at |= strtoul(argv[1], NULL, 0);
	return 0;
}

/* peek OFFSET BITS VALUE: of a register, these bits have this value */
int cmd_peek(int argc, char **argv)
{
	volatile uint32_t *at = argc == 3 ? reg(argv[0]) : NULL;
	uint32_t value;

	if (!at)
		return -EINVAL;
	value = *at;
	if ((value & strtoul(argv[1], NULL, 0)) == strtoul(argv[2], NULL, 0))
		return 0;
	say("register %s is %#x", argv[0], value);
	return -EUCLEAN;
}

/*
 * config BDF OFFSET BITS VALUE|flip: these bits of 16 in configuration space have this value, or
 * are turned over behind everybody's back
 */
int cmd_config(int argc, char **argv)
{
	uint16_t word, bits;
	char path[128];
	int fd, ret = 0;
	off_t at;

	if (argc != 4)
		return -EINVAL;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", argv[0]);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	at = strtoul(argv[1], NULL, 0);
	bits = strtoul(argv[2], NULL, 0);
	if (pread(fd, &word, sizeof(word), at) != sizeof(word)) {
		ret = -EIO;
	} else if (!strcmp(argv[3], "flip")) {
		word ^= bits;
		if (pwrite(fd, &word, sizeof(word), at) != sizeof(word))
			ret = -EIO;
	} else if ((word & bits) != strtoul(argv[3], NULL, 0)) {
		say("config %s %s is %#x", argv[0], argv[1], word);
		ret = -EUCLEAN;
	}
	close(fd);
	return ret;
}

/* low-power [wakeup]: the VMM lets the host put the device to sleep, and be told when it wakes */
int cmd_low_power(int argc, char **argv)
{
	bool wakeup = argc == 1 && !strcmp(argv[0], "wakeup");
	struct {
		struct vfio_device_feature feature;
		struct vfio_device_low_power_entry_with_wakeup entry;
	} set = {
		.feature = {
			.argsz = wakeup ? sizeof(set) : sizeof(set.feature),
			.flags = VFIO_DEVICE_FEATURE_SET |
				 (wakeup ? VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP :
					   VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY),
		},
		.entry.wakeup_eventfd = -1,
	};
	int ret;

	if (argc && !wakeup)
		return -EINVAL;
	if (wakeup) {
		set.entry.wakeup_eventfd = eventfd(0, EFD_CLOEXEC);
		if (set.entry.wakeup_eventfd < 0)
			return -errno;
	}
	ret = ioctl(guest_dev()->vmm.fd, VFIO_DEVICE_FEATURE, &set) ? -errno : 0;
	/* VFIO has its own reference. */
	if (wakeup)
		close(set.entry.wakeup_eventfd);
	return ret;
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

/*
 * load-code: the next "kernel" in the way of kexec_load(), which hands nothing over. It is code
 * that resets the machine.
 */
int cmd_load_code(int argc, char **argv)
{
	struct kexec_segment segment = {
		.buf = reset_code,
		.bufsz = sizeof(reset_code),
		.mem = (void *)CODE_AT,
		.memsz = HIL_PAGE,
	};

	(void)argv;
	if (argc)
		return -EINVAL;
	return syscall(SYS_kexec_load, (unsigned long)CODE_AT, 1ul, &segment,
		       CODE_ARCH) ? -errno : 0;
}

/* pester N: attach the first HWPT N times, each of which is refused as a wrong map is */
int cmd_pester(int argc, char **argv)
{
	unsigned long n = argc == 1 ? strtoul(argv[0], NULL, 0) : 0;
	const struct vmm_space *space = &guest_space()->vmm;
	int ret = -EINVAL;

	if (!space->nr_hwpts)
		return -EINVAL;
	while (n--) {
		ret = vmm_attach(&guest_dev()->vmm, space->hwpts[0]);
		if (ret != -EUCLEAN)
			break;
	}
	return ret;
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
