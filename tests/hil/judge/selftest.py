#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Does the judge refuse a report that is wrong?

reports/ has reports of real runs. Each must pass as it is, and must be refused with any one of the
changes below made to it. KTAP; no QEMU, no kernel, seconds.

    selftest.py                 all of it
    selftest.py --store NAME... take out/hil/NAME.json, of a run that passed, into reports/
"""
import copy
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
HIL = os.path.dirname(HERE)
sys.path.insert(0, HIL)
from judge import rules, scenario   # noqa: E402, pylint: disable=C0413

REPORTS = os.path.join(HERE, "reports")
OUT = os.path.join(os.path.dirname(os.path.dirname(HIL)), "out", "hil")


def change(*path_and_value):
    """Sets a field; a function is given the old value."""
    *path, last, value = path_and_value

    def do(report):
        for step in path:
            report = report[step]
        report[last] = value(report[last]) if callable(value) else value
    return do


def drop(*path):
    def do(report):
        for step in path[:-1]:
            report = report[step]
        del report[path[-1]]
    return do


def without(log, text):
    """Takes the lines with this text out of a log."""
    return change(log, lambda lines: [line for line in lines if text not in line])


def replaced(log, old, new):
    return change(log, lambda lines: [line.replace(old, new) for line in lines])


def at(mark, boot, field, value):
    """A field of the walk at a mark."""
    def do(report):
        for walk in report["walk"]["walks"]:
            if walk["mark"] == mark and walk["boot"] == boot:
                walk[field] = value(walk[field]) if callable(value) else value
    return do



WAYS = {
    "vtd-nic-rx": (
        ("a silence of 274 ms", change("longest_gap_ms", lambda g: max(274.0, 90 * g))),
        ("no quiet stretch to compare with", change("longest_quiet_gap_ms", None)),
        ("a frame lost", change("frames_landed", lambda n: n - 1)),
        ("a frame lost that nobody counts", change("guest_landed", lambda n: n - 1)),
        ("a frame twice", change("frames_duplicated", 1)),
        ("a frame out of order", change("frames_out_of_order", 1)),
        ("a frame that is not whole", change("frames_corrupt", 1)),
        ("a frame that the NIC did not take", change("frames_unsent", 1)),
        ("the NIC counts one less", change("nic_received", lambda n: n - 1)),
        ("the NIC missed one", change("nic_missed", 1)),
        ("a descriptor that was passed over", change("guest_holes", 1)),
        ("too few frames", lambda r: [change(k, 100)(r) for k in (
            "frames_sent", "frames_landed", "guest_landed", "nic_received")]),
        ("a blocked DMA", lambda r: (change("iommu_faults", 1)(r),
                                     change("iommu_fault_devices", ["0000:01:00.0"])(r))),
        ("no provoked fault: QEMU's counter is blind", change("trace", "figures",
                                                              "provoked_faults", {})),
        ("the provoked fault was another device's", change("trace", "figures", "provoked_faults",
                                                           {"0000:09:00.0": 1})),
        ("another device had a fault after the provoked one", change(
            "trace", "figures", "provoked_faults", lambda f: dict(f, **{"0000:09:00.0": 1}))),
        ("nobody asked for a fault", change("walk", "provoked", [])),
        ("another NIC was asked for a fault", change("walk", "provoked", lambda p: [
            dict(x, line="HIL: provoke dev=1") for x in p])),
        ("a blocked DMA of nobody knows whom", change("iommu_fault_devices", ["unknown"])),
        ("a blocked DMA that only a kernel saw", change("iommu_faults_kernels", [0, 50])),
        ("a silence within a long one of the host", lambda r: (
            change("longest_gap_ms", 900.0)(r), change("longest_quiet_gap_ms", 900.0)(r))),
        ("interrupt remapping went off and on", change(
            "trace", "errors", ["irq-remapping-off: bus mastering was on in 0000:01:00.0"])),
        ("interrupt remapping stayed off", at("boot", 1, "irq_remapping", False)),
        ("no provoked fault: the kernel's counter is blind", change("provoked_faults_kernel", 0)),
        ("no fault was provoked", change("provoked_faults_kernel", None)),
        ("an empty log of the kernel code", change("freeze_log", [])),
        ("no line of the freeze", without("freeze_log", "frozen in")),
        ("no line of the replace", without("freeze_log", "replaced in")),
        ("the freeze took 15 minutes", change("freeze_us", 900000000)),
        ("the freeze took no time", change("freeze_us", 0)),
        ("no figure of the freeze", change("freeze_us", None)),
        ("the replace took a minute", change("replace_us", 60000000)),
        ("no phases", change("phases", [])),
        ("one kernel only", change("kernels", 1)),
        ("no kernels", drop("kernels")),
        ("a warning of the kernel", change("kernel_reports", 1)),
        ("the VMM failed", change("vmm_failed", "FAILED errno=EIO")),
        ("the VMM did not come to its end", change("vmm_done", False)),
        ("time was up", change("timed_out", True)),
        ("the walker found something", change("walk", "errors", ["mark end: x"])),
        ("the walker was never asked", lambda r: (change("walk", "walks", [])(r),
                                                  change("walk", "marks", 0)(r))),
        ("the walker missed a mark", change("walk", "marks", lambda n: n + 1)),
        ("there was no jump", change("walk", "jumps", [])),
        ("nobody looked during the jump", change("walk", "jumps", 0, "samples", 0)),
        ("the jump was looked at once", change("walk", "jumps", 0, "samples", 1)),
        ("the jump was looked at for a fifth of it", change(
            "walk", "jumps", 0, lambda j: dict(j, ms=5 * 50 * j["samples"]))),
        ("nobody knows how long the jump was", change("walk", "jumps", 0, "ms", 0)),
        ("nobody looked before the new kernel", change("walk", "jumps", 0, "old", 0)),
        ("nobody looked after the unit was adopted", change("walk", "jumps", 0, "new", 0)),
        ("nobody looked before the unit was adopted", change("walk", "jumps", 0, "strict", 0)),
        ("nothing was preserved", at("freeze", 0, "preserved", [])),
        ("bus mastering was off in the new kernel", at("boot", 1, "bus_master",
                                                       {"0000:01:00.0": False})),
        ("the device is not known to the trace", at("boot", 1, "bus_master", {})),
        ("translation went off", change("trace", "errors", ["translation-off: 0000:01:00.0"])),
        ("no freeze was judged", change("trace", "figures", "freezes", 0)),
        ("no replace was judged", change("trace", "figures", "replaces", 0)),
        ("a field is missing", drop("frames_lost")),
        ("a field is null", change("frames_lost", None)),
        ("the smallest chunk is not released", at("finished", 1, "memory_kib", lambda n: n - 16)),
        ("... where the handover itself keeps least", lambda r: at(
            "finished", 1, "memory_kib", r["walk"]["walks"][0]["memory_kib"] - 16 - 16)(r)),
        ("there is more memory than without what is kept", lambda r: at(
            "finished", 1, "memory_kib", r["walk"]["walks"][0]["memory_kib"])(r)),
        ("nothing was released", at("finished", 1, "memory_kib", 1500000)),
        ("no trace", drop("trace")),
    ),
    "vtd-iommu-off": (
        ("nothing was left unsent", change("frames_unsent", 0)),
        ("nothing was lost", change("frames_lost", 0)),
        ("a DMA went astray", change("iommu_faults", 1)),
        ("bus mastering stayed on", change("trace", "figures", "stopped", "0000:01:00.0", 0)),
        ("a frame landed after all", change("phases", lambda p: [
            dict(x, landed=[x["landed"][0] + (x["phase"] == "retrieve")]) for x in p])),
        ("the phase is missing", change("phases", lambda p: [
            x for x in p if x["phase"] != "retrieve"])),
        ("another reason", replaced("freeze_log", "the IOMMU is off", "something is off")),
        ("translation went off under it", change("trace", "errors",
                                                 ["translation-off: 0000:01:00.0"])),
    ),
    "vtd-tool-verify": (
        ("an iova off by a page", replaced("tool_log", "0x40083ff000", "0x40083fe000")),
        ("the walker names another iova", change("walk", "errors", lambda e: [
            x.replace("0x40083ff000", "0x40083fe000") for x in e])),
        ("the walker sees nothing", change("walk", "errors", [])),
        ("the walker sees something else besides", change("walk", "errors", lambda e: e + ["x"])),
        ("another address was found", change("sabotage", "to", lambda a: a ^ 0x2000)),
        ("nothing was spoilt", change("sabotage", None)),
        ("verify says that all is well", replaced("tool_log", "differs", "same")),
    ),
    "vtd-second-nic": (
        ("the other NIC was not tried", change("other_nics", 0, "frames_lost", 0)),
        ("nothing was sent to the other NIC", change("other_nics", 0, "frames_sent", lambda n: 0)),
        ("a frame of the other NIC in memory", change("other_nics", 0, "frames_late_in_memory", 1)),
        ("nobody searched the memory", change("other_nics", 0, "frames_late_in_memory", None)),
        ("the other NIC kept bus mastering", change("trace", "figures", "stopped",
                                                    "0000:02:00.0", 0)),
        ("the first NIC was blocked", change("iommu_fault_devices", ["0000:01:00.0"])),
        ("there is no other NIC", change("other_nics", [])),
    ),
    "vtd-nic-rx-control": (
        ("it lost nothing", change("frames_lost", 0)),
        ("it was never silent", change("longest_gap_ms", 3.0)),
        ("the NIC took all that was sent", change("frames_unsent", 0)),
        ("a late frame in memory", change("frames_late_in_memory", 1)),
    ),
    "vtd-freeze-rollback": (
        ("the first device was not frozen", without("freeze_log", ": frozen in")),
        ("it was not taken back", without("freeze_log", "unfrozen")),
        ("one device is not verified", change("tool_log", lambda t: t[:1])),
    ),
}


def check(report, name):
    return rules.check(report, scenario.Scenario(name, os.path.join(HIL, "scenarios")))


def store(names):
    os.makedirs(REPORTS, exist_ok=True)
    for name in names:
        with open(os.path.join(OUT, name + ".json"), encoding="utf-8") as f:
            report = json.load(f)
        failures = check(report, name)
        if failures:
            sys.exit("selftest: %s did not pass: %s" % (name, failures[0]))
        # What no check reads only makes the file long.
        report["vmm_log"] = report["long_gaps"] = []
        with open(os.path.join(REPORTS, name + ".json"), "w", encoding="utf-8") as f:
            json.dump(report, f, indent=1, sort_keys=True)
            f.write("\n")


def main():
    if sys.argv[1:2] == ["--store"]:
        store(sys.argv[2:])
        return 0
    if sys.argv[1:]:
        print(__doc__)
        return 0 if sys.argv[1] == "--help" else 2
    print("TAP version 13\n1..%d" % sum(1 + len(ways) for ways in WAYS.values()))
    number = 0
    bad = False

    def result(good, text):
        nonlocal number, bad
        number += 1
        bad |= not good
        print("%s %d - %s" % ("ok" if good else "not ok", number, text))

    for name, ways in WAYS.items():
        with open(os.path.join(REPORTS, name + ".json"), encoding="utf-8") as f:
            report = json.load(f)
        failures = check(report, name)
        for failure in failures:
            print("# " + failure)
        result(not failures, "%s: as it was, passes" % name)
        for text, way in ways:
            spoilt = copy.deepcopy(report)
            try:
                way(spoilt)
            except (LookupError, TypeError, AttributeError) as e:
                print("# the report has nothing to change: %r" % e)
                spoilt = report
            result(spoilt != report and check(spoilt, name), "%s: %s: refused" % (name, text))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
