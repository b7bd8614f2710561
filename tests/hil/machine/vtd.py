# SPDX-License-Identifier: GPL-2.0-only
"""The machine "vtd": a q35 with a VT-d unit in legacy mode and 82576 NICs (QEMU's igb).

All that is peculiar to it stands here: QEMU's arguments, what its trace events mean, and how the
unit stores in memory what a device can reach. What must hold is judge/'s matter, which knows no
IOMMU. Layouts are those of the VT-d specification: root entry (section 9.1), context entry (9.3),
second-stage paging entries (9.8), invalidation descriptors (6.5.2),
interrupts (5.1) and their entries (9.10).
"""
import os
import re
import struct
from typing import NamedTuple

from .pci import CONFIG_WRITE, PciMachine, config_write, requester

PAGE = 4096
ADDRESS = 0x000ffffffffff000  # bits 51:12 of each kind of entry
READ, WRITE = 1, 2
PROT = {READ: "r", WRITE: "w", READ | WRITE: "rw"}
LEAF = 1 << 7
TABLE_RESERVED = 1 << 62 | 1 << 11 | 0xf << 3  # of an entry that points to a table
IRQ_FORMAT = 1 << 4  # address of an interrupt: it is to be remapped

# Tables of one walk. 16 GiB in 4K pages need about as many; tables that form a loop need more.
MAX_TABLES = 1 << 13


class Unreadable(Exception):
    """The tables do not say what a requester can reach; the text says where and why."""


class Entry(NamedTuple):
    """A context entry: how the DMA of one requester is translated."""
    rid: int  # requester id: bus << 8 | device << 3 | function
    did: int  # domain id, the tag of what the unit caches
    tt: int  # translation type
    levels: int  # of its tables; 0 for an address width that does not exist
    top: int  # address of the top table
    raw: tuple  # both halves, as they are in memory

    @property
    def passthrough(self):
        return self.tt == 2

    @property
    def more(self):
        """What else a report says of it."""
        return {"tt": self.tt}


