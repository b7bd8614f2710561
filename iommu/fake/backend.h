/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An IOMMU that is nothing but memory, see backend.c.
 */
#ifndef _IOMMU_FREEZE_FAKE_BACKEND_H
#define _IOMMU_FREEZE_FAKE_BACKEND_H

#include <linux/idr.h>
#include <linux/iommu.h>
#include <linux/types.h>

#include "../walk.h"

struct frz_blob_writer;

/* frz_abi_unit.kind, of no kernel but one that is tested */
#define FRZ_UNIT_FAKE		0x7fff0001
#define FRZ_FAKE_REG_BASE	0x7e57000ULL
#define FRZ_FAKE_SEGMENT	0x7e57
#define FRZ_FAKE_ID		0xfa4eULL
#define FRZ_FAKE_LEVELS		3
#define FRZ_FAKE_ENTRIES	256

/**
 * struct frz_fake_entry - what translates a device
 * @to: head of the frozen tables, or top of the live ones, and FRZ_FAKE_PRESENT
 * @tag: of what is cached through it
 */
struct frz_fake_entry {
	u64 to;
	u64 tag;
};

#define FRZ_FAKE_PRESENT	1ULL

/**
 * struct frz_fake_unit - the one unit that there is
 * @iommu: what the core knows of it
 * @on: it is in use
 * @table: its entries, by the low byte of the stream; a page
 * @tags: those that are taken
 * @paths: what is kept for each preserved device, by the low byte of its stream
 * @nr_tags: taken
 * @nr_units: how often its table is preserved
 * @nr_devices: preserved
 * @nr_stores: into @table
 * @nr_blocked: devices that were blocked
 * @nr_released: units that were released
 * @writer: of the blob
 * @refuse: what its driver finds to be wrong with it in the new kernel, or NULL
 *
 * Not locked: there is one test at a time.
 */
struct frz_fake_unit {
	struct iommu_device iommu;
	bool on;
	struct frz_fake_entry *table;
	struct ida tags;
	void *paths[FRZ_FAKE_ENTRIES];
	unsigned int nr_tags;
	unsigned int nr_units;
	unsigned int nr_devices;
	unsigned int nr_stores;
	unsigned int nr_blocked;
	unsigned int nr_released;
	const struct frz_blob_writer *writer;
	const char *refuse;
};

extern struct frz_fake_unit frz_fake;
extern const struct iommu_ops frz_fake_ops;

/* A live domain of such a unit. */
struct frz_fake_domain {
	struct iommu_domain domain;
	struct frz_tree tree;
};

int frz_fake_on(void);
void frz_fake_off(void);
struct frz_fake_entry frz_fake_at(u32 stream);
void frz_fake_put(u32 stream, u64 to, u64 tag);
void frz_fake_write(struct frz_blob_writer *w);
void frz_fake_start(void);

#endif /* _IOMMU_FREEZE_FAKE_BACKEND_H */
