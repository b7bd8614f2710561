// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMM's model of guest RAM, IO address spaces and devices, see guest.h. What must be known
 * in the next kernel lies in guest RAM, in a page that no device is given.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define NOTES_OFFSET	0x2000		/* in GUEST_RAM, before the NIC's things, see igb.h */
#define NOTES_MAGIC	0x3173657465746f6eull

/* Read and written by this program only. */
struct notes {
	uint64_t magic;
	uint32_t shares;
	uint32_t files;		/* bit per file that is there */
	char bdf[VMM_MAX_DEVS][16];
};

struct guest guest;

void guest_init(void)
{
	unsigned int i;

	for (i = 0; i < GUEST_FILES; i++)
		guest.files[i].ram.fd = -1;
	for (i = 0; i < VMM_MAX_DEVS; i++) {
		guest.spaces[i].vmm.iommufd = -1;
		guest.devs[i].vmm.fd = -1;
		guest.devs[i].session = -1;
		guest.devs[i].space = i;
	}
	guest.shares = 2;
}

/* guest_active() - can any device do DMA? */
bool guest_active(void)
{
	unsigned int i;

	for (i = 0; i < VMM_MAX_DEVS; i++)
		if (guest.devs[i].state == GUEST_LIVE || guest.devs[i].state == GUEST_FROZEN)
			return true;
	return false;
}

uint64_t guest_share_size(void)
{
	return guest.files[GUEST_RAM].ram.size / guest.shares & ~(uint64_t)(HIL_PAGE - 1);
}

uint64_t guest_share_offset(void)
{
	return guest.cur * guest_share_size();
}

/* guest_space_shared() - is the current device not alone in its space, or as if it were not? */
bool guest_space_shared(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < VMM_MAX_DEVS; i++)
		if (guest.devs[i].state != GUEST_NONE &&
		    guest.devs[i].space == guest_dev()->space)
			n++;
	return n > 1 || guest_dev()->space != guest.cur || guest_space()->was_shared;
}

/* guest_share_iova() - where the current device sees its share of guest RAM. */
uint64_t guest_share_iova(void)
{
	return VMM_IOVA + (guest_space_shared() ? guest_share_offset() : 0);
}

/**
 * guest_bind() - tie the current device to a space.
 * @with: number of the device whose space it shares, or NULL: a new one
 *
 * Return: 0, -EINVAL when there is no such device, -EBUSY when others still share the space
 * that this device had before, or the errno of a call.
 */
int guest_bind(const char *with)
{
	struct guest_dev *dev = guest_dev();
	struct guest_space *space;
	unsigned int other;
	int ret;

	if (with) {
		other = strtoul(with, NULL, 10);
		if (other >= VMM_MAX_DEVS || guest.devs[other].state == GUEST_NONE)
			return -EINVAL;
		dev->space = guest.devs[other].space;
		return vmm_dev_bind(&dev->vmm, &guest_space()->vmm);
	}
	for (other = 0; other < VMM_MAX_DEVS; other++)
		if (other != guest.cur && guest.devs[other].state != GUEST_NONE &&
		    guest.devs[other].space == guest.cur)
			return -EBUSY;
	dev->space = guest.cur;
	space = guest_space();
	/* One that was left behind, by a device that was closed. */
	if (space->vmm.iommufd >= 0)
		vmm_space_close(&space->vmm);
	space->nr_maps = 0;
	space->was_shared = false;
	ret = vmm_space_create(&space->vmm);
	if (ret)
		return ret;
	ret = vmm_dev_bind(&dev->vmm, &space->vmm);
	if (ret)
		vmm_space_close(&space->vmm);
	return ret;
}

/* guest_note_map() - the kernel has made this map. */
int guest_note_map(struct guest_space *space, const struct guest_map *map)
{
	if (space->nr_maps == space->room) {
		unsigned int room = space->room ? 2 * space->room : 64;
		void *maps = realloc(space->maps, room * sizeof(*space->maps));

		if (!maps)
			return -ENOMEM;
		space->maps = maps;
		space->room = room;
	}
	space->maps[space->nr_maps++] = *map;
	return 0;
}

/* guest_map() - in the current device's space. */
int guest_map(enum guest_file_id file, uint64_t offset, uint64_t length, uint64_t iova,
	      bool writeable)
{
	const struct guest_map map = {
		.iova = iova, .length = length, .offset = offset, .file = file,
		.writeable = writeable,
	};
	const struct vmm_ram *ram = &guest.files[file].ram;
	struct guest_space *space = guest_space();
	int ret;

	if (ram->fd < 0)
		ret = provoke_map_anonymous(&space->vmm, ram, offset, length, iova, writeable);
	else
		ret = vmm_map(&space->vmm, ram, offset, length, iova, writeable);
	return ret ?: guest_note_map(space, &map);
}

