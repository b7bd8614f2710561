/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What any VMM with passthrough devices does: guest RAM in memfds, an IO address space in an
 * iommufd, devices in it, and the way of all that through a kexec. All functions return 0 or a
 * negative errno, and leave the object as it was when they fail.
 */
#ifndef HIL_VMM_H
#define HIL_VMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VMM_MAX_DEVS	8
#define VMM_MAX_HWPTS	2

/*
 * Far above any RAM: with translation off, or an identity domain, the address means nothing,
 * so a window in the protection shows as an error instead of landing in the right place by luck.
 * What an arm64 machine has for PCI, MSIs included, is all below 1 TiB, in QEMU's "virt".
 */
#ifdef __aarch64__
#define VMM_IOVA	0x30000000000ull
#else
#define VMM_IOVA	0x4000000000ull
#endif

/* LUO tokens are the VMM's own numbers. */
#define VMM_TOKEN_RAM	0x100	/* + number of the memfd */
#define VMM_TOKEN_DEV	0x200	/* + device number */

struct vmm_ram {
	int fd;			/* memfd; -1: anonymous memory */
	uint8_t *mem;
	uint64_t size;
};

/* IO addresses (IOAS) and the page tables made of them (HWPTs). */
struct vmm_space {
	int iommufd;
	uint32_t ioas;
	uint32_t hwpts[VMM_MAX_HWPTS];
	unsigned int nr_hwpts;
};

struct vmm_dev {
	int fd;			/* vfio cdev; negative: not open */
	uint32_t id;		/* of the device in its space's iommufd */
	struct vmm_space *space;
	uint8_t *bar0;
	uint64_t bar0_size;
};

struct vmm_luo {
	int fd;			/* /dev/liveupdate */
	int session;
};

/* vmm.c: VFIO and iommufd, in the order in which a VMM calls them. */
int vmm_ram_create(struct vmm_ram *ram, uint64_t size);
int vmm_ram_mmap(struct vmm_ram *ram);
int vmm_write_file(const char *path, const char *text);
int vmm_driver_bind(const char *bdf, const char *driver);
int vmm_dev_open(struct vmm_dev *dev, const char *bdf);
int vmm_space_create(struct vmm_space *space);
void vmm_space_close(struct vmm_space *space);
int vmm_dev_bind(struct vmm_dev *dev, struct vmm_space *space);
int vmm_map(struct vmm_space *space, const struct vmm_ram *ram, uint64_t offset, uint64_t length,
	    uint64_t iova, bool writeable);
int vmm_unmap(struct vmm_space *space, uint64_t iova, uint64_t length);
int vmm_hwpt_alloc(struct vmm_dev *dev);
int vmm_attach(struct vmm_dev *dev, uint32_t pt_id);
int vmm_detach(struct vmm_dev *dev);
int vmm_reset(struct vmm_dev *dev);
int vmm_irqs(struct vmm_dev *dev, bool on);
int vmm_bar0_mmap(struct vmm_dev *dev);
int vmm_config_set(struct vmm_dev *dev, unsigned int at, uint16_t bits);
int vmm_bus_master(struct vmm_dev *dev);
int vmm_dev_close(struct vmm_dev *dev);

/* luo.c: the Live Update Orchestrator. */
int vmm_session_create(struct vmm_luo *luo, const char *name);
int vmm_session_retrieve(struct vmm_luo *luo, const char *name);
int vmm_preserve(struct vmm_luo *luo, int fd, uint64_t token);
int vmm_retrieve(struct vmm_luo *luo, uint64_t token);
int vmm_finish(struct vmm_luo *luo);
int vmm_session_close(struct vmm_luo *luo);

/* kexec.c: load the next kernel with the files of the running root, and jump. */
int vmm_kexec_load(unsigned int next_boot, const char *append);
int vmm_kexec_jump(void);

#endif
