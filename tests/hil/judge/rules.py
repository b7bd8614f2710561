# SPDX-License-Identifier: GPL-2.0-only
"""What a report has to say.

A report is what one run left: the observer's figures, and under "walk", "trace" and "sabotage" what
the walker, the judge of the trace and the saboteur found. check() holds it against three things:
rules for every run, rules for the kinds of run that the scenario's variables name (LIVE, REFUSED,
VIOLATIONS, WALK_ERROR), and the scenario's own expressions.

An expression is Python over the report's fields and the functions of words(). What a report does
not have cannot be compared with anything: a field that is not there or null fails the check.
Times are ratios of the same run, never milliseconds.
"""
import re

# The longest silence of a NIC that never stops, as a multiple of the longest one of the same run in
# a stretch of equal length in which nothing happens. That one counts as at least and at most so many
# intervals between two frames: a very quiet stretch must not forbid what is usual elsewhere, nor a
# noisy one allow what is not.
GAP_FACTOR = 12
QUIET_LEAST, QUIET_MOST = 4, 10

# What a later kernel is smaller by than the first one, where the machine says nothing else: at least and
# at most. These are the handover's own pages (KHO's and LUO's), 16 or 24 by chance, the same scenario has
# either, and 12 on the debug kernel. The smallest chunk of frozen tables is 16 KiB, more than these are
# apart: one that is not released shows.
HANDOVER_KIB = 12, 24

# Samples of a jump, as a part of those that there was time for: the walker shares the processors.
SAMPLED = 1 / 4


def lines(log, pattern):
    return [line for line in log if re.search(pattern, line)]


def phase(report, *names):
    found = [p for p in report["phases"] if p["phase"] in names]
    missing = set(names) - {p["phase"] for p in found}
    if missing:
        raise LookupError("the run had no phase %s" % " or ".join(sorted(missing)))
    return found


def marks(report, name, boot=None):
    found = [w for w in report["walk"]["walks"]
             if w["mark"] == name and boot in (None, w["boot"])]
    if not found:
        raise LookupError("the run had no mark %s" % name)
    return found


def words(report):
    """What an expression may use besides the report's fields."""
    finding = re.compile(r"(host|/boot/[a-zA-Z]*|[0-9a-f]{4}:..:..\..): ")

    def values(key):
        found = (re.fullmatch(r' *"%s": "(.*?)",?' % key, line) for line in report["tool_log"])
        return [m[1] for m in found if m]

    return {
        # how many lines of a log match, which ones, and what is left of them without a pattern
        "count": lambda log, pattern: len(lines(log, pattern)),
        "lines": lines,
        "stripped": lambda log, pattern, away: [re.sub(away, "", x) for x in lines(log, pattern)],
        # numbers in a log, at the pattern's group
        "figures": lambda log, pattern: [int(m[1]) for m in (
            re.search(pattern, line) for line in log) if m],
        # frames that landed in these phases, of the first NIC or another one
        "phase_landed": lambda *names, nic=0: sum(p["landed"][nic] for p in phase(report, *names)),
        # what the walker saw at a mark, by requester; only of devices that the VMM or a freeze knows
        "at_mark": lambda name, boot=None: marks(report, name, boot)[-1]["requesters"],
        # which devices had bus mastering on at a mark
        "master": lambda name, boot=None: marks(report, name, boot)[-1]["bus_master"],
        # strings and numbers with this key in JSON that the tool printed
        "values": values,
        "numbers": lambda key: [int(m[1]) for m in (
            re.fullmatch(r' *"%s": (\d+),?' % key, line) for line in report["tool_log"]) if m],
        # what iommu-freeze named as being in the way, without the way out
        "findings": [re.sub("; .*", "", x) for x in report["tool_log"] if finding.match(x)],
        "any": any, "all": all, "len": len, "set": set, "sorted": sorted, "sum": sum,
        "min": min, "max": max,
    }


class Checks:
    """Collects what does not hold. An expectation that cannot be computed does not hold."""

    def __init__(self, report):
        self.names = dict(words(report))
        self.names.update(report)
        self.names["__builtins__"] = {}
        self.failures = []

    def expect(self, expression, why=None, **more):
        try:
            value = eval(expression, dict(self.names, **more))  # pylint: disable=eval-used
            reason = None if value is True else "is %r" % (value,)
        except Exception as e:  # pylint: disable=broad-except
            reason = "%s: %s" % (type(e).__name__, e)
        if reason:
            self.failures.append("expected: %s%s (%s)" %
                                 (why + ": " if why else "", expression, reason[:200]))

    def fail(self, text):
        self.failures.append(text)

    def walker_errors(self, report, scenario):
        """Those that the scenario does not name."""
        wanted = scenario.vars["WALK_ERROR"]
        for error in [e for e in report["walk"]["errors"]
                      if not wanted or not re.search(wanted, e)][:5]:
            self.fail("walker: " + error)

    def trace_errors(self, report, scenario):
        """Those that the scenario does not name."""
        wanted = scenario.words("VIOLATIONS")
        for error in [e for e in report["trace"]["errors"] if e.split(":")[0] not in wanted][:5]:
            self.fail("trace: " + error)


