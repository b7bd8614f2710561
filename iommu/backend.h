/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one kind of IOMMU does for frozen domains: the contract of a backend.
 *
 * Structure: a constant struct frz_backend for each kind, in a folder of its own
 * beside this header. The core calls it and knows nothing else of a kind; what
 * a backend's own hooks in its driver ask the core is in outgoing.h and import.h.
 * docs/backend.md tells in which order one writes a new one.
 *
 * A unit is a struct iommu_device, which each driver embeds in its own. A device's
 * DMA carries a stream id of 32 bits: a PCI requester id, or what firmware made of
 * it. A device is translated by a descriptor, up to 64 bytes in some table of the
 * unit: a context entry, a stream table entry, a device table entry. It points to
 * the top of a domain's tables, or to a head, one or more pages (a context
 * descriptor, a PASID directory) that in turn point there and that lie in the same
 * memory. To freeze is to swap a descriptor for one that differs in nothing that
 * hardware could read torn.
 *
 * Locking: the core calls with outgoing_rwsem or with finish_lock held, see
 * outgoing.c and incoming.c; what else guards a descriptor is the backend's to take.
 *
 * Fails: as each operation says. Nothing that has begun to change a descriptor fails.
 */
#ifndef _IOMMU_FREEZE_BACKEND_H
#define _IOMMU_FREEZE_BACKEND_H

#include <linux/types.h>

struct frz_abi_unit;
struct frz_blob_writer;
struct frz_findings;
struct frz_import_unit;
struct frz_kind;
struct frz_memory;
struct frz_tree;
struct iommu_device;
struct iommu_domain;
struct iommu_ops;
struct pci_dev;

/**
 * struct frz_descriptor - what a unit translates a device by
 * @q: as the backend reads and writes it; not used words are 0
 */
struct frz_descriptor {
	u64 q[8];
};

/**
 * struct frz_backend - one kind of IOMMU
 * @kind: what user space knows of it too
 * @ops: of its driver: tells which devices are behind such a unit
 *
 * @check: Can this device be frozen, as it is set up on its unit? Notes what was
 *	looked for and found. May sleep.
 * @check_domain: Can a domain of this kind be frozen? It is that of a device behind
 *	such a unit.
 * @tree: Set up the tables of a domain, in which @check_domain found nothing, for a
 *	walk. Its map does not change until that is over.
 *	What no frozen device needs the walk may leave out.
 *
 * @stream: The id that the device's DMA carries; the device passed @check, or came
 *	from the previous kernel and was adopted.
 * @reg_base: Physical address of the unit's registers. Any context.
 * @leaf_levels: bit n: the unit takes a leaf at level n of the format.
 * @coherent: The unit's walks of page tables snoop the CPU caches.
 *
 * @tag_alloc: The tag of the unit's caches (a DID, ASID, VMID) under which the frozen
 *	copy of a live domain is used: 1..65535, or a negative errno. A free one, now
 *	taken; or that of the live domain, where the swap cannot change it. May sleep.
 * @tag_claim: NULL where tags of every format are a unit's own. Else take this one for
 *	a frozen domain that came, before any unit hands any out: 0, also for a format
 *	whose tags are a unit's own, or a negative errno. Boot.
 * @tag_reserve: NULL where tags of no format are. Else the same for one unit, before
 *	that hands any out; 0 for a format whose tags @tag_claim takes.
 * @tag_free: Undo @tag_alloc, or both of these; no cache of @unit carries the tag any
 *	more. Nothing is to be undone where a live domain has it: the tag was that
 *	one's, or the domain that replaced the frozen one took it over. With @tag_claim
 *	@unit is NULL if it did not come up: what that has cached has to go when it
 *	does, before any use.
 *
 * @nr_units: Units in use.
 * @nr_tables: Most tables that the record of one of them can have.
 * @preserve_units: Preserve what each unit in use needs in the next kernel: those
 *	without a frozen device block all DMA there. 0, or a negative errno with
 *	nothing preserved. May sleep.
 * @unpreserve_units: Undo @preserve_units.
 * @write_units: Describe them all in a blob. What fails sticks in the writer.
 * @preserve_device: Preserve the tables that lead to the device's descriptor; called
 *	once for each device, to share them is the backend's to count. 0, or a
 *	negative errno. May sleep.
 * @unpreserve_device: Undo @preserve_device.
 *
 * @make_head: NULL where a descriptor points to the top. Else take pages by
 *	frz_memory_page(), fill them for these tables and this tag, and set the memory's
 *	head to the one that a descriptor points to; 0 or a negative errno.
 * @live_descriptor: Read the descriptor of a device on its live domain: 0, or
 *	-EINVAL if it is not that domain's.
 * @frozen_descriptor: Turn it into the one for frozen tables with that tag.
 * @swap_descriptor: Swap that of a running device in one store, then flush what was
 *	cached under the tags of both: 0, or -EBUSY if @from was not there, and what
 *	is there stays. Allocates nothing. May sleep.
 * @is_on: Is the device translated by this descriptor?
 *
 * @adopt: The device is on its frozen domain in hardware: let the driver know, before
 *	the first attach. 0, or -ENODEV if it is not below that unit or has another
 *	stream id than it had. Group mutex held.
 * @left: NULL where the driver's attach does it. Else flush what is cached under the
 *	tag of a frozen domain that a device has just left, and under that of the
 *	domain that it is on now. Group mutex held.
 * @was_left: NULL where each unit is started at boot, or turned off. Else: does
 *	hardware no longer use the tables of a unit, by its record, that was not
 *	adopted? A unit that nobody has started may translate by them all the time.
 * @has_left: Does hardware no longer use this memory for that stream? Asks the
 *	descriptor, not the state of any software, as memory is freed for a yes.
 * @block: Clear the descriptor of a device and flush. Any context that may spin.
 * @release_unit: Free the tables of a unit that was refused, if hardware did use them
 *	and does no more, which must be asked: the record may be wrong. Boot, after the
 *	unit was given others or was turned off.
 */
