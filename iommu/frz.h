/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: the pure code - formats, walk, encode, compare, blob, obstacles
 *
 * These files build in the kernel and, unchanged, in the user-space tests; this
 * header makes up the difference, so they include nothing else. They sleep only
 * where a callback of the caller sleeps, take no lock and print nothing: the
 * caller keeps the tables still while they are read and turns an error into a log
 * line. Only frz_blob_open(), and with it frz_blob_end(), allocates, and so may
 * sleep: it sorts what a blob names to find what is named twice.
 *
 * Records are ordered: units, then domains, then devices. The writer refuses any
 * other order, the parser too. frz_blob_end() checks what was written as the next
 * kernel will.
 */
#ifndef _IOMMU_FREEZE_FRZ_H
#define _IOMMU_FREEZE_FRZ_H

#ifdef __KERNEL__
#include <asm/byteorder.h>
#include <linux/align.h>
#include <linux/array_size.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>
#else
#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

#define le32_to_cpu(x)		le32toh(x)
#define le64_to_cpu(x)		((u64)le64toh(x))
#define cpu_to_le32(x)		htole32(x)
#define cpu_to_le64(x)		((__le64)htole64(x))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define GENMASK_ULL(h, l)	((~0ULL >> (63 - (h))) & (~0ULL << (l)))
#define IS_ALIGNED(x, a)	(((x) & ((a) - 1)) == 0)
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
#define kvfree(p)		free(p)
#define GFP_KERNEL		0
#define min(a, b) ({			\
	__typeof__(a) min_a = (a);	\
	__typeof__(b) min_b = (b);	\
	min_a < min_b ? min_a : min_b;	\
})

static inline void *kvmalloc_array(size_t n, size_t size, int flags)
{
	(void)flags;
	return calloc(n, size);
}

static inline void sort(void *base, size_t n, size_t size,
			int (*compare)(const void *a, const void *b),
			void (*swap)(void *a, void *b, int size))
{
	(void)swap;
	qsort(base, n, size, compare);
}
#endif

#include <linux/iommu-freeze-abi.h>

/*
 * Formats (format/)
 *
 * Level 1 holds the smallest pages, the top table is level "levels". One table
 * has 2^index_bits entries of 8 bytes, one page has 2^page_shift bytes.
 */
#define FRZ_MAX_LEVELS		5

/* Permissions. Read and write are narrowed by every table above a leaf. */
#define FRZ_READ		1
#define FRZ_WRITE		2
#define FRZ_SNOOP		4	/* of the leaf alone */

enum frz_entry {
	FRZ_NONE,	/* hardware does not go on from here */
	FRZ_TABLE,	/* next table, one level down */
	FRZ_LEAF,
	FRZ_BAD,	/* hardware would refuse it, or we do not know what it does */
};

/**
 * struct frz_format - a format of IO page tables
 * @name: as it is shown to people
 * @id: FRZ_FORMAT_... of the blob
 * @page_shift: log2 of the smallest page, which is also the alignment of a table
 * @index_bits: log2 of the entries in a table
 * @min_levels: fewest levels
 * @max_levels: most levels, FRZ_MAX_LEVELS at most
 * @pa_bits: width of a physical address in an entry
 * @leaf_levels: bit n: an entry of level n can be a leaf
 * @classify: what an entry of that level is
 * @address: the address in a table or leaf entry
 * @prot: FRZ_READ, ... of a leaf; what a table entry leaves to those below it
 * @make_leaf: a leaf entry; the arguments were checked by the encoder
 * @make_table: an entry that points to a table and narrows nothing
 */
struct frz_format {
	const char *name;
	u32 id;
	u8 page_shift;
	u8 index_bits;
	u8 min_levels;
	u8 max_levels;
	u8 pa_bits;
	u32 leaf_levels;
	enum frz_entry (*classify)(u64 entry, unsigned int level);
	u64 (*address)(u64 entry, unsigned int level);
	u32 (*prot)(u64 entry, unsigned int level);
	u64 (*make_leaf)(u64 pa, u32 prot, unsigned int level);
	u64 (*make_table)(u64 pa);
};

extern const struct frz_format frz_format_vtdss;

/* The format with this FRZ_FORMAT_... id, NULL when there is none. */
const struct frz_format *frz_format_by_id(u32 id);

/* Log2 of what one entry of this level covers. */
static inline unsigned int frz_level_shift(const struct frz_format *fmt,
					   unsigned int level)
{
	return fmt->page_shift + fmt->index_bits * (level - 1);
}

/* Place of iova's entry in its table of this level. */
static inline unsigned int frz_level_index(const struct frz_format *fmt,
					   unsigned int level, u64 iova)
{
	return (iova >> frz_level_shift(fmt, level)) &
	       (BIT_ULL(fmt->index_bits) - 1);
}

