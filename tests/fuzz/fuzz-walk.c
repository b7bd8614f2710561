// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: walk, lookup, encode and compare over fuzzer-made tables.
 *
 * Input: one byte for the numbers of levels, one for the formats, then commands of 12
 * bytes, each of which writes one entry, or some, of one of 8 tables in one of two trees:
 *	byte 0: tree (bit 0), what the entry is (bits 2:1, see struct command)
 *	byte 1: table, bytes 2..3: index, bytes 4..11: value
 *
 * What holds for all tables: runs rise, do not touch where they could merge, and
 * translate as a lookup says; encoded again they read the same; tables compare
 * equal to themselves and to their encoding; a difference is one. The two trees may have
 * different formats: what one of them cannot express is a difference.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "encode.h"
#include "mem.h"
#include "seen.h"

#define NR_TABLES	8
#define MAX_MAPS	64	/* tables that point to themselves end here */
#define MAX_EXTENTS	4096
#define MAX_LEAVES	100000

struct command {
	u8 what;
	u8 table;
	u8 index[2];
	u8 value[8];
};

enum { RAW, NEXT_TABLE, LEAF, NEIGHBOURS };

struct tree {
	struct mem *mem;
	unsigned int maps;
};

static void require(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "fuzz-walk: %s\n", what);
		abort();
	}
}

static const __le64 *tree_map(void *priv, u64 table)
{
	struct tree *tree = priv;

	if (tree->maps++ >= MAX_MAPS)
		return NULL;
	return mem_map(tree->mem, table);
}

/* Tables and leaves as a format has them: what is set in an entry whatever its value. */
static const struct shape {
	const struct frz_format *fmt;
	u64 leaf;	/* bits of the value that a leaf keeps */
	u64 large;	/* set in a large leaf */
} shapes[] = {
	{ &frz_format_vtdss, 0x000fffffc0000803, 0x80 },
	{ &frz_format_lpae_s1, 0x0000ffffc0000080, 0xf45 },
	{ &frz_format_lpae_s2, 0x0000ffffc00000c0, 0x77d },
};

static const struct shape *shape_of(const struct frz_format *fmt)
{
	const struct shape *s = shapes;

	while (s->fmt != fmt)
		s++;
	return s;
}

static struct frz_tree tree_tables(struct tree *tree, unsigned int levels)
{
	struct frz_tree t = mem_tables(tree->mem, 0x1000, levels);

	t.map = tree_map;
	t.priv = tree;
	tree->maps = 0;
	return t;
}

static void obey(struct tree *trees, const struct command *c)
{
	u64 table = (c->table % NR_TABLES + 1) * 0x1000;
	unsigned int index = (c->index[0] | c->index[1] << 8) % 512;
	struct mem *mem = trees[c->what & 1].mem;
	u64 value, size;
	unsigned int n;

	memcpy(&value, c->value, sizeof(value));
	switch (c->what >> 1 & 3) {
	case RAW:
		break;
	case NEXT_TABLE:	/* one that is there */
		value = (value % NR_TABLES + 1) * 0x1000 | (c->table >> 3 & 3 ?: 3);
		break;
	case LEAF:		/* of any large size, aligned */
		value &= shape_of(mem->fmt)->leaf;
		value |= shape_of(mem->fmt)->large;
		break;
	case NEIGHBOURS:	/* some that go on where the entry before ends */
		n = value >> 8 & 0x1ff;
		size = 0x1000ULL << (value % 3 * 9);
		for (; index && index < 512 && n; index++, n--)
			mem_set(mem, table, index,
				mem_get(mem, table, index - 1) + size);
		return;
	}
	mem_set(mem, table, index, value);
}

/* Runs of one tree, and how its walk ended. */
struct walked {
	struct seen seen;
	struct frz_stats stats;
	int ret;
	u64 bad_iova;
};

static int limited_add(void *arg, const struct frz_extent *e)
{
	struct seen *seen = arg;

	if (seen->n == MAX_EXTENTS)
		return 1;
	return seen_add(seen, e);
}

