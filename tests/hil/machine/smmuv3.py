# SPDX-License-Identifier: GPL-2.0-only
"""The machine "smmuv3": QEMU's arm64 "virt" with an SMMUv3 and 82576 NICs (QEMU's igb).

All that is peculiar to it stands here: QEMU's arguments, what its trace events mean, and how the
unit stores in memory what a device can reach. What must hold is judge/'s matter, which knows no
IOMMU. Layouts are those of the SMMUv3 specification (ARM IHI 0070): level 1 stream table descriptor
(section 5.1), stream table entry, STE (5.2), context descriptor, CD (5.4), registers (6.3),
commands (4); and of VMSAv8-64 translation tables in 4K pages (ARM DDI 0487, D8.3). What these have
as reserved, and what nobody here uses (substreams, ATS, stall, hardware that writes to the tables,
other page sizes, nesting), is refused: then nobody can say what a device reaches.

The unit does one stage: the first one, unless the scenario says IOMMU=stage=2.
"""
import os
import re
import struct
from typing import NamedTuple

from .pci import CONFIG_WRITE, PciMachine, config_write, requester

PAGE = 4096
RAM_BASE = 0x40000000
MAX_TABLES = 1 << 13  # of one walk; more are a loop


def field(value, high, low):
    return value >> low & (1 << high - low + 1) - 1


def bits(*places):
    """A mask of bits, given as N or as (high, low)."""
    mask = 0
    for place in places:
        high, low = place if isinstance(place, tuple) else (place, place)
        mask |= (1 << high - low + 1) - 1 << low
    return mask


# Stream table
STRTAB_ADDRESS = bits((51, 6))
LINEAR, TWO_LEVEL = 0, 1  # STRTAB_BASE_CFG.FMT
STE_SIZE = CD_SIZE = 64

# STE: which bits may be set in each of its eight 64-bit words; what they are is in 5.2.
ABORTS = 4  # Config: without this bit it aborts
BYPASS, STAGE_1, STAGE_2 = 4, 5, 6
S1_CONTEXT = bits((51, 6))
# V, Config, S1ContextPtr; S1DSS, S1CIR, S1COR, S1CSH, MEV, SHCFG
STE_STAGE_1 = (bits((3, 0)) | S1_CONTEXT, bits((7, 0), 19, (45, 44)), 0, 0, 0, 0, 0, 0)
# V, Config; MEV, SHCFG; S2VMID, all from S2T0SZ to S2AA64 but S2TG, S2AFFD, S2PTW, S2R; S2TTB
STE_STAGE_2 = (bits((3, 0)), bits(19, (45, 44)), bits((15, 0), (45, 32), (51, 48), 53, 54, 58),
               bits((51, 4)), 0, 0, 0, 0)
S2_AA64 = bits(51)
STE_VALID = 1

# CD: T0SZ, IR0, OR0, SH0, EPD1, V, IPS, AFFD, AA64, R, A, ASET, ASID; TTB0; MAIR0, MAIR1
CD_ALLOWED = (bits((5, 0), (13, 8), 30, 31, (35, 32), 41, (47, 45), (63, 48)), bits((51, 4)), 0,
              bits((63, 0)), 0, 0, 0, 0)
CD_VALID = bits(31)
CD_NEEDED = bits(30, 31, 41, 46)  # EPD1, V, AA64, A

# Descriptors of translation tables, D8.3
ADDRESS = bits((47, 12))
ATTRIBUTES = bits((63, 48), (11, 0))
# Read-only, and where it is the other way round: writable, readable.
AP_UNPRIVILEGED, AP_READ_ONLY = bits(6), bits(7)
S2AP_READ, S2AP_WRITE = bits(6), bits(7)
AF, NOT_GLOBAL = bits(10), bits(11)
# valid, page, MemAttr or AttrIndx, AP, SH, AF, XN; and NS and nG of the first stage
LEAF_1 = bits((4, 0), (11, 6), (54, 53))
LEAF_2 = bits((10, 0), (54, 53))
OUTPUT_BITS = (32, 36, 40, 42, 44, 48)  # by IPS, S2PS