/* First iova beyond what this many levels can translate. */
static inline u64 frz_iova_end(const struct frz_format *fmt,
			       unsigned int levels)
{
	return BIT_ULL(frz_level_shift(fmt, levels + 1));
}

static inline bool frz_levels_valid(const struct frz_format *fmt,
				    unsigned int levels)
{
	return levels >= fmt->min_levels && levels <= fmt->max_levels;
}

/*
 * Walk (walk.c)
 */

/**
 * struct frz_tables - one tree of tables in some memory
 * @fmt: format
 * @top: address of the top table
 * @levels: number of levels
 * @map: table address to its entries (little endian), NULL when that memory may
 *	not be read. May be called with the same address again. What it returns
 *	must stay readable until the walk, lookup or compare returns. It is also
 *	the place to bound the work on tables that are not trusted: refuse after
 *	as many calls as there should be tables.
 * @priv: for @map
 */
struct frz_tables {
	const struct frz_format *fmt;
	u64 top;
	unsigned int levels;
	const __le64 *(*map)(void *priv, u64 table);
	void *priv;
};

/* A run: iova.. translates to pa.. for len bytes. */
struct frz_extent {
	u64 iova;
	u64 pa;
	u64 len;
	u32 prot;
};

/*
 * tables: tables, the top one too (all of 2^page_shift bytes); leaves: entries
 * that translate; extents: runs; bytes: iova space that translates.
 */
struct frz_stats {
	u64 tables;
	u64 leaves;
	u64 extents;
	u64 bytes;
};

/*
 * Calls fn for each maximal contiguous run (same prot, contiguous iova and pa),
 * in iova order. fn != 0 stops the walk and is returned. -EFAULT: map refused a
 * table, -EINVAL: bad entry or number of levels; *bad_iova tells where. stats
 * and bad_iova may be NULL; stats is set, not added to.
 */
int frz_walk(const struct frz_tables *t,
	     int (*fn)(void *arg, const struct frz_extent *e), void *arg,
	     struct frz_stats *stats, u64 *bad_iova);

/*
 * The same from an iova on: a run that begins below it is told from there. What
 * lies below costs nothing.
 */
int frz_walk_from(const struct frz_tables *t, u64 start,
		  int (*fn)(void *arg, const struct frz_extent *e), void *arg,
		  struct frz_stats *stats, u64 *bad_iova);

/*
 * The leaf (whole, not merged) that translates iova: 0, or -ENOENT, -EFAULT,
 * -EINVAL.
 */
int frz_lookup(const struct frz_tables *t, u64 iova, struct frz_extent *e);

/*
 * A place in tables that remembers the path to it, so that going on from there
 * costs one entry and not a walk from the top. For walk.c and compare.c.
 */
struct frz_cursor {
	const struct frz_tables *t;
	struct {
		const __le64 *entries;
		u32 prot;
	} path[FRZ_MAX_LEVELS + 1];	/* by level, [0] unused */
	unsigned int level;		/* lowest valid level of path, 0 = none */
	u64 at;				/* iova under path; where an error was */
	u64 tables;			/* mapped so far */
};

/* 0, -EINVAL (levels), -EFAULT (the top table may not be read) */
int frz_cursor_init(struct frz_cursor *c, const struct frz_tables *t);

/*
 * The leaf that translates iova or, unless exact, the next one after it.
 * -ENOENT when there is none; -EFAULT, -EINVAL with c->at telling where.
 */
int frz_cursor_leaf(struct frz_cursor *c, u64 iova, bool exact,
		    struct frz_extent *leaf);

/*
 * Encode (encode.c)
 */

/**
 * struct frz_encoder - makes tables from extents
 * @fmt: format
 * @levels: number of levels
 * @leaf_levels: bit n: this hardware takes a leaf at level n. A subset of
 *	fmt->leaf_levels; bit 1 must be set
 * @alloc: a zeroed table of 2^page_shift bytes: its entries, and its address
 *	through *pa; NULL = no memory
 * @priv: for @alloc
 * @top: result: address of the top table
 * @stats: result; extents counts those given, which are runs when they come
 *	from frz_walk()
 * @next: private, no extent may begin below
 * @path: private, table of each level that the last leaf is under
 */
struct frz_encoder {
	const struct frz_format *fmt;
	unsigned int levels;
	u32 leaf_levels;
	__le64 *(*alloc)(void *priv, u64 *pa);
	void *priv;

	u64 top;
	struct frz_stats stats;

	u64 next;
	__le64 *path[FRZ_MAX_LEVELS + 1];
};

/* Allocates the top table. -EINVAL (levels, leaf_levels), -ENOMEM. */
int frz_encode_begin(struct frz_encoder *enc);

