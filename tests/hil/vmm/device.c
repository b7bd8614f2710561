// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands for a VMM's everyday calls: guest RAM, devices, IO address spaces, maps, attach.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "guest.h"
#include "igb.h"
#include "receive.h"
#include "script.h"

/* ram MIB [anonymous | devices N]: each of N devices gets an equal share, of 2 unless told */
int cmd_ram(int argc, char **argv)
{
	uint64_t size = argc ? strtoull(argv[0], NULL, 0) << 20 : 0;
	int ret;

	if (argc == 2 && !strcmp(argv[1], "anonymous"))
		return provoke_ram_anonymous(&guest.files[GUEST_RAM].ram, size);
	if (argc == 3 && !strcmp(argv[1], "devices")) {
		guest.shares = atoi(argv[2]);
		if (guest.shares < 1 || guest.shares > VMM_MAX_DEVS)
			return -EINVAL;
	} else if (argc != 1) {
		return -EINVAL;
	}
	ret = vmm_ram_create(&guest.files[GUEST_RAM].ram, size);
	return ret ?: guest_remember();
}

/* dev N: the device that the next commands are about */
int cmd_dev(int argc, char **argv)
{
	if (argc != 1 || atoi(argv[0]) < 0 || atoi(argv[0]) >= VMM_MAX_DEVS)
		return -EINVAL;
	guest.cur = atoi(argv[0]);
	return 0;
}

/* bind BDF DRIVER */
int cmd_bind(int argc, char **argv)
{
	return argc == 2 ? vmm_driver_bind(argv[0], argv[1]) : -EINVAL;
}

/*
 * open BDF [with N | no-master | bare]: in an IO address space of its own, or in that of device N;
 * bare: with no DMA and perhaps no registers, it is no NIC
 */
int cmd_open(int argc, char **argv)
{
	bool with = argc == 3 && !strcmp(argv[1], "with");
	bool bare = argc == 2 && !strcmp(argv[1], "bare");
	bool no_master = bare || (argc == 2 && !strcmp(argv[1], "no-master"));
	struct guest_dev *dev = guest_dev();
	int ret;

	if (argc != 1 && !with && !no_master)
		return -EINVAL;
	if (strlen(argv[0]) >= sizeof(dev->bdf))
		return -EINVAL;
	if (dev->state != GUEST_NONE)
		return -EALREADY;
	ret = vmm_dev_open(&dev->vmm, argv[0]);
	if (ret)
		return ret;
	strcpy(dev->bdf, argv[0]);
	ret = guest_bind(with ? argv[2] : NULL);
	if (!ret && !no_master)
		ret = vmm_bus_master(&dev->vmm);
	if (!ret && vmm_bar0_mmap(&dev->vmm) && !bare)
		ret = -EIO;
	if (ret) {
		vmm_dev_close(&dev->vmm);
		return ret;
	}
	dev->state = GUEST_BLOCKED;
	return 0;
}

/* bus-master: the guest lets its device do DMA; VFIO hands it over without */
int cmd_bus_master(int argc, char **argv)
{
	(void)argv;
	return argc ? -EINVAL : vmm_bus_master(&guest_dev()->vmm);
}

/* close-dev: as when the VMM dies, for the one device */
int cmd_close_dev(int argc, char **argv)
{
	struct guest_dev *dev = guest_dev();
	int ret;

	(void)argv;
	if (argc)
		return -EINVAL;
	ret = vmm_dev_close(&dev->vmm);
	if (ret)
		return ret;
	dev->state = GUEST_NONE;
	box_mark("closed");
	return 0;
}

/* A piece of the current device's share, from one place in it to where another one should be. */
static int map_range(uint64_t from, uint64_t to, uint64_t source, bool writeable)
{
	if (from == to)
		return 0;
	return guest_map(GUEST_RAM, guest_share_offset() + source, to - from,
			 guest_share_iova() + from, writeable);
}

/* One receive buffer read-only. */
static int map_readonly(uint64_t size, uint64_t at)
{
	int ret = map_range(0, at, 0, true);

	if (!ret)
		ret = map_range(at, at + HIL_PAGE, at, false);
	return ret ?: map_range(at + HIL_PAGE, size, at + HIL_PAGE, true);
}

