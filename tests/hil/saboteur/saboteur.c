// SPDX-License-Identifier: GPL-2.0-only
/*
 * Spoils what two kernels share, from outside: waits for a line on the console,
 * finds the blob, or the new kernel's copy of it, in the shared guest memory and
 * changes one thing in it, or in what it points to. Somebody has to notice.
 *
 *	blob	one byte of the blob, so that its digest is wrong
 *	tables	one bit of the top table of the first frozen domain, where none counts
 *	leaf	the address in the last leaf of the first frozen domain
 *	foreign	an entry beside that of the first device, and one of the first level
 *		for a bus with no frozen device: both lead to its frozen tables
 *
 * with VT-d:
 *
 *	context	the domain id in the context entry of the first device
 *	context-top, context-type, context-width, context-absent
 *		the table address, translation type, address width or present bit in
 *		the context entry of the first device
 *	context-back	the table address there, to that of its frozen domain
 *	root-entry	a reserved field of the root entry of the first device
 *	root-table	the address in it, to that of a copy of the context table
 *	table-away	the address in the last entry that leads to a table of leaves,
 *		to that of a copy; both copies are where the first frozen domain
 *		has memory that it does not use
 *	memfd	the place of a page in its file, in the list of a preserved memfd
 *
 * with an SMMUv3:
 *
 *	ste, ste-type, ste-tag, ste-absent
 *		where the stream table entry of the first device leads to, what it does,
 *		its VMID, or its valid bit
 *	ste-back	where it leads to, to its frozen domain
 *	level-1	the length of the table that has it, in the level 1 descriptor
 *	cd	the ASID in the frozen context descriptor
 *	cd-sealed	the same, with digests that fit
 *
 * and in the blob, with a digest that fits:
 *
 *	vendor, place, bars, bridges, command, state	of the first device
 *	stream	of it, and its entry is there as well
 *	chunk	the length of a chunk of the first domain
 *	unit-cap, unit-cr1, unit-root		of its unit
 *	unit-l2	the tables of two buses of it change places
 *
 * and in ACPI's tables, at any time before the next kernel starts:
 *
 *	drhd	the unit is for devices that are not there: a kernel does not use it
 *
 * or several of these, with spaces between them; drhd stands alone.
 *
 * It keeps nothing and locks nothing; a machine that runs is changed under its
 * feet, which is what it is for. It prints what it did as JSON. It fails, with a
 * line that says why, if it finds no good blob in time.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <crypto/sha2.h>

#include "blob.h"
#include "format/format.h"
#include "saboteur.h"
#include "sha.h"

static int mem_fd;
static uint8_t *mem;
static size_t mem_len;

/*
 * Has the line come, "N:" before it: for the Nth time? The console log grows while
 * we look; it is small, so read it from the start.
 */
static int signalled(const char *log, const char *signal)
{
	unsigned int times = 1;
	static char text[1 << 20];
	const char *at = text;
	ssize_t n;
	int fd;

	if (signal[0] >= '1' && signal[0] <= '9' && signal[1] == ':') {
		times = signal[0] - '0';
		signal += 2;
	}

	fd = open(log, O_RDONLY);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 0)
		return 0;
	text[n] = '\0';
	while (times-- && at) {
		at = strstr(at, signal);
		if (at)
			at++;
	}
	return !!at;
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

/* A piece of the memory that is there, between holes of its file; all 0 to begin with. */
struct piece {
	size_t at;
	size_t end;
};

/* The next one. To read a hole of the file would fill it, and takes time. */
static bool next_piece(struct piece *p)
{
	off_t at = lseek(mem_fd, p->end, SEEK_DATA);

	if (at < 0)
		return false;
	p->at = (size_t)at / PAGE * PAGE;
	p->end = lseek(mem_fd, at, SEEK_HOLE);
	return true;
}

/* The page at the begin of what is left of the piece, or of the next one; NULL behind the last. */
static uint8_t *next_page(struct piece *p)
{
	uint8_t *page;

	if (p->at >= p->end && !next_piece(p))
		return NULL;
	page = mem + p->at;
	p->at += PAGE;
	return page;
}

/* The blob of the frozen devices. */
static uint8_t *find_blob(struct frz_blob *b)
{
	struct piece p = {};
	uint8_t *page;

	while ((page = next_page(&p))) {
		if (memcmp(page, FRZ_BLOB_MAGIC, FRZ_BLOB_MAGIC_LEN))
			continue;
		if (!frz_blob_open(b, page, mem + mem_len - page, NULL) &&
		    (b->flags & FRZ_BLOB_FROZEN) && b->nr_devices)
			return page;
	}
	errx(1, "no blob of a frozen device in memory");
}

