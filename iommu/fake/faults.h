/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes every allocation of a call fail in turn, see faults.c.
 */
#ifndef _IOMMU_FREEZE_FAKE_FAULTS_H
#define _IOMMU_FREEZE_FAKE_FAULTS_H

#include <kunit/test.h>

/**
 * struct frz_faults - what a sweep has seen
 * @test: that it is made for
 * @task: that runs it
 * @sites: allocations that were made to fail, each in a call of its own
 * @refused: of those, the ones for which the call failed
 */
struct frz_faults {
	struct kunit *test;
	void *task;
	unsigned int sites;
	unsigned int refused;
};

/**
 * struct frz_fault_call - a call that may allocate
 * @name: for the log
 * @prepare: what is needed for each call, or NULL
 * @call: 0, or a negative errno that refuses
 * @undo: @call returned that, with an allocation that failed: take back what was done,
 *	and @prepare
 * @held: of what the code under test holds: the same before @prepare and after @undo
 */
struct frz_fault_call {
	const char *name;
	void (*prepare)(struct kunit *test);
	int (*call)(struct kunit *test);
	void (*undo)(struct kunit *test, int ret);
	unsigned int (*held)(struct kunit *test);
};

int frz_faults_begin(struct frz_faults *f, struct kunit *test);
void frz_faults_call(struct frz_faults *f, const struct frz_fault_call *c);
void frz_faults_end(struct frz_faults *f);
int frz_faults_pages(void);

#endif /* _IOMMU_FREEZE_FAKE_FAULTS_H */
