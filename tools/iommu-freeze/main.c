// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: see, verify and discard frozen IOMMU domains
 *
 * Finds the verb, has its arguments parsed, runs it and makes sure that what it
 * printed arrived. Every failure becomes one of the exit codes of enum outcome.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "verb.h"

/* So that no file that is opened later becomes stdin or stderr. */
static void fill_standard_files(void)
{
	int fd = 0;

	while (fd >= 0 && fd <= STDERR_FILENO)
		fd = open("/dev/null", O_RDWR);
	close(fd);
}

/* All that was printed has to have arrived. */
static enum outcome close_stdout(void)
{
	bool failed = ferror(stdout);

	progress_clear();
	errno = 0;
	if (fclose(stdout))
		failed = true;
	if (!failed)
		return OUTCOME_OK;
	/* Whoever closed the pipe does not want to read about it. */
	if (errno != EPIPE)
		say("cannot write to standard output%s%s", errno ? ": " : "",
		    errno ? strerror(errno) : "");
	return OUTCOME_FAILED;
}

static enum outcome run(const struct verb *verb, int argc, char **argv)
{
	struct args args = {};
	enum outcome outcome;

	outcome = args_parse(&args, verb, argc, argv);
	if (!outcome && args.help) {
		args.word = verb->name;
		verb = &verb_help;
	}
	if (!outcome)
		outcome = verb->run(&args);
	free(args.bdf);
	return outcome;
}

int main(int argc, char **argv)
{
	enum outcome outcome;
	const struct verb *verb;
	const char *name;

	if (fcntl(STDOUT_FILENO, F_GETFD) < 0)
		return say("standard output is closed");
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
	return outcome_add(outcome, close_stdout());
}
