/* SPDX-License-Identifier: GPL-2.0-only */
/* A valid blob for tests that take one apart, from outside or by fuzzing. */
#ifndef TESTS_SAMPLE_H
#define TESTS_SAMPLE_H

#include <linux/types.h>

#define SAMPLE_ROOM	0x10000

/* Into buf, 8-byte aligned, SAMPLE_ROOM of it; its length. Ends the program when it cannot. */
size_t sample_blob(void *buf, u32 units, u32 domains, u32 devices);
/* The same of SMMUv3s: one of one level and stage 2, one of two and both. */
size_t sample_smmuv3(void *buf);

#endif
