// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices, guest RAM and live domains for a test.
 *
 * Structure: a struct frz_scene for each test, with PCI functions on a bus of its own,
 * whose config space is memory. No list of the kernel knows of them: the code under
 * test gets them handed, and does to them what it does to any.
 *
 * Locking: none; there is one test at a time.
 *
 * Fails: setting it up, for lack of memory.
 */
#include <linux/gfp.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <uapi/linux/iommu-freeze.h>

#include "../walk.h"
#include "scene.h"

static struct frz_scene_dev *dev_at(struct pci_bus *bus, unsigned int devfn)
{
	struct frz_scene *s = container_of(bus, struct frz_scene, bus);
	unsigned int i;

	for (i = 0; i < FRZ_SCENE_DEVS; i++)
		if (s->dev[i].pdev.devfn == devfn)
			return &s->dev[i];
	return NULL;
}

static int config_read(struct pci_bus *bus, unsigned int devfn, int where,
		       int size, u32 *val)
{
	struct frz_scene_dev *dev = dev_at(bus, devfn);

	if (!dev || dev->gone || where / 4 >= ARRAY_SIZE(dev->config))
		return PCIBIOS_DEVICE_NOT_FOUND;
	*val = dev->config[where / 4] >> where % 4 * 8;
	if (size < 4)
		*val &= BIT(size * 8) - 1;
	return 0;
}

static int config_write(struct pci_bus *bus, unsigned int devfn, int where,
			int size, u32 val)
{
	struct frz_scene_dev *dev = dev_at(bus, devfn);
	u32 mask = size < 4 ? BIT(size * 8) - 1 : ~0U;

	if (!dev || dev->gone || where / 4 >= ARRAY_SIZE(dev->config))
		return PCIBIOS_DEVICE_NOT_FOUND;
	mask <<= where % 4 * 8;
	dev->config[where / 4] &= ~mask;
	dev->config[where / 4] |= val << where % 4 * 8 & mask;
	return 0;
}

static struct pci_ops config_ops = {
	.read = config_read,
	.write = config_write,
};

/* It lies in the scene, which outlives every reference that is given back. */
static void release_dev(struct device *dev)
{
}

static const char *const names[FRZ_SCENE_DEVS] = {
	"7e57:00:01.0", "7e57:00:02.0", "7e57:00:03.0",
};

static int init_dev(struct frz_scene *s, unsigned int i)
{
	struct frz_scene_dev *dev = &s->dev[i];
	struct pci_dev *pdev = &dev->pdev;
	struct iommu_group *group;

	pdev->bus = &s->bus;
	pdev->devfn = PCI_DEVFN(i + 1, 0);
	pdev->vendor = 0x8086;
	pdev->device = 0x10c9;
	pdev->hdr_type = PCI_HEADER_TYPE_NORMAL;
	pdev->error_state = pci_channel_io_normal;
	dev->config[PCI_VENDOR_ID / 4] = pdev->device << 16 | pdev->vendor;
	dev->config[PCI_COMMAND / 4] = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	dev->config[PCI_CLASS_REVISION / 4] = 0x02000001;
	dev->config[PCI_BASE_ADDRESS_0 / 4] = 0xfe000000 + i * SZ_64K;

	device_initialize(&pdev->dev);
	pdev->dev.bus = &pci_bus_type;
	pdev->dev.release = release_dev;
	pdev->dev.init_name = names[i];
	pdev->dev.iommu = &dev->iommu;
	dev->iommu.iommu_dev = &frz_fake.iommu;
	group = iommu_group_alloc();
	if (IS_ERR(group))
		return PTR_ERR(group);
	pdev->dev.iommu_group = group;

	dev->live = i / 2;
	frz_fake_put(pdev->devfn, s->live[dev->live].enc.top,
		     frz_scene_tag(dev->live));
	return 0;
}

static __le64 *alloc_table(void *priv, u64 *pa)
{
	struct frz_scene_live *live = priv;
	void *table;

	if (live->nr_tables == FRZ_SCENE_TABLES)
		return NULL;
	table = (void *)get_zeroed_page(GFP_KERNEL);
	if (!table)
		return NULL;
	live->tables[live->nr_tables++] = table;
	*pa = virt_to_phys(table);
	return table;
}

static const __le64 *map_table(void *priv, u64 table)
{
	return pfn_valid(PHYS_PFN(table)) ? phys_to_virt(table) : NULL;
}

static int encode(struct frz_scene *s, struct frz_scene_live *live, u64 iova,
		  unsigned int page, unsigned int nr, u32 prot)
{
	const struct frz_extent e = {
		.iova = FRZ_SCENE_IOVA + iova,
		.pa = page_to_phys(s->ram + page),
		.len = nr * PAGE_SIZE,
		.prot = prot,
	};

	return frz_encode_extent(&live->enc, &e);
}

/**
 * frz_scene_map - Make the tables of a live domain
 * @s: the scene
 * @live: the domain, zeroed
 * @large: scattered, so that its frozen tables take several chunks
 *
 * Return: 0 or a negative errno.
 */