def every_run(c, r, scenario):
    c.expect("vmm_done is True and timed_out is False", "the machine came to its end")
    c.expect("vmm_failed is None", str(r.get("vmm_failed")))
    c.expect("kernel_reports == 0", str(r.get("kernel_report")))
    c.expect("frames_corrupt == 0")
    c.expect("walk['marks'] == len(walk['walks']) and walk['marks'] > 0", "the walker looked")

    c.walker_errors(r, scenario)
    if scenario.vars["WALK_ERROR"] and not r["walk"]["errors"]:
        c.fail("expected: the walker finds /%s/" % scenario.vars["WALK_ERROR"])
    c.trace_errors(r, scenario)
    seen = {e.split(":")[0] for e in r["trace"]["errors"]}
    for kind in sorted(set(scenario.words("VIOLATIONS")) - seen):
        c.fail("expected: the judge of the trace finds '%s'" % kind)


def frozen_at_kexecs(r):
    """What each kexec took along: lists of devices, in order."""
    walks = r["walk"]["walks"]
    return [w["preserved"] for w, n in zip(walks, walks[1:])
            if w["mark"] == "freeze" and n["mark"] == "boot"]


def kexecs(c, r, scenario):
    """Every device that was preserved at a kexec was frozen in it, and was watched in the jump."""
    freezes = [f for f in frozen_at_kexecs(r) if f]
    devices = sorted(d for f in freezes for d in f)
    c.expect("kernels == 1 + %d" % sum(w["mark"] == "boot" and w["boot"] > 0
                                       for w in r["walk"]["walks"]))
    if not devices:
        return
    c.expect("len(walk['jumps']) >= %d" % len(freezes))
    jumps = [j for j in r["walk"]["jumps"] if j["ended"] == "boot"]
    c.expect("all(j['samples'] >= %r * j['ms'] / walk['period_ms'] > 0 for j in jumps)" % SAMPLED,
             "the walker looked all through each jump", jumps=jumps)
    c.expect("all(j['old'] > 0 for j in jumps)", "... from its begin", jumps=jumps)
    if not scenario.vars["ROOT_MAY_MOVE"]:
        c.expect("all(j['strict'] > 0 for j in jumps)", "... and found it alone", jumps=jumps)
        c.expect("all(j['new'] > 0 for j in jumps)", "... until its end", jumps=jumps)
        c.expect("all(w['irq_remapping'] and w['translation'] for w in walk['walks'])")
    for device in sorted(set(devices)):
        c.expect("count(freeze_log, r'%s: frozen in [0-9]+ us$') >= %d" %
                 (re.escape(device), devices.count(device)))
    c.expect("trace['figures']['freezes'] >= %d" % len(devices))
    c.expect("0 < freeze_us / 1000 <= sum(p['ms'] for p in phases if p['phase'] in ('freeze', 'kexec'))",
             "the kernel's figure fits into what was seen outside")


def released(c, r):
    """What was kept is memory again, to the page: a later kernel has what the first one had."""
    walks = r["walk"]["walks"]
    c.expect("any(w['mark'] == 'finished' for w in walk['walks'])")
    for before, walk in zip(walks, walks[1:]):
        if walk["mark"] != "finished":
            continue
        c.expect("%d <= first - now <= %d and now > before" % tuple(r.get("handover_kib") or HANDOVER_KIB),
                 "memory of kernel %d after FINISH" % walk["boot"], first=walks[0]["memory_kib"],
                 now=walk["memory_kib"], before=before["memory_kib"])


def replaces(c, r, devices):
    for device in sorted(set(devices)):
        c.expect("count(freeze_log, r'%s: replaced in [0-9]+ us ') == %d" %
                 (re.escape(device), devices.count(device)))
    c.expect("trace['figures']['replaces'] == %d" % len(devices))
    c.expect("0 < replace_us / 1000 <= sum(p['ms'] for p in phases if p['phase'] in "
             "('replace', 'after'))",
             "the kernel's figure fits into what was seen outside")