struct frz_abi_device *first_device(const struct frz_blob *b)
{
	return (void *)frz_blob_next_device(b, NULL);
}

static struct frz_abi_unit *unit_of(const struct frz_blob *b, const struct frz_abi_device *dev)
{
	return (void *)frz_blob_unit(b, dev->unit);
}

static const struct kind *kind_of(const struct frz_blob *b)
{
	return unit_of(b, first_device(b))->kind == FRZ_UNIT_SMMUV3 ? &smmuv3 : &vtd;
}

static struct frz_abi_domain *first_domain(const struct frz_blob *b)
{
	return (void *)frz_blob_next_domain(b, NULL);
}

/* The one that the first device is on. */
const struct frz_abi_domain *domain_of_first(const struct frz_blob *b)
{
	return frz_blob_domain(b, first_device(b)->domain);
}

/* A page that a record or an entry names. */
uint64_t *page_at(u64 address)
{
	if (address >= mem_len || mem_len - address < PAGE)
		errx(1, "a table is at %#llx, outside of memory", (unsigned long long)address);
	return (void *)(mem + address);
}

/* In an entry that is not present nothing else counts: hardware does not care, a digest does. */
static void spoil_tables(const struct frz_blob *b)
{
	uint64_t *top = page_at(first_domain(b)->top);
	int i;

	for (i = 0; i < PAGE / 8 && top[i]; i++)
		;
	if (i == PAGE / 8)
		errx(1, "the top table is full");
	top[i] = 1ULL << 52;
}

/* The last entry of a table that is not empty, or the first one. */
static uint64_t *last_entry(const struct frz_format *fmt, u64 table, unsigned int level)
{
	uint64_t *first = page_at(table);
	uint64_t *entry = first + PAGE / 8 - 1;

	while (entry > first && fmt->classify(*entry, level) == FRZ_NONE)
		entry--;
	return entry;
}

/* Follows the last entry of each table down to a leaf: far from what is in use. */
static void spoil_leaf(const struct frz_blob *b)
{
	const struct frz_abi_domain *dom = first_domain(b);
	const struct frz_format *fmt = frz_format_by_id(dom->format);
	uint64_t *entry, at = dom->top, iova = 0, from;
	unsigned int level;

	for (level = dom->levels; level; level--) {
		entry = last_entry(fmt, at, level);
		iova |= (uint64_t)(entry - page_at(at)) << frz_level_shift(fmt, level);
		if (fmt->classify(*entry, level) == FRZ_LEAF) {
			from = fmt->address(*entry, level);
			*entry ^= 1ULL << frz_level_shift(fmt, level);
			printf("{\"iova\": %llu, \"from\": %llu, \"to\": %llu}\n",
			       (unsigned long long)iova, (unsigned long long)from,
			       (unsigned long long)fmt->address(*entry, level));
			return;
		}
		at = fmt->address(*entry, level);
	}
	errx(1, "no leaf in the first domain");
}

/* A table of the first device's unit. */
const struct frz_abi_table *first_table(const struct frz_blob *b, u32 index)
{
	const struct frz_abi_table *table;

	table = frz_unit_table(unit_of(b, first_device(b)), index);
	if (!table)
		errx(1, "the first device's unit has no table %#x", index);
	return table;
}

/* A copy of a page, in memory of the first domain that holds no table. */
u64 copy_page(const struct frz_blob *b, u64 from)
{
	const struct frz_abi_domain *dom = first_domain(b);
	const struct frz_abi_chunk *chunk = frz_domain_chunks(dom);
	u32 i;

	for (i = 0; i < dom->nr_chunks; i++, chunk++) {
		if (chunk->used < chunk->len && chunk->address + chunk->len <= mem_len) {
			memcpy(mem + chunk->address + chunk->used, page_at(from), PAGE);
			return chunk->address + chunk->used;
		}
	}
	errx(1, "the first domain uses all of its memory");
}

/* Follows the last entry of each table down to one that leads to a table of leaves. */
static void spoil_table_away(const struct frz_blob *b)
{
	const struct frz_abi_domain *dom = first_domain(b);
	const struct frz_format *fmt = frz_format_by_id(dom->format);
	uint64_t *entry = NULL;
	unsigned int level;
	u64 at = dom->top;

	for (level = dom->levels; level > 1; level--) {
		entry = last_entry(fmt, at, level);
		if (fmt->classify(*entry, level) != FRZ_TABLE)
			errx(1, "a leaf at level %u, and no table", level);
		at = fmt->address(*entry, level);
	}
	if (entry)
		*entry = (*entry & (PAGE - 1)) | copy_page(b, at);
}