int frz_scene_map(struct frz_scene *s, struct frz_scene_live *live, bool large)
{
	unsigned int i;
	int ret;

	live->enc = (struct frz_encoder){
		.fmt = &frz_format_vtdss,
		.levels = FRZ_FAKE_LEVELS,
		.leaf_levels = BIT(1),
		.alloc = alloc_table,
		.priv = live,
	};
	ret = frz_encode_begin(&live->enc);
	if (!ret)
		ret = encode(s, live, 0, 16, 4, FRZ_READ | FRZ_WRITE);
	for (i = 1; large && i < 10 && !ret; i++)
		ret = encode(s, live, (u64)i << 30, i, 1, FRZ_READ | FRZ_WRITE);
	if (!ret)
		ret = encode(s, live, 11ULL << 30, 10, 3, FRZ_READ);

	live->fake.domain.owner = &frz_fake_ops;
	live->fake.tree = (struct frz_tree){
		.fmt = live->enc.fmt,
		.top = live->enc.top,
		.levels = live->enc.levels,
		.map = map_table,
	};
	return ret;
}

/**
 * frz_scene_unmap - Free the tables of a live domain
 * @live: the domain
 */
void frz_scene_unmap(struct frz_scene_live *live)
{
	while (live->nr_tables)
		free_page((unsigned long)live->tables[--live->nr_tables]);
}

/**
 * frz_scene_leaf - The smallest leaf that translates an iova
 * @live: the domain, which maps it
 * @iova: from FRZ_SCENE_IOVA on
 *
 * Return: the entry, for the test to change.
 */
__le64 *frz_scene_leaf(struct frz_scene_live *live, u64 iova)
{
	const struct frz_format *fmt = live->enc.fmt;
	__le64 *table = phys_to_virt(live->enc.top);
	unsigned int level;
	u64 entry;

	for (level = FRZ_FAKE_LEVELS; level > 1; level--) {
		entry = le64_to_cpu(table[frz_level_index(fmt, level, iova)]);
		table = phys_to_virt(fmt->address(entry, level));
	}
	return &table[frz_level_index(fmt, 1, iova)];
}

static int obstacle(struct frz_store *store, struct folio *folio)
{
	struct frz_scene *s = container_of(store, struct frz_scene, store);
	unsigned long page = folio_pfn(folio) - page_to_pfn(s->ram);

	if (page >= BIT(FRZ_SCENE_RAM_ORDER))
		return IOMMU_FREEZE_OBSTACLE_NOT_MEMFD;
	return s->punched == &folio->page ? IOMMU_FREEZE_OBSTACLE_PUNCHED : -1;
}

/**
 * frz_scene_init - Set up what every test has
 * @test: the test; its priv is the scene
 *
 * Return: 0 or a negative errno; frz_scene_exit() is called in any case.
 */
int frz_scene_init(struct kunit *test)
{
	struct frz_scene *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	unsigned int i;
	int ret;

	test->priv = s;
	ret = frz_fake_on();
	if (!s || ret)
		return -ENOMEM;
	s->bus.ops = &config_ops;
	s->bus.sysdata = &s->sysdata;
	s->sysdata.domain = FRZ_FAKE_SEGMENT;
	s->store.obstacle = obstacle;
	s->ram = alloc_pages(GFP_KERNEL, FRZ_SCENE_RAM_ORDER);
	if (!s->ram)
		return -ENOMEM;
	for (i = 0; i < FRZ_SCENE_LIVES && !ret; i++)
		ret = frz_scene_map(s, &s->live[i], !i);
	for (i = 0; i < FRZ_SCENE_DEVS && !ret; i++)
		ret = init_dev(s, i);
	return ret;
}

/**
 * frz_scene_exit - Undo frz_scene_init()
 * @test: the test
 *
 * Nobody may have a reference to a device any more.
 */
void frz_scene_exit(struct kunit *test)
{
	struct frz_scene *s = test->priv;
	unsigned int i;

	for (i = 0; s && i < FRZ_SCENE_DEVS; i++) {
		struct device *dev = &s->dev[i].pdev.dev;

		if (!dev->bus)
			continue;
		KUNIT_EXPECT_EQ(test, kref_read(&dev->kobj.kref), 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&s->dev[i].pdev.freeze_dma), 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&s->dev[i].pdev.freeze_held), 0);
		iommu_group_put(dev->iommu_group);
		put_device(dev);
	}
	for (i = 0; s && i < FRZ_SCENE_LIVES; i++)
		frz_scene_unmap(&s->live[i]);
	if (s && s->ram)
		__free_pages(s->ram, FRZ_SCENE_RAM_ORDER);
	KUNIT_EXPECT_EQ(test, frz_fake.nr_tags, 0);
	KUNIT_EXPECT_EQ(test, frz_fake.nr_units, 0);
	KUNIT_EXPECT_EQ(test, frz_fake.nr_devices, 0);
	frz_fake_off();
}

/**
 * frz_scene_is_live - Is a device translated by its live domain?
 * @dev: the device
 * @s: the scene
 *
 * Return: true if so.
 */
bool frz_scene_is_live(struct frz_scene_dev *dev, struct frz_scene *s)
{
	struct frz_fake_entry e = frz_fake_at(dev->pdev.devfn);

	return e.to == (s->live[dev->live].enc.top | FRZ_FAKE_PRESENT) &&
	       e.tag == frz_scene_tag(dev->live);
}

/**
 * frz_scene_is_master - Has a device bus mastering on?
 * @dev: the device
 *
 * Return: true if so.
 */
bool frz_scene_is_master(const struct frz_scene_dev *dev)
{
	return dev->config[PCI_COMMAND / 4] & PCI_COMMAND_MASTER;
}