/* Two receive buffers exchanged. */
static int map_swapped(uint64_t size, uint64_t a, uint64_t b)
{
	int ret;

	if (a >= b || b >= size)
		return -EINVAL;
	ret = map_range(0, a, 0, true);
	if (!ret)
		ret = map_range(a, a + HIL_PAGE, b, true);
	if (!ret)
		ret = map_range(a + HIL_PAGE, b, a + HIL_PAGE, true);
	if (!ret)
		ret = map_range(b, b + HIL_PAGE, a, true);
	return ret ?: map_range(b + HIL_PAGE, size, b + HIL_PAGE, true);
}

/*
 * A map of its own for each of the first @count receive buffers: only whole maps can be taken
 * back.
 */
static int map_split(uint64_t size, uint64_t count)
{
	uint64_t at = IGB_BUFFERS_OFFSET, end = at + count * HIL_PAGE;
	int ret;

	if (!count || end > size)
		return -EINVAL;
	ret = map_range(0, at, 0, true);
	for (; !ret && at < end; at += HIL_PAGE)
		ret = map_range(at, at + HIL_PAGE, at, true);
	return ret ?: map_range(end, size, end, true);
}

/*
 * All of guest RAM, again and again, each a page off what a large leaf could be used for: much to
 * encode.
 */
static int map_copies(unsigned long n)
{
	uint64_t size = guest.files[GUEST_RAM].ram.size;
	uint64_t iova = VMM_IOVA + (4ull << 30) + HIL_PAGE;
	int ret = n ? 0 : -EINVAL;

	for (; !ret && n--; iova += size)
		ret = guest_map(GUEST_RAM, 0, size, iova, true);
	return ret;
}

/* Memory of the device's own: a session that does not keep guest RAM can keep it. */
static int map_spare(uint64_t size)
{
	struct vmm_ram *spare = &guest.files[GUEST_SPARE + guest.cur].ram;
	int ret = spare->size ? -EALREADY : vmm_ram_create(spare, size);

	return ret ?: guest_map(GUEST_SPARE + guest.cur, 0, size, guest_share_iova(), true);
}

static uint64_t buffer_at(const char *number)
{
	return IGB_BUFFERS_OFFSET + strtoull(number, NULL, 0) * HIL_PAGE;
}

/*
 * map [shared | copies N | split [COUNT] | spare MIB | --swap-buffers I J | --readonly-buffer I]:
 * the device's share of guest RAM, or all of it when the space is shared, or was. split is for
 * remap, its COUNT is that of the ring if not told; spare is no guest RAM but new memory, for a
 * device that receives nothing. The last two make a wrong map: two receive buffers exchanged, or
 * one that the device may only read.
 */
int cmd_map(int argc, char **argv)
{
	uint64_t size = guest_share_size();
	int ret = -EINVAL;

	if (argc == 1 && !strcmp(argv[0], "shared")) {
		guest_space()->was_shared = true;
		argc = 0;
	}
	if (!argc && guest_space_shared())
		ret = guest_map(GUEST_RAM, 0, guest.files[GUEST_RAM].ram.size, VMM_IOVA, true);
	else if (!argc)
		ret = map_range(0, size, 0, true);
	else if (argc == 2 && !strcmp(argv[0], "copies"))
		ret = map_copies(strtoul(argv[1], NULL, 0));
	else if (guest_space_shared())
		ret = -EOPNOTSUPP;
	else if (argc <= 2 && !strcmp(argv[0], "split"))
		ret = map_split(size, argc == 2 ? strtoull(argv[1], NULL, 0) : receive_count());
	else if (argc == 2 && !strcmp(argv[0], "spare"))
		ret = map_spare(strtoull(argv[1], NULL, 0) << 20);
	else if (argc == 2 && !strcmp(argv[0], "--readonly-buffer"))
		ret = map_readonly(size, buffer_at(argv[1]));
	else if (argc == 3 && !strcmp(argv[0], "--swap-buffers"))
		ret = map_swapped(size, buffer_at(argv[1]), buffer_at(argv[2]));
	if (!ret)
		box_mark_active("mapped");
	return ret;
}

/* unmap: everything in the space */
int cmd_unmap(int argc, char **argv)
{
	int ret;

	(void)argv;
	if (argc)
		return -EINVAL;
	ret = guest_unmap(0, UINT64_MAX);
	if (!ret)
		box_mark_active("unmapped");
	return ret;
}

