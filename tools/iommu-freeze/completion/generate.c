// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes the completions of iommu-freeze out of the tables that --help is made of:
 * generate {bash | zsh} prints what takes the place of @TABLE@ in the script.
 */
#include "verb.h"

static bool zsh;

/* How the script calls what may be typed there. */
static const char *values(const char *what)
{
	if (!strcmp(what, "STAGE"))
		return print_text(zsh ? "(%s %s %s)" : "%s %s %s",
				  print_word(WORDS_STAGE, STAGE_EARLY),
				  print_word(WORDS_STAGE, STAGE_PRESERVE),
				  print_word(WORDS_STAGE, STAGE_KEXEC));
	if (!strcmp(what, "IMAGE") || !strcmp(what, "FILE"))
		return zsh ? "_files" : "files";
	if (!strcmp(what, "BDF"))
		return zsh ? "_iommu_freeze_devices" : "devices";
	if (!strcmp(what, "VERB"))
		return zsh ? "_iommu_freeze_verbs" : "${verbs[*]}";
	return "";
}

/* In bash OPTION=VALUES, in zsh OPTION=[what it does]:VALUE:VALUES, as _arguments has it. */
static void print_option(const struct verb_option *o)
{
	printf(" \"%s", zsh && o->takes == TAKES_DIRECTION ? "(--incoming --outgoing)" : "");
	printf("%s", o->name ? print_text("--%s", o->name) : print_text("-%c", o->opt));
	if (o->value && (o->name || !zsh))
		putchar('=');
	if (zsh)
		printf("[%.*s]", (int)strcspn(o->about, ":;"), o->about);
	if (zsh && o->value)
		printf(":%s:", o->value);
	printf("%s\"", o->value ? values(o->value) : "");
}

static void print_operand(const char *what)
{
	if (zsh)
		printf(" \"*:%s:%s\"", what, values(what));
	else
		printf(" \"*=%s\"", values(what));
}

int main(int argc, char **argv)
{
	const struct verb *const *verb;
	const struct verb_option *o;

	zsh = argc == 2 && !strcmp(argv[1], "zsh");
	puts("\tverbs=(");
	for (verb = verbs; *verb; verb++)
		printf("\t\t\"%s%s%s\"\n", (*verb)->name, zsh ? ":" : "",
		       zsh ? (*verb)->brief : "");
	puts("\t)\n\tcase $verb in");
	for (verb = verbs; *verb; verb++) {
		printf("\t%s)\toptions=(", (*verb)->name);
		if ((*verb)->takes & TAKES_DEVICES)
			print_operand("BDF");
		if ((*verb)->takes & TAKES_FILE)
			print_operand("FILE");
		if ((*verb)->takes & TAKES_VERB)
			print_operand("VERB");
		for (o = verb_options; o->opt; o++)
			if (verb_takes(*verb, o))
				print_option(o);
		puts(" ) ;;");
	}
	puts("\tesac");
	return fclose(stdout) ? OUTCOME_FAILED : OUTCOME_OK;
}
