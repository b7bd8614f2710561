# SPDX-License-Identifier: GPL-2.0-only
"""What the machines have in common: PCI functions, QEMU's models of them, and NICs."""
import re


def requester(rid):
    return "0000:%02x:%02x.%x" % (rid >> 8, rid >> 3 & 0x1f, rid & 7)


# A line of pci_cfg_write, and what it means: the same on every machine.
CONFIG_WRITE = (r"(.+) ([0-9a-f]{2}:[0-9a-f]{2}\.[0-7]) @(0x[0-9a-f]+) <- "
                r"(0x[0-9a-f]+)")


def config_write(device, bdf, offset, value):
    return "config_write", {"bdf": "0000:" + bdf, "device": device, "offset": int(offset, 16),
                            "value": int(value, 16)}


class PciMachine:
    # By QEMU's name of the model, which is what the trace has.
    BRIDGES = {"pcie-root-port", "ioh3420", "x3130-upstream", "xio3130-downstream",
               "pcie-pci-bridge", "pci-bridge", "i82801b11-bridge"}
    # Where a model has its capabilities in configuration space (QEMU: hw/net/igb.c,
    # hw/usb/hcd-xhci-pci.c, hw/virtio/virtio-pci.c).
    CAPABILITIES = {
        "igb": {"pm": 0x40, "msix": 0x70, "pcie": 0xa0, "sriov": 0x160},
        "edu": {},  # MSI alone
        "qemu-xhci": {"msix": 0x90, "pcie": 0xa0},
        "virtio-rng-pci": {"pcie": 0x40, "pm": 0x7c},
    }

    requester = staticmethod(requester)

    # What a later kernel is smaller by than the first one, at least and at most; see judge/rules.py.
    HANDOVER_KIB = None
    # Where KHO puts the next kernel, unless a scenario says so.
    SCRATCH = "16M,256M,64M"

    @staticmethod
    def keeps_id(did):  # pylint: disable=unused-argument
        """Does this domain id stay with a requester while its tables change?"""
        return False

    def firmware(self, scenario):  # pylint: disable=unused-argument
        """Name and bytes of ACPI tables that replace QEMU's own."""
        return {}

    @staticmethod
    def rid(bdf):
        """Requester id of a device: '0000:01:00.0' -> 0x100."""
        match = re.fullmatch(r"0000:([0-9a-f]{2}):([01][0-9a-f])\.([0-7])", bdf)
        if not match:
            raise ValueError("'%s': this machine has devices 0000:BB:DD.F" % bdf)
        bus, device, function = (int(part, 16) for part in match.groups())
        return bus << 8 | device << 3 | function

    @staticmethod
    def memory(scenario, paths, base):
        """RAM that is a shared file. Where RAM begins at `base` so does the file: what is at an
        address is at that offset, and nobody who reads the file needs to know.
        """
        memory = scenario["MEMORY"]
        return ["-m", memory, "-object",
                "memory-backend-file,id=ram,size=%sM,mem-path=%s,share=on%s" %
                (memory, paths["mem"], ",offset=%d" % base if base else "")]

    def watched(self, scenario, paths):
        """Where the machine can be watched: console, monitor, log."""
        work = paths["work"]
        words = scenario["DEVICES"].split() + [
            "-chardev", "file,id=serial,path=%s/serial" % work,
            "-serial", "chardev:serial", "-qmp", "unix:%s/qmp,server=on,wait=off" % work,
            "-D", paths["trace"]]
        return words + [word for event in self.TRACE_EVENTS for word in ("-trace", event)]

    def nics(self, scenario, work):
        """NICs behind root ports of the root bus, on it, or on high buses."""
        topology = scenario["TOPOLOGY"]
        words = []
        if topology == "high":
            words += self.HIGH
        for i in range(int(scenario["NICS"])):
            words += ["-netdev", "dgram,id=net%d,local.type=unix,local.path=%s/qemu%d,"
                      "remote.type=unix,remote.path=%s/observer%d" % (i, work, i, work, i)]
            if topology == "root":
                place = "pcie.0,addr=%#x" % (5 + i)
            elif topology in ("port", "high"):
                place = "rp%d" % i
                words += ["-device", "pcie-root-port,id=rp%d,bus=%s,chassis=%d,slot=%d" %
                          (i, self.HIGH_BUS if topology == "high" else "pcie.0", i, i)]
            else:
                raise ValueError("TOPOLOGY=%s: port, root or high" % topology)
            words += ["-device", "igb,bus=%s,netdev=net%d" % (place, i)]
        return words
