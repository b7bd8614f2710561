// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: what --json prints; docs/iommu-freeze-json.schema.json
 *
 * Verbs make one object of what they have to tell, in the order in which it is
 * printed. It is for programs as it is, and for people what a form makes of it.
 * A number that a broken kernel or blob made huge is a negative integer in it.
 */
#include <stdlib.h>

#include "output.h"
#include "format/format.h"

/**
 * json_hex - an address or register; text, as not all readers keep 64 bits
 * @value: value
 *
 * Return: string.
 */
json_t *json_hex(u64 value)
{
	return must(json_sprintf("0x%llx", value));
}

/**
 * json_text - a text that may have any bytes in it
 * @text: text
 *
 * Return: string, with ? for what is not printable ASCII.
 */
json_t *json_text(const char *text)
{
	char *copy = must(strdup(text));
	json_t *string = must(json_string(print_clean(copy)));

	free(copy);
	return string;
}

/**
 * json_digest - a SHA-256
 * @digest: FRZ_DIGEST_LEN bytes
 *
 * Return: string.
 */
json_t *json_digest(const u8 *digest)
{
	char hex[2 * FRZ_DIGEST_LEN + 1];
	size_t i;

	for (i = 0; i < FRZ_DIGEST_LEN; i++)
		sprintf(hex + 2 * i, "%02x", digest[i]);
	return must(json_string(hex));
}

/**
 * json_prot - permissions
 * @prot: FRZ_READ, ...
 *
 * Return: string: r, w and s (snoop), each - when not set, and m (device memory) behind
 * them if that is set.
 */
json_t *json_prot(u32 prot)
{
	return must(json_sprintf("%c%c%c%s", prot & FRZ_READ ? 'r' : '-',
				 prot & FRZ_WRITE ? 'w' : '-', prot & FRZ_SNOOP ? 's' : '-',
				 prot & FRZ_MMIO ? "m" : ""));
}

/**
 * json_if - a value that may not be known
 * @known: whether it is
 * @value: value, taken over
 *
 * Return: @value or null.
 */
json_t *json_if(bool known, json_t *value)
{
	if (known)
		return value;
	json_decref(value);
	return json_null();
}

/**
 * json_add - add a value to an array
 * @array: array
 * @value: value, taken over
 */
void json_add(json_t *array, json_t *value)
{
	if (json_array_append_new(array, value))
		must(NULL);
}

/**
 * json_merge - put members behind those of an object
 * @object: object
 * @more: object with the others, taken over
 */
void json_merge(json_t *object, json_t *more)
{
	if (json_object_update(object, more))
		must(NULL);
	json_decref(more);
}

/* JSON has no larger ones than these. */
static void cut_huge(json_t *value)
{
	const char *key;
	json_t *part;
	size_t i;

	json_object_foreach(value, key, part)
		cut_huge(part);
	json_array_foreach(value, i, part)
		cut_huge(part);
	if (json_integer_value(value) < 0)
		json_integer_set(value, INT64_MAX);
}

/**
 * json_write - write and free a value
 * @value: value
 * @flags: of json_dumpf()
 */
void json_write(json_t *value, size_t flags)
{
	cut_huge(must(value));
	json_dumpf(value, stdout, flags);
	json_decref(value);
}

/**
 * json_verb - write what a verb prints
 * @verb: its name
 * @body: its members after those that all verbs have, taken over
 */
void json_verb(const char *verb, json_t *body)
{
	json_t *root = must(json_pack("{siss}", "version", JSON_VERSION, "verb", verb));

	json_merge(root, body);
	json_write(root, JSON_INDENT(2));
	putchar('\n');
}

/**
 * report_device - tell about a device
 * @report: report
 * @form: what it looks like for people
 * @device: for programs, taken over
 */
void report_device(struct report *report, const char *form, json_t *device)
{
	must(device);
	if (report->json) {
		report->devices = report->devices ?: must(json_array());
		json_add(report->devices, device);
	} else {
		fputs((report->nr ? report->between : report->head) ?: "", stdout);
		print_form(form, device);
		/* The next one may take long. */
		fflush(stdout);
		json_decref(device);
	}
	report->nr++;
}

/**
 * report_end - all was told
 * @report: report
 * @complete: whether it tells about all that was asked for
 * @more: further members of the object for programs, taken over
 */
void report_end(struct report *report, bool complete, json_t *more)
{
	json_t *body;

	if (!report->json) {
		json_decref(more);
		return;
	}
	body = must(json_pack("{sbso}", "complete", complete,
			      "devices", report->devices ?: json_array()));
	report->devices = NULL;
	json_merge(body, more);
	json_verb(report->verb, body);
}
