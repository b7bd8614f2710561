// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: see, verify and discard frozen IOMMU domains
 *
 * Structure: finds the verb, has its arguments parsed, runs it and makes sure
 * that what it printed arrived. No state, no lock. Every failure becomes one of
 * the exit codes of enum outcome.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "tool.h"

/* So that no file that is opened later becomes stdin or stderr. */
static void fill_standard_files(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static enum outcome run(const struct verb *verb, int argc, char **argv)
{
	struct args args = {};
	enum outcome outcome;
	bool help = false;

	outcome = args_parse(&args, verb, argc, argv, &help);
	if (!outcome && help) {
		args.word = verb->name;
		verb = &verb_help;
	}
	if (!outcome)
		outcome = verb->run(&args);
	args_free(&args);
	return outcome;
}

int main(int argc, char **argv)
{
	enum outcome outcome, printed;
	const struct verb *verb;
	const char *name;

	if (print_begin())
		return OUTCOME_FAILED;
	fill_standard_files();
	/* A reader that went away is a failed write, told by the exit code. */
	signal(SIGPIPE, SIG_IGN);

	if (argc < 2) {
		say("no verb; see '" TOOL " help'");
		return OUTCOME_USAGE;
	}
	name = argv[1];
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = verb_help.name;
	else if (!strcmp(name, "--version") || !strcmp(name, "-V"))
		name = verb_version.name;
	verb = verb_find(name);
	if (!verb) {
		say("no verb '%s'; see '" TOOL " help'", name);
		return OUTCOME_USAGE;
	}
	outcome = run(verb, argc - 1, argv + 1);
	pci_end();
	printed = print_end();
	return outcome_add(outcome, printed);
}
