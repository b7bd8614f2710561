// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: decode, from a file's bytes to text and JSON.
 *
 * The first byte of the input chooses: bit 0, the digest is made right first, so
 * that what is behind it is reached; bit 1, JSON. One thread, no locks.
 */
#include <stdlib.h>

#include "sha.h"
#include "verb.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	/* libFuzzer keeps its own, and the sanitizers write to the descriptor. */
	stdout = fopen("/dev/null", "w");
	stderr = fopen("/dev/null", "w");
	return stdout && stderr ? 0 : 1;
}

int LLVMFuzzerTestOneInput(const u8 *input, size_t size);
int LLVMFuzzerTestOneInput(const u8 *input, size_t size)
{
	void *data;

	if (!size--)
		return 0;
	/* Of just its size: a step beyond is seen. */
	data = malloc(size ?: 1);
	if (!data)
		abort();
	memcpy(data, input + 1, size);
	if (input[0] & 1)
		sha_fix_digest(data, size);
	decode_memory("fuzz", data, size, input[0] & 2);
	free(data);
	return 0;
}
