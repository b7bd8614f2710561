/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze as a process whose output is read; tool.c.
 */
#ifndef HIL_TOOL_H
#define HIL_TOOL_H

#include <stdio.h>
#include <sys/types.h>

struct tool {
	pid_t pid;
	FILE *out;	/* NULL: without memory for it */
};

int tool_open(struct tool *tool, int argc, char **argv);
int tool_close(struct tool *tool);

#endif
