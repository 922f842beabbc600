/* SPDX-License-Identifier: EUPL-1.2 */
/* What drive.yaml says of packing: what never, from what age, and when. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tools/daemon/setup.h"

#define DEFAULT_MIN_AGE_S INT64_C(86400)

int64_t setup_min_age_s(const struct setup *setup)
{
	return setup->config.pack_min_age_s >= 0 ? setup->config.pack_min_age_s
						 : DEFAULT_MIN_AGE_S;
}

/* --- exclude ---------------------------------------------------------------
 */

int setup_exclude_make(struct setup *setup, struct error *err)
{
	char *const *text = setup->config.pack_exclude;
	size_t n = 0;

	while (text && text[n])
		n++;
	setup->exclude = calloc(n + 1, sizeof(struct pattern *));
	if (!setup->exclude)
		return error_set(err, -ENOMEM,
				 "no memory for the configuration");
	for (size_t i = 0; i < n; i++) {
		int rc = pattern_new(text[i], false, &setup->exclude[i], err);

		if (rc < 0)
			return error_prefix(err, "%s: pack.exclude",
					    setup->config.file);
	}
	return 0;
}

void setup_exclude_free(struct setup *setup)
{
	for (size_t i = 0; setup->exclude && setup->exclude[i]; i++)
		pattern_free(setup->exclude[i]);
	free(setup->exclude);
}

bool setup_excludes(const struct setup *setup, const char *path)
{
	for (size_t i = 0; setup->exclude[i]; i++)
		if (pattern_matches(setup->exclude[i], path))
			return true;
	return false;
}

bool setup_excluded(void *setup, const char *path)
{
	return setup_excludes(setup, path);
}

/* --- window ----------------------------------------------------------------
 */

bool setup_has_window(const struct setup *setup)
{
	return setup->config.pack_from_min != setup->config.pack_until_min;
}

bool setup_in_window(const struct setup *setup, int64_t now_s)
{
	const int from = setup->config.pack_from_min;
	const int until = setup->config.pack_until_min;
	time_t at = (time_t)now_s;
	struct tm tm;
	int now;

	if (from == until || !localtime_r(&at, &tm))
		return true;
	now = 60 * tm.tm_hour + tm.tm_min;
	if (from < until)
		return now >= from && now < until;
	return now >= from || now < until; /* over midnight */
}

void setup_time_text(unsigned int minutes, char ret_text[8])
{
	(void)snprintf(ret_text, 8, "%02u:%02u", minutes / 60 % 100,
		       minutes % 60);
}
