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

/**
 * finding_add - note a finding
 * @list: list, zeroed before the first
 * @object: what it was found in
 * @name: one word for programs
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
	*f = (struct finding){ .name = name, .fix = fix };
	f->object = strdup(object);
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

/* What is in the way of a device that another driver has, or none. */
static void add_driver(struct findings *list, const char *object,
		       const struct frz_obstacle *o, const char *driver)
{
	if (driver && *driver)
		finding_add(list, object, o->name, o->fix, "%s, driver %s has it", o->text,
			    driver);
	else
		finding_add(list, object, o->name, o->fix, "%s, no driver has it", o->text);
}

/**
 * finding_add_trial - note what a trial found
 * @list: list
 * @object: the device
 * @driver: the driver that it is bound to, "" for none, NULL when not known
 * @trial: what the kernel told
 * @later: obstacles, 1 << enum iommu_freeze_obstacle, that the VMM takes away
 *	itself when its turn comes
 */
void finding_add_trial(struct findings *list, const char *object, const char *driver,
		       const struct iommu_freeze_trial *trial, u64 later)
{
	const struct iommu_freeze_pages *pages;
	const struct frz_obstacle *o;
	struct finding *f;
	char size[BYTES_LEN];
	u32 i;

	for (i = 0; i < 64; i++) {
		if (!(trial->found & BIT_ULL(i)))
			continue;
		o = frz_obstacle(i);
		if (!o) {
			finding_add(list, object, "unknown", "use the tool of the kernel's version",
				    "obstacle %u, which this tool does not know", i);
			continue;
		}
		if (i == IOMMU_FREEZE_OBSTACLE_DRIVER) {
			add_driver(list, object, o, driver);
			continue;
		}
		if (i < IOMMU_FREEZE_FIRST_PAGE_OBSTACLE) {
			f = finding_add(list, object, o->name, o->fix, "%s", o->text);
		} else {
			pages = &trial->pages[i - IOMMU_FREEZE_FIRST_PAGE_OBSTACLE];
			f = finding_add(list, object, o->name, o->fix,
					"iova 0x%llx: %s (%s in all)", pages->iova, o->text,
					print_bytes(pages->bytes, size, sizeof(size)));
			f->pages = true;
			f->iova = pages->iova;
			f->bytes = pages->bytes;
		}
		f->later = later & BIT_ULL(i);
	}
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
	json_t *array = json_array();
	const struct finding *f;

	for (f = list->f; f < list->f + list->nr; f++)
		json_array_append_new(array,
			json_pack("{sosssossso?so?sb}",
				"object", json_text(f->object),
				"name", f->name,
				"text", json_text(f->text),
				"fix", f->fix,
				"iova", f->pages ? json_hex(f->iova) : NULL,
				"bytes", f->pages ? json_count(f->bytes) : NULL,
				"later", f->later));
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