/* guest_unmap() - every map that lies in the range; (0, UINT64_MAX) for all. */
int guest_unmap(uint64_t iova, uint64_t length)
{
	struct guest_space *space = guest_space();
	unsigned int i, kept = 0;
	int ret = vmm_unmap(&space->vmm, iova, length);

	if (ret)
		return ret;
	for (i = 0; i < space->nr_maps; i++) {
		struct guest_map *map = &space->maps[i];

		if (map->iova < iova || map->iova - iova > length ||
		    map->length > length - (map->iova - iova))
			space->maps[kept++] = *map;
	}
	space->nr_maps = kept;
	return 0;
}

/* A map of guest RAM leads elsewhere at one page: three maps of it, or less. */
static int cut_map(struct guest_space *space, unsigned int i, uint64_t offset)
{
	const struct guest_map old = space->maps[i];
	struct guest_map map = old;
	uint64_t at = offset - old.offset;
	int ret = 0;

	space->maps[i].iova = old.iova + at;
	space->maps[i].length = HIL_PAGE;
	space->maps[i].file = GUEST_PUNCHED;
	space->maps[i].offset = 0;
	map.length = at;
	if (map.length)
		ret = guest_note_map(space, &map);
	map.iova = old.iova + at + HIL_PAGE;
	map.offset = offset + HIL_PAGE;
	map.length = old.length - at - HIL_PAGE;
	return ret || !map.length ? ret : guest_note_map(space, &map);
}

/**
 * guest_punch() - make a hole of a page into GUEST_RAM. The maps of it keep the page that was
 * there; the file gets another one when it needs one.
 * @offset: of the page
 *
 * Return: 0, -EALREADY the second time, -ENODATA when no page is there, or the errno of a call.
 */
int guest_punch(uint64_t offset)
{
	struct guest_file *punched = &guest.files[GUEST_PUNCHED];
	const struct guest_file *file = &guest.files[GUEST_RAM];
	uint64_t *pfns, pfn;
	unsigned int i, m;
	int64_t nr;
	int ret = 0;

	if (punched->address)
		return -EALREADY;
	if (offset % HIL_PAGE || offset >= file->ram.size)
		return -EINVAL;
	nr = guest_pages(file, &pfns);
	if (nr < 0)
		return nr;
	pfn = pfns[offset / HIL_PAGE];
	free(pfns);
	if (!pfn)
		return -ENODATA;
	if (fallocate(file->ram.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, HIL_PAGE))
		return -errno;
	punched->address = pfn * HIL_PAGE;
	punched->ram.size = HIL_PAGE;
	for (i = 0; i < VMM_MAX_DEVS && !ret; i++) {
		struct guest_space *space = &guest.spaces[i];

		for (m = 0; m < space->nr_maps && !ret; m++)
			if (space->maps[m].file == GUEST_RAM && space->maps[m].offset <= offset &&
			    offset - space->maps[m].offset < space->maps[m].length)
				ret = cut_map(space, m, offset);
	}
	return ret;
}

static struct notes *notes(void)
{
	const struct vmm_ram *ram = &guest.files[GUEST_RAM].ram;

	return ram->size > NOTES_OFFSET + sizeof(struct notes) ?
	       (struct notes *)(ram->mem + NOTES_OFFSET) : NULL;
}

/* guest_remember() - write down what the next kernel's VMM has to know. */
int guest_remember(void)
{
	struct notes *n = notes();
	unsigned int i;

	if (!n)
		return -ENOSPC;
	n->magic = NOTES_MAGIC;
	n->shares = guest.shares;
	n->files = 0;
	for (i = 0; i < GUEST_SPARE; i++)
		if (guest.files[i].ram.fd >= 0)
			n->files |= 1u << i;
	for (i = 0; i < VMM_MAX_DEVS; i++)
		memcpy(n->bdf[i], guest.devs[i].bdf, sizeof(n->bdf[i]));
	return 0;
}

/**
 * guest_recall() - read it there.
 * @files: bit per file that there was
 *
 * Return: 0, or -ENODATA when guest RAM has no notes.
 */
int guest_recall(uint32_t *files)
{
	const struct notes *n = notes();
	unsigned int i;

	if (!n || n->magic != NOTES_MAGIC)
		return -ENODATA;
	guest.shares = n->shares;
	*files = n->files;
	for (i = 0; i < VMM_MAX_DEVS; i++)
		memcpy(guest.devs[i].bdf, n->bdf[i], sizeof(n->bdf[i]));
	return 0;
}

/* guest_pagemap() - one entry per page: bit 63 tells that it is there, 54:0 are its number. */
int guest_pagemap(const uint8_t *mem, uint64_t nr, uint64_t *entries)
{
	size_t size = nr * sizeof(*entries), done = 0;
	off_t at = (uintptr_t)mem / HIL_PAGE * sizeof(*entries);
	int fd, ret = 0;
	ssize_t n;

	/* Each time: it stays that of the process that opened it. */
	fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (; !ret && done < size; done += n) {
		n = pread(fd, (uint8_t *)entries + done, size - done, at + done);
		if (n <= 0)
			ret = n ? -errno : -EIO;
	}
	close(fd);
	return ret;
}

