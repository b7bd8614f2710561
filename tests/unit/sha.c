// SPDX-License-Identifier: GPL-2.0-only
/*
 * The digest of a blob as its ABI tells it, for blobs that the writer did not make. See
 * sha.h.
 */
#include <string.h>

#include <crypto/sha2.h>
#include <linux/kho/abi/iommu-freeze.h>

#include "sha.h"

void sha_fix_digest(void *blob, size_t len)
{
	struct frz_abi_header *h = blob;
	struct sha256_ctx sha;

	if (len < sizeof(*h))
		return;
	if (h->total_len < len)
		len = h->total_len;
	if (len < sizeof(*h))
		return;
	memset(h->digest, 0, sizeof(h->digest));
	sha256_init(&sha);
	sha256_update(&sha, blob, len);
	sha256_final(&sha, h->digest);
}
