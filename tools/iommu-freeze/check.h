/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: facts about the host, its devices and the next kernel, and what of
 * them is in the way, for the verbs that look before the kexec
 */
#ifndef IOMMU_FREEZE_CHECK_H
#define IOMMU_FREEZE_CHECK_H

#include "output.h"
#include "verb.h"

struct backend;

/* facts.c */

/**
 * struct host_facts - the host
 * @info: what the kernel's interface tells
 * @cmdline_known: @cmdline could be read
 * @cmdline: the words of its command line that have to do with this
 * @iommu: its IOMMU, &backend_none without one; NULL: not looked at
 * @units: units of that
 * @scalable: one of them may have scalable mode
 * @loaded_known: @loaded could be read
 * @loaded: a kernel is loaded for kexec
 */
struct host_facts {
	struct iommu_freeze_info info;
	bool cmdline_known;
	char cmdline[4096];
	const struct backend *iommu;
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
 * @group_devices: devices in that, 0: not known
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
	unsigned int group_devices;
	char reset[128];
	char cdev[CDEV_LEN];
	long vmm;
	u64 memlock;
	struct iommu_freeze_trial trial;
};

const char *facts_line(char *buf, size_t len, const char *path, const char *key);
/* Where /sys and /proc are, "" but for tests. */
extern const char *facts_root;

void facts_host(struct host_facts *host);
enum outcome facts_device(struct device_facts *dev, struct bdf bdf);
void facts_memlock(struct device_facts *dev, size_t nr);
const char *facts_use(const struct device_facts *dev);
struct bdf *facts_devices(const struct args *args, bool vfio_only, size_t *nr);

/* cmdline.c */

/* What a command line says about something. */
enum said {
	SAID_NOTHING = 0,
	SAID_ON,
	SAID_OFF,
};

void cmdline_each(const char *text, void (*word)(void *arg, const char *name, const char *value),
		  void *arg);
void cmdline_switch(enum said *to, const char *value);

/* Or else built into the kernel. */
static inline bool cmdline_on(enum said said, bool by_default)
{
	return said ? said == SAID_ON : by_default;
}

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

/* judge.c */

/**
 * struct check - a preflight
 * @args: what was asked for: when, and about which next kernel
 * @host: the host
 * @dev: devices
 * @nr: how many
 * @target_read: the next kernel could be read
 * @target: what it is
 * @findings: what is in the way
 */
struct check {
	const struct args *args;
	struct host_facts host;
	struct device_facts *dev;
	size_t nr;
	bool target_read;
	struct target target;
	json_t *findings;
};

void check_judge(struct check *check);

/* finding.c; findings are an array, in the order in which things were looked at */
json_t *finding_add(json_t *findings, const char *object, const char *name, const char *fix,
		    const char *text);
const char *finding_obstacle(u32 obstacle);
void finding_add_device(json_t *findings, const struct device_facts *dev, bool kho, u64 later);
size_t finding_count(const json_t *findings, const char *object);
void finding_print(const json_t *findings, const char *object);

/* verb-freeze.c */
json_t *trial_json(const struct iommu_freeze_trial *trial);

#endif /* IOMMU_FREEZE_CHECK_H */
