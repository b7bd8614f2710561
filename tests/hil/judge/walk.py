#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The walker: says from outside what each requester can reach, at each mark and through each jump.

It reads the IOMMU's tables in the machine's memory (a shared file, whose offsets are the machine's
physical addresses, also where RAM does not begin at 0) and holds them against what the VMM says that
it mapped and where its pages are. The VMM tells that in the box, pages of its own, at a mark, and
waits until the mark is answered: see Box. It knows no IOMMU: that is machine/NAME.py, and takes
nothing from the kernel but one line: the one that says that a kernel starts. (The line that a unit was
adopted only ends a check early.)

The rules, by the names that the comments below use:
 R1 a live device reaches exactly what the VMM mapped
 R2 a blocked device reaches nothing
 R3 a frozen device reaches what it reached at the end of the old kernel, and its pages did not move;
    once it is live it reaches at least that
 R4 nobody else passes through, or reaches a page of guest RAM
 R5 no device of the VMM reaches anything but guest RAM
 R6 a device that the new kernel must refuse, or that was given up, reaches nothing
 R7 the root pointer is known, and does not move from the first freeze on
 R8 a domain id stands for the same tables wherever it is used, at marks and in the jump; one that
    stays with a requester while its tables change stands for tables that agree where both map
 J1 in the jump, and until it is live, a frozen device is always translated as before, at any time
    and not only at marks
 J2 ... and is alone from the start of the new kernel until that has adopted the unit, and nothing
    leads to entries of others
 J3 ... and from then on R4 holds
 J4 from the start of the new kernel until that sets its own, interrupts are remapped by a table that
    the old kernel set last, and nothing is in that
"""
import argparse
import bisect
import importlib
import json
import mmap
import os
import re
import signal
import struct
import sys
import time

PAGE = 4096
MAX_ERRORS = 50
HEADER = struct.Struct("<Q16s4IQ")  # magic, run, boot, seq, ack, nr_pages, length; then nr_pages * u64
MAGIC = 0x31584f424c4948
ACK_AT = 32
MAX_PAGES = 500

MARK_LINE = re.compile(r"HIL: mark seq=(\d+) name=(\S+) box=0x([0-9a-f]+)$")
# The operator gives a device up; see the VMM's command "tool".
DISCARD_LINE = re.compile(r"HIL: ok: (?:tool 0 discard|remove) (\S+)$")


class BadBox(Exception):
    """The box cannot be used; the text says why."""


# Runs are lists of (iova, pa, length, prot), in order and maximal: where one ends another map begins.

def append_run(runs, iova, pa, length, prot):
    if runs:
        at, to, size, may = runs[-1]
        if at + size == iova and to + size == pa and may == prot:
            runs[-1] = (at, to, size + length, prot)
            return
    runs.append((iova, pa, length, prot))


def model(maps, files):
    """What a device reaches by the VMM's maps [iova, length, file, offset, prot] and its pagemaps."""
    runs = []
    for iova, length, number, offset, prot in sorted(maps):
        if number not in files:
            raise BadBox("iova %#x: file %d is not in the box" % (iova, number))
        pages = files[number]
        page, end = offset // PAGE, (offset + length) // PAGE
        i = bisect.bisect_right(pages, page, key=lambda run: run[0]) - 1
        while page < end:
            if i >= 0 and page >= pages[i][0] + pages[i][2]:
                i += 1
            if i < 0 or i == len(pages) or page < pages[i][0]:
                raise BadBox("iova %#x: page %d of file %d is mapped, but not in its pagemap" %
                             (iova, page, number))
            first, pfn, count = pages[i]
            n = min(first + count, end) - page
            append_run(runs, iova, (pfn + page - first) * PAGE, n * PAGE, prot)
            iova += n * PAGE
            page += n
    return runs


def look_up(runs, iova):
    """(pa, prot) of an iova, None if nothing is there."""
    i = bisect.bisect_right(runs, iova, key=lambda run: run[0]) - 1
    if i < 0 or iova >= runs[i][0] + runs[i][2]:
        return None
    return runs[i][1] + iova - runs[i][0], runs[i][3]


