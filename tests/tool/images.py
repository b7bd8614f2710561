#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes images of kernels for the tests of target_read().

images.py DIR writes them to DIR and prints one line for each: name, exit code
and what the line on stdout (0) or stderr has to match, with tabs between. What
is compressed by a program that is not here is left out, with a line that has
"skip" for the exit code. Standard library only.
"""
import bz2
import gzip
import lzma
import pathlib
import shutil
import struct
import subprocess
import sys

OUT = pathlib.Path(sys.argv[1])
ROOM = 0x1234000
GIB = 1 << 30


def note(oldest=1, newest=1, kind=1, name=b"IOMMU-FREEZE\0", descsz=12, flags=6):
    return struct.pack("<III16sIII", len(name), descsz, kind, name, oldest, newest, flags)


def noise(size):
    """What does not shrink; the same in every run."""
    out, x = bytearray(), 1
    while len(out) < size:
        x = x * 6364136223846793005 + 1442695040888963407 & 2**64 - 1
        out += struct.pack("<Q", x)
    return bytes(out[:size])


def body(size, *notes):
    """size bytes with a note at each (offset, note)"""
    data = bytearray(noise(size))
    for at, text in notes:
        data[at:at + len(text)] = text
    return bytes(data)


def vmlinux(data, vaddr=0xffffffff81000000, filesz=None, phnum=1):
    """An ELF file with one segment, data, at offset 4096."""
    head = b"\x7fELF\2\1\1" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", 2, 62, 1, vaddr, 64, 0, 0, 64, 56, phnum, 64, 0, 0)
    size = len(data) if filesz is None else filesz
    head += struct.pack("<IIQQQQQQ", 1, 5, 4096, vaddr, vaddr, size, size, 4096)
    return head.ljust(4096, b"\0") + data


def arm64(data, room=ROOM, pe=True, raw=None):
    """An arm64 Image, with or without a PE header whose only section is data."""
    head = b"MZ\0\x91" if pe else bytes(4)
    head += bytes(4) + struct.pack("<QQQ", 0, room, 10) + bytes(24) + b"ARM\x64"
    head += struct.pack("<I", 64 if pe else 0)
    if pe:
        head += b"PE\0\0" + struct.pack("<HHIIIHH", 0xaa64, 1, 0, 0, 0, 16, 0) + bytes(16)
        size = len(data) if raw is None else raw
        head += b".text\0\0\0" + struct.pack("<IIII", size, 4096, size, 4096) + bytes(16)
    return head.ljust(4096, b"\0") + data


def sized(packed, data):
    """The size that the kernel's build puts behind all but gzip"""
    return packed + struct.pack("<I", len(data))


