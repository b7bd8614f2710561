/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: what the files of the tool share
 *
 * One file is one verb (verb-NAME.c, with one entry in the table of verbs.c) or
 * one service of them. One thread, no locks. Whatever fails says so on stderr,
 * once, where it is found, and is handed up as an enum outcome.
 */
#ifndef IOMMU_FREEZE_TOOL_H
#define IOMMU_FREEZE_TOOL_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "frz.h"
#include <uapi/linux/iommu-freeze.h>

#define __printf(a, b)	__attribute__((format(printf, a, b)))
#define __noreturn	__attribute__((noreturn))

#define TOOL		"iommu-freeze"
#define DEVICE_NODE	"/dev/iommu-freeze"
#define JSON_VERSION	1

/* The exit codes; see iommu-freeze(8). */
enum outcome {
	OUTCOME_OK = 0,
	OUTCOME_FAILED = 1,
	OUTCOME_USAGE = 2,
	OUTCOME_DIFFERS = 3,
	OUTCOME_UNSUPPORTED = 4,
	OUTCOME_DENIED = 5,
};

/*
 * The outcome of two things done: a difference that was found counts most, then
 * the first that failed.
 */
static inline enum outcome outcome_add(enum outcome so_far, enum outcome next)
{
	return !so_far || next == OUTCOME_DIFFERS ? next ?: so_far : so_far;
}

/* Whatever is asked of the kernel next, it ends the same way. */
static inline bool outcome_is_final(enum outcome outcome)
{
	return outcome == OUTCOME_UNSUPPORTED || outcome == OUTCOME_DENIED;
}

/* A place on a PCI bus. */
struct bdf {
	u32 segment;
	u32 devid;	/* bus << 8 | devfn */
};

#define BDF_LEN		sizeof("ffffffff:00:00.0")

/* When check is run; each stage asks for more than the one before. */
enum stage {
	STAGE_EARLY,		/* no VMM was touched yet */
	STAGE_PRESERVE,		/* VMMs are about to preserve their devices */
	STAGE_KEXEC,		/* the kexec is next */
};

/* args.c */

/* What a verb takes besides --help */
#define TAKES_JSON	BIT(0)
#define TAKES_DEVICES	BIT(1)	/* BDF... */
#define TAKES_FILTER	BIT(2)	/* -s, -d, --incoming, --outgoing */
#define TAKES_FILE	BIT(3)	/* one FILE */
#define TAKES_VERB	BIT(4)	/* one VERB, or none */
#define NEEDS_SOME	BIT(5)	/* at least one of those that select */
#define TAKES_MATCH	BIT(6)	/* -s and -d alone */
#define TAKES_TRIAL	BIT(7)	/* --trial */
#define TAKES_CHECK	BIT(8)	/* --stage, --target, --target-cmdline */

/**
 * struct args - the command line of a verb
 * @verb: name of the verb
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
	bool json;
	u32 direction;
	char *slot;
	char *id;
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

extern const struct verb verb_list, verb_show, verb_check, verb_freeze;
extern const struct verb verb_verify, verb_extents, verb_discard, verb_decode;
extern const struct verb verb_version, verb_help;

const struct verb *verb_find(const char *name);
const struct verb *verb_at(size_t i);

enum outcome args_parse(struct args *args, const struct verb *verb, int argc,
			char **argv, bool *help);
void args_free(struct args *args);

/* print.c */

/* How a word is coloured, on a terminal. */
enum tint {
	TINT_NONE,
	TINT_GOOD,
	TINT_BUSY,
	TINT_BAD,
};

__printf(1, 2) enum outcome say(const char *fmt, ...);
__printf(1, 2) void progress(const char *fmt, ...);
void progress_clear(void);
enum outcome print_begin(void);
enum outcome print_end(void);
void print_tinted(enum tint tint, int width, const char *word);
const char *print_bdf(const struct bdf *bdf, char *buf);
const char *print_bytes(u64 bytes, char *buf, size_t len);
const char *print_hex(const u8 *data, size_t len, char *buf);
const char *print_text(const u8 *text, size_t len, char *buf);
const char *print_prot(u32 prot, char *buf);
const char *print_direction(u32 direction);
const char *print_state(u32 state);
const char *print_stage(enum stage stage);
const char *print_use(u32 use);
const char *print_format(u32 format);
const char *print_result(u32 result);
enum tint print_state_tint(u32 state);

#define BYTES_LEN	16
#define HEX_LEN		(2 * FRZ_DIGEST_LEN + 1)
#define PROT_LEN	4

/* json.c */

