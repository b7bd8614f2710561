// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: what an image of a kernel tells about the handovers it reads
 *
 * The image goes through libarchive as a stream, unpacked when it is packed, and is
 * looked through for the ELF note of kho/abi/iommu-freeze.h; nothing of it is kept but
 * one buffer. The file is not trusted: whatever is cut off, lies about a size or has
 * no end is a failure with one line on stderr, and never a kernel that lacks the
 * note.
 */
#include <errno.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>

#include <asm/byteorder.h>
#include <linux/minmax.h>

#include "check.h"

/* Of a file, and of what comes out of it. Kernels have some 100 MiB. */
#define MAX_BYTES	(1ULL << 30)
#define CHUNK		65536

#define NAME_VMLINUX	"name its vmlinux instead"

/* Setup header of a bzImage; Documentation/arch/x86/boot.rst */
#define X86_SETUP_SECTS		0x1f1
#define X86_SYSSIZE		0x1f4
#define X86_MAGIC		0x202
#define X86_VERSION		0x206
#define X86_PAYLOAD_OFFSET	0x248
#define X86_PAYLOAD_LENGTH	0x24c
#define X86_INIT_SIZE		0x260
#define X86_HEADER_LEN		0x264

/* Header of an arm64 Image; Documentation/arch/arm64/booting.rst */
#define ARM64_IMAGE_SIZE	16
#define ARM64_MAGIC		56
#define ARM64_PE		60
#define ARM64_HEADER_LEN	64

/* Header of an EFI zboot image; drivers/firmware/efi/libstub/zboot-header.S */
#define ZBOOT_MAGIC		4
#define ZBOOT_OFFSET		8
#define ZBOOT_SIZE		12
#define ZBOOT_TYPE		24
#define ZBOOT_TYPE_LEN		32
#define ZBOOT_HEADER_LEN	64

/* PE header, as far as it tells where the file ends */
#define PE_NR_SECTIONS		6
#define PE_OPTIONAL_LEN		20
#define PE_HEADER_LEN		24
#define PE_SECTION_LEN		40
#define PE_SECTION_RAW_LEN	16
#define PE_SECTION_RAW_AT	20

/* The note: three __le32, the name, padded, and desc */
#define NOTE_NAME_LEN		0
#define NOTE_DESC_LEN		4
#define NOTE_TYPE		8
#define NOTE_NAME		12
#define NOTE_OLDEST		28
#define NOTE_NEWEST		32
#define NOTE_FLAGS		36
#define NOTE_LEN		40

/**
 * struct packing - a way to pack
 * @name: for messages
 * @filter: libarchive's number of it
 * @len: bytes of @magic
 * @magic: what it begins with
 */
struct packing {
	const char *name;
	int filter;
	size_t len;
	const char *magic;
};

static const struct packing packings[] = {
	{ "gzip", ARCHIVE_FILTER_GZIP, 2, "\x1f\x8b" },
	{ "bzip2", ARCHIVE_FILTER_BZIP2, 3, "BZh" },
	{ "lzma", ARCHIVE_FILTER_LZMA, 3, "\x5d\0\0" },
	{ "xz", ARCHIVE_FILTER_XZ, 6, "\3757zXZ" },
	{ "lzo", ARCHIVE_FILTER_LZOP, 4, "\x89LZO" },
	{ "lz4", ARCHIVE_FILTER_LZ4, 4, "\x04\x22\x4d\x18" },
	{ "lz4", ARCHIVE_FILTER_LZ4, 4, "\x02\x21\x4c\x18" },	/* legacy, the kernel's */
	{ "zstd", ARCHIVE_FILTER_ZSTD, 4, "\x28\xb5\x2f\xfd" },
};

/**
 * struct image - an image that is read
 * @path: of its file
 * @fd: its file
 * @size: of the file
 * @at: where the next bytes of the kernel in it are
 * @end: and where they end
 * @kind: what it has to unpack to; NULL: whatever is a kernel
 * @packing: how the kernel in it is packed, NULL when it is not
 * @sized: @promised is known
 * @promised: bytes that it unpacks to, as the file says
 * @whole: bytes that it has to have to be whole, as its own headers say
 * @raw: what was read and not unpacked yet
 */
struct image {
	const char *path;
	int fd;
	u64 size;
	u64 at;
	u64 end;
	const char *kind;
	const struct packing *packing;
	bool sized;
	u32 promised;
	u64 whole;
	u8 raw[CHUNK];
};

static u16 get16(const u8 *p)
{
	return p[0] | p[1] << 8;
}

