// SPDX-License-Identifier: GPL-2.0-only
/*
 * The box: how the VMM tells the walker, which looks at the machine's memory from outside, what
 * must hold at this moment. A mark fills the box, names its first page on the console, and
 * waits until the walker has looked: everything before the mark was done, and nothing after it.
 *
 * The box is a header page, with the numbers of the data pages, and JSON text in these. It survives
 * nothing: each kernel's VMM makes its own. The words of the text are in judge/walk.py, class Box.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "commands.h"
#include "guest.h"
#include "script.h"

#define BOX_MAGIC	0x31584f424c4948ull	/* "HILBOX1" and a NUL */
#define BOX_PAGES	500
#define ACK_SECONDS	60

/* Little endian. */
struct box {
	uint64_t magic;
	uint8_t run[HIL_RUN_BYTES];
	uint32_t boot;
	uint32_t seq;
	uint32_t ack;		/* written by the walker */
	uint32_t nr_pages;
	uint64_t length;
	uint64_t pfn[BOX_PAGES];
};

_Static_assert(sizeof(struct box) <= HIL_PAGE, "the header is one page");

static struct box *box;
static char *text;
static size_t text_len;
/* Of the run, whichever process marks. */
static uint32_t *seq;

/**
 * box_open() - make the box of this kernel, and of this process.
 *
 * Return: 0 or a negative errno.
 */
int box_open(void)
{
	size_t size = (1 + BOX_PAGES) * HIL_PAGE;
	void *mem;

	/* Memory that is locked may still be moved, unless this says no; the walker knows pages. */
	vmm_write_file("/proc/sys/vm/compact_unevictable_allowed", "0");
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
	if (mem == MAP_FAILED)
		return -errno;
	madvise(mem, size, MADV_NOHUGEPAGE);
	/* A child that lives on would have our next write go to a copy. */
	madvise(mem, size, MADV_DONTFORK);
	if (!seq)
		seq = mmap(NULL, HIL_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			   -1, 0);
	if (seq == MAP_FAILED)
		return -errno;
	box = mem;
	text = (char *)mem + HIL_PAGE;
	return 0;
}

static void put_text(const char *s)
{
	size_t len = strlen(s);

	if (text_len + len < (size_t)BOX_PAGES * HIL_PAGE)
		memcpy(text + text_len, s, len);
	text_len += len;
}

/* There are very many numbers, and the machine is an emulated one: not by printf. */
static void put_number(uint64_t n, const char *after)
{
	char digits[24];
	char *p = digits + sizeof(digits) - 1;

	*p = '\0';
	do {
		*--p = '0' + n % 10;
		n /= 10;
	} while (n);
	put_text(p);
	put_text(after);
}

/* Takes the comma after the last element away. */
static void put_end(const char *end)
{
	if (text_len && text_len < (size_t)BOX_PAGES * HIL_PAGE && text[text_len - 1] == ',')
		text_len--;
	put_text(end);
}

static int put_file(unsigned int id)
{
	const struct guest_file *file = &guest.files[id];
	uint64_t *pfns, i, from;
	int64_t nr;

	if (!file->ram.size)
		return 0;
	nr = guest_pages(file, &pfns);
	if (nr < 0)
		return nr;
	put_text("{\"id\":");
	put_number(id, ",\"size\":");
	put_number(file->ram.size, ",\"runs\":[");
	for (i = 0; i < (uint64_t)nr; i++) {
		if (!pfns[i])
			continue;
		for (from = i; i + 1 < (uint64_t)nr && pfns[i + 1] == pfns[i] + 1;)
			i++;
		put_text("[");
		put_number(from, ",");
		put_number(pfns[from], ",");
		put_number(i + 1 - from, "],");
	}
	put_end("]},");
	free(pfns);
	return 0;
}

