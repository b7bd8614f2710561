/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the VMM believes: its guest RAM, its IO address spaces with every map in them, its
 * devices. It is the model that the walker outside compares the hardware's tables to, so it is
 * kept by what the VMM asked for and never by what the kernel says.
 *
 * One object, one thread, no locks.
 */
#ifndef HIL_GUEST_H
#define HIL_GUEST_H

#include "../frame.h"
#include "vmm.h"

/* What can be mapped for DMA. All but the BARs are, or were, guest RAM. */
enum guest_file_id {
	GUEST_RAM,
	GUEST_SMALL,				/* for map-random */
	GUEST_HUGE,				/* ... in huge pages, if the kernel has them */
	GUEST_SPARE,				/* + device: for remap, map spare */
	GUEST_PUNCHED = GUEST_SPARE + VMM_MAX_DEVS,	/* a page that its file has lost */
	GUEST_BAR,				/* + device: registers, for DMA of others */
	GUEST_FILES = GUEST_BAR + VMM_MAX_DEVS,
};

struct guest_file {
	struct vmm_ram ram;	/* no size: not there */
	uint64_t address;	/* physical, of what is in no file */
};

struct guest_map {
	uint64_t iova, length, offset;
	enum guest_file_id file;
	bool writeable;
};

struct guest_space {
	struct vmm_space vmm;
	struct guest_map *maps;
	unsigned int nr_maps, room;
	bool was_shared;	/* all of guest RAM is in it, as for several devices */
};

enum guest_state {
	GUEST_NONE,		/* the VMM does not have it */
	GUEST_BLOCKED,		/* bound, not attached */
	GUEST_LIVE,		/* attached to tables of its space */
	GUEST_FROZEN,		/* retrieved, not attached yet */
};

struct guest_dev {
	struct vmm_dev vmm;
	char bdf[16];
	enum guest_state state;
	unsigned int space;
	int session;		/* that it is preserved in, or -1 */
};

/* A stretch of IO addresses and where it leads. */
struct guest_run {
	uint64_t iova, pa, length;
	bool writeable;
};

struct guest {
	struct guest_file files[GUEST_FILES];
	struct guest_space spaces[VMM_MAX_DEVS];
	struct guest_dev devs[VMM_MAX_DEVS];
	unsigned int shares;	/* equal parts of GUEST_RAM, one per device */
	unsigned int cur;	/* the device that commands are about */
	unsigned int boot;	/* which kernel of the chain */
	uint64_t seed;		/* hil.seed= */
	uint8_t run[HIL_RUN_BYTES];
};

extern struct guest guest;

static inline struct guest_dev *guest_dev(void)
{
	return &guest.devs[guest.cur];
}

static inline struct guest_space *guest_space(void)
{
	return &guest.spaces[guest_dev()->space];
}

void guest_init(void);
bool guest_active(void);
uint64_t guest_share_size(void);
uint64_t guest_share_offset(void);
uint64_t guest_share_iova(void);
bool guest_space_shared(void);
int guest_bind(const char *with);
int guest_pagemap(const uint8_t *mem, uint64_t nr, uint64_t *entries);
int guest_map(enum guest_file_id file, uint64_t offset, uint64_t length, uint64_t iova,
	      bool writeable);
int guest_unmap(uint64_t iova, uint64_t length);
int guest_punch(uint64_t offset);
int guest_note_map(struct guest_space *space, const struct guest_map *map);
int guest_remember(void);
int guest_recall(uint32_t *files);
int64_t guest_pages(const struct guest_file *file, uint64_t **pfns);
int64_t guest_runs(const struct guest_space *space, struct guest_run **runs);
uint64_t guest_random(uint64_t *state);

/* provoke.c: guest RAM that nothing can keep. */
int provoke_ram_anonymous(struct vmm_ram *ram, uint64_t size);
int provoke_map_anonymous(struct vmm_space *space, const struct vmm_ram *ram, uint64_t offset,
			  uint64_t length, uint64_t iova, bool writeable);

/* device.c: one more map in the current device's space, and away with it. */
int device_mapunmap(void);

/* update.c: the current device's file, and any file into the current session. */
int update_retrieve_dev(void);
int update_preserve(int fd, uint64_t token);

#endif
