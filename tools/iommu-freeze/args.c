// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: the command line of a verb
 *
 * Fills a struct args from what the verb says it takes. What does not parse is
 * told on stderr and is OUTCOME_USAGE.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>

#include "verb.h"

/* For getopt: the letter, or what is behind all letters. */
enum {
	OPT_HELP = 'h',
	OPT_SLOT = 's',
	OPT_ID = 'd',
	OPT_JSON = OPT_NO_LETTER,
	OPT_INCOMING,
	OPT_OUTGOING,
	OPT_TRIAL,
	OPT_STAGE,
	OPT_TARGET,
	OPT_TARGET_CMDLINE,
};

/* A value that is missing is told from an option that is not there. */
#define LETTERS ":hs:d:"

const struct verb_option verb_options[] = {
	{ OPT_TRIAL, "trial", NULL, TAKES_TRIAL, "for nothing but the figures; has to be given" },
	{ OPT_STAGE, "stage", "STAGE", TAKES_CHECK,
	  "early, preserve (this is the default) or kexec" },
	{ OPT_TARGET, "target", "IMAGE", TAKES_CHECK,
	  "also the next kernel: bzImage, Image or vmlinux" },
	{ OPT_TARGET_CMDLINE, "target-cmdline", "TEXT", TAKES_CHECK,
	  "and the command line that it will get" },
	{ OPT_INCOMING, "incoming", NULL, TAKES_DIRECTION, "only from the previous kernel" },
	{ OPT_OUTGOING, "outgoing", NULL, TAKES_DIRECTION, "only to the next kernel" },
	{ OPT_SLOT, NULL, "SLOT", TAKES_MATCH,
	  "only there: [[[DOMAIN]:]BUS:][SLOT][.[FUNCTION]], as lspci" },
	{ OPT_ID, NULL, "ID", TAKES_MATCH, "only these: [VENDOR]:[DEVICE][:CLASS], as lspci" },
	{ OPT_JSON, "json", NULL, TAKES_JSON, "for programs; docs/iommu-freeze-json.schema.json" },
	{ OPT_HELP, "help", NULL, TAKES_HELP, "this text" },
	{ }
};

static __printf(2, 3)
enum outcome usage(const struct args *args, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say("%s: %s; see '" TOOL " %s --help'", args->verb, text, args->verb);
	return OUTCOME_USAGE;
}

/* The last one, which no verb takes, when there is none of that number. */
static const struct verb_option *find_option(int opt)
{
	const struct verb_option *o = verb_options;

	while (o->opt && o->opt != opt)
		o++;
	return o;
}

static enum outcome take_direction(struct args *args, u32 direction)
{
	if (args->direction && args->direction != direction)
		return usage(args, "--incoming and --outgoing exclude each other");
	args->direction = direction;
	return OUTCOME_OK;
}

static enum outcome take_stage(struct args *args)
{
	enum stage stage;

	for (stage = STAGE_EARLY; stage <= STAGE_KEXEC; stage++) {
		if (strcmp(optarg, print_word(WORDS_STAGE, stage)))
			continue;
		args->stage = stage;
		return OUTCOME_OK;
	}
	return usage(args, "no stage '%s', write early, preserve or kexec", optarg);
}

static enum outcome take_option(struct args *args, int opt)
{
	switch (opt) {
	case OPT_TRIAL:
		args->trial = true;
		break;
	case OPT_STAGE:
		return take_stage(args);
	case OPT_TARGET:
		args->target = optarg;
		break;
	case OPT_TARGET_CMDLINE:
		args->target_cmdline = optarg;
		break;
	case OPT_INCOMING:
		return take_direction(args, IOMMU_FREEZE_INCOMING);
	case OPT_OUTGOING:
		return take_direction(args, IOMMU_FREEZE_OUTGOING);
	case OPT_SLOT:
		args->slot = optarg;
		break;
	case OPT_ID:
		args->id = optarg;
		break;
	case OPT_JSON:
		args->json = true;
		break;
	case OPT_HELP:
		args->help = true;
		break;
	}
	return OUTCOME_OK;
}