static u32 get32(const u8 *p)
{
	return get16(p) | (u32)get16(p + 2) << 16;
}

static u64 get64(const u8 *p)
{
	return get32(p) | (u64)get32(p + 4) << 32;
}

static enum outcome cut_off(const struct image *image, u64 whole, u64 there)
{
	return say("%s: cut off: %llu of %llu bytes are there", image->path, there, whole);
}

static const struct packing *find_packing(const u8 *buf, size_t len)
{
	const struct packing *p;

	for (p = packings; p < packings + ARRAY_SIZE(packings); p++)
		if (len >= p->len && !memcmp(buf, p->magic, p->len))
			return p;
	return NULL;
}

/* A kernel runs in the upper half of the addresses; no other ELF file does. */
static bool is_vmlinux(const u8 *buf, size_t len, u64 *whole)
{
	bool upper = false;
	Elf64_Ehdr e;
	Elf64_Phdr p;
	u64 at, end;
	u32 i;

	if (len < sizeof(e))
		return false;
	memcpy(&e, buf, sizeof(e));
	at = le64_to_cpu(e.e_phoff);
	if (memcmp(e.e_ident, ELFMAG, SELFMAG) || e.e_ident[EI_CLASS] != ELFCLASS64 ||
	    e.e_ident[EI_DATA] != ELFDATA2LSB || le16toh(e.e_phentsize) != sizeof(p))
		return false;
	*whole = 0;
	for (i = 0; i < le16toh(e.e_phnum); i++, at += sizeof(p)) {
		if (at > len || len - at < sizeof(p))
			return false;
		memcpy(&p, buf + at, sizeof(p));
		if (le32_to_cpu(p.p_type) != PT_LOAD)
			continue;
		upper |= le64_to_cpu(p.p_vaddr) >> 63;
		end = le64_to_cpu(p.p_filesz);
		end = end > MAX_BYTES ? end : end + min(le64_to_cpu(p.p_offset), MAX_BYTES);
		if (*whole < end)
			*whole = end;
	}
	return upper;
}

/*
 * Where an arm64 Image ends is only in the PE header that it has for EFI;
 * image_size counts memory that is not in the file. Without one, it is not known.
 */
static u64 arm64_whole(const u8 *buf, size_t len)
{
	u64 at = get32(buf + ARM64_PE), whole = 0, end;
	u32 nr;

	if (memcmp(buf, "MZ", 2) || at > len || len - at < PE_HEADER_LEN ||
	    memcmp(buf + at, "PE\0", 4))
		return 0;
	nr = get16(buf + at + PE_NR_SECTIONS);
	at += PE_HEADER_LEN + get16(buf + at + PE_OPTIONAL_LEN);
	for (; nr && at <= len && len - at >= PE_SECTION_LEN; nr--, at += PE_SECTION_LEN) {
		end = (u64)get32(buf + at + PE_SECTION_RAW_AT) +
		      get32(buf + at + PE_SECTION_RAW_LEN);
		if (whole < end)
			whole = end;
	}
	return whole;
}

static bool is_arm64(const u8 *buf, size_t len)
{
	return len >= ARM64_HEADER_LEN && !memcmp(buf + ARM64_MAGIC, "ARM\x64", 4);
}

/* From its first bytes, unpacked: what it is. */
static enum outcome recognise(struct image *image, struct target *target,
			      const u8 *buf, size_t len)
{
	if (!image->kind && is_arm64(buf, len))
		image->kind = "Image";
	else if (!image->kind && is_vmlinux(buf, len, &image->whole))
		image->kind = "vmlinux";
	if (!image->kind)
		return say("%s: not a kernel image (bzImage, Image or vmlinux)", image->path);

	target->kind = image->kind;
	if (!strcmp(image->kind, "bzImage")) {
		if (len < SELFMAG || memcmp(buf, ELFMAG, SELFMAG))
			return say("%s: cannot unpack it: not packed in a way known here; "
				   NAME_VMLINUX, image->path);
	} else if (strcmp(image->kind, "vmlinux")) {
		if (!is_arm64(buf, len))
			return say("%s: what is in it is not an arm64 Image", image->path);
		image->whole = arm64_whole(buf, len);
		target->room = get64(buf + ARM64_IMAGE_SIZE);
	}
	return OUTCOME_OK;
}

static bool is_note(const u8 *p)
{
	static const char name[NOTE_OLDEST - NOTE_NAME] = FRZ_NOTE_NAME;

	/* A later kernel may tell more. */
	return get32(p + NOTE_NAME_LEN) == sizeof(FRZ_NOTE_NAME) &&
	       get32(p + NOTE_DESC_LEN) >= NOTE_LEN - NOTE_OLDEST &&
	       get32(p + NOTE_TYPE) == FRZ_NOTE_VERSIONS &&
	       !memcmp(p + NOTE_NAME, name, sizeof(name));
}