static void check_run(const struct frz_tree *t, const struct frz_extent *e,
		      const struct frz_extent *before)
{
	struct frz_extent leaf;
	u64 iova = e->iova;
	unsigned int i;

	require(e->len && !((e->iova | e->pa | e->len) & 0xfff), "odd run");
	require(e->prot & (FRZ_READ | FRZ_WRITE), "run without a permission");
	require(e->iova + e->len <= frz_iova_end(t->fmt, t->levels), "run too high");
	require(e->pa + e->len <= 1ULL << t->fmt->pa_bits, "address too high");
	if (before) {
		u64 end = before->iova + before->len;

		require(end <= e->iova, "runs overlap");
		require(end != e->iova || before->pa + before->len != e->pa ||
			before->prot != e->prot, "runs not merged");
	}
	for (i = 0; i < 2; i++, iova = e->iova + e->len - 1) {
		((struct tree *)t->priv)->maps = 0;
		require(!frz_lookup(t, iova, &leaf), "run that a lookup does not find");
		require(leaf.pa - leaf.iova == e->pa - e->iova, "another address");
		require(leaf.prot == e->prot, "another permission");
		require(leaf.iova <= iova && iova - leaf.iova < leaf.len,
			"leaf somewhere else");
	}
}

static void walk_tree(struct tree *tree, unsigned int levels, struct walked *w)
{
	struct frz_tree t = tree_tables(tree, levels);
	u64 bytes = 0;
	size_t i;

	*w = (struct walked){};
	w->ret = frz_walk(&t, limited_add, &w->seen, &w->stats, &w->bad_iova);
	require(w->ret == 0 || w->ret == 1 || w->ret == -EINVAL || w->ret == -EFAULT,
		"walk ends strangely");
	for (i = 0; i < w->seen.n; i++) {
		check_run(&t, &w->seen.e[i], i ? &w->seen.e[i - 1] : NULL);
		bytes += w->seen.e[i].len;
	}
	if (w->ret != 1) {
		require(w->stats.extents == w->seen.n, "wrong number of runs");
		require(w->stats.bytes == bytes, "wrong number of bytes");
	}
	if (w->ret < 0)
		require(!w->seen.n || w->bad_iova >= w->seen.e[w->seen.n - 1].iova,
			"error before what was read");
}

/* About the leaves that encoding takes, to leave out what would take too long. */
static u64 count_leaves(const struct walked *w, u32 leaf_levels)
{
	u64 size, n = 0;
	size_t i;

	for (i = 0; i < w->seen.n; i++) {
		const struct frz_extent *e = &w->seen.e[i];

		/* iova and address must have the same place in the leaf. */
		size = leaf_levels & BIT(3) ? 0x40000000 :
		       leaf_levels & BIT(2) ? 0x200000 : 0x1000;
		while (size > 0x1000 && (e->iova ^ e->pa) & (size - 1))
			size >>= 9;
		n += e->len / size + 512;
	}
	return n;
}

static void encode_again(struct tree *tree, unsigned int levels,
			 const struct walked *w, u32 leaf_levels)
{
	struct tree copy = { .mem = mem_new() };
	struct frz_encoder enc = {
		.fmt = tree->mem->fmt,
		.levels = levels,
		.leaf_levels = leaf_levels,
		.alloc = mem_alloc,
		.priv = copy.mem,
	};
	struct frz_tree encoded, t = tree_tables(tree, levels);
	struct seen seen = {};
	struct frz_stats stats;
	struct frz_diff diff;
	size_t i;

	copy.mem->fmt = tree->mem->fmt;
	require(!frz_encode_begin(&enc), "encoder does not begin");
	for (i = 0; i < w->seen.n; i++)
		require(!frz_encode_extent(&enc, &w->seen.e[i]),
			"encoder refuses what was walked");
	encoded = mem_tables(copy.mem, enc.top, levels);
	require(!frz_walk(&encoded, seen_add, &seen, &stats, NULL),
		"encoded tables are bad");
	require(seen.n == w->seen.n, "encoded tables have other runs");
	for (i = 0; i < seen.n; i++)
		require(!memcmp(&seen.e[i], &w->seen.e[i],
				offsetof(struct frz_extent, prot) + sizeof(u32)),
			"encoded tables have another run");
	require(!memcmp(&stats, &enc.stats, sizeof(stats)), "other statistics");
	require(!frz_compare(&encoded, &t, &diff, NULL), "encoding compares unequal");
	seen_free(&seen);
	mem_free(copy.mem);
}

