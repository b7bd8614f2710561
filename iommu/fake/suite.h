/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The test cases, see suite.c.
 */
#ifndef _IOMMU_FREEZE_FAKE_SUITE_H
#define _IOMMU_FREEZE_FAKE_SUITE_H

struct frz_faults;
struct kunit;

/* outgoing.c */
void frz_test_freeze_and_back(struct kunit *test);
void frz_test_blob_of_freeze(struct kunit *test);
void frz_test_hold(struct kunit *test);
void frz_test_preserve_refused(struct kunit *test);
void frz_test_freeze_refused(struct kunit *test);
void frz_test_unpreserve_frozen(struct kunit *test);
void frz_sweep_outgoing(struct frz_faults *f);

/* incoming.c */
void frz_test_import_to_finish(struct kunit *test);
void frz_test_compare(struct kunit *test);
void frz_test_bad_blob(struct kunit *test);
void frz_test_bad_device(struct kunit *test);
void frz_test_bad_tables(struct kunit *test);
void frz_test_bad_entry(struct kunit *test);
void frz_test_bad_group(struct kunit *test);
void frz_test_bad_unit(struct kunit *test);
void frz_test_not_frozen(struct kunit *test);
void frz_test_owner(struct kunit *test);
void frz_sweep_incoming(struct frz_faults *f);

#endif /* _IOMMU_FREEZE_FAKE_SUITE_H */
