// SPDX-License-Identifier: GPL-2.0-only
/*
 * /init of the machine under test: mounts what is needed and runs a script of one-line commands,
 * /scenario/boot0 in the first kernel, /scenario/boot1 in the next one, and so on (hil.boot=N).
 * Each command prints one "HIL: " line on the console; the observer outside reads them.
 *
 * A command that fails ends the script and powers the machine off, unless its line ends with
 * "expect-errno NAME": then it must fail, and with that errno ("any": with whichever).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../frame.h"
#include "igb.h"
#include "vmm.h"

#define MAX_ARGS	8
#define WHITE		"\n\t "
#define WAIT_SECONDS	300

static struct vmm_ram ram = { .fd = -1 };
static struct vmm_luo luo = { .fd = -1, .session = -1 };
static struct vmm_dev devs[VMM_MAX_DEVS];

static struct igb igbs[VMM_MAX_DEVS];
static unsigned int cur;	/* the device that commands are about, see "dev" */
static unsigned int boot;	/* which kernel of the chain */
static uint8_t run[HIL_RUN_BYTES];

/* errno by name, for expect-errno: only those that the calls here are documented to return. */
static const struct {
	const char *name;
	int value;
} errnos[] = {
	{ "EBUSY", EBUSY }, { "EINVAL", EINVAL }, { "EUCLEAN", EUCLEAN }, { "EEXIST", EEXIST },
	{ "ENOENT", ENOENT }, { "EOPNOTSUPP", EOPNOTSUPP }, { "EPERM", EPERM },
	{ "EACCES", EACCES }, { "ENODEV", ENODEV }, { "ENOMEM", ENOMEM }, { "EIO", EIO },
	{ "ENOTTY", ENOTTY }, { "EXDEV", EXDEV }, { "EFAULT", EFAULT },
};

static const char *errno_name(int value)
{
	size_t i;

	for (i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
		if (errnos[i].value == value)
			return errnos[i].name;
	return "other";
}

/* The kernel's log, or the console until that can be had. */
static int out = STDOUT_FILENO;

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	n = snprintf(line, sizeof(line), "HIL: ");
	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	/*
	 * One record of the log per line: on the console itself a kernel message could cut it in
	 * two, as those are printed by a thread.
	 */
	if (write(out, line, n) < 0)
		_exit(1);
}