/* A page of LUO's list of the pages of a memfd, the first one. */
static uint64_t *memfd_list(void)
{
	struct piece p = {};
	uint64_t *list;
	unsigned int i;

	while ((list = (void *)next_page(&p))) {
		/* Page frame and flags, then the place in the file: from 0, without a hole. */
		for (i = 0; i < PAGE / 16; i++)
			if (!(list[2 * i] << 12) || !(list[2 * i] >> 52) ||
			    list[2 * i] >> 54 || list[2 * i + 1] != i)
				break;
		if (i == PAGE / 16)
			return list;
	}
	errx(1, "no list of a memfd in memory");
}

/* A chunk twice as long as it is, where that overlaps nothing else in the blob. */
static void spoil_chunk(uint8_t *blob, const struct frz_blob *b)
{
	struct frz_abi_domain *dom = first_domain(b);
	struct frz_abi_chunk *chunk = (void *)frz_domain_chunks(dom);
	struct frz_blob again;
	u32 i;

	for (i = 0; i < dom->nr_chunks; i++, chunk++) {
		chunk->len *= 2;
		sha_fix_digest(blob, b->len);
		if (!frz_blob_open(&again, blob, b->len, NULL))
			return;
		chunk->len /= 2;
	}
	errx(1, "no chunk of the first domain can be made longer");
}

/* The digest of the domain of the first device, as its tables are now. */
static void fix_tables_digest(const struct frz_blob *b)
{
	struct frz_abi_domain *dom = (void *)domain_of_first(b);
	const struct frz_abi_chunk *chunk = frz_domain_chunks(dom);
	struct sha256_ctx sha;
	u32 i;

	sha256_init(&sha);
	for (i = 0; i < dom->nr_chunks; i++, chunk++) {
		if (chunk->address > mem_len || mem_len - chunk->address < chunk->used)
			errx(1, "chunk %u of the first device's domain is outside of memory", i);
		sha256_update(&sha, mem + chunk->address, chunk->used);
	}
	sha256_final(&sha, dom->digest);
}

/* The first two of a unit: they are in order of index, and that of all buses is the last one. */
static void exchange_tables(const struct frz_abi_unit *unit)
{
	struct frz_abi_table *table = (void *)frz_unit_tables(unit);
	u64 address = table[0].address;

	if (unit->nr_tables < 3)
		errx(1, "the unit has no tables of two buses");
	table[0].address = table[1].address;
	table[1].address = address;
}

/* A field of the blob; the digest is made to fit. */
static void spoil_field(uint8_t *blob, const struct frz_blob *b, const char *what)
{
	struct frz_abi_device *dev = first_device(b);
	struct frz_abi_unit *unit = unit_of(b, dev);
	const struct kind *kind = kind_of(b);
	struct frz_abi_table *root = (void *)first_table(b, kind->root);
	struct frz_abi_bridge *bridge = (void *)frz_device_bridges(dev);
	uint64_t *entry;

	if (!strcmp(what, "vendor")) {
		dev->vendor ^= 1;
	} else if (!strcmp(what, "place")) {
		/* On these machines a device's DMA carries its place. */
		entry = kind->entry(b);
		dev->devfn ^= 8;
		dev->stream ^= 8;
		memcpy(kind->entry(b), entry, kind->entry_len);
	} else if (!strcmp(what, "stream")) {
		entry = kind->entry(b);
		dev->stream ^= 8;
		memcpy(kind->entry(b), entry, kind->entry_len);
	} else if (!strcmp(what, "bars")) {
		dev->bars[0] ^= 1 << 20;
	} else if (!strcmp(what, "bridges")) {
		bridge->subordinate ^= 1 << 5;
	} else if (!strcmp(what, "command")) {
		dev->command ^= 1 << 2;
	} else if (!strcmp(what, "state")) {
		dev->state = FRZ_DEVICE_PRESERVED;
	} else if (!strcmp(what, "unit-cap")) {
		/* CAP_REG, IDR0. */
		unit->ids[0] ^= 1ULL << 40;
	} else if (!strcmp(what, "unit-cr1")) {
		unit->ids[FRZ_SMMUV3_ID_CR1] ^= 1;
	} else if (!strcmp(what, "unit-l2")) {
		exchange_tables(unit);
	} else if (!strcmp(what, "cd-sealed")) {
		kind->spoil(b, "cd");
		fix_tables_digest(b);
	} else if (!strcmp(what, "unit-root")) {
		/* Preserved, and somebody else's. */
		root->address = (uint8_t *)memfd_list() - mem;
	} else {
		errx(2, "'%s': see the top of saboteur.c for what can be spoilt", what);
	}
	sha_fix_digest(blob, b->len);
}