class Reader:
    """What a unit with its root table at `root` reads in the memory `mem`."""

    def __init__(self, mem, root):
        self.mem = mem
        self.root = root
        self._walks = {}  # Entry.raw -> (tables as they were, runs)

    def _table(self, address, what):
        if address % PAGE or address + PAGE > len(self.mem):
            raise Unreadable("%s at %#x is outside of RAM" % (what, address))
        return self.mem[address:address + PAGE]

    def _context_table(self, bus, low, high):
        """Address of a bus's context table, None if there is none."""
        if not low & 1:
            return None
        if low & 0xffe or high:
            raise Unreadable("root entry of bus %02x: %#x %#x has reserved bits" % (bus, low, high))
        return low & ADDRESS

    @staticmethod
    def _entry(rid, low, high):
        width = high & 7
        return Entry(rid, high >> 8 & 0xffff, low >> 2 & 3, width + 2 if 1 <= width <= 3 else 0,
                     low & ADDRESS, (low, high))

    def requesters(self):
        """(rid, Entry) of each entry that is present."""
        roots = struct.unpack("<512Q", self._table(self.root, "the root table"))
        for bus in range(256):
            address = self._context_table(bus, *roots[2 * bus:2 * bus + 2])
            if address is None:
                continue
            table = self._table(address, "the context table of bus %02x" % bus)
            for devfn, (low, high) in enumerate(struct.iter_unpack("<2Q", table)):
                if low & 1:
                    yield bus << 8 | devfn, self._entry(bus << 8 | devfn, low, high)

    def tables(self):
        """(first rid, last rid, name) of each part of the structure that leads further."""
        roots = struct.unpack("<512Q", self._table(self.root, "the root table"))
        for bus in range(256):
            if roots[2 * bus] & 1:
                yield bus << 8, bus << 8 | 0xff, "the root entry of bus %02x" % bus

    def entry(self, rid):
        """The Entry of one requester, None if none is present.

        The unit sees an entry's 16 bytes at once, we may not: two looks have to agree.
        """
        last = None
        while True:
            at = self.root + (rid >> 8) * 16
            if at + 16 > len(self.mem):
                raise Unreadable("the root table at %#x is outside of RAM" % self.root)
            address = self._context_table(rid >> 8, *struct.unpack("<2Q", self.mem[at:at + 16]))
            if address is None:
                found = (0, 0)
            else:
                at = address + (rid & 0xff) * 16
                if at + 16 > len(self.mem):
                    raise Unreadable("the context table of bus %02x at %#x is outside of RAM" %
                                     (rid >> 8, address))
                found = struct.unpack("<2Q", self.mem[at:at + 16])
            if found == last:
                return self._entry(rid, *found) if found[0] & 1 else None
            last = found

    def walk(self, entry):
        """All that an entry lets its requester reach, as maximal runs (iova, pa, length, prot)."""
        if entry.passthrough:
            raise Unreadable("passes through, no tables are walked")
        if entry.tt == 3:
            raise Unreadable("translation type 3 is reserved")
        if not entry.levels:
            raise Unreadable("address width %d is reserved" % (entry.raw[1] & 7))
        if entry.raw[0] & 0xff0 or entry.raw[1] >> 24 or entry.raw[1] & 0x80:
            raise Unreadable("context entry %#x %#x has reserved bits" % entry.raw)
        # The tables of a frozen domain stay as they are: comparing bytes is far cheaper than
        # walking, and what is equal reaches the same.
        tables, runs = self._walks.get(entry.raw, ((), None))
        if runs is None or any(self.mem[at:at + PAGE] != data for at, data in tables):
            tables, runs = [], []
            self._walk(entry.top, entry.levels, 0, READ | WRITE, tables, runs)
            if len(self._walks) > 16:
                self._walks.clear()
            self._walks[entry.raw] = (tables, runs)
        return runs

    def _walk(self, address, level, iova, allowed, tables, runs):
        if len(tables) >= MAX_TABLES:
            raise Unreadable("iova %#x: more than %d tables" % (iova, MAX_TABLES))
        data = self._table(address, "iova %#x: the table of level %d" % (iova, level))
        tables.append((address, data))
        values = struct.unpack("<512Q", data)
        if level == 1:
            self._leaves(values, iova, allowed, runs)
            return
        size = PAGE << 9 * (level - 1)
        for value in values:
            # Neither read nor write: not present, whatever else is in it.
            if value & 3:
                if not value & LEAF:
                    if value & TABLE_RESERVED:
                        raise Unreadable("iova %#x: entry %#x of level %d has reserved bits" %
                                         (iova, value, level))
                    self._walk(value & ADDRESS, level - 1, iova, allowed & value, tables, runs)
                elif level > 3 or value & ADDRESS & (size - 1):
                    raise Unreadable("iova %#x: leaf %#x of level %d has reserved bits" %
                                     (iova, value, level))
                else:
                    self._leaf(iova, value & ADDRESS, size, value & allowed, runs)
            iova += size

    def _leaves(self, values, iova, allowed, runs):
        """A table of the last level. Nearly all time of a walk goes here: no call per leaf."""
        start, first, length, prot = iova, 0, 0, 0
        for value in values:
            may = value & allowed
            if may == prot and (not may or value & ADDRESS == first + length):
                length += PAGE
            else:
                self._leaf(start, first, length, prot, runs)
                start, first, length, prot = iova, value & ADDRESS, PAGE, may
            iova += PAGE
        self._leaf(start, first, length, prot, runs)

    @staticmethod
    def _leaf(iova, pa, size, may, runs):
        if not may:
            return
        prot = PROT[may]
        if runs:
            last_iova, last_pa, length, last_prot = runs[-1]
            if last_iova + length == iova and last_pa + length == pa and last_prot == prot:
                runs[-1] = (last_iova, last_pa, length + size, prot)
                return
        runs.append((iova, pa, size, prot))


