/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: how a verb prints: an object, and a form of it for people
 */
#ifndef IOMMU_FREEZE_OUTPUT_H
#define IOMMU_FREEZE_OUTPUT_H

#include <jansson.h>

#include "tool.h"

#define JSON_VERSION	1

/**
 * struct report - what a verb tells about devices
 * @verb: its name
 * @json: for programs, which get all of it at the end; else each device at once
 * @head: for people, before the first device, may be NULL
 * @between: and before each of the others
 * @nr: how many were told
 * @devices: for programs
 */
struct report {
	const char *verb;
	bool json;
	const char *head;
	const char *between;
	size_t nr;
	json_t *devices;
};

/* json.c */
json_t *json_hex(u64 value);
json_t *json_text(const char *text);
json_t *json_digest(const u8 *digest);
json_t *json_prot(u32 prot);
json_t *json_if(bool known, json_t *value);
void json_add(json_t *array, json_t *value);
void json_merge(json_t *object, json_t *more);
void json_write(json_t *value, size_t flags);
void json_verb(const char *verb, json_t *body);
void report_device(struct report *report, const char *form, json_t *device);
void report_end(struct report *report, bool complete, json_t *more);

/* form.c */
void print_form(const char *form, const json_t *object);
void print_each(const char *form, const json_t *array, const char *parts, const char *part_form);

#endif /* IOMMU_FREEZE_OUTPUT_H */
