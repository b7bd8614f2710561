// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: text, and where it goes
 *
 * Data goes to stdout, messages and progress to stderr; colour and progress only
 * to a terminal. A write to stdout that fails is found at the end, by main().
 */
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "tool.h"
#include "format/format.h"

static bool in_progress;

/**
 * say - a message, one line on stderr
 * @fmt: as printf, without the end of line
 *
 * A name of a file may have anything in it: what is not for a terminal is "?".
 *
 * Return: OUTCOME_FAILED, as most of what is said tells of that.
 */
enum outcome say(const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	progress_clear();
	fprintf(stderr, TOOL ": %s\n", print_clean(text));
	return OUTCOME_FAILED;
}

/**
 * progress - what is being done, on a terminal
 * @fmt: as printf, without the end of line
 */
void progress(const char *fmt, ...)
{
	va_list ap;

	if (!isatty(STDERR_FILENO))
		return;
	progress_clear();
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fflush(stderr);
	in_progress = true;
}

/**
 * progress_clear - take the progress line away
 */
void progress_clear(void)
{
	if (in_progress)
		fputs("\r\033[K", stderr);
	in_progress = false;
}

/**
 * must - end the program if there was no memory
 * @memory: what was asked for
 *
 * What was left out for want of memory would read as what is not there: a finding
 * that is dropped makes "ready" of "not ready".
 *
 * Return: @memory.
 */
void *must(void *memory)
{
	if (memory)
		return memory;
	say("out of memory");
	exit(OUTCOME_FAILED);
}

#define GREEN	"\033[32m"
#define CYAN	"\033[36m"
#define RED	"\033[31m"

/* What a word says to whoever waits for it; one that is not here is bad. */
static const char *colour_of(const char *word)
{
	static const struct {
		const char *word;
		const char *colour;
	} colours[] = {
		{ "replaced", GREEN },
		{ "same", GREEN },
		{ "serialised, same as the live tables", GREEN },
		{ "ready", GREEN },
		{ "preserved", CYAN },
		{ "frozen", CYAN },
		{ "discarded", NULL },
		{ "idle", NULL },
	};
	const char *no_color = getenv("NO_COLOR");
	size_t i;

	if (!isatty(STDOUT_FILENO) || (no_color && *no_color))
		return NULL;
	for (i = 0; i < ARRAY_SIZE(colours); i++)
		if (!strcmp(colours[i].word, word))
			return colours[i].colour;
	return RED;
}

/**
 * print_tinted - print a word, on a terminal in the colour of what it says
 * @width: columns to fill, at least
 * @word: word
 */
void print_tinted(int width, const char *word)
{
	const char *colour = colour_of(word);
	int len = strlen(word);

	if (colour)
		printf("%s%s\033[0m", colour, word);
	else
		fputs(word, stdout);
	if (width > len)
		printf("%*s", width - len, "");
}

/**
 * print_text - make a short text
 * @fmt: as printf
 *
 * Return: text of at most TEXT_LEN, good until TEXTS more were made.
 */
char *print_text(const char *fmt, ...)
{
	static char text[TEXTS][TEXT_LEN];
	static unsigned int next;
	char *buf = text[next++ % TEXTS];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, TEXT_LEN, fmt, ap);
	va_end(ap);
	return buf;
}

/**
 * print_clean - make a text safe on any terminal and in JSON
 * @text: changed: what is no printable ASCII becomes "?"
 *
 * Return: @text.
 */
char *print_clean(char *text)
{
	char *c;

	for (c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return text;
}

/**
 * print_bdf - the place of a device
 * @bdf: place
 *
 * Return: text, as of print_text().
 */
const char *print_bdf(struct bdf bdf)
{
	return print_text("%04x:%02x:%02x.%x", bdf.segment, bdf.devid >> 8 & 0xff,
			  bdf.devid >> 3 & 0x1f, bdf.devid & 7);
}

/**
 * print_bytes - a size, short
 * @bytes: size
 *
 * Return: text, as of print_text(), with at most one decimal.
 */
const char *print_bytes(u64 bytes)
{
	static const char unit[] = "BKMGTPE";
	unsigned int i = 0, tenth;
	u64 rest = 0;

	while (bytes >= 1024) {
		rest = bytes % 1024;
		bytes /= 1024;
		i++;
	}
	tenth = rest * 10 / 1024;
	if (tenth && bytes < 100)
		return print_text("%llu.%u%c", bytes, tenth, unit[i]);
	return print_text("%llu%c", bytes, unit[i]);
}

/**
 * print_format - the name of a table format
 * @format: FRZ_FORMAT_...
 *
 * Return: name, "unknown" for one of a newer kernel.
 */
const char *print_format(u32 format)
{
	const struct frz_format *fmt = frz_format_by_id(format);

	return fmt ? fmt->name : "unknown";
}

/**
 * print_word - the word of a number, the same in text and in JSON
 * @words: kind of number
 * @number: number
 *
 * Return: word, "unknown" for one of a newer kernel.
 */
const char *print_word(enum words words, u32 number)
{
	static const char * const word[][6] = {
		[WORDS_DIRECTION] = {
			[IOMMU_FREEZE_OUTGOING] = "outgoing",
			[IOMMU_FREEZE_INCOMING] = "incoming",
		},
		[WORDS_STATE] = {
			[IOMMU_FREEZE_PRESERVED] = "preserved",
			[IOMMU_FREEZE_FROZEN] = "frozen",
			[IOMMU_FREEZE_REPLACED] = "replaced",
			[IOMMU_FREEZE_REFUSED] = "refused",
			[IOMMU_FREEZE_DISCARDED] = "discarded",
		},
		[WORDS_USE] = {
			[IOMMU_FREEZE_IDLE] = "idle",
			[IOMMU_FREEZE_IN_USE] = "in-use",
			[IOMMU_FREEZE_IS_PRESERVED] = "preserved",
		},
		[WORDS_RESULT] = {
			[IOMMU_FREEZE_SAME] = "same",
			[IOMMU_FREEZE_DIFFERS] = "differs",
			[IOMMU_FREEZE_DIGEST_DIFFERS] = "digest-differs",
			[IOMMU_FREEZE_UNREADABLE] = "unreadable",
			[IOMMU_FREEZE_ELSEWHERE] = "elsewhere",
		},
		[WORDS_STAGE] = {
			[STAGE_EARLY] = "early",
			[STAGE_PRESERVE] = "preserve",
			[STAGE_KEXEC] = "kexec",
		},
	};

	if (number < ARRAY_SIZE(word[words]) && word[words][number])
		return word[words][number];
	return "unknown";
}
