// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes the first inputs of the fuzz targets: seed DIR writes DIR/blob/ and
 * DIR/walk/, valid ones that the fuzzer then takes apart.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <linux/array_size.h>

#include "sample.h"

static const char *dir;

static void save(const char *name, const void *data, size_t len)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "wb");
	if (!f || fwrite(data, 1, len, f) != len || fclose(f)) {
		perror(path);
		exit(1);
	}
}

static u64 memory[SAMPLE_ROOM / 8];

/* The blob in memory, with the digest for real and not. */
static void seed_blob(const char *name, size_t len)
{
	static u8 input[1 + sizeof(memory)];
	char file[64];
	u32 i;

	memcpy(input + 1, memory, len);
	for (i = 0; i < 2; i++) {
		input[0] = i;
		snprintf(file, sizeof(file), "blob/%s-%s", name, i ? "made" : "given");
		save(file, input, len + 1);
	}
}

struct entry {
	u8 what;	/* see fuzz-walk.c: bit 0 tree, bits 2:1 kind */
	u8 table;
	u16 index;
	u64 value;
};

static void seed_walk(const char *name, u8 levels, u8 formats, const struct entry *e, size_t n)
{
	u8 input[1024];
	char file[64];
	size_t len = 0;

	input[len++] = levels;
	input[len++] = formats;
	for (; n; n--, e++) {
		input[len++] = e->what;
		input[len++] = e->table;
		input[len++] = e->index & 0xff;
		input[len++] = e->index >> 8;
		memcpy(input + len, &e->value, 8);
		len += 8;
	}
	snprintf(file, sizeof(file), "walk/%s", name);
	save(file, input, len);
}

int main(int argc, char **argv)
{
	/* Tables 0 to 3 of both trees: the same path, leaves of each size. */
	static const struct entry tree[] = {
		{ 2, 0, 0, 1 }, { 2, 1, 0, 2 }, { 2, 2, 0, 3 },
		{ 0, 3, 0, 0x100003 }, { 6, 3, 1, 0x300 }, { 6, 3, 9, 0x100 },
		{ 0, 2, 1, 0x40200083 }, { 6, 2, 2, 0x101 }, { 0, 1, 1, 0x80000083 },
		{ 3, 0, 0, 1 }, { 3, 1, 0, 2 }, { 3, 2, 0, 3 },
		{ 1, 3, 0, 0x100003 }, { 7, 3, 1, 0x300 }, { 7, 3, 9, 0x100 },
		{ 1, 2, 1, 0x40200083 }, { 7, 2, 2, 0x101 }, { 1, 1, 1, 0x80000083 },
	};
	/* A full table of pages whose addresses fit into no larger leaf. */
	static const struct entry full[] = {
		{ 2, 0, 0, 1 }, { 2, 1, 0, 2 }, { 0, 2, 0, 0x101003 },
		{ 6, 2, 1, 0x1ff00 }, { 2, 1, 1, 2 },
		{ 3, 0, 0, 1 }, { 3, 1, 0, 2 }, { 1, 2, 0, 0x101003 },
		{ 7, 2, 1, 0x1ff00 }, { 3, 1, 1, 2 },
	};
	/* A table that points to itself, and big leaves. */
	static const struct entry loop[] = {
		{ 2, 0, 0, 0 }, { 2, 0, 7, 0 }, { 4, 0, 3, 0x8040000003 },
		{ 3, 0, 0, 0 }, { 3, 0, 7, 0 }, { 5, 0, 3, 0x8040000003 },
	};
	/* The first ones as Arm's stages have them, and one tree of each stage. */
	static const struct entry stage1[] = {
		{ 2, 0, 0, 1 }, { 2, 1, 0, 2 }, { 2, 2, 0, 3 },
		{ 0, 3, 0, 0x100f47 }, { 6, 3, 1, 0x300 }, { 0, 3, 9, 0x300ec3 },
		{ 0, 2, 1, 0x40200f45 }, { 6, 2, 2, 0x101 }, { 4, 1, 1, 0x80000080 },
		{ 3, 0, 0, 1 }, { 3, 1, 0, 2 }, { 3, 2, 0, 3 },
		{ 1, 3, 0, 0x100f47 }, { 7, 3, 1, 0x300 }, { 1, 3, 9, 0x300e4b },
		{ 1, 2, 1, 0x40200f45 }, { 7, 2, 2, 0x101 }, { 5, 1, 1, 0x80000080 },
	};
	static const struct entry stage2[] = {
		{ 2, 0, 0, 1 }, { 2, 1, 0, 2 }, { 2, 2, 0, 3 },
		{ 0, 3, 0, 0x1007ff }, { 6, 3, 1, 0x300 }, { 0, 3, 9, 0x3006d7 },
		{ 0, 2, 1, 0x402007fd }, { 6, 2, 2, 0x101 }, { 4, 1, 1, 0x80000040 },
		{ 3, 0, 0, 1 }, { 3, 1, 0, 2 }, { 3, 2, 0, 3 },
		{ 1, 3, 0, 0x1007ff }, { 7, 3, 1, 0x300 }, { 1, 3, 9, 0x300687 },
		{ 1, 2, 1, 0x402007fd }, { 7, 2, 2, 0x101 }, { 5, 1, 1, 0x80000080 },
	};
	static const struct entry both[] = {
		{ 2, 0, 0, 1 }, { 2, 1, 0, 2 }, { 2, 2, 0, 3 },
		{ 0, 3, 0, 0x100f47 }, { 6, 3, 1, 0x300 }, { 0, 2, 1, 0x40200fc5 },
		{ 3, 0, 0, 1 }, { 3, 1, 0, 2 }, { 3, 2, 0, 3 },
		{ 1, 3, 0, 0x1007ff }, { 7, 3, 1, 0x300 }, { 1, 2, 1, 0x4020077d },
	};
	char path[4096];

	if (argc != 2) {
		fprintf(stderr, "usage: seed DIR\n");
		return 2;
	}
	dir = argv[1];
	mkdir(dir, 0777);
	snprintf(path, sizeof(path), "%s/blob", dir);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/walk", dir);
	mkdir(path, 0777);

	seed_blob("empty", sample_blob(memory, 0, 0, 0));
	seed_blob("one", sample_blob(memory, 1, 1, 1));
	seed_blob("four", sample_blob(memory, 4, 4, 4));
	seed_blob("some", sample_blob(memory, 3, 7, 20));
	seed_blob("smmuv3", sample_smmuv3(memory));
	seed_walk("three", 1 | 1 << 3, 0, tree, ARRAY_SIZE(tree));
	seed_walk("four", 2 | 2 << 3, 0, tree, ARRAY_SIZE(tree));
	seed_walk("five", 3 | 3 << 3 | 1 << 6, 0, tree, ARRAY_SIZE(tree));
	seed_walk("mixed", 2 | 1 << 3 | 2 << 6, 0, tree, ARRAY_SIZE(tree));
	seed_walk("full", 1 | 1 << 3, 0, full, ARRAY_SIZE(full));
	seed_walk("loop", 1 | 1 << 3, 0, loop, ARRAY_SIZE(loop));
	seed_walk("stage1", 1 | 1 << 3, 1 | 1 << 2, stage1, ARRAY_SIZE(stage1));
	seed_walk("stage2", 2 | 1 << 3, 2 | 2 << 2, stage2, ARRAY_SIZE(stage2));
	seed_walk("stages", 2 | 2 << 3 | 1 << 6, 1 | 2 << 2, both, ARRAY_SIZE(both));
	return 0;
}
