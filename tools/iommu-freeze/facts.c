// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: what sysfs and procfs tell about the host and about PCI devices
 *
 * Things may change while they are looked at. What cannot be read is not known and is
 * told so, nothing fails but the trial.
 */
#include <ctype.h>
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/capability.h>

#include "backend.h"
#include "kernel.h"

const char *facts_root = "";

/**
 * facts_line - read a line of a file
 * @buf: filled, without the end of the line and safe to print; "": there is none
 * @len: size of @buf
 * @path: of the file
 * @key: what the line begins with, "" for the first one
 *
 * Return: what follows @key and blanks; NULL without such a line.
 */
const char *facts_line(char *buf, size_t len, const char *path, const char *key)
{
	FILE *f = fopen(path, "re");
	char *value = NULL;

	while (f && !value && fgets(buf, len, f))
		if (!strncmp(buf, key, strlen(key)))
			value = buf + strlen(key) + strspn(buf + strlen(key), " \t");
	if (f)
		fclose(f);
	buf[value ? strcspn(buf, "\n") : 0] = '\0';
	print_clean(buf);
	return value;
}

/* The last part of what a link points to; "" when there is none. */
static void read_link(char *buf, size_t len, const char *path)
{
	char target[512];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	char *slash;

	target[n < 0 ? 0 : n] = '\0';
	slash = strrchr(target, '/');
	/* Names in sysfs are short; what would not fit is another link. */
	snprintf(buf, len, "%.*s", (int)len - 1, slash ? slash + 1 : target);
	print_clean(buf);
}

/* What matches a pattern, to be freed; how much that is. */
static size_t find(glob_t *found, const char *pattern)
{
	return glob(pattern, GLOB_NOSORT, NULL, found) ? 0 : found->gl_pathc;
}

static bool is_backend_word(const char *name)
{
	const struct backend *const *b;
	const char *const *word;

	for (b = backends; *b; b++)
		for (word = (*b)->words; word && *word; word++)
			if (!strcmp(name, *word))
				return true;
	return false;
}

/* The words of the running kernel's command line that have to do with this. */
static void take_word(void *arg, const char *name, const char *value)
{
	struct host_facts *host = arg;
	size_t len = strlen(host->cmdline);

	if (value && (!strcmp(name, "kho") || !strcmp(name, "kho_scratch") ||
		      !strcmp(name, "liveupdate") || is_backend_word(name)))
		snprintf(host->cmdline + len, sizeof(host->cmdline) - len, "%s%s=%s",
			 len ? " " : "", name, value);
}

static const struct backend *backend_of_unit(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	const struct backend *const *b;

	for (b = backends; *b; b++)
		if (!strncmp(name, (*b)->units, strlen((*b)->units)))
			return *b;
	return &backend_other;
}

static void look_at_iommu(struct host_facts *host)
{
	const struct backend *iommu;
	glob_t units = {};
	size_t i;

	/* A kernel built without any IOMMU lacks the folder below. */
	if (!access(print_text("%s/sys/class", facts_root), X_OK))
		host->iommu = &backend_none;
	host->units = find(&units, print_text("%s/sys/class/iommu/*", facts_root));
	for (i = 0; i < host->units; i++) {
		iommu = backend_of_unit(units.gl_pathv[i]);
		if (iommu->look)
			iommu->look(host, units.gl_pathv[i]);
		host->iommu = i && host->iommu != iommu ? &backend_other : iommu;
	}
	globfree(&units);
}

/**
 * facts_host - look at the host
 * @host: filled, but for what the kernel's interface tells
 */
void facts_host(struct host_facts *host)
{
	char line[sizeof(host->cmdline)];

	host->cmdline_known = facts_line(line, sizeof(line),
					 print_text("%s/proc/cmdline", facts_root), "");
	cmdline_each(line, take_word, host);
	look_at_iommu(host);
	/* The second is its old name, which is obsolete. */
	host->loaded_known =
		facts_line(line, sizeof(line),
			   print_text("%s/sys/kernel/kexec/loaded", facts_root), "") ||
		facts_line(line, sizeof(line),
			   print_text("%s/sys/kernel/kexec_loaded", facts_root), "");
	host->loaded = !strcmp(line, "1");
}

/**
 * facts_device - look at a PCI device, and have the kernel try it
 * @dev: filled, but for what facts_memlock() tells
 * @bdf: its place
 *
 * Return: outcome of the trial.
 */
enum outcome facts_device(struct device_facts *dev, struct bdf bdf)
{
	const char *folder = print_text("%s/sys/bus/pci/devices/%s", facts_root, print_bdf(bdf));
	enum outcome outcome;
	glob_t found = {};
	bool missing;

