// SPDX-License-Identifier: GPL-2.0-only
/*
 * The result of a run as one JSON object. A figure that the run does not have (no kexec, a kernel
 * without the code under test) is null, so that a check on it fails instead of passing by zero.
 */
#include <errno.h>
#include <string.h>

#include "observer.h"

static json_t *known(long long value)
{
	return value < 0 ? json_null() : json_integer(value);
}

static json_t *in_ms(uint64_t ns)
{
	return json_real(ns / 1e6);
}

static void put_nic(json_t *out, const struct console *con, const struct nic *nic, unsigned int dev)
{
	static const char *const guest_fields[][2] = {
		{ "guest_landed", "landed" }, { "guest_lost", "lost" },
		{ "guest_duplicated", "duplicated" }, { "guest_out_of_order", "out_of_order" },
		{ "guest_corrupt", "corrupt" }, { "guest_holes", "holes" },
		{ "nic_received", "nic_received" }, { "nic_missed", "nic_missed" },
	};
	size_t i;

	json_object_set_new(out, "frames_sent", json_integer(nic->sent));
	json_object_set_new(out, "frames_landed", json_integer(nic->landed));
	json_object_set_new(out, "frames_lost", json_integer(nic->sent - nic->landed));
	json_object_set_new(out, "frames_duplicated", json_integer(nic->duplicated));
	json_object_set_new(out, "frames_out_of_order", json_integer(nic->out_of_order));
	json_object_set_new(out, "frames_corrupt", json_integer(nic->corrupt));
	json_object_set_new(out, "frames_unsent", json_integer(nic->unsent));
	json_object_set_new(out, "frames_landed_without_user", json_integer(nic->landed_unowned));
	json_object_set_new(out, "frames_late_in_memory", nic->late_known ? known(nic->late) :
			    json_null());
	json_object_set_new(out, "stalls", json_integer(nic->stalls));
	json_object_set_new(out, "longest_gap_ms", in_ms(nic->longest_gap));
	json_object_set_new(out, "longest_quiet_gap_ms",
			    nic->quiet_gap ? in_ms(nic->quiet_gap) : json_null());
	for (i = 0; i < sizeof(guest_fields) / sizeof(guest_fields[0]); i++) {
		json_t *value = json_object_get(con->guest[dev], guest_fields[i][1]);

		json_object_set(out, guest_fields[i][0], value ?: json_null());
	}
}

static json_t *phases(const struct console *con, unsigned int nr_nics, uint64_t end)
{
	json_t *list = json_array();
	unsigned int i, n;

	for (i = 0; i < con->nr_phases; i++) {
		const struct phase *p = &con->phases[i];
		uint64_t until = i + 1 < con->nr_phases ? p[1].start : end;

		json_t *item = json_object(), *landed = json_array();

		for (n = 0; n < nr_nics; n++)
			json_array_append_new(landed, json_integer(p->landed[n]));
		json_object_set_new(item, "phase", json_string(p->name));
		json_object_set_new(item, "at_ms", in_ms(p->start - con->start));
		json_object_set_new(item, "ms", in_ms(until - p->start));
		json_object_set_new(item, "landed", landed);
		json_object_set_new(item, "longest_gap_ms", in_ms(p->longest_gap));
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *gaps(const struct console *con, const struct nic *nic)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < nic->nr_gaps; i++) {
		uint64_t start = nic->gaps[i].start, length = nic->gaps[i].length;
		json_t *item = json_object();

		json_object_set_new(item, "at_ms", in_ms(start - con->start));
		json_object_set_new(item, "ms", in_ms(length));
		json_object_set_new(item, "phase",
				    json_string(console_phase_of(con, start, start + length)));
		json_array_append_new(list, item);
	}
	return list;
}

/**
 * report_write() - write the JSON file.
 * @con: what the console told
 * @nics: the NICs; the first one's figures stand at the top level
 * @nr_nics: how many
 * @scenario: name
 * @path: the file to write
 * @rate: frames per second
 * @timed_out: the run did not end by itself
 *
 * Return: 0 or a negative errno.
 */
int report_write(const struct console *con, const struct nic *nics, unsigned int nr_nics,
		 const char *scenario, const char *path, unsigned int rate, bool timed_out)
{
	json_t *out = json_object(), *list = json_array();
	uint64_t shortest = UINT64_MAX;
	const char *gap_phase;
	unsigned int i;
	int ret = 0;

	for (i = 1; i <= con->boot; i++)
		if (con->user_at[i] && con->user_at[i] - con->jump_at[i] < shortest)
			shortest = con->user_at[i] - con->jump_at[i];

	json_object_set_new(out, "scenario", json_string(scenario));
	put_nic(out, con, &nics[0], 0);
	for (i = 0; i <= con->boot; i++)
		json_array_append_new(list, json_integer(con->kernel_faults[i]));
	json_object_set_new(out, "iommu_faults_kernels", list);
	json_object_set_new(out, "provoked_faults_kernel",
			    con->provoked ? json_integer(con->provoked_faults) : json_null());
	json_object_set_new(out, "frame_interval_ms", json_real(1000.0 / rate));
	gap_phase = console_phase_of(con, nics[0].gap_start,
				     nics[0].gap_start + nics[0].longest_gap);
	json_object_set_new(out, "longest_gap_phase", json_string(gap_phase));
	json_object_set_new(out, "absent_ms", in_ms(con->absent));
	json_object_set_new(out, "host_delay_ms", in_ms(nics[0].waited));
	json_object_set_new(out, "host_stolen_ms", in_ms(nics[0].stolen));
	json_object_set_new(out, "kernels", json_integer(con->boot + 1));
	json_object_set_new(out, "kexec_to_user_ms",
			    shortest == UINT64_MAX ? json_null() : in_ms(shortest));
	json_object_set_new(out, "freeze_us", known(con->freeze_us));
	json_object_set_new(out, "replace_us", known(con->replace_us));
	json_object_set_new(out, "frozen_table_bytes", known(con->table_bytes));
	json_object_set_new(out, "frozen_extents", known(con->extents));
	json_object_set_new(out, "frozen_leaves", known(con->leaves));
	json_object_set_new(out, "switches", known(con->switches));
	json_object_set_new(out, "switch_first_loss", known(con->first_loss));
	json_object_set_new(out, "vmm_failed",
			    con->failed[0] ? json_string(con->failed) : json_null());
	json_object_set_new(out, "vmm_done", json_boolean(con->done));
	json_object_set_new(out, "timed_out", json_boolean(timed_out));
	json_object_set_new(out, "kernel_reports", json_integer(con->reports));
	json_object_set_new(out, "kernel_report", con->report[0] ?
			    json_string(con->report) : json_null());
	json_object_set_new(out, "long_gaps", gaps(con, &nics[0]));
	json_object_set_new(out, "phases", phases(con, nr_nics, now_ns()));
	list = json_array();
	for (i = 1; i < nr_nics; i++) {
		json_t *nic = json_object();

		put_nic(nic, con, &nics[i], i);
		json_array_append_new(list, nic);
	}
	json_object_set_new(out, "other_nics", list);
	json_object_set(out, "freeze_log", con->freeze_log);
	json_object_set(out, "tool_log", con->tool_log);
	json_object_set(out, "vmm_log", con->vmm_log);
	if (json_dump_file(out, path, JSON_INDENT(1) | JSON_REAL_PRECISION(7)))
		ret = -EIO;
	json_decref(out);
	return ret;
}
