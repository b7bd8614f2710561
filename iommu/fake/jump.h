/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A handover as another kernel would have left it, see jump.c.
 */
#ifndef _IOMMU_FREEZE_FAKE_JUMP_H
#define _IOMMU_FREEZE_FAKE_JUMP_H

#include <linux/kho/abi/iommu-freeze.h>

#include "scene.h"

#define FRZ_JUMP_CHUNKS		8
#define FRZ_JUMP_PIECES		20

/**
 * struct frz_jump - a handover, and how the kernel took it
 * @dom: records of the domains
 * @chunks: their memory
 * @dev: records of the devices
 * @flags: of the blob
 * @blob: where it is, once it is written
 * @len: how long
 * @pieces: memory as KHO keeps it
 * @nr_pieces: of them
 * @on: what each device's group starts on
 */
struct frz_jump {
	struct frz_abi_domain dom[FRZ_SCENE_LIVES];
	struct frz_abi_chunk chunks[FRZ_SCENE_LIVES][FRZ_JUMP_CHUNKS];
	struct frz_abi_device dev[FRZ_SCENE_DEVS];
	u32 flags;
	void *blob;
	size_t len;
	struct {
		phys_addr_t phys;
		int order;
	} pieces[FRZ_JUMP_PIECES];
	unsigned int nr_pieces;
	struct iommu_domain *on[FRZ_SCENE_DEVS];
};

int frz_jump_make(struct frz_scene *s, struct frz_jump *j);
int frz_jump_write(struct frz_jump *j);
void frz_jump_boot(struct frz_scene *s, struct frz_jump *j);
unsigned int frz_jump_left(const struct frz_jump *j);
unsigned int frz_jump_end(struct frz_scene *s, struct frz_jump *j);
bool frz_jump_is_frozen(const struct frz_jump *j, unsigned int i);

#endif /* _IOMMU_FREEZE_FAKE_JUMP_H */
