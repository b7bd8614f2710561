#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the walker and of the judge of the trace, against tables and logs that are made up here.

A small machine with VT-d: root and context tables, second-stage tables, a box, a console and a
trace. Each rule is shown to hold on a good run and to fail when the thing that it is about is broken.
"""
import copy
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

sys.dont_write_bytecode = True
HIL = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, HIL)
# noqa: E402, pylint: disable=wrong-import-position
import run as runner
from judge import rules, scenario, trace, walk
from machine import vtd

PAGE = 4096
RUN = bytes(range(16))
NIC, OTHER = "0000:01:00.0", "0000:02:00.0"
IOVA = 1 << 38
MACHINE = vtd.Machine()


class Tables:
    """Writes VT-d tables into memory; pages are taken from `at` on."""

    def __init__(self, mem, at=0x100000):
        self.mem = mem
        self.at = at
        self.root = self.page()

    def page(self):
        self.at += PAGE
        self.mem[self.at - PAGE:self.at] = bytes(PAGE)
        return self.at - PAGE

    def get(self, at):
        return struct.unpack_from("<Q", self.mem, at)[0]

    def put(self, at, value):
        struct.pack_into("<Q", self.mem, at, value)

    def leaf_at(self, top, iova, level, levels):
        table = top
        for n in range(levels, level, -1):
            at = table + 8 * (iova >> 12 + 9 * (n - 1) & 511)
            if not self.get(at):
                self.put(at, self.page() | 3)
            table = self.get(at) & ~0xfff
        return table + 8 * (iova >> 12 + 9 * (level - 1) & 511)

    def domain(self, runs, levels=4, level=1):
        """Tables for (iova, pa, length, prot)."""
        top = self.page()
        size = PAGE << 9 * (level - 1)
        for iova, pa, length, prot in runs:
            for n in range(0, length, size):
                self.put(self.leaf_at(top, iova + n, level, levels),
                         pa + n | {"r": 1, "w": 2, "rw": 3}[prot] | (0x80 if level > 1 else 0))
        return top

    def context(self, bdf):
        rid = MACHINE.rid(bdf)
        at = self.root + 16 * (rid >> 8)
        if not self.get(at):
            self.put(at, self.page() | 1)
        return (self.get(at) & ~0xfff) + 16 * (rid & 0xff)

    def entry(self, bdf, top, did, levels=4, tt=0):
        at = self.context(bdf)
        self.put(at, top | tt << 2 | 1)
        self.put(at + 8, did << 8 | levels - 2)

    def clear(self, bdf):
        self.entry(bdf, 0, 0)
        self.put(self.context(bdf), 0)


class Rig(unittest.TestCase):
    """A walker over a made-up machine with one NIC, whose guest RAM is 3 pages in two pieces."""

    machine = MACHINE
    tables_of = Tables

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.console = os.path.join(folder.name, "console")
        self.trace = os.path.join(folder.name, "trace")
        for path in (self.console, self.trace):
            open(path, "w", encoding="utf-8").close()
        self.mem = bytearray(8 << 20)
        self.tables = self.tables_of(self.mem)
        self.seq = 0
        self.time = 0.0
        self.files = [{"id": 0, "size": 3 * PAGE, "runs": [[0, 0x40, 2], [2, 0x50, 1]]}]
        self.maps = [[IOVA, 2 * PAGE, 0, 0, "rw"], [IOVA + 2 * PAGE, PAGE, 0, 2 * PAGE, "r"]]
        self.runs = [(IOVA, 0x40000, 2 * PAGE, "rw"), (IOVA + 2 * PAGE, 0x50000, PAGE, "r")]
        self.walker = self.make()
        self.says(*self.boots())

    def boots(self):
        """What a kernel does to the unit first."""
        return "vtd_reg_dmar_root addr %#x scalable 0" % self.tables.root, "vtd_dmar_enable enable 1"

    def adopts(self):
        """What the next one does to it."""
        return ("vtd_reg_dmar_root addr %#x scalable 0" % self.tables.root,)

    def make(self, **more):
        walker = walk.Walker(self.machine, self.mem, self.console, self.trace, RUN, sample_ms=0, **more)
        self.addCleanup(walker.console.close)
        self.addCleanup(walker.trace.close)
        return walker

    def says(self, *lines):
        """QEMU writes trace lines."""
        with open(self.trace, "a", encoding="utf-8") as f:
            f.writelines(line + "\n" for line in lines)

    def prints(self, *lines):
        """The machine prints lines on its console."""
        self.time += 1
        with open(self.console, "a", encoding="utf-8") as f:
            f.writelines("%10.4f [    1.0] %s\n" % (self.time, line) for line in lines)

    def device(self, state="live", bdf=NIC, preserved=False, number=0):
        return {"dev": number, "bdf": bdf, "state": state, "space": 0, "preserved": preserved}

    def mark(self, name, *devices, boot=0, files=None, maps=None, spaces=None):
        """A mark of the VMM; returns what the walker found at it."""
        self.seq += 1
        text = json.dumps({"mark": name, "boot": boot, "memory_kib": 9, "devices": devices,
                           "files": self.files if files is None else files,
                           "spaces": spaces or [{"id": 0, "maps": self.maps if maps is None else maps}]})
        text = text.encode()
        header, data = 0x10000, 0x12000
        walk.HEADER.pack_into(self.mem, header, walk.MAGIC, RUN, boot, self.seq, 0, 1, len(text))
        struct.pack_into("<Q", self.mem, header + walk.HEADER.size, data // PAGE)
        self.mem[data:data + len(text)] = text
        self.prints("HIL: mark seq=%d name=%s box=0x%x" % (self.seq, name, header // PAGE))
        self.walker.step()
        self.assertEqual(struct.unpack_from("<I", self.mem, header + walk.ACK_AT)[0], self.seq)
        return self.walker.walks[-1] if self.walker.walks else None

    def attach(self, did=5, bdf=NIC, runs=None, **more):
        top = self.tables.domain(self.runs if runs is None else runs, **more)
        self.tables.entry(bdf, top, did, levels=more.get("levels", 4))
        return top

    def good(self):
        self.assertEqual(self.walker.errors, [])

    def bad(self, *patterns):
        """The errors are these and no others."""
        self.assertEqual(len(self.walker.errors), len(patterns), self.walker.errors)
        for error, pattern in zip(self.walker.errors, patterns):
            self.assertRegex(error, pattern)

    def frozen(self, bad=None, **more):
        """Up to a freeze: the old kernel has the NIC live and preserved, and has flipped it."""
        if more:
            self.walker = self.make(**more)
        self.attach(did=5)
        self.mark("freeze", self.device(preserved=True))
        return self.attach(did=6, runs=bad)

    def kexec(self):
        """The new kernel starts, adopts the unit and is about to print its first mark."""
        self.prints("Linux version 7.3")
        self.walker.step()
        self.says(*self.adopts())
        self.prints("iommu-freeze: dmar0: translation stays on")
        self.walker.step()


class Reading(Rig):
    def reader(self):
        return vtd.Reader(self.mem, self.tables.root)

    def walked(self):
        (rid, entry), = self.reader().requesters()
        self.assertEqual(entry, self.reader().entry(rid))
        return self.reader().walk(entry)

    def test_entry(self):
        top = self.attach(did=0x1234, levels=3)
        entry = self.reader().entry(0x100)
        self.assertEqual((entry.rid, entry.did, entry.tt, entry.levels, entry.top),
                         (0x100, 0x1234, 0, 3, top))
        self.assertIsNone(self.reader().entry(0x101))
        self.assertIsNone(self.reader().entry(0x8000))

    def test_levels(self):
        for levels in (3, 4, 5):
            self.attach(levels=levels)
            self.assertEqual(self.walked(), self.runs)

    def test_large_leaves(self):
        for level, size in ((2, 2 << 20), (3, 1 << 30)):
            runs = [(IOVA, 0, 2 * size, "rw"), (IOVA + 4 * size, 5 * size, size, "r")]
            self.attach(runs=runs, level=level)
            self.assertEqual(self.walked(), runs)

    def test_permission_of_upper_tables(self):
        top = self.attach()
        at = top + 8 * (IOVA >> 39)
        self.tables.put(at, self.tables.get(at) & ~2)
        self.assertEqual([run[3] for run in self.walked()], ["r", "r"])

    def test_unreadable(self):
        top = self.attach()
        leaf = self.tables.leaf_at(top, IOVA, 2, 4)
        for at, value, why in (
                (leaf, 0x200000 | 0x83 | PAGE, r"iova 0x4000000000: leaf .* reserved"),
                (leaf, len(self.mem) | 3, r"iova 0x4000000000: the table of level 1 .* outside of RAM"),
                (leaf, 0x100000 | 0x803, r"iova 0x4000000000: entry .* reserved"),
                (top, 0x83, r"iova 0x0: leaf .* of level 4 .* reserved"),
                (self.tables.context(NIC) + 8, 7, r"address width 7"),
                (self.tables.context(NIC), top | 3 << 2 | 1, r"translation type 3"),
                (self.tables.context(NIC), top | 1 << 5 | 1, r"context entry .* reserved"),
                (self.tables.root + 16, 1 | 1 << 4, r"root entry of bus 01.* reserved")):
            old = self.tables.get(at)
            self.tables.put(at, value)
            with self.assertRaisesRegex(vtd.Unreadable, why):
                self.walked()
            self.tables.put(at, old)
        self.assertEqual(self.walked(), self.runs)

    def test_outside_of_ram(self):
        self.attach()
        for root in (len(self.mem), 0x123):
            with self.assertRaisesRegex(vtd.Unreadable, "root table .* outside of RAM"):
                list(vtd.Reader(self.mem, root).requesters())
        with self.assertRaisesRegex(vtd.Unreadable, "root table .* outside of RAM"):
            vtd.Reader(self.mem, len(self.mem)).entry(0x100)
        self.tables.put(self.tables.root + 16, len(self.mem) | 1)
        with self.assertRaisesRegex(vtd.Unreadable, "context table of bus 01 .* outside of RAM"):
            self.walked()
        with self.assertRaisesRegex(vtd.Unreadable, "context table of bus 01 .* outside of RAM"):
            self.reader().entry(0x100)

    def test_passthrough(self):
        self.tables.entry(NIC, 0, 5, tt=2)
        self.assertTrue(self.reader().entry(0x100).passthrough)
        with self.assertRaisesRegex(vtd.Unreadable, "passes through"):
            self.walked()

    def test_loop(self):
        top = self.attach()
        for n in range(512):
            self.tables.put(top + 8 * n, top | 3)
        with self.assertRaisesRegex(vtd.Unreadable, "more than"):
            self.walked()

    def test_what_was_walked_before_is_looked_at_again(self):
        top = self.attach()
        reader = self.reader()
        entry = reader.entry(0x100)
        self.assertEqual(reader.walk(entry), self.runs)
        self.tables.put(self.tables.leaf_at(top, IOVA + 2 * PAGE, 1, 4), 0)
        self.assertEqual(reader.walk(entry), self.runs[:1])

    def test_speed(self):
        runs = [(IOVA + n * PAGE, n * 7 % 65536 << 12, PAGE, "rw") for n in range(33792)]
        self.attach(runs=runs)
        entry = self.reader().entry(0x100)

        def walked():
            self.assertEqual(len(self.reader().walk(entry)), len(runs))

        def plain():
            """What nobody can do without."""
            found = []
            for n, value in enumerate(struct.unpack("<33792Q", bytes(8 * 33792))):
                found.append((n, value))
        # a ratio, and the best of some: whoever else is at work here slows down both
        self.assertLess(self.fastest(walked), 30 * self.fastest(plain))

    @staticmethod
    def fastest(work):
        """Seconds of processor time."""
        times = []
        for _ in range(5):
            start = time.process_time()
            work()
            times.append(time.process_time() - start)
        return min(times)

    def test_trace_lines(self):
        events = vtd.Events()
        inv = "vtd_inv_desc invalidate desc type x high 0x0 low "
        for line, expected in (
                ("vtd_dmar_enable enable 0", ("translation", {"on": False})),
                ("vtd_ir_enable enable 1", ("irq_remapping", {"on": True})),
                ("vtd_reg_ir_root addr 0xb00000 size 0x10000",
                 ("irq_table", {"address": 0xb00000, "entries": 65536})),
                ("vtd_ir_remap_msi_req addr 0xfee00010 data 0x400", ("irq", {"remapped": None})),
                ("vtd_ir_remap_msi_req addr 0xfee00004 data 0x400", None),
                ("vtd_ir_remap_msi (addr 0xfee00010, data 0x400) -> (addr 0xfee00010, data 0x400)",
                 ("irq", {"remapped": False})),
                ("vtd_ir_remap_msi (addr 0xfee00010, data 0x0) -> (addr 0xfee00000, data 0x31)",
                 ("irq", {"remapped": True})),
                ("vtd_ir_remap_msi (addr 0xfee00000, data 0x3) -> (addr 0xfee00000, data 0x3)", None),
                (inv + "0x4", ("irq_invalidate", {})),
                ("vtd_reg_dmar_root addr 0xb85000 scalable 0",
                 ("root", {"address": 0xb85000, "readable": True})),
                ("vtd_reg_dmar_root addr 0xb85400 scalable 1",
                 ("root", {"address": 0xb85000, "readable": False})),
                (inv + "0x11", ("invalidate", {"kind": "context", "scope": "global", "did": None,
                                               "rid": None})),
                (inv + "0x10000050031", ("invalidate", {"kind": "context", "scope": "device",
                                                        "did": 5, "rid": 0x100})),
                (inv + "0x50021", ("invalidate", {"kind": "context", "scope": "domain", "did": 5,
                                                  "rid": None})),
                (inv + "0xd2", ("invalidate", {"kind": "iotlb", "scope": "global", "did": None,
                                               "rid": None})),
                (inv + "0x500e2", ("invalidate", {"kind": "iotlb", "scope": "domain", "did": 5,
                                                  "rid": None})),
                (inv + "0x500f2", ("invalidate", {"kind": "iotlb", "scope": "page", "did": 5,
                                                  "rid": None})),
                (inv + "0x100000014", None),
                ("vtd_inv_qi_enable enabled 1", ("queue", {"on": True})),
                ("vtd_dmar_fault sid 0x200 fault 2 addr 0x0 write 1",
                 ("fault", {"bdf": OTHER, "more": "fault 2 addr 0x0 write 1"})),
                ("vtd_fault_disabled Fault processing disabled for context entry",
                 ("fault", {"bdf": None, "more": "Fault processing disabled for context entry"})),
                ("pci_cfg_write ICH9 LPC 00:1f.0 @0x4 <- 0x103",
                 ("config_write", {"bdf": "0000:00:1f.0", "device": "ICH9 LPC", "offset": 4,
                                   "value": 0x103}))):
            self.assertEqual(events.parse(line + "\n"), expected)
        with self.assertRaisesRegex(ValueError, "vtd_ir_enable"):
            events.parse("vtd_ir_enable on\n")

    def test_arguments(self):
        paths = dict.fromkeys(("mem", "work", "trace", "kernel", "initrd"), "/x")
        for topology, word in (("port", "igb,bus=rp1,netdev=net1"),
                               ("root", "igb,bus=pcie.0,addr=0x6,netdev=net1"),
                               ("high", "pxb-pcie,id=high,bus=pcie.0,bus_nr=144")):
            scenario = {"MEMORY": "1536", "IOMMU": "", "NICS": "2", "TOPOLOGY": topology,
                        "DEVICES": "", "ICOUNT": ""}
            words = MACHINE.arguments(scenario, paths, "kho=on")
            self.assertIn(word, words)
            self.assertIn("intel-iommu,intremap=on,aw-bits=48", words)
            self.assertTrue(words[-1].endswith(" kho=on"))


class Runs(unittest.TestCase):
    """The arithmetic of runs."""

    def test_model(self):
        files = {7: [(0, 0x10, 4), (4, 0x14, 1), (8, 0x90, 8)]}
        self.assertEqual(walk.model([[0x9000, 0x2000, 7, 0x9000, "r"], [0x1000, 0x5000, 7, 0, "rw"]],
                                    files),
                         [(0x1000, 0x10000, 0x5000, "rw"), (0x9000, 0x91000, 0x2000, "r")])
        for maps, why in (([[0, 0x2000, 7, 0x4000, "r"]], "iova 0x1000: page 5 of file 7"),
                          ([[0, 0x1000, 7, 0x10000, "r"]], "iova 0x0: page 16 of file 7"),
                          ([[0, 0x1000, 8, 0, "r"]], "file 8")):
            with self.assertRaisesRegex(walk.BadBox, why):
                walk.model(maps, files)

    def test_difference(self):
        good = [(0x1000, 0x8000, 0x3000, "rw"), (0x9000, 0x1000, 0x1000, "r")]
        self.assertIsNone(walk.difference(good, list(good)))
        for found, text in (
                ([good[0]], "iova 0x9000: expected 0x1000 r, found nothing"),
                ([good[1]], "iova 0x1000: expected 0x8000 rw, found nothing"),
                ([], "iova 0x1000: expected 0x8000 rw, found nothing"),
                (good + [(0xb000, 0, 0x1000, "r")], "iova 0xb000: expected nothing, found 0x0 r"),
                ([good[0], (0x9000, 0x1000, 0x1000, "rw")],
                 "iova 0x9000: expected 0x1000 r, found 0x1000 rw"),
                ([(0x1000, 0x8000, 0x2000, "rw"), good[1]],
                 "iova 0x3000: expected 0xa000 rw, found nothing"),
                ([(0x1000, 0x8000, 0x2000, "rw"), (0x3000, 0xf000, 0x1000, "rw"), good[1]],
                 "iova 0x3000: expected 0xa000 rw, found 0xf000 rw"),
                ([(0x0, 0x7000, 0x4000, "rw"), good[1]],
                 "iova 0x0: expected nothing, found 0x7000 rw")):
            self.assertEqual(walk.difference(good, found), text)

    def test_within(self):
        runs = [(0x1000, 0x8000, 0x9000, "rw"), (0x20000, 0x0, 0x1000, "r")]
        self.assertEqual(walk.within(runs, [(0x2000, 0, 0x1000, ""), (0x4000, 0, 0x1000, ""),
                                            (0x5000, 9, 0x10000, ""), (0x20000, 0, 0x9000, "")]),
                         [(0x2000, 0x9000, 0x1000, "rw"), (0x4000, 0xb000, 0x6000, "rw"),
                          (0x20000, 0x0, 0x1000, "r")])
        self.assertEqual(walk.within(runs, []), [])
        self.assertEqual(walk.within([], runs), [])

    def test_memory(self):
        memory = walk.Memory([(9, 1), (4, 2), (6, 2)])
        self.assertEqual(memory.reached([(0, 0x3000, 0x2000, "r")]), (0x1000, 0x4000))
        self.assertIsNone(memory.reached([(0, 0x1000, 0x3000, "r"), (0x8000, 0x8000, 0x1000, "r")]))
        self.assertEqual(memory.left([(0, 0x4000, 0x6000, "r")]), (0x4000, 0x8000))
        self.assertIsNone(memory.left([(0, 0x4000, 0x4000, "r"), (0x5000, 0x9000, 0x1000, "r")]))


class Marks(Rig):
    def test_good(self):
        self.mark("boot")
        top = self.attach()
        found = self.mark("attached", self.device())
        self.good()
        self.assertEqual(found["requesters"], {NIC: {
            "did": 5, "levels": 4, "top": top, "tt": 0, "doorbell": False, "runs": 2, "read_only": 1, "pages": 3}})
        self.assertEqual((found["root"], found["seq"], found["boot"], found["at_s"]),
                         (self.tables.root, 2, 0, 2.0))
        self.assertEqual(found["trace_offset"], os.path.getsize(self.trace))
        self.assertNotIn("maps", json.dumps(found))

    def test_box(self):
        self.mark("boot")
        self.mem[0x10008] ^= 1  # its run id, at the next look
        self.prints("HIL: mark seq=9 name=x box=0x10")
        self.walker.step()
        self.assertEqual(struct.unpack_from("<I", self.mem, 0x10000 + walk.ACK_AT)[0], 9)
        self.prints("HIL: mark seq=10 name=x box=0x11", "HIL: mark seq=11 name=x box=0x99999")
        self.walker.step()
        self.bad("mark x: the box: it is of run", "no header at 0x11000", "outside of RAM")
        self.assertEqual(self.walker.marks, 4)

    def test_box_of_another_mark(self):
        self.seq = 7
        self.mark("boot")
        self.prints("HIL: mark seq=9 name=boot box=0x10", "HIL: mark seq=8 name=x box=0x10")
        self.walker.step()
        self.bad("mark boot: the box is of mark boot, seq 8 and not 9",
                 "mark x: the box is of mark boot, seq 8 and not 8")

    def test_trace_that_cannot_be_read(self):
        self.says("vtd_dmar_enable maybe")
        self.mark("boot")
        self.bad("QEMU's trace has 'vtd_dmar_enable maybe'")

    def test_tables_that_cannot_be_read(self):
        self.tables.put(self.tables.root + 16, len(self.mem) | 1)
        self.mark("boot")
        self.bad("mark boot: the context table of bus 01 .* outside of RAM")

    def test_half_a_line_waits(self):
        with open(self.console, "a", encoding="utf-8") as f:
            f.write("    1.0000 [ 0.1] HIL: mark seq=1 name=boot b")
        self.walker.step()
        self.assertEqual(self.walker.marks, 0)

    def test_box_text(self):
        self.mark("boot", self.device("sleeping"))
        self.bad("device 0000:01:00.0 is 'sleeping'")

    def test_r1_page(self):
        top = self.attach()
        at = self.tables.leaf_at(top, IOVA + PAGE, 1, 4)
        self.tables.put(at, 0x50000 | 3)
        self.mark("attached", self.device())
        self.bad("^mark attached: 0000:01:00.0: iova 0x4000001000: expected 0x41000 rw, "
                 "found 0x50000 rw$")

    def test_r1_permission(self):
        self.attach(runs=[self.runs[0], self.runs[1][:3] + ("rw",)])
        self.mark("attached", self.device())
        self.bad("iova 0x4000002000: expected 0x50000 r, found 0x50000 rw$")

    def test_r1_no_entry(self):
        self.mark("attached", self.device())
        self.bad("no entry is present: iova 0x4000000000: expected 0x40000 rw, found nothing")

    def test_r1_passthrough(self):
        self.tables.entry(NIC, 0, 5, tt=2)
        self.mark("attached", self.device())
        self.bad("0000:01:00.0: passes through")

    def test_r1_translation_off(self):
        self.attach()
        self.says("vtd_dmar_enable enable 0")
        self.mark("attached", self.device())
        self.bad("0000:01:00.0: translation is off")

    def test_r1_page_not_told(self):
        self.attach()
        self.mark("attached", self.device(), files=[{"id": 0, "size": 0, "runs": [[0, 0x40, 2]]}])
        self.bad("the box: iova 0x4000002000: page 2 of file 0 is mapped")

    def test_r2(self):
        self.mark("attached", self.device("blocked"))
        self.attach(runs=[])
        self.mark("attached", self.device("blocked"))
        self.good()
        self.attach()
        self.mark("detached", self.device("blocked"))
        self.bad("mark detached: 0000:01:00.0: is blocked, and reaches iova 0x4000000000 -> 0x40000")

    def test_r4(self):
        self.mark("boot")
        self.attach(bdf=OTHER, runs=[(0, 0x60000, PAGE, "rw")])
        self.mark("a")
        self.good()
        self.attach(bdf=OTHER, runs=[(0, 0x4f000, 3 * PAGE, "rw")])
        self.mark("b")
        self.tables.entry(OTHER, 0, 5, tt=2)
        self.mark("c")
        self.bad("mark b: 0000:02:00.0: is not the VMM's, and reaches guest RAM: iova 0x1000 -> 0x50000",
                 "mark c: 0000:02:00.0: is not the VMM's: passes through")

    def test_r4_closed(self):
        self.attach()
        self.mark("attached", self.device())
        self.mark("closed")
        self.bad("mark closed: 0000:01:00.0: is not the VMM's, and reaches guest RAM")

    def test_r5(self):
        self.attach(runs=self.runs + [(1 << 40, 0x60000, PAGE, "rw")])
        self.mark("attached", self.device())
        self.bad("iova 0x10000000000: expected nothing, found 0x60000 rw",
                 "iova 0x10000000000 reaches 0x60000, outside of guest RAM")

    def test_r7_unknown(self):
        self.walker.root = None
        self.walker.trace.lines()
        self.attach()
        self.mark("attached", self.device())
        self.bad("mark attached: the root pointer is not known")

    def test_r7_mode(self):
        self.says("vtd_reg_dmar_root addr 0x1000 scalable 1")
        self.mark("boot")
        self.good()
        self.mark("attached", self.device())
        self.bad("of a mode that machine/vtd.py does not read")

    def move_root(self, name, boot, **more):
        self.walker = self.make(**more)
        self.mark("freeze")
        self.says("vtd_reg_dmar_root addr %#x scalable 0" % self.tables.page())
        self.mark(name, boot=boot)

    def test_r7_moves(self):
        self.move_root("rolled-back", 0)
        self.bad("mark rolled-back: the root pointer moved from %#x" % self.tables.root)

    def test_r7_may_move(self):
        self.move_root("rolled-back", 0, unit_refused=True)
        self.good()

    def test_r7_nothing_taken_along(self):
        self.move_root("boot", 1)
        self.good()

    def test_a_fault_of_ours_is_answered(self):
        self.walker.check_device = None
        self.mark("boot", self.device())
        self.bad("mark boot: the walker failed: TypeError")


class Kexec(Rig):
    def test_good(self):
        self.frozen()
        self.kexec()
        self.mark("boot", boot=1)
        self.mark("retrieved", self.device("frozen"), boot=1)
        self.attach(did=7)
        self.mark("attached", self.device(), boot=1)
        self.tables.clear(NIC)
        self.mark("end", boot=1)
        self.good()
        result = self.walker.result()
        jump = result["jumps"][0]
        self.assertEqual((jump["old"], jump["strict"], jump["new"], jump["samples"]), (1, 1, 1, 3))
        self.assertGreater(jump["ms"], 0)
        self.assertEqual(result["jumps"][0]["dids"], {NIC: [5, 6]})
        self.assertEqual(result["jumps"][0]["ended"], "boot")
        self.assertEqual(result["walks"][0]["preserved"], [NIC])

    def test_r3_not_listed(self):
        top = self.frozen()
        self.kexec()
        self.tables.put(self.tables.leaf_at(top, IOVA, 1, 4), 0)
        self.walker.next_sample = float("inf")
        self.mark("boot", boot=1)
        self.bad("mark boot: 0000:01:00.0: iova 0x4000000000: expected 0x40000 rw, found nothing")

    def test_r3_gone(self):
        self.frozen()
        self.kexec()
        self.walker.next_sample = float("inf")
        self.tables.clear(NIC)
        self.mark("boot", boot=1)
        self.mark("retrieved", self.device("frozen"), boot=1)
        self.bad("mark boot: 0000:01:00.0: no entry", "mark retrieved: 0000:01:00.0: no entry")

    def test_r3_the_vmm_has_another_map(self):
        """What binds a frozen device is what was frozen, and not the VMM's new list."""
        self.frozen()
        self.kexec()
        self.mark("retrieved", self.device("frozen"), boot=1, maps=[])
        self.good()

    def test_r3_live_is_less(self):
        self.frozen()
        self.kexec()
        self.mark("retrieved", self.device("frozen"), boot=1)
        self.attach(runs=self.runs[:1])
        self.mark("attached", self.device(), boot=1, maps=self.maps[:1])
        self.bad("mark attached: .*iova 0x4000002000: expected 0x50000 r, found nothing, "
                 "by its frozen map")

    def test_r3_live_is_more(self):
        self.frozen()
        self.kexec()
        self.mark("retrieved", self.device("frozen"), boot=1)
        self.attach(runs=self.runs + [(IOVA + 8 * PAGE, 0x40000, PAGE, "r")])
        self.mark("attached", self.device(), boot=1,
                  maps=self.maps + [[IOVA + 8 * PAGE, PAGE, 0, 0, "r"]])
        self.good()

    def test_r3_page_moved(self):
        self.frozen()
        self.kexec()
        self.mark("retrieved", self.device("frozen"), boot=1,
                  files=[{"id": 0, "size": 0, "runs": [[0, 0x40, 1], [1, 0x66, 1], [2, 0x50, 1]]}])
        self.bad("mark retrieved: file 0: page 1 moved from 0x41000 to 0x66000")

    def test_r3_not_preserved(self):
        self.mark("freeze")
        self.attach()
        self.mark("retrieved", self.device("frozen"), boot=1)
        self.bad("is frozen, and was not preserved")

    def test_r3_closed_again(self):
        self.frozen()
        self.kexec()
        self.mark("retrieved", self.device("frozen"), boot=1)
        self.mark("closed", boot=1)
        self.good()
        self.tables.clear(NIC)
        self.mark("still", boot=1)
        self.bad("mark still: 0000:01:00.0: no entry", "after boot: 0000:01:00.0: no entry")

    def test_r3_stopped_with_the_machine(self):
        """A device that nobody came back for is stopped in the power off, which has no mark."""
        self.frozen()
        self.kexec()
        self.mark("boot", boot=1)
        self.mark("end", boot=1)
        self.tables.clear(NIC)
        self.walker.step()
        self.good()

    def test_given_up(self):
        self.frozen()
        self.kexec()
        self.mark("boot", boot=1)
        self.tables.clear(NIC)
        self.mark("opened", self.device("blocked"), boot=1)
        self.attach(runs=[(0, 0x70000, PAGE, "rw")])
        self.mark("attached", self.device(), boot=1, maps=[[0, PAGE, 0, 0, "rw"]],
                  files=[{"id": 0, "size": PAGE, "runs": [[0, 0x70, 1]]}])
        self.good()

    def test_discarded(self):
        self.frozen()
        self.kexec()
        self.mark("boot", boot=1)
        self.prints("HIL: ok: tool 0 discard 01:00.0")
        self.mark("early", boot=1)
        self.tables.clear(NIC)
        self.mark("late", boot=1)
        self.bad("mark early: 0000:01:00.0: is blocked, and reaches")
        self.assertEqual(self.walker.result()["discarded"], [{"bdf": NIC, "after": 1}])

    def test_r4_pages_of_the_old_kernel(self):
        self.frozen()
        self.kexec()
        self.walker.next_sample = float("inf")
        self.attach(bdf=OTHER, runs=[(0, 0x50000, PAGE, "r")])
        self.mark("boot", boot=1, files=[])
        self.bad("mark boot: 0000:02:00.0: is not the VMM's, and reaches guest RAM")

    def test_r6(self):
        self.frozen(refused=[NIC])
        self.tables.clear(NIC)
        self.kexec()
        self.mark("boot", boot=1)
        self.mark("opened", self.device("blocked"), boot=1)
        self.attach()
        self.mark("attached", self.device(), boot=1)
        self.good()

    def test_r6_reaches(self):
        self.frozen(refused=[NIC])
        self.kexec()
        self.mark("boot", boot=1)
        self.bad("mark boot: 0000:01:00.0: is blocked, and reaches")

    def test_second_kexec(self):
        self.frozen()
        self.kexec()
        self.mark("boot", boot=1)
        self.mark("retrieved", self.device("frozen"), boot=1)
        self.attach(did=7)
        self.mark("attached", self.device(), boot=1)
        self.mark("freeze", self.device(preserved=True), boot=1)
        self.attach(did=8)
        self.kexec()
        self.mark("boot", boot=2)
        self.good()
        self.assertEqual([j["dids"][NIC] for j in self.walker.result()["jumps"]], [[5, 6], [7, 8]])

    def test_rolled_back(self):
        self.frozen()
        self.walker.step()
        self.attach(did=5)
        self.mark("rolled-back", self.device(preserved=True))
        self.assertIsNone(self.walker.jump)
        self.good()

    def test_j1_before_the_new_kernel(self):
        self.frozen()
        self.walker.step()
        self.good()
        self.tables.clear(NIC)
        self.walker.step()
        self.bad("in the jump: 0000:01:00.0: no entry is present")

    def test_j1_translates_otherwise(self):
        self.frozen(bad=[(IOVA, 0x41000, 2 * PAGE, "rw"), self.runs[1]])
        self.walker.step()
        self.bad("in the jump: 0000:01:00.0: iova 0x4000000000: expected 0x40000 rw, "
                 "found 0x41000 rw")

    def test_j1_unreadable(self):
        self.frozen()
        self.tables.put(self.tables.root + 16, len(self.mem) | 1)
        self.walker.step()
        self.bad("in the jump: 0000:01:00.0: the context table of bus 01 .* outside of RAM")

    def test_j1_translation_off(self):
        self.frozen()
        self.says("vtd_dmar_enable enable 0")
        self.walker.step()
        self.bad("in the jump: 0000:01:00.0: translation is off")

    def test_j1_not_while_refused(self):
        self.frozen(refused=[NIC])
        self.tables.clear(NIC)
        self.kexec()
        self.good()

    def test_j4(self):
        self.says("vtd_reg_ir_root addr 0x200000 size 0x100", "vtd_ir_enable enable 1")
        self.mem[0x200010] = 1
        self.frozen()
        self.walker.step()
        self.good()  # the old kernel is still at work
        self.says("vtd_reg_ir_root addr 0x210000 size 0x100")
        self.kexec()
        self.says("vtd_reg_ir_root addr 0x220000 size 0x100")
        self.mem[0x220020] = 1
        self.walker.step()
        self.good()
        self.assertGreater(self.walker.jump.irq_samples, 0)

    def test_j4_left(self):
        self.says("vtd_reg_ir_root addr 0x200000 size 0x100", "vtd_ir_enable enable 1")
        self.frozen()
        self.kexec()
        self.bad("^in the jump: interrupts are remapped by the table of a kernel that is gone$")

    def test_j4_not_empty(self):
        self.says("vtd_reg_ir_root addr 0x200000 size 0x100", "vtd_ir_enable enable 1")
        self.frozen()
        self.says("vtd_reg_ir_root addr 0x210000 size 0x100")
        self.mem[0x210020] = 1
        self.kexec()
        self.bad("^in the jump: entry 2 of the old kernel's last table of interrupts is present$")

    def test_j4_outside_of_ram(self):
        self.says("vtd_reg_ir_root addr 0x10000000 size 0x100", "vtd_ir_enable enable 1")
        self.frozen()
        self.walker.step()
        self.bad("the table of interrupts at 0x10000000 is outside of RAM")

    def test_j2(self):
        self.attach(bdf=OTHER, did=9, runs=[])
        self.frozen()
        self.walker.step()
        self.good()  # the old kernel is still at work
        self.kexec()
        self.bad("^in the jump: 0000:02:00.0 is present",
                 "^in the jump: the root entry of bus 02 is present, with no frozen device")

    def test_j2_beside_it(self):
        """On the bus of the frozen device, whose table has to stay."""
        self.attach(bdf=NIC[:-1] + "1", did=9, runs=[])
        self.frozen()
        self.kexec()
        self.bad("^in the jump: 0000:01:00.1 is present")

    def test_r8(self):
        self.attach(did=5)
        self.attach(bdf=OTHER, did=5, runs=[])
        self.mark("attached", self.device())
        self.bad("0000:01:00.0 and 0000:02:00.0 have domain id 5 and different tables")

    def test_r8_other_width(self):
        top = self.attach(did=5)
        self.tables.entry(OTHER, top, 5, levels=3)
        self.mark("attached", self.device())
        self.walker.errors = [e for e in self.walker.errors if "domain id" in e]
        self.bad("0000:01:00.0 and 0000:02:00.0 have domain id 5 and different tables")

    def test_r8_in_the_jump(self):
        self.frozen()
        self.kexec()
        self.attach(bdf=OTHER, did=9, runs=[])
        self.walker.step()
        self.good()
        self.attach(bdf=OTHER, did=6, runs=[])
        self.walker.step()
        self.bad("in the jump: 0000:01:00.0 and 0000:02:00.0 have domain id 6 and different tables")

    def test_j2_unreadable(self):
        self.frozen()
        self.tables.put(self.tables.root + 32, len(self.mem) | 1)
        self.prints("Linux version 7.3")
        self.walker.step()
        self.bad("in the jump: the context table of bus 02 .* outside of RAM")

    def test_j2_the_console_is_late(self):
        """A driver's entry after the adoption, before the console has told of it."""
        self.frozen()
        self.prints("Linux version 7.3")
        self.walker.step()
        self.says("vtd_reg_dmar_root addr %#x scalable 0" % self.tables.root)
        self.attach(bdf=OTHER, did=9, runs=[])
        self.walker.step()
        self.good()
        self.assertEqual(self.walker.result()["samples"]["strict"], 1)

    def test_j3(self):
        self.frozen()
        self.kexec()
        self.attach(bdf=OTHER, did=9, runs=[(0, 0x70000, PAGE, "rw")])
        self.walker.step()
        self.good()
        self.attach(bdf=OTHER, did=9, runs=[(0, 0x40000, PAGE, "rw")])
        self.walker.step()
        self.bad("in the jump: 0000:02:00.0: is not the VMM's, and reaches guest RAM")

    def test_nothing_preserved_nothing_sampled(self):
        self.attach()
        self.mark("freeze", self.device())
        self.assertIsNone(self.walker.jump)

    def test_errors_are_few(self):
        for n in range(60):
            self.walker.error("%d" % n)
            self.walker.error("0")
        result = self.walker.result()
        self.assertEqual((len(result["errors"]), result["errors"][-1]), (51, "... and 10 more"))


