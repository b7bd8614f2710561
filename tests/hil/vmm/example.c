// SPDX-License-Identifier: GPL-2.0-only
/*
 * A live update in a straight line: what a VMM with one passthrough device calls before the
 * kexec and after it. docs/vmm.md shows this file; nothing of it is about testing.
 *
 *	example BDF		old kernel; the next one must run "example --after BDF"
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vmm.h"

#define RAM_SIZE	(256ull << 20)
#define SESSION		"vm-1"

/* Says which step failed, and is true then. The kernel's log says why. */
static bool failed(const char *step, int ret)
{
	if (ret)
		fprintf(stderr, "%s: %s\n", step, strerror(-ret));
	return ret;
}

/* Guest RAM at its IO addresses, and page tables of it. The same on both sides of the kexec. */
static int map_all(struct vmm_dev *dev, struct vmm_space *space, const struct vmm_ram *ram)
{
	int ret = vmm_map(space, ram, 0, ram->size, VMM_IOVA, true);

	return ret ?: vmm_hwpt_alloc(dev);
}

static int before(const char *bdf)
{
	struct vmm_luo luo = { .fd = -1, .session = -1 };
	struct vmm_dev dev = { .fd = -1 };
	struct vmm_space space;
	struct vmm_ram ram;

	/* The VM starts, as it always does: the device is attached to tables of guest RAM. */
	if (failed("guest RAM", vmm_ram_create(&ram, RAM_SIZE)) ||
	    failed("open", vmm_dev_open(&dev, bdf)) ||
	    failed("address space", vmm_space_create(&space)) ||
	    failed("bind", vmm_dev_bind(&dev, &space)) ||
	    failed("bus mastering", vmm_bus_master(&dev)) ||
	    failed("map", map_all(&dev, &space, &ram)) ||
	    failed("attach", vmm_attach(&dev, space.hwpts[0])))
		return 1;

	/* It runs. Now the host gets a new kernel: load it while nothing is in a hurry. */
	if (failed("load", vmm_kexec_load(1, "")))
		return 1;

	/*
	 * First the memory, then the device that reaches it, in one session. What can be refused is
	 * refused here, and the VM runs on. From here the map is locked.
	 */
	if (failed("session", vmm_session_create(&luo, SESSION)) ||
	    failed("preserve RAM", vmm_preserve(&luo, ram.fd, VMM_TOKEN_RAM)) ||
	    failed("preserve device", vmm_preserve(&luo, dev.fd, VMM_TOKEN_DEV)))
		return 1;

	/* Stop the vCPUs, put their state into guest RAM, and jump. The device does not stop. */
	failed("kexec", vmm_kexec_jump());
	/* Only after a failure: all is as before. Closing the session unlocks the map. */
	vmm_session_close(&luo);
	return 1;
}

static int after(void)
{
	struct vmm_luo luo = { .fd = -1, .session = -1 };
	struct vmm_dev dev = { .fd = -1 };
	struct vmm_space space;
	struct vmm_ram ram;

	/*
	 * The device is running, on the frozen tables. Nobody else can take it, and nothing is
	 * urgent.
	 */
	if (failed("session", vmm_session_retrieve(&luo, SESSION)))
		return 1;
	ram.fd = vmm_retrieve(&luo, VMM_TOKEN_RAM);
	dev.fd = vmm_retrieve(&luo, VMM_TOKEN_DEV);
	if (ram.fd < 0 || dev.fd < 0)
		return failed("retrieve", ram.fd < 0 ? ram.fd : dev.fd);

	/*
	 * No reset and no bus mastering: nothing touches the device until the attach, the
	 * replace.
	 */
	if (failed("guest RAM", vmm_ram_mmap(&ram)) ||
	    failed("address space", vmm_space_create(&space)) ||
	    failed("bind", vmm_dev_bind(&dev, &space)) ||
	    failed("map", map_all(&dev, &space, &ram)) ||
	    failed("replace", vmm_attach(&dev, space.hwpts[0])))
		return 1;

	/* The frozen tables are freed; map, unmap and the next update work as ever. */
	return failed("finish", vmm_finish(&luo)) || failed("close", vmm_session_close(&luo));
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--after"))
		return after();
	if (argc == 2)
		return before(argv[1]);
	fprintf(stderr, "Usage: example BDF | example --after BDF\n");
	return 2;
}
