// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: text for people
 *
 * Structure: data goes to stdout, messages and progress to stderr; colour and
 * progress only to a terminal. No lock. A write that fails is found at the end,
 * by print_end().
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "tool.h"

static bool coloured;
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
	fprintf(stderr, TOOL ": %s\n", print_text((u8 *)text, sizeof(text) - 1, text));
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
 * print_begin - look where stdout goes
 *
 * Return: OUTCOME_FAILED when it is closed.
 */
enum outcome print_begin(void)
{
	const char *no_color = getenv("NO_COLOR");

	if (fcntl(STDOUT_FILENO, F_GETFD) < 0) {
		say("standard output is closed");
		return OUTCOME_FAILED;
	}
	coloured = isatty(STDOUT_FILENO) && !(no_color && *no_color);
	return OUTCOME_OK;
}

/**
 * print_end - make sure that all that was printed has arrived
 *
 * Return: OUTCOME_FAILED when it has not.
 */
enum outcome print_end(void)
{
	bool failed = ferror(stdout);

	progress_clear();
	errno = 0;
	if (fclose(stdout))
		failed = true;
	if (!failed)
		return OUTCOME_OK;
	/* Whoever closed the pipe does not want to read about it. */
	if (errno != EPIPE)
		say("cannot write to standard output%s%s", errno ? ": " : "",
		    errno ? strerror(errno) : "");
	return OUTCOME_FAILED;
}

/**
 * print_tinted - print a word, padded, and coloured on a terminal
 * @tint: how
 * @width: columns to fill
 * @word: word
 */
void print_tinted(enum tint tint, int width, const char *word)
{
	static const char * const colour[] = {
		[TINT_NONE] = "",
		[TINT_GOOD] = "\033[32m",
		[TINT_BUSY] = "\033[36m",
		[TINT_BAD] = "\033[31m",
	};
	int pad = width - (int)strlen(word);

	if (coloured && tint != TINT_NONE)
		printf("%s%s\033[0m", colour[tint], word);
	else
		fputs(word, stdout);
	if (pad > 0)
		printf("%*s", pad, "");
}

/**
 * print_bdf - write the place of a device
 * @bdf: place
 * @buf: room for BDF_LEN
 *
 * Return: @buf.
 */
const char *print_bdf(const struct bdf *bdf, char *buf)
{
	snprintf(buf, BDF_LEN, "%04x:%02x:%02x.%x", bdf->segment,
		 bdf->devid >> 8 & 0xff, bdf->devid >> 3 & 0x1f, bdf->devid & 7);
	return buf;
}

/**
 * print_bytes - write a size, short
 * @bytes: size
 * @buf: room for BYTES_LEN
 * @len: size of @buf
 *
 * Return: @buf, with at most one decimal.
 */
const char *print_bytes(u64 bytes, char *buf, size_t len)
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
		snprintf(buf, len, "%u.%u%c", (u32)bytes, tenth, unit[i]);
	else
		snprintf(buf, len, "%u%c", (u32)bytes, unit[i]);
	return buf;
}

/**
 * print_hex - write bytes in hexadecimal
 * @data: bytes
 * @len: how many, FRZ_DIGEST_LEN at most
 * @buf: room for HEX_LEN
 *
 * Return: @buf.
 */
const char *print_hex(const u8 *data, size_t len, char *buf)
{
	static const char digit[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < len; i++) {
		buf[2 * i] = digit[data[i] >> 4];
		buf[2 * i + 1] = digit[data[i] & 15];
	}
	buf[2 * len] = '\0';
	return buf;
}

/**
 * print_text - a text of the kernel's that is safe on any terminal and in JSON
 * @text: text, NUL terminated or full
 * @len: size of @text
 * @buf: room for @len + 1
 *
 * Return: @buf.
 */
const char *print_text(const u8 *text, size_t len, char *buf)
{
	size_t i;

	for (i = 0; i < len && text[i]; i++)
		buf[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	buf[i] = '\0';
	return buf;
}

/**
 * print_prot - write permissions
 * @prot: FRZ_READ, ...
 * @buf: room for PROT_LEN
 *
 * Return: @buf: r, w and s (snoop), each - when not set.
 */
const char *print_prot(u32 prot, char *buf)
{
	buf[0] = prot & FRZ_READ ? 'r' : '-';
	buf[1] = prot & FRZ_WRITE ? 'w' : '-';
	buf[2] = prot & FRZ_SNOOP ? 's' : '-';
	buf[3] = '\0';
	return buf;
}

/**
 * print_direction - word of a direction
 * @direction: enum iommu_freeze_direction
 *
 * Return: word, the same in text and in JSON.
 */
const char *print_direction(u32 direction)
{
	return direction == IOMMU_FREEZE_INCOMING ? "incoming" : "outgoing";
}

/**
 * print_state - word of a state
 * @state: enum iommu_freeze_state
 *
 * Return: word, "unknown" for one of a newer kernel.
 */
const char *print_state(u32 state)
{
	static const char * const word[] = {
		[IOMMU_FREEZE_PRESERVED] = "preserved",
		[IOMMU_FREEZE_FROZEN] = "frozen",
		[IOMMU_FREEZE_REPLACED] = "replaced",
		[IOMMU_FREEZE_REFUSED] = "refused",
		[IOMMU_FREEZE_DISCARDED] = "discarded",
	};

	return state < ARRAY_SIZE(word) && word[state] ? word[state] : "unknown";
}

/**
 * print_stage - word of a stage of check
 * @stage: stage
 *
 * Return: word, as it is typed and in JSON.
 */
const char *print_stage(enum stage stage)
{
	static const char * const word[] = {
		[STAGE_EARLY] = "early",
		[STAGE_PRESERVE] = "preserve",
		[STAGE_KEXEC] = "kexec",
	};

	return word[stage];
}

/**
 * print_use - word of how a device is used
 * @use: enum iommu_freeze_use
 *
 * Return: word, "unknown" for one of a newer kernel.
 */
const char *print_use(u32 use)
{
	static const char * const word[] = {
		[IOMMU_FREEZE_IDLE] = "idle",
		[IOMMU_FREEZE_IN_USE] = "in-use",
		[IOMMU_FREEZE_IS_PRESERVED] = "preserved",
	};

	return use < ARRAY_SIZE(word) ? word[use] : "unknown";
}

/**
 * print_state_tint - colour of a state
 * @state: enum iommu_freeze_state
 *
 * Return: how to colour it.
 */
enum tint print_state_tint(u32 state)
{
	switch (state) {
	case IOMMU_FREEZE_REPLACED:
		return TINT_GOOD;
	case IOMMU_FREEZE_PRESERVED:
	case IOMMU_FREEZE_FROZEN:
		return TINT_BUSY;
	case IOMMU_FREEZE_DISCARDED:
		return TINT_NONE;
	default:
		return TINT_BAD;
	}
}

/**
 * print_format - word of a table format
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
 * print_result - word of what a verify found
 * @result: enum iommu_freeze_result
 *
 * Return: word, "unknown" for one of a newer kernel.
 */
const char *print_result(u32 result)
{
	static const char * const word[] = {
		[IOMMU_FREEZE_SAME] = "same",
		[IOMMU_FREEZE_DIFFERS] = "differs",
		[IOMMU_FREEZE_DIGEST_DIFFERS] = "digest-differs",
		[IOMMU_FREEZE_UNREADABLE] = "unreadable",
		[IOMMU_FREEZE_ELSEWHERE] = "elsewhere",
	};

	return result < ARRAY_SIZE(word) ? word[result] : "unknown";
}
