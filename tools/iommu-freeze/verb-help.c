// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze help: of the tool and of each verb
 *
 * Structure: prints the table of verbs. No lock. Asking for a verb that does not
 * exist fails.
 */
#include "tool.h"

static const char match[] =
	"  -s SLOT          only there: [[[DOMAIN]:]BUS:][SLOT][.[FUNCTION]], as lspci\n"
	"  -d ID            only these: [VENDOR]:[DEVICE][:CLASS], as lspci";

static void help_verb(const struct verb *verb)
{
	printf("Usage: " TOOL " %s %s\n\n%s", verb->name, verb->synopsis, verb->about);
	printf("\nOptions:\n");
	if (verb->takes & TAKES_TRIAL)
		printf("      --trial      for nothing but the figures; has to be given\n");
	if (verb->takes & TAKES_CHECK)
		printf("      --stage STAGE  early, preserve (this is the default) or kexec\n"
		       "      --target IMAGE  also the next kernel: bzImage, Image or vmlinux\n"
		       "      --target-cmdline TEXT  and the command line that it will get\n");
	if (verb->takes & TAKES_FILTER)
		printf("      --incoming   only from the previous kernel\n"
		       "      --outgoing   only to the next kernel\n");
	if (verb->takes & (TAKES_FILTER | TAKES_MATCH))
		puts(match);
	if (verb->takes & TAKES_JSON)
		printf("      --json       for programs; docs/iommu-freeze-json.schema.json\n");
	printf("  -h, --help       this text\n"
	       "\nMore: man " TOOL "-%s\n", verb->name);
}

static enum outcome run_help(const struct args *args)
{
	const struct verb *verb;
	size_t i;

	if (args->word) {
		verb = verb_find(args->word);
		if (!verb) {
			say("help: no verb '%s'; see '" TOOL " help'", args->word);
			return OUTCOME_USAGE;
		}
		help_verb(verb);
		return OUTCOME_OK;
	}
	puts("Usage: " TOOL " VERB [OPTION...] [BDF...]\n\n"
	     "Check, see, verify and discard IOMMU domains that keep devices doing DMA across\n"
	     "kexec.\n");
	for (i = 0; (verb = verb_at(i)); i++)
		printf("  %-9s %s\n", verb->name, verb->brief);
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