/*
 * Search for the note, until there is one. Return: bytes that need not be seen
 * again, a multiple of 4.
 */
static size_t search(struct target *target, const u8 *buf, size_t len)
{
	size_t i;

	for (i = 0; !target->supported && i + NOTE_LEN <= len; i += 4) {
		if (!is_note(buf + i))
			continue;
		target->supported = true;
		target->oldest = get32(buf + i + NOTE_OLDEST);
		target->newest = get32(buf + i + NOTE_NEWEST);
		target->flags = get32(buf + i + NOTE_FLAGS);
	}
	return target->supported ? len : i;
}

static la_ssize_t read_raw(struct archive *a, void *data, const void **buf)
{
	struct image *image = data;
	ssize_t n;

	*buf = image->raw;
	n = pread(image->fd, image->raw, min(image->end - image->at, (u64)CHUNK), image->at);
	if (n < 0)
		archive_set_error(a, errno, "%s", strerror(errno));
	else
		image->at += n;
	return n;
}

static enum outcome cannot_read(const struct image *image, struct archive *a)
{
	const char *why = archive_error_string(a) ?: "libarchive does not say why";

	if (image->packing)
		return say("%s: cannot unpack it (%s): %s", image->path, image->packing->name, why);
	return say("%s: %s", image->path, why);
}

static enum outcome stream(struct image *image, struct target *target,
			   struct archive *a)
{
	u8 buf[CHUNK + NOTE_LEN];
	size_t have = 0, seen;
	enum outcome outcome;
	u64 total = 0;
	la_ssize_t n;

	for (;;) {
		n = archive_read_data(a, buf + have, CHUNK);
		if (n < 0)
			return cannot_read(image, a);
		if (!total) {
			outcome = recognise(image, target, buf, n);
			if (outcome)
				return outcome;
		}
		if (!n)
			break;
		total += n;
		if (total > MAX_BYTES)
			return say("%s: unpacks to more than 1 GiB: no kernel is that large",
				   image->path);
		have += n;
		seen = search(target, buf, have);
		have -= seen;
		memmove(buf, buf + seen, have);
	}
	if (image->sized && total != image->promised)
		return say("%s: cut off or broken: it unpacks to %llu bytes, and says %u",
			   image->path, total, image->promised);
	if (total < image->whole)
		return cut_off(image, image->whole, total);
	if (target->supported && target->oldest > target->newest)
		return say("%s: broken: says that it reads handover versions %u to %u", image->path,
			   target->oldest, target->newest);
	return OUTCOME_OK;
}

/* One filter, the one that its magic asks for: no guesses, and none inside another. */
static enum outcome look_inside(struct image *image, struct target *target)
{
	int filter = image->packing ? image->packing->filter : ARCHIVE_FILTER_NONE;
	struct archive *a = must(archive_read_new());
	struct archive_entry *entry;
	enum outcome outcome;
	int ret;

	/* Not OK: it would call a program, or cannot do it at all. */
	if (archive_read_append_filter(a, filter) != ARCHIVE_OK) {
		archive_read_free(a);
		return say("%s: cannot unpack it: libarchive has no %s here; " NAME_VMLINUX,
			   image->path, image->packing ? image->packing->name : "way to read");
	}
	ret = archive_read_support_format_raw(a);
	if (ret == ARCHIVE_OK)
		ret = archive_read_open(a, image, NULL, read_raw, NULL);
	if (ret == ARCHIVE_OK)
		ret = archive_read_next_header(a, &entry);
	outcome = ret == ARCHIVE_OK ? stream(image, target, a) : cannot_read(image, a);
	archive_read_free(a);
	return outcome;
}

/* The kernel in the image lies at image->at, and is len bytes, as the file says. */
static enum outcome find_payload(struct image *image, u64 len)
{
	u8 magic[8];
	ssize_t n;

	image->end = image->at + len;
	if (image->end > image->size)
		return cut_off(image, image->end, image->size);
	n = pread(image->fd, magic, min(len, 8ULL), image->at);
	if (n < 0)
		return say("%s: %s", image->path, strerror(errno));
	image->packing = find_packing(magic, n);
	/* libarchive bounds the memory for all others. */
	if (image->packing && image->packing->filter == ARCHIVE_FILTER_LZMA &&
	    (n < 5 || get32(magic + 1) > MAX_BYTES))
		return say("%s: cannot unpack it (lzma): needs more than 1 GiB for that",
			   image->path);
	return OUTCOME_OK;
}

