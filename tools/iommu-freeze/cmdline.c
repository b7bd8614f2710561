// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: a kernel's command line, read as the kernel reads it
 *
 * A word that the kernel would not understand changes nothing, as it does there;
 * of a word that comes twice the last one counts.
 */
#include <stdlib.h>
#include <strings.h>

#include "check.h"

/**
 * cmdline_switch - a value that turns something on or off
 * @to: set, if it is one that kstrtobool() of the kernel understands
 * @value: value, NULL: there is none
 */
void cmdline_switch(enum said *to, const char *value)
{
	if (!value || !*value)
		return;
	if (strchr("yYtT1", *value) || !strncasecmp(value, "on", 2))
		*to = SAID_ON;
	else if (strchr("nNfF0", *value) || !strncasecmp(value, "of", 2))
		*to = SAID_OFF;
}

/**
 * cmdline_each - go through the words of a command line
 * @text: the command line
 * @word: called for each; the value is what is behind the =, NULL without one
 * @arg: for @word
 */
void cmdline_each(const char *text, void (*word)(void *arg, const char *name, const char *value),
		  void *arg)
{
	char *copy = must(strdup(text)), *name, *value, *save;

	for (name = strtok_r(copy, " \t\n", &save); name; name = strtok_r(NULL, " \t\n", &save)) {
		/* Everything behind it is for init. */
		if (!strcmp(name, "--"))
			break;
		value = strchr(name, '=');
		if (value)
			*value++ = '\0';
		word(arg, name, value);
	}
	free(copy);
}