def difference(expected, found):
    """Text that names the first iova that differs, None if none does."""
    if expected == found:
        return None
    i = 0
    while i < len(expected) and i < len(found) and expected[i] == found[i]:
        i += 1
    here = [runs[i] for runs in (expected, found) if i < len(runs)]
    iova = min(run[0] for run in here)
    if len(here) == 2 and here[0][0] == here[1][0] and here[0][1::2] == here[1][1::2]:
        iova += min(run[2] for run in here)

    def said(runs):
        hit = look_up(runs, iova)
        return "%#x %s" % hit if hit else "nothing"
    return "iova %#x: expected %s, found %s" % (iova, said(expected), said(found))


def within(runs, ranges):
    """The part of runs whose iovas are also in `ranges`, which are runs as well."""
    result = []
    i = 0
    for start, _, size, _ in ranges:
        while i < len(runs) and runs[i][0] + runs[i][2] <= start:
            i += 1
        while i < len(runs) and runs[i][0] < start + size:
            iova, pa, length, prot = runs[i]
            low, high = max(iova, start), min(iova + length, start + size)
            append_run(result, low, pa + low - iova, high - low, prot)
            if iova + length > start + size:
                break  # it may reach into the next range as well
            i += 1
    return result


class Memory:
    """A set of physical pages: guest RAM."""

    def __init__(self, pieces):
        """pieces: (pfn, count) in any order."""
        self.starts, self.ends = [], []
        for pfn, count in sorted(pieces):
            if self.ends and pfn * PAGE <= self.ends[-1]:
                self.ends[-1] = max(self.ends[-1], (pfn + count) * PAGE)
            else:
                self.starts.append(pfn * PAGE)
                self.ends.append((pfn + count) * PAGE)

    def reached(self, runs):
        """First (iova, pa) of runs inside of it, or None."""
        for iova, pa, length, _ in runs:
            i = bisect.bisect_right(self.ends, pa)
            if i < len(self.starts) and self.starts[i] < pa + length:
                at = max(pa, self.starts[i])
                return iova + at - pa, at
        return None

    def left(self, runs):
        """First (iova, pa) of runs outside of it, or None."""
        for iova, pa, length, _ in runs:
            at = pa
            while at < pa + length:
                i = bisect.bisect_right(self.ends, at)
                if i == len(self.starts) or self.starts[i] > at:
                    return iova + at - pa, at
                at = self.ends[i]
        return None


class Box:
    """What the VMM says at a mark.

    A header page, little endian, of magic, run id, boot, seq, ack, number of data pages, length of
    the text, and the data pages' numbers; the data is JSON text:
      mark, boot, memory_kib: what the kernel has in all
      files    id, size, runs [[page, pfn, count] ...]: the pagemap of each file of guest RAM
      spaces   id, maps [[iova, length, file, offset, prot] ...]: one per IOAS
      devices  dev, bdf, state "blocked", "live" or "frozen", space, preserved
    """

    def __init__(self, mem, address, run):
        if address + PAGE > len(mem):
            raise BadBox("its header at %#x is outside of RAM" % address)
        magic, found, self.boot, self.seq, _, nr_pages, length = HEADER.unpack_from(mem, address)
        if magic != MAGIC:
            raise BadBox("no header at %#x" % address)
        if found != run:
            raise BadBox("it is of run %s" % found.hex())
        if nr_pages > MAX_PAGES or length > nr_pages * PAGE:
            raise BadBox("%d bytes in %d pages" % (length, nr_pages))
        pfns = struct.unpack_from("<%dQ" % nr_pages, mem, address + HEADER.size)
        if any((pfn + 1) * PAGE > len(mem) for pfn in pfns):
            raise BadBox("a page of it is outside of RAM")
        text = b"".join(mem[pfn * PAGE:(pfn + 1) * PAGE] for pfn in pfns)[:length]
        try:
            data = json.loads(text)
            self.name = data["mark"]
            self.memory_kib = data["memory_kib"]
            self.files = {f["id"]: sorted(tuple(run) for run in f["runs"]) for f in data["files"]}
            self.spaces = {s["id"]: s["maps"] for s in data["spaces"]}
            self.devices = {d["bdf"]: d for d in data["devices"]}
            for device in self.devices.values():
                if device["state"] not in ("blocked", "live", "frozen"):
                    raise BadBox("device %s is '%s'" % (device["bdf"], device["state"]))
                device["preserved"] = bool(device["preserved"])
        except (ValueError, KeyError, TypeError) as e:
            raise BadBox("its text: %s: %s" % (type(e).__name__, e)) from None

    def pieces(self):
        return [(pfn, count) for runs in self.files.values() for _, pfn, count in runs]

    def model(self, device):
        if device["space"] not in self.spaces:
            raise BadBox("space %s is not in the box" % device["space"])
        return model(self.spaces[device["space"]], self.files)


