// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes every allocation of a call fail in turn.
 *
 * Structure: the task of the test counts down to the allocation that fails (fail_nth of
 * fault injection). Slab objects that are lost kmemleak finds, but not pages; so pages
 * that the task allocates as KHO and frozen tables do, zeroed and compound or without
 * a warning, are listed from the moment that they are allocated until they are freed,
 * by anybody.
 *
 * Locking: pages_lock guards the list, in any context.
 *
 * Fails: to begin, where nothing can be made to fail.
 */
#include <linux/fault-inject.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <trace/events/kmem.h>

#include "faults.h"

/* No call makes as many allocations. */
#define MOST_SITES	500

static struct page *pages[128];
static int nr_pages;
static DEFINE_RAW_SPINLOCK(pages_lock);

static void page_allocated(void *task, struct page *page, unsigned int order,
			   gfp_t gfp, int migratetype)
{
	if (current != task || !page || !(gfp & __GFP_ZERO) ||
	    !(gfp & (__GFP_COMP | __GFP_NOWARN)))
		return;
	guard(raw_spinlock_irqsave)(&pages_lock);
	if (nr_pages < ARRAY_SIZE(pages))
		pages[nr_pages++] = page;
}

static void page_freed(void *task, struct page *page, unsigned int order)
{
	int i;

	guard(raw_spinlock_irqsave)(&pages_lock);
	for (i = 0; i < nr_pages; i++) {
		if (pages[i] != page)
			continue;
		pages[i] = pages[--nr_pages];
		return;
	}
}

/**
 * frz_faults_pages - Pieces of memory that the test has taken and not given back
 *
 * The direct map that is split on the way, to seal frozen tables, stays so: its page
 * tables do not count.
 *
 * Return: their number, since frz_faults_begin().
 */
int frz_faults_pages(void)
{
	int i, n = 0;

	guard(raw_spinlock_irqsave)(&pages_lock);
	for (i = 0; i < nr_pages; i++)
		n += !PageTable(pages[i]);
	return n;
}

#if defined(CONFIG_FAILSLAB) && defined(CONFIG_FAIL_PAGE_ALLOC)
static void arm(unsigned int nth)
{
	current->fail_nth = nth;
}

/* Was there an nth allocation? */
static bool disarm(void)
{
	bool hit = !current->fail_nth;

	current->fail_nth = 0;
	return hit;
}
#else
static void arm(unsigned int nth)
{
}

static bool disarm(void)
{
	return false;
}
#endif

/* Both kinds of allocations that may sleep, of the smallest size too. */
static bool can_fail(void)
{
	void *object, *page;

	arm(1);
	object = kmalloc(8, GFP_KERNEL);
	disarm();
	arm(1);
	page = (void *)__get_free_page(GFP_KERNEL);
	disarm();
	kfree(object);
	free_page((unsigned long)page);
	return !object && !page;
}

/**
 * frz_faults_begin - Begin a sweep
 * @f: set up
 * @test: what it is for
 *
 * Return: 0, -EOPNOTSUPP where no allocation can be made to fail, or another negative
 * errno.
 */
int frz_faults_begin(struct frz_faults *f, struct kunit *test)
{
	int ret;

	*f = (struct frz_faults){ .test = test, .task = current };
	if (!can_fail())
		return -EOPNOTSUPP;
	nr_pages = 0;
	ret = register_trace_mm_page_alloc(page_allocated, f->task);
	if (ret)
		return ret;
	ret = register_trace_mm_page_free(page_freed, f->task);
	if (ret)
		unregister_trace_mm_page_alloc(page_allocated, f->task);
	return ret;
}

/**
 * frz_faults_end - End a sweep
 * @f: the sweep
 *
 * Context: May sleep; any task, as the one of a test that was given up is gone.
 */
void frz_faults_end(struct frz_faults *f)
{
	unregister_trace_mm_page_alloc(page_allocated, f->task);
	unregister_trace_mm_page_free(page_freed, f->task);
	tracepoint_synchronize_unregister();
}

/**
 * frz_faults_call - Make each allocation of a call fail, one after the other
 * @f: the sweep
 * @c: the call
 *
 * Whether it was refused or did without, nothing is left behind. At last none fails:
 * then the call has been made.
 */
void frz_faults_call(struct frz_faults *f, const struct frz_fault_call *c)
{
	unsigned int held = c->held(f->test), nth, refused = 0;
	int here = frz_faults_pages();
	bool hit = true;
	int ret = 0;

	for (nth = 1; hit && nth < MOST_SITES; nth++) {
		if (c->prepare)
			c->prepare(f->test);
		arm(nth);
		ret = c->call(f->test);
		hit = disarm();
		if (!hit)
			break;
		refused += !!ret;
		if (ret)
			KUNIT_EXPECT_EQ_MSG(f->test, ret, -ENOMEM,
					    "%s, allocation %u", c->name, nth);
		c->undo(f->test, ret);
		KUNIT_EXPECT_EQ_MSG(f->test, c->held(f->test), held,
				    "%s, allocation %u: kept", c->name, nth);
		KUNIT_EXPECT_EQ_MSG(f->test, frz_faults_pages(), here,
				    "%s, allocation %u: pages lost", c->name, nth);
		here = frz_faults_pages();
	}
	KUNIT_EXPECT_EQ_MSG(f->test, ret, 0, "%s, with all its memory", c->name);
	KUNIT_EXPECT_FALSE_MSG(f->test, hit, "%s: more allocations than are tried",
			       c->name);
	KUNIT_EXPECT_LT_MSG(f->test, nr_pages, ARRAY_SIZE(pages),
			    "%s: more pages than are listed", c->name);
	kunit_info(f->test, "%s: %u allocations failed in turn, it was refused for %u\n",
		   c->name, nth - 1, refused);
	f->sites += nth - 1;
	f->refused += refused;
}
