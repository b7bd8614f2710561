// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plays a script of one-line commands. Each prints one "HIL: " line on the console; the observer
 * outside reads them. commands.h lists the commands.
 *
 * A command that fails ends the script and powers the machine off, unless its line ends with
 * "expect-errno NAME": then it must fail, and with that errno. What the script itself has wrong,
 * such as an unknown word, always ends it.
 *
 * Between "victim" and "die" another process plays: a VMM that is killed at the "die".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <signal.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "script.h"

#define WHITE		"\n\t "

/* errno by name, for expect-errno: only those that the calls here are documented to return. */
static const struct {
	const char *name;
	int value;
} errnos[] = {
	{ "EBUSY", EBUSY }, { "EINVAL", EINVAL }, { "EUCLEAN", EUCLEAN }, { "EEXIST", EEXIST },
	{ "ENOENT", ENOENT }, { "EOPNOTSUPP", EOPNOTSUPP }, { "EPERM", EPERM },
	{ "EACCES", EACCES }, { "ENODEV", ENODEV }, { "ENOMEM", ENOMEM }, { "EIO", EIO },
	{ "ENOTTY", ENOTTY }, { "EXDEV", EXDEV }, { "EFAULT", EFAULT }, { "EBADF", EBADF },
	{ "ENOSPC", ENOSPC }, { "E2BIG", E2BIG }, { "EADDRINUSE", EADDRINUSE },
	{ "ENODATA", ENODATA }, { "ETIMEDOUT", ETIMEDOUT }, { "EALREADY", EALREADY },
	{ "EAGAIN", EAGAIN }, { "ENOEXEC", ENOEXEC },
};

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "attach", cmd_attach }, { "bind", cmd_bind },
	{ "bind-fault", cmd_bind_fault }, { "bus-master", cmd_bus_master },
	{ "churn", cmd_churn },
	{ "close-dev", cmd_close_dev }, { "close-session", cmd_close_session },
	{ "collapse", cmd_collapse }, { "compact", cmd_compact }, { "config", cmd_config },
	{ "create", cmd_create }, { "detach", cmd_detach }, { "dev", cmd_dev }, { "die", cmd_die },
	{ "extents-check", cmd_extents_check }, { "finish", cmd_finish }, { "flr", cmd_flr },
	{ "hot-reset", cmd_hot_reset }, { "hwpt", cmd_hwpt }, { "irqs", cmd_irqs },
	{ "kexec", cmd_kexec }, { "kunit", cmd_kunit }, { "leaks", cmd_leaks },
	{ "leave", cmd_leave },
	{ "load", cmd_load }, { "load-code", cmd_load_code },
	{ "low-power", cmd_low_power }, { "map", cmd_map }, { "map-bar", cmd_map_bar },
	{ "map-random", cmd_map_random }, { "mapunmap", cmd_mapunmap }, { "mark", cmd_mark },
	{ "memory", cmd_memory }, { "modules", cmd_modules }, { "open", cmd_open },
	{ "open-again", cmd_open_again }, { "pause", cmd_pause }, { "peek", cmd_peek },
	{ "pester", cmd_pester }, { "phase", cmd_phase }, { "power", cmd_power },
	{ "poke", cmd_poke },
	{ "power-down", cmd_power_down }, { "poweroff", cmd_poweroff },
	{ "preserve", cmd_preserve }, { "preserve-unbound", cmd_preserve_unbound },
	{ "punch", cmd_punch }, { "race", cmd_race }, { "ram", cmd_ram },
	{ "remap", cmd_remap }, { "remap-verify", cmd_remap_verify }, { "reset", cmd_reset },
	{ "remove", cmd_remove }, { "retrieve", cmd_retrieve },
	{ "retrieve-dev", cmd_retrieve_dev }, { "rx", cmd_rx },
	{ "session", cmd_session }, { "stats", cmd_stats }, { "storm", cmd_storm },
	{ "switch", cmd_switch }, { "tool", cmd_tool }, { "unbind", cmd_unbind },
	{ "unbound", cmd_unbound }, { "unmap", cmd_unmap },
	{ "victim", cmd_victim }, { "write", cmd_write },
};

