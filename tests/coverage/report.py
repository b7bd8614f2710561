#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Adds up what read.py took in all scenarios and prints which lines of ours were reached.

gcov does the arithmetic from arcs to lines; this writes its .gcda files, and knows where the
sources of the repository are in the kernel's tree.
"""
import argparse
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

TREE = "drivers/iommu/freeze/"  # where the repository's folders are in the kernel
FOLDERS = ("iommu", "iommufd", "vfio", "pci")
GCDA = 0x67636461  # file magic "gcda"
TAG_FUNCTION = 0x01000000
TAG_COUNTERS = 0x01a10000  # of the first kind; the next kind is 1 << 17 further


def die(text):
    sys.exit(f"coverage: error: {text}")


def commit():
    """What the checkout is."""
    told = subprocess.run(["git", "-c", "safe.directory=*", "-C", os.path.dirname(os.path.abspath(__file__)),
                           "describe", "--always", "--dirty"], text=True, capture_output=True)
    return told.stdout.strip() or "unknown"


def read_dumps(folders):
    """Names of all dumps in FOLDERS."""
    names = []
    for folder in folders:
        if not os.path.isdir(folder):
            die(f"{folder} is not a folder: give those that read.py follow wrote to")
        for path, _, files in os.walk(folder):
            names += [os.path.join(path, f) for f in files if re.fullmatch(r"boot-\d+\.json", f)]
    return sorted(names)


def merge(names):
    """-> object's file name -> object, the counters summed over all dumps."""
    total = {}
    build = None
    for name in names:
        with open(name) as f:
            dump = json.load(f)
        if build not in (None, dump["build"]):
            die(f"{name} is of the kernel #{dump['build']}, {names[0]} of #{build}: "
                "remove the older ones")
        build = dump["build"]
        for obj in dump["objects"]:
            old = total.setdefault(obj["filename"], obj)
            if old is obj:
                continue
            if (obj["stamp"], len(obj["functions"])) != (old["stamp"], len(old["functions"])):
                die(f"{name}: {obj['filename']} is another one than in {names[0]}")
            for ours, theirs in zip(old["functions"], obj["functions"]):
                if ours[:3] != theirs[:3]:
                    die(f"{name}: the functions of {obj['filename']} are not those of {names[0]}")
                for (_, sums), (_, values) in zip(ours[3], theirs[3]):
                    sums[:] = [a + b for a, b in zip(sums, values)]
    return total


def write_gcda(path, obj):
    """As libgcov would: since gcc 12 a length is in bytes."""
    with open(path, "wb") as f:
        f.write(struct.pack("<4I", GCDA, obj["version"], obj["stamp"], obj["checksum"]))
        for ident, lines, cfg, ctrs in obj["functions"]:
            f.write(struct.pack("<5I", TAG_FUNCTION, 12, ident, lines, cfg))
            for kind, values in ctrs:
                f.write(struct.pack("<2I", TAG_COUNTERS + (kind << 17), 8 * len(values)))
                f.write(struct.pack(f"<{len(values)}Q", *values))


class Source:
    """A file of the repository and how often each line of it ran."""

    def __init__(self, text):
        self.text = text.split("\n")
        self.counts = {}  # line -> how often; lines without code are left out

    def add(self, line, count):
        # gcov has code for the brace that ends a function; nobody else would call it a line
        if self.text[line - 1].strip() not in ("{", "}"):
            self.counts[line] = self.counts.get(line, 0) + count

    def reached(self):
        return sum(1 for count in self.counts.values() if count)

    def function(self, line):
        """Kernel style: a line that starts in the first column and has a "(" begins one."""
        for text in reversed(self.text[:line]):
            match = re.match(r"(?=[a-z_]).*?(\w+)\(", text)
            if match:
                return match[1]
        return "?"

    def unreached(self):
        """Stretches of lines that nothing reached; lines without code do not end one."""
        stretches = []
        for line in sorted(self.counts):
            if self.counts[line]:
                stretches.append([])
            elif (stretches and stretches[-1] and
                  self.function(stretches[-1][0]) == self.function(line)):
                stretches[-1].append(line)
            else:
                stretches.append([line])
        return [s for s in stretches if s]