class Events:
    """What a line of QEMU's trace means.

    parse() returns None or (event, its fields):
      translation      on
      irq_remapping    on
      irq_table        address, entries: what interrupts are remapped by from now on
      irq_invalidate   nothing: all that is cached of that table
      irq              remapped: None for a request in the format that is to be remapped, before
                       it is looked up; then, if it comes through, whether it was remapped
      queue            on: the invalidation queue, the first thing that a kernel sets up
      root             address, readable: whether Reader understands the table's mode
      config_write     bdf, device: QEMU's name of the model, offset, value
      invalidate       kind: "context" or "iotlb", scope: "global", "domain", "device" or "page",
                       did and rid, None where the scope has none
      fault            bdf, None if QEMU does not tell; more as text
    """

    def __init__(self):
        self._known = {name: (re.compile(pattern), make) for name, pattern, make in (
            ("vtd_dmar_enable", r"enable (\d+)", self._translation),
            ("vtd_ir_enable", r"enable (\d+)", self._irq_remapping),
            ("vtd_reg_ir_root", r"addr (0x[0-9a-f]+) size (0x[0-9a-f]+)", self._irq_table),
            ("vtd_ir_remap_msi_req", r"addr (0x[0-9a-f]+) data 0x[0-9a-f]+", self._irq_request),
            ("vtd_ir_remap_msi", r"\(addr (0x[0-9a-f]+), data (0x[0-9a-f]+)\) -> "
             r"\(addr (0x[0-9a-f]+), data (0x[0-9a-f]+)\)", self._irq),
            ("vtd_inv_qi_enable", r"enabled (\d+)", self._queue),
            ("vtd_reg_dmar_root", r"addr (0x[0-9a-f]+) scalable (\d+)", self._root),
            ("vtd_inv_desc", r"invalidate desc type \S+ high (0x[0-9a-f]+) low (0x[0-9a-f]+)",
             self._descriptor),
            ("vtd_dmar_fault", r"sid (0x[0-9a-f]+) (fault .*)", self._fault),
            ("vtd_fault_disabled", r"(.*)", self._fault_unknown),
            ("pci_cfg_write", CONFIG_WRITE, config_write))}

    def parse(self, line):
        name, _, text = line.partition(" ")
        if name not in self._known:
            return None
        pattern, make = self._known[name]
        match = pattern.fullmatch(text.rstrip())
        if not match:
            raise ValueError("QEMU's trace has '%s': machine/vtd.py does not know this form" %
                             line.rstrip()[:200])
        return make(*match.groups())

    @staticmethod
    def _translation(on):
        return "translation", {"on": on != "0"}

    @staticmethod
    def _irq_remapping(on):
        return "irq_remapping", {"on": on != "0"}

    @staticmethod
    def _irq_table(address, entries):
        return "irq_table", {"address": int(address, 16) & ADDRESS, "entries": int(entries, 16)}

    @staticmethod
    def _irq_request(address):
        return ("irq", {"remapped": None}) if int(address, 16) & IRQ_FORMAT else None

    @staticmethod
    def _irq(address, data, new_address, new_data):
        if not int(address, 16) & IRQ_FORMAT:
            return None
        return "irq", {"remapped": (address, data) != (new_address, new_data)}

    @staticmethod
    def _queue(on):
        return "queue", {"on": on != "0"}

    @staticmethod
    def _root(address, scalable):
        return "root", {"address": int(address, 16) & ADDRESS, "readable": scalable == "0"}

    @staticmethod
    def _fault(sid, text):
        return "fault", {"bdf": requester(int(sid, 16)), "more": text}

    @staticmethod
    def _fault_unknown(text):
        return "fault", {"bdf": None, "more": text}

    @staticmethod
    def _descriptor(_high, low):
        """Context-cache (1), IOTLB (2) and global IEC (4) descriptors; others are of no interest."""
        low = int(low, 16)
        if low & 0xe1f == 4:
            return "irq_invalidate", {}
        scope = low >> 4 & 3
        did = low >> 16 & 0xffff if scope > 1 else None
        if low & 0xe0f == 1 and scope:
            return "invalidate", {
                "kind": "context", "scope": ("global", "domain", "device")[scope - 1], "did": did,
                "rid": low >> 32 & 0xffff if scope == 3 else None}
        if low & 0xe0f == 2 and scope:
            return "invalidate", {"kind": "iotlb", "scope": ("global", "domain", "page")[scope - 1],
                                  "did": did, "rid": None}
        return None