static enum outcome read_bzimage(struct image *image, struct target *target,
				 const u8 *header)
{
	u32 setup = ((header[X86_SETUP_SECTS] ?: 4) + 1) * 512;
	u64 whole = setup + (u64)get32(header + X86_SYSSIZE) * 16;
	u32 version = get16(header + X86_VERSION);
	u32 len = get32(header + X86_PAYLOAD_LENGTH);
	enum outcome outcome;
	u8 size[4];

	if (version < 0x208)
		return say("%s: boot protocol %u.%02u tells not where the kernel in it is; "
			   NAME_VMLINUX, image->path, version >> 8, version & 0xff);
	if (!get32(header + X86_PAYLOAD_OFFSET) || len < sizeof(size))
		return say("%s: its setup header names no payload; " NAME_VMLINUX, image->path);
	if (whole > image->size)
		return cut_off(image, whole, image->size);
	image->kind = "bzImage";
	if (version >= 0x20a)
		target->room = get32(header + X86_INIT_SIZE);
	image->at = setup + (u64)get32(header + X86_PAYLOAD_OFFSET);
	outcome = find_payload(image, len);
	if (outcome || !image->packing)
		return outcome ?: look_inside(image, target);

	/* The kernel's build puts the size behind whatever is not gzip, which has it. */
	if (pread(image->fd, size, sizeof(size), image->end - sizeof(size)) !=
	    sizeof(size))
		return say("%s: cannot be read", image->path);
	image->sized = true;
	image->promised = get32(size);
	if (image->packing->filter != ARCHIVE_FILTER_GZIP)
		image->end -= sizeof(size);
	return look_inside(image, target);
}

static enum outcome read_zboot(struct image *image, struct target *target,
			       const u8 *header)
{
	enum outcome outcome;

	image->kind = "vmlinuz.efi";
	image->at = get32(header + ZBOOT_OFFSET);
	outcome = find_payload(image, get32(header + ZBOOT_SIZE));
	if (outcome)
		return outcome;
	if (!image->packing)
		return say("%s: cannot unpack it: packed by '%.*s'; name its Image instead",
			   image->path, ZBOOT_TYPE_LEN, (const char *)header + ZBOOT_TYPE);
	return look_inside(image, target);
}

static enum outcome read_image(struct image *image, struct target *target)
{
	u8 header[X86_HEADER_LEN] = {};
	enum outcome outcome;
	ssize_t n;

	n = pread(image->fd, header, sizeof(header), 0);
	if (n < 0)
		return say("%s: %s", image->path, strerror(errno));
	/* Of nothing, libarchive makes an error. */
	if (!n)
		return recognise(image, target, header, 0);
	/* Both may also be a program for EFI; what is not there is 0. */
	if (!memcmp(header + X86_MAGIC, "HdrS", 4))
		return read_bzimage(image, target, header);
	if (!memcmp(header, "MZ", 2) && !memcmp(header + ZBOOT_MAGIC, "zimg", 4))
		return read_zboot(image, target, header);
	outcome = find_payload(image, image->size);
	return outcome ?: look_inside(image, target);
}

/**
 * target_read - look which handovers a kernel reads that is not running
 * @path: of its image: bzImage, arm64 Image or vmlinux, the last two packed or
 *	not, or an EFI zboot image of arm64
 * @target: filled when it could be looked at; a kernel without the note is one
 *	that is not supported
 *
 * Return: OUTCOME_OK, or OUTCOME_FAILED: it is no kernel, or was not looked at.
 */
enum outcome target_read(const char *path, struct target *target)
{
	struct image image = { .path = path };
	enum outcome outcome;
	struct stat st;

	*target = (struct target){};
	/* Whatever is no file must not keep the open waiting. */
	image.fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (image.fd < 0)
		return say("%s: %s", image.path, strerror(errno));
	if (fstat(image.fd, &st)) {
		outcome = say("%s: %s", image.path, strerror(errno));
	} else if (S_ISDIR(st.st_mode)) {
		outcome = say("%s: %s", image.path, strerror(EISDIR));
	} else if (!S_ISREG(st.st_mode)) {
		outcome = say("%s: not a regular file", image.path);
	} else if ((u64)st.st_size > MAX_BYTES) {
		outcome = say("%s: more than 1 GiB: no kernel is that large", image.path);
	} else {
		image.size = st.st_size;
		outcome = read_image(&image, target);
	}
	close(image.fd);
	return outcome;
}