/*
 * Extents must come in rising iova order, not overlap, be page aligned and not
 * empty. The largest leaf that fits is used. -EINVAL (order, alignment, prot),
 * -ERANGE (iova beyond the levels, pa beyond the format), -ENOMEM; nothing was
 * written for this extent on the first two, the tables are of no use after the
 * last. Nothing needs to end: top and stats hold after each extent.
 */
int frz_encode_extent(struct frz_encoder *enc, const struct frz_extent *e);

/*
 * Compare (compare.c)
 */

/**
 * struct frz_diff - where frozen and live tables differ, or an error was found
 * @iova: first page that differs
 * @frozen: the frozen run that it is in
 * @live: the live leaf that it is in; zeroes unless @live_present
 * @live_present: the live tables translate @iova, but to something else
 * @live_failed: on an error: it is in the live tables, not in the frozen ones
 */
struct frz_diff {
	u64 iova;
	struct frz_extent frozen;
	struct frz_extent live;
	bool live_present;
	bool live_failed;
};

/*
 * 0: every iova of frozen translates in live to the same address with the same
 * prot. 1: *diff is the first that does not. -EFAULT, -EINVAL: as frz_walk(),
 * diff->iova says where. live may map more than frozen. The cost is
 * O(entries of both). stats (of frozen) may be NULL.
 */
int frz_compare(const struct frz_tables *frozen, const struct frz_tables *live,
		struct frz_diff *diff, struct frz_stats *stats);

/*
 * Blob (blob.c), see <linux/iommu-freeze-abi.h>
 */

/**
 * struct frz_sha256 - how to compute a SHA-256
 * @init: begin a new digest in @ctx
 * @update: add bytes to it
 * @final: end it and store FRZ_DIGEST_LEN bytes
 * @ctx: the state, of the caller; used for one digest at a time
 *
 * In the kernel @ctx is a struct sha256_ctx and the three call sha256_init(),
 * sha256_update() and sha256_final().
 */
struct frz_sha256 {
	void (*init)(void *ctx);
	void (*update)(void *ctx, const void *data, size_t len);
	void (*final)(void *ctx, u8 *digest);
	void *ctx;
};

/* Why a blob was refused: "offset 0x60: reason (value 0x7)" is a good log line. */
struct frz_blob_error {
	size_t offset;		/* of the field, from the start of the blob */
	u64 value;		/* that was refused, 0 where there is none to tell */
	const char *reason;	/* static */
};

/* An open blob. data must stay as it is while this is used. */
struct frz_blob {
	const void *data;
	size_t len;
	u32 flags;
	u64 generation;
	u32 nr_units;
	u32 nr_domains;
	u32 nr_devices;
	size_t units;		/* offset of the first record of each type */
	size_t domains;
	size_t devices;
};

/* Plain forms of the records. "at" is for the parser only, see frz_blob_next_... */
struct frz_context {
	u32 bus;
	u64 address;
};

struct frz_unit {
	u32 kind;
	u32 segment;
	u64 reg_base;
	u64 cap;
	u64 ecap;
	u64 root;
	u64 irt;		/* 0 if there is none */
	u32 nr_contexts;
	size_t at;
};

struct frz_chunk {
	u64 address;
	u64 len;
	u64 used;
};

struct frz_domain {
	u32 id;
	u32 format;
	u32 levels;
	u32 leaf_levels;
	u32 unit;
	u32 did;
	u64 top;
	struct frz_stats stats;
	u32 nr_chunks;
	u8 digest[FRZ_DIGEST_LEN];
	size_t at;
};

struct frz_bridge {
	u32 bus;
	u32 devfn;
	u32 primary;
	u32 secondary;
	u32 subordinate;
};

struct frz_device {
	u32 segment;
	u32 bus;
	u32 devfn;
	u32 vendor;
	u32 device;
	u32 subsystem_vendor;
	u32 subsystem_device;
	u32 class_revision;
	u32 hdr_type;
	u32 domain;
	u32 unit;
	u32 state;
	u32 bars[6];
	u32 command;
	u32 nr_bridges;
	size_t at;
};

/*
 * Checks everything in data, once; nothing that reads b can fail afterwards. len
 * may be more than the blob (memory comes in pages), never less. data must be
 * 8-byte aligned. err is set on failure and may be NULL.
 *
 * -EINVAL: malformed, cut off or contradicting itself. -EBADMSG: the digest does
 * not match. -EPROTONOSUPPORT: a newer version of the blob or of a record.
 * -EOPNOTSUPP: unknown record type, unit kind, table format or flag. -E2BIG: over
 * a bound. -ENOMEM: no memory for the checks.
 */
int frz_blob_open(struct frz_blob *b, const void *data, size_t len,
		  const struct frz_sha256 *sha256, struct frz_blob_error *err);

