/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands of the scripts. Each takes the words that follow on its line and returns 0 or a
 * negative errno, -EINVAL for words that it does not know. What a command does is said where it
 * is defined.
 */
#ifndef HIL_COMMANDS_H
#define HIL_COMMANDS_H

/* device.c: a VMM's everyday calls */
int cmd_attach(int argc, char **argv);		/* attach hwpt [I] | ioas */
int cmd_bind(int argc, char **argv);		/* bind BDF DRIVER */
int cmd_bus_master(int argc, char **argv);	/* bus-master */
int cmd_close_dev(int argc, char **argv);	/* close-dev */
int cmd_detach(int argc, char **argv);		/* detach */
int cmd_dev(int argc, char **argv);		/* dev N */
int cmd_hwpt(int argc, char **argv);		/* hwpt [N] */
int cmd_irqs(int argc, char **argv);		/* irqs on|off */
int cmd_map(int argc, char **argv);		/* map [shared | copies N | ...] */
int cmd_mapunmap(int argc, char **argv);	/* mapunmap */
int cmd_open(int argc, char **argv);		/* open BDF [with N | no-master | bare] */
int cmd_ram(int argc, char **argv);		/* ram MIB [anonymous | devices N] */
int cmd_reset(int argc, char **argv);		/* reset */
int cmd_switch(int argc, char **argv);		/* switch N */
int cmd_unmap(int argc, char **argv);		/* unmap */

/* random.c, extents.c: maps that nobody would think of */
int cmd_extents_check(int argc, char **argv);	/* extents-check [BDF] */
int cmd_map_random(int argc, char **argv);	/* map-random SEED [STEPS] */

/* update.c: from one kernel to the next */
int cmd_close_session(int argc, char **argv);	/* close-session */
int cmd_create(int argc, char **argv);		/* create NAME */
int cmd_finish(int argc, char **argv);		/* finish */
int cmd_kexec(int argc, char **argv);		/* kexec */
int cmd_load(int argc, char **argv);		/* load [WORD] */
int cmd_preserve(int argc, char **argv);	/* preserve [ram|dev|spare] */
int cmd_retrieve(int argc, char **argv);	/* retrieve NAME [ram] */
int cmd_retrieve_dev(int argc, char **argv);	/* retrieve-dev [with N | unbound | bare] */
int cmd_session(int argc, char **argv);		/* session NAME */

/* receive.c: the NIC */
int cmd_remap(int argc, char **argv);		/* remap FIRST COUNT */
int cmd_remap_verify(int argc, char **argv);	/* remap-verify */
int cmd_rx(int argc, char **argv);		/* rx start|interrupts|wait-frames|... */
int cmd_stats(int argc, char **argv);		/* stats */

/* provoke.c: what must be refused */
int cmd_bind_fault(int argc, char **argv);	/* bind-fault */
int cmd_config(int argc, char **argv);		/* config BDF OFFSET BITS VALUE|flip */
int cmd_flr(int argc, char **argv);		/* flr */
int cmd_hot_reset(int argc, char **argv);	/* hot-reset */
int cmd_load_code(int argc, char **argv);	/* load-code */
int cmd_low_power(int argc, char **argv);	/* low-power [wakeup] */
int cmd_map_bar(int argc, char **argv);		/* map-bar */
int cmd_open_again(int argc, char **argv);	/* open-again BDF */
int cmd_peek(int argc, char **argv);		/* peek OFFSET BITS VALUE */
int cmd_pester(int argc, char **argv);		/* pester N */
int cmd_poke(int argc, char **argv);		/* poke OFFSET BITS */
int cmd_power_down(int argc, char **argv);	/* power-down */
int cmd_preserve_unbound(int argc, char **argv);	/* preserve-unbound */
int cmd_punch(int argc, char **argv);		/* punch PAGE */

/* race.c: while something else goes on */
int cmd_race(int argc, char **argv);		/* race attach|detach|irqs|... */
int cmd_storm(int argc, char **argv);		/* storm ROUNDS */
int cmd_unbind(int argc, char **argv);		/* unbind BDF */
int cmd_unbound(int argc, char **argv);		/* unbound */

/* tool.c: iommu-freeze */
int cmd_churn(int argc, char **argv);		/* churn COUNT BDF */
int cmd_tool(int argc, char **argv);		/* tool STATUS ARG... */

/* memory.c: what the kernel keeps */
int cmd_collapse(int argc, char **argv);	/* collapse */
int cmd_compact(int argc, char **argv);		/* compact */
int cmd_leaks(int argc, char **argv);		/* leaks */
long memory_total_kib(void);
int cmd_memory(int argc, char **argv);		/* memory mark|sealed | grew|lost-less KIB */

/* kunit.c: the kernel's own tests */
int cmd_kunit(int argc, char **argv);		/* kunit SUITE */

/* script.c: a VMM that dies */
int cmd_die(int argc, char **argv);		/* die */
int cmd_victim(int argc, char **argv);		/* victim */

/* harness.c: the run itself */
int cmd_leave(int argc, char **argv);		/* leave reboot|poweroff */
int cmd_mark(int argc, char **argv);		/* mark NAME */
int cmd_modules(int argc, char **argv);		/* modules */
int cmd_pause(int argc, char **argv);		/* pause SECONDS */
int cmd_phase(int argc, char **argv);		/* phase NAME */
int cmd_power(int argc, char **argv);		/* power BDF STATE */
int cmd_remove(int argc, char **argv);		/* remove BDF */
int cmd_poweroff(int argc, char **argv);	/* poweroff */
int cmd_write(int argc, char **argv);		/* write PATH TEXT */

#endif
