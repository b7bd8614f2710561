// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints what target_read() finds in each image: target IMAGE... One thread, no
 * locks. Exit code: the first outcome that is not OK.
 */
#include "check.h"

int main(int argc, char **argv)
{
	enum outcome outcome, all = OUTCOME_OK;
	struct target target;
	int i;

	for (i = 1; i < argc; i++) {
		outcome = target_read(argv[i], &target);
		all = outcome_add(all, outcome);
		if (!outcome)
			printf("%s supported=%d versions=%u-%u flags=%u room=%llu\n", target.kind,
			       target.supported, target.oldest, target.newest, target.flags,
			       target.room);
	}
	return all;
}