json_t *json_begin(const char *verb);
enum outcome json_end(json_t *root);
json_t *json_devices(const char *verb, json_t *devices, size_t nr, bool complete);
json_t *json_hex(u64 value);
json_t *json_count(u64 value);
json_t *json_text(const char *text);
json_t *json_digest(const u8 *digest);
json_t *json_trial(const struct iommu_freeze_trial *trial);
json_t *json_state(const struct iommu_freeze_device *dev);

/* kernel.c */

enum outcome kernel_open(void);
enum outcome kernel_info(struct iommu_freeze_info *info);
enum outcome kernel_list(struct iommu_freeze_device *dev, u32 direction,
			 u32 index, bool *end);
enum outcome kernel_extents(struct iommu_freeze_extents *extents,
			    const struct iommu_freeze_device *dev);
enum outcome kernel_verify(struct iommu_freeze_verify *verify,
			   const struct iommu_freeze_device *dev);
enum outcome kernel_trial(struct iommu_freeze_trial *trial, const struct bdf *bdf,
			  bool *there);
enum outcome kernel_discard(const struct iommu_freeze_device *dev);

/* select.c */

/**
 * struct selection - devices that the command line means
 * @info: about the kernel's side
 * @dev: those found, incoming ones first, by place
 * @nr: how many
 * @all: the command line named none and filtered none
 * @outcome: not OUTCOME_OK when a device that was named is not there
 */
struct selection {
	struct iommu_freeze_info info;
	struct iommu_freeze_device *dev;
	size_t nr;
	bool all;
	enum outcome outcome;
};

enum outcome select_devices(struct selection *sel, const struct args *args);
void select_free(struct selection *sel);
struct bdf select_bdf(const struct iommu_freeze_device *dev);

/* pci.c */

bool pci_parse_bdf(const char *text, struct bdf *bdf);
const char *pci_filter_check(char *slot, char *id);
bool pci_filter_takes(char *slot, char *id, const struct bdf *bdf);
const char *pci_name(const struct bdf *bdf, char *buf, size_t len);
const char *pci_name_by_id(u32 vendor, u32 device, char *buf, size_t len);
void pci_end(void);

#define NAME_LEN	256

/* sha256.c */

extern const struct frz_sha256 sha256;

/* target.c */

/**
 * struct target - the kernel in an image
 * @kind: "bzImage", "Image", "vmlinux" or "vmlinuz.efi"
 * @supported: it reads handovers
 * @oldest: oldest version that it reads
 * @newest: newest version that it reads
 * @flags: FRZ_NOTE_..., what is on without a word on its command line
 * @room: bytes that it needs in one piece where it is put, 0: not known
 */
struct target {
	const char *kind;
	bool supported;
	u32 oldest, newest, flags;
	u64 room;
};

enum outcome target_read(const char *path, struct target *target);

/* cmdline.c */

enum said {
	SAID_NOTHING = 0,
	SAID_ON,
	SAID_OFF,
};

/**
 * struct cmdline - what a kernel's command line says
 * @kho: of Kexec HandOver
 * @liveupdate: of the Live Update Orchestrator
 * @vtd: of VT-d
 * @scalable: of its scalable mode
 * @intremap: of interrupt remapping
 */
struct cmdline {
	enum said kho, liveupdate, vtd, scalable, intremap;
};

bool cmdline_parse(struct cmdline *c, const char *text);

/* finding.c */

struct device_facts;

/**
 * struct finding - something in the way
 * @object: what it was found in
 * @name: one word for programs
 * @text: for people, to follow @object and a colon
 * @fix: the way out, NULL when there is none
 * @at: it is at one iova, or begins there
 * @iova: which
 * @bytes: how much of the map it is, 0 when it is not about pages
 * @later: it goes away without the operator when the VMM's turn comes
 */
struct finding {
	char *object;
	char name[24];
	char *text;
	const char *fix;
	bool at;
	u64 iova;
	u64 bytes;
	bool later;
};

#define OBSTACLE_LEN	sizeof("obstacle-63")

struct findings {
	struct finding *f;
	size_t nr;
};

__printf(5, 6)
struct finding *finding_add(struct findings *list, const char *object, const char *name,
			    const char *fix, const char *fmt, ...);
const char *finding_obstacle(u32 obstacle, char *buf);
void finding_add_device(struct findings *list, const struct device_facts *dev,
			bool kho, u64 later);
u64 finding_not_kept(const struct iommu_freeze_trial *trial);
size_t finding_count(const struct findings *list, const char *object);
void finding_print(const struct findings *list, const char *object);
json_t *finding_json(const struct findings *list);
void finding_free(struct findings *list);

