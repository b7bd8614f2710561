#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of machine/smmuv3.py, and of the judges with it, against tables and logs that are made up here.

What the judges do with any machine is tested in test_judge.py; here stands what this one adds: how its
tables are read, and its registers.
"""
import os
import struct
import sys
import unittest

sys.dont_write_bytecode = True
HIL = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, HIL)
# noqa: E402, pylint: disable=wrong-import-position
from judge import test_judge as base
from machine import smmuv3

PAGE = base.PAGE
NIC, OTHER, PORT = base.NIC, base.OTHER, "0000:00:01.0"
IOVA = 3 << 40
SPLIT = 8
TWO_LEVEL = 1 << 16 | SPLIT << 6 | 16  # STRTAB_BASE_CFG

# STE, stage 1: linear, incoming shareability; stage 2: OAS 44, start level 0, 4K
STE_1 = 2 | 1 << 2 | 1 << 4 | 3 << 6
VTCR = 20 | 2 << 6 | 1 << 8 | 1 << 10 | 3 << 12 | 4 << 16
# CD: T0SZ 16, WBRA, inner shareable, EPD1, V, IPS 44, AA64, R, A, ASET
CD = 16 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 30 | 1 << 31 | 4 << 32 | 1 << 41 | 7 << 45
# Leaf: valid, page, AttrIndx 1, AP[1], inner shareable, AF, nG
LEAF_1 = 3 | 1 << 2 | 1 << 6 | 3 << 8 | 1 << 10 | 1 << 11
# ... MemAttr 0xf, inner shareable, AF
LEAF_2 = 3 | 0xf << 2 | 3 << 8 | 1 << 10


class Tables:
    """Writes stream tables, context descriptors and translation tables into memory."""

    def __init__(self, mem, at=0x100000, shape=TWO_LEVEL):
        self.mem = mem
        self.at = at
        self.shape = shape
        self.root = self.page(4)
        self.descriptors = {}  # bdf -> address of a CD

    def page(self, count=1):
        """Pages, aligned to their size."""
        size = count * PAGE
        self.at = (self.at + size - 1) // size * size + size
        self.mem[self.at - size:self.at] = bytes(size)
        return self.at - size

    def get(self, at):
        return struct.unpack_from("<Q", self.mem, at)[0]

    def put(self, at, value):
        struct.pack_into("<Q", self.mem, at, value)

    def leaf_at(self, top, iova, level, levels):
        """levels: how many there are; level: 3 has pages."""
        table = top
        for n in range(4 - levels, level):
            mask = -1 if n == 4 - levels else 511
            at = table + 8 * (iova >> 12 + 9 * (3 - n) & mask)
            if not self.get(at):
                self.put(at, self.page() | 3)
            table = self.get(at) & ~0xfff
        return table + 8 * (iova >> 12 + 9 * (3 - level) & (-1 if level == 4 - levels else 511))

    def domain(self, runs, levels=4, level=3, stage=1, top=None):
        """Tables for (iova, pa, length, prot)."""
        top = top or self.page()
        size = PAGE << 9 * (3 - level)
        for iova, pa, length, prot in runs:
            attributes = LEAF_1 | (prot == "r") << 7 if stage == 1 else \
                LEAF_2 | {"r": 1, "w": 2, "rw": 3}[prot] << 6
            for n in range(0, length, size):
                self.put(self.leaf_at(top, iova + n, level, levels),
                         pa + n | attributes & ~(2 if level < 3 else 0))
        return top

    def context(self, bdf):
        """Address of its STE."""
        rid = base.MACHINE.rid(bdf)
        if not self.shape >> 16:
            return self.root + 64 * rid
        at = self.root + 8 * (rid >> SPLIT)
        if not self.get(at):
            self.put(at, self.page(4) | SPLIT + 1)
        return (self.get(at) & ~0x3f) + 64 * (rid & (1 << SPLIT) - 1)

    def entry(self, bdf, top, did, levels=4, stage=1):
        """did: an ASID or a VMID"""
        ste = [1 | (4 + stage) << 1] + [0] * 7
        if stage == 1:
            cd = self.page()
            for n, word in enumerate((CD + 9 * (4 - levels) | did << 48, top, 0, 0xff)):
                self.put(cd + 8 * n, word)
            self.descriptors[bdf] = cd
            ste[0] |= cd
            ste[1] = STE_1
        elif stage == 2:
            ste[1] = 1 << 44
            ste[2] = did | VTCR << 32 | 1 << 51 | 1 << 54 | 1 << 58
            ste[3] = top
        for n, word in enumerate(ste):
            self.put(self.context(bdf) + 8 * n, word)

    def clear(self, bdf):
        """Its DMA is aborted."""
        self.put(self.context(bdf), 1)


class Reader(smmuv3.Reader):
    ram_base = 0


class Machine(smmuv3.Machine):
    Reader = Reader


def write(register, value, size=4):
    return "smmuv3_write_mmio addr: %#x val:%#x size: %#x(0)" % (register, value, size)


class Rig(base.Rig):
    """A walker over a made-up machine with one NIC."""

    machine = Machine()
    tables_of = Tables

    def setUp(self):
        super().setUp()
        self.maps = [[IOVA, 2 * PAGE, 0, 0, "rw"], [IOVA + 2 * PAGE, PAGE, 0, 2 * PAGE, "r"]]
        self.runs = [(IOVA, 0x40000, 2 * PAGE, "rw"), (IOVA + 2 * PAGE, 0x50000, PAGE, "r")]

    def boots(self):
        return (write(0x80, self.tables.root | 1 << 62, 8), write(0x88, self.tables.shape),
                write(0x20, 8), write(0x20, 0xc), write(0x20, 0xd))

    def adopts(self):
        return write(0x20, 1), write(0x20, 9), write(0x20, 0xd)

    def attach(self, did=5, bdf=NIC, runs=None, **more):
        top = self.tables.domain(self.runs if runs is None else runs, **more)
        more.pop("level", None)
        self.tables.entry(bdf, top, did, **more)
        return top


class Reading(Rig):
    def reader(self):
        return Reader(self.mem, self.tables.root, self.tables.shape)

    def walked(self):
        (_, entry), = self.reader().requesters()
        self.assertEqual(entry, self.reader().entry(entry.rid))
        return self.reader().walk(entry)

    def test_entry(self):
        top = self.attach(did=0x1234)
        entry = self.reader().entry(0x100)
        self.assertEqual((entry.rid, entry.did, entry.stage, entry.levels, entry.top, entry.more),
                         (0x100, 0x1234, 1, 4, top, {"stage": 1}))
        for rid in (0x101, 0x800, 0xffff, 0x10000):
            self.assertIsNone(self.reader().entry(rid))
        top = self.attach(did=0x1234, stage=2)
        entry = self.reader().entry(0x100)
        self.assertEqual((entry.did, entry.stage, entry.levels, entry.top),
                         (0x11234, 2, 4, top))

    def test_linear(self):
        self.tables = Tables(self.mem, shape=8)
        self.attach(bdf=PORT)
        self.assertEqual(self.walked(), self.runs)
        self.assertEqual(list(self.reader().tables()), [])
        self.assertIsNone(self.reader().entry(0x100))

    def test_tables(self):
        self.attach()
        self.assertEqual(list(self.reader().tables()),
                         [(0x100, 0x1ff, "the level 1 descriptor of stream ids 0x100-0x1ff")])

    def test_aborted(self):
        self.attach()
        for word in (0, 1, 1 | 1 << 1, 1 | 3 << 1, 4 << 1):
            self.tables.put(self.tables.context(NIC), word)
            self.assertIsNone(self.reader().entry(0x100))
            self.assertEqual(list(self.reader().requesters()), [])

    def test_bypass(self):
        self.tables.entry(NIC, 0, 0, stage=0)
        self.assertTrue(self.reader().entry(0x100).passthrough)
        with self.assertRaisesRegex(smmuv3.Unreadable, "passes through"):
            self.walked()

    def test_no_context_descriptor(self):
        """V=0 in it: nothing that the device tries succeeds."""
        self.attach()
        self.tables.put(self.tables.descriptors[NIC], 0)
        self.assertEqual(self.walked(), [])

    def test_levels(self):
        runs = [(1 << 30, 0x40000, 2 * PAGE, "rw"), (5 << 30, 0x50000, PAGE, "r")]
        for levels in (3, 4):
            self.attach(levels=levels, runs=runs)
            self.assertEqual(self.walked(), runs)

    def test_stage_2(self):
        runs = self.runs + [(IOVA + 5 * PAGE, 0x50000, PAGE, "w")]
        self.attach(stage=2, runs=runs)
        self.assertEqual(self.walked(), runs)
        # Readable and writable by nobody
        top = self.reader().entry(0x100).top
        self.tables.put(self.tables.leaf_at(top, IOVA, 3, 4), 0x40000 | LEAF_2)
        self.assertEqual(self.walked()[0], (IOVA + PAGE, 0x41000, PAGE, "rw"))

    def test_concatenated(self):
        """40 bits from level 1 on: two tables side by side."""
        runs = [(0x1000, 0x40000, PAGE, "rw"), ((1 << 40) - PAGE, 0x50000, PAGE, "r")]
        top = self.tables.domain(runs, stage=2, levels=3, top=self.tables.page(2))
        self.tables.entry(NIC, top, 5, stage=2)
        at = self.tables.context(NIC) + 16
        vtcr = VTCR & ~0xff | 24 | 1 << 6
        self.tables.put(at, 5 | vtcr << 32 | 1 << 51)
        self.assertEqual(self.walked(), runs)
        # From level 2 on it would take 1024 of them.
        self.tables.put(at, 5 | (vtcr & ~0xc0) << 32 | 1 << 51)
        with self.assertRaisesRegex(smmuv3.Unreadable, "tables of 2 levels for 40 address bits"):
            self.walked()
        self.tables.put(at, 5 | vtcr << 32 | 1 << 51)
        self.tables.put(at + 8, top + PAGE)
        with self.assertRaisesRegex(smmuv3.Unreadable, "not aligned"):
            self.walked()

    def test_blocks(self):
        for stage in (1, 2):
            for level, size in ((2, 2 << 20), (1, 1 << 30)):
                runs = [(IOVA, 0, 2 * size, "rw"), (IOVA + 4 * size, 5 * size, size, "r")]
                self.attach(runs=runs, level=level, stage=stage)
                self.assertEqual(self.walked(), runs)

    def spoilt(self, *ways):
        """Each of (address, value, why) is refused."""
        good = self.walked()
        for at, value, why in ways:
            old = self.tables.get(at)
            self.tables.put(at, value)
            with self.assertRaisesRegex(smmuv3.Unreadable, why, msg=hex(value)):
                self.walked()
            self.tables.put(at, old)
        self.assertEqual(self.walked(), good)

    def test_unreadable_tables(self):
        for stage, page, ones in ((1, LEAF_1, (5, 48, 51, 52, 55, 63)),
                                  (2, LEAF_2 | 1 << 6, (11, 48, 51, 52, 55, 63))):
            top = self.attach(stage=stage)
            leaf = self.tables.leaf_at(top, IOVA, 3, 4)
            upper = self.tables.leaf_at(top, IOVA, 2, 4)
            self.spoilt(
                *((leaf, 0x40000 | page | 1 << bit, "iova 0x30000000000: leaf .* reserved bits")
                  for bit in ones),
                (leaf, 0x40000 | page & ~2, "iova 0x30000000000: page .* of a reserved type"),
                # Where a good one of the same attributes, but for its type, was seen before
                (leaf + 8, 0x41000 | page & ~2, "iova 0x30000001000: page .* of a reserved type"),
                (leaf, 0x40000 | page & ~(1 << 10), "not for access"),
                (leaf, 1 << 44 | page, "0x100000000000 has more than 44 bits"),
                (upper, self.tables.get(upper) | 1 << 59, "table descriptor .* of level 2 .* reserved"),
                (upper, self.tables.get(upper) | 1 << 63, "table descriptor .* of level 2 .* reserved"),
                (upper, self.tables.get(upper) | 1 << 2, "table descriptor .* of level 2 .* reserved"),
                (upper, len(self.mem) | 3, "the table of level 3 .* outside of RAM"),
                (upper, 0x201000 | page & ~2, "block .* of level 2 has reserved bits"),
                (top, page & ~2, "iova 0x0: block .* of level 0 has reserved bits"))
        self.attach()
        leaf = self.tables.leaf_at(self.reader().entry(0x100).top, IOVA, 3, 4)
        self.spoilt((leaf, 0x40000 | LEAF_1 & ~(1 << 6), "privileged"),
                    (leaf, 0x40000 | LEAF_1 & ~(1 << 11), "global"))

    def test_unreadable_context(self):
        top = self.attach()
        cd = self.tables.descriptors[NIC]
        good = CD | 5 << 48
        self.spoilt(
            *((cd, good | 1 << bit, "context descriptor .* reserved bits")
              # TG0, EPD0, ENDI, T1SZ, WXN, UWXN, TBI, PAN, HD, HA, S
              for bit in (6, 7, 14, 15, 16, 29, 36, 37, 38, 40, 42, 43, 44)),
            # EPD1, AA64, A
            *((cd, good & ~(1 << bit), "context descriptor .* reserved bits") for bit in (30, 41, 46)),
            *((cd + 8 * n, 1, "context descriptor .* reserved bits") for n in (1, 2, 4, 5, 6, 7)),
            (cd + 8, top | 1 << 60, "context descriptor .* reserved bits"),
            (cd + 8, len(self.mem), "the table of level 0 .* outside of RAM"),
            (cd + 8, top + 64, "top table .* not aligned"),
            (cd, good & ~0x3f | 15, "tables of 0 levels for 49 address bits do not exist"),
            (cd, good & ~0x3f | 40, "tables of 0 levels for 24 address bits do not exist"),
            (cd, good | 7 << 32, "output address size 7"))

    def test_unreadable_entry(self):
        for stage in (1, 2):
            self.attach(stage=stage)
            ste = self.tables.context(NIC)
            words = struct.unpack_from("<8Q", self.mem, ste)
            # S1Fmt or S1ContextPtr, S1CDMax, reserved; S2FWB, S1STALLD, EATS, STRW, MTCFG, NSCFG, PRIVCFG
            wrong = [(0, 4), (0, 59), (0, 55)] + [(1, bit) for bit in (25, 27, 28, 30, 36, 46, 48)] + \
                [(n, 63) for n in range(2, 8)]
            # HA, HD, S, ENDI, TG of stage 2
            wrong += [(2, bit) for bit in (55, 56, 57, 52, 46, 47, 16)] + [(3, 0)]
            if stage == 1:
                wrong += [(2, 0), (2, 51), (3, 12)]
            self.spoilt(
                *((ste + 8 * n, words[n] | 1 << bit, "stream table entry .* reserved bits")
                  for n, bit in wrong),
                (ste, words[0] | 7 << 1, "has two stages"))
        self.spoilt((ste + 16, words[2] & ~(1 << 51), "not those of AArch64"),
                    (ste + 16, words[2] & ~(0x3f << 32), "4 levels for 64 address bits"),
                    (ste + 16, words[2] & ~(3 << 38), "2 levels for 44 address bits"),
                    (ste + 16, words[2] | 7 << 48, "output address size 7"))

    def test_unreadable_stream_table(self):
        self.attach()
        ste = self.tables.context(NIC)
        at = self.tables.root + 8
        good = self.tables.get(at)
        self.spoilt((at, good & ~0x1f | SPLIT + 2, "level 1 descriptor 0x1 .* reserved"),
                    (at, good | 1 << 5, "level 1 descriptor 0x1 .* reserved"),
                    (at, good | 1 << 60, "level 1 descriptor 0x1 .* reserved"),
                    (at, good + PAGE, "level 1 descriptor 0x1 .* reserved"),
                    (at, len(self.mem) | SPLIT + 1, "the stream table from 0x100 on .* outside of RAM"),
                    (ste, len(self.mem) | 1 | 5 << 1, "context descriptor of .* 0x100 .* outside of RAM"))
        with self.assertRaisesRegex(smmuv3.Unreadable, "the stream table at .* outside of RAM"):
            list(Reader(self.mem, len(self.mem), TWO_LEVEL).requesters())

    def test_below_ram(self):
        """Where there is a hole in the file there is no RAM."""
        self.attach()
        reader = self.reader()
        reader.ram_base = self.tables.root + PAGE
        with self.assertRaisesRegex(smmuv3.Unreadable, "outside of RAM"):
            reader.entry(0x100)

    def test_short_second_level(self):
        self.attach()
        at = self.tables.root + 8
        self.tables.put(at, self.tables.get(at) & ~0x1f | 1)
        self.assertEqual(self.walked(), self.runs)
        self.assertIsNone(self.reader().entry(0x101))

    def test_loop(self):
        """... or as good as one: no table can be of two levels, what is in it would be reserved."""
        top = self.attach()
        upper, lower, last = (self.tables.page() for _ in range(3))
        for table, to in ((top, upper), (upper, lower), (lower, last)):
            for n in range(512):
                self.tables.put(table + 8 * n, to | 3)
        with self.assertRaisesRegex(smmuv3.Unreadable, "more than 8192 tables"):
            self.walked()

    def test_what_was_walked_before_is_looked_at_again(self):
        top = self.attach()
        reader = self.reader()
        entry = reader.entry(0x100)
        self.assertEqual(reader.walk(entry), self.runs)
        self.tables.put(self.tables.leaf_at(top, IOVA + 2 * PAGE, 3, 4), 0)
        self.assertEqual(reader.walk(entry), self.runs[:1])

    def test_trace_lines(self):
        events = smmuv3.Events()
        fault = "smmuv3-iommu-memory-region-0-1 translation failed for iova=0x2000 (F_TRANSLATION)"
        root = {"address": 0x48001000, "shape": 0, "readable": True, "held": None}
        for line, expected in (
                (write(0x80, 0x40000000_48001000, 8), ("root", root)),
                (write(0x88, TWO_LEVEL), ("root", dict(root, shape=TWO_LEVEL))),
                (write(0x84, 0x40000001), ("root", dict(root, address=0x1_48001000, shape=TWO_LEVEL))),
                (write(0x80, 0x48002000), ("root", dict(root, address=0x1_48002000, shape=TWO_LEVEL))),
                (write(0x88, 3 << 16), ("root", dict(root, address=0x1_48002000, shape=3 << 16,
                                                     readable=False))),
                (write(0x28, 0xd75), None), (write(0x2c, 7), None), (write(0x98, 2), None),
                (write(0x44, 0x80100000), ("translation", {"on": False, "blocked": True})),
                (write(0x44, 0x80100000), None), (write(0x44, 0), None),
                (write(0x44, 0x80000000), ("translation", {"on": False, "blocked": False})),
                (write(0x20, 8), ("queue", {"on": True})), (write(0x20, 8), None),
                (fault, ("fault", {"bdf": None, "more": fault.partition(" ")[2]})),
                (write(0x20, 0xc), None),
                (write(0x20, 0xd), ("translation", {"on": True, "blocked": False})),
                (fault, None),
                ("smmuv3_record_event SMMU_EVT_F_TRANSLATION sid=0x100",
                 ("fault", {"bdf": NIC, "more": "SMMU_EVT_F_TRANSLATION"})),
                (fault.replace("F_TRANSLATION", "no recorded event"),
                 ("fault", {"bdf": NIC, "more": "translation failed for iova=0x2000 (no recorded event)"})),
                (write(0x44, 0x80100000), None),
                (write(0x28, 0xd75), ("register", {"held": "CR1"})),
                (write(0x2c, 7), ("register", {"held": "CR2"})),
                (write(0x88, 8), ("root", dict(root, address=0x1_48002000, shape=8,
                                               held="STRTAB_BASE_CFG"))),
                (write(0x80, 0x48002000, 8), ("root", dict(root, address=0x48002000, shape=8,
                                                           held="STRTAB_BASE"))),
                (write(0x20, 1), None),
                (fault, ("fault", {"bdf": NIC, "more": fault.partition(" ")[2]})),
                (write(0x20, 0), ("translation", {"on": False, "blocked": True})),
                ("smmuv3_cmdq_cfgi_ste streamid= 0x100",
                 ("invalidate", {"kind": "context", "scope": "device", "did": None, "rid": 0x100})),
                ("smmuv3_cmdq_cfgi_ste_range start=0x0 - end=0xffffffff",
                 ("invalidate", {"kind": "context", "scope": "global", "did": None, "rid": None})),
                ("smmuv3_cmdq_cfgi_ste_range start=0x100 - end=0x1ff", None),
                ("smmuv3_cmdq_cfgi_cd sid=0x100", None),
                ("smmuv3_cmdq_tlbi_nsnh ",
                 ("invalidate", {"kind": "iotlb", "scope": "global", "did": None, "rid": None})),
                ("smmuv3_cmdq_tlbi_nh_asid asid=5",
                 ("invalidate", {"kind": "iotlb", "scope": "domain", "did": 5, "rid": None})),
                ("smmuv3_cmdq_tlbi_s12_vmid vmid=5",
                 ("invalidate", {"kind": "iotlb", "scope": "domain", "did": 0x10005, "rid": None})),
                ("smmuv3_translate_abort smmuv3-iommu-memory-region-0-3 sid=0x200 abort on iova:0x1000 "
                 "is_write=1", ("fault", {"bdf": OTHER, "more": "abort on iova:0x1000 is_write=1"})),
                ("smmuv3_translate_bypass smmuv3-iommu-memory-region-0-3 sid=0x200 STE bypass iova:0x1000 "
                 "is_write=1", ("untranslated", {"bdf": OTHER})),
                ("smmuv3_translate_disable smmuv3-iommu-memory-region-0-3 sid=0x200 bypass (smmu disabled) "
                 "iova:0x1000 is_write=1", ("untranslated", {"bdf": OTHER})),
                ("invalid sid=256 (L1STD span=0)", None), ("smmuv3-iommu-memory-region-0-1 x", None),
                ("pci_cfg_write igb 01:00.0 @0x4 <- 0x103",
                 ("config_write", {"bdf": NIC, "device": "igb", "offset": 4, "value": 0x103}))):
            self.assertEqual(events.parse(line + "\n"), expected, line)
        with self.assertRaisesRegex(ValueError, "smmuv3_write_mmio"):
            events.parse("smmuv3_write_mmio on\n")

    def test_what_the_walker_follows(self):
        """Of all writes to registers those that tell where tables are, and whether they are used."""
        self.says(write(0x98, 7), write(0x20, 0xd), write(0x208, 1), write(0x44, 5))
        self.walker.trace.lines()
        self.says(write(0x98, 7), write(0x20, 0xd), write(0x208, 1), write(0x44, 5))
        self.assertEqual(self.walker.trace.lines(), [write(0x20, 0xd), write(0x44, 5)])

    def test_arguments(self):
        paths = dict.fromkeys(("mem", "work", "trace", "kernel", "initrd"), "/x")
        for topology, word in (("port", "igb,bus=rp1,netdev=net1"),
                               ("root", "igb,bus=pcie.0,addr=0x6,netdev=net1"),
                               ("high", "pcie-root-port,id=empty,bus=pcie.0,chassis=9,slot=9")):
            scenario = {"MEMORY": "1536", "IOMMU": "stage=2", "NICS": "2", "TOPOLOGY": topology,
                        "DEVICES": "", "ICOUNT": "", "RMRR": ""}
            words = self.machine.arguments(scenario, paths, "kho=on")
            self.assertIn(word, words)
            self.assertIn("arm-smmuv3.stage=2", words)
            self.assertIn("memory-backend-file,id=ram,size=1536M,mem-path=/x,share=on,offset=1073741824",
                          words)
            self.assertEqual("hpbussize" in words[-1], topology == "high")
        with self.assertRaisesRegex(ValueError, "RMRR="):
            self.machine.arguments(dict(scenario, RMRR=NIC), paths)

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
        self.assertLess(base.Reading.fastest(walked), 40 * base.Reading.fastest(plain))


class Marks(Rig):
    def test_good(self):
        self.mark("boot")
        for stage, did in ((1, 5), (2, 0x10005)):
            top = self.attach(stage=stage)
            found = self.mark("attached", self.device())
            self.good()
            self.assertEqual(found["requesters"], {NIC: {
                "did": did, "levels": 4, "top": top, "stage": stage, "runs": 2, "read_only": 1,
                "pages": 3, "doorbell": False}})

    def test_another_map(self):
        self.attach(runs=self.runs[:1])
        self.mark("attached", self.device())
        self.bad("iova 0x30000002000: expected 0x50000 r, found nothing")

    def test_blocked(self):
        self.attach()
        self.tables.clear(NIC)
        self.mark("detached", self.device("blocked"))
        self.good()
        self.attach()
        self.mark("detached", self.device("blocked"))
        self.bad("is blocked, and reaches iova 0x30000000000 -> 0x40000")

    def test_bypass_of_another(self):
        self.tables.entry(PORT, 0, 0, stage=0)
        self.mark("boot")
        self.bad("mark boot: 0000:00:01.0: is not the VMM's: passes through")

    def test_one_tag_of_each_stage(self):
        """An ASID and a VMID of one number are two."""
        self.attach()
        self.attach(bdf=OTHER, stage=2, runs=[(0, 0x60000, PAGE, "rw")])
        self.mark("attached", self.device())
        self.good()
        self.attach(bdf=OTHER, runs=[(0, 0x60000, PAGE, "rw")])
        self.mark("attached", self.device())
        self.bad("0000:01:00.0 and 0000:02:00.0 have domain id 5 and different tables")

    def test_one_vmid_on_its_way(self):
        """Two devices go from frozen tables to live ones that map more, one after the other."""
        self.attach(stage=2)
        self.attach(bdf=OTHER, stage=2, runs=self.runs + [(0, 0x40000, PAGE, "r")])
        more = [[0, PAGE, 0, 0, "r"]]

        def mark():
            other = dict(self.device(bdf=OTHER, number=1), space=1)
            box = {"spaces": [{"id": 0, "maps": self.maps}, {"id": 1, "maps": self.maps + more}]}
            self.mark("attached", self.device(), other, **box)
        mark()
        self.good()
        self.attach(bdf=OTHER, stage=2, runs=self.runs[1:] + [(IOVA, 0x40000, PAGE, "r")])
        mark()
        self.assertRegex(" ".join(self.walker.errors), "have domain id 65541 and different tables")

    def test_doorbell(self):
        """Where the device's own interrupts go is no business of the VMM's; anything else there is."""
        doorbell = (0x8000000, smmuv3.Machine.DOORBELL, PAGE, "rw")
        self.attach(runs=[doorbell] + self.runs)
        self.mark("attached", self.device())
        self.good()
        self.attach(runs=[(0x8000000, 0x50000, PAGE, "rw")] + self.runs)
        self.mark("attached", self.device())
        self.attach(runs=[(0x9000000,) + doorbell[1:]] + self.runs)
        self.mark("attached", self.device())
        self.bad("iova 0x8000000: expected nothing, found 0x50000 rw",
                 "iova 0x9000000: expected nothing, found 0x8020000 rw", "iova 0x9000000 reaches 0x8020000")

    def test_doorbell_of_a_driver(self):
        """The kernel's own driver of a device that the VMM does not have: its interrupts, and no more."""
        doorbell = (0xfffff000, smmuv3.Machine.DOORBELL, PAGE, "w")
        self.attach(runs=[doorbell])
        self.mark("boot", self.device("blocked"))
        self.good()
        self.attach(runs=[doorbell, (0x100000000, 0x50000, PAGE, "rw")])
        self.mark("boot", self.device("blocked"))
        self.bad("is blocked, and reaches iova 0x100000000 -> 0x50000")

    def test_shape(self):
        self.mark("freeze")
        self.says(write(0x88, TWO_LEVEL + 1))
        self.mark("rolled-back")
        self.bad("the root pointer moved from 0x100000 .0x10210. to 0x100000 .0x10211.")