def run_gcov(image, objects):
    """-> path in the repository -> Source."""
    kept = os.path.join(image, "gcno", TREE)
    if not os.path.isdir(kept):
        die(f"{kept} is missing: give the folder of a vtd-cov image")
    sources = {}
    used = set()
    with tempfile.TemporaryDirectory() as work:
        files = []
        for path, _, names in os.walk(kept):
            for name in names:
                if not name.endswith(".gcno"):
                    continue
                stem = os.path.relpath(os.path.join(path, name), kept)[:-len(".gcno")]
                copy = os.path.join(work, stem.replace("/", "@"))
                shutil.copy(os.path.join(path, name), copy + ".gcno")
                for filename, obj in objects.items():
                    if os.path.normpath(filename).endswith("/" + TREE + stem + ".gcda"):
                        write_gcda(copy + ".gcda", obj)
                        used.add(filename)
                # gcov takes either; without counters all lines are unreached
                files.append(os.path.basename(copy) + ".gcno")
        lost = sorted(set(objects) - used)
        if lost:
            die(f"{kept} has no .gcno for {lost[0]}: the counters are of another kernel")
        if not files:
            die(f"there is no .gcno in {kept}: build vtd-cov anew")
        # one after the other: a stamp that does not match is only said on stderr
        for name in sorted(files):
            done = subprocess.run(["gcov", "--json-format", "--stdout", name], cwd=work, text=True,
                                  capture_output=True)
            # neither an object that never ran nor one that is nothing but data is an error
            noise = [s for s in done.stderr.splitlines()
                     if "cannot open data file" not in s and "no functions found" not in s]
            if done.returncode or noise:
                die(f"gcov {name}: {' '.join(noise) or done.returncode}")
            add(sources, kept, json.loads(done.stdout))
    return sources


def add(sources, kept, result):
    for item in result["files"]:
        path = os.path.normpath(item["file"])
        if TREE not in path:
            continue
        path = path.split(TREE, 1)[1]
        if path not in sources:
            with open(os.path.join(kept, path)) as f:
                sources[path] = Source(f.read())
        for line in item["lines"]:
            sources[path].add(line["line_number"], line["count"])


def rows(sources):
    """-> (name, lines, reached), a folder's sum after its files, the total at the end."""
    def row(name, parts):
        return name, sum(len(s.counts) for s in parts), sum(s.reached() for s in parts)

    for folder in FOLDERS:
        paths = sorted(p for p in sources if p.split("/")[0] == folder)
        for path in paths:
            yield row(path, [sources[path]])
        yield row(folder + "/", [sources[p] for p in paths])
    yield row("total", list(sources.values()))


def percent(part, whole):
    return 100.0 * part / whole if whole else 100.0


def table(sources):
    yield f"{'file':28} {'lines':>6} {'reached':>8} {'%':>6}"
    for name, lines, reached in rows(sources):
        if name.endswith("/"):
            yield "-" * 51
        yield f"{name:28} {lines:6} {reached:8} {percent(reached, lines):6.1f}"
        if name.endswith("/"):
            yield ""


def unreached(sources):
    yield "Lines that nothing reached:"
    for path, source in sorted(sources.items()):
        for lines in source.unreached():
            last = f"-{lines[-1]}" if len(lines) > 1 else ""
            yield ""
            yield f"{path}:{lines[0]}{last} {source.function(lines[0])}()"
            for line in lines:
                yield f"{line:6}  {source.text[line - 1].expandtabs(8)}"


def main():
    parser = argparse.ArgumentParser(
        description="Prints which lines of ours all scenarios together reached.")
    parser.add_argument("folder", nargs="+", help="of read.py follow, or a folder of such")
    parser.add_argument("--image", required=True, help="folder of the vtd-cov image that ran")
    parser.add_argument("--out", default="out/coverage",
                        help="for table.txt and lines.json [out/coverage]")
    parser.add_argument("--least", type=float, default=0, metavar="PERCENT",
                        help="exit 1 below this")
    args = parser.parse_args()
    if not shutil.which("gcov"):
        die("gcov is missing: it comes with gcc; run tests/kernel/setup.sh --install")
    names = read_dumps(args.folder)
    if not names:
        die(f"there are no counters in {' '.join(args.folder)}: run the scenarios first")
    sources = run_gcov(args.image, merge(names))
    *_, (_, whole, reached) = rows(sources)
    if not whole:
        die(f"gcov found no line of {TREE} in {args.image}: build vtd-cov anew")
    share = percent(reached, whole)
    what = commit()
    lines = [*table(sources), "", f"{len(names)} kernels ran, commit {what}.", "",
             *unreached(sources)]
    os.makedirs(args.out, exist_ok=True)
    with open(os.path.join(args.out, "table.txt"), "w") as f:
        f.write("\n".join(lines) + "\n")
    with open(os.path.join(args.out, "lines.json"), "w") as f:
        json.dump({"commit": what, "kernels": len(names), "percent": round(share, 2), "files": {
            path: {"lines": len(s.counts), "reached": s.reached(), "unreached": s.unreached(),
                   "counts": {str(line): s.counts[line] for line in sorted(s.counts)}}
            for path, s in sorted(sources.items())}}, f)
        f.write("\n")
    print("\n".join(lines))
    if share < args.least:
        print(f"coverage: {share:.1f} % of the lines, {args.least:g} are asked for",
              file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
