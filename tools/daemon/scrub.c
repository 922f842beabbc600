/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What is stored is read once a month, a pack at a time, when nobody else wants
 * the machine: only in the hours of the background packer, only after a minute
 * in which the CPUs were idle, each pack after a second in which they were, and
 * with the disk's idle class.
 */
#include <errno.h>
#include <linux/ioprio.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fs/base/log.h"
#include "tools/daemon/internal.h"

#define EVERY_S (INT64_C(30) * 86400)
#define META_AT "scrub_pack"
#define META_S	"scrub_s"
#define LOOK_MS 1000

bool scrub_is_due(int64_t last_s, int64_t now_s)
{
	return now_s - last_s >= EVERY_S || last_s > now_s;
}

static void let_others_read(void)
{
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
		      IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
}

struct background {
	struct daemon *daemon;
	uint64_t bad;
};

static bool go_on(void *ctx, uint64_t done, uint64_t total)
{
	const struct background *b = ctx;

	(void)done;
	(void)total;
	turn_give_way(&b->daemon->turn);
	let_others_read();
	return !daemon_stopping(b->daemon);
}

static void count_bad(void *ctx, const struct hash128 *content)
{
	(void)content;
	((struct background *)ctx)->bad++;
}

static void tell(struct daemon *d, uint64_t bad)
{
	struct error err = ERROR_INIT;

	if (bad == 0) {
		log_info("all that is stored was read, and is sound");
		return;
	}
	(void)error_set(&err, -SOBRE_ECORRUPT,
			"%llu contents cannot be read whole any more: sobre "
			"scrub names the files",
			(unsigned long long)bad);
	daemon_note_error(d, "background scrub", &err);
}

/* 1 when there is more. */
static int scrub_one(struct daemon *d, uint64_t *at, struct error *err)
{
	struct background b = { .daemon = d };
	int rc;

	turn_take(&d->turn, "background scrub");
	let_others_read();
	rc = daemon_stopping(d) ? error_set(err, -ECANCELED, "stopped")
				: store_scrub_next(drive_store(d->drive), at,
						   go_on, count_bad, &b, err);
	turn_give(&d->turn);
	if (rc == 0)
		tell(d, b.bad);
	return rc;
}

static bool nobody_works(struct daemon *d)
{
	struct pollfd stop = { .fd = d->stop_fd, .events = POLLIN };
	struct load before;

	load_start(&before);
	return poll(&stop, 1, LOOK_MS) == 0 && load_was_low(&before);
}

static int note_end(struct catalog *cat, int64_t now_s, struct error *err)
{
	int rc = catalog_meta_set(cat, META_S, now_s, err);

	return rc < 0 ? rc : catalog_meta_set(cat, META_AT, 0, err);
}

static int scrub_packs(struct daemon *d, struct catalog *cat, struct error *err)
{
	uint64_t at = (uint64_t)catalog_meta_get(cat, META_AT, 0);
	int rc = 1;

	while (rc > 0 && nobody_works(d)) {
		rc = scrub_one(d, &at, err);
		if (rc > 0 &&
		    catalog_meta_set(cat, META_AT, (int64_t)at, err) < 0)
			return err->code;
	}
	return rc == 0 ? note_end(cat, clock_now_s(&d->options->clock), err)
		       : rc;
}

void daemon_scrub(struct daemon *d)
{
	struct catalog *cat = drive_catalog(d->drive);
	int64_t now_s = clock_now_s(&d->options->clock);
	int64_t last_s = catalog_meta_get(cat, META_S, INT64_MIN);
	struct error err = ERROR_INIT;
	int rc = 0;

	if (d->options->readonly || daemon_stopping(d) ||
	    !setup_in_window(d->options->setup, now_s))
		return;
	if (last_s == INT64_MIN) /* a month from the first time on */
		rc = catalog_meta_set(cat, META_S, now_s, &err);
	else if (scrub_is_due(last_s, now_s))
		rc = scrub_packs(d, cat, &err);
	if (rc < 0 && rc != -ECANCELED)
		daemon_note_error(d, "background scrub", &err);
}
