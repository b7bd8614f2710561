// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze check: what of the facts is in the way
 */
#include "backend.h"

static void judge_host(struct check *check)
{
	const struct host_facts *host = &check->host;
	const struct backend *iommu = backend_of(host);
	u32 status = host->info.status;
	bool kexec = check->args->stage == STAGE_KEXEC;
	const struct {
		bool found;
		const char *name, *fix, *text;
	} findings[] = {
		{ !(status & IOMMU_FREEZE_STATUS_KHO), "kho", "boot with kho=on",
		  "Kexec HandOver is off" },
		{ !(status & IOMMU_FREEZE_STATUS_LIVEUPDATE), "liveupdate",
		  "boot with liveupdate=on", "the Live Update Orchestrator is off" },
		{ status & IOMMU_FREEZE_STATUS_BAD, "handover",
		  "see 'dmesg | grep iommu-freeze'",
		  "a handover came with this boot that cannot be read" },
		{ !host->iommu, "iommu-unknown", "mount sysfs",
		  "whether an IOMMU is in use is not known" },
		{ host->iommu == &backend_none, "no-iommu",
		  iommu->boot_with ? print_text("boot with %s", iommu->boot_with) : NULL,
		  "no IOMMU is in use" },
		{ host->iommu && host->iommu != &backend_none && host->iommu != iommu,
		  "iommu-type", NULL,
		  print_text("its IOMMU is not %s (%s)", iommu->title,
			     host->iommu ? host->iommu->name : "") },
		{ kexec && !host->loaded_known, "kernel-unknown", "mount sysfs",
		  "whether a kernel is loaded is not known" },
		{ kexec && host->loaded_known && !host->loaded, "no-kernel", "kexec -s -l first",
		  "no kernel is loaded" },
		{ kexec && !check->args->target, "target-unknown", "name it with --target",
		  "whether the next kernel can take over frozen devices is not known" },
		/* Whoever loaded it: is the loaded kernel told what is frozen? */
		{ kexec && status & IOMMU_FREEZE_STATUS_NO_HANDOVER, "no-handover",
		  "load it with kexec -s -l",
		  "the loaded kernel would not be told what is frozen" },
		{ kexec && host->loaded && !(status & (IOMMU_FREEZE_STATUS_NO_HANDOVER |
						       IOMMU_FREEZE_STATUS_LOADED)),
		  "handover-unknown", "try again",
		  "this kernel does not say whether the loaded one would be told what is frozen" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(findings); i++)
		if (findings[i].found)
			finding_add(check->findings, "host", findings[i].name, findings[i].fix,
				    findings[i].text);
}

struct target_words {
	enum said kho, liveupdate;
};

static void take_word(void *arg, const char *name, const char *value)
{
	struct target_words *w = arg;

	if (!strcmp(name, "kho"))
		cmdline_switch(&w->kho, value);
	else if (!strcmp(name, "liveupdate"))
		cmdline_switch(&w->liveupdate, value);
}

static void judge_target_cmdline(struct check *check)
{
	struct target_words w = {};

	cmdline_each(check->args->target_cmdline, take_word, &w);
	if (!cmdline_on(w.kho, check->target.flags & FRZ_NOTE_KHO_ON))
		finding_add(check->findings, check->args->target, "target-kho", "add kho=on",
			    "Kexec HandOver will be off with that command line");
	if (!cmdline_on(w.liveupdate, false))
		finding_add(check->findings, check->args->target, "target-liveupdate",
			    "add liveupdate=on",
			    "the Live Update Orchestrator will be off with that command line");
	backend_of(&check->host)->judge_cmdline(check);
}

static void judge_target(struct check *check)
{
	const struct target *t = &check->target;
	u32 version = check->host.info.blob_version;
	u64 largest = check->host.info.scratch_largest;
	json_t *list = check->findings;

	if (!check->target_read)
		return;
	if (!t->supported) {
		finding_add(list, check->args->target, "target",
			    "boot a kernel with CONFIG_IOMMU_FREEZE",
			    "it cannot take over frozen devices");
		return;
	}
	if (version < t->oldest || version > t->newest)
		finding_add(list, check->args->target, "target-version",
			    "boot a kernel that reads it",
			    print_text("it reads handover versions %u to %u, this kernel writes %u",
				       t->oldest, t->newest, version));
	if (t->room && largest && t->room > largest)
		finding_add(list, check->args->target, "target-room",
			    "boot this kernel with a larger kho_scratch=",
			    print_text("it needs %s in one piece, %s %s", print_bytes(t->room),
				       "the largest KHO scratch area has", print_bytes(largest)));
	if (check->args->target_cmdline)
		judge_target_cmdline(check);
}

/* What a VMM does itself when its turn comes. */
#define VMM_DOES (BIT_ULL(IOMMU_FREEZE_OBSTACLE_INTERRUPTS) | \
		  BIT_ULL(IOMMU_FREEZE_OBSTACLE_NOT_PRESERVED))

static void judge_device(struct check *check, const struct device_facts *dev)
{
	const struct iommu_freeze_trial *t = &dev->trial;

	finding_add_device(check->findings, dev,
			   check->host.info.status & IOMMU_FREEZE_STATUS_KHO,
			   check->args->stage == STAGE_EARLY ? VMM_DOES : 0);
	if (check->args->stage == STAGE_KEXEC && t->use != IOMMU_FREEZE_IDLE &&
	    t->use != IOMMU_FREEZE_IS_PRESERVED)
		finding_add(check->findings, print_bdf(dev->bdf), "not-preserved-yet",
			    "have its VMM preserve it, or shut its VM down",
			    "a VMM uses it and has not preserved it: its DMA ends with the kexec");
	if (t->serialised && dev->vmm && dev->memlock < t->mapped)
		finding_add(check->findings, print_bdf(dev->bdf), "memlock",
			    "raise RLIMIT_MEMLOCK",
			    print_text("the VMM (pid %ld) may lock %s, the rebuild needs %s",
				       dev->vmm, print_bytes(dev->memlock),
				       print_bytes(t->mapped)));
}

/**
 * check_judge - what is in the way
 * @check: gathered; its findings are made
 */
void check_judge(struct check *check)
{
	size_t i;

	check->findings = must(json_array());
	judge_host(check);
	judge_target(check);
	for (i = 0; i < check->nr; i++)
		judge_device(check, &check->dev[i]);
}