static void mark(const char *name)
{
	say("phase=%s", name);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static struct vmm_dev *dev(void)
{
	return &devs[cur];
}

static struct igb *igb(void)
{
	return &igbs[cur];
}

/* Guest RAM is split evenly: each device may only reach its own share. */
static uint64_t share_size(void)
{
	return ram.size / VMM_MAX_DEVS & ~0xfffull;
}

static uint64_t share_offset(void)
{
	return cur * share_size();
}

static void igb_init(void)
{
	struct igb *nic = igb();

	nic->regs = dev()->bar0;
	nic->share = ram.mem + share_offset();
	nic->iova = VMM_IOVA;
	nic->dev = cur;
	hil_run_of_dev(nic->run, run, cur);
}

/* pause SECONDS */
static int cmd_pause(int argc, char **argv)
{
	if (argc != 1)
		return -EINVAL;
	usleep(atof(argv[0]) * 1e6);
	return 0;
}

/* phase NAME: a mark for the observer */
static int cmd_phase(int argc, char **argv)
{
	if (argc != 1)
		return -EINVAL;
	mark(argv[0]);
	return 0;
}

/* dev N */
static int cmd_dev(int argc, char **argv)
{
	if (argc != 1 || atoi(argv[0]) < 0 || atoi(argv[0]) >= VMM_MAX_DEVS)
		return -EINVAL;
	cur = atoi(argv[0]);
	return 0;
}

/* bind BDF DRIVER */
static int cmd_bind(int argc, char **argv)
{
	return argc == 2 ? vmm_driver_bind(argv[0], argv[1]) : -EINVAL;
}

/* open BDF */
static int cmd_open(int argc, char **argv)
{
	int ret;

	if (argc != 1)
		return -EINVAL;
	ret = vmm_dev_open(dev(), argv[0]);
	if (!ret)
		ret = vmm_dev_bind(dev());
	if (!ret)
		ret = vmm_bus_master(dev());
	return ret ?: vmm_bar0_mmap(dev());
}

/* ram MIB [anonymous] */
static int cmd_ram(int argc, char **argv)
{
	uint64_t size = argc ? strtoull(argv[0], NULL, 0) << 20 : 0;

	if (argc == 2 && !strcmp(argv[1], "anonymous"))
		return vmm_ram_anonymous(&ram, size);
	return argc == 1 ? vmm_ram_create(&ram, size) : -EINVAL;
}

/* write PATH TEXT: a file of sysfs or procfs */
static int cmd_write(int argc, char **argv)
{
	return argc == 2 ? vmm_write_file(argv[0], argv[1]) : -EINVAL;
}

static int map_range(uint64_t from, uint64_t to, uint64_t source, bool writeable)
{
	if (from == to)
		return 0;
	return vmm_map(dev(), &ram, share_offset() + source, to - from, VMM_IOVA + from, writeable);
}

/*
 * map [--swap-buffers I J | --readonly-buffer I]: the device's share of guest RAM. The two options
 * make a wrong map: two receive buffers exchanged, or one that the device may only read.
 */
static int cmd_map(int argc, char **argv)
{
	uint64_t a, b, size = share_size();
	int ret;

	if (!argc)
		return map_range(0, size, 0, true);
	if (argc == 2 && !strcmp(argv[0], "--readonly-buffer")) {
		a = IGB_BUFFERS_OFFSET + strtoull(argv[1], NULL, 0) * HIL_PAGE;
		ret = map_range(0, a, 0, true);
		if (!ret)
			ret = map_range(a, a + HIL_PAGE, a, false);
		return ret ?: map_range(a + HIL_PAGE, size, a + HIL_PAGE, true);
	}
	if (argc == 3 && !strcmp(argv[0], "--swap-buffers")) {
		a = IGB_BUFFERS_OFFSET + strtoull(argv[1], NULL, 0) * HIL_PAGE;
		b = IGB_BUFFERS_OFFSET + strtoull(argv[2], NULL, 0) * HIL_PAGE;
		if (a >= b || b >= size)
			return -EINVAL;
		ret = map_range(0, a, 0, true);
		if (!ret)
			ret = map_range(a, a + HIL_PAGE, b, true);
		if (!ret)
			ret = map_range(a + HIL_PAGE, b, a + HIL_PAGE, true);
		if (!ret)
			ret = map_range(b, b + HIL_PAGE, a, true);
		return ret ?: map_range(b + HIL_PAGE, size, b + HIL_PAGE, true);
	}
	return -EINVAL;
}

/* map-bar: the device's registers, above RAM */
static int cmd_map_bar(int argc, char **argv)
{
	(void)argv;
	if (argc)
		return -EINVAL;
	return vmm_map_bar(dev(), 4 * HIL_PAGE, VMM_IOVA + share_size() + (1 << 30));
}

/* unmap: everything */
static int cmd_unmap(int argc, char **argv)
{
	(void)argv;
	return argc ? -EINVAL : vmm_unmap(dev(), 0, UINT64_MAX);
}

/* mapunmap: one more mapping, and away with it: the domain is a normal one */
static int cmd_mapunmap(int argc, char **argv)
{
	uint64_t iova = VMM_IOVA + share_size() + (1 << 30);
	int ret;

	(void)argv;
	if (argc)
		return -EINVAL;
	ret = vmm_map(dev(), &ram, share_offset(), 4 * HIL_PAGE, iova, true);
	return ret ?: vmm_unmap(dev(), iova, 4 * HIL_PAGE);
}

/* hwpt [N] */
static int cmd_hwpt(int argc, char **argv)
{
	int n = argc ? atoi(argv[0]) : 1;
	int ret = 0;

	while (!ret && n--)
		ret = vmm_hwpt_alloc(dev());
	return ret;
}

/* attach hwpt|ioas: after a kexec this is the replace */
static int cmd_attach(int argc, char **argv)
{
	uint32_t pt_id;
	int ret;

	if (argc != 1)
		return -EINVAL;
	if (!strcmp(argv[0], "hwpt"))
		pt_id = dev()->hwpts[0];
	else if (!strcmp(argv[0], "ioas"))
		pt_id = dev()->ioas;
	else
		return -EINVAL;
	if (boot)
		mark("replace");
	ret = vmm_attach(dev(), pt_id);
	if (boot)
		mark(ret ? "retrieve" : "after");
	return ret;
}

static int cmd_detach(int argc, char **argv)
{
	(void)argv;
	return argc ? -EINVAL : vmm_detach(dev());
}

static int cmd_reset(int argc, char **argv)
{
	(void)argv;
	return argc ? -EINVAL : vmm_reset(dev());
}

/* create NAME */
static int cmd_create(int argc, char **argv)
{
	return argc == 1 ? vmm_session_create(&luo, argv[0]) : -EINVAL;
}

/* preserve [ram|dev]: RAM first, then the device that reaches it */
static int cmd_preserve(int argc, char **argv)
{
	bool ram_too = !argc || !strcmp(argv[0], "ram");
	bool dev_too = !argc || !strcmp(argv[0], "dev");
	int ret = 0;

	mark("preserve");
	if (ram_too)
		ret = vmm_preserve(&luo, ram.fd, VMM_TOKEN_RAM);
	if (!ret && dev_too)
		ret = vmm_preserve(&luo, dev()->fd, VMM_TOKEN_DEV + cur);
	return ret;
}

/* close-session: in the old kernel this un-preserves */
static int cmd_close_session(int argc, char **argv)
{
	(void)argv;
	return argc ? -EINVAL : vmm_session_close(&luo);
}

/* load [WORD]: the next kernel; WORD goes to the end of its command line */
static int cmd_load(int argc, char **argv)
{
	return argc > 1 ? -EINVAL : vmm_kexec_load(boot + 1, argc ? argv[0] : "");
}

/* kexec: into it */
static int cmd_kexec(int argc, char **argv)
{
	(void)argv;
	if (argc)
		return -EINVAL;
	mark("freeze");
	return vmm_kexec_jump();
}

/* retrieve NAME [ram]: session, RAM, and the device, bound to a new iommufd */
static int cmd_retrieve(int argc, char **argv)
{
	int ret;

	if (argc < 1)
		return -EINVAL;
	mark("retrieve");
	ret = vmm_session_retrieve(&luo, argv[0]);
	if (ret)
		return ret;
	ram.fd = vmm_retrieve(&luo, VMM_TOKEN_RAM);
	if (ram.fd < 0)
		return ram.fd;
	ret = vmm_ram_mmap(&ram);
	if (ret || argc > 1)
		return ret;
	dev()->fd = vmm_retrieve(&luo, VMM_TOKEN_DEV + cur);
	if (dev()->fd < 0)
		return dev()->fd;
	ret = vmm_dev_bind(dev());
	if (!ret)
		ret = vmm_bar0_mmap(dev());
	if (ret)
		return ret;
	igb_init();
	return igb_resume(igb());
}

/* finish */
static int cmd_finish(int argc, char **argv)
{
	(void)argv;
	return argc ? -EINVAL : vmm_finish(&luo);
}

/* rx start COUNT [BAD-DESCRIPTOR] */
static int rx_start(int argc, char **argv)
{
	uint32_t count = argc > 1 ? strtoul(argv[1], NULL, 0) : 0;
	uint32_t bad = argc > 2 ? strtoul(argv[2], NULL, 0) : IGB_NO_BAD;
	int ret;

	if (share_size() < IGB_BUFFERS_OFFSET + (uint64_t)count * HIL_PAGE)
		return -ENOSPC;
	igb_init();
	ret = igb_start(igb(), count, bad);
	if (!ret)
		say("rx-ready dev=%u count=%u", cur, count);
	return ret;
}

/* rx wait-frames N: until N more descriptors were used */
static int rx_wait_frames(uint64_t n)
{
	double end = now() + WAIT_SECONDS;
	uint64_t got = 0;

	while (got < n) {
		got += igb_poll(igb());
		if (now() > end)
			return -ETIMEDOUT;
		usleep(2000);
	}
	return 0;
}

/* rx wait-idle SECONDS: the observer may stop now; until nothing came for so long */
static int rx_wait_idle(double seconds)
{
	double end = now() + WAIT_SECONDS, last = now();

	say("drain dev=%u", cur);
	while (now() - last < seconds) {
		if (igb_poll(igb()))
			last = now();
		if (now() > end)
			return -ETIMEDOUT;
		usleep(2000);
	}
	return 0;
}

/* rx start|wait-frames|wait-idle ... */
static int cmd_rx(int argc, char **argv)
{
	if (argc >= 2 && !strcmp(argv[0], "start"))
		return rx_start(argc, argv);
	if (argc == 2 && !strcmp(argv[0], "wait-frames"))
		return rx_wait_frames(strtoull(argv[1], NULL, 0));
	if (argc == 2 && !strcmp(argv[0], "wait-idle"))
		return rx_wait_idle(atof(argv[1]));
	return -EINVAL;
}

/* stats: the guest's count and the NIC's own */
static int cmd_stats(int argc, char **argv)
{
	struct igb_state *s = igb_state(igb());

	(void)argv;
	if (argc)
		return -EINVAL;
	igb_poll(igb());
	igb_read_stats(igb());
	say("count dev=%u landed=%" PRIu64 " lost=%" PRIu64 " duplicated=%" PRIu64
	    " out_of_order=%" PRIu64 " corrupt=%" PRIu64 " holes=%" PRIu64
	    " nic_received=%" PRIu64 " nic_missed=%" PRIu64,
	    cur, s->landed, igb_lost(igb()), s->duplicated, s->out_of_order, s->corrupt, s->holes,
	    s->gprc, s->mpc + s->rnbc);
	return 0;
}

/* switch N: N replaces between the first two HWPTs, under load */
static int cmd_switch(int argc, char **argv)
{
	unsigned long i, n = argc == 1 ? strtoul(argv[0], NULL, 0) : 0;
	unsigned long first_loss = 0;
	int ret = 0;

	if (!n || dev()->nr_hwpts < 2)
		return -EINVAL;
	mark("switch");
	for (i = 1; i <= n && !ret; i++) {
		ret = vmm_attach(dev(), dev()->hwpts[i % 2]);
		igb_poll(igb());
		if (!first_loss && (igb_lost(igb()) || igb_state(igb())->holes))
			first_loss = i;
	}
	mark("after");
	if (!ret)
		say("switched count=%lu first_loss=%lu", n, first_loss);
	return ret;
}

/* leaks: let kmemleak look; on a kernel with it, anything that it finds is a failure */
static int cmd_leaks(int argc, char **argv)
{
	static const char path[] = "/sys/kernel/debug/kmemleak";
	char line[256];
	int ret = 0;
	FILE *f;

	(void)argv;
	if (argc)
		return -EINVAL;
	mount("debug", "/sys/kernel/debug", "debugfs", 0, NULL);
	f = fopen(path, "r+e");
	if (!f)
		return -errno;
	/* What was just allocated is only reported once it is some seconds old. */
	sleep(6);
	fputs("scan", f);
	fflush(f);
	rewind(f);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		say("leak: %s", line);
		ret = -EUCLEAN;
	}
	fclose(f);
	return ret;
}