/*
 * The next record of a type: true and it is filled, or false after the last.
 * Begin with a zeroed struct:
 *
 *	struct frz_device dev = {};
 *
 *	while (frz_blob_next_device(b, &dev))
 *		...
 */
bool frz_blob_next_unit(const struct frz_blob *b, struct frz_unit *unit);
bool frz_blob_next_domain(const struct frz_blob *b, struct frz_domain *dom);
bool frz_blob_next_device(const struct frz_blob *b, struct frz_device *dev);

/* By number or id. False when there is none, which a valid blob rules out for
 * the unit of a domain and for the unit and domain of a device.
 */
bool frz_blob_find_unit(const struct frz_blob *b, u32 index,
			struct frz_unit *unit);
bool frz_blob_find_domain(const struct frz_blob *b, u32 id,
			  struct frz_domain *dom);

/* Element i of a record's array; i must be below nr_contexts, nr_chunks, ... */
void frz_blob_context(const struct frz_blob *b, const struct frz_unit *unit,
		      u32 i, u32 *bus, u64 *pa);
void frz_blob_chunk(const struct frz_blob *b, const struct frz_domain *dom,
		    u32 i, struct frz_chunk *chunk);
void frz_blob_bridge(const struct frz_blob *b, const struct frz_device *dev,
		     u32 i, struct frz_bridge *bridge);

/**
 * struct frz_blob_writer - writes a blob into memory of known size
 * @buf: the memory, 8-byte aligned
 * @cap: its size
 * @used: bytes written
 * @nr_records: records written
 * @last_type: of the last record, for the order
 * @devices: offset of the first device, 0 while there is none
 * @error: first error, 0 when none; every later call returns it
 * @err: the reason, when frz_blob_end() returned what frz_blob_open() would
 */
struct frz_blob_writer {
	void *buf;
	size_t cap;
	size_t used;
	u32 nr_records;
	u32 last_type;
	size_t devices;
	int error;
	struct frz_blob_error err;
};

/* Bytes of a record with n elements in its array, and of the header. */
size_t frz_blob_size_header(void);
size_t frz_blob_size_unit(u32 nr_contexts);
size_t frz_blob_size_domain(u32 nr_chunks);
size_t frz_blob_size_device(u32 nr_bridges);

/*
 * begin, all units, all domains, all devices, end. The nr_... and at fields of
 * the structs are not looked at, n counts. -ENOSPC: does not fit into cap,
 * -EINVAL: order or alignment, -E2BIG: n or the number of records over its
 * bound. Errors stick, so it is enough to look at what frz_blob_end() returns.
 */
int frz_blob_begin(struct frz_blob_writer *w, void *buf, size_t cap);
int frz_blob_add_unit(struct frz_blob_writer *w, const struct frz_unit *unit,
		      const struct frz_context *contexts, u32 n);
int frz_blob_add_domain(struct frz_blob_writer *w, const struct frz_domain *dom,
			const struct frz_chunk *chunks, u32 n);
int frz_blob_add_device(struct frz_blob_writer *w, const struct frz_device *dev,
			const struct frz_bridge *bridges, u32 n);

/*
 * Completes header and digest, then checks the blob as the next kernel will: what
 * that one would refuse fails here, with w->err telling why. Returns the bytes
 * of the blob or a negative errno.
 */
long frz_blob_end(struct frz_blob_writer *w, u32 flags, u64 generation,
		  const struct frz_sha256 *sha256);

/**
 * struct frz_blob_seal - a complete blob that is not sealed yet
 * @data: the blob
 * @len: its length
 * @devices: offset of the device records
 * @sha256: a digest that is computed up to there
 */
struct frz_blob_seal {
	void *data;
	size_t len;
	size_t devices;
	struct frz_sha256 sha256;
};

/*
 * A blob is made in time and sealed when it is true. seal_begin takes the flag
 * FRZ_BLOB_FROZEN of a complete blob away; until seal_end sets it again each
 * device's record may be brought up to date, all else stays as it is. The cost of
 * seal_end is in proportion to the device records alone; it allocates nothing.
 */
void frz_blob_seal_begin(struct frz_blob_seal *seal,
			 const struct frz_blob_writer *w,
			 const struct frz_sha256 *sha256);
void frz_blob_seal_device(struct frz_blob_seal *seal, size_t at,
			  const struct frz_device *dev,
			  const struct frz_bridge *bridges);
void frz_blob_seal_end(struct frz_blob_seal *seal);

/**
 * struct frz_obstacle - what keeps a device from being preserved
 * @name: one word, stable, for programs
 * @text: for people, to follow the device's name and a colon
 * @fix: the way out, NULL if there is none
 */
struct frz_obstacle {
	const char *name;
	const char *text;
	const char *fix;
};

const struct frz_obstacle *frz_obstacle(u32 obstacle);

#endif /* _IOMMU_FREEZE_FRZ_H */
