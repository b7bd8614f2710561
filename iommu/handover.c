// SPDX-License-Identifier: GPL-2.0-only
/*
 * The blob for the next kernel and the memory that it lies in.
 *
 * Structure: one piece of KHO-preserved memory, known to KHO by name as long as
 * something is preserved. The blob is written as if every device were frozen, and
 * checked, when one is preserved or unpreserved; until it is sealed it says that
 * none is, so the next kernel never hears of a device that is not.
 *
 * LUO could keep such an object with the files that need it (luo_flb.c), but hands
 * over one number that is fixed with the first file, while this moves as it grows;
 * and the next kernel reads it before LUO is there, and when LUO's own state is bad.
 *
 * Locking: the caller's, see outgoing.c: outgoing_rwsem, and outgoing_lock within it
 * for the seal.
 *
 * Fails: for lack of memory, and writing what the next kernel would refuse.
 */
#include <linux/err.h>
#include <linux/kexec_handover.h>
#include <linux/log2.h>
#include <linux/mm.h>

#include "blob.h"
#include "handover.h"
#include "log.h"

static void *blob;
static size_t room;
static bool written;
static struct frz_blob_writer writer;
static struct frz_blob_seal seal;

/**
 * frz_handover_drop - There is nothing to hand over
 */
void frz_handover_drop(void)
{
	if (!blob)
		return;
	kho_remove_subtree(blob);
	kho_unpreserve_free(blob);
	blob = NULL;
	room = 0;
	written = false;
}

/* KHO knows the subtree by name, so the old one must go first. */
static int change_place(void *new, size_t need)
{
	int ret;

	if (blob)
		kho_remove_subtree(blob);
	ret = kho_add_subtree(FRZ_KHO_NAME, new, need);
	if (!ret)
		return 0;
	/* Other devices count on it, and it has its place back. */
	if (blob && kho_add_subtree(FRZ_KHO_NAME, blob, room)) {
		pr_err("the handover is lost: no device can be frozen until another one is preserved, or all are unpreserved\n");
		kho_unpreserve_free(blob);
		blob = NULL;
		room = 0;
	}
	return ret;
}

/**
 * frz_handover_reserve - Make sure that there is room for a blob
 * @need: bytes
 *
 * What was written may be gone afterwards.
 *
 * Context: May sleep.
 * Return: 0, -E2BIG for more than a blob may be, or another negative errno.
 */
int frz_handover_reserve(size_t need)
{
	void *new;
	int ret;

	if (need <= room)
		return 0;
	if (need > FRZ_MAX_BLOB_LEN)
		return -E2BIG;

	need = roundup_pow_of_two(PAGE_ALIGN(need));
	new = kho_alloc_preserve(need);
	if (IS_ERR(new))
		return PTR_ERR(new);
	ret = change_place(new, need);
	if (ret) {
		kho_unpreserve_free(new);
		return ret;
	}
	if (blob)
		kho_unpreserve_free(blob);
	blob = new;
	room = need;
	return 0;
}

/**
 * frz_handover_begin - Begin to write the blob
 *
 * Return: the writer, for frz_handover_end(); NULL without a place for it.
 */
struct frz_blob_writer *frz_handover_begin(void)
{
	written = false;
	if (!blob)
		return NULL;
	frz_blob_begin(&writer, blob, room);
	return &writer;
}

/**
 * frz_handover_end - Complete the blob
 * @w: from frz_handover_begin(); all records were added
 * @generation: kexecs in a row that carried something frozen, with the next one
 *
 * It says that nothing is frozen until it is sealed.
 *
 * Return: 0, or a negative errno after a log line.
 */
int frz_handover_end(struct frz_blob_writer *w, u64 generation)
{
	long len = frz_blob_end(w, FRZ_BLOB_FROZEN, generation);

	written = len > 0;
	if (!written) {
		pr_err("the blob for the next kernel is bad: %s (error %ld, offset %zu, value %#llx)\n",
		       w->err.reason ?: "no room", len, w->err.offset,
		       w->err.value);
		return len;
	}
	frz_handover_seal_begin();
	return 0;
}

/**
 * frz_handover_written - Is there a blob that can be sealed?
 *
 * Return: true if so.
 */
bool frz_handover_written(void)
{
	return written;
}

/**
 * frz_handover_seal_begin - The blob says that nothing is frozen
 *
 * Context: Needs no memory.
 */
void frz_handover_seal_begin(void)
{
	frz_blob_seal_begin(&seal, &writer);
}

/**
 * frz_handover_seal_device - Bring the record of a device up to date
 * @at: offset that it was written at
 * @rec: the record
 * @bridges: those above the device, as many as before
 */
void frz_handover_seal_device(size_t at, const struct frz_abi_device *rec,
			      const struct frz_abi_bridge *bridges)
{
	frz_blob_seal_device(&seal, at, rec, bridges);
}

/**
 * frz_handover_seal_end - The blob says that all devices in it are frozen
 */
void frz_handover_seal_end(void)
{
	frz_blob_seal_end(&seal);
}