/* Starts iommu-freeze with what it prints going to @to. */
static pid_t tool_start(int argc, char **argv, int to)
{
	/* Its libraries lie beside it: there is no /lib here. */
	char *args[MAX_ARGS + 5] = {
		"/boot/ld-linux-x86-64.so.2", "--library-path", "/boot", "/boot/iommu-freeze",
	};
	pid_t pid = fork();
	int i;

	if (pid < 0)
		return -errno;
	if (pid)
		return pid;
	for (i = 0; i < argc; i++)
		args[i + 4] = argv[i];
	dup2(to, STDOUT_FILENO);
	dup2(to, STDERR_FILENO);
	execv(args[0], args);
	_exit(127);
}

/*
 * churn COUNT BDF: map and unmap while iommu-freeze tries a freeze COUNT times; neither may fail,
 * nor be kept waiting for good.
 */
static int cmd_churn(int argc, char **argv)
{
	char *args[3] = { "freeze", "--trial" };
	unsigned long i, n = argc == 2 ? strtoul(argv[0], NULL, 0) : 0;
	unsigned long maps = 0;
	int ret = 0, status, null;
	pid_t pid;

	if (!n)
		return -EINVAL;
	args[2] = argv[1];
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null < 0)
		return -errno;
	for (i = 0; !ret && i < n; i++) {
		pid = tool_start(3, args, null);
		if (pid < 0)
			ret = pid;
		while (!ret && !waitpid(pid, &status, WNOHANG)) {
			ret = cmd_mapunmap(0, NULL);
			maps++;
		}
		if (!ret && (!WIFEXITED(status) || WEXITSTATUS(status)))
			ret = -EUCLEAN;
	}
	close(null);
	say("churn trials=%lu maps=%lu", i, maps);
	return ret;
}