class Machine(PciMachine):
    NAME = "vtd"
    qemu = "qemu-system-x86_64"

    # What runs in it is built for it: kernels, and programs with their headers and libraries.
    IMAGE = "bzImage"
    HEADERS = "headers"
    COMPILER = "gcc"
    SYSROOT = None  # what is here is there as well
    RAM_BASE = 0

    Reader = Reader
    Events = Events
    Unreadable = Unreadable

    # A write to 0xfeexxxxx is no DMA: while interrupts are not remapped it is an interrupt.
    IRQ_REMAPPING_MUST_STAY = True
    DOORBELL = None  # and no IO address is one

    TRACE_EVENTS = ["vtd_dmar_enable", "vtd_ir_enable", "vtd_reg_dmar_root", "vtd_reg_ir_root",
                    "vtd_inv_qi_enable", "vtd_inv_desc", "vtd_ir_remap_msi_req", "vtd_ir_remap_msi",
                    "vtd_dmar_fault", "vtd_fault_disabled", "pci_cfg_write"]
    # Of these, what tells where the tables are, and whether they are looked at.
    TABLE_EVENTS = ("vtd_dmar_enable", "vtd_ir_enable", "vtd_reg_ir_root", "vtd_reg_dmar_root")
    # The kernel tells of a blocked DMA in a line with this text.
    FAULT_LINE = "DMAR: [DMA"

    # Lines of a kernel's console between which nobody but a frozen device may have an entry.
    BOOT_LINE = "Linux version"
    ADOPTED_LINES = ("translation stays on", "all DMA blocked")

    # A bus 0x91 and above: another host bridge has them.
    HIGH = ["-device", "pxb-pcie,id=high,bus=pcie.0,bus_nr=144"]
    HIGH_BUS = "high"

    # What the monitor is asked of a machine that stands still; for lost_interrupt().
    STUCK = ("info registers -a", "info lapic 0", "info lapic 1", "info pic", "info irq", "info cpus")

    @staticmethod
    def irq_entries(mem, address, entries):
        """Numbers of the present entries of an interrupt remapping table, 16 bytes each."""
        if address + 16 * entries > len(mem):
            raise Unreadable("the table of interrupts at %#x is outside of RAM" % address)
        table = mem[address:address + 16 * entries]
        return [n for n in range(entries) if table[16 * n] & 1]

    @staticmethod
    def lost_interrupt(text):
        """Which CPU waits for ever, by what the monitor says, twice, of a machine that stands still.

        A CPU that halts in its idle loop, interrupts on, has no interrupt in service for longer than
        it takes to end it. And when its timer has run out, that is in service or requested, until the
        handler sets or masks the timer. Under TCG both get lost now and then. A CPU that was seen so
        once may have been on its way: it counts if both times tell the same.
        """
        states, seen = {}, {}
        for cpu, flags, halted in re.findall(r"^CPU#(\d+)$.*?\bRFL=([0-9a-f]+).*?\bHLT=(\d)", text, re.M | re.S):
            states.setdefault(cpu, []).append(halted == "1" and bool(int(flags, 16) & 0x200))
        for cpu, state in re.findall(r"local APIC state for CPU (\d+) (.*?^IRR\t.*?)$", text, re.M | re.S):
            service = re.search(r"^ISR\t (.*?) *$", state, re.M)[1]
            timer = re.search(r"initial_count = ([1-9]\d*) current_count = 0$", state, re.M)
            if re.search(r"^LVTT\t.* masked ", state, re.M) or \
                    not re.search(r"^IRR\t \(none\)", state, re.M):
                timer = None
            seen.setdefault(cpu, []).append((service, timer and timer[1]))
        for cpu, looks in seen.items():
            if len(looks) != 2 or looks[0] != looks[1] or states.get(cpu) != [True, True]:
                continue
            service, timer = looks[0]
            if service != "(none)":
                return "CPU %s is halted with interrupt %s in service" % (cpu, service)
            if timer:
                return "CPU %s is halted and nothing came of its timer" % cpu
        return None

    def arguments(self, scenario, paths, append=""):
        """QEMU's command line.

        scenario: its variables; paths: mem, work (the folder of the sockets), trace, kernel, initrd;
        append: more kernel command line.
        """
        # la57=off: identify_cpu() clears the CPU's features for a moment, interrupts on; in one of
        # those KASAN then takes the direct map of five-level paging for wild memory, and panics.
        accels = {"tcg": ("tcg,thread=multi", "max,la57=off"), "kvm": ("kvm", "host")}
        wanted = os.environ.get("HIL_ACCEL") or "tcg"
        if wanted not in accels:
            raise ValueError("HIL_ACCEL=%s: tcg or kvm" % wanted)
        accel, cpu = accels[wanted]
        cpus = ["-smp", "2"]
        if scenario["ICOUNT"]:
            accel, cpu = "tcg,thread=single", accels["tcg"][1]
            cpus = ["-smp", "1", "-icount", "shift=0,sleep=off"]
        words = [
            self.qemu, "-accel", accel, "-cpu", cpu,
            "-M", "q35,kernel-irqchip=split,i8042=off,memory-backend=ram", *cpus,
            *self.memory(scenario, paths, self.RAM_BASE),
            "-nodefaults", "-display", "none", "-no-reboot",
            "-device", "intel-iommu," + (scenario["IOMMU"] or "intremap=on,aw-bits=48")]
        words += self.nics(scenario, paths["work"])
        words += self.watched(scenario, paths)
        # no_timer_check: a kernel under TCG on a busy host otherwise gives up on its timer, which
        # has nothing to do with what is tested. tsc=reliable: Linux 7.3's clocksource watchdog can
        # stand still for good while the clock source changes, see docs/testing.md.
        words += [
            "-kernel", paths["kernel"], "-initrd", paths["initrd"],
            "-append", "console=ttyS0 earlyprintk=serial,ttyS0,115200 no_timer_check "
            "tsc=reliable intel_iommu=on " + append]
        return words

    def firmware(self, scenario):
        """ACPI tables that replace QEMU's own: one with an RMRR, which QEMU has none of.

        DMAR, VT-d spec section 8: one unit for all devices, and a region that the memory map has
        as reserved, for the device of RMRR=.
        """
        if not scenario["RMRR"]:
            return {}
        rid = self.rid(scenario["RMRR"])
        unit = struct.pack("<2H2BHQ", 0, 16, 1, 0, 0, 0xfed90000)
        scope = struct.pack("<2BH4B", 1, 8, 0, 0, rid >> 8, rid >> 3 & 0x1f, rid & 7)
        region = struct.pack("<4H2Q", 1, 24 + len(scope), 0, 0, 0xfed1c000, 0xfed1cfff) + scope
        body = struct.pack("<2B10x", 47, 0) + unit + region
        # Of a higher revision than QEMU's, or the kernel does not take it.
        table = struct.pack("<4sI2B6s8sI4sI", b"DMAR", 36 + len(body), 1, 0, b"BOCHS ", b"BXPC    ", 9,
                            b"BXPC", 1) + body
        return {"DMAR.aml": table[:9] + bytes([-sum(table) & 0xff]) + table[10:]}
