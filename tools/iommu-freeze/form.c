// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: text for people, made of the object that --json prints
 *
 * A form is the text with the names of values in it:
 *
 *	{NAME}		the value: "-" for null, "on" and "off" for true and false;
 *			a.b is b in the object or, a number, in the array a
 *	{NAME:SPEC}	SPEC is as in printf(), [-][WIDTH][.PRECISION][LETTER], with the
 *			letters b: bytes, short; t: a word with its colour, always
 *			to the left; x: hexadecimal, always filled up with 0, with -
 *			the last WIDTH digits
 *	[FORM|OTHER]	FORM, but OTHER, or nothing without it, when a value in FORM is
 *			null; there are no brackets in brackets
 */
#include <limits.h>
#include <stdlib.h>

#include "output.h"

/* NULL for null, and for what is not there. */
static json_t *find(const json_t *object, const char *name)
{
	size_t len = strcspn(name, ".:}");
	json_t *value;

	if (json_is_array(object))
		value = json_array_get(object, strtoul(name, NULL, 10));
	else
		value = json_object_getn(object, name, len);
	if (name[len] == '.')
		return find(value, name + len + 1);
	return json_is_null(value) ? NULL : value;
}

static bool all_there(const char *form, const json_t *object)
{
	for (form += strcspn(form, "{|]"); *form == '{'; form += strcspn(form, "{|]")) {
		form++;
		if (!find(object, form))
			return false;
	}
	return true;
}

/* Of an integer, or of a string that has one. */
static u64 number(const json_t *value)
{
	if (json_is_string(value))
		return strtoull(json_string_value(value), NULL, 0);
	return json_integer_value(value);
}

static const char *text_of(const json_t *value, char letter)
{
	if (!value)
		return "-";
	if (json_is_boolean(value))
		return json_is_true(value) ? "on" : "off";
	if (json_is_string(value))
		return json_string_value(value);
	return letter == 'b' ? print_bytes(number(value)) : print_text("%llu", number(value));
}

static void print_value(const char *name, const json_t *object)
{
	const char *spec = name + strcspn(name, ":}"), *text;
	json_t *value = find(object, name);
	int width, precision = INT_MAX;
	bool left;
	char *end;

	spec += *spec == ':';
	left = *spec == '-';
	width = strtoul(spec + left, &end, 10);
	if (*end == '.')
		precision = strtoul(end + 1, &end, 10);
	if (*end == 'x') {
		text = print_text("%0*llx", width, number(value));
		printf("%.*s", precision, left ? text + strlen(text) - width : text);
	} else if (*end == 't') {
		print_tinted(width, text_of(value, *end));
	} else {
		printf(left ? "%-*.*s" : "%*.*s", width, precision, text_of(value, *end));
	}
}

/**
 * print_form - print what a form makes of an object
 * @form: form
 * @object: values
 */
void print_form(const char *form, const json_t *object)
{
	bool skip = false;

	for (; *form; form++) {
		switch (*form) {
		case '[':
			skip = !all_there(form + 1, object);
			break;
		case '|':
			skip = !skip;
			break;
		case ']':
			skip = false;
			break;
		case '{':
			if (!skip)
				print_value(form + 1, object);
			form += strcspn(form, "}");
			break;
		default:
			if (!skip)
				putchar(*form);
		}
	}
}

/**
 * print_each - print what a form makes of each object of an array
 * @form: form
 * @array: objects
 * @parts: name of an array that each object has, NULL: none
 * @part_form: form of what is in that, to follow the object
 */
void print_each(const char *form, const json_t *array, const char *parts, const char *part_form)
{
	json_t *object;
	size_t i;

	json_array_foreach(array, i, object) {
		print_form(form, object);
		if (parts)
			print_each(part_form, json_object_get(object, parts), NULL, NULL);
	}
}