/* tool STATUS ARG...: run iommu-freeze, which must end with this status */
static int cmd_tool(int argc, char **argv)
{
	int pipes[2], status;
	char line[400];
	pid_t pid;
	FILE *f;

	if (argc < 2)
		return -EINVAL;
	if (pipe(pipes))
		return -errno;
	pid = tool_start(argc - 1, argv + 1, pipes[1]);
	close(pipes[1]);
	if (pid < 0) {
		close(pipes[0]);
		return pid;
	}
	f = fdopen(pipes[0], "r");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		say("tool: %s", line);
	}
	if (f)
		fclose(f);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -ECHILD;
	if (WEXITSTATUS(status) != atoi(argv[0])) {
		say("iommu-freeze %s: exit status %d", argv[1], WEXITSTATUS(status));
		return -EUCLEAN;
	}
	return 0;
}

static int cmd_irqs(int argc, char **argv)
{
	if (argc != 1 || (strcmp(argv[0], "on") && strcmp(argv[0], "off")))
		return -EINVAL;
	return vmm_irqs(dev(), !strcmp(argv[0], "on"));
}

/* punch PAGE: a hole into guest RAM; what is mapped for the device stays pinned and mapped */
static int cmd_punch(int argc, char **argv)
{
	if (argc != 1)
		return -EINVAL;
	return fallocate(ram.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 strtoll(argv[0], NULL, 0) * 4096, 4096) ? -errno : 0;
}

