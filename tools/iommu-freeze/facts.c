// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: what sysfs and procfs tell about the host and about PCI devices
 *
 * Structure: fills structs of the caller. @root is where sys and proc are, "" but
 * for tests. No lock: things may change while they are looked at. What cannot be
 * read is not known and is told so, nothing fails.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "tool.h"

#define CAP_IPC_LOCK_BIT	14

/* The first line of a file, without its end and safe to print; "": cannot be read. */
static bool read_line(char *buf, size_t len, const char *path)
{
	FILE *f = fopen(path, "re");
	bool read = f && fgets(buf, len, f);

	if (f)
		fclose(f);
	if (!read)
		*buf = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	print_text((u8 *)buf, len - 1, buf);
	return read;
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
	print_text((u8 *)buf, len - 1, buf);
}

/* Calls back for each entry of a folder; how many there were, -1 without it. */
static int each_entry(const char *path, void (*entry)(void *arg, const char *name),
		      void *arg)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	int n = 0;

	if (!dir)
		return -1;
	while ((e = readdir(dir))) {
		if (*e->d_name == '.')
			continue;
		entry(arg, e->d_name);
		n++;
	}
	closedir(dir);
	return n;
}

/* The words of the running kernel's command line that have to do with this. */
static void find_words(struct host_facts *host, char *line)
{
	static const char * const name[] = {
		"kho=", "kho_scratch=", "liveupdate=", "intel_iommu=", "iommu=",
	};
	size_t i, len = 0;
	char *word, *save;

	for (word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		/* Everything behind it is for init. */
		if (!strcmp(word, "--"))
			return;
		for (i = 0; i < ARRAY_SIZE(name); i++)
			if (!strncmp(word, name[i], strlen(name[i])))
				len += snprintf(host->cmdline + len,
						sizeof(host->cmdline) - len, "%s%s",
						len ? " " : "", word);
	}
}

struct unit_counter {
	struct host_facts *host;
	const char *folder;
};

/* VT-d spec, section 10.4.3, Extended Capability Register, SMTS; not known: yes. */
static bool has_scalable(const struct unit_counter *c, const char *name)
{
	char path[2 * PATH_MAX], line[32];

	snprintf(path, sizeof(path), "%s/%s/intel-iommu/ecap", c->folder, name);
	return !read_line(line, sizeof(line), path) ||
	       strtoull(line, NULL, 16) & BIT_ULL(43);
}

static void count_unit(void *arg, const char *name)
{
	struct unit_counter *c = arg;
	struct host_facts *host = c->host;
	enum iommu_type type = IOMMU_OTHER;

	if (!strncmp(name, "dmar", 4))
		type = IOMMU_VTD;
	else if (!strncmp(name, "ivhd", 4))
		type = IOMMU_AMD;
	else if (!strncmp(name, "smmu3", 5))
		type = IOMMU_SMMUV3;
	host->units++;
	host->scalable |= type == IOMMU_VTD && has_scalable(c, name);
	host->iommu = host->units > 1 && host->iommu != type ? IOMMU_OTHER : type;
}

/**
 * facts_host - look at the host
 * @host: filled, but for what the kernel's interface tells
 * @root: where sys and proc are
 */
void facts_host(struct host_facts *host, const char *root)
{
	char path[PATH_MAX], line[sizeof(host->cmdline)];
	struct unit_counter units = { .host = host };

	snprintf(path, sizeof(path), "%s/proc/cmdline", root);
	host->cmdline_known = read_line(line, sizeof(line), path);
	find_words(host, line);
	/* A kernel built without any IOMMU lacks the folder below. */
	snprintf(path, sizeof(path), "%s/sys/class", root);
	if (!access(path, X_OK))
		host->iommu = IOMMU_NONE;
	snprintf(path, sizeof(path), "%s/sys/class/iommu", root);
	units.folder = path;
	each_entry(path, count_unit, &units);
	/* The second is its old name, which is obsolete. */
	snprintf(path, sizeof(path), "%s/sys/kernel/kexec/loaded", root);
	host->loaded_known = read_line(line, sizeof(line), path);
	if (!host->loaded_known) {
		snprintf(path, sizeof(path), "%s/sys/kernel/kexec_loaded", root);
		host->loaded_known = read_line(line, sizeof(line), path);
	}
	host->loaded = !strcmp(line, "1");
}

static void ignore(void *arg, const char *name)
{
}

static void take_cdev(void *arg, const char *name)
{
	snprintf(arg, CDEV_LEN, "/dev/vfio/devices/%.32s", name);
}

/* A line "KEY VALUE..." of a file of procfs; the value, NULL without it. */
static char *find_value(char *buf, size_t len, const char *path, const char *key)
{
	FILE *f = fopen(path, "re");
	size_t n = strlen(key);
	char *value = NULL;

	while (f && !value && fgets(buf, len, f))
		if (!strncmp(buf, key, n))
			value = buf + n + strspn(buf + n, " \t");
	if (f)
		fclose(f);
	return value;
}

