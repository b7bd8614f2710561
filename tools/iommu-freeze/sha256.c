// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: SHA-256 of libcrypto in the shape that blob.c takes
 *
 * Structure: one digest at a time, in a static context. No lock. libcrypto fails
 * only without memory; the program ends then.
 */
#include <stdlib.h>

#include <openssl/evp.h>

#include "tool.h"

static struct evp_md_ctx_st *evp;

static void must(int ok)
{
	if (!ok) {
		say("out of memory");
		exit(OUTCOME_FAILED);
	}
}

static void sha256_init(void *ctx)
{
	(void)ctx;
	evp = EVP_MD_CTX_new();
	must(evp && EVP_DigestInit_ex(evp, EVP_sha256(), NULL));
}

static void sha256_update(void *ctx, const void *data, size_t len)
{
	(void)ctx;
	must(EVP_DigestUpdate(evp, data, len));
}

static void sha256_final(void *ctx, u8 *digest)
{
	(void)ctx;
	must(EVP_DigestFinal_ex(evp, digest, NULL));
	EVP_MD_CTX_free(evp);
	evp = NULL;
}

const struct frz_sha256 sha256 = {
	.init = sha256_init,
	.update = sha256_update,
	.final = sha256_final,
};