static int cmd_power_down(int argc, char **argv)
{
	(void)argv;
	return argc ? -EINVAL : vmm_power_down(dev());
}

/* power BDF STATE: the device is in this power state, D0 or D3hot, as PCI knows it */
static int cmd_power(int argc, char **argv)
{
	char path[128], state[16] = "";
	FILE *f;

	if (argc != 2)
		return -EINVAL;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/power_state", argv[0]);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	if (fscanf(f, "%15s", state) != 1)
		state[0] = '\0';
	fclose(f);
	if (!strcmp(state, argv[1]))
		return 0;
	say("%s is in %s", argv[0], state);
	return -EUCLEAN;
}

/* compact: have the kernel move every page that it may move */
static int cmd_compact(int argc, char **argv)
{
	(void)argv;
	return argc ? -EINVAL : vmm_write_file("/proc/sys/vm/compact_memory", "1");
}

static int mem_info_kib(long *total, long *free)
{
	FILE *f = fopen("/proc/meminfo", "re");
	int n;

	if (!f)
		return -errno;
	n = fscanf(f, "MemTotal: %ld kB MemFree: %ld", total, free);
	fclose(f);
	return n == 2 ? 0 : -EIO;
}

/*
 * memory mark | memory grew KIB | memory lost-less KIB: since the mark. What KHO kept joins the
 * total when it is released, to the page; what is free varies by what everybody else does.
 */
static int cmd_memory(int argc, char **argv)
{
	static long marked_total, marked_free;
	long total, free, kib = argc == 2 ? atol(argv[1]) : 0;
	int ret = mem_info_kib(&total, &free);

	if (ret)
		return ret;
	if (argc == 1 && !strcmp(argv[0], "mark")) {
		marked_total = total;
		marked_free = free;
		return 0;
	}
	if (argc == 2 && !strcmp(argv[0], "grew"))
		ret = total - marked_total != kib;
	else if (argc == 2 && !strcmp(argv[0], "lost-less"))
		ret = marked_free - free >= kib;
	else
		return -EINVAL;
	if (ret)
		say("memory grew by %ld KiB, %ld KiB more are free", total - marked_total,
		    free - marked_free);
	return ret ? -EUCLEAN : 0;
}

