// SPDX-License-Identifier: GPL-2.0-only
/*
 * Spoils what two kernels share, from outside: waits for a line on the console,
 * finds the blob, or the new kernel's copy of it, in the shared guest memory and
 * changes one thing in it, or in what it points to. Somebody has to notice.
 *
 *	blob	one byte of the blob, so that its digest is wrong
 *	tables	one bit of the top table of the first frozen domain
 *	leaf	the address in the last leaf of the first frozen domain
 *	context	the domain id in the context entry of the first device
 *	vendor	the vendor of the first device, with a digest that fits
 *	place	the slot of the first device, with a digest that fits
 *
 * It keeps nothing and locks nothing; a machine that runs is changed under its
 * feet, which is what it is for. It fails, with a line that says why, if it finds
 * no good blob in time.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "frz.h"
#include "sha.h"

#define PAGE	4096

static uint8_t *mem;
static size_t mem_len;

/* The console log grows while we look; it is small, so read it from the start. */
static int signalled(const char *log, const char *signal)
{
	static char text[1 << 20];
	ssize_t n;
	int fd;

	fd = open(log, O_RDONLY);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 0)
		return 0;
	text[n] = '\0';
	return !!strstr(text, signal);
}

static void wait_for(const char *log, const char *signal, int seconds)
{
	time_t end = time(NULL) + seconds;

	while (!signalled(log, signal)) {
		if (time(NULL) > end)
			errx(1, "%s: no \"%s\" in %d s", log, signal, seconds);
		usleep(2000);
	}
}

/* The blob of the frozen devices; len is what it may be at most. */
static uint8_t *find_blob(struct frz_blob *b)
{
	size_t at;

	for (at = 0; at < mem_len; at += PAGE) {
		if (memcmp(mem + at, FRZ_BLOB_MAGIC, FRZ_BLOB_MAGIC_LEN))
			continue;
		if (!frz_blob_open(b, mem + at, mem_len - at, &sha256, NULL) &&
		    (b->flags & FRZ_BLOB_FROZEN) && b->nr_devices)
			return mem + at;
	}
	errx(1, "no blob of a frozen device in memory");
}

static void sign(uint8_t *blob)
{
	struct frz_abi_header *header = (void *)blob;

	memset(header->digest, 0, sizeof(header->digest));
	sha256.init(sha256.ctx);
	sha256.update(sha256.ctx, blob, le64_to_cpu(header->total_len));
	sha256.final(sha256.ctx, header->digest);
}

static struct frz_abi_device *first_device(uint8_t *blob, const struct frz_blob *b)
{
	return (void *)(blob + b->devices);
}

static void spoil_tables(const struct frz_blob *b)
{
	struct frz_domain dom = {};
	uint64_t *top;
	int i;

	frz_blob_next_domain(b, &dom);
	if (dom.top + PAGE > mem_len)
		errx(1, "the top table is at %#llx, outside of memory",
		     (unsigned long long)dom.top);
	top = (void *)(mem + dom.top);
	for (i = 0; i < PAGE / 8 && !top[i]; i++)
		;
	if (i == PAGE / 8)
		errx(1, "the top table is empty");
	/* A software bit: hardware does not care, a digest does. */
	top[i] ^= 1ULL << 52;
}

/* Follows the last entry of each table down to a leaf: far from what is in use. */
static void spoil_leaf(const struct frz_blob *b)
{
	struct frz_domain dom = {};
	const struct frz_format *fmt;
	unsigned int level, i;
	uint64_t *table;
	uint64_t at;

	frz_blob_next_domain(b, &dom);
	fmt = frz_format_by_id(dom.format);
	at = dom.top;
	for (level = dom.levels; level; level--) {
		if (at + PAGE > mem_len)
			errx(1, "a table is at %#llx, outside of memory", (unsigned long long)at);
		table = (void *)(mem + at);
		for (i = PAGE / 8 - 1; i && fmt->classify(table[i], level) == FRZ_NONE; i--)
			;
		if (fmt->classify(table[i], level) == FRZ_LEAF) {
			table[i] ^= 1ULL << frz_level_shift(fmt, level);
			return;
		}
		at = fmt->address(table[i], level);
	}
	errx(1, "no leaf in the first domain");
}

static void spoil_context(const struct frz_blob *b)
{
	struct frz_device dev = {};
	struct frz_unit unit = {};
	uint64_t *entry;
	u64 pa;
	u32 bus, i;

	frz_blob_next_device(b, &dev);
	frz_blob_find_unit(b, dev.unit, &unit);
	for (i = 0; i < unit.nr_contexts; i++) {
		frz_blob_context(b, &unit, i, &bus, &pa);
		if (bus != dev.bus)
			continue;
		entry = (void *)(mem + pa + dev.devfn * 16);
		entry[1] ^= 1ULL << 8;
		return;
	}
	errx(1, "the first device has no context table");
}

int main(int argc, char **argv)
{
	struct frz_abi_device *dev;
	struct frz_blob b;
	struct stat st;
	uint8_t *blob;
	int fd;

	if (argc != 5) {
		fprintf(stderr,
			"Usage: saboteur MEMORY CONSOLE-LOG LINE blob|tables|leaf|context|vendor|place\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR);
	if (fd < 0 || fstat(fd, &st))
		err(1, "%s", argv[1]);
	mem_len = st.st_size;
	mem = mmap(NULL, mem_len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		err(1, "%s", argv[1]);

	wait_for(argv[2], argv[3], 200);
	blob = find_blob(&b);
	dev = first_device(blob, &b);
	if (!strcmp(argv[4], "blob")) {
		dev->vendor ^= cpu_to_le32(1);
	} else if (!strcmp(argv[4], "tables")) {
		spoil_tables(&b);
	} else if (!strcmp(argv[4], "leaf")) {
		spoil_leaf(&b);
	} else if (!strcmp(argv[4], "context")) {
		spoil_context(&b);
	} else if (!strcmp(argv[4], "vendor")) {
		dev->vendor ^= cpu_to_le32(1);
		sign(blob);
	} else if (!strcmp(argv[4], "place")) {
		dev->devfn ^= cpu_to_le32(8);
		sign(blob);
	} else {
		errx(2, "'%s': blob, tables, leaf, context, vendor or place", argv[4]);
	}
	fprintf(stderr, "spoilt: %s, blob at %#zx\n", argv[4], (size_t)(blob - mem));
	return 0;
}