/* facts.c */

enum iommu_type {
	IOMMU_NOT_LOOKED = 0,
	IOMMU_NONE,
	IOMMU_VTD,
	IOMMU_AMD,
	IOMMU_SMMUV3,
	IOMMU_OTHER,	/* or of several types */
};

/**
 * struct host_facts - the host
 * @info: what the kernel's interface tells
 * @cmdline_known: @cmdline could be read
 * @cmdline: the words of its command line that have to do with this
 * @iommu: its IOMMU
 * @units: units of that
 * @scalable: one of them may have scalable mode
 * @loaded_known: @loaded could be read
 * @loaded: a kernel is loaded for kexec
 */
struct host_facts {
	struct iommu_freeze_info info;
	bool cmdline_known;
	char cmdline[4096];
	enum iommu_type iommu;
	unsigned int units;
	bool scalable;
	bool loaded_known;
	bool loaded;
};

#define CDEV_LEN	64
#define NO_LIMIT	(~0ULL)

/**
 * struct device_facts - a PCI device
 * @bdf: its place
 * @there: whether there is one
 * @driver: bound to it, "" for none
 * @group: its IOMMU group, "" for none
 * @group_devices: devices in that, -1: not known
 * @reset: methods to reset it, "" for none
 * @cdev: its VFIO device file, "" for none
 * @vmm: process that has @cdev open, of several the one that may lock least; 0:
 *	not found, and then no limit either
 * @memlock: bytes that it may lock, or NO_LIMIT
 * @trial: what the kernel found; zero when it was not asked
 */
struct device_facts {
	struct bdf bdf;
	bool there;
	char driver[64];
	char group[16];
	int group_devices;
	char reset[128];
	char cdev[CDEV_LEN];
	long vmm;
	u64 memlock;
	struct iommu_freeze_trial trial;
};

void facts_host(struct host_facts *host, const char *root);
void facts_device(struct device_facts *dev, const char *root, const struct bdf *bdf);
void facts_memlock(struct device_facts *dev, size_t nr, const char *root);
const char *facts_use(const struct device_facts *dev);
struct bdf *facts_devices(const struct args *args, bool vfio_only, const char *root,
			  size_t *nr);

/* What the verbs print, apart from where it comes from; for tests as well. */
json_t *list_json(const struct selection *sel);
void list_text(const struct selection *sel);
json_t *show_json(const struct selection *sel);
void show_text(const struct selection *sel);
json_t *verify_json_one(const struct iommu_freeze_device *dev,
			const struct iommu_freeze_verify *v);
void verify_text_one(const struct iommu_freeze_device *dev,
		     const struct iommu_freeze_verify *v);
json_t *discard_json_one(const struct iommu_freeze_device *dev);

enum outcome trial_judge(const struct device_facts *dev, bool kho,
			 struct findings *findings);
json_t *trial_json(const struct device_facts *dev, size_t nr,
		   const struct findings *findings, bool complete);
void trial_text_one(const struct device_facts *dev, const struct findings *findings);

/**
 * struct check - a preflight
 * @stage: when
 * @host: the host
 * @dev: devices
 * @nr: how many
 * @target_path: image of the next kernel, NULL when none is named
 * @target_read: it could be read
 * @target: what it is
 * @target_cmdline: its command line, NULL when none is named
 * @findings: what is in the way
 */
struct check {
	enum stage stage;
	struct host_facts host;
	struct device_facts *dev;
	size_t nr;
	const char *target_path;
	bool target_read;
	struct target target;
	const char *target_cmdline;
	struct findings findings;
};

void check_judge(struct check *check);
json_t *check_json(const struct check *check, bool complete);
void check_text(const struct check *check, bool complete);

/**
 * struct extents_out - extents on their way to stdout
 * @json: for programs
 * @devices: begun so far
 * @nr: extents of this device so far
 * @direction: of this device
 * @place: of this device
 */
struct extents_out {
	bool json;
	size_t devices;
	u64 nr;
	const char *direction;
	char place[BDF_LEN];
};

void extents_begin(struct extents_out *out);
void extents_device(struct extents_out *out, const struct iommu_freeze_device *dev);
enum outcome extents_extent(struct extents_out *out,
			    const struct iommu_freeze_extent *e);
void extents_device_end(struct extents_out *out, bool complete);
void extents_end(struct extents_out *out, bool complete);
enum outcome decode_memory(const char *name, const void *data, size_t len,
			   bool json);

#endif /* IOMMU_FREEZE_TOOL_H */