def bzimage(payload, sects=3, version=0x20f, offset=0x300, length=None, cut=0, room=ROOM):
    setup = bytearray(((sects or 4) + 1) * 512)
    kernel = bytes(offset) + payload + bytes(-len(payload) % 16 + 512)
    setup[0x1f1] = sects
    setup[0x1f4:0x1f8] = struct.pack("<I", len(kernel) // 16)
    setup[0x200:0x208] = b"\xeb\x6aHdrS" + struct.pack("<H", version)
    setup[0x248:0x250] = struct.pack("<II", offset, len(payload) if length is None else length)
    setup[0x260:0x264] = struct.pack("<I", room)
    image = bytes(setup) + kernel
    return image[:len(image) - cut]


def zboot(payload, kind, size=None):
    head = b"MZ\0\0zimg" + struct.pack("<II", 64, len(payload) if size is None else size)
    return (head + bytes(8) + kind).ljust(64, b"\0") + payload


def filtered(*command):
    """A program that packs, None when it is not here."""
    if not shutil.which(command[0]):
        return None
    return lambda data: subprocess.run(command, input=data, stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, check=True).stdout


def xz_kernel(data):
    """As the kernel's xz_wrap.sh does for x86"""
    return lzma.compress(data, check=lzma.CHECK_CRC32, filters=[
        {"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}])


PACK = {
    "gz": lambda data: gzip.compress(data, mtime=0),
    "bz2": bz2.compress,
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
    "xz": xz_kernel,
    "lz4": filtered("lz4", "-q", "-l", "-9", "-", "-"),
    "lz4frame": filtered("lz4", "-q", "-9", "-", "-"),
    "zst": filtered("zstd", "-q", "-19"),
}


def emit(name, data, code, want):
    if data is not None:
        (OUT / name).write_bytes(data)
    print(name, code, want, sep="\t")


def found(kind, oldest=1, newest=1, room=ROOM, flags=6):
    return f"^{kind} supported=1 versions={oldest}-{newest} flags={flags} room={room}$"


def lacking(kind, room=ROOM):
    return f"^{kind} supported=0 versions=0-0 flags=0 room={room}$"


def good(kernel):
    for name, pack in PACK.items():
        for image, make, kind in (("bz", lambda p: bzimage(p), "bzImage"),
                                  ("vmlinux", lambda p: p, "vmlinux")):
            full = f"{image}-{name}"
            if pack is None:
                emit(full, None, "skip", f"no program for {name}")
                continue
            packed = pack(kernel)
            if image == "bz" and name != "gz":
                packed = sized(packed, kernel)
            emit(full, make(packed), 0, found(kind, room=ROOM if image == "bz" else 0))


def main():
    text = body(300000, (150000, note()))
    kernel = vmlinux(text)
    gz = PACK["gz"](kernel)
    plain = vmlinux(body(300000))
    # small, as the fuzzer begins with these
    good(vmlinux(body(9000, (4096, note()))))

    # bzImage
    emit("bz-none", bzimage(kernel), 0, found("bzImage"))
    emit("bz-sects0", bzimage(gz, sects=0), 0, found("bzImage"))
    emit("bz-208", bzimage(gz, version=0x208), 0, found("bzImage", room=0))
    emit("bz-207", bzimage(gz, version=0x207), 1, r"boot protocol 2\.07 tells not")
    emit("bz-lacking", bzimage(PACK["gz"](plain)), 0, lacking("bzImage"))
    emit("bz-1-3", bzimage(PACK["gz"](vmlinux(body(9000, (4096, note(1, 3)))))), 0, found("bzImage", 1, 3))
    emit("bz-2-2", bzimage(PACK["gz"](vmlinux(body(9000, (4096, note(2, 2)))))), 0, found("bzImage", 2, 2))
    emit("bz-cut", bzimage(gz, cut=600), 1, "cut off: .* bytes are there")
    emit("bz-cut-behind", bzimage(gz, cut=16), 1, "cut off: .* bytes are there")
    emit("bz-too-long", bzimage(gz, length=0xffffffff), 1, "cut off: .* of 42949.* bytes are there")
    emit("bz-too-far", bzimage(gz)[:0x248] + b"\xff" * 4 + bzimage(gz)[0x24c:], 1, "cut off: .* bytes are there")
    emit("bz-no-payload", bzimage(gz, length=0), 1, "names no payload")
    emit("bz-gz-cut", bzimage(gz, length=len(gz) // 2), 1, "cut off or broken|cannot unpack")
    for name in ("xz", "bz2", "lzma", "lz4", "zst"):
        if PACK[name] is None:
            emit(f"bz-{name}-cut", None, "skip", f"no program for {name}")
            continue
        packed = PACK[name](kernel)
        emit(f"bz-{name}-cut", bzimage(sized(packed[:len(packed) // 2], kernel)), 1,
             "cut off or broken|cannot unpack")
    emit("bz-size-lies", bzimage(sized(PACK["xz"](kernel), kernel + b"x")), 1, "cut off or broken")
    emit("bz-garbage", bzimage(noise(5000)), 1, "not packed in a way known here")
    emit("bz-gz-garbage", bzimage(b"\x1f\x8b\x08\0" + noise(5000)), 1, "cannot unpack it .gzip.")
    emit("bz-xz-garbage", bzimage(PACK["xz"](kernel)[:64] + noise(5000)), 1, "cannot unpack it .xz.")
    # libarchive may be one without lzo: whatever it says, nothing was looked at
    emit("bz-lzo", bzimage(b"\x89LZO\0\r\n\x1a\n" + noise(5000)), 1, "cannot unpack it")
    emit("lzma-memory", b"\x5d\0\0\xff\xff" + bytes(8) + noise(100), 1, "needs more than 1 GiB")
    emit("bz-no-elf", bzimage(PACK["gz"](noise(5000))), 1, "not packed in a way known here")
    emit("bz-header-cut", bzimage(gz)[:0x210], 1, "boot protocol|cut off|no payload")

    # the note
    def at(where, text=None):
        return vmlinux(body(300000, (where, text or note())))
    # 65536 bytes are read at a time, and the text begins at 4096
    for off in (-40, -36, -32, -16, -4, 0):
        emit(f"note-at-chunk{off}", at(65536 - 4096 + off), 0, found("vmlinux", room=0))
    emit("note-last", at(300000 - 40), 0, found("vmlinux", room=0))
    emit("note-cut", at(300000 - 39, note()[:39]), 0, lacking("vmlinux", 0))
    for off in (1, 2, 3):
        emit(f"note-off-{off}", at(150000 + off), 0, lacking("vmlinux", 0))
    emit("note-other-type", at(150000, note(kind=2)), 0, lacking("vmlinux", 0))
    emit("note-other-name", at(150000, note(name=b"IOMMU-FREEZX\0")), 0, lacking("vmlinux", 0))
    emit("note-short-desc", at(150000, note(descsz=8)), 0, lacking("vmlinux", 0))
    for size in (16, 20):
        emit(f"note-desc-{size}", at(150000, note(1, 2, descsz=size, flags=1) + bytes(size - 12)), 0,
             found("vmlinux", 1, 2, 0, 1))
    emit("note-other-first", vmlinux(body(300000, (100, note(kind=2)), (150000, note(2, 4)))), 0,
         found("vmlinux", 2, 4, 0))
    emit("note-twice", vmlinux(body(300000, (100, note(2, 3)), (150000, note(7, 9)))), 0,
         found("vmlinux", 2, 3, 0))
    emit("note-backwards", at(150000, note(3, 2)), 1, "broken: says that it reads handover versions 3 to 2")

    # vmlinux
    emit("vmlinux", kernel, 0, found("vmlinux", room=0))
    emit("vmlinux-lacking", plain, 0, lacking("vmlinux", 0))
    emit("vmlinux-cut", kernel[:200000], 1, "cut off: 200000 of 304096 bytes are there")
    emit("vmlinux-gz-cut", gz[:len(gz) // 2], 1, "cannot unpack it .gzip.")
    emit("vmlinux-hostile", vmlinux(text, filesz=2**64 - 1), 1, "cut off: 304096 of 18446744073709551615")
    emit("vmlinux-phnum", vmlinux(text, phnum=65535), 1, "not a kernel image")
    emit("vmlinux-gz-gz", PACK["gz"](gz), 1, "not a kernel image")
    emit("program", vmlinux(text, vaddr=0x400000), 1, "not a kernel image")

    # arm64
    emit("image", arm64(text), 0, found("Image"))
    emit("image-gz", PACK["gz"](arm64(text)), 0, found("Image"))
    emit("image-no-pe", arm64(text, pe=False), 0, found("Image"))
    emit("image-smmuv3", arm64(body(300000, (150000, note(flags=9)))), 0, found("Image", flags=9))
    emit("image-lacking", arm64(body(300000)), 0, lacking("Image"))
    emit("image-old", arm64(text, room=0), 0, found("Image", room=0))
    emit("image-cut", arm64(text)[:200000], 1, "cut off: 200000 of 304096 bytes are there")
    emit("image-hostile", arm64(text, raw=0xffffffff), 1, "cut off: 304096 of 4294971391")
    emit("image-header", arm64(text, pe=False)[:64], 0, lacking("Image"))
    emit("image-header-cut", arm64(text)[:63], 1, "not a kernel image")

    # EFI zboot
    packed = PACK["gz"](arm64(text))
    emit("zboot", zboot(packed, b"gzip"), 0, found("vmlinuz.efi"))
    emit("zboot-cut", zboot(packed, b"gzip")[:-1], 1, "cut off: .* bytes are there")
    emit("zboot-too-long", zboot(packed, b"gzip", size=0xffffffff), 1, "cut off: .* bytes are there")
    emit("zboot-other", zboot(noise(100), b"\x1b[31mzip\xff"), 1, r"cannot unpack it: .*\?\[31mzip\?")
    emit("zboot-vmlinux", zboot(gz, b"gzip"), 1, "not an arm64 Image")

    # no kernels, and no end
    emit("empty", b"", 1, "not a kernel image")
    emit("one", b"M", 1, "not a kernel image")
    emit("text", b"#!/bin/sh\n", 1, "not a kernel image")
    emit("noise", noise(100000), 1, "not a kernel image")
    emit("text-gz", PACK["gz"](b"text\n" * 100), 1, "not a kernel image")
    emit("empty-gz", PACK["gz"](b""), 1, "cannot unpack it .gzip.")
    bomb = gzip.compress(bytes(GIB // 8), 9, mtime=0)
    emit("bomb", gzip.compress(kernel, mtime=0) + bomb * 8, 1, "unpacks to more than 1 GiB")
    emit("bomb-bz", bzimage(gzip.compress(kernel, mtime=0) + bomb * 8), 1, "unpacks to more than 1 GiB")
    with open(OUT / "huge", "wb") as file:
        file.write(kernel)
        file.truncate(GIB + 1)
    emit("huge", None, 1, "more than 1 GiB: no kernel")


main()