class Program(Rig):
    """The walker as a program of its own."""

    def test_program(self):
        folder = os.path.dirname(self.console)
        mem, out = os.path.join(folder, "mem"), os.path.join(folder, "out.json")
        with open(mem, "wb") as f:
            f.write(self.mem)
        self.prints("HIL: mark seq=1 name=boot box=0x77777", "HIL: done")
        subprocess.run([sys.executable, walk.__file__, "--machine", "vtd", "--mem", mem,
                        "--console", self.console, "--trace", self.trace, "--run", RUN.hex(),
                        "--out", out, "--until-pid", str(os.getpid())], check=True, timeout=60)
        with open(out, encoding="utf-8") as f:
            result = json.load(f)
        self.assertEqual((result["marks"], result["walks"]), (1, []))
        self.assertRegex(result["errors"][0], "outside of RAM")


IEC = "vtd_inv_desc invalidate desc type iec high 0x0 low 0x4"


class TraceRig(unittest.TestCase):
    """The judge of the trace. A run is a list of marks and of lines of the trace."""

    machine = MACHINE
    # firmware and first kernel
    START = ["pci_cfg_write pcie-root-port 00:01.0 @0x19 <- 0x1",
             "pci_cfg_write pcie-root-port 00:01.0 @0x1a <- 0x1",
             "pci_cfg_write pcie-root-port 00:01.0 @0x4 <- 0x107",
             "pci_cfg_write igb 01:00.0 @0x18 <- 0xc000",
             "vtd_inv_qi_enable enabled 1",
             "vtd_reg_ir_root addr 0xb00000 size 0x10000", IEC,
             "vtd_ir_enable enable 1",
             "vtd_ir_remap_msi_req addr 0xfee00018 data 0x0",
             "vtd_ir_remap_msi (addr 0xfee00018, data 0x0) -> (addr 0xfee01004, data 0x31)",
             "vtd_reg_dmar_root addr 0xb85000 scalable 0",
             "vtd_dmar_enable enable 1",
             "pci_cfg_write igb 01:00.0 @0x44 <- 0x3",
             "pci_cfg_write igb 01:00.0 @0x44 <- 0x0",
             "pci_cfg_write igb 01:00.0 @0xa8 <- 0x8000",
             "pci_cfg_write igb 01:00.0 @0x72 <- 0x8009",
             "pci_cfg_write igb 01:00.0 @0x168 <- 0x11",
             "pci_cfg_write igb 01:00.0 @0x4 <- 0x507"]
    SHUTDOWN = ["vtd_inv_desc invalidate desc type context-cache high 0x0 low 0x11",
                "vtd_inv_desc invalidate desc type iotlb high 0x0 low 0xd2",
                "vtd_reg_ir_root addr 0xa00000 size 0x100", IEC,
                "vtd_ir_remap_msi_req addr 0xfee00010 data 0x400",
                "vtd_inv_qi_enable enabled 0", "vtd_inv_qi_enable enabled 1",
                "vtd_reg_ir_root addr 0xb10000 size 0x10000", IEC,
                "pci_cfg_write pcie-root-port 00:01.0 @0x4 <- 0x104",
                "pci_cfg_write pcie-root-port 00:01.0 @0x18 <- 0x10100",
                "pci_cfg_write igb 01:00.0 @0x4 <- 0x504",
                "pci_cfg_write igb 01:00.0 @0xa8 <- 0x100",
                "pci_cfg_write igb 01:00.0 @0x168 <- 0x11",
                "vtd_reg_dmar_root addr 0xb85000 scalable 0"]
    OFF = ["vtd_dmar_enable enable 0"]

    def flush(self, *dids):
        lines = []
        for did in dids:
            lines += ["vtd_inv_desc invalidate desc type context-cache high 0x0 low %#x" %
                      (0x10000000031 | did << 16),
                      "vtd_inv_desc invalidate desc type iotlb high 0x0 low %#x" % (0xe2 | did << 16)]
        return lines

    def judged(self, *parts, extra=None, devices=(), **more):
        """Parts are lists of trace lines, and marks (name, boot, state, did, preserved).

        `devices` are live besides, with domain id 7.
        """
        text, walks = "", []
        for part in parts:
            if isinstance(part, list):
                text += "".join(line + "\n" for line in part)
                continue
            name, boot, state, did, *preserved = part
            walks.append({
                "mark": name, "boot": boot, "seq": 1, "trace_offset": len(text),
                "devices": [{"dev": 0, "bdf": NIC, "state": state, "preserved": bool(preserved)}]
                if state else [],
                "requesters": {NIC: {"did": did}} if did else {},
                "preserved": [NIC] if preserved else []})
            for bdf in devices:
                walks[-1]["devices"].append({"dev": 1, "bdf": bdf, "state": "live",
                                             "preserved": False})
                walks[-1]["requesters"][bdf] = {"did": 7}
        self.walk = dict({"walks": walks, "jumps": []}, **more)
        with tempfile.NamedTemporaryFile("w", suffix=".trace") as f:
            f.write(text + (extra or ""))
            f.flush()
            return trace.judge(f.name, self.walk, self.machine)

    def kexec(self, freeze=None, jump=(), before=(), replace=None, last=(), **more):
        """A whole run with one kexec."""
        return self.judged(
            self.START, ("boot", 0, None, 0), ("attached", 0, "live", 5),
            ("freeze", 0, "live", 5, True), self.flush(5, 6) if freeze is None else freeze,
            self.SHUTDOWN, list(jump), ("boot", 1, None, 6), ("retrieved", 1, "frozen", 6),
            list(before), ("replace", 1, "frozen", 6),
            self.flush(6, 7) if replace is None else replace, ("attached", 1, "live", 7),
            list(last), ("end", 1, "live", 7), self.OFF, **more)

    def errors(self, result, *patterns):
        self.assertEqual(len(result["errors"]), len(patterns), result["errors"])
        for error, pattern in zip(result["errors"], patterns):
            self.assertRegex(error, pattern)


