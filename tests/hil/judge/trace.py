#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The judge of QEMU's trace: a state machine over all that was done to the IOMMU and to devices.

It takes the events in the order in which QEMU wrote them. Where the machine was in its script is
known from the walker's marks: each has an offset into the trace, and as the machine stood still at a
mark, all before that offset was done before it. No time matters here.

Each error begins with one of these words:
 translation-off      T1 translation was turned off while an endpoint could do DMA, or at all while a
                        device is handed over; or an endpoint was let do DMA while it was off. Where
                        nothing passes while it is off, only the second one
 untranslated         T1 DMA passed untranslated once translation had been on
 irq-remapping-off    T2 the same for interrupt remapping, where the machine says that this matters
 irq-table-left       T2 a kernel went, and left the unit with its table of interrupts
 irq-raw              T2 a device's write was an interrupt that nobody had remapped
 root-moved           T3 the root pointer changed after the first freeze
 register-written     T3 a register that may not be written while translation is on was
 bus-master-cleared   T4 from its freeze to its replace this was done to a preserved device, or to a
 power-state             bridge above it
 reset
 capability-cleared
 bridge-changed
 no-invalidation      T5 something cached may have outlived a freeze, a replace, a switch, a discard or a
                        kernel
 id-reused            T5 a new domain has the id of the frozen one that it replaces
 unreadable           the trace or the walks do not say what is needed

