/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/log.h"
#include "tools/daemon/internal.h"

/* Of each minute, for looking at what can't be packed. */
#define VAIN_NS (2 * NS_PER_S)

int daemon_ways(struct daemon *d, struct way_list *ret_list, struct error *err)
{
	const struct ways_place place = {
		.lower = d->options->lower,
		.lower_root = d->lower_root,
		.mountpoint = d->options->mountpoint,
		.run_dir = d->run_dir,
		.source = d->source,
		.dev = d->dev,
		.mount_dev = d->mount_dev,
		.self = getpid(),
	};
	int rc = ways_find(&place, ret_list, err);

	if (rc < 0)
		return rc;
	rc = ways_read_accepted(d->state_fd, ret_list, err);
	if (rc < 0)
		way_list_release(ret_list);
	return rc;
}

/* "'pid 7 (smbd) cwd /srv', 'mount /mnt/x'", cut where it gets long. */
static size_t list_open_ways(const struct way_list *list, char *text,
			     size_t size)
{
	size_t used = 0;
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < list->n; i++) {
		int len;

		if (list->ways[i].accepted)
			continue;
		n++;
		len = used >= size
			      ? -1
			      : snprintf(text + used, size - used, "%s'%s'",
					 used ? ", " : "", list->ways[i].name);
		if (len < 0 || (size_t)len >= size - used) {
			text[used < size ? used : size - 1] = '\0';
			used = size; /* counted, not named */
		} else {
			used += (size_t)len;
		}
	}
	return n;
}

int daemon_check_ways(struct daemon *d, struct error *err)
{
	cleanup_ways struct way_list list = { .ways = NULL };
	char names[300];
	size_t n;
	int rc = daemon_ways(d, &list, err);

	if (rc < 0)
		return rc;
	n = list_open_ways(&list, names, sizeof(names));
	if (n == 0)
		return 0;
	if (n == 1)
		return error_set(err, -EBUSY,
				 "nothing is packed while there is another way "
				 "into the drive: %s; end it or run sobre "
				 "accept",
				 names);
	return error_set(err, -EBUSY,
			 "nothing is packed while there are %zu other ways "
			 "into the drive: %s; end them or run sobre accept",
			 n, names);
}

/* Said once in the log, until they have gone or been accepted. */
static bool ways_are_open(struct daemon *d)
{
	struct error err = ERROR_INIT;
	int rc = daemon_check_ways(d, &err);
	bool told;

	(void)pthread_mutex_lock(&d->lock);
	told = d->ways_told;
	d->ways_told = rc < 0;
	(void)pthread_mutex_unlock(&d->lock);
	if (rc < 0 && !told)
		log_warn("%s", err.text);
	return rc < 0;
}

/*
 * Whatever keeps files from being packed (they are excluded, or of a mode or
 * size that somebody chose for them), others stand behind them: so rounds in
 * vain go on, but for a part of the minute, lest what can't be packed be gone
 * through for ever.
 */
bool pack_goes_on(const struct pack_report *report, int tried, int64_t took_ns,
		  int64_t *vain_ns)
{
	if (tried != PACK_ROUND_FILES)
		return false;
	*vain_ns = report->count[PACK_DONE] > 0 ? 0 : *vain_ns + took_ns;
	return *vain_ns < VAIN_NS;
}

static int64_t monotonic_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return timespec_ns(ts);
}

static void note_errors(struct daemon *d, const struct pack_report *report)
{
	if (report->last_error.code < 0)
		daemon_note_error(d, report->last_error_path,
				  &report->last_error);
}

static bool not_stopping(void *daemon)
{
	return !daemon_stopping(daemon);
}

/* True when there may be more to do at once. */
static bool pack_round(struct daemon *d, bool idle, int64_t *vain_ns)
{
	const struct pack_options options = { .idle = idle,
					      .go_on = not_stopping,
					      .ctx = d };
	struct pack_report report = { .last_error = ERROR_INIT };
	struct error err = ERROR_INIT;
	int64_t start_ns = 0;
	int tried = 0;

	if (!setup_in_window(d->options->setup,
			     clock_now_s(&d->options->clock)))
		return false;
	turn_take(&d->turn, "background pack");
	start_ns = monotonic_ns();
	if (!daemon_stopping(d) && !ways_are_open(d))
		tried = drive_pack_cold(d->drive, PACK_ROUND_FILES, &options,
					&report, &err);
	turn_give(&d->turn);
	if (tried < 0)
		daemon_note_error(d, "background packing", &err);
	note_errors(d, &report);
	return pack_goes_on(&report, tried, monotonic_ns() - start_ns, vain_ns);
}

void *packer_main(void *daemon)
{
	struct daemon *d = daemon;
	struct pollfd stop = { .fd = d->stop_fd, .events = POLLIN };

	while (!daemon_stopping(d)) {
		int64_t vain_ns = 0;
		struct load before;
		bool idle;

		load_start(&before);
		if (poll(&stop, 1, PACK_ROUND_S * 1000) != 0)
			continue; /* stopping, or a signal */
		idle = load_was_low(&before);
		daemon_tick(d);
		while (pack_round(d, idle, &vain_ns) && !daemon_stopping(d))
			;
		if (idle)
			daemon_scrub(d);
	}
	return NULL;
}