class Unreadable(Exception):
    """The tables do not say what a requester can reach; the text says where and why."""


class Entry(NamedTuple):
    """A stream table entry, and the context descriptor behind it: how one requester's DMA goes."""
    rid: int  # stream id: what the machine's device tree makes of a requester id, which is the same
    stage: int  # 0: none, it passes through; 3: both
    did: int  # what tags cached translations: an ASID, or a VMID that counts from VMIDS on
    levels: int  # of its tables
    top: int  # address of the top table
    raw: tuple  # eight words, and another eight of the CD, as they are in memory

    @property
    def passthrough(self):
        return not self.stage

    @property
    def more(self):
        """What else a report says of it."""
        return {"stage": self.stage}


VMIDS = 1 << 16  # after all ASIDs: they are numbers of their own


class Geometry(NamedTuple):
    """Of a requester's tables."""
    stage: int
    top: int
    levels: int
    entries: int  # of the top one
    output: int  # address bits


class Reader:
    """What a unit reads in the memory `mem`; root and shape: its STRTAB_BASE and STRTAB_BASE_CFG."""

    ram_base = RAM_BASE

    def __init__(self, mem, root, shape):
        self.mem = mem
        self.size = field(shape, 5, 0)
        self.split = field(shape, 10, 6) if field(shape, 17, 16) == TWO_LEVEL else None
        # It takes the address's lower bits for zero, as far as the table is long.
        self.table = (1 << self.size) * STE_SIZE if self.split is None else \
            max(8 << self.size - self.split if self.size > self.split else 8, 64)
        self.root = root & ~(self.table - 1)
        self._walks = {}  # raw of an entry -> (tables as they were, runs)

    def _bytes(self, address, size, what):
        if address < self.ram_base or address + size > len(self.mem):
            raise Unreadable("%s at %#x is outside of RAM" % (what, address))
        return self.mem[address:address + size]

    def _words(self, address, what):
        return struct.unpack("<8Q", self._bytes(address, STE_SIZE, what))

    def _second_level(self, number, descriptor):
        """(address, number of entries) that a level 1 descriptor leads to; none of the latter if it is
        not valid.
        """
        span = descriptor & 0x1f
        if not span:
            return 0, 0
        count = 1 << span - 1
        address = descriptor & STRTAB_ADDRESS
        if span > self.split + 1 or descriptor & ~(STRTAB_ADDRESS | 0x1f) or \
                address & (count * STE_SIZE - 1):
            raise Unreadable("level 1 descriptor %#x of stream ids from %#x: %#x has reserved bits" %
                             (number, number << self.split, descriptor))
        return address, count

    def _level_1(self):
        data = self._bytes(self.root, self.table, "the stream table")
        return struct.unpack("<%dQ" % (self.table // 8), data)[:1 << max(self.size - self.split, 0)]

    def _tables(self):
        """(first stream id, address, number of entries) of each part that has entries."""
        if self.split is None:
            yield 0, self.root, 1 << self.size
            return
        for number, descriptor in enumerate(self._level_1()):
            address, count = self._second_level(number, descriptor)
            if count:
                yield number << self.split, address, count

    @staticmethod
    def _present(word):
        """Without this its DMA is aborted, whatever else there is."""
        return word & STE_VALID and word >> 1 & ABORTS

    def requesters(self):
        """(rid, Entry) of each entry that lets its requester reach anything."""
        for first, address, count in self._tables():
            data = self._bytes(address, count * STE_SIZE, "the stream table from %#x on" % first)
            for n, word in enumerate(struct.unpack("<%dQ" % (8 * count), data)[::8]):
                if self._present(word):
                    yield first + n, self._entry(first + n, struct.unpack_from("<8Q", data, n * 64))

    def tables(self):
        """(first rid, last rid, name) of each part of the structure that leads further."""
        for first, _, count in self._tables() if self.split is not None else ():
            yield first, first + count - 1, "the level 1 descriptor of stream ids %#x-%#x" % \
                (first, first + count - 1)

    def _place(self, rid):
        """Address of a requester's entry, None if it has none."""
        if rid >> self.size:
            return None
        if self.split is None:
            return self.root + rid * STE_SIZE
        number = rid >> self.split
        address, count = self._second_level(number, struct.unpack("<Q", self._bytes(
            self.root + 8 * number, 8, "the stream table"))[0])
        rid &= (1 << self.split) - 1
        return address + rid * STE_SIZE if rid < count else None

    def _entry(self, rid, ste):
        config = ste[0] >> 1 & 7
        if config == BYPASS:
            return Entry(rid, 0, -1, 0, 0, ste)
        if config == STAGE_2:
            return Entry(rid, 2, VMIDS + field(ste[2], 15, 0), self._levels_2(ste),
                         ste[3] & bits((51, 4)), ste)
        cd = self._words(ste[0] & S1_CONTEXT, "the context descriptor of stream id %#x" % rid)
        return Entry(rid, config & 3, field(cd[0], 63, 48), self._levels_1(cd), cd[1] & bits((51, 4)),
                     ste + cd)

    def entry(self, rid):
        """The Entry of one requester, None if its DMA is aborted.

        The unit sees 8 bytes at once, and caches all 128; we read them one after the other: two
        looks have to agree.
        """
        last = None
        while True:
            place = self._place(rid)
            ste = place and self._words(place, "the stream table entry of %#x" % rid)
            found = self._entry(rid, ste) if ste and self._present(ste[0]) else None
            if last and found == last[0]:
                return found
            last = (found,)

    @staticmethod
    def _levels_1(cd):
        """By T0SZ; 0 for one that does not exist."""
        size = field(cd[0], 5, 0)
        return (64 - size - 12 + 8) // 9 if 16 <= size <= 39 else 0

    @staticmethod
    def _levels_2(ste):
        """By S2SL0."""
        return (2, 3, 4, 1)[field(ste[2], 39, 38)]

    def _geometry(self, entry):
        """Where its tables are; it has no reserved bits."""
        ste, cd = entry.raw[:8], entry.raw[8:]
        what = "stream table entry"
        allowed = {1: STE_STAGE_1, 2: STE_STAGE_2}.get(entry.stage)
        if allowed is None:
            raise Unreadable("has two stages, and nobody here uses both")
        if any(word & ~may for word, may in zip(ste, allowed)):
            raise Unreadable("%s %s has reserved bits" % (what, " ".join("%#x" % w for w in ste)))
        if entry.stage == 1:
            if any(word & ~may for word, may in zip(cd, CD_ALLOWED)) or cd[0] & CD_NEEDED != CD_NEEDED:
                raise Unreadable("context descriptor %s has reserved bits" %
                                 " ".join("%#x" % w for w in cd))
            size, output = 64 - field(cd[0], 5, 0), field(cd[0], 34, 32)
        else:
            if not ste[2] & S2_AA64:
                raise Unreadable("%s %#x: the tables are not those of AArch64" % (what, ste[2]))
            size, output = 64 - field(ste[2], 37, 32), field(ste[2], 50, 48)
        # Index bits of the top table: up to four more where up to 16 of stage 2 lie side by side.
        top = size - 12 - 9 * (entry.levels - 1)
        if not entry.levels or not 1 <= top <= (13 if entry.stage == 2 else 9):
            raise Unreadable("tables of %d levels for %d address bits do not exist" %
                             (entry.levels, size))
        if output >= len(OUTPUT_BITS):
            raise Unreadable("output address size %d does not exist" % output)
        # The address is aligned to what it is of, and that is 64 bytes at least.
        if entry.top & (max(8 << top, 64) - 1):
            raise Unreadable("the top table at %#x is not aligned to its size" % entry.top)
        return Geometry(entry.stage, entry.top, entry.levels, 1 << top, OUTPUT_BITS[output])

    def walk(self, entry):
        """All that an entry lets its requester reach, as maximal runs (iova, pa, length, prot)."""
        if entry.passthrough:
            raise Unreadable("passes through, no tables are walked")
        if entry.stage == 1 and not entry.raw[8] & CD_VALID:
            return []  # C_BAD_CD for whatever it tries
        # The tables of a frozen domain stay as they are: comparing bytes is far cheaper than
        # walking, and what is equal reaches the same.
        tables, runs = self._walks.get(entry.raw, ((), None))
        if runs is None or any(self.mem[at:at + len(data)] != data for at, data in tables):
            runs = []
            walk = Walk(self, self._geometry(entry), runs)
            walk.table(walk.form.top, walk.form.entries, 4 - walk.form.levels, 0)
            if len(self._walks) > 16:
                self._walks.clear()
            self._walks[entry.raw] = (walk.tables, runs)
        return runs


class Walk:
    """One walk through tables of the one stage. A level is the one that the architecture calls so:
    3 has pages.
    """

    def __init__(self, reader, form, runs):
        self.reader = reader
        self.form = form
        self.runs = runs
        self.tables = []  # (address, bytes)
        self.prots = {}  # of the attributes of leaves that were seen

    def table(self, address, entries, level, iova):
        if len(self.tables) >= MAX_TABLES:
            raise Unreadable("iova %#x: more than %d tables" % (iova, MAX_TABLES))
        data = self.reader._bytes(  # pylint: disable=protected-access
            address, 8 * entries, "iova %#x: the table of level %d" % (iova, level))
        self.tables.append((address, data))
        values = struct.unpack("<%dQ" % entries, data)
        if level == 3:
            self.pages(values, iova)
            return
        size = PAGE << 9 * (3 - level)
        for value in values:
            # Not valid, whatever else is in it.
            if value & 1:
                if value & 2:
                    if value & ATTRIBUTES != 3:
                        raise Unreadable("iova %#x: table descriptor %#x of level %d has reserved bits" %
                                         (iova, value, level))
                    self.table(value & ADDRESS, 512, level + 1, iova)
                elif not level or value & ADDRESS & (size - 1):
                    raise Unreadable("iova %#x: block %#x of level %d has reserved bits" %
                                     (iova, value, level))
                else:
                    self.leaf(iova, value & ADDRESS, size, value & ATTRIBUTES)
            iova += size

    def pages(self, values, iova):
        """A table of the last level. Nearly all time of a walk goes here: no call per page."""
        start, first, length, last = iova, 0, 0, 0
        for value in values:
            now = value & ATTRIBUTES if value & 1 else 0
            if now == last and (not now or value & ADDRESS == first + length):
                length += PAGE
            else:
                self.page(start, first, length, last)
                start, first, length, last = iova, value & ADDRESS, PAGE, now
            iova += PAGE
        self.page(start, first, length, last)

    def page(self, iova, pa, size, attributes):
        """Some of them in a row, or none where there are no attributes."""
        if attributes:
            if not attributes & 2:
                raise Unreadable("iova %#x: page with attributes %#x is of a reserved type" %
                                 (iova, attributes))
            self.leaf(iova, pa, size, attributes)

    def prot(self, iova, attributes):
        """What a leaf's attributes allow, None for nothing."""
        first = self.form.stage == 1
        needed = AF | AP_UNPRIVILEGED | NOT_GLOBAL if first else AF
        if attributes & ~(LEAF_1 if first else LEAF_2):
            raise Unreadable("iova %#x: leaf with attributes %#x has reserved bits" % (iova, attributes))
        if attributes & needed != needed:
            raise Unreadable("iova %#x: leaf with attributes %#x is privileged, global, or not for access" %
                             (iova, attributes))
        if first:
            return "r" if attributes & AP_READ_ONLY else "rw"
        return {0: None, S2AP_READ: "r", S2AP_WRITE: "w"}.get(attributes & (S2AP_READ | S2AP_WRITE), "rw")

    def leaf(self, iova, pa, size, attributes):
        if attributes not in self.prots:
            self.prots[attributes] = self.prot(iova, attributes)
        prot = self.prots[attributes]
        if not prot:
            return
        if pa + size >> self.form.output and pa + size != 1 << self.form.output:
            raise Unreadable("iova %#x: %#x has more than %d bits" % (iova, pa, self.form.output))
        runs = self.runs
        if runs:
            last_iova, last_pa, length, last_prot = runs[-1]
            if last_iova + length == iova and last_pa + length == pa and last_prot == prot:
                runs[-1] = (last_iova, last_pa, length + size, prot)
                return
        runs.append((iova, pa, size, prot))


# Registers (6.3): CR0, CR1, CR2, GBPA, IRQ_CTRL, STRTAB_BASE and its upper half, STRTAB_BASE_CFG
CR0, CR1, CR2, GBPA, IRQ_CTRL = 0x20, 0x28, 0x2c, 0x44, 0x50
BASE, BASE_HIGH, BASE_CFG = 0x80, 0x84, 0x88
SMMUEN, EVENTQEN, CMDQEN = 1 << 0, 1 << 2, 1 << 3
GBPA_UPDATE, GBPA_ABORT = 1 << 31, 1 << 20

MEMORY_REGION = "smmuv3-iommu-memory-region-"  # QEMU's name of what a device sees


class Events:
    """What a line of QEMU's trace means.

    parse() returns None or (event, its fields):
      translation      on, blocked: while it is off, nothing passes (GBPA.ABORT)
      queue            on: the command queue, the first thing that a kernel sets up
      root             address, shape, readable: whether Reader understands it; held: the register's
                       name where it may not be written, as translation is on
      register         held: the same of another register, or of CR0 with what is wrong with the write
      config_write     bdf, device: QEMU's name of the model, offset, value
      invalidate       kind: "context" or "iotlb", scope: "global", "device" or "domain",
                       did and rid, None where the scope has none
      fault            bdf, None if QEMU does not tell; more as text
      untranslated     bdf: a DMA passed as it was

    What is not an invalidation here: one of context descriptors alone, as it is the STE that leads to
    another one, and one of single pages.
    """

    def __init__(self):
        self.cr0 = self.irq_ctrl = self.base = self.shape = 0
        self.blocked = False
        self.names = {}  # of memory regions -> requester
        self.failed = None  # the last one of which QEMU said that a translation failed
        self._known = {name: (re.compile(pattern), make) for name, pattern, make in (
            ("smmuv3_write_mmio", r"addr: 0x([0-9a-f]+) val:0x([0-9a-f]+) size: 0x([0-9a-f]+)\(\d+\)",
             self._write),
            ("smmuv3_cmdq_cfgi_ste", r"streamid= 0x([0-9a-f]+)", self._entry),
            ("smmuv3_cmdq_cfgi_ste_range", r"start=0x([0-9a-f]+) - end=0x([0-9a-f]+)", self._entries),
            ("smmuv3_cmdq_tlbi_nsnh", r"()", self._all),
            ("smmuv3_cmdq_tlbi_nh_asid", r"asid=(\d+)", self._asid),
            ("smmuv3_cmdq_tlbi_s12_vmid", r"vmid=(\d+)", self._vmid),
            ("smmuv3_record_event", r"(.+) sid=0x([0-9a-f]+)", self._event),
            ("smmuv3_translate_abort", r"(\S+) sid=0x([0-9a-f]+) (abort on .*)", self._abort),
            ("smmuv3_translate_bypass", r"(\S+) sid=0x([0-9a-f]+) STE bypass .*", self._untranslated),
            ("smmuv3_translate_disable", r"(\S+) sid=0x([0-9a-f]+) bypass .*", self._untranslated),
            ("pci_cfg_write", CONFIG_WRITE, config_write))}

    def parse(self, line):
        name, _, text = line.partition(" ")
        if name not in self._known:
            # QEMU's -d guest_errors are in the same log.
            return self._failed(name, text) if name.startswith(MEMORY_REGION) else None
        pattern, make = self._known[name]
        match = pattern.fullmatch(text.rstrip())
        if not match:
            raise ValueError("QEMU's trace has '%s': machine/smmuv3.py does not know this form" %
                             line.rstrip()[:200])
        return make(*match.groups())

    # ---- registers

    def _write(self, address, value, size):
        address, value = int(address, 16), int(value, 16)
        if address == CR0:
            return self._cr0(value)
        if address == GBPA and value & GBPA_UPDATE:
            was, self.blocked = self.blocked, bool(value & GBPA_ABORT)
            if was != self.blocked and not self.cr0 & SMMUEN:
                return self._translation()
        elif address == IRQ_CTRL:
            self.irq_ctrl = value
        elif address == BASE:
            self.base = value if int(size, 16) == 8 else self.base & ~0xffffffff | value
            return self._root("STRTAB_BASE")
        elif address == BASE_HIGH:
            self.base = self.base & 0xffffffff | value << 32
            return self._root("STRTAB_BASE")
        elif address == BASE_CFG:
            self.shape = value
            return self._root("STRTAB_BASE_CFG")
        elif address in (CR1, CR2) and self.cr0 & SMMUEN:
            return "register", {"held": "CR1" if address == CR1 else "CR2"}
        return None

    def _cr0(self, value):
        changed, self.cr0 = self.cr0 ^ value, value
        if changed & SMMUEN:
            return self._translation()
        # The unit goes on without the kernel that its interrupts are for.
        if changed & ~value & EVENTQEN and value & SMMUEN and self.irq_ctrl:
            return "register", {"held": "CR0 (EVENTQEN goes off before IRQ_CTRL)"}
        return ("queue", {"on": True}) if changed & value & CMDQEN else None

    def _translation(self):
        return "translation", {"on": bool(self.cr0 & SMMUEN), "blocked": self.blocked}

    def _root(self, name):
        form, split = field(self.shape, 17, 16), field(self.shape, 10, 6)
        return "root", {"address": self.base & STRTAB_ADDRESS, "shape": self.shape,
                        "readable": form == LINEAR or form == TWO_LEVEL and split in (6, 8, 10),
                        "held": name if self.cr0 & SMMUEN else None}

    # ---- commands

    @staticmethod
    def _entry(sid):
        return "invalidate", {"kind": "context", "scope": "device", "did": None, "rid": int(sid, 16)}

    @staticmethod
    def _entries(first, last):
        """One range of stream ids; CMD_CFGI_ALL is that of all."""
        if int(first, 16) or int(last, 16) != 0xffffffff:
            return None
        return "invalidate", {"kind": "context", "scope": "global", "did": None, "rid": None}

    @staticmethod
    def _all(_):
        return "invalidate", {"kind": "iotlb", "scope": "global", "did": None, "rid": None}

    @staticmethod
    def _asid(asid):
        return "invalidate", {"kind": "iotlb", "scope": "domain", "did": int(asid), "rid": None}

    @staticmethod
    def _vmid(vmid):
        return "invalidate", {"kind": "iotlb", "scope": "domain", "did": VMIDS + int(vmid), "rid": None}

    # ---- DMA

    def _failed(self, name, text):
        """A translation failed. The event that follows says for whom; while there is no queue for
        events none follows, and the name has to tell that, if it was ever said whose it is.
        """
        if not text.startswith("translation failed for "):
            return None
        self.failed = name
        if self.cr0 & EVENTQEN and "no recorded event" not in text:
            return None
        return "fault", {"bdf": self.names.get(name), "more": text.rstrip()}

    def _event(self, text, sid):
        bdf = requester(int(sid, 16))
        if self.failed:
            self.names[self.failed] = bdf
            self.failed = None
        return "fault", {"bdf": bdf, "more": text}

    def _abort(self, name, sid, text):
        self.names[name] = requester(int(sid, 16))
        return "fault", {"bdf": self.names[name], "more": text}

    def _untranslated(self, name, sid):
        self.names[name] = requester(int(sid, 16))
        return "untranslated", {"bdf": self.names[name]}


class Machine(PciMachine):
    NAME = "smmuv3"
    # The first kernel's device tree is QEMU's, of 1 MiB; kexec makes one of the size that it needs.
    HANDOVER_KIB = -1004, -988
    # Nothing may lie below the kernel, so all of it has to fit into the first, highest area.
    SCRATCH = "64M,128M,64M"
    qemu = "qemu-system-aarch64"

    # What runs in it is built for it: kernels, and programs with their headers and libraries.
    IMAGE = "Image"
    HEADERS = "headers-arm64"
    COMPILER = "aarch64-linux-gnu-gcc"
    SYSROOT = "sysroot-arm64"
    RAM_BASE = RAM_BASE

    Reader = Reader
    Events = Events
    Unreadable = Unreadable

    # Interrupts are writes to a device's own IO addresses, which are translated as all are.
    IRQ_REMAPPING_MUST_STAY = False
    # Such a write leads here, from there on in the IO addresses: GICv2m's frame, and where Linux puts
    # it in the maps of user space (IOMMU_RESV_SW_MSI).
    DOORBELL = 0x8020000
    DOORBELL_IOVAS = 0x8000000, 0x8100000

    TRACE_EVENTS = ["smmuv3_write_mmio", "smmuv3_cmdq_cfgi_ste", "smmuv3_cmdq_cfgi_ste_range",
                    "smmuv3_cmdq_tlbi_nsnh", "smmuv3_cmdq_tlbi_nh_asid", "smmuv3_cmdq_tlbi_s12_vmid",
                    "smmuv3_record_event", "smmuv3_translate_abort", "smmuv3_translate_bypass",
                    "smmuv3_translate_disable", "pci_cfg_write"]
    # Of these, what tells where the tables are, and whether they are looked at: of all writes to
    # registers hardly one, most tell that there are commands.
    TABLE_EVENTS = (r"smmuv3_write_mmio addr: 0x(?:20|44|80|84|88)",)
    # The kernel tells of a blocked DMA in a line with this text.
    FAULT_LINE = ": event: "

    # Lines of a kernel's console between which nobody but a frozen device may have an entry.
    BOOT_LINE = "Linux version"
    ADOPTED_LINES = ("translation stays on", "all DMA blocked")

    # Bus 0x41 and above: a port that is empty has been given all below.
    HIGH = ["-device", "pcie-root-port,id=empty,bus=pcie.0,chassis=9,slot=9"]
    HIGH_BUS = "pcie.0"
    HIGH_APPEND = "pci=hpbussize=64 "

    # What the monitor is asked of a machine that stands still; for lost_interrupt().
    STUCK = ("info registers -a", "info irq", "info cpus")

    @staticmethod
    def keeps_id(did):
        """Where stage 2's tables change at once, their address does, and the VMID is in another word."""
        return did >= VMIDS

    @staticmethod
    def irq_entries(mem, address, entries):
        raise Unreadable("this machine has no table of interrupts")

    @staticmethod
    def lost_interrupt(text):  # pylint: disable=unused-argument
        """None: nothing of the kind was ever seen on it."""
        return None

    def arguments(self, scenario, paths, append=""):
        """QEMU's command line.

        scenario: its variables; paths: mem, work (the folder of the sockets), trace, kernel, initrd;
        append: more kernel command line.
        """
        if (os.environ.get("HIL_ACCEL") or "tcg") != "tcg":
            raise ValueError("HIL_ACCEL=%s: this machine is emulated" % os.environ["HIL_ACCEL"])
        if scenario["RMRR"]:
            raise ValueError("RMRR=%s: this machine has no ACPI tables" % scenario["RMRR"])
        accel, cpus = "tcg,thread=multi", ["-smp", "2"]
        if scenario["ICOUNT"]:
            accel, cpus = "tcg,thread=single", ["-smp", "1", "-icount", "shift=0,sleep=off"]
        words = [
            # virt-9.1 is the last one whose unit has the stages that its properties say.
            self.qemu, "-accel", accel, "-cpu", "cortex-a57",
            "-M", "virt-9.1,iommu=smmuv3,gic-version=2,memory-backend=ram", *cpus,
            *self.memory(scenario, paths, self.RAM_BASE),
            "-nodefaults", "-display", "none", "-no-reboot", "-d", "guest_errors"]
        for option in scenario["IOMMU"].split(",") if scenario["IOMMU"] else ():
            words += ["-global", "arm-smmuv3." + option]
        words += self.nics(scenario, paths["work"])
        words += self.watched(scenario, paths)
        # GICv2m does not keep a device from the interrupts of others, so VFIO has to be told.
        words += [
            "-kernel", paths["kernel"], "-initrd", paths["initrd"],
            "-append", "console=ttyAMA0 earlycon iommufd.allow_unsafe_interrupts=1 " +
            (self.HIGH_APPEND if scenario["TOPOLOGY"] == "high" else "") + append]
        return words