#define PAGEMAP_PRESENT	(1ull << 63)
#define PAGEMAP_PFN	((1ull << 55) - 1)

/* A page of the file that nobody has touched here is not in pagemap: touch those, and no holes. */
static int touch_pages(const struct vmm_ram *ram, uint64_t nr, const uint64_t *entries, bool *any)
{
	unsigned char *resident = malloc(nr);
	uint64_t i, from;
	int ret = 0;

	if (!resident)
		return -ENOMEM;
	if (mincore(ram->mem, ram->size, resident))
		ret = -errno;
	for (i = 0; !ret && i < nr; i++) {
		for (from = i; i < nr && resident[i] & 1 && !(entries[i] & PAGEMAP_PRESENT);)
			i++;
		if (i == from)
			continue;
		*any = true;
		if (madvise(ram->mem + from * HIL_PAGE, (i - from) * HIL_PAGE, MADV_POPULATE_READ))
			ret = -errno;
	}
	free(resident);
	return ret;
}

/**
 * guest_pages() - the pages of a file.
 * @file: it
 * @pfns: result, to be freed; 0 for a page that is not there
 *
 * Return: how many pages, or a negative errno.
 */
int64_t guest_pages(const struct guest_file *file, uint64_t **pfns)
{
	uint64_t i, nr = file->ram.size / HIL_PAGE, *entries = malloc(nr * sizeof(*entries));
	bool touched = false;
	int ret = 0;

	if (!entries)
		return -ENOMEM;
	if (file->address) {
		for (i = 0; i < nr; i++)
			entries[i] = file->address / HIL_PAGE + i;
		*pfns = entries;
		return nr;
	}
	ret = guest_pagemap(file->ram.mem, nr, entries);
	if (!ret)
		ret = touch_pages(&file->ram, nr, entries, &touched);
	if (!ret && touched)
		ret = guest_pagemap(file->ram.mem, nr, entries);
	if (ret) {
		free(entries);
		return ret;
	}
	for (i = 0; i < nr; i++)
		entries[i] = entries[i] & PAGEMAP_PRESENT ? entries[i] & PAGEMAP_PFN : 0;
	*pfns = entries;
	return nr;
}

static int by_iova(const void *a, const void *b)
{
	const struct guest_map *x = a, *y = b;

	return (x->iova > y->iova) - (x->iova < y->iova);
}

/**
 * guest_runs() - where the IO addresses of a space must lead: its maps, and the pages of the files.
 * @space: it
 * @runs: result, to be freed; in order, and as long as they can be
 *
 * Return: how many runs, or a negative errno.
 */
int64_t guest_runs(const struct guest_space *space, struct guest_run **runs)
{
	struct guest_map *maps = malloc((space->nr_maps + 1) * sizeof(*maps));
	uint64_t *pfns[GUEST_FILES] = { }, pages = 1, at;
	struct guest_run *run = NULL;
	int64_t ret = 0, n = 0;
	unsigned int i;

	*runs = NULL;
	if (!maps)
		return -ENOMEM;
	if (space->nr_maps)
		memcpy(maps, space->maps, space->nr_maps * sizeof(*maps));
	qsort(maps, space->nr_maps, sizeof(*maps), by_iova);
	for (i = 0; i < space->nr_maps; i++)
		pages += maps[i].length / HIL_PAGE;
	for (i = 0; i < GUEST_FILES && ret >= 0; i++)
		if (guest.files[i].ram.size)
			ret = guest_pages(&guest.files[i], &pfns[i]);
	if (ret >= 0) {
		*runs = malloc(pages * sizeof(**runs));
		ret = *runs ? 0 : -ENOMEM;
	}
	for (i = 0; i < space->nr_maps && ret >= 0; i++) {
		const struct guest_map *map = &maps[i];

		for (at = 0; at < map->length; at += HIL_PAGE) {
			uint64_t pfn = pfns[map->file][(map->offset + at) / HIL_PAGE];

			if (!pfn)
				continue;
			if (run && run->iova + run->length == map->iova + at &&
			    run->pa + run->length == pfn * HIL_PAGE &&
			    run->writeable == map->writeable) {
				run->length += HIL_PAGE;
				continue;
			}
			run = &(*runs)[n++];
			run->iova = map->iova + at;
			run->pa = pfn * HIL_PAGE;
			run->length = HIL_PAGE;
			run->writeable = map->writeable;
		}
	}
	for (i = 0; i < GUEST_FILES; i++)
		free(pfns[i]);
	free(maps);
	return ret < 0 ? ret : n;
}

/* guest_random() - the next number that follows from a seed (splitmix64). */
uint64_t guest_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}