static FILE *script;

static const char *errno_name(int value)
{
	size_t i;

	for (i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
		if (errnos[i].value == value)
			return errnos[i].name;
	return "other";
}

static bool errno_known(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
		if (!strcmp(errnos[i].name, name))
			return true;
	return false;
}

/* say() - one line that the observer reads. */
void say(const char *fmt, ...)
{
	/* The kernel's log, or the console while that cannot be had. */
	static int out = -1;
	char line[512];
	va_list ap;
	int n;

	if (out < 0)
		out = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (out < 0)
		out = STDOUT_FILENO;
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

/* say_phase() - what the run is about from here on, for the observer's gaps. */
void say_phase(const char *name)
{
	say("phase=%s", name);
}

double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

void power_off(void)
{
	say("done");
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

/* A line, as words. Returns how many, 0 for none, or -E2BIG. */
static int split(char *line, char **argv)
{
	char *word, *save;
	int argc = 0;

	line[strcspn(line, "#\n")] = '\0';
	for (word = strtok_r(line, WHITE, &save); word; word = strtok_r(NULL, WHITE, &save)) {
		if (argc == MAX_ARGS)
			return -E2BIG;
		argv[argc++] = word;
	}
	return argc;
}

/* Runs one line. False ends the script. */
static bool run_line(char *line)
{
	const char *expect = NULL;
	char shown[256], *argv[MAX_ARGS];
	int argc, ret;
	size_t i;

	line[strcspn(line, "\n")] = '\0';
	snprintf(shown, sizeof(shown), "%s", line);
	argc = split(line, argv);
	if (argc < 0) {
		say("FAILED: more than %d words: %s", MAX_ARGS, shown);
		return false;
	}
	if (!argc)
		return true;
	if (argc > 2 && !strcmp(argv[argc - 2], "expect-errno")) {
		expect = argv[argc - 1];
		argc -= 2;
		if (!errno_known(expect)) {
			say("FAILED: expect-errno: unknown errno %s", expect);
			return false;
		}
	}
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, argv[0]))
			break;
	if (i == sizeof(commands) / sizeof(commands[0])) {
		say("FAILED: unknown command %s", argv[0]);
		return false;
	}
	ret = commands[i].run(argc - 1, argv + 1);
	if (expect && ret && !strcmp(expect, errno_name(-ret))) {
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

/* After the next "die". */
static int skip_to_die(void)
{
	char line[256], *argv[MAX_ARGS];

	while (fgets(line, sizeof(line), script))
		if (split(line, argv) == 1 && !strcmp(argv[0], "die"))
			return 0;
	return -EINVAL;
}

/* victim: a process of its own plays what follows up to "die"; then it goes on here */
int cmd_victim(int argc, char **argv)
{
	long at = ftell(script);
	int status;
	pid_t pid;

	(void)argv;
	if (argc || at < 0)
		return -EINVAL;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		return box_open();
	/* When it is gone, so are all its files. */
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		return -ECHILD;
	/* The two share the place in the file. */
	return fseek(script, at, SEEK_SET) ? -errno : skip_to_die();
}

/* die: only the victim comes here */
int cmd_die(int argc, char **argv)
{
	(void)argv;
	if (argc || getpid() == 1)
		return -EINVAL;
	raise(SIGKILL);
	return -EIO;
}

/**
 * script_run() - play a script to its end, or until a line fails.
 * @path: the file
 *
 * Return: 0, or -ECANCELED; what went wrong was said.
 */
int script_run(const char *path)
{
	char line[256];
	bool go_on = true;

	script = fopen(path, "re");
	if (!script) {
		say("FAILED errno=%s: cannot open %s", errno_name(errno), path);
		return -ECANCELED;
	}
	while (go_on && fgets(line, sizeof(line), script)) {
		if (!strchr(line, '\n') && !feof(script)) {
			say("FAILED: a line of %s is longer than %zu", path, sizeof(line) - 2);
			go_on = false;
		} else {
			go_on = run_line(line);
		}
	}
	fclose(script);
	return go_on ? 0 : -ECANCELED;
}