class Kexec(Rig):
    def test_good(self):
        for stage in (1, 2):
            self.attach(did=5, stage=stage)
            self.mark("freeze", self.device(preserved=True), boot=0)
            self.attach(did=6, stage=stage)
            self.kexec()
            self.mark("boot", boot=1)
            self.mark("retrieved", self.device("frozen"), boot=1)
            self.attach(did=7, stage=stage)
            self.mark("attached", self.device(), boot=1)
            self.good()
            jump = self.walker.result()["jumps"][-1]
            self.assertEqual((jump["strict"], jump["new"]), (1, 1))
            self.assertEqual(jump["dids"], {NIC: [5, 6] if stage == 1 else [0x10005, 0x10006]})
            self.setUp()

    def test_alone(self):
        """Until the unit is given a queue nobody else has an entry, nor a table that would have one."""
        self.frozen()
        self.tables.context(PORT)
        self.kexec()
        self.bad("the level 1 descriptor of stream ids 0x0-0xff is present, with no frozen device")

    def test_not_alone(self):
        self.frozen()
        self.attach(bdf="0000:01:01.0", runs=[], did=9)
        self.kexec()
        self.bad("in the jump: 0000:01:01.0 is present, before the new kernel adopted its unit")

    def test_others_are_aborted(self):
        self.frozen()
        self.tables.clear("0000:01:01.0")
        self.kexec()
        self.good()

    def test_spoilt(self):
        for spoil, why in (
                (lambda t: t.put(t.context(NIC), 1), "no entry is present"),
                (lambda t: t.put(t.context(NIC), 0), "no entry is present"),
                (lambda t: t.put(t.context(NIC), 1 | 4 << 1), "passes through"),
                (lambda t: t.put(t.context(NIC) + 8, 1 << 28), "reserved bits"),
                (lambda t: t.put(t.descriptors[NIC], 0), "expected 0x40000 rw, found nothing"),
                (lambda t: t.put(t.root + 8, 0), "no entry is present")):
            self.frozen()
            spoil(self.tables)
            self.walker.step()
            self.assertRegex(" ".join(self.walker.errors), "in the jump: .*" + why)
            self.setUp()

    def test_doorbell(self):
        """It may be in what is live until the freeze, and in nothing that is frozen."""
        runs = [(0x8000000, smmuv3.Machine.DOORBELL, PAGE, "rw")] + self.runs
        self.attach(did=5, runs=runs)
        self.mark("freeze", self.device(preserved=True))
        self.walker.step()
        self.good()
        self.attach(did=6, runs=runs)
        self.kexec()
        self.bad("in the jump: 0000:01:00.0: iova 0x8000000: expected nothing, found 0x8020000 rw")