class Trace(TraceRig):
    """... of VT-d."""

    def test_good(self):
        result = self.kexec()
        self.errors(result)
        figures = result["figures"]
        self.assertEqual((figures["freezes"], figures["replaces"], figures["invalidations"]),
                         (1, 1, 10))
        self.assertEqual((figures["irqs_refused"], figures["irqs_refused_in_jump"],
                          figures["irqs_raw"]), (1, 1, 0))
        self.assertTrue(figures["bus_master"][NIC])
        self.assertEqual(figures["stopped"], {NIC: 0})
        self.assertTrue(figures["bus_master_at_boot"][1][NIC])
        self.assertTrue(self.walk["walks"][-1]["bus_master"][NIC])

    def test_t1(self):
        result = self.kexec(jump=["vtd_dmar_enable enable 0", "vtd_dmar_enable enable 1"])
        self.errors(result, "^translation-off: bus mastering was on in 0000:01:00.0$")

    def test_t1_nobody_can_do_dma(self):
        self.errors(self.judged(self.START, ["pci_cfg_write igb 01:00.0 @0x4 <- 0x503",
                                             "vtd_dmar_enable enable 0"]))

    def test_t1_comes_on_meanwhile(self):
        """Who is silent when translation goes off must be so until it is on again."""
        off = ["pci_cfg_write igb 01:00.0 @0x4 <- 0x503", "vtd_dmar_enable enable 0"]
        master = "pci_cfg_write igb 01:00.0 @0x4 <- 0x507"
        self.errors(self.judged(self.START, off, [master, "vtd_dmar_enable enable 1"]),
                    "^translation-off: bus mastering came on in 0000:01:00.0 meanwhile$")
        self.errors(self.judged(self.START, off, ["vtd_dmar_enable enable 1", master]))
        self.errors(self.judged(self.START, off, [master.replace("igb 01", "pcie-root-port 01")]))
        # firmware, and the machine's end
        self.errors(self.judged([master], self.START))
        self.errors(self.judged(self.START, off, ("end", 0, None, 0), [master]))

    def test_t1_handover(self):
        """The unit of a device that is handed over stays on, even while that could do no DMA."""
        off = ["pci_cfg_write igb 01:00.0 @0x4 <- 0x503", "vtd_dmar_enable enable 0",
               "vtd_dmar_enable enable 1", "pci_cfg_write igb 01:00.0 @0x4 <- 0x507"]
        cleared, handed = "^bus-master-cleared", "^translation-off: 0000:01:00.0 was being handed over"
        self.errors(self.kexec(jump=off), cleared, handed)
        self.errors(self.kexec(before=off), cleared, handed)
        self.errors(self.kexec(last=off))
        # The next kernel must stop it, and its unit: with that adopted the others need it, too.
        self.errors(self.kexec(jump=off, refused=[NIC]), handed)
        self.errors(self.kexec(jump=off, refused=[NIC], unit_refused=True))
        # Nothing was preserved.
        self.errors(self.judged(self.START, ("freeze", 0, "live", 5), off, ("boot", 1, None, 0)))

    def test_t2(self):
        off = ["vtd_ir_enable enable 0", "vtd_ir_enable enable 1"]
        self.errors(self.kexec(jump=off),
                    "^irq-remapping-off: bus mastering was on in 0000:01:00.0$")

        class Loose(vtd.Machine):
            IRQ_REMAPPING_MUST_STAY = False
        self.machine = Loose()
        self.errors(self.kexec(jump=off))

    def test_t2_table(self):
        def without(*away):
            self.SHUTDOWN = [line for n, line in enumerate(Trace.SHUTDOWN) if n not in away]
            return self.kexec()
        table = Trace.SHUTDOWN.index("vtd_reg_ir_root addr 0xa00000 size 0x100")
        self.errors(without(table, table + 1), "^irq-table-left: .* gone, at 0xb00000$")
        self.errors(without(table + 1), "^no-invalidation: the old kernel's last table of interrupts")
        # The same one again is no other.
        self.SHUTDOWN = list(Trace.SHUTDOWN)
        self.SHUTDOWN[table] = "vtd_reg_ir_root addr 0xb00000 size 0x10000"
        self.errors(self.kexec(), "^irq-table-left")
        # Nothing is remapped.
        self.START = [line for line in Trace.START if not line.startswith("vtd_ir_enable")]
        self.errors(without(table, table + 1))

    def test_t2_raw(self):
        raw = ["vtd_ir_remap_msi_req addr 0xfee00010 data 0x400",
               "vtd_ir_remap_msi (addr 0xfee00010, data 0x400) -> (addr 0xfee00010, data 0x400)"]
        result = self.kexec(jump=raw * 3)
        self.errors(result, "^irq-raw: an interrupt came through as it was sent")
        self.assertEqual(result["figures"]["irqs_raw"], 3)

    def test_t3(self):
        move = ["vtd_reg_dmar_root addr 0xb86000 scalable 0"]
        self.errors(self.kexec(jump=move), "^root-moved: from 0xb85000 to 0xb86000")
        self.errors(self.kexec(jump=move, unit_refused=True))

    def test_t3_nothing_taken_along(self):
        """The next kernel starts from nothing, but not when the kexec was refused."""
        move = ["vtd_reg_dmar_root addr 0xb86000 scalable 0"]
        parts = (self.START, ("boot", 0, None, 0), ("freeze", 0, "live", 5, True),
                 self.flush(5, 6), self.SHUTDOWN, ("boot", 1, None, 6), ("freeze", 1, None, 6))
        stop = ["pci_cfg_write igb 01:00.0 @0x4 <- 0x503"]
        discarded = [{"bdf": NIC, "after": 2}]
        self.errors(self.judged(*parts, stop, move, ("boot", 2, None, 0), discarded=discarded))
        self.errors(self.judged(*parts, ("rolled-back", 1, None, 6), stop, move,
                                ("end", 1, None, 0), discarded=discarded), "^root-moved")

    def test_t4(self):
        for line, pattern in (
                ("igb 01:00.0 @0x4 <- 0x503", "^bus-master-cleared: 0000:01:00.0"),
                ("pcie-root-port 00:01.0 @0x4 <- 0x103",
                 "^bus-master-cleared: bridge 0000:00:01.0 above 0000:01:00.0"),
                ("igb 01:00.0 @0x44 <- 0x3", "^power-state: 0000:01:00.0: D3"),
                ("igb 01:00.0 @0xa8 <- 0x8000", "^reset: 0000:01:00.0: FLR"),
                ("igb 01:00.0 @0xa9 <- 0x80", "^reset: 0000:01:00.0: FLR"),
                ("pcie-root-port 00:01.0 @0x3e <- 0x42",
                 "^reset: bridge 0000:00:01.0 above 0000:01:00.0: its secondary bus"),
                ("igb 01:00.0 @0x72 <- 0x9", "^capability-cleared: 0000:01:00.0: MSI-X"),
                ("igb 01:00.0 @0x70 <- 0x90011", "^capability-cleared: 0000:01:00.0: MSI-X"),
                ("igb 01:00.0 @0x168 <- 0x10", "^capability-cleared: 0000:01:00.0: VF"),
                ("pcie-root-port 00:01.0 @0x18 <- 0x20200",
                 "^bridge-changed: bridge 0000:00:01.0 above 0000:01:00.0: "
                 "bus numbers 00/01/01 became 00/02/02"),
                ("pcie-root-port 00:01.0 @0x18 <- 0x0", "^bridge-changed: .* became 00/00/00"),
                ("pcie-root-port 00:01.0 @0x1a <- 0x9", "^bridge-changed: .* became 00/01/09")):
            line = ["pci_cfg_write " + line]
            self.errors(self.kexec(jump=line), pattern)
            self.errors(self.kexec(before=line), pattern)
            self.errors(self.kexec(last=line))

    def test_t4_never_master(self):
        """A device may be preserved without bus mastering: nobody can clear that."""
        scan = ["pci_cfg_write igb 01:00.0 @0x4 <- %#x" % n for n in (0x503, 0x103, 0x100, 0x103)]
        cleared = "^bus-master-cleared: 0000:01:00.0: 0x503 "
        # One that had it lost it with the first write; where it came back it can be lost again.
        self.errors(self.kexec(jump=scan), cleared)
        again = ["pci_cfg_write igb 01:00.0 @0x4 <- 0x507"] + scan
        self.errors(self.kexec(jump=scan + again), cleared, cleared)
        self.START = Trace.START[:-1] + scan[-1:]
        self.SHUTDOWN = [line for line in Trace.SHUTDOWN if "igb 01:00.0 @0x4 " not in line]
        self.errors(self.kexec(jump=scan, before=scan))
        # It was let do DMA after all, before the freeze or in its window.
        self.errors(self.kexec(jump=again), cleared)
        self.START = self.START + again[:1]
        self.errors(self.kexec(jump=scan), cleared)

    def test_t4_others(self):
        for line in ("igb 02:00.0 @0x4 <- 0x0", "igb 01:00.0 @0x44 <- 0x0",
                     "igb 01:00.0 @0x5 <- 0x0", "igb 01:00.0 @0x18 <- 0x20200",
                     "pcie-root-port 00:02.0 @0x18 <- 0x20200", "ich9-ahci 00:1f.2 @0x4 <- 0x0"):
            self.errors(self.kexec(jump=["pci_cfg_write " + line]))

    def test_t4_model(self):
        result = self.kexec(jump=["pci_cfg_write nvme 01:00.0 @0x4 <- 0x7"])
        self.errors(result, "^unreadable: 0000:01:00.0 is a 'nvme'")

    def test_t4_refused(self):
        stop = ["pci_cfg_write igb 01:00.0 @0x4 <- 0x503"]
        result = self.kexec(jump=stop, refused=[NIC])
        self.errors(result)
        self.assertEqual(result["figures"]["stopped"], {NIC: 1})

    def test_t4_given_up(self):
        stop = ["pci_cfg_write igb 01:00.0 @0x4 <- 0x503"]
        parts = (self.START, ("boot", 0, None, 0), ("freeze", 0, "live", 5, True),
                 self.flush(5, 6), self.SHUTDOWN)
        self.errors(self.judged(*parts, ("boot", 1, None, 6), stop, ("opened", 1, "blocked", 0)))
        self.errors(self.judged(*parts, ("boot", 1, None, 6), stop, ("end", 1, None, 0),
                                discarded=[{"bdf": NIC, "after": 2}]))
        self.errors(self.judged(*parts, ("boot", 1, None, 6), stop, ("end", 1, None, 6)),
                    "^bus-master-cleared")
        self.errors(self.judged(*parts, stop, ("boot", 1, None, 6), ("opened", 1, "blocked", 0)),
                    "^bus-master-cleared")

    def test_leave(self):
        """The machine goes down with a frozen device: that is stopped, and then translation."""
        stop, off = ["pci_cfg_write igb 01:00.0 @0x4 <- 0x503"], ["vtd_dmar_enable enable 0"]
        parts = (self.START, ("boot", 0, None, 0), ("freeze", 0, "live", 5, True),
                 self.flush(5, 6), self.SHUTDOWN, ("boot", 1, None, 6))
        leave = ("leave", 1, None, 6)
        result = self.judged(*parts, leave, stop, off)
        self.errors(result)
        self.assertFalse(result["figures"]["bus_master"][NIC])
        self.assertFalse(result["figures"]["translation"])
        self.errors(self.judged(*parts, leave, off, stop), "^translation-off")
        self.errors(self.judged(*parts, stop, leave, off), "^bus-master-cleared")

    def test_t5_last_word(self):
        """Of the old kernel: to all devices, and before the new one has begun."""
        whole = self.SHUTDOWN
        for shutdown in (whole[2:], whole[:1] + whole[2:], whole[1:],
                         [whole[1], whole[0]] + whole[2:], whole[2:7] + whole[:2] + whole[7:]):
            self.SHUTDOWN = shutdown
            self.errors(self.kexec(), "^no-invalidation: the old kernel's last word")

    def test_t5_same_id(self):
        self.errors(self.judged(
            self.START, ("boot", 0, None, 0), ("freeze", 0, "live", 5, True), self.flush(5, 6),
            self.SHUTDOWN, ("boot", 1, None, 6), ("retrieved", 1, "frozen", 6),
            ("replace", 1, "frozen", 6), self.flush(6), ("attached", 1, "live", 6),
            ("end", 1, "live", 6)), "^id-reused: 0000:01:00.0")

    def test_t5_freeze(self):
        for lines, pattern in (
                ([], ("domain id 5", "domain id 6")),
                (self.flush(5), ("domain id 6",)),
                (self.flush(6), ("domain id 5",)),
                # only the context entry, only translations, and the wrong way round
                (self.flush(5, 6)[::2], ("domain id 5", "domain id 6")),
                (self.flush(5, 6)[1::2], ("domain id 5", "domain id 6")),
                (self.flush(5, 6)[::-1], ("domain id 5", "domain id 6")),
                # another device's
                ([line.replace("0x100", "0x200") for line in self.flush(5, 6)],
                 ("domain id 5", "domain id 6")),
                # too late: after what the old kernel does to the whole unit
                (self.SHUTDOWN[:2] + self.flush(5, 6), ("domain id 5", "domain id 6"))):
            self.errors(self.kexec(freeze=lines),
                        *("^no-invalidation: 0000:01:00.0: freeze: " + p for p in pattern))

    def test_t5_id_seen_in_the_jump_only(self):
        parts = (self.START, ("freeze", 0, "live", 5, True), self.flush(5), self.SHUTDOWN,
                 ("boot", 1, None, 0))
        self.errors(self.judged(*parts), "^unreadable: .*frozen domain was never seen")
        self.errors(self.judged(*parts, jumps=[{"freeze": 0, "dids": {NIC: [5, 6]}}]),
                    "^no-invalidation: .*domain id 6")

    def test_t5_id_of_the_live_domain_not_seen(self):
        self.errors(self.judged(self.START, ("freeze", 0, "live", 0, True),
                                ("rolled-back", 0, "live", 5, True)))
        self.errors(self.judged(self.START, ("freeze", 0, "live", 0, True), self.flush(5, 6),
                                ("rolled-back", 0, "live", 5, True)),
                    "^unreadable: .*its domain id is not known")

    def test_t5_replace(self):
        self.errors(self.kexec(replace=self.flush(6)), "^no-invalidation: .*: replace: domain id 7")
        self.errors(self.kexec(replace=self.flush(7)), "^no-invalidation: .*: replace: domain id 6")
        self.errors(self.kexec(replace=self.SHUTDOWN[:2]))

    def test_t5_switch(self):
        def switch(lines, last):
            return self.judged(self.START, ("switch", 0, "live", 5), lines,
                               ("switched", 0, "live", last))
        self.assertEqual(switch(self.flush(5, 6), 6)["figures"]["switches"], 1)
        self.errors(switch(self.flush(5, 6), 6))
        self.errors(switch(self.flush(5, 6, 6, 5), 5))
        self.errors(switch(self.flush(5), 6), "switch: domain id 6", "switch: of two domain ids only 5")
        self.errors(switch(self.flush(5), 5), "switch: of two domain ids only 5")
        self.errors(switch([], 5), "switch: domain id 5", "switch: of two domain ids only none")

    def test_t5_switch_of_one_of_two(self):
        def switch(lines):
            return self.judged(self.START, ("switch", 0, "live", 5), lines,
                               ("switched", 0, "live", 5), devices=[OTHER])

        result = switch(self.flush(5, 6, 6, 5))
        self.errors(result)
        self.assertEqual(result["figures"]["switches"], 1)
        self.errors(switch([]), "01:00.0.*domain id 5", "01:00.0.*only none", "02:00.0.*domain id 7",
                    "02:00.0.*only none")

    def test_t5_discard(self):
        stop = ["pci_cfg_write igb 01:00.0 @0x4 <- 0x503"]

        def discard(lines, discarded=({"bdf": NIC, "after": 3},), **more):
            return self.judged(
                self.START, ("boot", 0, None, 0), ("freeze", 0, "live", 5, True), self.flush(5, 6),
                self.SHUTDOWN, ("boot", 1, None, 6), ("discard", 1, None, 6), lines,
                ("collapsed", 1, None, 0), self.flush(6), ("end", 1, None, 0), discarded=discarded, **more)
        result = discard(stop + self.flush(6))
        self.errors(result)
        self.assertEqual(result["figures"]["discards"], 1)
        # Nothing, another id's, the wrong way round, and too late: behind the next mark
        for lines in ([], self.flush(7), self.flush(6)[::-1], self.flush(6)[:1]):
            self.errors(discard(stop + lines),
                        "^no-invalidation: 0000:01:00.0: discard: domain id 6: ")
        # It did not succeed, or there was nothing to discard.
        self.errors(discard([], ()))
        self.errors(discard(stop, refused=[NIC]))

    def test_t5_rolled_back(self):
        def rolled_back(lines, **more):
            return self.judged(self.START, ("freeze", 0, "live", 5, True), lines,
                               ("rolled-back", 0, "live", 5, True),
                               ["pci_cfg_write igb 01:00.0 @0x44 <- 0x3"], **more)
        result = rolled_back(self.flush(5, 6, 6, 5))
        self.errors(result)
        self.assertEqual((result["figures"]["rollbacks"], result["figures"]["freezes"]), (1, 0))
        self.errors(rolled_back(self.flush(6)), "domain id 5", "of two domain ids only 6")
        self.errors(rolled_back([]))
        self.errors(rolled_back([], jumps=[{"freeze": 0, "dids": {NIC: [5, 6]}}]), "domain id 5",
                    "domain id 6", "of two domain ids only none")

    def test_t6(self):
        fault = "vtd_dmar_fault sid 0x100 fault 5 addr 0x0 write 1"
        at = sum(len(line) + 1 for line in self.START) + len(fault) + 1
        result = self.judged(self.START, [fault, fault, fault.replace("100", "200")],
                             provoked=[{"line": "", "trace_offset": at}])
        self.assertEqual(result["figures"]["faults"], {NIC: 1})
        self.assertEqual(result["figures"]["provoked_faults"], {NIC: 1, OTHER: 1})

    def test_trace_that_cannot_be_read(self):
        self.errors(self.judged(["vtd_dmar_enable on"]), "^unreadable: QEMU's trace")
        self.errors(self.judged(self.START, extra="vtd_dmar_ena"))
        self.errors(trace.judge("/nowhere", {}, MACHINE), "^unreadable: the trace")
        result = self.judged(("boot", 0, None, 0))
        self.errors(result)
        self.walk["walks"][0]["trace_offset"] = 99
        with tempfile.NamedTemporaryFile() as f:
            self.errors(trace.judge(f.name, self.walk, MACHINE), "^unreadable: the trace ends before")


