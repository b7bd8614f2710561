/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of drivers/iommu/freeze share inside the kernel.
 *
 * outgoing.c keeps what this kernel hands to the next one, incoming.c what the
 * previous one handed to us, tables.c the memory of frozen tables in either
 * direction and vtd.c what VT-d does with them. pci/, vfio/ and iommufd/ answer
 * for their subsystems and come here for the rest.
 */
#ifndef _IOMMU_FREEZE_FREEZE_H
#define _IOMMU_FREEZE_FREEZE_H

#include <linux/iommu.h>
#include <linux/iommu-freeze.h>
#include <linux/list.h>
#include <linux/pci.h>
#include <uapi/linux/iommu-freeze.h>

#include "frz.h"

struct folio;
struct intel_iommu;
struct liveupdate_file_op_args;
struct liveupdate_file_ops;
struct sha256_ctx;

/* Every line names the device first. */
#define frz_info(pdev, fmt, ...) \
	pr_info("iommu-freeze: %s: " fmt, pci_name(pdev), ##__VA_ARGS__)
/* A VMM can call forth most of these as often as it likes. */
#define frz_warn(pdev, fmt, ...) \
	pr_warn_ratelimited("iommu-freeze: %s: " fmt, pci_name(pdev), ##__VA_ARGS__)

/**
 * struct frozen_tables - the IO page tables of one frozen domain
 * @fmt: their format
 * @levels: levels of the tables
 * @leaf_levels: levels at which a leaf may be, as in struct frz_encoder
 * @top: physical address of the top table
 * @stats: what is in them
 * @digest: SHA-256 over the used part of each chunk
 * @chunks: the memory, in the order of the digest
 * @sorted: the same by address, once the tables are complete
 * @nr_chunks: elements of @chunks and of @sorted
 * @kept: the memory is KHO's
 * @sealed: the memory is read-only to the CPU
 * @shadow: incoming: what the tables said when their digest was good, to tell
 *	later where they changed; NULL for lack of memory or too many extents
 *
 * Not locked: filled by one thread, constant once sealed.
 */
struct frozen_tables {
	const struct frz_format *fmt;
	u32 levels;
	u32 leaf_levels;
	u64 top;
	struct frz_stats stats;
	u8 digest[FRZ_DIGEST_LEN];
	struct frz_chunk *chunks;
	struct frz_chunk *sorted;
	u32 nr_chunks;
	bool kept;
	bool sealed;
	struct frz_extent *shadow;
};

/**
 * struct frz_findings - what was looked for in a device, and what was found
 * @looked: bit n: looked for enum iommu_freeze_obstacle n
 * @found: bit n: and found it
 *
 * Preserve refuses for the first one that is found; a trial tells all of them.
 */
struct frz_findings {
	u64 looked;
	u64 found;
};

/**
 * frz_look - Note that an obstacle was looked for
 * @f: findings, added to
 * @obstacle: enum iommu_freeze_obstacle
 * @found: whether it was found
 *
 * Return: @found.
 */
static inline bool frz_look(struct frz_findings *f, u32 obstacle, bool found)
{
	f->looked |= BIT_ULL(obstacle);
	if (found)
		f->found |= BIT_ULL(obstacle);
	return found;
}

/**
 * struct frz_store - a provider of guest RAM that survives the kexec
 * @obstacle: which obstacle keeps the store from keeping this folio until the
 *	device is finished, or -1 if it does keep it. Called for each folio that
 *	a leaf maps, with the folio pinned
 * @priv: for @obstacle
 * @kept: for @obstacle: what it found to be kept last
 */
struct frz_store {
	int (*obstacle)(struct frz_store *store, struct folio *folio);
	const void *priv;
	const void *kept;
};

/**
 * struct frz_trial_ops - VFIO's part in a trial
 * @trial: looks at how @pdev is used and has its live domain serialised by
 *	frz_trial_serialise() while nothing can change it; 0 or a negative errno
 */
struct frz_trial_ops {
	int (*trial)(struct pci_dev *pdev, struct frz_findings *f,
		     struct iommu_freeze_trial *t);
};

/* tables.c */
const struct frz_sha256 *frz_sha256_begin(void);
void frz_sha256_end(void);
struct frz_sha256 frz_sha256_with(struct sha256_ctx *ctx);
int frozen_tables_encode(struct frozen_tables *ft, bool keep,
			 const struct frz_tables *live, u32 leaf_levels,
			 int (*check)(void *arg, const struct frz_extent *e),
			 void *arg, u64 *bad_iova);
int frozen_tables_import(struct frozen_tables *ft, const struct frz_blob *b,
			 const struct frz_domain *rec, const char **why);
void frozen_tables_remember(struct frozen_tables *ft);
int frozen_tables_verify(const struct frozen_tables *ft,
			 const struct frz_tables *live,
			 struct iommu_freeze_verify *result);
int frozen_tables_extents(const struct frozen_tables *ft,
			  struct iommu_freeze_extents *req,
			  struct iommu_freeze_extent *extents);
void frozen_tables_describe(const struct frozen_tables *ft,
			    struct iommu_freeze_device *out);
void frozen_tables_seal(struct frozen_tables *ft, bool coherent);
void frozen_tables_drop(struct frozen_tables *ft);
void frozen_tables_release(struct frozen_tables *ft);

/**
 * struct frozen_reader - reads frozen tables for the pure code
 * @ft: the tables
 * @budget: tables that may still be read; bounds the work on bad ones
 */
struct frozen_reader {
	const struct frozen_tables *ft;
	u64 budget;
};

void frozen_tables_reader(struct frozen_reader *r,
			  const struct frozen_tables *ft, struct frz_tables *t);

/* trial.c */
int frz_refuse(struct pci_dev *pdev, const char *what,
	       const struct frz_findings *f);
int frz_refuse_pages(struct pci_dev *pdev, u32 obstacle, u64 iova);
void frz_look_at_device(struct pci_dev *pdev, struct frz_findings *f);
int frz_look_at_pages(struct frz_store *store, const struct frz_extent *e,
		      int (*found)(void *arg, u32 obstacle, u64 iova, u64 len),
		      void *arg);
int frz_trial_serialise(struct pci_dev *pdev, struct iommu_domain *live,
			struct frz_store *store, struct frz_findings *f,
			struct iommu_freeze_trial *t);
void frz_trial_register(const struct frz_trial_ops *ops);
void frz_trial_unregister(void);
int frz_trial(struct iommu_freeze_trial *t);

/* outgoing.c */
struct outgoing_device;
struct vtd_entry;
struct outgoing_device *frz_outgoing_hold(struct pci_dev *pdev);
int frz_outgoing_preserve(struct outgoing_device *dev, struct iommu_domain *live,
			  struct frz_store *store);
void frz_outgoing_unpreserve(struct outgoing_device *dev);
int frz_outgoing_freeze(struct outgoing_device *dev);
void frz_outgoing_unfreeze(struct outgoing_device *dev);
bool frz_outgoing_preserved(struct pci_dev *pdev);
bool frz_outgoing_frozen_below(struct pci_dev *pdev);
const struct vtd_entry *
frz_outgoing_frozen_at(const struct intel_iommu *iommu, u8 bus, u8 devfn);
bool frz_outgoing_on_bus(const struct intel_iommu *iommu, u8 bus);
bool frz_outgoing_any_frozen(void);
int frz_outgoing_list(u32 index, struct iommu_freeze_device *out);
int frz_outgoing_verify(struct iommu_freeze_verify *req);
int frz_outgoing_extents(struct iommu_freeze_extents *req,
			 struct iommu_freeze_extent *extents);

/* incoming.c */
struct incoming_domain;
enum frz_incoming {
	FRZ_INCOMING_NONE,	/* not from the previous kernel */
	FRZ_INCOMING_FROZEN,	/* runs on its frozen domain */
	FRZ_INCOMING_REPLACED,	/* runs on a live domain, not finished yet */
	FRZ_INCOMING_REFUSED,	/* blocked */
};

u64 frz_incoming_generation(void);
bool frz_incoming_bad(void);
enum frz_incoming frz_incoming_state(struct pci_dev *pdev);
bool frz_incoming_frozen_below(struct pci_dev *pdev);
void frz_incoming_wait(struct pci_dev *pdev);
bool frz_incoming_seen(struct pci_dev *pdev, const char *(*check)
		       (struct pci_dev *pdev, const struct frz_device *rec,
			const struct frz_bridge *bridges));
bool frz_incoming_added(struct pci_dev *pdev);
bool frz_incoming_id_frozen(u64 id);
void frz_incoming_refuse_id(u64 id, const char *why);
void frz_incoming_refuse_all(const char *why);
void frz_incoming_replaced(struct pci_dev *pdev);
int frz_incoming_compare(struct pci_dev *pdev, struct iommu_domain *live);
struct pci_dev *frz_incoming_retrieve(u64 id);
bool frz_incoming_set_owner(struct pci_dev *pdev, const void *owner);
void frz_incoming_drop_owner(struct pci_dev *pdev, const void *owner);
bool frz_incoming_is_owner(struct pci_dev *pdev, const void *owner);
bool frz_incoming_can_finish(u64 id);
void frz_incoming_finish(u64 id);
int frz_incoming_list(u32 index, struct iommu_freeze_device *out);
int frz_incoming_verify(struct iommu_freeze_verify *req);
int frz_incoming_extents(struct iommu_freeze_extents *req,
			 struct iommu_freeze_extent *extents);
int frz_incoming_discard(u32 segment, u32 devid);

/* The id of a device in LUO's serialized_data. */
static inline u64 frz_pci_id(struct pci_dev *pdev)
{
	return ((u64)pci_domain_nr(pdev->bus) << 16) | pci_dev_id(pdev);
}

/* leave.c */
const char *frz_image_flaw(void);
u32 frz_image_status(void);

/* What incoming.c tells vtd.c about a unit of the previous kernel. */
struct frz_incoming_unit {
	const struct frz_blob *blob;
	struct frz_unit rec;
	u32 index;
};

enum frz_unit_state {
	FRZ_UNIT_NONE,		/* nothing came from the previous kernel */
	FRZ_UNIT_GOOD,
	FRZ_UNIT_BAD,		/* a blob came, but says nothing usable of it */
};

enum frz_unit_state frz_incoming_unit(u64 reg_base,
				      struct frz_incoming_unit *unit);
void frz_incoming_unit_done(const struct frz_incoming_unit *unit,
			    struct intel_iommu *iommu, const char *why);
const struct frozen_tables *
frz_incoming_expected(const struct frz_incoming_unit *unit, u8 bus, u8 devfn,
		      u32 *did);

/* vtd.c */

/**
 * struct vtd_entry - a legacy mode context entry (VT-d spec, section 9.3)
 * @lo: table address, translation type, present
 * @hi: domain id, address width
 */
struct vtd_entry {
	u64 lo;
	u64 hi;
};

struct intel_iommu *frz_vtd_unit(struct pci_dev *pdev);
void frz_vtd_look(struct pci_dev *pdev, struct frz_findings *f);
void frz_vtd_look_at_others(struct pci_dev *pdev, struct frz_findings *f);
void frz_vtd_look_at_domain(struct iommu_domain *live, struct frz_findings *f);
void frz_vtd_live_tables(struct iommu_domain *live, struct frz_tables *t);
u32 frz_vtd_leaf_levels(struct intel_iommu *iommu);
bool frz_vtd_coherent(struct intel_iommu *iommu);
u64 frz_vtd_reg_base(struct intel_iommu *iommu);
int frz_vtd_did_alloc(struct intel_iommu *iommu);
int frz_vtd_did_reserve(struct intel_iommu *iommu, u32 did);
void frz_vtd_did_free(struct intel_iommu *iommu, u32 did);
int frz_vtd_live_entry(struct pci_dev *pdev, struct iommu_domain *live,
		       struct vtd_entry *e);
void frz_vtd_frozen_entry(struct vtd_entry *e, u64 top, u32 did);
int frz_vtd_flip(struct pci_dev *pdev, const struct vtd_entry *from,
		 const struct vtd_entry *to);
unsigned int frz_vtd_nr_units(void);
int frz_vtd_preserve_roots(void);
void frz_vtd_unpreserve_roots(void);
int frz_vtd_preserve_context(struct pci_dev *pdev);
void frz_vtd_unpreserve_context(struct pci_dev *pdev);
int frz_vtd_write_units(struct frz_blob_writer *w);
int frz_vtd_unit_index(struct intel_iommu *iommu);
int frz_vtd_adopt_device(struct pci_dev *pdev, const struct intel_iommu *iommu);
bool frz_vtd_is_on(struct pci_dev *pdev, const struct vtd_entry *e);
bool frz_vtd_has_left(struct intel_iommu *iommu, u8 bus, u8 devfn, u64 top);
void frz_vtd_release_unit(const struct frz_blob *b,
			  const struct frz_unit *rec);
void frz_vtd_block(struct intel_iommu *iommu, u8 bus, u8 devfn, u32 did);

/* iommufd/preserve.c */
struct iommufd_hw_pagetable *iommufd_freeze_look(struct iommufd_device *idev,
						 struct frz_findings *f);
struct iommu_domain *iommufd_freeze_domain(struct iommufd_hw_pagetable *hwpt);
bool iommufd_freeze_device_memory(struct iommufd_hw_pagetable *hwpt,
				  struct iommu_freeze_pages *pages);
void iommufd_freeze_preserve(struct iommufd_hw_pagetable *hwpt);
void iommufd_freeze_unpreserve(struct iommufd_device *idev,
			       struct iommufd_hw_pagetable *hwpt);
void iommufd_freeze_hold(struct iommufd_hw_pagetable *hwpt);
void iommufd_freeze_unhold(struct iommufd_hw_pagetable *hwpt);

/* iommufd/store_memfd.c */
void frz_store_memfd(struct frz_store *store,
		     const struct liveupdate_file_op_args *args);
void frz_store_memfd_trial(struct frz_store *store);
void frz_store_memfd_finish(u64 id);

/* vfio/handler.c */
void frz_luo_register(const struct liveupdate_file_ops *vfio_ops);
void frz_luo_unregister(void);

/* pci/pci.c */

/**
 * struct frz_pci_had - what a device gets back when it is an ordinary one again
 * @flags: those of its flags that forbid a reset
 * @reset_methods: pci_dev::reset_methods
 */
struct frz_pci_had {
	pci_dev_flags_t flags;
	u8 reset_methods[sizeof_field(struct pci_dev, reset_methods)];
};

void frz_pci_look(struct pci_dev *pdev, struct frz_findings *f);
bool frz_pci_removed(struct pci_dev *pdev);
int frz_pci_record(struct pci_dev *pdev, struct frz_device *rec,
		   struct frz_bridge *bridges);
const char *frz_pci_changed(struct pci_dev *pdev, const struct frz_device *rec,
			    const struct frz_bridge *bridges);
void frz_pci_stop(struct pci_dev *pdev);
void frz_pci_reset(struct pci_dev *pdev, bool going);
void frz_pci_reset_all(void);
void frz_pci_adopt(struct pci_dev *pdev, struct frz_pci_had *had);
void frz_pci_left(struct pci_dev *pdev, const struct frz_pci_had *had);

#endif /* _IOMMU_FREEZE_FREEZE_H */
