/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices, guest RAM and live domains for a test, see scene.c.
 */
#ifndef _IOMMU_FREEZE_FAKE_SCENE_H
#define _IOMMU_FREEZE_FAKE_SCENE_H

#include <kunit/test.h>
#include <linux/pci.h>

#include "../encode.h"
#include "../store.h"
#include "backend.h"

#define FRZ_SCENE_DEVS		3
#define FRZ_SCENE_LIVES		2
#define FRZ_SCENE_RAM_ORDER	5
#define FRZ_SCENE_TABLES	40
#define FRZ_SCENE_IOVA		(64ULL << 30)

struct frz_jump;
struct frz_outgoing_device;

/**
 * struct frz_scene_dev - a PCI function that only a test can see
 * @pdev: the function
 * @iommu: says that it is behind the fake unit
 * @config: what its config space says
 * @gone: it does not answer
 * @live: number of the live domain that it is on
 * @out: the core's name for it, once it is held
 */
struct frz_scene_dev {
	struct pci_dev pdev;
	struct dev_iommu iommu;
	u32 config[16];
	bool gone;
	unsigned int live;
	struct frz_outgoing_device *out;
};

/**
 * struct frz_scene_live - a live domain
 * @fake: what the core and the backend know of it
 * @enc: made its tables
 * @tables: a page each
 * @nr_tables: of them
 */
struct frz_scene_live {
	struct frz_fake_domain fake;
	struct frz_encoder enc;
	void *tables[FRZ_SCENE_TABLES];
	unsigned int nr_tables;
};

/**
 * struct frz_scene - all that a test has
 * @dev: devices; the first two are on the first live domain, the other on the second
 * @live: live domains
 * @bus: that they are on
 * @sysdata: of @bus
 * @ram: guest RAM, single pages
 * @store: keeps all of it
 * @punched: but for this page
 * @jump: a handover that was made and not ended, or NULL
 */
struct frz_scene {
	struct frz_scene_dev dev[FRZ_SCENE_DEVS];
	struct frz_scene_live live[FRZ_SCENE_LIVES];
	struct pci_bus bus;
	struct pci_sysdata sysdata;
	struct page *ram;
	struct frz_store store;
	struct page *punched;
	struct frz_jump *jump;
};

int frz_scene_init(struct kunit *test);
void frz_scene_exit(struct kunit *test);
int frz_scene_map(struct frz_scene *s, struct frz_scene_live *live, bool large);
void frz_scene_unmap(struct frz_scene_live *live);
__le64 *frz_scene_leaf(struct frz_scene_live *live, u64 iova);
bool frz_scene_is_live(struct frz_scene_dev *dev, struct frz_scene *s);
bool frz_scene_is_master(const struct frz_scene_dev *dev);

/* The tag of a live domain; its frozen one takes another. */
static inline u32 frz_scene_tag(unsigned int live)
{
	return 0x1000 + live;
}

#endif /* _IOMMU_FREEZE_FAKE_SCENE_H */
