# SPDX-License-Identifier: GPL-2.0-only
"""Reads a scenario: one file, tests/hil/scenarios/NAME.

    # What it shows, in a line or two.
    NAME=value                variables, see VARIABLES below; quotes as in a shell
    [boot0]                   script of the VMM in the first kernel, see vmm/; boot1 in the next ...
    command
    like OTHER                here comes the same part of the scenario OTHER
    [expect]                  checks on the report, one expression a line, see judge/rules.py
    expression

Whatever is not known is an error that names file and line: a mistyped variable, part or LIKE must
not leave a check out.
"""
import os
import re
import shlex

# name: (default, what it is)
VARIABLES = {
    "MACHINE": ("vtd", "which file of machine/ describes the machine"),
    "KERNEL": ("", "configuration of tests/kernel/setup.sh; the one named as the machine if empty"),
    "TARGET": ("", "configuration of the kernel that is /boot/target; none if empty"),
    "MEMORY": ("1536", "MiB"),
    "SCRATCH": ("", "where KHO puts the next kernel, instead of where the machine does"),
    "APPEND": ("", "more kernel command line"),
    "IOMMU": ("", "options of the IOMMU instead of the machine's own"),
    "NICS": ("1", "NICs, each behind a root port of its own"),
    "TOPOLOGY": ("port", "where the NICs are: port, root or high; see machine/"),
    "DEVICES": ("", "more QEMU options"),
    "ICOUNT": ("", "yes: the machine's time is the number of instructions, 1000 a microsecond; one CPU"),
    "RMRR": ("", "device that firmware does DMA to memory with at all times, as ACPI has it"),
    "RATE": ("1000", "frames per second and NIC"),
    "FRAMES_MIN": ("8000", "frames to the first NIC, at least"),
    "TIMEOUT": ("480", "seconds, for the whole machine; on an idle host most need a tenth"),
    "SABOTAGE": ("", "what saboteur/ spoils, one thing or several"),
    "SABOTAGE_AT": ("Starting new kernel", "as soon as the console has this line; the IOMMU's shutdown comes after it"),
    "LIVE": ("", "numbers of the NICs that must not miss a DMA, from the first frame to the last"),
    "REFUSED": ("", "devices that the next kernel must refuse: they may reach nothing"),
    "UNKNOWN": ("", "of those, devices that the next kernel has not heard of: their IOMMU alone stops them"),
    "STAYS": ("", "devices that are on their frozen domain to the end"),
    "ROOT_MAY_MOVE": ("", "yes: no unit is adopted, the root pointer may change"),
    "VIOLATIONS": ("", "what the judge of the trace must find: this is a control"),
    "WALK_ERROR": ("", "pattern of what the walker must find, and of nothing else: this is a control"),
}
BDF = re.compile(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
PARTS = re.compile(r"boot[0-9]|expect")


class Error(Exception):
    """The scenario cannot be used; the text says where and why."""


class Scenario:
    """name, text (its comment), vars (name: string), boots (list of lists of lines), expect (list)"""

    def __init__(self, name, directory):
        self.name = name
        self.directory = directory
        self.vars = {key: default for key, (default, _) in VARIABLES.items()}
        self.text = ""
        self.parts = {}
        self._read()
        self.vars["KERNEL"] = self.vars["KERNEL"] or self.vars["MACHINE"]
        scripts = sorted(part for part in self.parts if part != "expect")
        if scripts != ["boot%d" % n for n in range(len(scripts))] or not scripts:
            raise Error("%s: the scripts must be [boot0], [boot1] and so on" % self.path)
        for key in ("ROOT_MAY_MOVE", "ICOUNT"):
            if self.vars[key] not in ("", "yes"):
                raise Error("%s: %s is yes or not there" % (self.path, key))
        for key in ("REFUSED", "UNKNOWN", "STAYS"):
            for word in self.words(key):
                if not BDF.fullmatch(word):
                    raise Error("%s: %s: '%s' is no DDDD:BB:DD.F" % (self.path, key, word))
        self.boots = [self.parts[part] for part in scripts]
        self.expect = self.parts.get("expect", [])

    @property
    def path(self):
        return os.path.join(self.directory, self.name)

    def number(self, key):
        try:
            return int(self.vars[key])
        except ValueError:
            raise Error("%s: %s=%s: not a number" % (self.path, key, self.vars[key])) from None

    def words(self, key):
        return self.vars[key].split()

    def uses(self, *commands):
        """Does a script use one of these commands of the VMM?"""
        return any(line.split()[0] in commands for boot in self.boots for line in boot)

    def _read(self):
        part = None
        comment = []
        try:
            with open(self.path, encoding="utf-8") as f:
                lines = f.read().splitlines()
        except OSError as e:
            raise Error("%s: %s" % (self.path, e.strerror)) from None
        for number, line in enumerate(lines, 1):
            where = "%s:%d" % (self.path, number)
            line = line.strip()
            if line.startswith("#") or not line:
                if part is None:
                    comment.append(line.lstrip("# "))
                continue
            if re.match(r"\[\w*\]$", line):
                part = line.strip("[]")
                if not PARTS.fullmatch(part):
                    raise Error("%s: %s: a part is [boot0] to [boot9] or [expect]" % (where, line))
                if part in self.parts:
                    raise Error("%s: %s is there twice" % (where, line))
                self.parts[part] = []
            elif part is None:
                self._variable(where, line)
            elif line.split()[0] == "like":
                self._like(where, part, line.split()[1:])
            else:
                self.parts[part].append(line)
        self.text = " ".join(comment).strip()

    def _variable(self, where, line):
        key, equals, value = line.partition("=")
        if not equals or key not in VARIABLES:
            raise Error("%s: '%s': no such variable; there are %s" %
                        (where, key, ", ".join(sorted(VARIABLES))))
        try:
            words = shlex.split(value)
        except ValueError as e:
            raise Error("%s: %s: %s" % (where, key, e)) from None
        if len(words) > 1:
            raise Error("%s: %s: put quotes around several words" % (where, key))
        self.vars[key] = words[0] if words else ""

    def _like(self, where, part, words):
        if len(words) != 1:
            raise Error("%s: like NAME" % where)
        other = Scenario(words[0], self.directory)
        if part not in other.parts:
            raise Error("%s: like %s: that one has no [%s]" % (where, words[0], part))
        self.parts[part] += other.parts[part]


def names(directory):
    """All scenarios."""
    return sorted(name for name in os.listdir(directory) if not name.startswith("."))
