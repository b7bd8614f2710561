// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: the table of verbs, and the two that are about the tool itself: help,
 * which prints the table in its order, and version
 */
#include "output.h"
#include "verb.h"

const struct verb *const verbs[] = {
	&verb_list,
	&verb_show,
	&verb_check,
	&verb_freeze,
	&verb_verify,
	&verb_extents,
	&verb_discard,
	&verb_decode,
	&verb_version,
	&verb_help,
	NULL
};

/**
 * verb_find - find a verb
 * @name: as it was typed
 *
 * Return: the verb, NULL when there is none of that name.
 */
const struct verb *verb_find(const char *name)
{
	const struct verb *const *verb;

	for (verb = verbs; *verb; verb++)
		if (!strcmp((*verb)->name, name))
			break;
	return *verb;
}

static const char *how_to_type(const struct verb_option *o)
{
	if (!o->name)
		return print_text("-%c %s", o->opt, o->value);
	if (o->value)
		return print_text("    --%s %s", o->name, o->value);
	if (o->opt < OPT_NO_LETTER)
		return print_text("-%c, --%s", o->opt, o->name);
	return print_text("    --%s", o->name);
}

static void help_verb(const struct verb *verb)
{
	const struct verb_option *o;

	printf("Usage: " TOOL " %s %s\n\n%s\nOptions:\n", verb->name, verb->synopsis, verb->about);
	for (o = verb_options; o->opt; o++)
		if (verb_takes(verb, o))
			printf("  %-15s  %s\n", how_to_type(o), o->about);
	printf("\nMore: man " TOOL "-%s\n", verb->name);
}

static enum outcome run_help(const struct args *args)
{
	const struct verb *verb = args->word ? verb_find(args->word) : NULL;
	const struct verb *const *each;

	if (verb) {
		help_verb(verb);
		return OUTCOME_OK;
	}
	if (args->word) {
		say("help: no verb '%s'; see '" TOOL " help'", args->word);
		return OUTCOME_USAGE;
	}
	puts("Usage: " TOOL " VERB [OPTION...] [BDF...]\n\n"
	     "Check, see, verify and discard IOMMU domains that keep devices doing DMA across\n"
	     "kexec.\n");
	for (each = verbs; *each; each++)
		printf("  %-9s %s\n", (*each)->name, (*each)->brief);
	puts("\nExit code: 0 ok, 1 failed, 2 usage, 3 verify or freeze found a difference,\n"
	     "4 not supported by this kernel, 5 not permitted.\n"
	     "More: " TOOL " VERB --help, man " TOOL);
	return OUTCOME_OK;
}

const struct verb verb_help = {
	.name = "help",
	.brief = "explain a verb",
	.synopsis = "[VERB]",
	.about = "What the tool does, or what a verb does and which options it takes.\n",
	.takes = TAKES_VERB,
	.run = run_help,
};

static enum outcome run_version(const struct args *args)
{
	if (args->json)
		json_verb(args->verb, must(json_pack("{sssi}", "tool", TOOL_VERSION,
						     "blob_version", FRZ_BLOB_VERSION)));
	else
		printf(TOOL " %s, reads handover version %d\n", TOOL_VERSION, FRZ_BLOB_VERSION);
	return OUTCOME_OK;
}

const struct verb verb_version = {
	.name = "version",
	.brief = "print the version",
	.synopsis = "[--json]",
	.about =
	"The version of the tool and the newest handover version that 'decode' reads.\n"
	"That of the running kernel is in 'list --json'.\n",
	.takes = TAKES_JSON,
	.run = run_version,
};
