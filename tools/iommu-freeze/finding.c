// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: what was found to be in the way
 *
 * A finding is an object of the array "findings" that --json prints.
 */
#include "check.h"
#include "obstacle.h"

/**
 * finding_add - note a finding
 * @findings: array
 * @object: what it was found in
 * @name: one word for programs
 * @fix: the way out, NULL when there is none
 * @text: what is wrong, to follow @object and a colon
 *
 * Return: the finding. It has no iova and bytes, and does not go away later.
 */
json_t *finding_add(json_t *findings, const char *object, const char *name, const char *fix,
		    const char *text)
{
	json_t *finding;

	/* A path may have anything in it. */
	finding = json_pack("{sossssss?snsnsb}", "object", json_text(object), "name", name,
			    "text", text, "fix", fix, "iova", "bytes", "later", false);
	json_add(findings, finding);
	return finding;
}

static void set_iova(json_t *finding, u64 iova)
{
	json_object_set_new(finding, "iova", json_hex(iova));
}

/**
 * finding_obstacle - name of an obstacle
 * @obstacle: number of its bit
 *
 * Return: name, one made of the number for one of a newer kernel.
 */
const char *finding_obstacle(u32 obstacle)
{
	const struct frz_obstacle *o = frz_obstacle(obstacle);

	return o ? o->name : print_text("obstacle-%u", obstacle);
}

static json_t *add_obstacle(json_t *findings, const struct device_facts *dev, u32 obstacle)
{
	const struct frz_obstacle *o = frz_obstacle(obstacle);
	const char *object = print_bdf(dev->bdf);
	const struct iommu_freeze_pages *pages;
	json_t *finding;

	if (!o)
		return finding_add(findings, object, finding_obstacle(obstacle),
				   "use the tool of the kernel's version",
				   print_text("an obstacle that this tool does not know (%u)",
					      obstacle));
	if (obstacle == IOMMU_FREEZE_OBSTACLE_DRIVER && *dev->driver)
		return finding_add(findings, object, o->name, o->fix,
				   print_text("%s, driver %s has it", o->text, dev->driver));
	if (obstacle < IOMMU_FREEZE_FIRST_PAGE_OBSTACLE)
		return finding_add(findings, object, o->name, o->fix, o->text);

	pages = &dev->trial.pages[obstacle - IOMMU_FREEZE_FIRST_PAGE_OBSTACLE];
	finding = finding_add(findings, object, o->name, o->fix,
			      print_text("iova 0x%llx: %s (%s in all)", pages->iova, o->text,
					 print_bytes(pages->bytes)));
	set_iova(finding, pages->iova);
	if (pages->bytes)
		json_object_set_new(finding, "bytes", must(json_integer(pages->bytes)));
	return finding;
}

/* What became of the comparison; the words are those of verify. */
static void add_result(json_t *findings, const struct device_facts *dev)
{
	const struct iommu_freeze_trial *trial = &dev->trial;
	const char *word = print_word(WORDS_RESULT, trial->result);
	const char *object = print_bdf(dev->bdf), *text;

	if (trial->result == IOMMU_FREEZE_SAME)
		return;
	if (trial->result != IOMMU_FREEZE_DIFFERS && trial->result != IOMMU_FREEZE_UNREADABLE) {
		finding_add(findings, object, word, "report it",
			    "the frozen tables are not as the live ones");
		return;
	}
	if (trial->result == IOMMU_FREEZE_DIFFERS)
		text = "the frozen tables translate it otherwise than the live ones";
	else
		text = trial->serialised ? "the frozen tables cannot be read" :
					   "the live tables cannot be read";
	text = print_text("iova 0x%llx: %s", trial->iova, text);
	set_iova(finding_add(findings, object, word, "report it", text), trial->iova);
}

/**
 * finding_add_device - note what a trial of a device found
 * @findings: array
 * @dev: the device, tried
 * @kho: Kexec HandOver is on
 * @later: obstacles, 1 << enum iommu_freeze_obstacle, that the VMM takes away
 *	itself when its turn comes
 *
 * A device in use that has no finding that counts was serialised, and looked at
 * for every obstacle that there is.
 */
void finding_add_device(json_t *findings, const struct device_facts *dev, bool kho, u64 later)
{
	const struct iommu_freeze_trial *trial = &dev->trial;
	json_t *finding;
	u32 i;

	if (!dev->there) {
		finding_add(findings, print_bdf(dev->bdf), "no-device", NULL, "no such device");
		return;
	}
	for (i = 0; i < 64; i++) {
		if (!(trial->found & BIT_ULL(i)))
			continue;
		finding = add_obstacle(findings, dev, i);
		if (later & BIT_ULL(i))
			json_object_set(finding, "later", json_true());
	}
	add_result(findings, dev);
	if (trial->use != IOMMU_FREEZE_IDLE && !trial->serialised &&
	    !finding_count(findings, print_bdf(dev->bdf)))
		finding_add(findings, print_bdf(dev->bdf), "not-tried",
			    kho ? "see the kernel log" : "boot with kho=on",
			    kho ? "its map was not looked at" :
				  "its map was not looked at, Kexec HandOver is off");
	for (i = 0; trial->serialised && i < IOMMU_FREEZE_NR_OBSTACLES; i++)
		if (!(trial->looked & BIT_ULL(i)))
			finding_add(findings, print_bdf(dev->bdf), "not-looked-at",
				    "use the tool of the kernel's version",
				    print_text("this kernel does not look for '%s'",
					       finding_obstacle(i)));
}

static bool is_of(const json_t *finding, const char *object)
{
	return !object || !strcmp(json_string_value(json_object_get(finding, "object")), object);
}

/**
 * finding_count - how many findings are in the way
 * @findings: array
 * @object: of this object only, NULL: of all
 *
 * Return: how many; those for later do not count.
 */
size_t finding_count(const json_t *findings, const char *object)
{
	json_t *finding;
	size_t i, n = 0;

	json_array_foreach(findings, i, finding)
		n += json_is_false(json_object_get(finding, "later")) && is_of(finding, object);
	return n;
}

/**
 * finding_print - print findings for people, one line each
 * @findings: array
 * @object: of this object only, NULL: of all
 */
void finding_print(const json_t *findings, const char *object)
{
	json_t *finding;
	bool later;
	size_t i;

	json_array_foreach(findings, i, finding) {
		later = json_is_true(json_object_get(finding, "later"));
		if (is_of(finding, object))
			print_form(later ? "{object}: the VMM's to do: {text}[; {fix}]\n" :
					   "{object}: {text}[; {fix}]\n", finding);
	}
}