	*dev = (struct device_facts){
		.bdf = bdf,
		.trial = { .size = sizeof(dev->trial), .segment = bdf.segment, .devid = bdf.devid },
	};
	read_link(dev->driver, sizeof(dev->driver), print_text("%s/driver", folder));
	read_link(dev->group, sizeof(dev->group), print_text("%s/iommu_group", folder));
	facts_line(dev->reset, sizeof(dev->reset), print_text("%s/reset_method", folder), "");
	dev->group_devices = find(&found, print_text("%s/iommu_group/devices/*", folder));
	globfree(&found);
	if (find(&found, print_text("%s/vfio-dev/*", folder)))
		snprintf(dev->cdev, sizeof(dev->cdev), "/dev/vfio/devices/%.32s",
			 strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
	outcome = kernel_ask(IOMMU_FREEZE_TRIAL, &dev->trial,
			     print_text("%s: trial", print_bdf(bdf)), &missing);
	dev->there = !missing;
	return outcome;
}

/* A process has a device open: how much may it lock? Of several, the least counts. */
static void take_holder(struct device_facts *dev, long pid)
{
	u64 memlock = NO_LIMIT;
	const char *value;
	char line[256];

	value = facts_line(line, sizeof(line), print_text("%s/proc/%ld/status", facts_root, pid),
			   "CapEff:");
	if (!value)
		return;
	if (!(strtoull(value, NULL, 16) & BIT_ULL(CAP_IPC_LOCK))) {
		value = facts_line(line, sizeof(line),
				   print_text("%s/proc/%ld/limits", facts_root, pid),
				   "Max locked memory");
		if (!value)
			return;
		if (isdigit(*value))
			memlock = strtoull(value, NULL, 10);
	}
	if (dev->vmm && dev->memlock <= memlock)
		return;
	dev->vmm = pid;
	dev->memlock = memlock;
}

/**
 * facts_memlock - look for who has devices open, and how much that may lock
 * @dev: filled by facts_device()
 * @nr: how many
 *
 * Goes through all files of all processes, so once for all devices.
 */
void facts_memlock(struct device_facts *dev, size_t nr)
{
	char target[CDEV_LEN];
	glob_t files = {};
	size_t i, j, n;
	ssize_t len;

	n = find(&files, print_text("%s/proc/[0-9]*/fd/*", facts_root));
	for (i = 0; i < n; i++) {
		len = readlink(files.gl_pathv[i], target, sizeof(target) - 1);
		target[len < 0 ? 0 : len] = '\0';
		for (j = 0; j < nr; j++)
			if (*target && !strcmp(target, dev[j].cdev))
				take_holder(&dev[j], atol(files.gl_pathv[i] + strlen(facts_root) +
							  strlen("/proc/")));
	}
	globfree(&files);
}

static int by_place(const void *a, const void *b)
{
	return bdf_compare(*(const struct bdf *)a, *(const struct bdf *)b);
}

/**
 * facts_devices - the PCI devices that the command line means
 * @args: command line
 * @vfio_only: of those that pass the filters, only those bound to vfio-pci
 * @nr: set to how many
 *
 * Those that are named; those that pass the filters; else all that are bound to
 * vfio-pci.
 *
 * Return: places, to be freed.
 */
struct bdf *facts_devices(const struct args *args, bool vfio_only, size_t *nr)
{
	glob_t devices = {};
	char driver[64];
	struct bdf *bdf;
	size_t i, n;

	vfio_only |= !args->slot && !args->id;
	n = args->nr_bdf ? 0 : find(&devices, print_text("%s/sys/bus/pci/devices/*", facts_root));
	bdf = must(calloc(args->nr_bdf + n + 1, sizeof(*bdf)));
	for (*nr = 0; *nr < args->nr_bdf; ++*nr)
		bdf[*nr] = args->bdf[*nr];
	for (i = 0; i < n; i++) {
		read_link(driver, sizeof(driver), print_text("%s/driver", devices.gl_pathv[i]));
		if (pci_parse_bdf(strrchr(devices.gl_pathv[i], '/') + 1, &bdf[*nr]) &&
		    pci_filter_takes(bdf[*nr]) && (!vfio_only || !strcmp(driver, "vfio-pci")))
			++*nr;
	}
	globfree(&devices);
	qsort(bdf, *nr, sizeof(*bdf), by_place);
	return bdf;
}

/**
 * facts_use - how a device is used
 * @dev: device, tried
 *
 * Return: word, NULL when it was not looked at: VFIO does that.
 */
const char *facts_use(const struct device_facts *dev)
{
	if (!dev->there || dev->trial.found & BIT_ULL(IOMMU_FREEZE_OBSTACLE_DRIVER))
		return NULL;
	return print_word(WORDS_USE, dev->trial.use);
}
