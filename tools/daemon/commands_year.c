/* SPDX-License-Identifier: EUPL-1.2 */
/* report --year: the city's balance. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/daemon/reporting.h"

/* In the administrators' directory, when each has its own. */
static int write_apart(struct reporting *r, const struct report_year *year,
		       struct report_options *options, struct error *err)
{
	const char *dir = r->request->out;
	cleanup_free char *path = NULL;
	int rc = readers_find(r->env->setup, NULL, 0, &r->readers, err);

	if (rc < 0)
		return rc;
	if (asprintf(&path, "%s/" REPORT_CITY_FOLDER, dir) < 0) {
		path = NULL;
		return error_set(err, -ENOMEM, "no memory for the report");
	}
	rc = report_make_place(dir, options->access, err);
	options->access = &r->readers.access[0];
	return rc < 0 ? rc
		      : report_write_year(year, options, path,
					  reporting_written, r, err);
}

static int write_year(struct reporting *r, const struct report_month *months,
		      struct error *err)
{
	const struct report_input input = reporting_input(r);
	struct report_options options = reporting_options(r);
	const struct report_year year = {
		.year = r->request->year,
		.in = &input,
		.month = months,
		.target = reporting_target(&r->env->setup->config,
					   r->request->year),
	};

	return r->request->apart
		       ? write_apart(r, &year, &options, err)
		       : report_write_year(&year, &options, r->request->out,
					   reporting_written, r, err);
}

json_t *command_year(const struct command_env *env,
		     const struct request *request, struct error *err)
{
	__attribute__((cleanup(reporting_release))) struct reporting r = {
		.env = env,
		.request = request,
		.files = json_array(),
	};
	struct report_month months[REPORT_YEAR_MONTHS];
	struct figures_source from;
	int rc = reporting_start(&r, err);

	if (rc < 0)
		return NULL;
	from = reporting_source(&r);
	rc = figures_span(&from, 12 * (request->year - 1), REPORT_YEAR_MONTHS,
			  months, err);
	if (rc < 0)
		return NULL;
	rc = write_year(&r, months, err);
	figures_release_span(months, REPORT_YEAR_MONTHS);
	return rc < 0 ? NULL : reporting_result(&r, err);
}