def live(c, r, scenario):
    """Nothing was lost, late, twice or out of order, and device, guest and observer agree."""
    for word in scenario.words("LIVE"):
        number = int(word)
        # The first NIC's figures stand at the top level.
        nic = r if not number else r["other_nics"][number - 1]
        bdf = nic.get("bdf")
        who = "NIC %d" % number

        def expect(expression, why=None):
            c.expect(expression, who + (": " + why if why else ""), nic=nic)
        if not number:
            expect("nic['frames_sent'] >= %d" % scenario.number("FRAMES_MIN"))
        expect("nic['frames_sent'] > 300")
        expect("nic['frames_landed'] == nic['frames_sent'] and nic['frames_lost'] == 0")
        expect("nic['frames_duplicated'] == 0 and nic['frames_out_of_order'] == 0")
        expect("nic['frames_unsent'] == 0")
        expect("nic['frames_corrupt'] == 0")
        expect("nic['guest_landed'] == nic['frames_sent']")
        expect("nic['guest_lost'] == 0 and nic['guest_duplicated'] == 0 and "
               "nic['guest_out_of_order'] == 0")
        expect("nic['guest_corrupt'] == 0 and nic['guest_holes'] == 0")
        expect("nic['nic_received'] == nic['frames_sent'] and nic['nic_missed'] == 0")
        expect("0 < nic['longest_gap_ms'] <= %d * min(max(nic['longest_quiet_gap_ms'], "
               "%d * frame_interval_ms), %d * frame_interval_ms)" %
               (GAP_FACTOR, QUIET_LEAST, QUIET_MOST), "no silence is longer than without a kexec")
        expect("master('boot')[%r] is True if kernels > 1 else True" % bdf)
    # Another device may be blocked and try; one that must be live may not.
    devices = {([r] + r["other_nics"])[int(word)]["bdf"] for word in scenario.words("LIVE")}
    c.expect("not set(iommu_fault_devices) & live", live=devices | {"unknown"})
    if len(devices) == scenario.number("NICS"):
        c.expect("sum(iommu_faults_kernels) == 0")
    # After it was asked for one no fault can be told from another: only who was asked may have any.
    asked = {int(p["line"].split("dev=")[1]) for p in r["walk"]["provoked"]}
    c.expect("set(trace['figures']['provoked_faults']) == asked and asked and asked <= live and "
             "provoked_faults_kernel >= 1", "faults were provoked and both counters saw them",
             live=devices, asked={([r] + r["other_nics"])[n]["bdf"] for n in asked})
    left = {d["bdf"] for d in r["walk"]["discarded"]} | set(scenario.words("STAYS")) | \
        set(scenario.words("REFUSED"))
    lasting = [d for f in frozen_at_kexecs(r) for d in f if d not in left]
    if lasting:
        replaces(c, r, lasting)
        released(c, r)
    elif frozen_at_kexecs(r):
        c.expect("count(freeze_log, r': replaced in ') == 0")


def first_jump(r):
    """The phases from the first jump until the one after it."""
    jumps = [i for i, p in enumerate(r["phases"]) if p["phase"] == "kexec"] + [None, None]
    return r["phases"][jumps[0]:jumps[1]]


def refused(c, r, scenario):
    """A device that the new kernel does not take over writes nothing until a driver takes it.

    Each is judged by what its own NIC did: another one's losses are no sign of its.
    """
    nics = [r] + r["other_nics"]
    for device in scenario.words("REFUSED"):
        number = next((n for n, nic in enumerate(nics) if nic.get("bdf") == device), None)
        if number is None:
            c.fail("expected: %s is one of the NICs" % device)
            continue

        def expect(expression, why=None):
            c.expect(expression, device + (": " + why if why else ""), nic=nics[number],
                     next_kernel=first_jump(r))
        expect("nic['frames_lost'] > 0 and nic['frames_duplicated'] == 0")
        expect("nic['longest_gap_ms'] > kexec_to_user_ms / 8", "it fell silent in the jump")
        expect("sum(p['landed'][%d] for p in next_kernel if p['phase'] in ('user', 'retrieve')) == 0" %
               number)
        if device not in scenario.words("UNKNOWN"):
            expect("trace['figures']['stopped'][%r] >= 1" % device,
                   "its bus mastering was cleared: the IOMMU is not the only guard")


def found(report, scenario):
    """What speaks against the kernel in a run that the emulator cut short: nothing it lacks does.

    Nobody may say that such a run is to be had again when there is something.
    """
    c = Checks(report)
    try:
        if report["kernel_reports"]:
            c.fail("the kernel reported: %s" % report["kernel_report"])
        if report["vmm_failed"]:
            c.fail("the VMM failed: %s" % report["vmm_failed"])
        for number, nic in enumerate([report] + report["other_nics"]):
            for what in ("corrupt", "duplicated", "out_of_order"):
                # One that is not live may be blocked and start anew.
                if nic["frames_" + what] and (what == "corrupt" or str(number) in scenario.words("LIVE")):
                    c.fail("NIC %d: frames are %s: %d" % (number, what, nic["frames_" + what]))
            if str(number) in scenario.words("LIVE") and nic["bdf"] in report["iommu_fault_devices"]:
                c.fail("NIC %d: its DMA was blocked" % number)
        c.walker_errors(report, scenario)
        c.trace_errors(report, scenario)
    except (KeyError, TypeError, IndexError, ValueError) as e:
        c.fail("the report is not whole: %s: %s" % (type(e).__name__, e))
    return c.failures


def check(report, scenario):
    """All that does not hold, as lines of text; nothing when the run is good."""
    c = Checks(report)
    try:
        every_run(c, report, scenario)
        kexecs(c, report, scenario)
        if scenario.words("LIVE"):
            live(c, report, scenario)
        if scenario.words("REFUSED"):
            refused(c, report, scenario)
    except (KeyError, TypeError, IndexError, ValueError) as e:
        c.fail("the report is not whole: %s: %s" % (type(e).__name__, e))
    for expression in scenario.expect:
        c.expect(expression)
    return c.failures
