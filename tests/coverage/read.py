#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Reads gcov's counters of the kernel under test from outside, out of the file that is its RAM.

debugfs would lose what runs inside reboot(), and what runs after it is the part that matters. Here
the kernel has no say: its image lies in the file, gcov_info_head in it starts a list of all objects
that have counters, and the memory of the old kernel is still whole when the next one comes up.
"""
import argparse
import json
import os
import re
import signal
import struct
import sys
import time

START_KERNEL_MAP = 0xffffffff80000000  # __START_KERNEL_map: where the image is mapped
PAGE_OFFSET = 0xffff888000000000  # ... and all memory, unless page_offset_base says otherwise
ALIGN = 2 << 20  # CONFIG_PHYSICAL_ALIGN: a kernel starts at a multiple of it

# struct gcov_info, gcov_fn_info and gcov_ctr_info as gcc 12 and 13 lay them out, see
# kernel/gcov/gcc_4_7.c. Other releases have more kinds of counters or no checksum.
VERSIONS = {0x4232322a: "12", 0x4233332a: "13"}
COUNTERS = 8
INFO = struct.Struct("<I4xQIIQ8QI4xQ")
FN = struct.Struct("<QIII4x")
CTR = struct.Struct("<I4xQ")


class Broken(Exception):
    """What lies there is not, or no longer, a kernel with counters."""


class Uncounted(Exception):
    """The kernel was built without counters."""


class Image:
    """One build: its System.map and the bzImage beside it, as tests/kernel/setup.sh leaves them."""

    WANT = ("_text", "_end", "linux_banner", "phys_base", "gcov_info_head", "saved_command_line",
            "page_offset_base")

    def __init__(self, path):
        with open(path) as f:
            for line in f:
                addr, _, name = line.split()
                if name in self.WANT:
                    setattr(self, name, int(addr, 16))
        if not hasattr(self, "gcov_info_head"):
            raise Uncounted(f"the kernel of {path} has no gcov, only vtd-cov has")
        with open(os.path.join(os.path.dirname(path), "bzImage"), "rb") as f:
            head = f.read(0x10000)
        # kernel_version of the boot protocol: "RELEASE (USER@HOST) #1 SMP ... DATE"
        start = struct.unpack_from("<H", head, 0x20e)[0] + 0x200
        text = head[start:head.index(0, start)].decode()
        self.release, self.build = text.split(" #", 1)

    def made(self, line):
        """Is LINE the banner of this very build?"""
        return (f"Linux version {self.release} (" in line and
                line.rstrip().endswith("#" + self.build))


class Kernel:
    """A kernel of the build IMAGE that runs, or ran, at physical address BASE."""

    def __init__(self, mem, image, base):
        self.mem = mem
        self.image = image
        self.base = base
        # all that the list was found to use, from the first read on
        self.low = image._text
        self.high = image._end
        banner = self.bytes_at(image.linux_banner, 512).split(b"\0")[0].decode(errors="replace")
        if not image.made(banner):
            raise Broken("another banner")
        # Where it believes to run: a copy that never ran, as what kexec loads, says otherwise.
        if self.u64(image.phys_base) != base - (image._text - START_KERNEL_MAP):
            raise Broken("it does not run there")
        self.boot = self.find_boot()
        self.shape = None
        self.counters = None
        self.objects = None
        self.update()

    def pread(self, phys, size):
        data = os.pread(self.mem, size, phys)
        if len(data) != size:
            raise Broken(f"0x{phys:x} is no memory")
        return data

    def bytes_at(self, addr, size):
        if not self.image._text <= addr <= addr + size <= self.image._end:
            raise Broken(f"0x{addr:x} is outside the kernel's image")
        return self.pread(self.base + addr - self.image._text, size)

    def u64(self, addr):
        return struct.unpack("<Q", self.bytes_at(addr, 8))[0]

    def find_boot(self):
        """The number in the chain of kernels: it tells this one from the remains of others."""
        offset = getattr(self.image, "page_offset_base", None)
        offset = self.u64(offset) if offset else PAGE_OFFSET
        phys = self.u64(self.image.saved_command_line) - offset
        if not 0 <= phys < 1 << 52:
            raise Broken("it has no command line yet")
        words = os.pread(self.mem, 4096, phys).split(b"\0")[0].split()
        for word in words:
            if re.fullmatch(rb"hil\.boot=\d+", word):
                return int(word[9:])
        raise Broken("there is no hil.boot= on its command line")

    def update(self):
        """Reads the counters; what was read before stays when the kernel is no longer whole."""
        # one copy, so that no structure is half of one moment and half of another
        copy = self.bytes_at(self.low, self.high - self.low)
        self.used = []
        objects = self.parse(copy)
        shape = [(o["filename"], o["stamp"], [f[:3] for f in o["functions"]]) for o in objects]
        counters = [c for o in objects for f in o["functions"] for _, cs in f[3] for c in cs]
        if self.counters is not None:
            if shape != self.shape:
                raise Broken("its list of objects changed")
            if any(new < old for new, old in zip(counters, self.counters)):
                raise Broken("a counter went backwards")
        self.shape, self.counters, self.objects = shape, counters, objects
        self.low = min(a for a, _ in self.used)
        self.high = max(b for _, b in self.used)

    def parse(self, copy):
        def at(addr, size):
            if not self.low <= addr <= addr + size <= self.high:
                raise Broken(f"a pointer to 0x{addr:x} in the list of objects")
            self.used.append((addr, addr + size))
            return addr - self.low

        def pointer(addr):
            return struct.unpack_from("<Q", copy, at(addr, 8))[0]

        objects = []
        info = pointer(self.image.gcov_info_head)
        while info:
            if len(objects) == 10000:
                raise Broken("its list of objects has no end")
            version, after, stamp, checksum, name, *merge, count, functions = \
                INFO.unpack_from(copy, at(info, INFO.size))
            if version not in VERSIONS:
                raise Broken(f"version 0x{version:x} of gcov's structures; "
                             "gcc 12 and 13 are known here")
            kinds = [i for i in range(COUNTERS) if merge[i]]
            start = at(name, 1)
            end = copy.find(0, start, start + 4096)
            filename = copy[start:end].decode(errors="replace")
            if end < 0 or not filename.endswith(".gcda"):
                raise Broken(f"an object named {filename[:80]!r}")
            at(name, end - start + 1)
            found = []
            at(functions, 8 * count)
            for i in range(count):
                fn = pointer(functions + 8 * i)
                key, ident, lines, cfg = FN.unpack_from(copy, at(fn, FN.size))
                # a function that more objects have is counted in one of them
                if key != info:
                    continue
                ctrs = []
                for j, kind in enumerate(kinds):
                    num, values = CTR.unpack_from(copy, at(fn + FN.size + j * CTR.size, CTR.size))
                    ctrs.append((kind, struct.unpack_from(f"<{num}Q", copy, at(values, 8 * num))))
                found.append((ident, lines, cfg, ctrs))
            objects.append({"filename": filename, "version": version, "stamp": stamp,
                            "checksum": checksum, "functions": found})
            info = after
        if not objects:
            raise Broken("its list of objects is empty")
        return objects

    def save(self, path, when):
        """A function is [ident, checksum, checksum, [[kind, [counter, ...]], ...]]."""
        with open(path + ".new", "w") as f:
            json.dump({"boot": self.boot, "base": self.base, "read": when,
                       "build": self.image.build,
                       "objects": self.objects}, f)
            f.write("\n")
        os.rename(path + ".new", path)


def kernels(mem, image, known=-1):
    """All kernels of this build in memory, those with a boot number of at most KNOWN left out."""
    for base in range(0, os.fstat(mem).st_size, ALIGN):
        try:
            kernel = Kernel(mem, image, base)
        except Broken:
            continue
        if kernel.boot > known:
            yield kernel


class Follower:
    """Takes the counters of each kernel of a run, as the console says where the run is."""

    # The decompressor's line is there only with earlyprintk=, and earlier. Once the new kernel
    # frees memory, what the old one left goes.
    JUMP = re.compile(r"early console in extract_kernel|\] Linux version ")
    LEAVING = "Starting new kernel"

    def __init__(self, mem, image, out):
        self.mem = mem
        self.image = image
        self.out = out
        self.kernel = None  # whose counters are being taken
        self.known = -1  # the last boot that was found
        self.leaving = False  # it is about to jump
        self.wanted = 0  # banners of this build on the console
        self.unfound = 0  # ... whose kernel was not found in memory
        self.seen = 0  # boots saved
        self.searching = False

    def line(self, text):
        if self.LEAVING in text:
            self.leaving = True
            self.look()
        if self.JUMP.search(text):
            self.finish("after the jump")
            self.leaving = False
        if "] Linux version " in text:
            if self.searching:
                self.lost()
            self.searching = self.image.made(text)
            self.wanted += self.searching

    def lost(self):
        self.unfound += 1
        print(f"coverage: kernel {self.wanted} of this build: its counters are not in memory; "
              "did it get as far as its constructors?", file=sys.stderr)
        self.searching = False

    def look(self):
        """Finds the kernel that came up, or takes the counters of the one that runs."""
        if self.kernel:
            try:
                self.kernel.update()
            except Broken:
                pass
        elif self.searching:
            for self.kernel in kernels(self.mem, self.image, self.known):
                self.known = self.kernel.boot
                self.searching = False

    def finish(self, when):
        """Takes the counters for the last time."""
        if self.searching:
            self.look()
        if not self.kernel:
            return
        try:
            self.kernel.update()
        except Broken as e:
            # The next kernel may be loaded over this one; then what was read last counts. While a
            # kernel leaves that is not 20 ms old, and by then nothing of ours runs in it.
            if not self.leaving:
                print(f"coverage: boot {self.kernel.boot} {when}: {e}; taking what was read last",
                      file=sys.stderr)
            when = "before the " + when.split()[-1]
        self.kernel.save(os.path.join(self.out, f"boot-{self.kernel.boot}.json"), when)
        self.seen += 1
        self.kernel = None

    def end(self):
        self.finish("at the end")
        if self.searching:
            self.lost()


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def follow(args, image):
    """Until SIGTERM, or until QEMU is gone."""
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    os.makedirs(args.out, exist_ok=True)
    for name in os.listdir(args.out):
        if re.fullmatch(r"boot-\d+\.json", name):
            os.unlink(os.path.join(args.out, name))
    mem = os.open(args.mem, os.O_RDONLY)
    follower = Follower(mem, image, args.out)
    console = None
    rest = ""
    looked = 0
    while True:
        # asked before the console is read: what was said last is read as well
        last = bool(stop) or not alive(args.until_pid)
        if console is None and os.path.exists(args.console):
            console = open(args.console, errors="replace")
        rest += console.read() if console else ""
        *lines, rest = rest.split("\n")
        for text in lines:
            follower.line(text)
        if last:
            break
        now = time.monotonic()
        if follower.leaving or now - looked > 0.5:
            follower.look()
            looked = now
        time.sleep(0.01)
    follower.end()
    return 1 if follower.unfound else 0


def dump(args, image):
    mem = os.open(args.mem, os.O_RDONLY)
    found = [k for k in kernels(mem, image) if args.boot in (None, k.boot)]
    if not found:
        sys.exit(f"coverage: error: no kernel of {args.map} with its counters is in {args.mem}")
    kernel = max(found, key=lambda k: k.boot)
    kernel.save(args.out, "once")
    print(f"boot {kernel.boot} at 0x{kernel.base:x}: {len(kernel.objects)} objects, "
          f"{len(kernel.counters)} counters")
    return 0


def main():
    parser = argparse.ArgumentParser(description="Reads gcov's counters out of a machine's memory.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in (("follow", "take the counters of each kernel of a run"),
                       ("dump", "take those of one kernel now, the last one by default")):
        sub = commands.add_parser(name, help=what)
        sub.add_argument("--mem", required=True, help="the machine's RAM, file offset = address")
        sub.add_argument("--map", required=True, help="its System.map, bzImage is beside it")
        if name == "follow":
            sub.add_argument("--console", required=True, help="log of the console, while it grows")
            sub.add_argument("--out", required=True, help="folder for boot-N.json")
            sub.add_argument("--until-pid", required=True, type=int, metavar="PID",
                             help="QEMU's: the end is when it is gone, or at SIGTERM")
        else:
            sub.add_argument("--boot", type=int, help="the one with this hil.boot=")
            sub.add_argument("--out", required=True, help="file to write")
    args = parser.parse_args()
    try:
        image = Image(args.map)
    except Uncounted as e:
        # a scenario may well start with another kernel; then there is nothing to follow
        print(f"coverage: {e}", file=sys.stderr)
        return args.command == "dump"
    return {"follow": follow, "dump": dump}[args.command](args, image)


if __name__ == "__main__":
    sys.exit(main())
