/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of /init share: lines on the console, marks, and the end of the machine.
 */
#ifndef HIL_SCRIPT_H
#define HIL_SCRIPT_H

#include <stdbool.h>

#define MAX_ARGS	16
#define WAIT_SECONDS	300	/* for what should come */
#define SILENCE_SECONDS	30	/* with not one frame: none will */

/* script.c */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void say_phase(const char *name);
double now(void);
int script_run(const char *path);
__attribute__((noreturn)) void power_off(void);

/* box.c */
int box_open(void);
void box_mark(const char *name);
void box_mark_active(const char *name);

#endif
