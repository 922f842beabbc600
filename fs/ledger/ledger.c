/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/hash.h"
#include "fs/base/log.h"
#include "fs/ledger/internal.h"

/* Part of the configuration's hash: another way to tell whose a file is must
 * charge all again. */
#define RULES_VERSION 1

#define DAY_S 86400

/* --- what is configured -------------------------------------------------- */

struct ranked {
	struct group group;
	unsigned int rank;
};

static int by_gid(const void *a, const void *b)
{
	const struct ranked *l = a;
	const struct ranked *r = b;

	if (l->group.gid != r->group.gid)
		return l->group.gid < r->group.gid ? -1 : 1;
	return (l->rank > r->rank) - (l->rank < r->rank);
}

static unsigned int count_groups(const struct ledger_department *departments,
				 unsigned int n)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < n; i++)
		count += departments[i].n_gids;
	return count;
}

/* The first department of each group counts. */
static int groups_build(struct ledger *ledger,
			const struct ledger_department *departments,
			const uint16_t *number, unsigned int n,
			struct error *err)
{
	unsigned int count = count_groups(departments, n);
	cleanup_free struct ranked *all = calloc(count + 1, sizeof(*all));
	unsigned int at = 0;

	ledger->group = calloc(count + 1, sizeof(*ledger->group));
	if (all == NULL || ledger->group == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	for (unsigned int i = 0; i < n; i++) {
		for (unsigned int j = 0; j < departments[i].n_gids; j++)
			all[at++] = (struct ranked){
				.group = { .gid = departments[i].gids[j],
					   .number = number[i] },
				.rank = i,
			};
	}
	qsort(all, count, sizeof(*all), by_gid);
	for (unsigned int i = 0; i < count; i++) {
		if (i == 0 || all[i].group.gid != all[i - 1].group.gid)
			ledger->group[ledger->groups++] = all[i].group;
	}
	return 0;
}

static uint64_t hash_on(uint64_t hash, const void *data, size_t len)
{
	return hash64_two(&hash, sizeof(hash), data, len);
}

static int64_t config_hash(const struct ledger_department *departments,
			   const uint16_t *number, unsigned int n)
{
	uint64_t hash = RULES_VERSION;

	for (unsigned int i = 0; i < n; i++) {
		const struct ledger_department *d = &departments[i];

		hash = hash_on(hash, &number[i], sizeof(number[i]));
		for (unsigned int j = 0; j < d->n_paths; j++)
			hash = hash_on(hash, d->paths[j],
				       strlen(d->paths[j]) + 1);
		for (unsigned int j = 0; j < d->n_gids; j++)
			hash = hash_on(hash, &d->gids[j], sizeof(d->gids[j]));
	}
	return (int64_t)hash;
}

/* --- opening ------------------------------------------------------------- */

/* One number by SQL, inside the transaction. */
static int ask(struct catalog *cat, const char *sql, int64_t *ret_value,
	       struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(cat, sql, err);
	int rc = s == NULL ? err->code : stmt_step(s, err);

	if (rc == 1)
		*ret_value = stmt_i64(s, 0);
	return rc < 0 ? rc : 0;
}

/* The catalog may have been written without the ledger. */
static int misses_blocks(struct ledger *ledger, struct error *err)
{
	struct catalog_totals totals;
	int64_t hot = 0;
	int rc = catalog_totals(ledger->cat, &totals, err);

	if (rc == 0)
		rc = ask(ledger->cat,
			 "SELECT coalesce(sum(bytes), 0) FROM holding"
			 " WHERE tier = 0",
			 &hot, err);
	return rc < 0 ? rc : (uint64_t)hot != totals.plain_blocks * 512;
}

static int note_config(struct ledger *ledger, int64_t hash, struct error *err)
{
	struct catalog *cat = ledger->cat;
	int64_t any = 0;
	int rc = 0;

	if (catalog_meta_get(cat, META_CONFIG, 0) == hash) {
		/* One that is under way goes on where it was. */
		if (catalog_meta_get(cat, META_RECHARGE, RECHARGE_NONE) ==
		    RECHARGE_NONE)
			rc = misses_blocks(ledger, err);
		return rc == 1 ? recharge_note(ledger, err) : rc;
	}
	rc = catalog_meta_set(cat, META_CONFIG, hash, err);
	if (rc == 0)
		rc = ask(cat,
			 "SELECT EXISTS (SELECT 1 FROM inode)"
			 " OR EXISTS (SELECT 1 FROM charge)",
			 &any, err);
	if (rc == 0 && any != 0)
		rc = recharge_note(ledger, err);
	/* Numbers of places are those of a configuration. */
	return rc < 0 ? rc : places_forget(ledger, err);
}

static int note_time(struct ledger *ledger, struct error *err)
{
	struct catalog *cat = ledger->cat;
	int64_t at = 0;
	int rc = ask(cat, "SELECT coalesce(max(at_s), 0) FROM holding", &at,
		     err);

	if (rc < 0)
		return rc;
	ledger->now_s = catalog_meta_get(cat, META_NOW, 0);
	if (ledger->now_s < at)
		ledger->now_s = at;
	ledger->watched_s = ledger_clock(ledger);
	if (catalog_meta_get(cat, META_FLOWS, 0) == 0)
		rc = catalog_meta_set(cat, META_FLOWS, ledger->watched_s, err);
	if (rc < 0 || catalog_meta_get(cat, META_FIRST, INT64_MAX) != INT64_MAX)
		return rc;
	return catalog_meta_set(cat, META_FIRST, ledger->watched_s, err);
}

/* Inside a transaction. */
static int configure(struct ledger *ledger,
		     const struct ledger_department *departments,
		     unsigned int n, struct error *err)
{
	cleanup_free uint16_t *number = calloc(n + 1, sizeof(*number));
	int32_t today = 0;
	int rc = note_time(ledger, err);

	if (number == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	today = (int32_t)(ledger->watched_s / DAY_S);
	if (rc == 0)
		rc = departments_record(ledger->cat, departments, n, today,
					number, err);
	if (rc == 0)
		rc = places_build(departments, number, n, &ledger->places, err);
	if (rc == 0)
		rc = groups_build(ledger, departments, number, n, err);
	if (rc == 0)
		rc = note_config(ledger, config_hash(departments, number, n),
				 err);
	return rc;
}

static int configure_given(struct ledger *ledger,
			   const struct ledger_department *departments,
			   unsigned int n, struct error *err)
{
	struct claims claims = { .n = 0 };
	int rc = 0;

	if (departments != NULL) {
		rc = claims_save(ledger->cat, departments, n, err);
		return rc < 0 ? rc : configure(ledger, departments, n, err);
	}
	rc = claims_load(ledger->cat, &claims, err);
	if (rc == 0)
		rc = configure(ledger, claims.department, claims.n, err);
	claims_release(&claims);
	return rc;
}

static void ledger_free(struct ledger *ledger)
{
	if (ledger == NULL)
		return;
	places_release(&ledger->places);
	free(ledger->group);
	(void)pthread_mutex_destroy(&ledger->count_lock);
	free(ledger);
}
DEFINE_CLEANUP(struct ledger *, ledger_free)

int ledger_open(struct catalog *cat, struct store *store,
		const struct ledger_department *departments, unsigned int n,
		const struct clock *clock, struct ledger **ret_ledger,
		struct error *err)
{
	CLEANUP(ledger_free) struct ledger *ledger = calloc(1, sizeof(*ledger));
	int rc = 0;

	if (ledger == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	ledger->cat = cat;
	ledger->store = store;
	ledger->clock = *clock;
	(void)pthread_mutex_init(&ledger->count_lock, NULL);
	rc = catalog_begin(cat, err);
	if (rc < 0)
		return rc;
	rc = configure_given(ledger, departments, n, err);
	if (rc < 0) {
		catalog_rollback(cat);
		return rc;
	}
	rc = catalog_commit(cat, err);
	if (rc == 0)
		rc = catalog_on_commit(cat, ledger_commit, ledger, err);
	if (rc < 0)
		return rc;
	atomic_store(&ledger->recharge_due,
		     catalog_meta_get(cat, META_RECHARGE, RECHARGE_NONE) !=
			     RECHARGE_NONE);
	if (store != NULL)
		store_on_charge(store, ledger_charged, ledger);
	*ret_ledger = take_ptr(&ledger);
	return 0;
}

void ledger_close(struct ledger *ledger)
{
	struct error err = ERROR_INIT;

	if (ledger == NULL)
		return;
	/* Its transaction writes, and charges, the events that wait. */
	if (ledger_tick(ledger, UINT64_MAX, &err) < 0)
		log_error("closing the ledger: %s", err.text);
	if (ledger->store != NULL)
		store_on_charge(ledger->store, NULL, NULL);
	if (catalog_on_commit(ledger->cat, NULL, NULL, &err) < 0)
		log_error("closing the ledger: %s", err.text);
	ledger_free(ledger);
}

/* --- now and then -------------------------------------------------------- */

static int tick(struct ledger *ledger, uint64_t state_bytes, struct error *err)
{
	const struct dept_set drive = { .n = 0 };
	int64_t now = ledger_clock(ledger);
	int rc = 0;

	if (state_bytes != UINT64_MAX)
		rc = holding_put(ledger, TIER_STATE, &drive,
				 state_bytes > INT64_MAX ? INT64_MAX
							 : (int64_t)state_bytes,
				 err);
	if (rc == 0)
		rc = holdings_accrue(ledger, err);
	if (rc == 0)
		rc = observed_add(ledger, ledger->watched_s, now, err);
	if (rc == 0)
		rc = catalog_meta_set(ledger->cat, META_NOW, now, err);
	return rc;
}

/* A commit that fails leaves these seconds unobserved: another thread may have
 * the writer by then. */
int ledger_tick(struct ledger *ledger, uint64_t state_bytes, struct error *err)
{
	int rc = catalog_begin(ledger->cat, err);

	if (rc < 0)
		return rc;
	rc = tick(ledger, state_bytes, err);
	if (rc < 0) {
		catalog_rollback(ledger->cat);
		return rc;
	}
	ledger->watched_s = ledger->now_s;
	return catalog_commit(ledger->cat, err);
}