class Jump:
    """What one kexec takes along: from the mark "freeze" until the next kernel's first mark."""

    def __init__(self, box, expected, index, set_up, irq_tables):
        self.index = index  # of the freeze, in the list of walks
        self.set_up = set_up  # how often the unit had been
        self.irq_tables = irq_tables  # and the table of interrupts
        self.expected = expected  # bdf -> runs, of each preserved device
        self.files = box.files
        self.pieces = box.pieces()
        self.memory = Memory(self.pieces)
        self.dids = {bdf: set() for bdf in expected}
        self.begun = time.monotonic()
        self.ms = 0  # how long it took, once it is over
        # how often it was looked at in all, and of these, see J2: before the new kernel, with the
        # frozen devices alone, and after that
        self.samples = self.old = self.strict = self.new = 0
        self.irq_samples = 0
        self.started = False  # the new kernel's first line was seen
        self.adopted = False  # ... and its last one before others may have entries
        self.ended = None

    def result(self):
        return {"freeze": self.index, "devices": sorted(self.expected), "samples": self.samples,
                "old": self.old, "strict": self.strict, "new": self.new, "ms": self.ms,
                "irq_samples": self.irq_samples, "ended": self.ended,
                "dids": {bdf: sorted(dids) for bdf, dids in self.dids.items()}}


class Follower:
    """Reads a text file that grows, by whole lines: all, or those that begin with one of some words."""

    def __init__(self, path, words=()):
        self.path = path
        # Not line by line: a blocked device may cause millions of them.
        self.wanted = re.compile(rb"^(?:%s) .*" % b"|".join(w.encode() for w in words), re.M) \
            if words else None
        self.file = None
        self.rest = b""

    def lines(self):
        if not self.file:
            try:
                self.file = open(self.path, "rb")  # pylint: disable=consider-using-with
            except FileNotFoundError:
                return []
        data = self.rest + self.file.read()
        whole, newline, self.rest = data.rpartition(b"\n")
        if self.wanted:
            lines = self.wanted.findall(whole)
        else:
            lines = whole.split(b"\n") if newline else []
        return [line.decode("utf-8", "replace") for line in lines]

    def close(self):
        if self.file:
            self.file.close()