class Rules(unittest.TestCase):
    """What the stored reports cannot show: other kinds of runs, made of them."""

    @staticmethod
    def stored(name, **variables):
        one = scenario.Scenario(name, os.path.join(HIL, "scenarios"))
        one.vars.update(variables)
        with open(os.path.join(HIL, "judge/reports", name + ".json"), encoding="utf-8") as f:
            return json.load(f), one

    def test_refused_by_its_own_nic(self):
        """The first NIC runs on, the second one is refused; then the other way round."""
        report, one = self.stored("vtd-iommu-off")
        self.assertEqual(rules.check(report, one), [])
        one.expect = []
        mine = ("bdf", "frames_sent", "frames_lost", "frames_duplicated", "longest_gap_ms")
        good = {"bdf": OTHER, "frames_sent": 9, "frames_lost": 0, "frames_duplicated": 0,
                "longest_gap_ms": 3.0}
        swapped = copy.deepcopy(report)
        swapped.update(good)
        swapped["other_nics"] = [{key: report[key] for key in mine}]
        for phase in swapped["phases"]:
            phase["landed"].insert(0, 7)
        self.assertEqual(rules.check(swapped, one), [])
        # It ran on in the next kernel.
        worse = copy.deepcopy(swapped)
        worse["phases"][-1]["landed"][1] = 1
        worse["phases"][-1]["phase"] = "retrieve"
        self.assertRegex(" ".join(rules.check(worse, one)), "'retrieve'")
        # Only the other one lost anything.
        swapped["other_nics"][0].update(frames_lost=0, longest_gap_ms=3.0)
        swapped.update(frames_lost=99, longest_gap_ms=9000.0)
        failures = rules.check(swapped, one)
        self.assertEqual(len(failures), 2, failures)
        one.vars["REFUSED"] = "0000:07:00.0"
        self.assertRegex(" ".join(rules.check(report, one)), "0000:07:00.0 is one of the NICs")

    def test_refused_beside_a_live_one(self):
        """What the next kernel refuses nobody replaces; its neighbour is held to all else."""
        report, one = self.stored("vtd-nic-rx", NICS="2", REFUSED=OTHER)
        for mark in report["walk"]["walks"]:
            if mark["mark"] == "freeze":
                mark["preserved"].append(OTHER)
        report["freeze_log"].append("iommu-freeze: %s: frozen in 9 us" % OTHER)
        report["trace"]["figures"]["freezes"] = 2
        report["trace"]["figures"]["stopped"][OTHER] = 1
        report["other_nics"] = [{"bdf": OTHER, "frames_lost": 9, "frames_duplicated": 0,
                                 "longest_gap_ms": 9000.0}]
        for phase in report["phases"]:
            phase["landed"].append(0)
        self.assertEqual(rules.check(report, one), [])
        one.vars["REFUSED"] = ""
        self.assertRegex(" ".join(rules.check(report, one)), "trace.*replaces.* == 2")

    def test_found(self):
        """A run that the emulator cut short is no failure, unless somebody found something."""
        report, one = self.stored("vtd-nic-rx")
        report.update(vmm_done=False, kernels=1, phases=[], freeze_log=[], frames_landed=3)
        self.assertEqual(rules.found(report, one), [])
        for path, value in ((("kernel_reports",), 1), (("vmm_failed",), "FAILED: x"),
                            (("frames_corrupt",), 1), (("frames_duplicated",), 1),
                            (("frames_out_of_order",), 1),
                            (("iommu_fault_devices",), [report["bdf"]]),
                            (("walk", "errors"), ["mark x"]),
                            (("trace", "errors"), ["translation-off: x"])):
            worse = copy.deepcopy(report)
            at = worse
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = value
            self.assertEqual(len(rules.found(worse, one)), 1, path)
        del report["walk"]
        self.assertEqual(len(rules.found(report, one)), 1)
        report, one = self.stored("vtd-tool-verify")
        self.assertTrue(report["walk"]["errors"])
        self.assertEqual(rules.found(report, one), [])


