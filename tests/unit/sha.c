// SPDX-License-Identifier: GPL-2.0-only
/* SHA-256 of libcrypto, see sha.h. */
#include <stdlib.h>

#include <openssl/evp.h>

#include "sha.h"

static struct evp_md_ctx_st *evp;

static void sha_init(void *ctx)
{
	(void)ctx;
	if (!evp)
		evp = EVP_MD_CTX_new();
	if (!evp || !EVP_DigestInit_ex(evp, EVP_sha256(), NULL))
		abort();
}

static void sha_update(void *ctx, const void *data, size_t len)
{
	(void)ctx;
	if (!EVP_DigestUpdate(evp, data, len))
		abort();
}

static void sha_final(void *ctx, u8 *digest)
{
	(void)ctx;
	if (!EVP_DigestFinal_ex(evp, digest, NULL))
		abort();
	EVP_MD_CTX_free(evp);
	evp = NULL;
}

const struct frz_sha256 sha256 = {
	.init = sha_init,
	.update = sha_update,
	.final = sha_final,
};

void sha_fix_digest(void *blob, size_t len)
{
	struct frz_abi_header *h = blob;
	u8 digest[FRZ_DIGEST_LEN];

	if (len < sizeof(*h))
		return;
	if (le64_to_cpu(h->total_len) < len)
		len = le64_to_cpu(h->total_len);
	if (len < sizeof(*h))
		return;
	memset(h->digest, 0, sizeof(h->digest));
	sha_init(NULL);
	sha_update(NULL, blob, len);
	sha_final(NULL, digest);
	memcpy(h->digest, digest, sizeof(h->digest));
}