/*
 * ACPI's DMAR table (VT-d spec, chapter 8): where a unit names a device of a root bus, it names
 * 1e.0 instead, which is not there. How many it named.
 */
static unsigned int spoil_dmar(uint8_t *dmar, size_t room)
{
	uint8_t *s, *scope, sum = 0;
	unsigned int n = 0;
	uint32_t len, i;

	memcpy(&len, dmar + 4, sizeof(len));
	if (len < 48 || len > room)
		return 0;
	for (i = 0; i < len; i++)
		sum += dmar[i];
	if (sum)
		return 0;
	/* Structures of type and length, 0 is a unit; in it scopes: 1 an endpoint, 2 a bridge. */
	for (s = dmar + 48; s + 16 <= dmar + len && s[2]; s += s[2] | s[3] << 8) {
		if (s[0] || s[1])
			continue;
		for (scope = s + 16; scope + 8 <= s + s[2] && scope[1]; scope += scope[1]) {
			if (scope[0] != 1 && scope[0] != 2)
				continue;
			dmar[9] += scope[6] - 0x1e;
			scope[6] = 0x1e;
			n++;
		}
	}
	return n;
}

/* All tables that there are. */
static void spoil_drhd(void)
{
	uint8_t *dmar, *end;
	struct piece p = {};
	unsigned int n = 0;

	while (next_piece(&p)) {
		end = mem + p.end;
		for (dmar = mem + p.at; (dmar = memmem(dmar, end - dmar, "DMAR", 4)); dmar += 4)
			if (end - dmar >= 48)
				n += spoil_dmar(dmar, end - dmar);
	}
	if (!n)
		errx(1, "no unit that names devices in a DMAR table");
}

/* Returns whether it has said what it did. */
static bool spoil(uint8_t *blob, const struct frz_blob *b, const char *what)
{
	if (!strcmp(what, "blob"))
		first_device(b)->vendor ^= 1;
	else if (!strcmp(what, "tables"))
		spoil_tables(b);
	else if (!strcmp(what, "leaf"))
		spoil_leaf(b);
	else if (!strcmp(what, "table-away"))
		spoil_table_away(b);
	else if (!strcmp(what, "memfd"))
		/* A page of it is said to be where the one before it is. */
		memfd_list()[2 * 100 + 1]--;
	else if (!strcmp(what, "chunk"))
		spoil_chunk(blob, b);
	else if (!strcmp(what, "foreign"))
		kind_of(b)->add_foreign(b);
	else if (!kind_of(b)->spoil(b, what))
		spoil_field(blob, b, what);
	return !strcmp(what, "leaf");
}

int main(int argc, char **argv)
{
	char *words, *what;
	struct frz_blob b;
	bool told = false;
	struct stat st;
	uint8_t *blob;

	if (argc != 6) {
		fprintf(stderr,
			"Usage: saboteur MEMORY CONSOLE-LOG [N:]LINE WHAT SECONDS\n");
		return 2;
	}
	mem_fd = open(argv[1], O_RDWR);
	if (mem_fd < 0 || fstat(mem_fd, &st))
		err(1, "%s", argv[1]);
	mem_len = st.st_size;
	mem = mmap(NULL, mem_len, PROT_READ | PROT_WRITE, MAP_SHARED, mem_fd, 0);
	if (mem == MAP_FAILED)
		err(1, "%s", argv[1]);

	wait_for(argv[2], argv[3], atoi(argv[5]));
	if (!strcmp(argv[4], "drhd")) {
		spoil_drhd();
		printf("{\"what\": \"drhd\"}\n");
		return 0;
	}
	blob = find_blob(&b);
	words = strdup(argv[4]);
	if (!words)
		err(1, "out of memory");
	for (what = strtok(words, " "); what; what = strtok(NULL, " "))
		told |= spoil(blob, &b, what);
	if (!told)
		printf("{\"what\": \"%s\"}\n", argv[4]);
	return 0;
}
