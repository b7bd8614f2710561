// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: what a kernel's command line says about us
 *
 * A word that the kernel would not understand changes nothing, as it does there.
 */
#include <ctype.h>
#include <stdlib.h>

#include "check.h"

/* As kstrtobool() of the kernel has it. */
static void set_switch(enum said *to, const char *value)
{
	char first = tolower(value[0]), second = first ? tolower(value[1]) : 0;

	if (first == 'o')
		first = second == 'n' ? '1' : second == 'f' ? '0' : 0;
	switch (first) {
	case 'y':
	case 't':
	case '1':
		*to = SAID_ON;
		break;
	case 'n':
	case 'f':
	case '0':
		*to = SAID_OFF;
		break;
	}
}

static void on_off(enum said *to, const char *word)
{
	if (!strncmp(word, "on", 2))
		*to = SAID_ON;
	else if (!strncmp(word, "off", 3))
		*to = SAID_OFF;
}

/* Comma separated; drivers/iommu/intel/iommu.c, intel_iommu_setup(). */
static void intel_iommu(struct cmdline *c, const char *value)
{
	for (; value; value = strchr(value, ',')) {
		value += *value == ',';
		on_off(&c->vtd, value);
		if (!strncmp(value, "sm_on", 5))
			c->scalable = SAID_ON;
		else if (!strncmp(value, "sm_off", 6))
			c->scalable = SAID_OFF;
	}
}

/* Comma separated; arch/x86/kernel/pci-dma.c, iommu_setup(). */
static void iommu(struct cmdline *c, const char *value)
{
	for (; value; value = strchr(value, ',')) {
		value += *value == ',';
		if (!strncmp(value, "off", 3))
			c->vtd = SAID_OFF;
	}
}

/* Comma separated; drivers/iommu/irq_remapping.c, setup_irqremap(). */
static void intremap(struct cmdline *c, const char *value)
{
	for (; value; value = strchr(value, ',')) {
		value += *value == ',';
		on_off(&c->intremap, value);
	}
}

static const char *value_of(const char *word, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(word, name, len) && word[len] == '=' ? word + len + 1 : NULL;
}

/**
 * cmdline_parse - read a kernel's command line
 * @c: filled
 * @text: the command line
 *
 * Of a word that comes twice the last one counts.
 */
void cmdline_parse(struct cmdline *c, const char *text)
{
	char *copy = must(strdup(text)), *word, *save;
	const char *value;

	memset(c, 0, sizeof(*c));
	for (word = strtok_r(copy, " \t\n", &save); word; word = strtok_r(NULL, " \t\n", &save)) {
		/* Everything behind it is for init. */
		if (!strcmp(word, "--"))
			break;
		value = value_of(word, "kho");
		if (value)
			set_switch(&c->kho, value);
		value = value_of(word, "liveupdate");
		if (value)
			set_switch(&c->liveupdate, value);
		value = value_of(word, "intel_iommu");
		if (value)
			intel_iommu(c, value);
		value = value_of(word, "iommu");
		if (value)
			iommu(c, value);
		value = value_of(word, "intremap");
		if (value)
			intremap(c, value);
		else if (!strcmp(word, "nointremap"))
			c->intremap = SAID_OFF;
	}
	free(copy);
}
