#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs the fuzz targets one after the other and prints TAP. Called by the
# Makefile beside it: run.sh OUT SECONDS
set -euo pipefail

if [ $# -ne 2 ]; then
	echo "usage: run.sh OUT SECONDS (use: make -C tests/fuzz check)" >&2
	exit 2
fi
out=$1 seconds=$2
# shellcheck source=tests/fuzz/libfuzzer.sh
. ./libfuzzer.sh
fuzz_seed
"$out/seed" "$out/seeds"
failed=0

# target NUMBER NAME MAX_LEN WHAT
target() {
	if fuzz "$out" "$2" "$seconds" "$3" 1024 "$out/seeds/$2"; then
		echo "ok $1 - fuzz $4"
	else
		echo "not ok $1 - fuzz $4"
		failed=1
	fi
}

echo 1..2
target 1 blob 65536 "blob parser"
target 2 walk 1024 "walk and compare"
exit $failed
