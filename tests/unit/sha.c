// SPDX-License-Identifier: GPL-2.0-only
/* SHA-256 of libcrypto, see sha.h. The state is ours, or in the variable that ctx points to. */
#include <stdlib.h>

#include <openssl/evp.h>

#include "sha.h"

static struct evp_md_ctx_st *evp;

static struct evp_md_ctx_st **state(void *ctx)
{
	return ctx ? ctx : &evp;
}

static void sha_init(void *ctx)
{
	struct evp_md_ctx_st **s = state(ctx);

	if (!*s)
		*s = EVP_MD_CTX_new();
	if (!*s || !EVP_DigestInit_ex(*s, EVP_sha256(), NULL))
		abort();
}

static void sha_update(void *ctx, const void *data, size_t len)
{
	if (!EVP_DigestUpdate(*state(ctx), data, len))
		abort();
}

static void sha_final(void *ctx, u8 *digest)
{
	struct evp_md_ctx_st **s = state(ctx);

	if (!EVP_DigestFinal_ex(*s, digest, NULL))
		abort();
	EVP_MD_CTX_free(*s);
	*s = NULL;
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
