/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-freeze: what reading, checking and writing a blob have in common. Pure.
 */
#ifndef _IOMMU_FREEZE_BLOB_PRIVATE_H
#define _IOMMU_FREEZE_BLOB_PRIVATE_H

#include "blob.h"

/* Nothing older was ever released. */
#define FRZ_RECORD_OLDEST	2

/**
 * struct frz_record_type - what all records of a type look like
 * @version: newest that is understood, and the one that is written
 * @fixed_len: length of its fixed part, with the record header
 * @fixed_len_2: the same of version 2
 * @element_len: length of an element of the array
 * @count: where the number of elements is
 * @max: most elements
 */
struct frz_record_type {
	u32 version;
	u32 fixed_len;
	u32 fixed_len_2;
	u32 element_len;
	u32 count;
	u32 max;
};

/* The index is the type, FRZ_RECORD_...; there is no type 0. */
#define FRZ_NR_RECORD_TYPES	(FRZ_RECORD_DEVICE + 1)
extern const struct frz_record_type frz_record_types[FRZ_NR_RECORD_TYPES];

/* The number of elements in the array of a record of that type. */
static inline const u32 *frz_record_count(const struct frz_record_type *t,
					  const struct frz_abi_record *r)
{
	return (const void *)r + t->count;
}

size_t frz_fixed_len(u32 type, u32 version);
void frz_blob_digest(const void *data, size_t len, u8 *digest);
int frz_blob_check(struct frz_blob *b, size_t len, struct frz_blob_error *err);

#endif /* _IOMMU_FREEZE_BLOB_PRIVATE_H */
