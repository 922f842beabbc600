/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * sobre-fault with SOBRE_NO_LEDGER in its environment accounts nothing: the
 * ledger is never told what a transaction touched. To measure what accounting
 * costs (tests/bench/front.py), on a drive made for that: another run of it
 * would find that all is to be charged.
 */
#include <stdlib.h>

#include "fs/catalog/catalog.h"

int __real_catalog_on_commit(struct catalog *cat, catalog_commit_fn *fn,
			     void *ctx, struct error *err);
int __wrap_catalog_on_commit(struct catalog *cat, catalog_commit_fn *fn,
			     void *ctx, struct error *err);
int __wrap_catalog_on_commit(struct catalog *cat, catalog_commit_fn *fn,
			     void *ctx, struct error *err)
{
	if (fn && getenv("SOBRE_NO_LEDGER"))
		return 0;
	return __real_catalog_on_commit(cat, fn, ctx, err);
}
