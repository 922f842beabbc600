/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_DAEMON_SETUP_H
#define SOBREFS_DAEMON_SETUP_H

/*
 * What an administrator set up for a drive: drive.yaml and the rules, read
 * and ready for use. /etc/sobre/<name>/ holds them; --config and --policies
 * name others.
 */

#include <pthread.h>
#include <stdbool.h>

#include "fs/base/error.h"
#include "fs/energy/energy.h"
#include "fs/ledger/ledger.h"
#include "policy/config/config.h"
#include "policy/eval/eval.h"
#include "tools/report/report.h"

#define ETC_DIR "/etc/sobre"

/* Where they are; NULL: none. All owned. */
struct setup_paths {
	char *config;
	char *policies;
};
void setup_paths_release(struct setup_paths *paths);
static inline void setup_paths_release_at(struct setup_paths *paths)
{
	setup_paths_release(paths);
}
#define cleanup_setup_paths __attribute__((cleanup(setup_paths_release_at)))

/*
 * `config`, `policies`: as of --config and --policies, or NULL. Then, for the
 * drive whose lower is at `lower` (canonical), what /etc/sobre/<name>/ has,
 * where drive.yaml says `lower: <that path>`. -EEXIST: two of them say so.
 */
int setup_paths_find(const char *config, const char *policies,
		     const char *lower, struct setup_paths *ret_paths,
		     struct error *err);
/* The lower of the drive configured as `name`; owned. 0 when there is no
 * such name, 1 when there is. */
int setup_lower_of(const char *name, char **ret_lower, struct error *err);

/* The rules that are in force, and where they came from. */
struct rules {
	struct policy policy;
	struct eval *eval;
	unsigned int users; /* setup.lock */
};
void rules_free(struct rules *rules);
DEFINE_CLEANUP(struct rules *, rules_free)
/* Messages about what is wrong go to `say`. `config`: its departments are
 * those that rules may name; NULL: any. */
int rules_load(const char *dir_path, const struct config *config,
	       void (*say)(void *ctx, const char *text), void *ctx,
	       struct rules **ret_rules, struct error *err);

struct setup {
	struct config config;
	struct coef_set coefs;
	/* 10^-6 of the indicator's unit; -1: none. */
	micro charter_target[REPORT_CHARTER_INDICATORS];
	bool configured; /* there was a drive.yaml */
	char *name;	 /* of ETC_DIR/<name>/drive.yaml; owned; NULL */
	/* Borrow from `config`; groups that don't exist are left out. */
	struct ledger_department *department;
	uint32_t **gids; /* [departments], owned */
	unsigned int departments;
	struct pattern **exclude; /* owned; NULL ends */
	/* NULL: none. May be replaced while a daemon runs: setup_take_rules(),
	 * but for who made the setup and shares it with nobody. */
	struct rules *rules;
	pthread_mutex_t lock; /* guards `rules` and rules->users */
};
/* False: there is no such group. */
bool setup_find_group(const char *name, uint32_t *ret_gid);
/* The rules in force, until given back; NULL: none. */
struct rules *setup_take_rules(struct setup *setup);
void setup_give_rules(struct setup *setup, struct rules *rules);
/* Others from now on; takes `rules`. */
void setup_put_rules(struct setup *setup, struct rules *rules);
void setup_free(struct setup *setup);
DEFINE_CLEANUP(struct setup *, setup_free)
/* `root_fd`: of the lower, to check paths; -1: don't. `say` gets warnings
 * too. */
int setup_load(const struct setup_paths *paths, int root_fd,
	       void (*say)(void *ctx, const char *text), void *ctx,
	       struct setup **ret_setup, struct error *err);
/* Whose a file is, where no ledger says: by path, then by group. An index;
 * `departments`: nobody's. */
unsigned int setup_department(const struct setup *setup, const char *path,
			      uint32_t gid);

/* --- setup_pack.c: of packing --- */

/* NULL: there was no drive.yaml. */
static inline const struct config *setup_config(const struct setup *setup)
{
	return setup->configured ? &setup->config : NULL;
}
/* To be cold: without write for so long. */
int64_t setup_min_age_s(const struct setup *setup);
bool setup_excludes(const struct setup *setup, const char *path);
/* drive_options.excluded; `setup` is one. */
bool setup_excluded(void *setup, const char *path);
/* False: the background may pack at any time of the day. */
bool setup_has_window(const struct setup *setup);
/* May it now? The window is of local time, from its first minute to before
 * its last, over midnight if that comes first. */
bool setup_in_window(const struct setup *setup, int64_t now_s);
/* Minutes since midnight: "06:00". */
void setup_time_text(unsigned int minutes, char ret_text[8]);
/* setup.c's. */
int setup_exclude_make(struct setup *setup, struct error *err);
void setup_exclude_free(struct setup *setup);

/* A `say` that writes on standard error. */
void setup_say(void *ctx, const char *text);

#endif
