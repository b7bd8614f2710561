#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make coverage: runs the scenarios on the kernel with counters and prints which lines they reached.
# out/coverage/ gets counters/SCENARIO/boot-N.json, table.txt and lines.json.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
out=$repo/out/coverage
least=85

usage() {
	cat <<END
Usage: tests/coverage/run.sh [NAME...]

Runs the scenarios NAME, by default all that boot vtd, on vtd-cov, and prints the lines of iommu/,
iommufd/, vfio/ and pci/ that they reached and those that they did not.

Exit: 0 all passed, and all together reached $least % of the lines; 1 not; 2 wrong usage.
END
}

case ${1:-} in
-h | --help) usage; exit 0 ;;
-*) usage >&2; exit 2 ;;
esac

names=("$@")
if (($#)); then
	# some scenarios are not asked for what all reach
	least=0
else
	# the other kernels have no counters, and one machine's kernel is enough for what machines share
	list=$("$repo/tests/hil/run.py" --list)
	for name in $list; do
		grep -qE '^(KERNEL|MACHINE)=' "$repo/tests/hil/scenarios/$name" || names+=("$name")
	done
fi

/usr/bin/python3 -B "$here/selftest.py"
image=$("$repo/tests/kernel/setup.sh" vtd-cov)
rm -rf "$out/counters"
mkdir -p "$out/counters"
rc=0
HIL_COVERAGE=$out/counters "$repo/tests/hil/run.py" "${names[@]}" || rc=1
/usr/bin/python3 -B "$here/report.py" "$out/counters" --image "${image%/*}" --out "$out" --least "$least" ||
	rc=1
exit "$rc"
