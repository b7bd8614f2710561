#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs hardware-in-loop scenarios, one KTAP line each.

For each it boots a kernel of tests/kernel in QEMU (machine/ says which machine), lets the demo VMM
(vmm/) play the scenario's scripts in it, and watches from outside: observer/ sends frames and sees
them land, judge/walk.py reads the IOMMU's tables in the machine's memory, judge/trace.py reads
QEMU's trace afterwards. judge/rules.py says what must hold. See README.md here.
"""
import argparse
import contextlib
import importlib
import json
import os
import random
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent import futures

# More of them in one run, and it is not by chance that machines fail.
MOST_SECOND_ATTEMPTS = 3
# Memory that two machines at once need, where nothing is measured; one has up to 2 GiB.
ENOUGH_FOR_TWO = 6 << 30
RUNNING = set()     # attempts that are under way

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(os.path.dirname(HERE))
OUT = os.path.join(REPO, "out", "hil")
SCENARIOS = os.path.join(HERE, "scenarios")
SETUP = os.path.join(REPO, "tests", "kernel", "setup.sh")

sys.path.insert(0, HERE)
from judge import rules, scenario as scenarios, trace   # noqa: E402, pylint: disable=C0413

EPILOG = """
out/hil/ gets NAME.json (the report), NAME.serial.log (console, seconds by the observer's clock),
NAME.trace.log (QEMU's trace), NAME.qemu.log, and NAME.stuck.log (registers) of a machine that stood
still. Where the emulator failed and a second attempt was made, NAME.first.* are of the first one.

environment:
  HIL_ACCEL     tcg or kvm [tcg]
  HIL_KERNEL    boot this image instead of the one that the scenario names
  HIL_SEED      seed of what is random in a scenario, a number from 1 [another one each run]
  HIL_PROGRAMS  folder where the VMM, the observer and the tool are built, and built again only when
                something changed [a new one each run]
  HIL_TIMEOUT   seconds after which a machine is given up, where its scenario waits longer
  HIL_COVERAGE  folder: kernels are vtd-cov where they would be vtd, and their counters go there

exit: 0 all passed, 1 some failed, 2 wrong usage or something is missing
"""


class Unusable(Exception):
    """Nothing can be run; the text says what is missing and the way out."""


class Broken(Exception):
    """The emulator failed, not what runs in it: worth a second attempt.

    found: what was found out before, if anything; then it is not.
    """

    def __init__(self, text, found=()):
        super().__init__(text)
        self.found = list(found)


def say(text):
    print("# " + text, file=sys.stderr, flush=True)


def memory_here(limits=("/sys/fs/cgroup/memory.max",
                        "/sys/fs/cgroup/memory/memory.limit_in_bytes")):
    """Bytes that there are for us: a container may have less than its host."""
    size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for path in limits:
        with contextlib.suppress(OSError, ValueError):   # "max" is no number
            with open(path, encoding="ascii") as f:
                size = min(size, int(f.read()))
    return size


def commit():
    """What the checkout is, for the results."""
    told = subprocess.run(["git", "-c", "safe.directory=*", "-C", REPO, "describe", "--always",
                           "--dirty"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, check=False)
    return told.stdout.strip() or None


def wanted(name):
    """A number that the environment may give, None if it does not."""
    text = os.environ.get(name)
    if not text:
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,17}", text):
        raise Unusable("%s=%s: a number from 1, of at most 18 digits" % (name, text))
    return int(text)


class Kernels:
    """Images by configuration, all built before a machine runs: a build beside it slows it down."""

    def __init__(self, configs):
        self.images = {}
        given = os.environ.get("HIL_KERNEL")
        if given and not os.path.isfile(given):
            raise Unusable("HIL_KERNEL=%s: there is no such file" % given)
        for config in sorted(configs):
            self.images[config] = given or self._made(
                "vtd-cov" if os.environ.get("HIL_COVERAGE") and config == "vtd" else config)

    @staticmethod
    def _made(config):
        made = subprocess.run([SETUP, config], stdout=subprocess.PIPE, text=True, check=False)
        if made.returncode:
            raise Unusable("no kernel '%s': see above" % config)
        return made.stdout.strip()

    def __getitem__(self, config):
        return self.images[config]


def make(where, *words):
    if subprocess.run(["make", "-s", "-C", where, *words], stdout=sys.stderr,
                      check=False).returncode:
        raise Unusable("%s cannot be built: see above" % where)


def set_up(name):
    """The path that tests/kernel/setup.sh makes of a name."""
    made = subprocess.run([SETUP, name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False)
    if made.returncode:
        raise Unusable("no %s: %s" % (name, made.stderr.strip()))
    return made.stdout.strip()


class Programs:
    """What runs in one kind of machine, built for it: the VMM, and the tool if it is asked for."""

    def __init__(self, machine, programs, folder):
        self.machine = machine
        self.built = os.path.join(programs, machine.NAME)
        self.root = os.path.join(folder, "tool-root-" + machine.NAME)
        os.makedirs(self.built, exist_ok=True)
        make(os.path.join(HERE, "vmm"), "OUT=" + self.built, "HEADERS=" + set_up(machine.HEADERS),
             "CC=" + machine.COMPILER)
        self.vmm = self.built + "/vmm"
        self._lock = threading.Lock()

    def tool(self):
        """iommu-freeze and the libraries that it needs, in one folder."""
        with self._lock:
            if not os.path.isdir(self.root):
                self._make_tool()
        return self.root

    def _make_tool(self):
        out, compiler, folders = self.built + "/tool", self.machine.COMPILER, []
        if self.machine.SYSROOT:
            root = set_up(self.machine.SYSROOT)
            there = subprocess.run([compiler, "-print-multiarch"], stdout=subprocess.PIPE, text=True,
                                   check=True).stdout.strip()
            folders = ["%s/usr/lib/%s" % (root, there)]
            compiler += " --sysroot=" + root
        # Not its completions, which the tool itself prints.
        make(os.path.join(REPO, "tools/iommu-freeze"), "out=" + out, "CC=" + compiler,
             out + "/iommu-freeze")
        os.mkdir(self.root)
        for path in self.needed(out + "/iommu-freeze", folders):
            shutil.copy(path, self.root)

    @staticmethod
    def needed(program, folders):
        """It, and the libraries that it needs; of those in `folders`, if it does not run here."""
        if not folders:
            listed = subprocess.run(["ldd", program], stdout=subprocess.PIPE, text=True, check=True)
            return [program] + re.findall(r"(/\S+) \(0x", listed.stdout)
        found = [program]
        for path in found:  # which grows
            listed = subprocess.run(["readelf", "-d", path], stdout=subprocess.PIPE, text=True, check=True)
            for name in re.findall(r"\(NEEDED\).*\[(.*)\]", listed.stdout):
                at = next((f + "/" + name for f in folders if os.path.exists(f + "/" + name)), None)
                if not at:
                    raise Unusable("%s needs %s, and it is in none of %s" %
                                   (program, name, " ".join(folders)))
                if at not in found:
                    found.append(at)
        return found


class Workshop:
    """What is built once for all scenarios, in a folder that nobody else uses."""

    def __init__(self, folder, kernels, machines, seed, timeout):
        self.folder = folder
        self.programs = os.path.abspath(os.environ.get("HIL_PROGRAMS") or folder)
        os.makedirs(self.programs, exist_ok=True)
        self.kernels = kernels
        self.commit = commit()
        self.seed = seed
        self.timeout = timeout
        for name in ("observer", "saboteur"):
            make(os.path.join(HERE, name), "OUT=" + self.programs)
        self.inside = {name: Programs(machine_named(name), self.programs, folder) for name in machines}

    def initrd(self, scenario, machine, image, target, folder):
        """A cpio with the VMM as init; /boot goes along into the next kernel."""
        programs = self.inside[machine.NAME]
        root = os.path.join(folder, "root")
        os.mkdir(root)
        for name in ("boot", "scenario", "dev", "proc", "sys"):
            os.mkdir(os.path.join(root, name))
        shutil.copy(programs.vmm, root + "/init")
        for number, lines in enumerate(scenario.boots):
            with open("%s/scenario/boot%d" % (root, number), "w", encoding="utf-8") as f:
                f.write("".join(line + "\n" for line in lines))
        shutil.copy(image, root + "/boot/" + machine.IMAGE)
        modules = os.path.join(os.path.dirname(image), "modules")
        if os.path.isdir(modules):
            shutil.copytree(modules, root + "/boot", dirs_exist_ok=True)
        if target:
            shutil.copy(target, root + "/boot/target")
        if scenario.uses("tool", "churn", "extents-check"):
            shutil.copytree(programs.tool(), root + "/boot", dirs_exist_ok=True)
        path = os.path.join(folder, "initrd")
        with open(path, "wb") as f:
            # The kernel looks for these by their full names, in an archive before the first one.
            for name, table in machine.firmware(scenario.vars).items():
                name = "kernel/firmware/acpi/" + name
                os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
                with open(os.path.join(folder, name), "wb") as acpi:
                    acpi.write(table)
                subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=folder,
                               input=name.encode(), stdout=f, check=True)
            names = subprocess.run(["find", "."], cwd=root, stdout=subprocess.PIPE, check=True)
            subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, input=names.stdout,
                           stdout=f, check=True)
        shutil.rmtree(root)
        return path


class Run:
    """One attempt at one scenario: the machine and those who watch it."""

    SUFFIXES = (".json", ".serial.log", ".trace.log", ".qemu.log", ".stuck.log")
    FIRST = ".first"    # before the suffix of what a first attempt left

    def __init__(self, scenario, machine, workshop, seed):
        self.scenario = scenario
        self.machine = machine
        self.workshop = workshop
        self.seed = seed
        self.name = scenario.name
        self.id = secrets.token_hex(16)
        self.processes = {}
        self.mem = None
        # Sockets, the initrd and results: of this attempt alone.
        self.folder = tempfile.mkdtemp(prefix="run.", dir=workshop.folder)

    def path(self, suffix):
        return os.path.join(OUT, self.name + suffix)

    def start(self, name, words, **more):
        # Whatever ends the runner ends the machine and all who watch it.
        self.processes[name] = subprocess.Popen(  # pylint: disable=R1732
            ["setpriv", "--pdeathsig", "KILL"] + words, **more)
        return self.processes[name]

    def stop(self, name, how=signal.SIGKILL):
        process = self.processes.pop(name, None)
        if process and process.poll() is None:
            process.send_signal(how)
        return process.wait() if process else None

    def clean(self):
        for name in list(self.processes):
            self.stop(name)
        if self.mem is not None:
            os.close(self.mem)
            self.mem = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def forget(self):
        """Removes what earlier runs left, and this scenario's first attempts."""
        for first in ("", self.FIRST):
            for suffix in self.SUFFIXES:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self.path(first + suffix))

    def keep_first(self):
        """What this attempt left is kept beside what the next one leaves."""
        for suffix in self.SUFFIXES:
            with contextlib.suppress(FileNotFoundError):
                os.replace(self.path(suffix), self.path(self.FIRST + suffix))

    def memory_file(self):
        """The machine's memory: a file without a name, which goes with the last one who has it open.

        Returns where others can open it.
        """
        size = self.machine.RAM_BASE + (self.scenario.number("MEMORY") << 20)
        shm = "/dev/shm"
        # The files are filled only as the machines use their memory: count all of it.
        wanted = sum(one.scenario.number("MEMORY") for one in list(RUNNING)) + 256 << 20
        if not os.path.isdir(shm) or shutil.disk_usage(shm).free < wanted:
            shm = OUT
        self.mem, name = tempfile.mkstemp(prefix="hil-mem.", dir=shm)
        os.unlink(name)
        os.truncate(self.mem, size)
        return "/proc/%d/fd/%d" % (os.getpid(), self.mem)

    def monitor(self, *commands):
        """What QEMU's human monitor says, for a machine that stands still."""
        text = []
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(5)
                s.connect(self.folder + "/qmp")
                f = s.makefile("rw", encoding="utf-8")
                f.readline()
                for command in ('{"execute":"qmp_capabilities"}',) + tuple(
                        json.dumps({"execute": "human-monitor-command",
                                    "arguments": {"command-line": c}}) for c in commands):
                    f.write(command + "\n")
                    f.flush()
                    while True:
                        answer = json.loads(f.readline())
                        if "return" in answer or "error" in answer:
                            break
                    if answer.get("return"):
                        text.append(answer["return"])
        except (OSError, ValueError) as e:
            text.append("monitor: %s" % e)
        return "\n".join(text).replace("\r", "")

    def attempt(self):
        """Runs it; returns the report. Raises Broken when it was the emulator's fault."""
        s = self.scenario
        kernels = self.workshop.kernels
        image = kernels[s.vars["KERNEL"]]
        target = kernels[s.vars["TARGET"]] if s.vars["TARGET"] else None
        built, work = self.workshop.programs, self.folder
        mem = self.memory_file()
        paths = {"mem": mem, "work": work, "trace": self.path(".trace.log"),
                 "kernel": image,
                 "initrd": self.workshop.initrd(s, self.machine, image, target, work)}
        for path in (paths["trace"], work + "/serial"):
            open(path, "w", encoding="utf-8").close()
        append = " ".join((
            "loglevel=7 printk.devkmsg=on panic=-1 oops=panic kho=on kho_scratch=%s liveupdate=on" %
            s.vars["SCRATCH"] or self.machine.SCRATCH, s.vars["APPEND"],
            "hil.boot=0 hil.run=%s hil.seed=%d" % (self.id, self.seed)))
        try:
            words = self.machine.arguments(s.vars, paths, append)
        except ValueError as e:
            raise Unusable("%s: %s" % (self.name, e)) from None
        with open(self.path(".qemu.log"), "w", encoding="utf-8") as log:
            # A high priority where we may: gaps of milliseconds are measured.
            qemu = self.start("qemu", ["nice", "-n", "-10"] + words,
                              stdout=log, stderr=subprocess.STDOUT)
        walk = work + "/walk.json"
        self.start("walker", [
            "nice", "-n", "-5", sys.executable, HERE + "/judge/walk.py", "--machine", s.vars["MACHINE"],
            "--mem", mem, "--console", self.path(".serial.log"),
            "--trace", paths["trace"], "--run", self.id, "--out", walk,
            "--until-pid", str(qemu.pid)] +
            [word for bdf in s.words("REFUSED") for word in ("--refused", bdf)] +
            (["--unit-refused"] if s.vars["ROOT_MAY_MOVE"] else []))
        timeout = min(s.number("TIMEOUT"), self.workshop.timeout or s.number("TIMEOUT"))
        if s.vars["SABOTAGE"]:
            # It has about a second, until the next kernel reads what is to be spoilt, and two
            # machines may be at work.
            self.start("saboteur", ["nice", "-n", "-15", built + "/saboteur", mem,
                                    self.path(".serial.log"), s.vars["SABOTAGE_AT"],
                                    s.vars["SABOTAGE"], str(timeout)],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if os.environ.get("HIL_COVERAGE"):
            self.start("coverage", [
                sys.executable, REPO + "/tests/coverage/read.py", "follow", "--mem", mem,
                "--console", self.path(".serial.log"),
                "--map", os.path.join(os.path.dirname(image), "System.map"),
                "--until-pid", str(qemu.pid),
                "--out", os.path.join(os.environ["HIL_COVERAGE"], self.name)])
        nets = [word for i in range(s.number("NICS"))
                for word in ("--net", "%s/observer%d,%s/qemu%d" % (work, i, work, i))]
        ended = self.start("observer", [
            built + "/observer", "--scenario", self.name, "--mem", mem,
            "--serial", work + "/serial", "--run", self.id, "--log", self.path(".serial.log"),
            "--fault-line", self.machine.FAULT_LINE, "--json", work + "/observer.json",
            "--rate", s.vars["RATE"], "--frames-min", s.vars["FRAMES_MIN"],
            "--timeout", str(timeout), "--pid", str(qemu.pid)] + nets).wait()
        report = self.load(work + "/observer.json")
        if qemu.poll() and not os.path.getsize(work + "/serial"):
            # Not one byte, not even of the decompressor: it never ran.
            raise Broken("QEMU does not start: %s" % (self.said_last() or "it said nothing"))
        if report is None:
            raise Broken("the observer left no report; QEMU: %s" % (self.said_last() or "nothing"))
        lost = self.machine.lost_interrupt(self.stuck()) if report["timed_out"] else None
        return self.finish(report, ended, walk, lost)

    def said_last(self):
        """QEMU's last line."""
        with open(self.path(".qemu.log"), encoding="utf-8", errors="replace") as f:
            return (f.read().strip().splitlines() or [""])[-1]

    @staticmethod
    def load(path):
        try:
            with open(path, encoding="utf-8") as f:
                return json.load(f)
        except (OSError, ValueError):
            return None

    def stuck(self):
        """The machine stands still: keep what it was doing."""
        text = ""
        for _ in range(2):
            text += self.monitor(*self.machine.STUCK)
            time.sleep(1)
        with open(self.path(".stuck.log"), "w", encoding="utf-8") as f:
            f.write(text)
        return text

    def finish(self, report, ended, walk, lost):
        s = self.scenario
        report["attempts"] = 1
        report["seed"] = self.seed
        report["commit"] = self.workshop.commit
        report["handover_kib"] = self.machine.HANDOVER_KIB
        report["sabotage"] = None
        if "saboteur" in self.processes:
            saboteur = self.processes["saboteur"]
            if saboteur.poll() is None:
                saboteur.kill()
            out, err = saboteur.communicate()
            try:
                report["sabotage"] = json.loads(out)
            except ValueError:
                report["sabotage"] = {"failed": err.strip()}
        self.stop("qemu", signal.SIGTERM)
        self.stop("walker", signal.SIGTERM)
        if self.stop("coverage", signal.SIGTERM):
            say("%s: not all counters were read, see above" % self.name)
        report["walk"] = self.load(walk) or {
            "walks": [], "marks": 0, "samples": {}, "errors": ["the walker left no result"]}
        report["trace"] = trace.judge(self.path(".trace.log"), report["walk"], self.machine)
        figures = report["trace"]["figures"]
        report["iommu_faults_qemu"] = sum(figures["faults"].values())
        report["iommu_faults"] = report["iommu_faults_qemu"] + sum(report["iommu_faults_kernels"])
        report["iommu_fault_devices"] = sorted(figures["faults"])
        report["provoked_faults_qemu"] = sum(figures["provoked_faults"].values())
        named = {d["dev"]: d["bdf"] for w in report["walk"]["walks"] for d in w["devices"]}
        for number, nic in enumerate([report] + report["other_nics"]):
            nic["bdf"] = named.get(number)
        with open(self.path(".json"), "w", encoding="utf-8") as f:
            json.dump(report, f, indent=1)
        with open(self.path(".qemu.log"), encoding="utf-8", errors="replace") as f:
            # QEMU 10.0 under TCG now and then aborts in here while the kernel shuts its devices
            # down: seen once in some sixty runs. That says nothing about the kernel; what was found
            # until then does.
            if ended and "iotlb_to_section: Assertion" in f.read():
                raise Broken("QEMU aborted: %s" % self.said_last(), rules.found(report, s))
        if lost:
            found = rules.found(report, s)
            # What the kernel itself may say of that, once, is that a CPU does not come by; only the first
            # of its reports is told here.
            if report["kernel_reports"] == 1:
                found = [what for what in found if "detected stalls" not in what]
            raise Broken("QEMU lost an interrupt: " + lost, found)
        failures = rules.check(report, s)
        if report["sabotage"] and "failed" in report["sabotage"]:
            failures.insert(0, "the saboteur did nothing: " + report["sabotage"]["failed"])
        # What the tool printed as JSON about a real kernel
        valid = subprocess.run(["/usr/bin/python3", REPO + "/tests/tool/validate.py", "--log",
                                self.path(".json")], stderr=subprocess.PIPE, text=True, check=False)
        return failures + valid.stderr.splitlines()


def machine_named(name):
    return importlib.import_module("machine." + name).Machine()


def run(name, workshop):
    """Returns (failures, attempts, why more than one)."""
    scenario = scenarios.Scenario(name, SCENARIOS)
    machine = machine_named(scenario.vars["MACHINE"])
    if not shutil.which(machine.qemu):
        raise Unusable("%s is missing: run tests/kernel/setup.sh --install" % machine.qemu)
    seed = workshop.seed or random.randrange(1, 1 << 31)
    reasons = []
    for attempt in (1, 2):
        one = Run(scenario, machine, workshop, seed)
        if attempt == 1:
            one.forget()
        RUNNING.add(one)
        try:
            failures = one.attempt()
        except Broken as e:
            reasons.append(str(e))
            failures = e.found or ["the machine failed twice"]
            if e.found or attempt == 2:
                break
            say("%s: %s; running it once more" % (name, e))
            one.keep_first()
            continue
        finally:
            RUNNING.discard(one)
            one.clean()
        break
    report = one.load(one.path(".json")) or {
        "scenario": name, "seed": seed, "commit": workshop.commit}
    if reasons:
        report["attempts"] = attempt
        report["attempts_why"] = reasons
        with open(one.path(".json"), "w", encoding="utf-8") as f:
            json.dump(report, f, indent=1)
    return failures, attempt, reasons


def main():
    parser = argparse.ArgumentParser(description="Runs hardware-in-loop scenarios one after the "
                                     "other and prints KTAP.", epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a scenario, or all")
    parser.add_argument("--list", action="store_true", help="print the names")
    args = parser.parse_args()
    known = scenarios.names(SCENARIOS)
    if args.list:
        print("\n".join(known))
        return 0
    if not args.names:
        parser.error("which? NAME... or all; --list names them")
    names = known if args.names == ["all"] else args.names
    for name in names:
        if name not in known:
            parser.error("no scenario '%s'; --list names them" % name)
        if names.count(name) > 1:
            parser.error("'%s' is named twice" % name)
    all_of_them = {name: scenarios.Scenario(name, SCENARIOS) for name in known}
    seed, timeout = wanted("HIL_SEED"), wanted("HIL_TIMEOUT")
    os.makedirs(OUT, exist_ok=True)
    failed = False
    again = 0
    # Where silences are measured nothing else runs; the others leave half of the machine idle.
    measured = {name: bool(all_of_them[name].words("LIVE")) for name in names}
    kernels = Kernels({all_of_them[name].vars[key] for name in names
                       for key in ("KERNEL", "TARGET")} - {""})
    with tempfile.TemporaryDirectory(prefix="hil.") as folder:
        def end(*_):
            for one in list(RUNNING):
                one.clean()
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(130)   # there may be threads that wait for what is gone
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, end)
        machines = {all_of_them[name].vars["MACHINE"] for name in names}
        workshop = Workshop(folder, kernels, machines, seed, timeout)
        print("KTAP version 1\n1..%d" % len(names), flush=True)
        at_once = 2 if memory_here() >= ENOUGH_FOR_TWO else 1
        with futures.ThreadPoolExecutor(at_once) as pool:
            done = {name: pool.submit(run, name, workshop) for name in names if not measured[name]}
        for number, name in enumerate(names, 1):
            failures, attempts, reasons = \
                run(name, workshop) if measured[name] else done[name].result()
            for failure in failures:
                print("# %s: %s" % (name, failure), flush=True)
            print("%s %d - %s%s" % ("not ok" if failures else "ok", number, name,
                                    " # attempts=%d: %s" % (attempts, reasons[-1])
                                    if reasons else ""), flush=True)
            failed |= bool(failures)
            again += attempts > 1
    if again > MOST_SECOND_ATTEMPTS:
        print("Bail out! %d scenarios needed a second attempt" % again)
        failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Unusable, scenarios.Error) as e:
        print("hil: error: %s" % e, file=sys.stderr)
        sys.exit(2)
