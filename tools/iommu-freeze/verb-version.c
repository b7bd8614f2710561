// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze version: of the tool, and of the handover that decode reads
 *
 * Structure: prints constants. No lock. Nothing fails.
 */
#include "tool.h"

static enum outcome run_version(const struct args *args)
{
	if (args->json)
		return json_end(json_pack("{sisssssi}",
					  "version", JSON_VERSION,
					  "verb", args->verb,
					  "tool", TOOL_VERSION,
					  "blob_version", FRZ_BLOB_VERSION));
	printf(TOOL " %s, reads handover version %d\n", TOOL_VERSION,
	       FRZ_BLOB_VERSION);
	return OUTCOME_OK;
}

const struct verb verb_version = {
	.name = "version",
	.brief = "print the version",
	.synopsis = "[--json]",
	.about =
	"The version of the tool and the newest handover version that 'decode' reads.\n"
	"That of the running kernel is in 'list --json'.\n",
	.takes = TAKES_JSON,
	.run = run_version,
};
