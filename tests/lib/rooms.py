#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""How our kernel code is divided: prints what is too long, and rooms that know each other.

A room is a .c file with the headers of its name: incoming.c, incoming.h, incoming-device.h. It knows the rooms
whose headers it includes. No two rooms may know each other, directly or round a corner.

usage: tests/lib/rooms.py [--figures]
"""
import os
import re
import sys

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDERS = ("iommu", "iommufd", "vfio", "pci")
MOST_IN_FILE = 700
MOST_IN_FUNCTION = 80
MOST_ON_AVERAGE = 20


def files():
    """Paths of our C files and headers, from the top of the repository."""
    for folder in FOLDERS:
        for where, _, names in sorted(os.walk(os.path.join(REPO, folder))):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(where, name), REPO)


def read(path):
    with open(os.path.join(REPO, path), encoding="utf-8") as f:
        return f.read()


def room(path):
    """The room that a file belongs to."""
    folder, name = os.path.split(path)
    return os.path.join(folder, re.split(r"[-.]", name)[0])


def known(paths):
    """Room -> the rooms that it includes headers of."""
    rooms = {}
    for path in paths:
        mine = rooms.setdefault(room(path), set())
        for name in re.findall(r'^#include "([^"]+)"', read(path), re.M):
            other = os.path.normpath(os.path.join(os.path.dirname(path), name))
            if other in paths and room(other) != room(path):
                mine.add(room(other))
    return rooms


def circle(rooms):
    """Some rooms of which each knows the next one, and the last the first; [] if there are none."""
    done = set()

    def visit(name, path):
        if name in path:
            return path[path.index(name):] + [name]
        if name in done:
            return []
        for other in sorted(rooms.get(name, ())):
            found = visit(other, path + [name])
            if found:
                return found
        done.add(name)
        return []
    for name in sorted(rooms):
        found = visit(name, [])
        if found:
            return found
    return []


def functions(path):
    """Name and lines of each function, from the line of its brace to the other one."""
    lines = read(path).splitlines()
    begin = None
    for number, line in enumerate(lines):
        if line == "{" and begin is None:
            begin = number
        elif line == "}" and begin is not None:
            head = " ".join(lines[max(0, begin - 4):begin])
            name = re.findall(r"(\w+)\s*\(", re.sub(r"\([^()]*\)", "()", head))
            yield name[-1] if name else "?", number - begin - 1
            begin = None


def main():
    paths = list(files())
    lengths = [(n, name, p) for p in paths if p.endswith(".c") for name, n in functions(p)]
    average = sum(n for n, _, _ in lengths) / len(lengths)
    if "--figures" in sys.argv[1:]:
        print("%d functions, %.1f lines on average, the longest: %s" % (
            len(lengths), average, ", ".join("%s %d" % (name, n) for n, name, _ in sorted(lengths)[:-6:-1])))
        return 0
    wrong = ["%s: %d lines, at most %d are allowed" % (p, lines, MOST_IN_FILE)
             for p, lines in ((p, len(read(p).splitlines())) for p in paths) if lines > MOST_IN_FILE]
    wrong += ["%s: %s(): %d lines, at most %d are allowed" % (p, name, n, MOST_IN_FUNCTION)
              for n, name, p in lengths if n > MOST_IN_FUNCTION]
    if average > MOST_ON_AVERAGE:
        wrong.append("functions have %.1f lines on average, at most %d are allowed" % (average, MOST_ON_AVERAGE))
    found = circle(known(paths))
    if found:
        wrong.append("a circle of includes: " + " -> ".join(found))
    for line in wrong:
        print(line)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