static int cmd_poweroff(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	say("done");
	reboot(RB_POWER_OFF);
	return -errno;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "attach", cmd_attach }, { "bind", cmd_bind }, { "churn", cmd_churn },
	{ "close-session", cmd_close_session },
	{ "compact", cmd_compact }, { "create", cmd_create }, { "detach", cmd_detach },
	{ "dev", cmd_dev }, { "finish", cmd_finish }, { "hwpt", cmd_hwpt },
	{ "irqs", cmd_irqs }, { "kexec", cmd_kexec }, { "leaks", cmd_leaks }, { "load", cmd_load },
	{ "map", cmd_map }, { "map-bar", cmd_map_bar }, { "mapunmap", cmd_mapunmap },
	{ "memory", cmd_memory },
	{ "open", cmd_open }, { "pause", cmd_pause }, { "phase", cmd_phase },
	{ "power", cmd_power }, { "power-down", cmd_power_down },
	{ "poweroff", cmd_poweroff }, { "preserve", cmd_preserve }, { "punch", cmd_punch },
	{ "ram", cmd_ram },
	{ "reset", cmd_reset }, { "retrieve", cmd_retrieve }, { "rx", cmd_rx },
	{ "stats", cmd_stats }, { "switch", cmd_switch }, { "tool", cmd_tool },
	{ "unmap", cmd_unmap }, { "write", cmd_write },
};

/* Runs one line. False ends the script. */
static bool run_line(char *line)
{
	char shown[256], *argv[MAX_ARGS], *save, *word;
	const char *expect = NULL;
	int argc = 0, ret = -ENOTTY;
	size_t i;

	line[strcspn(line, "#\n")] = '\0';
	snprintf(shown, sizeof(shown), "%s", line);
	for (word = strtok_r(line, WHITE, &save); word; word = strtok_r(NULL, WHITE, &save))
		if (argc < MAX_ARGS)
			argv[argc++] = word;
	if (!argc)
		return true;
	if (argc > 2 && !strcmp(argv[argc - 2], "expect-errno")) {
		expect = argv[argc - 1];
		argc -= 2;
	}
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, argv[0]))
			ret = commands[i].run(argc - 1, argv + 1);
	if (expect && ret && (!strcmp(expect, errno_name(-ret)) || !strcmp(expect, "any"))) {
		say("ok errno=%s: %s", errno_name(-ret), shown);
		return true;
	}
	if (!ret && !expect) {
		say("ok: %s", shown);
		return true;
	}
	say("FAILED errno=%s(%d) %s: %s", ret ? errno_name(-ret) : "0", -ret, strerror(-ret),
	    shown);
	return false;
}

static void read_cmdline(void)
{
	char line[2048], *word, *save;
	FILE *f = fopen("/proc/cmdline", "re");

	if (!f || !fgets(line, sizeof(line), f))
		return;
	fclose(f);
	for (word = strtok_r(line, WHITE, &save); word; word = strtok_r(NULL, WHITE, &save)) {
		if (!strncmp(word, "hil.boot=", 9))
			boot = atoi(word + 9);
		else if (!strncmp(word, "hil.run=", 8) && strlen(word + 8) == 2 * HIL_RUN_BYTES)
			hil_run_parse(run, word + 8);
	}
}

int main(void)
{
	char path[64], line[256];
	bool go_on = true;
	FILE *script;
	int fd;

	mkdir("/dev", 0755);
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sys", "/sys", "sysfs", 0, NULL);
	fd = open("/dev/console", O_RDWR);
	if (fd >= 0) {
		dup2(fd, 0);
		dup2(fd, 1);
		dup2(fd, 2);
	}
	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		out = fd;
	read_cmdline();
	say("boot=%u", boot);

	snprintf(path, sizeof(path), "/scenario/boot%u", boot);
	script = fopen(path, "re");
	if (!script)
		say("FAILED errno=%s: cannot open %s", errno_name(errno), path);
	while (script && go_on && fgets(line, sizeof(line), script))
		go_on = run_line(line);
	cmd_poweroff(0, NULL);
	for (;;)
		pause();
}
