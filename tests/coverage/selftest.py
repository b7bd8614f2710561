#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of read.py and report.py without a kernel: memory made by hand, a program for gcov."""
import contextlib
import io
import json
import os
import struct
import subprocess
import sys
import tempfile

import read
import report

TEXT = 0xffffffff81000000
BASE = 10 * read.ALIGN
SIZE = 0x8000
AT = {"linux_banner": 0x100, "phys_base": 0x400, "saved_command_line": 0x408,
      "page_offset_base": 0x410, "gcov_info_head": 0x418}
BANNER = "Linux version 7.3.4-vtd-cov (root@vm) (gcc 12) #1 SMP Sat Nov 21"
OFFSET = 0xff11000000000000  # as with five levels of page tables
CMDLINE = 0x1000
INFO, FUNCTIONS, FN, NAME, VALUES = 0x1000, 0x1100, 0x1200, 0x1300, 0x1400


class Machine:
    """Memory with one kernel in it, which has one object of one function."""

    def __init__(self, work):
        self.image = os.path.join(work, "image")
        os.makedirs(self.image, exist_ok=True)
        self.map = os.path.join(self.image, "System.map")
        with open(self.map, "w") as f:
            for name, offset in {"_text": 0, "_end": SIZE, **AT}.items():
                f.write(f"{TEXT + offset:016x} D {name}\n")
        with open(os.path.join(self.image, "bzImage"), "wb") as f:
            f.write(bytes(0x20e) + struct.pack("<H", 0x300) + bytes(0x2f0) +
                    b"7.3.4-vtd-cov (root@vm) #1 SMP Sat Nov 21\0" + bytes(0x10000))
        self.fd = os.open(os.path.join(work, "mem"), os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.truncate(self.fd, 16 * read.ALIGN)
        self.kernel(BASE, 0, [1, 2])

    def put(self, base, offset, data):
        os.pwrite(self.fd, data, base + offset)

    def kernel(self, base, boot, counters, cmdline=CMDLINE):
        self.put(base, AT["linux_banner"], BANNER.encode() + b"\n\0")
        self.put(base, AT["phys_base"], struct.pack("<QQQQ", base - 0x1000000,
                             OFFSET + cmdline, OFFSET, TEXT + INFO))
        self.put(base, INFO, read.INFO.pack(0x4232322a, 0, 7, 8, TEXT + NAME, 1, *[0] * 7, 1,
                                            TEXT + FUNCTIONS))
        self.put(base, FUNCTIONS, struct.pack("<Q", TEXT + FN))
        self.put(base, FN, read.FN.pack(TEXT + INFO, 1, 2, 3) +
                 read.CTR.pack(len(counters), TEXT + VALUES))
        self.put(base, NAME, b"/x/drivers/iommu/freeze/iommu/t.gcda\0")
        self.put(base, VALUES, struct.pack(f"<{len(counters)}Q", *counters))
        os.pwrite(self.fd, f"console=ttyS0 hil.boot={boot} x\0".encode(), cmdline)

    def found(self, known=-1):
        return [(k.base, k.boot, k.counters)
                for k in read.kernels(self.fd, read.Image(self.map), known)]


def test_known(m, work):
    assert m.found(0) == []


def test_copy_that_never_ran(m, work):
    m.put(BASE, AT["phys_base"], bytes(8))
    assert m.found() == []


def test_another_build(m, work):
    m.put(BASE, AT["linux_banner"], BANNER.replace("21", "22").encode())
    assert m.found() == []


def test_before_constructors(m, work):
    m.put(BASE, AT["gcov_info_head"], bytes(8))
    assert m.found() == []


def test_pointer_outside(m, work):
    for offset in (INFO + 24, INFO + 8, FUNCTIONS, FN + 32):
        m.kernel(BASE, 0, [1, 2])
        m.put(BASE, offset, struct.pack("<Q", TEXT + SIZE))
        assert m.found() == [], hex(offset)


def test_other_gcc(m, work):
    m.put(BASE, INFO, struct.pack("<I", 0x4234332a))
    assert m.found() == []


def test_list_without_end(m, work):
    m.put(BASE, INFO + 8, struct.pack("<Q", TEXT + INFO))
    assert m.found() == []


def test_spoiled_later(m, work):
    kernel = next(read.kernels(m.fd, read.Image(m.map)))
    m.kernel(BASE, 0, [5, 2])
    kernel.update()
    for what, offset, data in (("backwards", VALUES, bytes(8)), ("changed", FN + 8, bytes(4)),
                               ("empty", AT["gcov_info_head"], bytes(8))):
        m.kernel(BASE, 0, [6, 2])
        m.put(BASE, offset, data)
        try:
            kernel.update()
            raise AssertionError(what)
        except read.Broken as e:
            assert what in str(e), e
        assert kernel.counters == [5, 2]


def follower(m, work):
    return read.Follower(m.fd, read.Image(m.map), work)


def saved(work, boot):
    with open(os.path.join(work, f"boot-{boot}.json")) as f:
        dump = json.load(f)
    return dump["read"], dump["objects"][0]["functions"][0][3][0][1]


def test_run(m, work):
    f = follower(m, work)
    f.line(f"    0.1000 [    0.000000] {BANNER}")
    f.look()
    m.kernel(BASE, 0, [9, 2])
    f.line("    9.0000 early console in extract_kernel")
    # the old one is still there, whole, and must not be taken for the new one
    f.line(f"    9.1000 [    0.000000] {BANNER}")
    f.look()
    assert f.searching
    m.kernel(12 * read.ALIGN, 1, [3, 3], CMDLINE + 0x800)
    f.look()
    f.end()
    assert saved(work, 0) == ("after the jump", [9, 2])
    assert saved(work, 1) == ("at the end", [3, 3])
    assert (f.seen, f.unfound) == (2, 0)


def test_loaded_over(m, work):
    f = follower(m, work)
    f.line(f"    0.1000 [    0.000000] {BANNER}")
    f.look()
    m.kernel(BASE, 0, [9, 2])
    f.line("    9.0000 [    8.000000] kexec_core: Starting new kernel")
    m.put(BASE, 0, bytes(SIZE))
    f.line("    9.0000 early console in extract_kernel")
    assert saved(work, 0) == ("before the jump", [9, 2])


def test_not_found(m, work):
    f = follower(m, work)
    m.put(BASE, AT["gcov_info_head"], bytes(8))
    f.line(f"    0.1000 [    0.000000] {BANNER}")
    f.end()
    assert f.unfound == 1


def test_other_kernel(m, work):
    f = follower(m, work)
    f.line("    0.1000 [    0.000000] " + BANNER.replace("vtd-cov", "stock"))
    f.end()
    assert (f.seen, f.unfound) == (0, 0)


PROGRAM = """int never(int x)
{
	if (x)
		return 1;
	return 0;
}

static const char *
on_its_own(int x)
{
	return x ? "a" : "b";
}

int main(int argc, char **argv)
{
	for (int i = 0; i < 10; i++)
		argv[0][0] += i;
	return argc > 5 ? never(argc) + *on_its_own(argc) : 0;
}
"""


def gcda(path):
    """What libgcov wrote, as read.py would have read it."""
    with open(path, "rb") as f:
        data = f.read()
    _, version, stamp, checksum = struct.unpack_from("<4I", data)
    at = 16
    functions = []
    while at + 8 <= len(data):
        tag, length = struct.unpack_from("<Ii", data, at)
        at += 8
        if tag == report.TAG_FUNCTION and length:
            functions.append([*struct.unpack_from("<3I", data, at), []])
        elif tag == report.TAG_COUNTERS:
            # a length below 0 stands for that many bytes that are 0
            count = abs(length) // 8
            values = struct.unpack_from(f"<{count}Q", data, at) if length > 0 else [0] * count
            functions[-1][3].append([0, list(values)])
        at += max(length, 0)
    return {"filename": "/x/" + report.TREE + "iommu/t.gcda", "version": version, "stamp": stamp,
            "checksum": checksum, "functions": functions}


def test_report(m, work):
    tree = os.path.join(work, report.TREE, "iommu")
    kept = os.path.join(m.image, "gcno", report.TREE, "iommu")
    os.makedirs(tree)
    os.makedirs(kept)
    for folder in (tree, kept):
        with open(os.path.join(folder, "t.c"), "w") as f:
            f.write(PROGRAM)
    subprocess.run(["gcc", "-O0", "--coverage", "-c", "-o", os.path.join(kept, "t.o"),
                    os.path.join(tree, "t.c")], check=True)
    subprocess.run(["gcc", "--coverage", "-o", os.path.join(work, "t"), os.path.join(kept, "t.o")],
                   check=True)
    subprocess.run([os.path.join(work, "t")], check=True)
    obj = gcda(os.path.join(kept, "t.gcda"))
    for boot in range(2):
        os.makedirs(os.path.join(work, "dumps", str(boot)))
        with open(os.path.join(work, "dumps", str(boot), f"boot-{boot}.json"), "w") as f:
            json.dump({"build": "1", "objects": [obj]}, f)
    sys.argv = ["report.py", os.path.join(work, "dumps"), "--image", m.image, "--out", work]
    with contextlib.redirect_stdout(io.StringIO()) as text:
        assert report.main() == 0
    with open(os.path.join(work, "lines.json")) as f:
        told = json.load(f)
    found = told["files"]["iommu/t.c"]
    assert f"2 kernels ran, commit {told['commit']}.\n" in text.getvalue(), text.getvalue()
    assert found["unreached"] == [[1, 3, 4, 5], [9, 11]], found
    assert found["counts"]["14"] == 2 and found["counts"]["17"] == 20, found
    assert "iommu/t.c:1-5 never()\n     1  int never(int x)\n" in text.getvalue(), text.getvalue()
    assert "iommu/t.c:9-11 on_its_own()\n" in text.getvalue(), text.getvalue()
    sys.argv += ["--least", "85"]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        assert report.main() == 1
    # counters of another build are no counters of this one
    with open(os.path.join(work, "dumps", "1", "boot-1.json"), "w") as f:
        json.dump({"build": "2", "objects": [obj]}, f)
    try:
        report.main()
        raise AssertionError("another build")
    except SystemExit as e:
        assert "remove the older ones" in str(e), e


def main():
    tests = [(name[5:], test) for name, test in globals().items() if name.startswith("test_")]
    failed = 0
    print(f"1..{len(tests)}")
    for i, (name, test) in enumerate(tests, 1):
        with tempfile.TemporaryDirectory() as work:
            try:
                with contextlib.redirect_stderr(io.StringIO()):
                    machine = Machine(work)
                    # what a test then spoils was good before
                    assert machine.found() == [(BASE, 0, [1, 2])]
                    test(machine, work)
                print(f"ok {i} - {name}")
            except Exception as e:
                failed += 1
                print(f"not ok {i} - {name}\n# {type(e).__name__}: {e}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
