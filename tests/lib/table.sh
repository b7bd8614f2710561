#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Prints the observer's report of one run (out/hil/NAME.json) as a short table.
set -euo pipefail

usage="Usage: tests/lib/table.sh REPORT.json    prints the report of one scenario as a table"
case ${1:-} in
--help|-h)	echo "$usage"; exit 0 ;;
''|-*)		echo "$usage" >&2; exit 2 ;;
esac
[[ -r $1 ]] || { echo "table: error: there is no $1: run the scenario first, 'make hil-$(basename "$1" .json)'" >&2; exit 1; }

jq -r '
# a figure that the run does not have is null in the report
def num: if . == null then "-" else tostring end;
def unit(u): if . == null then "-" else "\(. * 100 | round / 100) \(u)" end;
def row(name; value): "  " + (name + " " * 34)[:34] + value;
	"",
	.scenario,
	row("frames sent"; .frames_sent | num),
	row("  landed"; "\(.frames_landed | num) (observer), \(.guest_landed | num) (guest), \(.nic_received | num) (NIC)"),
	row("  lost"; .frames_lost | num),
	row("  duplicated"; .frames_duplicated | num),
	row("  out of order"; .frames_out_of_order | num),
	row("longest gap between two landings"; "\(.longest_gap_ms | unit("ms")) (phase: \(.longest_gap_phase | num))"),
	row("  the same, without a kexec"; .longest_quiet_gap_ms | unit("ms")),
	# a phase comes again with each kexec; group_by would sort away the order of time
	(reduce (.phases // [])[] as $p ([]; if any(.[]; .phase == $p.phase)
		then map(if .phase == $p.phase then .gap = ([.gap, $p.longest_gap_ms] | max) else . end)
		else . + [{ phase: $p.phase, gap: $p.longest_gap_ms }] end)
		| .[] | row("  in phase \(.phase)"; .gap | unit("ms"))),
	row("kexec to user space"; .kexec_to_user_ms | unit("ms")),
	row("freeze, replace"; "\(.freeze_us | unit("us")), \(.replace_us | unit("us"))"),
	row("frozen tables"; .frozen_table_bytes | unit("bytes")),
	row("IOMMU faults, seen by QEMU"; .iommu_faults_qemu | num),
	(.iommu_faults_kernels // [] | to_entries[] | row("  seen by kernel \(.key)"; .value | num)),
	""
' "$1"