class Walker:
    """Keeps what was said and seen so far. Nothing here waits; step() is called again and again."""

    def __init__(self, machine, mem, console, trace, run, refused=(), unit_refused=False,
                 sample_ms=50):
        self.machine = machine
        self.mem = mem
        self.run = run
        self.refused = set(refused)
        self.unit_refused = unit_refused
        self.sample_s = sample_ms / 1000
        self.next_sample = 0
        self.console = Follower(console)
        self.trace = Follower(trace, machine.TABLE_EVENTS)
        self.trace_size_before = 0
        self.events = machine.Events()

        self.root = None
        self.shape = 0  # of what is there, where that is said apart
        self.set_up = 0  # how often the root pointer was set, or the unit given a queue
        self.readable = True
        self.translation = self.irq_remapping = False
        self.irq_table = None  # its address and number of entries
        self.irq_tables = 0  # how often it was set
        self.reader = None
        self.fixed_root = None  # since the first freeze, see R7

        self.boot = 0
        self.jump = None
        self.jumps = []
        self.frozen = {}  # bdf -> runs: came from the previous kernel, not live yet
        self.retrieved = set()  # of those, the VMM has had them in this kernel
        self.settled = False  # nothing is under way that ends this for one of them
        self.boot_samples = 0
        self.old_files = {}
        self.old_pieces = []
        self.blocked = set()  # refused or given up, and not opened again

        self.walks = []
        self.marks = 0
        self.provoked = []
        self.discarded = []
        self.errors = []
        self.more_errors = 0
        self.done = False

    # ---- what the outside says

    def error(self, text):
        if text in self.errors:
            return
        if len(self.errors) == MAX_ERRORS:
            self.more_errors += 1
            return
        self.errors.append(text)

    def trace_size(self):
        try:
            return os.path.getsize(self.trace.path)
        except FileNotFoundError:
            return 0

    def read_trace(self):
        for line in self.trace.lines():
            try:
                event = self.events.parse(line)
            except ValueError as e:
                self.error(str(e))
                continue
            if not event:
                continue
            what, fields = event
            if what == "translation":
                self.translation = fields["on"]
            elif what == "irq_remapping":
                self.irq_remapping = fields["on"]
            elif what == "irq_table":
                self.irq_tables += 1
                self.irq_table = fields["address"], fields["entries"]
            elif what == "root":
                self.set_up += 1
                shape = fields.get("shape", 0)
                if (self.root, self.shape) != (fields["address"], shape):
                    self.root, self.shape = fields["address"], shape
                    self.reader = self.machine.Reader(self.mem, self.root,
                                                      *[shape] if "shape" in fields else [])
                self.readable = fields["readable"]
            elif what == "queue":
                self.set_up += 1

    def step(self):
        """Looks at the console once, answers marks, and takes a sample if it is time for one."""
        # QEMU writes an event before the machine goes on: what is in the trace now was there before
        # any line that the console does not have yet.
        before = self.trace_size()
        for line in self.console.lines():
            self.line(line)
        self.trace_size_before = before
        if time.monotonic() < self.next_sample:
            return
        if self.jump:
            self.sample()
        elif self.frozen and self.settled:
            self.sample_boot()
        self.next_sample = time.monotonic() + self.sample_s

    def line(self, line):
        stamp, _, text = line.strip().partition(" ")
        mark = MARK_LINE.search(text)
        if mark:
            self.mark(float(stamp), int(mark[1]), mark[2], int(mark[3], 16) * PAGE)
            return
        if self.jump:
            if self.machine.BOOT_LINE in text:
                self.jump.started = True
                self.next_sample = 0
            elif self.jump.started and any(t in text for t in self.machine.ADOPTED_LINES):
                self.jump.adopted = True
        discard = DISCARD_LINE.search(text)
        if discard:
            bdf = discard[1] if discard[1].count(":") == 2 else "0000:" + discard[1]
            # One that was removed may be discarded as well.
            if self.frozen.pop(bdf, None) is not None or bdf not in self.blocked:
                self.discarded.append({"bdf": bdf, "after": len(self.walks) - 1})
            self.blocked.add(bdf)
        elif "HIL: provoke dev=" in text:
            self.provoked.append({"line": text[text.index("HIL:"):],
                                  "trace_offset": self.trace_size_before})
        elif text.endswith("HIL: done"):
            self.done = True

    # ---- marks

    def mark(self, stamp, seq, name, address):
        self.marks += 1
        where = "mark " + name
        try:
            box = Box(self.mem, address, self.run)
        except BadBox as e:
            self.error("%s: the box: %s" % (where, e))
            # Where there is no box nothing may be written; else the machine can as well go on.
            if address + PAGE <= len(self.mem) and \
                    HEADER.unpack_from(self.mem, address)[0] == MAGIC:
                struct.pack_into("<I", self.mem, address + ACK_AT, seq)
            return
        if (box.seq, box.name) != (seq, name):
            self.error("%s: the box is of mark %s, seq %d and not %d" %
                       (where, box.name, box.seq, seq))
        try:
            found = self.check(where, box)
        except Exception as e:  # pylint: disable=broad-except
            # A fault of ours must be seen as such, and not as a machine that hangs.
            self.error("%s: the walker failed: %s: %s" % (where, type(e).__name__, e))
            found = {"requesters": {}, "others": []}
        found.update({
            "mark": name, "boot": box.boot, "seq": seq, "at_s": stamp, "root": self.root,
            "translation": self.translation, "memory_kib": box.memory_kib,
            "devices": [dict(d) for d in box.devices.values()],
            "preserved": sorted(b for b, d in box.devices.items() if d["preserved"]),
            "trace_offset": self.trace_size()})
        self.walks.append(found)
        # What comes next may end it for one of them, at a time that only the next mark tells.
        self.settled = name not in ("replace", "discard", "leave", "end")
        struct.pack_into("<I", self.mem, address + ACK_AT, seq)

    def check(self, where, box):
        """All rules for a mark. Returns what was found."""
        self.read_trace()
        self.change_kernel(box)
        result = {"requesters": {}, "others": []}
        devices = set(box.devices) | set(self.frozen) | self.blocked
        if not self.check_root(where, bool(box.devices or self.frozen)):
            return result
        if not self.translation and self.unit_refused and \
                all(d["state"] == "blocked" for d in box.devices.values()):
            # Nobody reads the tables any more: the memory may be somebody's else.
            return result
        try:
            entries = {self.machine.requester(rid): entry
                       for rid, entry in self.reader.requesters()}
        except self.machine.Unreadable as e:
            self.error("%s: %s" % (where, e))
            return result

        memory = Memory(box.pieces() + (self.old_pieces if self.frozen else []))
        expected, owned = {}, {}
        for bdf in sorted(devices):
            entry = entries.pop(bdf, None)
            found = reached = self.walk(entry)
            if bdf in box.devices and box.devices[bdf]["state"] == "live":
                found = self.no_doorbell(reached)
            if entry:
                owned[bdf] = entry
                result["requesters"][bdf] = {
                    "did": entry.did, "levels": entry.levels, "top": entry.top, **entry.more,
                    "doorbell": found != reached,
                    "runs": None if isinstance(found, str) else len(found),
                    "read_only": None if isinstance(found, str) else
                    sum(prot == "r" for _, _, _, prot in found),
                    "pages": None if isinstance(found, str) else
                    sum(length // PAGE for _, _, length, _ in found)}
            try:
                expected[bdf] = self.check_device("%s: %s" % (where, bdf), box, bdf, entry, found,
                                                  memory)
            except BadBox as e:
                self.error("%s: %s: the box: %s" % (where, bdf, e))
        if any(d["state"] == "frozen" for d in box.devices.values()):
            self.check_pages(where, box)
        self.check_ids(where, sorted(owned.items()) + sorted(entries.items()))
        for bdf, entry in entries.items():
            self.check_other("%s: %s" % (where, bdf), entry, memory)
        result["others"] = sorted(entries)

        for bdf, device in box.devices.items():
            if device["state"] == "frozen":
                self.retrieved.add(bdf)
            else:
                # Live, or blocked: the previous kernel's map no longer binds it.
                self.frozen.pop(bdf, None)
        if box.name == "freeze":
            self.freeze(box, expected)
        return result

    def change_kernel(self, box):
        """The mark may be the first one after a jump, or after a kexec that failed."""
        jump, self.jump = self.jump, None
        if jump:
            jump.ended = box.name
            jump.ms = round(1000 * (time.monotonic() - jump.begun), 1)
            self.jumps.append(jump)
        if box.boot > self.boot:
            if self.boot == 0:
                self.blocked |= self.refused
            self.boot = box.boot
            self.frozen, self.old_files, self.old_pieces = {}, {}, []
            if not jump and self.fixed_root is not None:
                # Nothing was taken along: this kernel has started from nothing.
                self.fixed_root = self.place()
            if jump:
                self.frozen = {bdf: runs for bdf, runs in jump.expected.items()
                               if bdf not in self.blocked}
                self.old_files, self.old_pieces = jump.files, jump.pieces
            self.retrieved = set()
        for bdf in box.devices:
            self.blocked.discard(bdf)

    def freeze(self, box, expected):
        preserved = {bdf: expected.get(bdf, []) for bdf, d in box.devices.items()
                     if d["preserved"] and d["state"] != "blocked"}
        if self.fixed_root is None and not self.unit_refused:
            self.fixed_root = self.place()
        if preserved:
            self.jump = Jump(box, preserved, len(self.walks), self.set_up, self.irq_tables)
            self.next_sample = 0

    def place(self):
        """Where the tables are, and of what shape."""
        return None if self.root is None else (self.root, self.shape)

    def check_root(self, where, needed):
        """R7. False if there are no tables to look at."""
        if self.fixed_root is not None and self.place() != self.fixed_root:
            self.error("%s: the root pointer moved from %s to %s" % (where, *(
                "%#x" % root + (" (%#x)" % shape if shape else "")
                for root, shape in (self.fixed_root, self.place()))))
        if self.root is None or not self.readable:
            if needed:
                self.error("%s: the root pointer is not known" % where if self.root is None else
                           "%s: the root table is of a mode that machine/%s.py does not read" %
                           (where, self.machine.NAME))
            return False
        return True

    def walk(self, entry):
        """Runs, or why there are none as text."""
        if entry is None:
            return []
        if entry.passthrough:
            return "passes through"
        try:
            return self.reader.walk(entry)
        except self.machine.Unreadable as e:
            return str(e)

    def no_doorbell(self, found, ranges=None):
        """Without what a live device's interrupts go to, where these are translated: the kernel maps
        that beside what the VMM does. Nothing that is frozen has it.
        """
        if self.machine.DOORBELL is None or isinstance(found, str):
            return found
        low, high = ranges or self.machine.DOORBELL_IOVAS
        return [run for run in found if not low <= run[0] < high or
                run[1:3] != (self.machine.DOORBELL, PAGE)]

    def check_device(self, who, box, bdf, entry, found, memory):
        """R1, R2, R3, R5, R6 for a device of the VMM, or of the previous kernel's. What it may reach."""
        device = box.devices.get(bdf)
        state = device["state"] if device else "frozen" if bdf in self.frozen else "blocked"
        if state == "blocked":
            # With translation off tables guard nothing; that bus mastering is off then is the matter
            # of the trace. Its own driver may have it, whose interrupts go there from any address.
            found = self.no_doorbell(found, (0, 1 << 64))
            if entry and found and self.translation:
                self.error("%s: is blocked, and %s" % (who, found if isinstance(found, str) else
                                                       "reaches iova %#x -> %#x" % found[0][:2]))
            return []
        if state == "live":
            expected = box.model(device)
        elif bdf in self.frozen:
            expected = self.frozen[bdf]
        else:
            self.error("%s: is frozen, and was not preserved at the last kexec" % who)
            return []
        if not self.translation:
            self.error("%s: translation is off" % who)
        same = self.check_runs(who, entry, found, expected)
        if not entry or isinstance(found, str):
            return expected
        # What is as expected is in guest RAM.
        out = None if same else memory.left(found)
        if out:
            self.error("%s: iova %#x reaches %#x, outside of guest RAM" % (who, *out))
        if state == "live" and bdf in self.frozen and bdf in self.retrieved:
            why = difference(self.frozen[bdf], within(found, self.frozen[bdf]))
            if why:
                self.error("%s: %s, by its frozen map" % (who, why))
        return expected

    def check_runs(self, who, entry, found, expected):
        """Whether what is found is what was expected."""
        if entry is None:
            why = "no entry is present"
            if expected:
                why += ": " + difference(expected, [])
        else:
            why = found if isinstance(found, str) else difference(expected, found)
        if why:
            self.error("%s: %s" % (who, why))
        return not why

    def check_ids(self, where, used):
        """R8, of (bdf, entry). The caches know tables by the id alone."""
        tables = {}
        for bdf, entry in used:
            leads = entry.top, entry.levels, entry.passthrough
            other = tables.setdefault(entry.did, (bdf, leads, entry))
            if other[1] != leads and not (self.machine.keeps_id(entry.did) and
                                          self.agree(entry, other[2])):
                self.error("%s: %s and %s have domain id %d and different tables" %
                           (where, other[0], bdf, entry.did))

    def agree(self, *entries):
        """Does what the tables of two have in common lead to the same?"""
        one, other = (self.walk(entry) for entry in entries)
        return not isinstance(one, str) and not isinstance(other, str) and \
            within(one, other) == within(other, one)

    def check_pages(self, where, box):
        """R3: the pages of a file that came through the kexec are where they were."""
        for number in sorted(set(box.files) & set(self.old_files)):
            # Pages as iovas: the parts that both pagemaps have must be equal.
            old, new = ([(page * PAGE, pfn * PAGE, count * PAGE, "page")
                         for page, pfn, count in files[number]]
                        for files in (self.old_files, box.files))
            old, new = within(old, new), within(new, old)
            if old == new:
                continue
            at = next(a[0] + (min(a[2], b[2]) if a[:2] == b[:2] else 0)
                      for a, b in zip(old, new) if a != b)
            self.error("%s: file %d: page %d moved from %#x to %#x" %
                       (where, number, at // PAGE, look_up(old, at)[0], look_up(new, at)[0]))

    def check_other(self, who, entry, memory):
        """R4. Its driver may be at work: what counts is what two looks agree on."""
        found = self.walk(entry)
        try:
            if not self.translation or self.reader.entry(entry.rid) != entry or \
                    self.walk(entry) != found:
                return
        except self.machine.Unreadable:
            return
        if isinstance(found, str):
            self.error("%s: is not the VMM's: %s" % (who, found))
            return
        hit = memory.reached(found)
        if hit:
            self.error("%s: is not the VMM's, and reaches guest RAM: iova %#x -> %#x" % (who, *hit))

    # ---- the jump

    def sample(self):
        jump = self.jump
        self.read_trace()
        jump.samples += 1
        # What the first kexec's kernel must refuse may be gone any time; later it is an ordinary one.
        watched = set(jump.expected) - (self.refused if self.boot == 0 else set())
        if watched:
            self.check_root("in the jump", True)
        jump.old += not jump.started
        if not self.reader or not self.readable:
            return
        frozen = []
        for bdf in sorted(watched):
            try:
                entry = self.sample_frozen("in the jump: " + bdf, self.machine.rid(bdf),
                                           jump.expected[bdf], jump.started)
                if entry:
                    jump.dids[bdf].add(entry.did)
                    frozen.append((bdf, entry))
            except self.machine.Unreadable as e:
                self.error("in the jump: %s: %s" % (bdf, e))
        if jump.started and self.translation:
            self.sample_others(jump, frozen)
        if self.irq_remapping and self.machine.IRQ_REMAPPING_MUST_STAY:
            self.sample_irqs(jump)

    def sample_boot(self):
        """J1 between the marks of a kernel, for devices that are not live yet."""
        self.boot_samples += 1
        self.read_trace()
        for bdf, runs in sorted(self.frozen.items()):
            try:
                self.sample_frozen("after boot: " + bdf, self.machine.rid(bdf), runs)
            except self.machine.Unreadable as e:
                self.error("after boot: %s: %s" % (bdf, e))

    def sample_frozen(self, who, rid, expected, surely=True):
        """J1. Returns the entry. Unless it is surely frozen it may still be live."""
        if not self.translation:
            self.error("%s: translation is off" % who)
        # Between our look at the entry and the one at the tables it may have been flipped and the old
        # tables be gone: only what an entry that stayed says counts.
        entry = self.reader.entry(rid)
        while True:
            found = self.walk(entry)
            last, entry = entry, self.reader.entry(rid)
            if entry == last:
                break
        if not surely:
            found = self.no_doorbell(found)
        self.check_runs(who, entry, found, expected)
        return entry

    def sample_irqs(self, jump):
        """J4. What counts is what was so before and after our look."""
        tables = self.irq_tables
        try:
            entries = self.machine.irq_entries(self.mem, *self.irq_table) if self.irq_table else []
        except self.machine.Unreadable as e:
            self.error("in the jump: %s" % e)
            return
        self.read_trace()
        if self.irq_tables != tables:
            return
        if tables == jump.irq_tables:
            if jump.started:
                self.error("in the jump: interrupts are remapped by the table of a kernel that is gone")
        elif tables == jump.irq_tables + 1:
            jump.irq_samples += 1
            if entries:
                self.error("in the jump: entry %d of the old kernel's last table of interrupts is "
                           "present" % entries[0])

    def sample_others(self, jump, frozen):
        """J2 until the unit was adopted, then J3."""
        known = {self.machine.rid(bdf) for bdf in jump.expected}
        unreadable = None
        others = {}
        try:
            others = {rid: entry for rid, entry in self.reader.requesters() if rid not in known}
        except self.machine.Unreadable as e:
            unreadable = e
        if not jump.adopted:
            # The console is late, the trace is not: a kernel sets the root pointer when it adopts
            # the unit, or makes a queue where that pointer cannot be set, and what was there before
            # cannot have come from a driver.
            self.read_trace()
            jump.adopted = self.set_up != jump.set_up
        strict = not jump.adopted
        jump.new += not strict
        if unreadable:
            # After that it may be a table that a driver is just making.
            if strict:
                self.error("in the jump: %s" % unreadable)
            return
        if strict:
            jump.strict += 1
            for rid in others:
                self.error("in the jump: %s is present, before the new kernel adopted its unit" %
                           self.machine.requester(rid))
            for first, last, name in self.reader.tables():
                if not any(first <= rid <= last for rid in known):
                    self.error("in the jump: %s is present, with no frozen device" % name)
            return
        settled = []
        for rid, entry in others.items():
            self.check_other("in the jump: " + self.machine.requester(rid), entry, jump.memory)
            try:
                if self.reader.entry(rid) == entry:
                    settled.append((self.machine.requester(rid), entry))
            except self.machine.Unreadable:
                pass
        self.check_ids("in the jump", frozen + settled)

    def result(self):
        jumps = self.jumps + ([self.jump] if self.jump else [])
        if self.more_errors:
            self.errors.append("... and %d more" % self.more_errors)
            self.more_errors = 0
        return {"walks": self.walks, "marks": self.marks,
                "samples": {"jump": sum(j.samples for j in jumps),
                            "strict": sum(j.strict for j in jumps),
                            "boot": self.boot_samples},
                "jumps": [j.result() for j in jumps], "period_ms": 1000 * self.sample_s,
                "refused": sorted(self.refused), "unit_refused": self.unit_refused,
                "discarded": self.discarded, "provoked": self.provoked, "errors": self.errors}


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def main():
    parser = argparse.ArgumentParser(description="Walks the IOMMU's tables of a running machine.")
    parser.add_argument("--machine", required=True, help="file of machine/, without .py")
    parser.add_argument("--mem", required=True, help="the machine's memory, a file")
    parser.add_argument("--console", required=True, help="console log, lines with a time in front")
    parser.add_argument("--trace", required=True, help="QEMU's trace log")
    parser.add_argument("--run", required=True, type=bytes.fromhex, help="run id, hex")
    parser.add_argument("--out", required=True, help="where the result goes, JSON")
    parser.add_argument("--refused", action="append", default=[], metavar="BDF",
                        help="the new kernel must refuse this device")
    parser.add_argument("--unit-refused", action="store_true",
                        help="no unit is adopted: the root pointer may move")
    parser.add_argument("--until-pid", type=int, help="stop when this process is gone")
    args = parser.parse_args()

    sys.dont_write_bytecode = True
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    machine = importlib.import_module("machine." + args.machine).Machine()
    stop = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.append(True))
    with open(args.mem, "r+b") as f:
        mem = mmap.mmap(f.fileno(), 0)
    walker = Walker(machine, mem, args.console, args.trace, args.run, args.refused,
                    args.unit_refused)
    try:
        while not walker.done:
            # asked before: what was said last is read as well
            last = stop or args.until_pid and not alive(args.until_pid)
            walker.step()
            if last:
                break
            time.sleep(0.005)
    except Exception as e:  # pylint: disable=broad-except
        walker.error("the walker failed: %s: %s" % (type(e).__name__, e))
        raise
    finally:
        with open(args.out + ".new", "w", encoding="utf-8") as f:
            json.dump(walker.result(), f, indent=1)
        os.replace(args.out + ".new", args.out)


if __name__ == "__main__":
    main()