/* What a lookup gives, as one comparable thing. */
static bool same(const struct frz_tree *a, const struct frz_tree *b, u64 iova)
{
	struct frz_extent x, y;

	((struct tree *)a->priv)->maps = 0;
	((struct tree *)b->priv)->maps = 0;
	if (frz_lookup(a, iova, &x) || frz_lookup(b, iova, &y))
		return false;
	return x.pa - x.iova == y.pa - y.iova && x.prot == y.prot;
}

static void compare_trees(struct tree *trees, unsigned int *levels, struct walked *w)
{
	struct frz_tree frozen = tree_tables(&trees[0], levels[0]);
	struct frz_tree live = tree_tables(&trees[1], levels[1]);
	struct frz_diff diff;
	size_t i;
	int ret;

	ret = frz_compare(&frozen, &live, &diff, NULL);
	require(ret == 0 || ret == 1 || ret == -EINVAL || ret == -EFAULT,
		"compare ends strangely");
	if (ret == 1) {
		require(!same(&frozen, &live, diff.iova), "difference that is none");
		require(!(diff.iova & 0xfff), "difference inside of a page");
		require(diff.iova >= diff.frozen.iova &&
			diff.iova < diff.frozen.iova + diff.frozen.len,
			"difference outside of the frozen run");
	}
	if (ret == 0)
		require(!w[0].ret || w[0].ret == 1, "equal although unreadable");
	/* Up to there all runs must be the same at both ends. */
	for (i = 0; ret >= 0 && i < w[0].seen.n; i++) {
		const struct frz_extent *e = &w[0].seen.e[i];

		if (ret == 1 && e->iova + e->len > diff.iova)
			break;
		require(same(&frozen, &live, e->iova) &&
			same(&frozen, &live, e->iova + e->len - 1),
			"difference that was not found");
	}
}

int LLVMFuzzerTestOneInput(const u8 *input, size_t size);
int LLVMFuzzerTestOneInput(const u8 *input, size_t size)
{
	static const u32 hardware[] = { 0xe, 0x6, 0xa, 0x2 };
	struct tree trees[2] = { { mem_new(), 0 }, { mem_new(), 0 } };
	unsigned int levels[2];
	struct walked w[2];
	struct command c;
	unsigned int i;

	if (size > 1) {
		/* 2 and 6 are refused, 3 to 5 are VT-d's, 3 and 4 those of the others. */
		levels[0] = 2 + (input[0] & 7) % 5;
		levels[1] = 2 + (input[0] >> 3 & 7) % 5;
		i = input[0] >> 6;
		trees[0].mem->fmt = shapes[(input[1] & 3) % 3].fmt;
		trees[1].mem->fmt = shapes[(input[1] >> 2 & 3) % 3].fmt;
		for (input += 2, size -= 2; size >= sizeof(c);
		     input += sizeof(c), size -= sizeof(c)) {
			memcpy(&c, input, sizeof(c));
			obey(trees, &c);
		}
		walk_tree(&trees[0], levels[0], &w[0]);
		walk_tree(&trees[1], levels[1], &w[1]);
		if (!w[0].ret && count_leaves(&w[0], hardware[i]) < MAX_LEAVES)
			encode_again(&trees[0], levels[0], &w[0], hardware[i]);
		compare_trees(trees, levels, w);
		seen_free(&w[0].seen);
		seen_free(&w[1].seen);
	}
	mem_free(trees[0].mem);
	mem_free(trees[1].mem);
	return 0;
}
