// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: the JSON forms that verbs share; docs/iommu-freeze-json.schema.json
 *
 * Structure: makes json_t trees that the caller owns; a NULL of the makers goes
 * through to json_end(). No lock. What may fail: memory, told by json_end();
 * writing, found by print_end().
 */
#include <stdlib.h>

#include "tool.h"

/**
 * json_begin - what every verb's output begins with
 * @verb: name of the verb
 *
 * Return: object, NULL without memory.
 */
json_t *json_begin(const char *verb)
{
	return json_pack("{siss}", "version", JSON_VERSION, "verb", verb);
}

/**
 * json_end - write and free a tree
 * @root: tree, NULL when there was no memory for it
 *
 * Return: OUTCOME_FAILED when it is NULL.
 */
enum outcome json_end(json_t *root)
{
	if (!root) {
		say("out of memory");
		return OUTCOME_FAILED;
	}
	json_dumpf(root, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(root);
	return OUTCOME_OK;
}

/**
 * json_devices - complete the output of a verb that tells about devices
 * @verb: name of the verb
 * @devices: array, taken over
 * @nr: how many it should hold; fewer: there was no memory for one
 * @complete: whether it tells about all that were asked for
 *
 * Return: object, NULL without memory.
 */
json_t *json_devices(const char *verb, json_t *devices, size_t nr, bool complete)
{
	json_t *root = json_begin(verb);

	if (json_array_size(devices) == nr &&
	    !json_object_set_new(root, "complete", json_boolean(complete)) &&
	    !json_object_set(root, "devices", devices)) {
		json_decref(devices);
		return root;
	}
	json_decref(devices);
	json_decref(root);
	return NULL;
}

/**
 * json_hex - an address or register; text, as not all readers keep 64 bits
 * @value: value
 *
 * Return: string, NULL without memory.
 */
json_t *json_hex(u64 value)
{
	return json_sprintf("0x%llx", value);
}

/**
 * json_text - a text that may have any bytes in it
 * @text: text
 *
 * Return: string, with ? for what is not printable ASCII; NULL without memory.
 */
json_t *json_text(const char *text)
{
	size_t len = strlen(text);
	char *buf = malloc(len + 1);
	json_t *string = NULL;

	if (buf)
		string = json_string(print_text((const u8 *)text, len, buf));
	free(buf);
	return string;
}

/**
 * json_count - a number that a broken kernel or blob may make huge
 * @value: number
 *
 * Return: integer, the largest one when JSON has no larger; NULL without memory.
 */
json_t *json_count(u64 value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : value);
}

/**
 * json_digest - a SHA-256
 * @digest: FRZ_DIGEST_LEN bytes
 *
 * Return: string, NULL without memory.
 */
json_t *json_digest(const u8 *digest)
{
	char hex[HEX_LEN];

	return json_string(print_hex(digest, FRZ_DIGEST_LEN, hex));
}

/**
 * json_trial - the frozen tables that a device would get
 * @trial: what the kernel told
 *
 * Return: object, null when none were made; NULL without memory.
 */
json_t *json_trial(const struct iommu_freeze_trial *trial)
{
	if (!trial->serialised)
		return json_null();
	return json_pack("{sssIsososososososIsIss}",
			 "format", print_format(trial->format),
			 "levels", (json_int_t)trial->levels,
			 "tables", json_count(trial->tables),
			 "leaves", json_count(trial->leaves),
			 "extents", json_count(trial->extents),
			 "mapped", json_count(trial->mapped),
			 "not_kept", json_count(finding_not_kept(trial)),
			 "memory", json_count(trial->memory),
			 "serialise_us", (json_int_t)trial->serialise_us,
			 "compare_us", (json_int_t)trial->compare_us,
			 "result", print_result(trial->result));
}

/**
 * json_state - what list and show tell about a device
 * @dev: device
 *
 * Times that do not apply are null. Of a refused device, its place and why are
 * all that is sure.
 *
 * Return: object, NULL without memory.
 */
json_t *json_state(const struct iommu_freeze_device *dev)
{
	bool in = dev->direction == IOMMU_FREEZE_INCOMING;
	bool refused = dev->state == IOMMU_FREEZE_REFUSED;
	bool frozen = !in && dev->state == IOMMU_FREEZE_FROZEN;
	bool replaced = in && dev->state == IOMMU_FREEZE_REPLACED;
	struct bdf bdf = select_bdf(dev);
	char place[BDF_LEN], name[NAME_LEN], why[IOMMU_FREEZE_WHY_LEN + 1];

	return json_pack("{ssss?ssssss?sssIsIso?sosososososo?so?so?so?so}",
			 "device", print_bdf(&bdf, place),
			 "name", pci_name(&bdf, name, sizeof(name)),
			 "direction", print_direction(dev->direction),
			 "state", print_state(dev->state),
			 "why", refused ? print_text(dev->why, sizeof(dev->why), why) : NULL,
			 "format", print_format(dev->format),
			 "levels", (json_int_t)dev->levels,
			 "did", (json_int_t)dev->did,
			 "reg_base", dev->reg_base ? json_hex(dev->reg_base) : NULL,
			 "tables", json_count(dev->tables),
			 "leaves", json_count(dev->leaves),
			 "extents", json_count(dev->extents),
			 "mapped", json_count(dev->mapped),
			 "memory", json_count(dev->memory),
			 "preserve_us", in ? NULL : json_integer(dev->preserve_us),
			 "freeze_us", frozen ? json_integer(dev->freeze_us) : NULL,
			 "compare_us", replaced ? json_integer(dev->compare_us) : NULL,
			 "replace_us", replaced ? json_integer(dev->replace_us) : NULL,
			 "digest", json_digest(dev->digest));
}