/* A process has a device open: how much may it lock? Of several, the least counts. */
static void take_holder(struct device_facts *dev, const char *root, const char *pid)
{
	char path[PATH_MAX], line[256], *value;
	u64 memlock = NO_LIMIT;

	snprintf(path, sizeof(path), "%s/proc/%s/status", root, pid);
	value = find_value(line, sizeof(line), path, "CapEff:");
	if (!value)
		return;
	if (!(strtoull(value, NULL, 16) & BIT_ULL(CAP_IPC_LOCK_BIT))) {
		snprintf(path, sizeof(path), "%s/proc/%s/limits", root, pid);
		value = find_value(line, sizeof(line), path, "Max locked memory");
		if (!value)
			return;
		if (isdigit(*value))
			memlock = strtoull(value, NULL, 10);
	}
	if (dev->vmm && dev->memlock <= memlock)
		return;
	dev->vmm = atol(pid);
	dev->memlock = memlock;
}

struct holders {
	struct device_facts *dev;
	size_t nr;
	const char *root;
	const char *pid;
};

static void try_fd(void *arg, const char *name)
{
	char path[PATH_MAX], target[CDEV_LEN];
	struct holders *h = arg;
	ssize_t n;
	size_t i;

	snprintf(path, sizeof(path), "%s/proc/%s/fd/%s", h->root, h->pid, name);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return;
	target[n] = '\0';
	for (i = 0; i < h->nr; i++)
		if (!strcmp(target, h->dev[i].cdev))
			take_holder(&h->dev[i], h->root, h->pid);
}

static void try_process(void *arg, const char *name)
{
	struct holders *h = arg;
	char path[PATH_MAX];

	if (!isdigit(*name))
		return;
	h->pid = name;
	snprintf(path, sizeof(path), "%s/proc/%s/fd", h->root, name);
	each_entry(path, try_fd, h);
}

/**
 * facts_device - look at a PCI device
 * @dev: filled, but for what a trial and facts_memlock() tell
 * @root: where sys and proc are
 * @bdf: its place
 */
void facts_device(struct device_facts *dev, const char *root, const struct bdf *bdf)
{
	char folder[PATH_MAX / 2], path[PATH_MAX], place[BDF_LEN];

	memset(dev, 0, sizeof(*dev));
	dev->bdf = *bdf;
	snprintf(folder, sizeof(folder), "%s/sys/bus/pci/devices/%s", root,
		 print_bdf(bdf, place));
	snprintf(path, sizeof(path), "%s/driver", folder);
	read_link(dev->driver, sizeof(dev->driver), path);
	snprintf(path, sizeof(path), "%s/iommu_group", folder);
	read_link(dev->group, sizeof(dev->group), path);
	snprintf(path, sizeof(path), "%s/iommu_group/devices", folder);
	dev->group_devices = each_entry(path, ignore, NULL);
	snprintf(path, sizeof(path), "%s/reset_method", folder);
	read_line(dev->reset, sizeof(dev->reset), path);
	snprintf(path, sizeof(path), "%s/vfio-dev", folder);
	each_entry(path, take_cdev, dev->cdev);
}

/**
 * facts_memlock - look for who has devices open, and how much that may lock
 * @dev: filled by facts_device()
 * @nr: how many
 * @root: where sys and proc are
 *
 * Goes through all files of all processes, so once for all devices.
 */
void facts_memlock(struct device_facts *dev, size_t nr, const char *root)
{
	struct holders h = { .dev = dev, .nr = nr, .root = root };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/proc", root);
	each_entry(path, try_process, &h);
}

struct chooser {
	const struct args *args;
	const char *root;
	bool vfio_only;
	struct bdf *bdf;
	size_t nr;
};

static void add_device(struct chooser *c, const struct bdf *bdf)
{
	void *more = realloc(c->bdf, (c->nr + 1) * sizeof(*c->bdf));

	if (!more) {
		say("out of memory");
		exit(OUTCOME_FAILED);
	}
	c->bdf = more;
	c->bdf[c->nr++] = *bdf;
}

static void choose(void *arg, const char *name)
{
	struct chooser *c = arg;
	char path[PATH_MAX], driver[64];
	struct bdf bdf;

	if (!pci_parse_bdf(name, &bdf) || !pci_filter_takes(c->args->slot, c->args->id, &bdf))
		return;
	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s/driver", c->root, name);
	read_link(driver, sizeof(driver), path);
	if (!c->vfio_only || !strcmp(driver, "vfio-pci"))
		add_device(c, &bdf);
}

static int by_place(const void *a, const void *b)
{
	const struct bdf *x = a, *y = b;

	if (x->segment != y->segment)
		return x->segment < y->segment ? -1 : 1;
	return (x->devid > y->devid) - (x->devid < y->devid);
}

/**
 * facts_devices - the PCI devices that the command line means
 * @args: command line
 * @vfio_only: of those that pass the filters, only those bound to vfio-pci
 * @root: where sys and proc are
 * @nr: set to how many
 *
 * Those that are named; those that pass the filters; else all that are bound to
 * vfio-pci.
 *
 * Return: places, to be freed.
 */
struct bdf *facts_devices(const struct args *args, bool vfio_only, const char *root,
			  size_t *nr)
{
	struct chooser c = { .args = args, .root = root };
	char path[PATH_MAX];
	size_t i;

	c.vfio_only = vfio_only || (!args->slot && !args->id);
	for (i = 0; i < args->nr_bdf; i++)
		add_device(&c, &args->bdf[i]);
	if (!args->nr_bdf) {
		snprintf(path, sizeof(path), "%s/sys/bus/pci/devices", root);
		each_entry(path, choose, &c);
	}
	if (c.nr)
		qsort(c.bdf, c.nr, sizeof(*c.bdf), by_place);
	*nr = c.nr;
	return c.bdf;
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
	return print_use(dev->trial.use);
}
