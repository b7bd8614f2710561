/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: what all files of the tool share
 *
 * One file is one verb (verb-NAME.c, with an entry in the table of verbs.c) or one
 * service of them. One thread, no locks. Whatever fails says so on stderr, once,
 * where it is found, and is handed up as an enum outcome; without memory the
 * program ends.
 */
#ifndef IOMMU_FREEZE_TOOL_H
#define IOMMU_FREEZE_TOOL_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <linux/array_size.h>
#include <linux/bits.h>
#include <linux/kho/abi/iommu-freeze.h>
#include <uapi/linux/iommu-freeze.h>

#define __printf(a, b)	__attribute__((format(printf, a, b)))
#define __noreturn	__attribute__((noreturn))

#define TOOL		"iommu-freeze"

/* The exit codes; see iommu-freeze(8). */
enum outcome {
	OUTCOME_OK = 0,
	OUTCOME_FAILED = 1,
	OUTCOME_USAGE = 2,
	OUTCOME_DIFFERS = 3,
	OUTCOME_UNSUPPORTED = 4,
	OUTCOME_DENIED = 5,
};

/*
 * The outcome of two things done: a difference that was found counts most, then
 * the first that failed.
 */
static inline enum outcome outcome_add(enum outcome so_far, enum outcome next)
{
	return !so_far || next == OUTCOME_DIFFERS ? next ?: so_far : so_far;
}

/* A place on a PCI bus. */
struct bdf {
	u32 segment;
	u32 devid;	/* bus << 8 | devfn */
};

/* In the order in which devices are told. */
static inline int bdf_compare(struct bdf a, struct bdf b)
{
	if (a.segment != b.segment)
		return a.segment < b.segment ? -1 : 1;
	return (a.devid > b.devid) - (a.devid < b.devid);
}

/* When check is run; each stage asks for more than the one before. */
enum stage {
	STAGE_EARLY,		/* no VMM was touched yet */
	STAGE_PRESERVE,		/* VMMs are about to preserve their devices */
	STAGE_KEXEC,		/* the kexec is next */
};

/* Numbers that have words. */
enum words {
	WORDS_DIRECTION,	/* enum iommu_freeze_direction */
	WORDS_STATE,		/* enum iommu_freeze_state */
	WORDS_USE,		/* enum iommu_freeze_use */
	WORDS_RESULT,		/* enum iommu_freeze_result */
	WORDS_STAGE,		/* enum stage */
};

/* print.c */

#define TEXTS		16
#define TEXT_LEN	512

__printf(1, 2) enum outcome say(const char *fmt, ...);
__printf(1, 2) void progress(const char *fmt, ...);
void progress_clear(void);
void *must(void *memory);
void print_tinted(int width, const char *word);
__printf(1, 2) char *print_text(const char *fmt, ...);
char *print_clean(char *text);
const char *print_bdf(struct bdf bdf);
const char *print_bytes(u64 bytes);
const char *print_format(u32 format);
const char *print_word(enum words words, u32 number);

#endif /* IOMMU_FREEZE_TOOL_H */
