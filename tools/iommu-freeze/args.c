// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: the command line of a verb
 *
 * Structure: fills a struct args of the caller from what the verb says it takes.
 * No lock. What does not parse is told on stderr and is OUTCOME_USAGE.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>

#include "tool.h"

enum {
	OPT_HELP = 'h',
	OPT_SLOT = 's',
	OPT_ID = 'd',
	/* no letter */
	OPT_JSON = 256,
	OPT_INCOMING,
	OPT_OUTGOING,
	OPT_TRIAL,
	OPT_STAGE,
	OPT_TARGET,
	OPT_TARGET_CMDLINE,
};

static const struct option options[] = {
	{ "help", no_argument, NULL, OPT_HELP },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "incoming", no_argument, NULL, OPT_INCOMING },
	{ "outgoing", no_argument, NULL, OPT_OUTGOING },
	{ "trial", no_argument, NULL, OPT_TRIAL },
	{ "stage", required_argument, NULL, OPT_STAGE },
	{ "target", required_argument, NULL, OPT_TARGET },
	{ "target-cmdline", required_argument, NULL, OPT_TARGET_CMDLINE },
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

static bool takes_option(u32 takes, int opt)
{
	switch (opt) {
	case OPT_HELP:
		return true;
	case OPT_JSON:
		return takes & TAKES_JSON;
	case OPT_SLOT:
	case OPT_ID:
		return takes & (TAKES_FILTER | TAKES_MATCH);
	case OPT_TRIAL:
		return takes & TAKES_TRIAL;
	case OPT_STAGE:
	case OPT_TARGET:
	case OPT_TARGET_CMDLINE:
		return takes & TAKES_CHECK;
	default:
		return takes & TAKES_FILTER;
	}
}

static enum outcome take_stage(struct args *args)
{
	enum stage stage;

	for (stage = STAGE_EARLY; stage <= STAGE_KEXEC; stage++) {
		if (strcmp(optarg, print_stage(stage)))
			continue;
		args->stage = stage;
		return OUTCOME_OK;
	}
	return usage(args, "no stage '%s', write early, preserve or kexec", optarg);
}

static enum outcome take_option(struct args *args, const struct verb *verb,
				int opt, const char *typed, bool *help)
{
	u32 direction = 0;

	if (opt == '?')
		return usage(args, "no option '%s'", typed);
	if (opt == ':')
		return usage(args, "'%s' needs a value", typed);
	if (!takes_option(verb->takes, opt))
		return usage(args, "no option '%s'", typed);
	switch (opt) {
	case OPT_HELP:
		*help = true;
		break;
	case OPT_JSON:
		args->json = true;
		break;
	case OPT_SLOT:
		args->slot = optarg;
		break;
	case OPT_ID:
		args->id = optarg;
		break;
	case OPT_INCOMING:
		direction = IOMMU_FREEZE_INCOMING;
		break;
	case OPT_OUTGOING:
		direction = IOMMU_FREEZE_OUTGOING;
		break;
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
	}
	if (direction && args->direction && direction != args->direction)
		return usage(args, "--incoming and --outgoing exclude each other");
	args->direction = direction ?: args->direction;
	return OUTCOME_OK;
}

static enum outcome take_devices(struct args *args, int argc, char **argv)
{
	struct bdf bdf;
	size_t i;

	args->bdf = calloc(argc, sizeof(*args->bdf));
	if (!args->bdf) {
		say("%s: out of memory", args->verb);
		return OUTCOME_FAILED;
	}
	for (; argc; argc--, argv++) {
		if (!pci_parse_bdf(*argv, &bdf))
			return usage(args, "'%s' is no device, write [DOMAIN:]BUS:SLOT.FUNCTION",
				     *argv);
		for (i = 0; i < args->nr_bdf; i++)
			if (!memcmp(&args->bdf[i], &bdf, sizeof(bdf)))
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
 * @args: zeroed; filled, to be freed by args_free() in any case
 * @verb: verb
 * @argc: words in @argv
 * @argv: name of the verb and what follows it
 * @help: set when --help was given; nothing more was checked then
 *
 * Return: OUTCOME_OK, OUTCOME_USAGE, OUTCOME_FAILED (no memory).
 */
enum outcome args_parse(struct args *args, const struct verb *verb, int argc,
			char **argv, bool *help)
{
	enum outcome outcome;
	const char *reason, *typed;
	char letter[] = "-?";
	int opt, at;

	args->verb = verb->name;
	args->stage = STAGE_PRESERVE;
	opterr = 0;
	optind = 0;	/* glibc: begin anew */
	for (;;) {
		at = optind ?: 1;
		opt = getopt_long(argc, argv, ":hs:d:", options, NULL);
		if (opt < 0)
			break;
		/* In a group of letters, optopt is the one that is wrong. */
		letter[1] = optopt;
		typed = opt == '?' && optopt && optopt < OPT_JSON ? letter : argv[at];
		outcome = take_option(args, verb, opt, typed, help);
		if (outcome || *help)
			return outcome;
	}
	outcome = take_operands(args, verb, argc - optind, argv + optind);
	if (outcome)
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
	reason = pci_filter_check(args->slot, args->id);
	if (reason)
		return usage(args, "%s", reason);
	return OUTCOME_OK;
}

/**
 * args_free - free what args_parse() allocated
 * @args: arguments
 */
void args_free(struct args *args)
{
	free(args->bdf);
	memset(args, 0, sizeof(*args));
}