class Trace(base.TraceRig):
    """The judge of the trace."""

    machine = Machine()
    START = ["pci_cfg_write pcie-root-port 00:01.0 @0x18 <- 0x10100",
             "pci_cfg_write pcie-root-port 00:01.0 @0x4 <- 0x107",
             write(0x20, 0), write(0x28, 0xd75), write(0x2c, 6), write(0x80, 0x48004000, 8),
             write(0x88, TWO_LEVEL), write(0x90, 0x48100010, 8), write(0x20, 8),
             "smmuv3_cmdq_cfgi_ste_range start=0x0 - end=0xffffffff", "smmuv3_cmdq_tlbi_nsnh ",
             write(0x20, 0xc), write(0x50, 5), write(0x20, 0xd),
             "pci_cfg_write igb 01:00.0 @0x4 <- 0x507"]
    SHUTDOWN = ["smmuv3_cmdq_cfgi_ste_range start=0x0 - end=0xffffffff", "smmuv3_cmdq_tlbi_nsnh ",
                write(0x50, 0), write(0x20, 1), write(0x44, 0x80100000),
                # the next kernel
                write(0x90, 0x49100010, 8), write(0x20, 9),
                "smmuv3_cmdq_cfgi_ste_range start=0x0 - end=0xffffffff", "smmuv3_cmdq_tlbi_nsnh ",
                write(0x20, 0xd)]
    OFF = [write(0x20, 0)]

    def flush(self, *dids):
        lines = []
        for did in dids:
            lines += ["smmuv3_cmdq_cfgi_ste streamid= 0x100", "smmuv3_cmdq_tlbi_nh_asid asid=%d" % did]
        return lines

    def test_good(self):
        result = self.kexec()
        self.errors(result)
        figures = result["figures"]
        self.assertEqual((figures["freezes"], figures["replaces"], figures["untranslated"]), (1, 1, {}))
        self.assertTrue(self.walk["walks"][-1]["irq_remapping"])

    def test_stage_2(self):
        """The VMID stays, the tables do not: one flush of it after each change, and it is no other's."""
        flush = ["smmuv3_cmdq_cfgi_ste streamid= 0x100", "smmuv3_cmdq_tlbi_s12_vmid vmid=5"]

        def kexec(first, second, did=0x10005):
            return self.judged(
                self.START, ("attached", 0, "live", 0x10005), ("freeze", 0, "live", 0x10005, True), first,
                self.SHUTDOWN, ("boot", 1, None, 0x10005), ("replace", 1, "frozen", 0x10005), second,
                ("attached", 1, "live", did), ("end", 1, "live", did))
        self.errors(kexec(flush, flush))
        self.errors(kexec(flush[1:], flush), "^no-invalidation: .*: freeze: domain id 65541")
        self.errors(kexec(flush, flush[::-1]), "^no-invalidation: .*: replace: domain id 65541")
        self.errors(kexec(flush, flush, 0x10006), "^no-invalidation: .*: replace: domain id 65542")

    def test_stage_2_takes_back(self):
        flush = ["smmuv3_cmdq_cfgi_ste streamid= 0x100", "smmuv3_cmdq_tlbi_s12_vmid vmid=5"]
        before = self.START, ("attached", 0, "live", 0x10005)
        result = self.judged(*before, ("freeze", 0, "live", 0x10005, True), flush * 2,
                             ("rolled-back", 0, "live", 0x10005, True))
        self.errors(result)
        self.assertEqual(result["figures"]["rollbacks"], 1)
        for lines, wrong in ((flush * 3, ()), ([], ("^no-invalidation", "^no-invalidation"))):
            self.errors(self.judged(*before, ("switch", 0, "live", 0x10005), lines,
                                    ("switched", 0, "live", 0x10005)), *wrong)

    def test_stage_2_of_one_of_two(self):
        """Where all entries are forgotten at once, the tags tell whose translations were."""
        flush = ["smmuv3_cmdq_cfgi_ste_range start=0x0 - end=0xffffffff", "smmuv3_cmdq_tlbi_s12_vmid vmid=5",
                 "smmuv3_cmdq_tlbi_s12_vmid vmid=6"]
        result = self.judged(self.START, ("switch", 0, "live", 0x10005), flush,
                             ("switched", 0, "live", 0x10006), devices=[OTHER])
        self.errors(result)
        self.assertEqual(result["figures"]["switches"], 1)

    def test_t1(self):
        for off in (write(0x20, 0), write(0x20, 0xc)):
            self.errors(self.judged(self.START, [off, write(0x20, 0xd)]),
                        "^translation-off: bus mastering was on in 0000:01:00.0$")
            self.errors(self.kexec(jump=[write(0x44, 0x80000000), off, write(0x20, 0xd)]),
                        "^translation-off: bus mastering was on in 0000:01:00.0$")

    def test_t1_blocked(self):
        """While nothing passes a unit may be off, but not under a device that is handed over."""
        off = [write(0x44, 0x80100000), write(0x20, 0)]
        self.errors(self.kexec(jump=off + [write(0x20, 0xd)]),
                    "^translation-off: 0000:01:00.0 was being handed over$")
        stock = (self.START, ("boot", 0, None, 0), ("freeze", 0, "live", 5), off)
        self.errors(self.judged(*stock))
        bypass = [write(0x44, 0x80000000)]
        self.errors(self.judged(*stock, bypass), "^translation-off: bus mastering was on")
        self.errors(self.judged(*stock, ["pci_cfg_write igb 01:00.0 @0x4 <- 0x503"], bypass,
                                ["pci_cfg_write igb 01:00.0 @0x4 <- 0x507"]),
                    "^translation-off: bus mastering came on in 0000:01:00.0 meanwhile$")

    def test_t1_untranslated(self):
        through = "smmuv3_translate_%s smmuv3-iommu-memory-region-0-1 sid=0x100 %s iova:0x1000 is_write=1"
        for line in (through % ("disable", "bypass (smmu disabled)"), through % ("bypass", "STE bypass")):
            result = self.kexec(jump=[line] * 3)
            self.errors(result, "^untranslated: 0000:01:00.0: its DMA passed as it was$")
            self.assertEqual(result["figures"]["untranslated"], {NIC: 3})
            # What is there before the first kernel is no matter of ours.
            self.errors(self.judged([line], self.START))

    def test_t3(self):
        for register, value, size, name in (
                (0x28, 0xd75, 4, "CR1"), (0x2c, 6, 4, "CR2"), (0x88, TWO_LEVEL, 4, "STRTAB_BASE_CFG"),
                (0x80, 0x48004000, 8, "STRTAB_BASE"), (0x84, 0, 4, "STRTAB_BASE")):
            written = "^register-written: %s, while translation is on$" % name
            self.errors(self.kexec(jump=[write(register, value, size)]), written)
            self.errors(self.kexec(last=[write(register, value, size)]), written)
        moved = "^root-moved: from 0x48004000 .0x10210. to "
        self.errors(self.kexec(jump=[write(0x80, 0x48008000, 8)]), "^register-written",
                    moved + "0x48008000 .0x10210.$")
        self.errors(self.kexec(jump=[write(0x88, TWO_LEVEL + 1)]), "^register-written",
                    moved + "0x48004000 .0x10211.$")

    def test_t3_interrupts_of_the_unit(self):
        """They are off before what they tell of is."""
        wrong = "^register-written: CR0 .EVENTQEN goes off before IRQ_CTRL., while translation is on$"
        off = Trace.SHUTDOWN.index(write(0x50, 0))
        self.SHUTDOWN = Trace.SHUTDOWN[:off] + Trace.SHUTDOWN[off + 1:]
        self.errors(self.kexec(), wrong)
        self.SHUTDOWN.insert(off + 1, write(0x50, 0))
        self.errors(self.kexec(), wrong)
        # They were never on.
        self.START = [line for line in Trace.START if line != write(0x50, 5)]
        self.errors(self.kexec())

    def test_t5(self):
        ste, tlb = self.flush(6)
        for freeze in ([], [ste] * 2, self.flush(5), [tlb, ste], ["smmuv3_cmdq_cfgi_cd sid=0x100", tlb]):
            self.assertRegex(self.kexec(freeze=freeze)["errors"][0],
                             "^no-invalidation: 0000:01:00.0: freeze: domain id [56]")
        self.assertRegex(self.kexec(replace=self.flush(7))["errors"][0],
                         "^no-invalidation: 0000:01:00.0: replace: domain id 6")
        for away in (0, 1):
            self.SHUTDOWN = [line for n, line in enumerate(Trace.SHUTDOWN) if n != away]
            self.errors(self.kexec(), "^no-invalidation: the old kernel's last word")

    def test_t5_discard(self):
        """An STE is changed where it is, or found through another table than before."""
        ste, every = "smmuv3_cmdq_cfgi_ste streamid= 0x100", self.SHUTDOWN[0]
        for live, frozen, tag in ((5, 6, "nh_asid asid"), (0x10005, 0x10005, "s12_vmid vmid")):
            first, tlb = ("smmuv3_cmdq_tlbi_%s=%d" % (tag, did & 0xffff) for did in (live, frozen))

            def discard(*lines):
                return self.judged(
                    self.START, ("freeze", 0, "live", live, True), [ste, first, tlb], self.SHUTDOWN,
                    ("boot", 1, None, frozen), ("discard", 1, None, frozen),
                    ["pci_cfg_write igb 01:00.0 @0x4 <- 0x503", *lines], ("end", 1, None, 0),
                    discarded=[{"bdf": NIC, "after": 2}])
            self.errors(discard(ste, tlb))
            self.errors(discard(every, tlb))
            for lines in ((), (ste,), (tlb,), (tlb, ste)):
                self.errors(discard(*lines),
                            "^no-invalidation: 0000:01:00.0: discard: domain id %d: " % frozen)

    def test_faults(self):
        lines = ["smmuv3-iommu-memory-region-0-1 translation failed for iova=0x1000 (F_TRANSLATION)",
                 "smmuv3_record_event F_TRANSLATION sid=0x100"]
        self.assertEqual(self.kexec(last=lines * 2)["figures"]["faults"], {NIC: 2})
        # In the jump there are no events.
        self.SHUTDOWN = Trace.SHUTDOWN[:4] + lines[:1] * 3 + Trace.SHUTDOWN[4:]
        self.assertEqual(self.kexec()["figures"]["faults"], {"unknown": 3})
        self.START = Trace.START + lines
        self.assertEqual(self.kexec()["figures"]["faults"], {NIC: 4})


if __name__ == "__main__":
    unittest.main()
