// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes handovers for the tests of decode: blobs DIR writes DIR/NAME.blob, valid
 * ones, and DIR/bad-NAME.blob, each with one thing wrong. One thread, no locks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kho/abi/iommu-freeze.h>

#include "sample.h"
#include "sha.h"

static u64 memory[SAMPLE_ROOM / 8 + 512];
static const char *dir;

static void save(const char *name, size_t len)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.blob", dir, name);
	f = fopen(path, "wb");
	if (!f || fwrite(memory, 1, len, f) != len || fclose(f)) {
		perror(path);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct frz_abi_header *h = (void *)memory;
	size_t len;

	if (argc != 2) {
		fprintf(stderr, "usage: blobs DIR\n");
		return 2;
	}
	dir = argv[1];
	save("empty", sample_blob(memory, 0, 0, 0));
	save("one", sample_blob(memory, 1, 1, 1));
	save("many", sample_blob(memory, 2, 4, 9));
	save("smmuv3", sample_smmuv3(memory));

	len = sample_blob(memory, 1, 1, 1);
	memset((u8 *)memory + len, 0, 4096);
	save("padded", len + 4096);
	save("bad-cut", len - 8);
	save("bad-header", 40);
	((u8 *)memory)[len - 1] ^= 1;
	save("bad-digest", len);
	len = sample_blob(memory, 1, 1, 1);
	h->version = 99;
	sha_fix_digest(memory, len);
	save("bad-version", len);
	return 0;
}