/* Where mapunmap tries: above guest RAM, below what map-random uses. */
static uint64_t try_iova(void)
{
	return VMM_IOVA + guest.files[GUEST_RAM].ram.size + (1ull << 30);
}

/* mapunmap: one more map, and away with it: the domain is a normal one */
int cmd_mapunmap(int argc, char **argv)
{
	int ret;

	(void)argv;
	if (argc)
		return -EINVAL;
	ret = guest_map(GUEST_RAM, guest_share_offset(), 4 * HIL_PAGE, try_iova(), true);
	if (ret)
		return ret;
	box_mark_active("mapped");
	ret = guest_unmap(try_iova(), 4 * HIL_PAGE);
	if (!ret)
		box_mark_active("unmapped");
	return ret;
}

/* device_mapunmap() - the same without marks, for what goes on in parallel. */
int device_mapunmap(void)
{
	int ret = guest_map(GUEST_RAM, guest_share_offset(), 4 * HIL_PAGE, try_iova(), true);

	return ret ?: guest_unmap(try_iova(), 4 * HIL_PAGE);
}

/* hwpt [N] */
int cmd_hwpt(int argc, char **argv)
{
	int n = argc ? atoi(argv[0]) : 1;
	int ret = 0;

	if (argc > 1 || n < 1)
		return -EINVAL;
	if (guest_dev()->state == GUEST_NONE)
		return -ENODEV;
	while (!ret && n--)
		ret = vmm_hwpt_alloc(&guest_dev()->vmm);
	return ret;
}

/* attach hwpt [I] | ioas: after a kexec this is the replace */
int cmd_attach(int argc, char **argv)
{
	const struct vmm_space *space = &guest_space()->vmm;
	unsigned int i = argc == 2 ? atoi(argv[1]) : 0;
	uint32_t pt_id;
	int ret;

	if (argc >= 1 && argc <= 2 && !strcmp(argv[0], "hwpt") && i < space->nr_hwpts)
		pt_id = space->hwpts[i];
	else if (argc == 1 && !strcmp(argv[0], "ioas"))
		pt_id = space->ioas;
	else
		return -EINVAL;
	if (guest.boot) {
		box_mark("replace");
		say_phase("replace");
	}
	ret = vmm_attach(&guest_dev()->vmm, pt_id);
	if (guest.boot)
		say_phase(ret ? "retrieve" : "after");
	if (!ret) {
		guest_dev()->state = GUEST_LIVE;
		box_mark("attached");
	} else if (guest.boot) {
		box_mark("attach-refused");
	}
	return ret;
}

int cmd_detach(int argc, char **argv)
{
	int ret;

	(void)argv;
	if (argc)
		return -EINVAL;
	ret = vmm_detach(&guest_dev()->vmm);
	if (ret)
		return ret;
	guest_dev()->state = GUEST_BLOCKED;
	box_mark("detached");
	return 0;
}

int cmd_reset(int argc, char **argv)
{
	(void)argv;
	return argc ? -EINVAL : vmm_reset(&guest_dev()->vmm);
}

/* irqs on|off */
int cmd_irqs(int argc, char **argv)
{
	if (argc != 1 || (strcmp(argv[0], "on") && strcmp(argv[0], "off")))
		return -EINVAL;
	return vmm_irqs(&guest_dev()->vmm, !strcmp(argv[0], "on"));
}

/* switch N: N replaces between the first two HWPTs, under load */
int cmd_switch(int argc, char **argv)
{
	unsigned long i, n = argc == 1 ? strtoul(argv[0], NULL, 0) : 0;
	const struct vmm_space *space = &guest_space()->vmm;
	unsigned long first_loss = 0;
	int ret = 0;

	if (!n || space->nr_hwpts < 2)
		return -EINVAL;
	box_mark("switch");
	say_phase("switch");
	for (i = 1; i <= n && !ret; i++) {
		ret = vmm_attach(&guest_dev()->vmm, space->hwpts[i % 2]);
		if (receive_lost() && !first_loss)
			first_loss = i;
	}
	say_phase("after");
	box_mark("switched");
	if (!ret)
		say("switched count=%lu first_loss=%lu", n, first_loss);
	return ret;
}
