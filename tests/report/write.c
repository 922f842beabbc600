/* SPDX-License-Identifier: EUPL-1.2 */
/* report-sample NAME en|fr DIR: writes a sample's reports, of a
 * month and of a year, and in DIR/charter its charter. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/report/sample.h"

static int write_charter(const struct sample *s, const char *name,
			 const struct report_options *options, const char *dir,
			 struct error *err)
{
	struct report_charter charter;
	char path[4096];

	sample_charter(s, &charter);
	(void)snprintf(path, sizeof(path), "%s/charter", dir);
	(void)mkdir(path, 0755);
	if (!strcmp(name, "town"))
		sample_charter_reports(path);
	return report_charter_write(&charter, options, path, NULL, NULL, err);
}

int main(int argc, char **argv)
{
	struct report_options options = { .formats = REPORT_HTML | REPORT_CSV |
						     REPORT_JSON |
						     REPORT_PROM };
	struct error err = ERROR_INIT;
	struct sample *s;
	int rc;

	if (argc != 4 || po_init(argv[2], &err) < 0)
		return 2;
	options.lang = po_lang();
	if (strcmp(argv[2], "fr") == 0 && options.lang != PO_FR) {
		(void)fprintf(stderr, "no French catalog\n");
		return 77;
	}
	s = sample_new(argv[1]);
	if (!s)
		return 2;
	rc = report_write(&s->in, &options, argv[3], NULL, NULL, &err);
	sample_year(s);
	if (rc == 0)
		rc = report_write_year(&s->year, &options, argv[3], NULL, NULL,
				       &err);
	if (rc == 0)
		rc = write_charter(s, argv[1], &options, argv[3], &err);
	if (rc < 0)
		(void)fprintf(stderr, "%s\n", err.text);
	sample_free(s);
	return rc < 0;
}
