/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_SOBRE_INTERNAL_H
#define SOBREFS_SOBRE_INTERNAL_H

/*
 * The command line: a table of subcommands (main.c), each a function that
 * gets its operands and returns the exit status.
 */

#include <stdbool.h>
#include <stddef.h>

#include "fs/base/error.h"
#include "fs/base/units.h"
#include "tools/daemon/daemon.h"
#include "tools/po/po.h"

enum exit_status {
	EXIT_DONE = 0,
	EXIT_REFUSED = 1,
	EXIT_USAGE = 2
};

/* --- args.c -----------------------------------------------------------------
 */

/* An option is a flag or has a value: one of the two is not NULL. */
struct arg_option {
	const char *name; /* "--now" */
	bool *flag;
	const char **value;
};

/*
 * "--flag", "--name VALUE", "--name=VALUE", "--" ends them. Operands are
 * moved to the front of `argv`; returns how many, or -EINVAL.
 */
int args_parse(char **argv, const struct arg_option *options, size_t n,
	       struct error *err);

/* --- what all commands have
 * --------------------------------------------------- */

struct cli {
	char **operands;
	size_t n;
	bool json;
	bool now;
	bool all;
	bool rebuild;
	bool foreground;
	bool readonly;
	bool no_passthrough;
	bool no_uring;
	bool no_idle_class;
	const char *state;
	const char *grace;
	const char *config;
	const char *policies;
	const char *drive;
	const char *month;
	const char *year;
	const char *department;
	const char *format;
	const char *out;
	const char *per_department;
	const char *charter; /* report: a year */
	bool mail;
	bool again;
	const char *as_of;
	const char *sample;
	const char *report;
	bool csv;
	bool due;
	const char *correct;
};

int cmd_mount(const struct cli *cli);
int cmd_umount(const struct cli *cli);
int cmd_status(const struct cli *cli);
int cmd_pack(const struct cli *cli);
int cmd_unpack(const struct cli *cli);
int cmd_explain(const struct cli *cli);
int cmd_fsck(const struct cli *cli);
int cmd_gc(const struct cli *cli);
int cmd_scrub(const struct cli *cli);
int cmd_accept(const struct cli *cli);
int cmd_du(const struct cli *cli);
int cmd_policy(const struct cli *cli);
int cmd_report(const struct cli *cli);
int cmd_month(const struct cli *cli);
/* "2026-09", or "last": the one before this. */
bool month_parse(const char *text, int32_t *ret_month);
int cmd_assess(const struct cli *cli);

/* --- place.c: which drive a path belongs to
 * -------------------------------------- */

struct place {
	char uuid[UUID_TEXT_BYTES]; /* "" when not known: not mounted */
	char *root;  /* the mountpoint, or the lower when not mounted */
	char *rel;   /* of the path, from the root; "" for itself */
	bool served; /* a daemon answers for it */
	bool dead;   /* mounted, but the daemon has died */
};

void place_release(struct place *place);
static inline void place_release_at(struct place *place)
{
	place_release(place);
}
#define cleanup_place __attribute__((cleanup(place_release_at)))

/* `follow`: the path's last component if it is a link; not for operands that
 * are files, among which what exists goes before the name of a drive. `state`:
 * as of --state, or NULL. -ENOENT: in no drive. */
int place_find(const char *path, bool follow, const char *state,
	       struct place *ret_place, struct error *err);
/* The drive of --drive, else the one that is mounted; -EINVAL: which of them?
 */
int place_choose(const struct cli *cli, struct place *ret_place,
		 struct error *err);
/* Pure: 1 when a mounted drive serves the canonical path. -ENOMEM. */
int place_in_mounts(const struct mount_table *table, const char *path,
		    struct place *ret_place, struct error *err);

/* --- client.c
 * -------------------------------------------------------------------- */

/* Called with the inside of each progress message, borrowed. */
typedef void client_progress_fn(void *ctx, const json_t *progress);

/* Asks the daemon, or does it here when the drive isn't mounted. The result
 * is the caller's; NULL on failure. */
json_t *client_call(const struct cli *cli, const struct place *place,
		    const struct request *request, client_progress_fn *progress,
		    void *ctx, struct error *err);

/* Every operand into the request; all must be of one drive. */
int take_paths(const struct cli *cli, struct place *ret_place,
	       struct request *request, struct error *err);
/* client_call() with a progress bar. */
json_t *call_with_bar(const struct cli *cli, const struct place *place,
		      const struct request *request, struct error *err);

/* --- out.c
 * ------------------------------------------------------------------------- */

/* "sobre: text" on standard error, and what to do about it when the machine is
 * to blame. Returns EXIT_REFUSED. */
int out_error(const struct error *err);
int out_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* advice.c: a line on standard error for some errors, none for others. */
void out_advice(int code);
/* Prints the object, a line. Returns the status. */
int out_json(const json_t *value, int status);
/* A size in the reader's language. */
struct size_text {
	char text[UNITS_TEXT_MAX];
};
struct size_text out_size(uint64_t size_bytes);
struct size_text out_duration(int64_t duration_s);
/* To two significant digits, as precise as the energy model is. */
struct size_text out_amount(double value);

/* Each text of an array, as json_from_name() makes them, on a line after
 * `prefix`. */
void out_texts(FILE *to, const char *prefix, const json_t *texts);
/* The failed checks of a closed month, a line each after `prefix`. */
void out_checks(FILE *to, const char *prefix, const json_t *checked);

/* A progress bar on standard error: none when that is no terminal, nor
 * before a second has passed. */
struct bar {
	bool on;
	int64_t start_ms;
	int64_t drawn_ms; /* 0: nothing on the screen */
};
void bar_start(struct bar *bar);
void bar_clear(struct bar *bar);
/* A client_progress_fn on a struct bar. */
void bar_progress(void *ctx, const json_t *progress);

/* Shorthands over jansson: 0 and "" when missing. The type is one that
 * printf() has a letter for: texts with PRIu64 can't be translated. */
unsigned long long json_u64(const json_t *object, const char *key);
const char *json_text(const json_t *object, const char *key);
/* A name of either form, for printing; the caller's; never NULL but without
 * memory. */
char *json_name(const json_t *object, const char *key);

#endif
