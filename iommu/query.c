// SPDX-License-Identifier: GPL-2.0-only
/*
 * What user space asks about devices, in either direction.
 *
 * Structure: none of its own. Each direction shows a device as a struct frz_view,
 * with its own lock held, and what is asked is answered from that.
 *
 * Locking: that of outgoing.c and incoming.c. Nothing is kept between two questions,
 * so a listing by index may miss or repeat a device while others come and go.
 *
 * Fails: for a direction or device that is not there, and for tables that cannot be
 * read.
 */
#include <linux/errno.h>
#include <linux/string.h>
#include <uapi/linux/iommu-freeze.h>

#include "format/format.h"
#include "incoming.h"
#include "memory.h"
#include "outgoing.h"
#include "query.h"
#include "verify.h"
#include "view.h"
#include "walk.h"

static int view(u32 direction, struct frz_place *place, frz_view_fn fn, void *arg)
{
	switch (direction) {
	case IOMMU_FREEZE_OUTGOING:
		return frz_outgoing_view(place, fn, arg);
	case IOMMU_FREEZE_INCOMING:
		return frz_incoming_view(place, fn, arg);
	}
	return -EINVAL;
}

static u64 memory_size(const struct frz_memory *mem)
{
	u64 bytes = 0;
	u32 i;

	for (i = 0; i < mem->nr_chunks; i++)
		bytes += mem->chunks[i].len;
	return bytes;
}

/**
 * frz_query_tables - Describe frozen tables
 * @mem: the tables
 * @out: what they are and how large
 */
void frz_query_tables(const struct frz_memory *mem,
		      struct iommu_freeze_device *out)
{
	out->format = mem->fmt->id;
	out->levels = mem->levels;
	out->tables = mem->stats.tables;
	out->leaves = mem->stats.leaves;
	out->extents = mem->stats.extents;
	out->mapped = mem->stats.bytes;
	out->memory = memory_size(mem);
	memcpy(out->digest, mem->digest, sizeof(out->digest));
}

static int describe(void *arg, const struct frz_view *view)
{
	struct iommu_freeze_device *out = arg;

	out->segment = view->segment;
	out->devid = view->devid;
	out->state = view->state;
	out->preserve_us = view->preserve_us;
	out->freeze_us = view->freeze_us;
	out->compare_us = view->compare_us;
	out->replace_us = view->replace_us;
	if (view->why)
		strscpy(out->why, view->why, sizeof(out->why));
	if (!view->memory)
		return 0;
	out->did = view->tag;
	out->reg_base = view->reg_base;
	frz_query_tables(view->memory, out);
	return 0;
}

/**
 * frz_query_list - Describe one device
 * @dev: tells direction and index; filled
 *
 * Context: May sleep.
 * Return: 0, -ENOENT past the last one, -EINVAL for a direction that is none.
 */
int frz_query_list(struct iommu_freeze_device *dev)
{
	struct frz_place place = { .by_index = true, .index = dev->index };

	return view(dev->direction, &place, describe, dev);
}

static int nothing(void *arg, const struct frz_view *view)
{
	return 0;
}

/**
 * frz_query_count - How many devices does a listing tell?
 * @direction: enum iommu_freeze_direction
 *
 * Context: May sleep.
 * Return: their number.
 */
u32 frz_query_count(u32 direction)
{
	struct frz_place place = { .by_index = true };
	u32 n = 0;

	while (!view(direction, &place, nothing, NULL))
		place.index = ++n;
	return n;
}

static int verify(void *arg, const struct frz_view *view)
{
	struct iommu_freeze_verify *req = arg;

	if (!view->memory || !view->memory->nr_chunks)
		return -ENOENT;
	frz_verify(view->memory, view->shadow, view->live, req);
	if (view->elsewhere(view->dev))
		req->result = IOMMU_FREEZE_ELSEWHERE;
	return 0;
}

/**
 * frz_query_verify - Check the frozen tables of a device
 * @req: names the device; filled
 *
 * Those of an outgoing device must translate as the live ones, whose map does not
 * change. Those of an incoming one must say what they said when they arrived. In
 * either direction hardware must be where it should be: on them, or elsewhere.
 *
 * Context: May sleep. A freeze does not wait for this.
 * Return: 0, -ENOENT, or -EINVAL for a direction that is none.
 */
int frz_query_verify(struct iommu_freeze_verify *req)
{
	struct frz_place place = {
		.segment = req->segment, .devid = req->devid,
	};

	return view(req->direction, &place, verify, req);
}

struct extents_state {
	struct iommu_freeze_extents *req;
	struct iommu_freeze_extent *extents;
	u32 room;
};

static int store_extent(void *arg, const struct frz_extent *e)
{
	struct extents_state *state = arg;

	if (state->req->nr == state->room)
		return 1;
	state->extents[state->req->nr++] = (struct iommu_freeze_extent){
		.iova = e->iova, .pa = e->pa, .len = e->len, .prot = e->prot,
	};
	return 0;
}

static int list_extents(void *arg, const struct frz_view *view)
{
	struct extents_state *state = arg;
	struct iommu_freeze_extents *req = state->req;
	struct frz_reader r;
	struct frz_tree t;

	if (!view->memory || !view->memory->nr_chunks)
		return -ENOENT;
	req->nr = 0;
	req->total = view->memory->stats.extents;
	frz_memory_tree(&r, view->memory, &t);
	return frz_walk_from(&t, req->start, store_extent, state, NULL,
			     NULL) < 0 ? -EIO : 0;
}

/**
 * frz_query_extents - List some extents of a device's frozen tables
 * @req: names the device, and says from where on and how many; nr and total are set
 * @extents: room for as many as @req says
 *
 * The cost is that of the extents that are stored.
 *
 * Context: May sleep. A freeze does not wait for this.
 * Return: 0; -ENOENT; -EIO for tables that cannot be read; -EINVAL for a direction
 * that is none.
 */
int frz_query_extents(struct iommu_freeze_extents *req,
		      struct iommu_freeze_extent *extents)
{
	struct frz_place place = {
		.segment = req->segment, .devid = req->devid,
	};
	struct extents_state state = {
		.req = req, .extents = extents, .room = req->nr,
	};

	return view(req->direction, &place, list_extents, &state);
}
