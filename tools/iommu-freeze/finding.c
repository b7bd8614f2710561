// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: what was found to be in the way
 *
 * Structure: a list that grows, in the order in which things were looked at. No
 * lock. Without memory the program ends: a finding that is dropped would make
 * "ready" of "not ready".
 */
#include <stdarg.h>
#include <stdlib.h>

#include "tool.h"

#define REPORT "report it"

/**
 * finding_add - note a finding
 * @list: list, zeroed before the first
 * @object: what it was found in
 * @name: one word for programs, short
 * @fix: the way out, NULL when there is none; not copied
 * @fmt: as printf: what is wrong
 *
 * Return: the finding, until the next is added.
 */
struct finding *finding_add(struct findings *list, const char *object, const char *name,
			    const char *fix, const char *fmt, ...)
{
	struct finding *f;
	char text[512];
	va_list ap;
	void *more;

	more = realloc(list->f, (list->nr + 1) * sizeof(*list->f));
	if (!more)
		goto no_memory;
	list->f = more;
	f = &list->f[list->nr++];
	*f = (struct finding){ .fix = fix };
	snprintf(f->name, sizeof(f->name), "%s", name);
	f->object = strdup(object);
	/* A path may have anything in it. */
	if (f->object)
		print_text((u8 *)object, strlen(object), f->object);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f->text = strdup(text);
	if (f->object && f->text)
		return f;
no_memory:
	say("out of memory");
	exit(OUTCOME_FAILED);
}

/**
 * finding_obstacle - name of an obstacle
 * @obstacle: number of its bit
 * @buf: room for OBSTACLE_LEN
 *
 * Return: name, @buf with one made of the number for one of a newer kernel.
 */
const char *finding_obstacle(u32 obstacle, char *buf)
{
	const struct frz_obstacle *o = frz_obstacle(obstacle);

	if (o)
		return o->name;
	snprintf(buf, OBSTACLE_LEN, "obstacle-%u", obstacle);
	return buf;
}

static struct finding *add_obstacle(struct findings *list, const char *object,
				    const char *driver, u32 obstacle,
				    const struct iommu_freeze_trial *trial)
{
	const struct frz_obstacle *o = frz_obstacle(obstacle);
	char name[OBSTACLE_LEN], size[BYTES_LEN];
	const struct iommu_freeze_pages *pages;
	struct finding *f;

	if (!o)
		return finding_add(list, object, finding_obstacle(obstacle, name),
				   "use the tool of the kernel's version",
				   "an obstacle that this tool does not know (%u)", obstacle);
	if (obstacle == IOMMU_FREEZE_OBSTACLE_DRIVER && *driver)
		return finding_add(list, object, o->name, o->fix, "%s, driver %s has it",
				   o->text, driver);
	if (obstacle < IOMMU_FREEZE_FIRST_PAGE_OBSTACLE)
		return finding_add(list, object, o->name, o->fix, "%s", o->text);

	pages = &trial->pages[obstacle - IOMMU_FREEZE_FIRST_PAGE_OBSTACLE];
	f = finding_add(list, object, o->name, o->fix, "iova 0x%llx: %s (%s in all)",
			pages->iova, o->text, print_bytes(pages->bytes, size, sizeof(size)));
	f->at = true;
	f->iova = pages->iova;
	f->bytes = pages->bytes;
	return f;
}

/* What became of the comparison; the words are those of verify. */
static void add_result(struct findings *list, const char *object,
		       const struct iommu_freeze_trial *trial)
{
	const char *word = print_result(trial->result);
	struct finding *f;

	switch (trial->result) {
	case IOMMU_FREEZE_SAME:
		return;
	case IOMMU_FREEZE_DIFFERS:
		f = finding_add(list, object, word, REPORT,
				"iova 0x%llx: the frozen tables translate it otherwise than the live ones",
				trial->iova);
		break;
	case IOMMU_FREEZE_UNREADABLE:
		f = finding_add(list, object, word, REPORT,
				"iova 0x%llx: the %s tables cannot be read", trial->iova,
				trial->serialised ? "frozen" : "live");
		break;
	default:
		finding_add(list, object, word, REPORT,
			    "the frozen tables are not as the live ones");
		return;
	}
	f->at = true;
	f->iova = trial->iova;
}

