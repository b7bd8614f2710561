/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: verbs, their options, and what was typed
 */
#ifndef IOMMU_FREEZE_VERB_H
#define IOMMU_FREEZE_VERB_H

#include "tool.h"

/* What a verb takes besides --help */
#define TAKES_JSON	BIT(0)
#define TAKES_DEVICES	BIT(1)	/* BDF... */
#define TAKES_DIRECTION	BIT(2)	/* --incoming, --outgoing */
#define TAKES_FILE	BIT(3)	/* one FILE */
#define TAKES_VERB	BIT(4)	/* one VERB, or none */
#define NEEDS_SOME	BIT(5)	/* at least one of those that select */
#define TAKES_MATCH	BIT(6)	/* -s, -d */
#define TAKES_TRIAL	BIT(7)	/* --trial */
#define TAKES_CHECK	BIT(8)	/* --stage, --target, --target-cmdline */
#define TAKES_HELP	BIT(9)	/* --help: all verbs do */

/**
 * struct args - the command line of a verb
 * @verb: name of the verb
 * @help: --help
 * @json: --json
 * @direction: enum iommu_freeze_direction, 0 for both
 * @slot: argument of -s, NULL when not given
 * @id: argument of -d, NULL when not given
 * @bdf: devices that were named
 * @nr_bdf: how many
 * @word: FILE or VERB, NULL when not given
 * @trial: --trial
 * @stage: argument of --stage
 * @target: argument of --target, NULL when not given
 * @target_cmdline: argument of --target-cmdline, NULL when not given
 */
struct args {
	const char *verb;
	bool help;
	bool json;
	u32 direction;
	const char *slot;
	const char *id;
	struct bdf *bdf;
	size_t nr_bdf;
	const char *word;
	bool trial;
	enum stage stage;
	const char *target;
	const char *target_cmdline;
};

/**
 * struct verb - one verb
 * @name: as it is typed
 * @brief: what it does, in a few words
 * @synopsis: what follows the name
 * @about: text of --help, after the synopsis and before the options
 * @takes: TAKES_...
 * @run: does it
 */
struct verb {
	const char *name;
	const char *brief;
	const char *synopsis;
	const char *about;
	u32 takes;
	enum outcome (*run)(const struct args *args);
};

#define OPT_NO_LETTER	256	/* behind all letters */

/**
 * struct verb_option - an option of verbs
 * @opt: its letter, or a number from OPT_NO_LETTER on
 * @name: behind --, NULL: none
 * @value: what it needs, NULL: nothing
 * @takes: TAKES_... of the verbs that take it
 * @about: what it does, in a few words
 */
struct verb_option {
	int opt;
	const char *name;
	const char *value;
	u32 takes;
	const char *about;
};

static inline bool verb_takes(const struct verb *verb, const struct verb_option *o)
{
	return o->takes & (verb->takes | TAKES_HELP);
}

extern const struct verb verb_list, verb_show, verb_check, verb_freeze;
extern const struct verb verb_verify, verb_extents, verb_discard, verb_decode;
extern const struct verb verb_version, verb_help;

/* verbs.c; NULL after the last */
extern const struct verb *const verbs[];
const struct verb *verb_find(const char *name);

/* verb-decode.c; for tests */
enum outcome decode_memory(const char *name, const void *data, size_t len, bool json);

/* pci.c; devices as they are typed, and as they are called */
bool pci_parse_bdf(const char *text, struct bdf *bdf);
const char *pci_filter_set(const char *slot, const char *id);
bool pci_filter_takes(struct bdf bdf);
const char *pci_name(struct bdf bdf);
const char *pci_name_by_id(u32 vendor, u32 device);

/* args.c; in the order of the help text, one without a text after the last */
extern const struct verb_option verb_options[];
enum outcome args_parse(struct args *args, const struct verb *verb, int argc, char **argv);

#endif /* IOMMU_FREEZE_VERB_H */