Figures: events, invalidations; freezes, replaces, switches, rollbacks and discards whose invalidations
were judged, each once per device; faults and provoked_faults by requester; bus_master_at_boot for each
kernel and bus_master at the end; translation: whether it is on at the end; stopped: in how many
jumps a device that could do DMA was told to stop, before the new kernel's first mark; irqs_refused:
interrupts in the format that is to be remapped which did not come through, and irqs_refused_in_jump;
irqs_raw: those that came as they were; untranslated: DMA that passed so, by requester.
"""
import argparse
import importlib
import json
import os
import sys

MAX_ERRORS = 50

# PCI configuration space: registers, and where capabilities have theirs.
COMMAND, BUS_NUMBERS, BRIDGE_CONTROL = 0x04, 0x18, 0x3e
MASTER = 1 << 2
SECONDARY_RESET = 1 << 6
PM_CONTROL, MSIX_CONTROL, PCIE_CONTROL, ATS_CONTROL, SRIOV_CONTROL = 4, 2, 8, 6, 8
FLR = 1 << 15
# Nothing here has one of them on when it is preserved, as a preserve refuses that.
ENABLE = {"msix": (MSIX_CONTROL, 1 << 15, "MSI-X"), "ats": (ATS_CONTROL, 1 << 15, "ATS"),
          "sriov": (SRIOV_CONTROL, 1 << 0, "VF")}


def written(register, offset, value):
    """(value, mask) of what a write at `offset` puts into a 16-bit register, None if nothing.

    QEMU does not tell how wide a write is. A register's neighbours below are read-only wherever this
    is asked, so a write at the dword's start is one of the dword.
    """
    if offset == register:
        return value & 0xffff, 0xffff
    if offset == register + 1:
        return (value & 0xff) << 8, 0xff00
    if offset == register - 2 and not offset % 4:
        return value >> 16 & 0xffff, 0xffff
    return None


class Function:
    """What the writes to its configuration space made of a PCI function."""

    def __init__(self, model, bridge):
        self.model = model
        self.bridge = bridge
        self.master = False
        self.enabled = set()  # of ENABLE
        self.buses = [0, 0, 0]  # a bridge's primary, secondary, subordinate


class Window:
    """Invalidations between two marks that must be there for some devices."""

    def __init__(self, devices):
        self.devices = devices  # bdf -> set of domain ids that are known to be involved
        self.seen = []
        self.open = True

    def close(self):
        self.open = False

    def invalidated(self, rid):
        """Domain ids whose cached context and then whose translations were invalidated."""
        done = set()
        context = set()
        for event in self.seen:
            if event["kind"] == "context":
                if event["scope"] == "global":
                    context.add(None)
                elif event["scope"] == "domain" or event["rid"] == rid:
                    context.add(event["did"])
            elif event["scope"] == "global":
                done |= {None} if None in context else context
            elif event["scope"] == "domain" and context & {None, event["did"]}:
                done.add(event["did"])
        return done


class Judge:
    def __init__(self, walk, machine):
        self.machine = machine
        self.walks = walk.get("walks", [])
        self.refused = set(walk.get("refused", ()))
        self.unit_refused = walk.get("unit_refused", False)
        self.discarded = {d["bdf"]: d["after"] for d in walk.get("discarded", ())}
        self.jumps = {j["freeze"]: j for j in walk.get("jumps", ())}
        self.provoked_at = min((p["trace_offset"] for p in walk.get("provoked", ())), default=None)

        self.errors = []
        self.more_errors = 0
        self.figures = {
            "events": {}, "invalidations": 0, "freezes": 0, "replaces": 0, "switches": 0,
            "rollbacks": 0, "discards": 0, "faults": {}, "provoked_faults": {}, "irqs_refused": 0,
            "irqs_refused_in_jump": 0, "irqs_raw": 0, "untranslated": {},
            "bus_master_at_boot": [], "bus_master": {}, "translation": None, "stopped": {}}
        self.functions = {}
        self.translation = self.irq_remapping = False
        self.blocked = False  # while translation is off nothing passes
        self.translated = False  # translation was ever on: before, the machine's firmware is at work
        self.in_jump = ()  # devices of the freeze that is going on
        self.root = self.fixed_root = None
        self.freeze_seen = False
        self.from_nothing = False  # a kexec that takes nothing along is going on
        self.ended = False  # the script is over, the machine turns itself off
        self.after_provoke = False
        self.protected = {}  # bdf -> index of the walk up to which T4 holds, None: until it is live
        self.jump = None  # index of the last freeze's walk, while that is going on
        self.able_at_freeze = set()  # endpoints that could do DMA at it and were not stopped since
        self.last_word = []  # kinds of the global invalidations of the old kernel in that jump
        self.irq_table = None  # what interrupts are remapped by
        self.left = None  # the old kernel's last table in that jump, and was the old one flushed?
        self.next_kernel = False  # has done something to the unit in that jump
        self.windows = {}

    def error(self, kind, text):
        if len(self.errors) == MAX_ERRORS:
            self.more_errors += 1
        else:
            self.errors.append("%s: %s" % (kind, text))

    # ---- marks

    def mark(self, index):
        walk = self.walks[index]
        name = walk["mark"]
        walk["bus_master"] = self.masters()
        walk["irq_remapping"] = self.irq_remapping or not self.machine.IRQ_REMAPPING_MUST_STAY
        if name in ("boot", "rolled-back"):
            self.from_nothing = False
        if name in ("boot", "rolled-back") and self.jump is not None:
            self.end_freeze(walk)
        self.end_discard()
        over = [b for b, until in self.protected.items() if until is not None and index >= until]
        for bdf in over:
            del self.protected[bdf]
        if name == "boot":
            while len(self.figures["bus_master_at_boot"]) <= walk["boot"]:
                self.figures["bus_master_at_boot"].append({})
            self.figures["bus_master_at_boot"][walk["boot"]] = self.masters()
        elif name == "freeze":
            self.begin_freeze(index)
        elif name == "replace":
            self.windows["replace"] = Window({
                d["bdf"]: self.dids(walk, d["bdf"]) for d in walk["devices"]
                if d["state"] == "frozen"})
        elif name == "attached":
            self.end_replace(walk)
        elif name == "attach-refused":
            self.windows.pop("replace", None)
        elif name == "switch":
            self.windows["switch"] = Window({
                d["bdf"]: self.dids(walk, d["bdf"]) for d in walk["devices"]
                if d["state"] == "live"})
        elif name == "switched":
            self.end_switch(walk)
        elif name == "discard":
            # ... of one that was frozen, and that succeeded.
            self.windows["discard"] = Window({
                bdf: self.dids(walk, bdf) for bdf in over if self.discarded.get(bdf) == index})
        elif name == "leave":
            # The machine goes down with devices as they are: now they must be stopped.
            self.protected.clear()
        elif name == "end":
            self.ended = True
            self.protected.clear()
            self.figures["bus_master"] = self.masters()

    def masters(self):
        return {bdf: f.master for bdf, f in sorted(self.functions.items())}

    @staticmethod
    def dids(walk, bdf):
        entry = walk["requesters"].get(bdf)
        return {entry["did"]} if entry else set()

    def begin_freeze(self, index):
        walk = self.walks[index]
        if not self.freeze_seen:
            self.freeze_seen = True
            self.fixed_root = self.root
        states = {d["bdf"]: d["state"] for d in walk["devices"]}
        devices = [bdf for bdf in walk["preserved"] if states.get(bdf) != "blocked"]
        self.jump = index
        self.from_nothing = not devices
        self.last_word = []
        self.left = None
        self.next_kernel = False
        self.able_at_freeze = set(self.able())
        for bdf in self.able_at_freeze:
            self.figures["stopped"].setdefault(bdf, 0)
        self.windows["freeze"] = Window({bdf: self.dids(walk, bdf) for bdf in devices})
        self.in_jump = devices
        for bdf in devices:
            self.protected[bdf] = None
            if walk["boot"] == 0 and bdf in self.refused:
                # The next kernel has to stop it, and it may do so at any time.
                del self.protected[bdf]
            elif self.discarded.get(bdf, -1) >= index:
                self.protected[bdf] = self.discarded[bdf]
            elif self.given_up(index, bdf):
                self.protected[bdf] = index + 1

    def given_up(self, index, bdf):
        """After the freeze, is the VMM's first word about the device not that it has it frozen?"""
        walk = self.walks[index]
        for later in self.walks[index + 1:]:
            if later["mark"] == "rolled-back" and later["boot"] == walk["boot"]:
                return False
            for device in later["devices"]:
                if device["bdf"] == bdf and later["boot"] > walk["boot"]:
                    return device["state"] != "frozen"
        return False

    def end_freeze(self, walk):
        """T5: the kexec is over, or it failed."""
        freeze = self.walks[self.jump]
        window = self.windows.pop("freeze")
        seen = self.jumps.get(self.jump, {}).get("dids", {})
        self.jump = None
        self.in_jump = ()
        back = walk["boot"] == freeze["boot"]
        self.able_at_freeze = set()
        for bdf, live in sorted(window.devices.items()):
            if back:
                self.protected.pop(bdf, None)
                # Whether it had been frozen is not known: the one that made the freeze fail was not.
                # One that was seen frozen, or whose entry was invalidated at all, was.
                wanted = live | set(seen.get(bdf, ()))
                done = window.invalidated(self.machine.rid(bdf))
                if len(wanted) > 1 or done:
                    self.figures["rollbacks"] += 1
                    self.wanted("freeze that was rolled back", bdf, wanted, done)
                    self.two_ids("freeze that was rolled back", bdf, done)
                continue
            wanted = live | set(seen.get(bdf, ()))
            if bdf not in self.refused or freeze["boot"] > 0:
                wanted |= self.dids(walk, bdf)
                if len(wanted) < 2 and not self.kept(wanted):
                    self.error("unreadable", "%s: the id of its frozen domain was never seen" % bdf)
            self.figures["freezes"] += 1
            self.wanted("freeze", bdf, wanted, window.invalidated(self.machine.rid(bdf)))
        if window.devices and not back and \
                ("context" not in self.last_word or
                 "iotlb" not in self.last_word[self.last_word.index("context"):]):
            self.error("no-invalidation", "the old kernel's last word does not invalidate what is "
                       "cached of other devices")

    def end_replace(self, walk):
        window = self.windows.pop("replace", None)
        for device in walk["devices"]:
            bdf = device["bdf"]
            if device["state"] != "live":
                continue
            if walk["boot"] > 0 and self.jump is None:
                self.protected.pop(bdf, None)
            if window and bdf in window.devices:
                self.figures["replaces"] += 1
                same = window.devices[bdf] & self.dids(walk, bdf)
                if same and not self.kept(same):
                    self.error("id-reused", "%s: replace: the new domain has the id of the frozen one" %
                               bdf)
                self.wanted("replace", bdf, window.devices[bdf] | self.dids(walk, bdf),
                            window.invalidated(self.machine.rid(bdf)))

    def end_switch(self, walk):
        window = self.windows.pop("switch", None)
        if not window:
            return
        done = {bdf: window.invalidated(self.machine.rid(bdf)) for bdf in window.devices}
        # The VMM switches one of its devices; the others tell by themselves that it was not them: what
        # was forgotten of all entries at once, and then under another's id, is not of theirs.
        switched = [bdf for bdf, dids in window.devices.items()
                    if done[bdf] & (dids | {None}) or dids != self.dids(walk, bdf)]
        for bdf in sorted(switched or window.devices):
            self.figures["switches"] += 1
            self.wanted("switch", bdf, window.devices[bdf] | self.dids(walk, bdf), done[bdf])
            self.two_ids("switch", bdf, done[bdf])

    def end_discard(self):
        window = self.windows.pop("discard", None)
        for bdf, dids in sorted(window.devices.items()) if window else ():
            self.figures["discards"] += 1
            self.wanted("discard", bdf, dids, window.invalidated(self.machine.rid(bdf)))

    def kept(self, dids):
        """Are these ids such as stay with a requester while its tables change? One flush is for both then."""
        return bool(dids) and all(self.machine.keeps_id(did) for did in dids)

    def two_ids(self, what, bdf, done):
        """It may have come back to where it began; then the other id is not in the walks."""
        if len(done) < 2 and None not in done and not self.kept(done):
            self.error("no-invalidation", "%s: %s: of two domain ids only %s" %
                       (bdf, what, ", ".join(map(str, sorted(done))) or "none"))

    def wanted(self, what, bdf, dids, done):
        if not dids:
            self.error("unreadable", "%s: %s: its domain id is not known" % (bdf, what))
        if None in done:
            return
        for did in sorted(dids - done):
            self.error("no-invalidation", "%s: %s: domain id %d: no invalidation of its context entry "
                       "and then of its translations" % (bdf, what, did))

    # ---- events

    def translation_event(self, on, blocked=False):
        self.unit_event()
        passed = self.translated and not self.translation and not self.blocked
        if not on and not self.ended:
            able = self.able()
            if able and self.translated and not blocked and not passed:
                self.error("translation-off", "bus mastering was on in %s" % ", ".join(able))
            elif self.translation and self.handed_over():
                self.error("translation-off", "%s was being handed over" %
                           ", ".join(self.handed_over()))
        self.translation = on
        self.blocked = blocked
        self.translated |= on

    def untranslated_event(self, bdf):
        if not self.translated or self.ended:
            return
        seen = self.figures["untranslated"]
        if bdf not in seen:
            self.error("untranslated", "%s: its DMA passed as it was" % bdf)
        seen[bdf] = seen.get(bdf, 0) + 1

    def handed_over(self):
        """Devices whose unit may not be turned off, whoever can do DMA: from freeze to replace."""
        if self.unit_refused:
            return []
        return sorted(set(self.in_jump) | set(self.protected))

    def irq_remapping_event(self, on):
        self.unit_event()
        if self.irq_remapping and not on and not self.ended:
            able = self.able()
            if able and self.machine.IRQ_REMAPPING_MUST_STAY:
                self.error("irq-remapping-off", "bus mastering was on in %s" % ", ".join(able))
        self.irq_remapping = on

    def irq_table_event(self, address, **_):
        if self.jump is not None and not self.next_kernel:
            if address != self.irq_table:
                self.left = [address, False]
        else:
            self.unit_event()
        self.irq_table = address

    def irq_invalidate_event(self):
        if self.left:
            self.left[1] = True

    def irq_event(self, remapped):
        # What is asked for is refused until it comes through.
        n = 1 if remapped is None else -1
        self.figures["irqs_refused"] += n
        if self.jump is not None:
            self.figures["irqs_refused_in_jump"] += n
        if remapped is False:
            self.figures["irqs_raw"] += 1
            if self.figures["irqs_raw"] == 1 and self.machine.IRQ_REMAPPING_MUST_STAY:
                self.error("irq-raw", "an interrupt came through as it was sent")

    def queue_event(self, **_):
        self.unit_event()

    def able(self):
        """Endpoints that can do DMA."""
        return sorted(bdf for bdf, f in self.functions.items() if f.master and not f.bridge)

    def root_event(self, address, shape=0, held=None, **_):
        """shape: how what is there is laid out, where that is said apart."""
        self.unit_event()
        self.root = address, shape
        if self.from_nothing:
            self.fixed_root = self.root
        if held:
            self.register_event(held)
        if self.freeze_seen and self.root != self.fixed_root and not self.unit_refused:
            self.error("root-moved", "from %s to %s" % tuple(
                "nothing" if root is None else "%#x" % root[0] + (" (%#x)" % root[1] if root[1] else "")
                for root in (self.fixed_root, self.root)))

    def register_event(self, held):
        self.error("register-written", "%s, while translation is on" % held)

    def unit_event(self):
        """Nobody sets a unit up while it is handed over but the next kernel."""
        if self.jump is not None and not self.next_kernel:
            self.check_irqs_left()
        self.next_kernel = True
        self.close_freeze()

    def check_irqs_left(self):
        """T2: the old kernel's table is in memory that the next one uses otherwise."""
        if not self.irq_remapping or not self.windows["freeze"].devices or \
                not self.machine.IRQ_REMAPPING_MUST_STAY:
            return
        if not self.left:
            self.error("irq-table-left", "interrupts are remapped by the table of a kernel that is "
                       "gone, at %s" % ("nothing" if self.irq_table is None else
                                        "%#x" % self.irq_table))
        elif not self.left[1]:
            self.error("no-invalidation", "the old kernel's last table of interrupts: what was "
                       "cached of the one before may be used")

    def close_freeze(self):
        """What comes now is no longer the freeze of a device: the unit is handed over."""
        if "freeze" in self.windows:
            self.windows["freeze"].close()

    def invalidate_event(self, **event):
        self.figures["invalidations"] += 1
        # The old kernel's last word to the unit is global, and would cover for a freeze without one.
        if event["scope"] == "global":
            self.close_freeze()
            if self.jump is not None and not self.next_kernel:
                self.last_word.append(event["kind"])
        for window in self.windows.values():
            if window.open:
                window.seen.append(event)

    def fault_event(self, bdf, **_):
        key = "provoked_faults" if self.after_provoke else "faults"
        bdf = bdf or "unknown"
        self.figures[key][bdf] = self.figures[key].get(bdf, 0) + 1

    def config_write_event(self, bdf, device, offset, value):
        f = self.functions.get(bdf)
        if not f or f.model != device:
            f = self.functions[bdf] = Function(device, device in self.machine.BRIDGES)
        who = self.who(bdf) if self.protected else None
        command = written(COMMAND, offset, value)
        if command and command[1] & MASTER:
            if command[0] & MASTER and not f.master and not f.bridge and self.translated and \
                    not self.translation and not self.blocked and not self.ended:
                self.error("translation-off", "bus mastering came on in %s meanwhile" % bdf)
            had = f.master
            f.master = bool(command[0] & MASTER)
            if not f.master and bdf in self.able_at_freeze:
                self.able_at_freeze.remove(bdf)
                self.figures["stopped"][bdf] += 1
            # A kernel that scans PCI writes back what it read, also to a function that never had it.
            if who and had and not f.master:
                self.error("bus-master-cleared", "%s: %#x was written to its command register" %
                           (who, command[0]))
        if f.bridge:
            self.bridge_write(f, who, offset, value)
        else:
            self.endpoint_write(bdf, f, who, offset, value)

    def who(self, bdf):
        """Name of a function that may not be touched now, None of another one."""
        if bdf in self.protected:
            return bdf
        for device in sorted(self.protected):
            if bdf in self.above(device):
                return "bridge %s above %s" % (bdf, device)
        return None

    def above(self, bdf):
        """Bridges from a device up to the root."""
        found = []
        while True:
            bus = int(bdf[5:7], 16)
            bdf = next((b for b, f in self.functions.items()
                        if f.bridge and bus and f.buses[1] == bus and b not in found), None)
            if bdf is None:
                return found
            found.append(bdf)

    def bridge_write(self, f, who, offset, value):
        if BUS_NUMBERS <= offset < BUS_NUMBERS + 3:
            # Firmware writes single bytes, and is done long before anything is protected; kernels
            # write all three at once.
            first = offset - BUS_NUMBERS
            count = 3 - first if value > 0xff or who and first == 0 else 1
            new = list(f.buses)
            for i in range(count):
                new[first + i] = value >> 8 * i & 0xff
            if who and new != f.buses:
                self.error("bridge-changed", "%s: bus numbers %s became %s" %
                           (who, *("/".join("%02x" % n for n in buses) for buses in (f.buses, new))))
            f.buses = new
        control = written(BRIDGE_CONTROL, offset, value)
        if who and control and control[0] & SECONDARY_RESET:
            self.error("reset", "%s: its secondary bus was reset" % who)

    def endpoint_write(self, bdf, f, who, offset, value):
        capabilities = self.machine.CAPABILITIES.get(f.model)
        if capabilities is None:
            if who:
                self.error("unreadable", "%s is a '%s': machine/%s.py does not say where that has its "
                           "capabilities" % (bdf, f.model, self.machine.NAME))
            return
        power = written(capabilities["pm"] + PM_CONTROL, offset, value) \
            if "pm" in capabilities else None
        if who and power and power[1] & 3 and power[0] & 3:
            self.error("power-state", "%s: D%d" % (who, power[0] & 3))
        control = written(capabilities["pcie"] + PCIE_CONTROL, offset, value) \
            if "pcie" in capabilities else None
        if who and control and control[0] & FLR:
            self.error("reset", "%s: FLR" % who)
        for name, (register, bit, text) in ENABLE.items():
            control = written(capabilities[name] + register, offset, value) \
                if name in capabilities else None
            if not control or not control[1] & bit:
                continue
            if control[0] & bit:
                f.enabled.add(name)
            elif name in f.enabled:
                f.enabled.discard(name)
                if who:
                    self.error("capability-cleared", "%s: %s enable" % (who, text))

    # ---- all of it

    def run(self, trace_path):
        events = self.machine.Events()
        handlers = {name: getattr(self, name + "_event") for name in (
            "translation", "irq_remapping", "irq_table", "irq_invalidate", "irq", "queue", "root",
            "config_write", "invalidate", "fault", "untranslated", "register")}
        next_mark = 0
        end = 0
        with open(trace_path, "rb") as f:
            for line in f:
                end += len(line)
                while next_mark < len(self.walks) and self.walks[next_mark]["trace_offset"] < end:
                    self.mark(next_mark)
                    next_mark += 1
                if not line.endswith(b"\n"):
                    break  # QEMU was killed in the middle of it
                self.after_provoke = self.provoked_at is not None and end > self.provoked_at
                try:
                    event = events.parse(line.decode("utf-8", "replace"))
                except ValueError as e:
                    self.error("unreadable", str(e))
                    continue
                if event:
                    counts = self.figures["events"]
                    counts[event[0]] = counts.get(event[0], 0) + 1
                    handlers[event[0]](**event[1])
        while next_mark < len(self.walks):
            if self.walks[next_mark]["trace_offset"] > end:
                self.error("unreadable", "the trace ends before the mark %s" %
                           self.walks[next_mark]["mark"])
            self.mark(next_mark)
            next_mark += 1
        if not self.ended:
            self.figures["bus_master"] = self.masters()
        self.figures["translation"] = self.translation
        if self.more_errors:
            self.errors.append("... and %d more" % self.more_errors)


def judge(trace_path, walk, machine):
    """Errors and figures of a run. Each of the walks is given "bus_master": which functions had it."""
    one = Judge(walk, machine)
    try:
        one.run(trace_path)
    except OSError as e:
        one.error("unreadable", "the trace: %s" % e)
    return {"errors": one.errors, "figures": one.figures}


def main():
    parser = argparse.ArgumentParser(description="Judges QEMU's trace of a run.",
                                     epilog="exit: 0 nothing found, 1 something, 2 wrong usage")
    parser.add_argument("--machine", required=True, help="file of machine/, without .py")
    parser.add_argument("--trace", required=True, help="QEMU's trace log")
    parser.add_argument("--walk", required=True, help="what walk.py wrote")
    args = parser.parse_args()
    sys.dont_write_bytecode = True
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    machine = importlib.import_module("machine." + args.machine).Machine()
    with open(args.walk, encoding="utf-8") as f:
        result = judge(args.trace, json.load(f), machine)
    print(json.dumps(result, indent=1))
    return 1 if result["errors"] else 0


if __name__ == "__main__":
    sys.exit(main())
