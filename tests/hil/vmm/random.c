// SPDX-License-Identifier: GPL-2.0-only
/*
 * map-random: some hundred maps and unmaps that follow from a seed, in several files of guest
 * RAM. The same seed makes the same plan in every kernel; it must not depend on anything that
 * the kernel says.
 *
 * iommufd takes back whole maps only, so a hole is planned: what will be cut is mapped in pieces.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "commands.h"
#include "guest.h"
#include "script.h"

#define HUGE		(2ull << 20)
#define FILE_SIZE	(16ull << 20)
#define NR_FILES	3			/* GUEST_RAM, GUEST_SMALL, GUEST_HUGE */
/* Above all that other commands map. Small enough for collisions, with room for all the rest. */
#define WINDOW		(VMM_IOVA + (64ull << 30))
#define WINDOW_SIZE	(1ull << 30)
#define SMALL_PAGES	64			/* a map in small pages has at most that many */
#define DEFAULT_STEPS	300
#define MAX_STEPS	2000

struct plan {
	uint64_t random;
	bool live;		/* do it while it is planned */
	struct guest_map maps[3 * MAX_STEPS];
	unsigned int nr;	/* maps that there are */
	unsigned int made;	/* maps that there ever were */
};

static uint64_t pick(struct plan *p, uint64_t below)
{
	return guest_random(&p->random) % below;
}

static int drop(struct plan *p, unsigned int i)
{
	const struct guest_map map = p->maps[i];

	p->maps[i] = p->maps[--p->nr];
	return p->live ? guest_unmap(map.iova, map.length) : 0;
}

/* One more map; what is in its way goes first. */
static int add(struct plan *p, const struct guest_map *map)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < p->nr && !ret;) {
		const struct guest_map *other = &p->maps[i];

		if (other->iova < map->iova + map->length &&
		    map->iova < other->iova + other->length)
			ret = drop(p, i);
		else
			i++;
	}
	if (ret)
		return ret;
	p->maps[p->nr++] = *map;
	p->made++;
	if (!p->live)
		return 0;
	return guest_map(map->file, map->offset, map->length, map->iova, map->writeable);
}

static bool fits(const struct guest_map *map)
{
	return map->iova + map->length <= WINDOW + WINDOW_SIZE &&
	       map->offset + map->length <= guest.files[map->file].ram.size;
}

/* Anywhere, in small pages. */
static struct guest_map small(struct plan *p)
{
	struct guest_map map = { .length = (1 + pick(p, SMALL_PAGES)) * HIL_PAGE };

	map.file = pick(p, NR_FILES);
	map.writeable = pick(p, 4);
	map.iova = WINDOW + pick(p, (WINDOW_SIZE - map.length) / HIL_PAGE) * HIL_PAGE;
	map.offset = pick(p, (guest.files[map.file].ram.size - map.length) / HIL_PAGE) * HIL_PAGE;
	return map;
}

/* 2 or 4 MiB, where a large leaf could be; one time in four its memory is not aligned for that. */
static struct guest_map huge(struct plan *p)
{
	struct guest_map map = { .length = (1 + pick(p, 2)) * HUGE };

	map.file = pick(p, 3) ? GUEST_HUGE : pick(p, NR_FILES);
	map.writeable = pick(p, 4);
	map.iova = WINDOW + pick(p, (WINDOW_SIZE - map.length) / HUGE) * HUGE;
	map.offset = pick(p, (guest.files[map.file].ram.size - map.length) / HUGE) * HUGE;
	if (!pick(p, 4))
		map.offset += (1 + pick(p, HUGE / HIL_PAGE - 1)) * HIL_PAGE;
	return map;
}

/* Right after another one, and in its file as well: one extent of the two, or two permissions. */
static struct guest_map neighbour(struct plan *p)
{
	const struct guest_map *other = &p->maps[pick(p, p->nr)];
	struct guest_map map = *other;

