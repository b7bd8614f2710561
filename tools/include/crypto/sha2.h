/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's SHA-256 by libcrypto's. Unlike the kernel's a context that was begun
 * has to be ended, which frees it. libcrypto fails only without memory; the program
 * ends then.
 */
#ifndef _TOOLS_CRYPTO_SHA2_H
#define _TOOLS_CRYPTO_SHA2_H

#include <stdio.h>
#include <stdlib.h>

#include <linux/types.h>
#include <openssl/evp.h>

#define SHA256_DIGEST_SIZE	32

struct sha256_ctx {
	EVP_MD_CTX *evp;
};

static inline void sha256_must(int ok)
{
	if (!ok) {
		fputs("SHA-256: out of memory\n", stderr);
		exit(1);
	}
}

static inline void sha256_init(struct sha256_ctx *ctx)
{
	ctx->evp = EVP_MD_CTX_new();
	sha256_must(ctx->evp && EVP_DigestInit_ex(ctx->evp, EVP_sha256(), NULL));
}

static inline void sha256_update(struct sha256_ctx *ctx, const u8 *data, size_t len)
{
	sha256_must(EVP_DigestUpdate(ctx->evp, data, len));
}

static inline void sha256_final(struct sha256_ctx *ctx, u8 *out)
{
	sha256_must(EVP_DigestFinal_ex(ctx->evp, out, NULL));
	EVP_MD_CTX_free(ctx->evp);
	ctx->evp = NULL;
}

#endif