/**
 * finding_add_device - note what a trial of a device found
 * @list: list
 * @dev: the device, tried
 * @kho: Kexec HandOver is on
 * @later: obstacles, 1 << enum iommu_freeze_obstacle, that the VMM takes away
 *	itself when its turn comes
 *
 * A device in use that has no finding that counts was serialised, and looked at
 * for every obstacle that there is.
 */
void finding_add_device(struct findings *list, const struct device_facts *dev,
			bool kho, u64 later)
{
	const struct iommu_freeze_trial *trial = &dev->trial;
	char place[BDF_LEN], name[OBSTACLE_LEN];
	struct finding *f;
	u32 i;

	print_bdf(&dev->bdf, place);
	if (!dev->there) {
		finding_add(list, place, "no-device", NULL, "no such device");
		return;
	}
	for (i = 0; i < 64; i++) {
		if (!(trial->found & BIT_ULL(i)))
			continue;
		f = add_obstacle(list, place, dev->driver, i, trial);
		f->later = later & BIT_ULL(i);
	}
	add_result(list, place, trial);
	if (trial->use != IOMMU_FREEZE_IDLE && !trial->serialised &&
	    !finding_count(list, place))
		finding_add(list, place, "not-tried",
			    kho ? "see the kernel log" : "boot with kho=on",
			    "its map was not looked at%s",
			    kho ? "" : ", Kexec HandOver is off");
	for (i = 0; trial->serialised && i < IOMMU_FREEZE_NR_OBSTACLES; i++)
		if (!(trial->looked & BIT_ULL(i)))
			finding_add(list, place, "not-looked-at",
				    "use the tool of the kernel's version",
				    "this kernel does not look for '%s'",
				    finding_obstacle(i, name));
}

/**
 * finding_not_kept - how much of a map has an obstacle
 * @trial: what the kernel told
 *
 * Return: bytes. A page has one obstacle at most.
 */
u64 finding_not_kept(const struct iommu_freeze_trial *trial)
{
	u64 sum = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(trial->pages); i++)
		sum += trial->pages[i].bytes;
	return sum;
}

/**
 * finding_count - how many findings are in the way
 * @list: list
 * @object: of this object only, NULL: of all
 *
 * Return: how many; those for later do not count.
 */
size_t finding_count(const struct findings *list, const char *object)
{
	size_t i, n = 0;

	for (i = 0; i < list->nr; i++)
		n += !list->f[i].later && (!object || !strcmp(list->f[i].object, object));
	return n;
}

/**
 * finding_print - print findings for people, one line each
 * @list: list
 * @object: of this object only, NULL: of all
 */
void finding_print(const struct findings *list, const char *object)
{
	const struct finding *f;

	for (f = list->f; f < list->f + list->nr; f++)
		if (!object || !strcmp(f->object, object))
			printf("%s: %s%s%s%s\n", f->object, f->later ? "the VMM's to do: " : "",
			       f->text, f->fix ? "; " : "", f->fix ?: "");
}

/**
 * finding_json - what findings look like for programs
 * @list: list
 *
 * Return: array, NULL without memory.
 */
json_t *finding_json(const struct findings *list)
{
	json_t *array = json_array(), *item;
	const struct finding *f;

	for (f = list->f; f < list->f + list->nr; f++) {
		item = json_pack("{sssssoss?so?so?sb}",
				 "object", f->object,
				 "name", f->name,
				 "text", json_text(f->text),
				 "fix", f->fix,
				 "iova", f->at ? json_hex(f->iova) : NULL,
				 "bytes", f->bytes ? json_count(f->bytes) : NULL,
				 "later", f->later);
		json_array_append_new(array, item);
	}
	if (json_array_size(array) == list->nr)
		return array;
	json_decref(array);
	return NULL;
}

/**
 * finding_free - free a list
 * @list: list
 */
void finding_free(struct findings *list)
{
	size_t i;

	for (i = 0; i < list->nr; i++) {
		free(list->f[i].object);
		free(list->f[i].text);
	}
	free(list->f);
	memset(list, 0, sizeof(*list));
}