static void put_space(unsigned int id)
{
	const struct guest_space *space = &guest.spaces[id];
	unsigned int i;

	if (space->vmm.iommufd < 0)
		return;
	put_text("{\"id\":");
	put_number(id, ",\"maps\":[");
	for (i = 0; i < space->nr_maps; i++) {
		const struct guest_map *map = &space->maps[i];

		put_text("[");
		put_number(map->iova, ",");
		put_number(map->length, ",");
		put_number(map->file, ",");
		put_number(map->offset, map->writeable ? ",\"rw\"]," : ",\"r\"],");
	}
	put_end("]},");
}

static void put_device(unsigned int id)
{
	static const char * const states[] = {
		[GUEST_BLOCKED] = "blocked", [GUEST_LIVE] = "live", [GUEST_FROZEN] = "frozen",
	};
	const struct guest_dev *dev = &guest.devs[id];

	if (dev->state == GUEST_NONE)
		return;
	put_text("{\"dev\":");
	put_number(id, ",\"bdf\":\"");
	put_text(dev->bdf);
	put_text("\",\"state\":\"");
	put_text(states[dev->state]);
	put_text("\",\"space\":");
	put_number(dev->space, ",\"preserved\":");
	put_text(dev->session >= 0 ? "true}," : "false},");
}

static int fill(const char *name)
{
	unsigned int i;
	int ret = 0;

	text_len = 0;
	put_text("{\"mark\":\"");
	put_text(name);
	put_text("\",\"boot\":");
	put_number(guest.boot, ",\"memory_kib\":");
	put_number(memory_total_kib(), ",\"files\":[");
	for (i = 0; i < GUEST_FILES && !ret; i++)
		ret = put_file(i);
	put_end("],\"spaces\":[");
	for (i = 0; i < VMM_MAX_DEVS; i++)
		put_space(i);
	put_end("],\"devices\":[");
	for (i = 0; i < VMM_MAX_DEVS; i++)
		put_device(i);
	put_end("]}\n");
	return ret ?: text_len <= (size_t)BOX_PAGES * HIL_PAGE ? ret : -E2BIG;
}

/* Where the box is: a header's page, or a negative errno. */
static int64_t locate(void)
{
	/* The same way as for guest RAM. */
	const struct guest_file file = {
		.ram = { .mem = (uint8_t *)box, .size = (1 + BOX_PAGES) * HIL_PAGE },
	};
	uint64_t *pfns;
	int64_t header;
	unsigned int i;
	int64_t nr = guest_pages(&file, &pfns);

	if (nr < 0)
		return nr;
	for (i = 0; i < BOX_PAGES; i++)
		box->pfn[i] = htole64(pfns[1 + i]);
	header = pfns[0];
	free(pfns);
	return header;
}

/**
 * box_mark() - say what holds now, and wait until the walker has looked.
 * @name: of the mark
 *
 * Ends the run when it does not.
 */
void box_mark(const char *name)
{
	double end = now() + ACK_SECONDS;
	int64_t header = 0;
	int ret = fill(name);

	if (!ret)
		header = locate();
	if (ret || header < 0) {
		say("FAILED the box of mark %s cannot be filled: %s", name,
		    strerror(ret ? -ret : (int)-header));
		power_off();
	}
	++*seq;
	memcpy(box->run, guest.run, sizeof(box->run));
	box->magic = htole64(BOX_MAGIC);
	box->boot = htole32(guest.boot);
	box->nr_pages = htole32((text_len + HIL_PAGE - 1) / HIL_PAGE);
	box->length = htole64(text_len);
	box->ack = 0;
	box->seq = htole32(*seq);
	__sync_synchronize();
	say("mark seq=%" PRIu32 " name=%s box=0x%" PRIx64, *seq, name, header);
	while (le32toh(*(volatile uint32_t *)&box->ack) != *seq) {
		if (now() > end) {
			say("FAILED the walker did not answer mark %s (seq=%" PRIu32 ") in %d s",
			    name, *seq, ACK_SECONDS);
			power_off();
		}
		usleep(500);
	}
}

/* box_mark_active() - the same, when a device can do DMA: there is nothing to compare otherwise. */
void box_mark_active(const char *name)
{
	if (guest_active())
		box_mark(name);
}