class Expectations(unittest.TestCase):
    """What a report does not have satisfies no scenario, but for a line that must not be there."""

    class Null(dict):
        def __missing__(self, key):
            return None

    def holds(self, report):
        """Expectations that hold."""
        directory = os.path.join(HIL, "scenarios")
        for name in scenario.names(directory):
            for expression in scenario.Scenario(name, directory).expect:
                checks = rules.Checks(report)
                checks.expect(expression)
                if not checks.failures and not re.fullmatch(r"count\(.*\) == 0", expression):
                    yield "%s: %s" % (name, expression)

    def test_missing(self):
        self.assertEqual(list(self.holds({"tool_log": []})), [])

    def test_null(self):
        with open(os.path.join(HIL, "judge/reports/vtd-nic-rx.json"), encoding="utf-8") as f:
            report = dict.fromkeys(json.load(f))
        report.update({log: [] for log in ("tool_log", "freeze_log", "vmm_log", "phases")},
                      walk=self.Null(walks=[], jumps=[], errors=[]), sabotage=self.Null(),
                      trace={"figures": self.Null(stopped=self.Null(), bus_master=self.Null())})
        self.assertEqual(list(self.holds(report)), [])


class Runner(unittest.TestCase):
    """The runner, without a machine."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = folder.name
        for name, value in (("OUT", self.out), ("say", lambda _: None)):
            patch = mock.patch.object(runner, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def attempts(self, *outcomes):
        """Runs vtd-nic-rx; each outcome is a list of failures, or the Broken of that attempt."""
        seen = []

        def attempt(one):
            seen.append(one.seed)
            outcome = outcomes[len(seen) - 1]
            for suffix in (".json", ".serial.log"):
                with open(one.path(suffix), "w", encoding="utf-8") as f:
                    f.write('{"attempt": %d}' % len(seen))
            if isinstance(outcome, Exception):
                raise outcome
            return outcome
        workshop = mock.Mock(folder=self.out, seed=None, commit="abc")
        with mock.patch.object(runner.Run, "attempt", attempt), \
                mock.patch.object(runner.shutil, "which", lambda _: "/x"):
            result = runner.run("vtd-nic-rx", workshop)
        self.assertEqual(len(seen), len(outcomes))
        self.assertEqual(len(set(seen)), 1)
        return result

    def left(self, name):
        with open(os.path.join(self.out, "vtd-nic-rx" + name), encoding="utf-8") as f:
            return json.load(f)

    def test_one_attempt(self):
        self.assertEqual(self.attempts(["bad"]), (["bad"], 1, []))
        self.assertEqual(self.left(".json"), {"attempt": 1})

    def test_second_attempt_keeps_the_first_ones_logs(self):
        self.assertEqual(self.attempts(runner.Broken("aborted"), []), ([], 2, ["aborted"]))
        self.assertEqual(self.left(".first.serial.log"), {"attempt": 1})
        self.assertEqual(self.left(".serial.log"), {"attempt": 2})
        self.assertEqual(self.left(".json"),
                         {"attempt": 2, "attempts": 2, "attempts_why": ["aborted"]})
        # The next run does not leave them as its own.
        self.attempts([])
        self.assertFalse(os.path.exists(os.path.join(self.out, "vtd-nic-rx.first.serial.log")))

    def test_no_second_attempt_where_something_was_found(self):
        self.assertEqual(self.attempts(runner.Broken("aborted", ["walker: x"])),
                         (["walker: x"], 1, ["aborted"]))

    def test_broken_twice(self):
        self.assertEqual(self.attempts(runner.Broken("a"), runner.Broken("b")),
                         (["the machine failed twice"], 2, ["a", "b"]))

    def test_lost_interrupt(self):
        def said(halted, *apics):
            # 2: halted with interrupts off
            text = "".join("\nCPU#%d\nRAX=0 RBX=0\nRIP=0 RFL=00000%s46 CPL=0 SMM=0 HLT=%d\nLDT=0000\n" %
                           (cpu, "0" if x == 2 else "2", bool(x)) for cpu, x in enumerate(halted))
            return text + "".join(
                "dumping local APIC state for CPU %d \n\nLVTT\t 0x000000ec active-hi edge %s one-shot  "
                "Fixed\nTimer\t DCR=0x3 (divide by 16) initial_count = %d current_count = %d\n"
                "ESR\t 0x00000000\nISR\t %s\nIRR\t %s\n\nAPR 0x00\n" % (cpu, *x)
                for cpu, x in enumerate(apics))
        fine = ("      ", 80, 20, "(none)", "(none)")
        served = ("      ", 80, 0, "236 ", "34 236 ")
        gone = ("      ", 80, 0, "(none)", "(none)")
        self.assertEqual(MACHINE.lost_interrupt(2 * said((1, 1), fine, served)),
                         "CPU 1 is halted with interrupt 236 in service")
        self.assertEqual(MACHINE.lost_interrupt(2 * said((1, 1), gone, fine)),
                         "CPU 0 is halted and nothing came of its timer")
        for text in (said((1, 0), fine, served) + said((1, 1), fine, served),
                     said((1, 1), fine, served) + said((1, 1), fine, fine),
                     said((1, 1), fine, served) + said((1, 1), fine, served[:3] + ("35 ", "34 236 ")),
                     2 * said((1, 2), fine, served), said((1, 1), fine, served),
                     said((1, 1), fine, gone), said((1, 1), fine, gone) + said((1, 0), fine, gone),
                     said((1, 1), fine, gone) + said((1, 1), fine, ("      ", 90, 0) + gone[3:]),
                     2 * said((1, 1), fine, ("masked", 80, 0, "(none)", "(none)")),
                     2 * said((1, 1), fine, ("      ", 80, 0, "(none)", "236 ")),
                     2 * said((1, 1), fine, ("masked", 0, 0, "(none)", "(none)")),
                     2 * said((1, 1), fine, fine), "monitor: timed out", ""):
            self.assertIsNone(MACHINE.lost_interrupt(text), text)

    def test_memory_leaves_nothing_behind(self):
        one = runner.Run(scenario.Scenario("vtd-nic-rx", runner.SCENARIOS), MACHINE,
                         mock.Mock(folder=self.out), 1)
        with mock.patch.object(runner.os.path, "isdir", lambda _: False):
            path = one.memory_file()
        with open(path, "r+b") as f:
            self.assertEqual(f.seek(0, 2), 1536 << 20)
        self.assertEqual([n for n in os.listdir(self.out) if n.startswith("hil-mem")], [])
        one.clean()
        self.assertFalse(os.path.exists(path))

    def test_memory_of_a_container(self):
        whole = runner.memory_here(())
        limits = [os.path.join(self.out, name) for name in ("a", "b", "c")]
        for path, text in zip(limits, ("max\n", "4294967296\n")):
            with open(path, "w", encoding="ascii") as f:
                f.write(text)
        self.assertEqual(runner.memory_here(limits[::2]), whole)
        self.assertEqual(runner.memory_here(limits), min(whole, 4 << 30))

    def test_usage_is_one_line(self):
        for names, environment, why in (
                (["nothing"], {}, "no scenario 'nothing'"),
                (["vtd-nic-rx", "vtd-nic-rx"], {}, "'vtd-nic-rx' is named twice"),
                (["vtd-nic-rx"], {"HIL_SEED": "seven"}, "HIL_SEED=seven: a number from 1"),
                (["vtd-nic-rx"], {"HIL_SEED": "0"}, "HIL_SEED=0: a number from 1"),
                (["vtd-nic-rx"], {"HIL_KERNEL": "/nowhere"}, "HIL_KERNEL=/nowhere: there is no")):
            done = subprocess.run([sys.executable, runner.__file__, *names], text=True, timeout=60,
                                  env=dict(os.environ, **environment), capture_output=True,
                                  check=False)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done)
            lines = [x for x in done.stderr.splitlines() if not x.startswith("usage: ")]
            self.assertEqual(len(lines), 1, done.stderr)
            self.assertIn(why, lines[0])


class Scripts(unittest.TestCase):
    """What stands around the judge: tests/lib, in a checkout that is made up here."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.repo = folder.name
        os.makedirs(os.path.join(self.repo, "tests/lib"))
        os.mkdir(os.path.join(self.repo, "tests/kernel"))
        for name in ("style.sh", "tally.sh"):
            shutil.copy(os.path.join(HIL, "../lib", name), os.path.join(self.repo, "tests/lib"))
        self.write("tests/kernel/setup.sh", "#!/bin/sh\necho %s\n" % self.repo)
        os.chmod(os.path.join(self.repo, "tests/kernel/setup.sh"), 0o755)

    def write(self, name, text):
        with open(os.path.join(self.repo, name), "w", encoding="utf-8") as f:
            f.write(text)

    def run_script(self, *words):
        return subprocess.run(words, cwd=self.repo, text=True, timeout=60, capture_output=True,
                              check=False)

    def test_style_of_nothing(self):
        style = "tests/lib/style.sh"
        # above it there may be a repository
        with mock.patch.dict(os.environ, GIT_CEILING_DIRECTORIES=os.path.dirname(self.repo)):
            done = self.run_script(style)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertRegex(done.stderr, "style: error: git does not list")
        self.run_script("git", "init", "-q")
        for name, missing in (("x.c", "files"), ("x.py", "python"), (None, "patches")):
            done = self.run_script(style)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertEqual(len(done.stderr.splitlines()), 1)
            self.assertRegex(done.stderr, "style: error: no %s to look at" % missing)
            if name:
                self.write(name, "")

    def test_sum_tells_the_commit(self):
        who = ("-c", "user.name=x", "-c", "user.email=x@localhost")
        self.run_script("git", "init", "-q")
        self.run_script("git", *who, "commit", "-q", "--allow-empty", "-m", "x")
        told = self.run_script("git", "rev-parse", "--short", "HEAD").stdout.strip()
        self.assertTrue(told)
        for words in (("start", "a"), ("part", "a", "echo", "ok 1 - x")):
            self.run_script("tests/lib/tally.sh", *words)
        done = self.run_script("tests/lib/tally.sh", "sum")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("\ncommit %s\n" % told, done.stdout)
        self.assertTrue(done.stdout.endswith("\n1 passed, 0 failed\n"), done.stdout)
        with open(os.path.join(self.repo, "out/tally/sum.json"), encoding="utf-8") as f:
            self.assertEqual(json.load(f)["commit"], told)

    def test_nothing_outlives_the_script(self):
        script = "tests/lib/tally.sh start b; tests/lib/tally.sh behind b sleep 600; exec sleep 600"
        # by its end a group of its own has gone, whoever killed whom
        with subprocess.Popen(["bash", "-c", script], cwd=self.repo, stdout=subprocess.DEVNULL) as one:
            ended = os.path.join(self.repo, "out/tally/b.pid")
            self.until(lambda: os.path.exists(ended) and os.path.getsize(ended))
            with open(ended, encoding="utf-8") as f:
                behind = int(f.read())
            self.until(lambda: self.alive(behind))
            one.kill()
        self.until(lambda: not self.alive(behind))

    def until(self, condition):
        end = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)

    @staticmethod
    def alive(group):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        return True


if __name__ == "__main__":
    unittest.main()
