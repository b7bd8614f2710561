// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands that run iommu-freeze, the operator's tool, beside the VMM.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "guest.h"
#include "script.h"
#include "tool.h"

#ifdef __aarch64__
#define LOADER	"/boot/ld-linux-aarch64.so.1"
#else
#define LOADER	"/boot/ld-linux-x86-64.so.2"
#endif

/* Starts iommu-freeze with what it prints going to @to. Returns its process id or an errno. */
static pid_t start(int argc, char **argv, int to)
{
	/* Its libraries lie beside it: there is no /lib here. */
	char *args[MAX_ARGS + 5] = {
		LOADER, "--library-path", "/boot", "/boot/iommu-freeze",
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

/**
 * tool_open() - run iommu-freeze and read what it prints.
 * @tool: result
 * @argc: how many words
 * @argv: the words after its name
 *
 * Return: 0 or a negative errno.
 */
int tool_open(struct tool *tool, int argc, char **argv)
{
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	tool->pid = start(argc, argv, pipes[1]);
	close(pipes[1]);
	tool->out = tool->pid < 0 ? NULL : fdopen(pipes[0], "r");
	if (!tool->out)
		close(pipes[0]);
	return tool->pid < 0 ? tool->pid : 0;
}

/**
 * tool_close() - after its last line.
 * @tool: it
 *
 * Return: its exit status, or -ECHILD.
 */
int tool_close(struct tool *tool)
{
	int status;

	if (tool->out)
		fclose(tool->out);
	if (waitpid(tool->pid, &status, 0) != tool->pid || !WIFEXITED(status))
		return -ECHILD;
	return WEXITSTATUS(status);
}

/* tool STATUS ARG...: run iommu-freeze, which must end with this status */
int cmd_tool(int argc, char **argv)
{
	struct tool tool;
	char line[400];
	int ret;

	if (argc < 2)
		return -EINVAL;
	/* What must hold of the device changes somewhere in the middle. */
	if (!strcmp(argv[1], "discard"))
		box_mark("discard");
	ret = tool_open(&tool, argc - 1, argv + 1);
	if (ret)
		return ret;
	while (tool.out && fgets(line, sizeof(line), tool.out)) {
		line[strcspn(line, "\n")] = '\0';
		say("tool: %s", line);
	}
	ret = tool_close(&tool);
	if (ret < 0 || ret == atoi(argv[0]))
		return ret < 0 ? ret : 0;
	say("iommu-freeze %s: exit status %d", argv[1], ret);
	return -EUCLEAN;
}

/*
 * churn COUNT BDF: map and unmap while iommu-freeze tries a freeze COUNT times; neither may fail,
 * nor be kept waiting for good.
 */
int cmd_churn(int argc, char **argv)
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
		pid = start(3, args, null);
		if (pid < 0)
			ret = pid;
		while (!ret && !waitpid(pid, &status, WNOHANG)) {
			ret = device_mapunmap();
			maps++;
		}
		if (!ret && (!WIFEXITED(status) || WEXITSTATUS(status)))
			ret = -EUCLEAN;
	}
	close(null);
	say("churn trials=%lu maps=%lu", i, maps);
	return ret;
}
