/* SPDX-License-Identifier: EUPL-1.2 */
/* What a daemon does every minute beside packing. */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/log.h"
#include "fs/usage/usage.h"
#include "tools/daemon/internal.h"
#include "tools/daemon/rate.h"

#define ACCOUNTS_MAX  4096
#define MESSAGE_BYTES 256
/* Some seconds of work. */
#define COUNTED_A_TICK 100000

/* Said once for each thing that is wrong, not every minute. */
static void say_kept(struct daemon *d, const char *text,
		     const struct error *err)
{
	bool told;

	(void)pthread_mutex_lock(&d->lock);
	told = !strcmp(d->rules_told, text);
	(void)snprintf(d->rules_told, sizeof(d->rules_told), "%s", text);
	(void)pthread_mutex_unlock(&d->lock);
	if (err && !told)
		daemon_note_error(d, "the rules stay as they were", err);
}

static void keep_first(void *ctx, const char *text)
{
	char *first = ctx;

	if (!*first)
		(void)snprintf(first, MESSAGE_BYTES, "%.*s",
			       (int)strcspn(text, "\n"), text);
}

/* Broken files leave those in force as they are. */
static void reload_rules(struct daemon *d)
{
	char first[MESSAGE_BYTES] = "";
	struct setup *setup = d->options->setup;
	struct rules *now = setup_take_rules(setup);
	struct error err = ERROR_INIT;
	struct rules *read = NULL;
	int rc = rules_load(d->options->policies, setup_config(setup),
			    keep_first, first, &read, &err);
	bool same = rc == 0 && now &&
		    !memcmp(read->policy.sha256, now->policy.sha256,
			    sizeof(now->policy.sha256));

	setup_give_rules(setup, now);
	if (rc < 0 && *first)
		(void)error_set(&err, rc, "%s", first);
	say_kept(d, rc < 0 ? err.text : "", rc < 0 ? &err : NULL);
	if (rc < 0)
		return;
	if (same)
		rules_free(read);
	else
		setup_put_rules(setup, read);
}

/* In a turn: other work waits for it, and it goes after agents'. */
static void count_shares(struct daemon *d, struct ledger *ledger)
{
	struct error err = ERROR_INIT;
	int rc = 0;

	if (daemon_stopping(d) || !ledger_shares_due(ledger))
		return;
	turn_take(&d->turn, "background count");
	rc = ledger_count_shares(ledger, COUNTED_A_TICK, &d->stop, &err);
	turn_give(&d->turn);
	if (rc < 0 && rc != -ECANCELED)
		daemon_note_error(d, "ledger", &err);
}

/* For agents' questions, of which there may be many. */
static void renew_rate(struct daemon *d)
{
	const struct command_env env = { .drive = d->drive,
					 .setup = d->options->setup };
	struct rate *now = malloc(sizeof(*now));
	struct rate *old;

	if (!now)
		return;
	rate_load(&env, now);
	(void)pthread_mutex_lock(&d->lock);
	old = d->rate;
	d->rate = now;
	(void)pthread_mutex_unlock(&d->lock);
	free(old);
}

bool daemon_rate(struct daemon *d, struct rate *ret_rate)
{
	bool known;

	(void)pthread_mutex_lock(&d->lock);
	known = d->rate != NULL;
	if (known)
		*ret_rate = *d->rate;
	(void)pthread_mutex_unlock(&d->lock);
	return known;
}

void daemon_tick(struct daemon *d)
{
	struct ledger *ledger = d->drive ? drive_ledger(d->drive) : NULL;
	struct error err = ERROR_INIT;

	if (ledger &&
	    ledger_tick(ledger, drive_state_bytes(d->drive), &err) < 0)
		daemon_note_error(d, "ledger", &err);
	if (d->drive) {
		catalog_keep_room(drive_catalog(d->drive));
		renew_rate(d);
	}
	if (ledger)
		count_shares(d, ledger);
	if (d->options->policies && !daemon_stopping(d))
		reload_rules(d);
	if (d->front)
		front_tick(d->front);
}

void daemon_recharge(struct daemon *d)
{
	struct ledger *ledger = drive_ledger(d->drive);
	struct error err = ERROR_INIT;

	if (!ledger || daemon_stopping(d) || !ledger_needs_recharge(ledger))
		return;
	log_info("the departments changed: every file is charged anew");
	if (ledger_recharge(ledger, &d->stop, &err) < 0 &&
	    err.code != -ECANCELED)
		daemon_note_error(d, "ledger", &err);
	count_shares(d, ledger);
}

/* --- whose opens count -----------------------------------------------------
 */

static bool name_matches(char *const *patterns, const char *name)
{
	for (; patterns && *patterns; patterns++) {
		struct error ignored = ERROR_INIT;
		struct pattern *p = NULL;
		bool matches;

		if (pattern_new(*patterns, true, &p, &ignored) < 0)
			continue;
		matches = pattern_matches(p, name);
		pattern_free(p);
		if (matches)
			return true;
	}
	return false;
}

/* The users there are now; one made later counts until the next mount. */
static unsigned int find_accounts(char *const *patterns, uint32_t *ret_uids)
{
	unsigned int n = 0;
	struct passwd *pw;

	if (!patterns || !*patterns)
		return 0;
	/* NOLINTBEGIN(concurrency-mt-unsafe): before there are threads */
	setpwent();
	while (n < ACCOUNTS_MAX && (pw = getpwent()) != NULL)
		if (name_matches(patterns, pw->pw_name))
			ret_uids[n++] = pw->pw_uid;
	endpwent();
	/* NOLINTEND(concurrency-mt-unsafe) */
	return n;
}

int daemon_watch_use(struct daemon *d, struct error *err)
{
	const struct config *config = &d->options->setup->config;
	cleanup_free uint32_t *uids = calloc(ACCOUNTS_MAX, sizeof(*uids));
	unsigned int n;

	if (!uids)
		return error_set(err, -ENOMEM, "no memory for accounts");
	n = find_accounts(config->service_accounts, uids);
	return usage_new(
		&(struct usage_options){ .service_uids = uids,
					 .services = n,
					 .burst_files = config->burst_files,
					 .burst_s = config->burst_s },
		&d->usage, err);
}