	map.iova += other->length;
	map.offset += other->length;
	map.length = (1 + pick(p, SMALL_PAGES)) * HIL_PAGE;
	if (!pick(p, 3))
		map.writeable = !map.writeable;
	return map;
}

/* Three in a row, and the one in the middle taken away. */
static int hole(struct plan *p)
{
	struct guest_map map = small(p);
	unsigned int i;
	int ret = 0;

	for (i = 0; i < 3 && !ret && fits(&map); i++) {
		ret = add(p, &map);
		map.iova += map.length;
		map.offset += map.length;
	}
	if (i < 3 || ret)
		return ret;
	map.iova -= 2 * map.length;
	for (i = 0; i < p->nr; i++)
		if (p->maps[i].iova == map.iova)
			return drop(p, i);
	return 0;
}

static int step(struct plan *p)
{
	struct guest_map map;

	switch (pick(p, 8)) {
	case 0:
	case 1:
		return p->nr ? drop(p, pick(p, p->nr)) : 0;
	case 2:
		return hole(p);
	case 3:
	case 4:
		map = huge(p);
		break;
	case 5:
		map = p->nr ? neighbour(p) : small(p);
		break;
	default:
		map = small(p);
	}
	return fits(&map) ? add(p, &map) : 0;
}

/*
 * A file of guest RAM, unless the last kernel left it; with all its pages, in huge ones if
 * asked for.
 */
static int make_file(enum guest_file_id id)
{
	static const char shmem[] = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";
	struct vmm_ram *ram = &guest.files[id].ram;
	uint64_t aligned;
	void *mem;
	int ret;

	if (ram->size)
		return 0;
	ret = vmm_ram_create(ram, FILE_SIZE);
	if (ret || id != GUEST_HUGE)
		return ret ?: madvise(ram->mem, FILE_SIZE, MADV_POPULATE_WRITE) ? -errno : 0;
	/* A kernel that has none gives small pages, which is as well. */
	vmm_write_file(shmem, "advise");
	munmap(ram->mem, FILE_SIZE);
	mem = mmap(NULL, FILE_SIZE + HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		return -errno;
	aligned = ((uintptr_t)mem + HUGE - 1) & ~(HUGE - 1);
	mem = mmap((void *)aligned, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		   ram->fd, 0);
	if (mem == MAP_FAILED)
		return -errno;
	ram->mem = mem;
	madvise(mem, FILE_SIZE, MADV_HUGEPAGE);
	return madvise(mem, FILE_SIZE, MADV_POPULATE_WRITE) ? -errno : 0;
}

/*
 * map-random SEED [STEPS]: in the first kernel all the steps, in later ones only the maps that
 * there are after the last one. SEED 0 is hil.seed= of the command line.
 */
int cmd_map_random(int argc, char **argv)
{
	uint64_t seed = argc ? strtoull(argv[0], NULL, 0) : 0;
	unsigned long i, steps = argc == 2 ? strtoul(argv[1], NULL, 0) : DEFAULT_STEPS;
	struct plan *p;
	int ret;

	if (argc < 1 || argc > 2 || !steps || steps > MAX_STEPS)
		return -EINVAL;
	if (guest.files[GUEST_RAM].ram.size < FILE_SIZE)
		return -ENOSPC;
	if (!seed)
		seed = guest.seed;
	ret = make_file(GUEST_SMALL);
	if (!ret)
		ret = make_file(GUEST_HUGE);
	if (ret)
		return ret;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->random = seed;
	p->live = !guest.boot;
	for (i = 0; i < steps && !ret; i++)
		ret = step(p);
	for (i = 0; i < p->nr && !ret && !p->live; i++)
		ret = guest_map(p->maps[i].file, p->maps[i].offset, p->maps[i].length,
				p->maps[i].iova, p->maps[i].writeable);
	say("map-random seed=%" PRIu64 " maps=%u final=%u", seed, p->made, p->nr);
	free(p);
	if (!ret)
		box_mark_active("mapped");
	return ret;
}