struct frz_backend {
	const struct frz_kind *kind;
	const struct iommu_ops *ops;

	void (*check)(struct pci_dev *pdev, struct frz_findings *f);
	void (*check_domain)(struct iommu_domain *live, struct frz_findings *f);
	void (*tree)(struct iommu_domain *live, struct frz_tree *t);

	u32 (*stream)(struct pci_dev *pdev);
	u64 (*reg_base)(struct iommu_device *unit);
	u32 (*leaf_levels)(struct iommu_device *unit);
	bool (*coherent)(struct iommu_device *unit);

	int (*tag_alloc)(struct iommu_device *unit, struct iommu_domain *live);
	int (*tag_claim)(u32 format, u32 tag);
	int (*tag_reserve)(struct iommu_device *unit, u32 format, u32 tag);
	void (*tag_free)(struct iommu_device *unit, u32 format, u32 tag);

	unsigned int (*nr_units)(void);
	unsigned int nr_tables;
	int (*preserve_units)(void);
	void (*unpreserve_units)(void);
	void (*write_units)(struct frz_blob_writer *w);
	int (*preserve_device)(struct pci_dev *pdev);
	void (*unpreserve_device)(struct pci_dev *pdev);

	int (*make_head)(struct pci_dev *pdev, struct iommu_domain *live,
			 struct frz_memory *mem, u32 tag);
	int (*live_descriptor)(struct pci_dev *pdev, struct iommu_domain *live,
			       struct frz_descriptor *d);
	void (*frozen_descriptor)(struct frz_descriptor *d,
				  const struct frz_memory *mem, u32 tag);
	int (*swap_descriptor)(struct pci_dev *pdev,
			       const struct frz_descriptor *from,
			       const struct frz_descriptor *to);
	bool (*is_on)(struct pci_dev *pdev, const struct frz_descriptor *d);

	int (*adopt)(struct pci_dev *pdev, struct iommu_device *unit,
		     u32 stream);
	void (*left)(struct pci_dev *pdev, u32 format, u32 tag);
	bool (*was_left)(const struct frz_abi_unit *rec);
	bool (*has_left)(struct iommu_device *unit, u32 stream,
			 const struct frz_memory *mem);
	void (*block)(struct iommu_device *unit, u32 stream, u32 tag);
	void (*release_unit)(const struct frz_import_unit *unit);
};

const struct frz_backend *frz_backend_at(unsigned int index);
const struct frz_backend *frz_backend_of(struct pci_dev *pdev);
const struct frz_backend *frz_backend_of_domain(struct iommu_domain *domain);
const struct frz_backend *frz_backend_by_kind(u32 kind);
struct iommu_device *frz_unit_of(struct pci_dev *pdev);

#endif /* _IOMMU_FREEZE_BACKEND_H */
