/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The NIC of the current device, for commands that are not about the NIC; receive.c.
 */
#ifndef HIL_RECEIVE_H
#define HIL_RECEIVE_H

#include <stdbool.h>
#include <stdint.h>

int receive_resume(void);
uint32_t receive_count(void);
bool receive_lost(void);

#endif