/* All options, up to the first that is wrong or asks for help. */
static enum outcome take_options(struct args *args, const struct verb *verb, int argc,
				 char **argv)
{
	struct option options[ARRAY_SIZE(verb_options)] = {}, *next = options;
	enum outcome outcome = OUTCOME_OK;
	const struct verb_option *o;
	char letter[] = "-?";
	const char *typed;
	int opt, at;

	for (o = verb_options; o->opt; o++)
		if (o->name)
			*next++ = (struct option){ o->name, !!o->value, NULL, o->opt };
	opterr = 0;
	optind = 0;	/* glibc: begin anew */
	while (!outcome && !args->help) {
		at = optind ?: 1;
		opt = getopt_long(argc, argv, LETTERS, options, NULL);
		if (opt < 0)
			break;
		/* In a group of letters, optopt is the one that is wrong. */
		letter[1] = optopt;
		typed = opt == '?' && optopt && optopt < OPT_NO_LETTER ? letter : argv[at];
		if (opt == ':')
			return usage(args, "'%s' needs a value", typed);
		if (!verb_takes(verb, find_option(opt)))
			return usage(args, "no option '%s'", typed);
		outcome = take_option(args, opt);
	}
	return outcome;
}

static enum outcome take_devices(struct args *args, int argc, char **argv)
{
	struct bdf bdf;
	size_t i;

	args->bdf = must(calloc(argc, sizeof(*args->bdf)));
	for (; argc; argc--, argv++) {
		if (!pci_parse_bdf(*argv, &bdf))
			return usage(args, "'%s' is no device, write [DOMAIN:]BUS:SLOT.FUNCTION",
				     *argv);
		for (i = 0; i < args->nr_bdf; i++)
			if (!bdf_compare(args->bdf[i], bdf))
				break;
		if (i == args->nr_bdf)
			args->bdf[args->nr_bdf++] = bdf;
	}
	return OUTCOME_OK;
}

static enum outcome take_operands(struct args *args, const struct verb *verb,
				  int argc, char **argv)
{
	if (argc && (verb->takes & TAKES_DEVICES))
		return take_devices(args, argc, argv);
	if (argc && (verb->takes & (TAKES_FILE | TAKES_VERB))) {
		args->word = *argv++;
		argc--;
	}
	if (argc)
		return usage(args, "'%s' is too much", *argv);
	return OUTCOME_OK;
}

/**
 * args_parse - parse the command line of a verb
 * @args: zeroed; filled, its bdf is to be freed in any case
 * @verb: verb
 * @argc: words in @argv
 * @argv: name of the verb and what follows it
 *
 * When --help is given, nothing behind it is looked at.
 *
 * Return: OUTCOME_OK, OUTCOME_USAGE.
 */
enum outcome args_parse(struct args *args, const struct verb *verb, int argc, char **argv)
{
	enum outcome outcome;
	const char *reason;

	args->verb = verb->name;
	args->stage = STAGE_PRESERVE;
	outcome = take_options(args, verb, argc, argv);
	if (!outcome && !args->help)
		outcome = take_operands(args, verb, argc - optind, argv + optind);
	if (outcome || args->help)
		return outcome;

	if ((verb->takes & TAKES_TRIAL) && !args->trial)
		return usage(args, "only --trial; a real freeze is LUO's, inside kexec");
	if ((verb->takes & NEEDS_SOME) && !args->nr_bdf && !args->slot &&
	    !args->id && !args->word)
		return usage(args, verb->takes & TAKES_FILE ? "no file is named" :
				   "no device is named");
	if (args->target_cmdline && !args->target)
		return usage(args, "--target-cmdline without --target");
	if (args->nr_bdf && (args->slot || args->id))
		return usage(args, "name devices or filter them with -s and -d, not both");
	reason = pci_filter_set(args->slot, args->id);
	if (reason)
		return usage(args, "%s", reason);
	return OUTCOME_OK;
}
