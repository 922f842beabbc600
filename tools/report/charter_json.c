/* SPDX-License-Identifier: EUPL-1.2 */
/* docs/design/report.md, "The charter". */
#include "tools/report/charter.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define JSON_SCHEMA 1

const char *charter_unit_name(enum charter_unit unit)
{
	static const char *const names[] = {
		[CHARTER_GRAMS] = "gCO2e",  [CHARTER_KILOGRAMS] = "kgCO2e",
		[CHARTER_KWH] = "kWh",	    [CHARTER_YEARS] = "year",
		[CHARTER_MONTHS] = "month", [CHARTER_BYTES] = "byte",
		[CHARTER_TB] = "TB",	    [CHARTER_RATIO] = "ratio",
		[CHARTER_PERCENT] = "%",    [CHARTER_SECONDS] = "s",
		[CHARTER_COUNT] = "number",
	};

	return names[unit];
}

const char *charter_source_name(enum charter_source source)
{
	static const char *const names[] = {
		[CHARTER_FROM_MONTHS] = "closed_months",
		[CHARTER_FROM_FILES] = "published_files",
		[CHARTER_FROM_DRIVE] = "drive",
		[CHARTER_FROM_NOTHING] = "none",
	};

	return names[source];
}

static json_t *number(bool known, micro v)
{
	return known ? json_integer(v) : json_null();
}

/* In English: it is for programs. */
static json_t *indicator_json(const struct charter_page *c, unsigned int i)
{
	const struct charter_indicator *of = &charter_indicators[i];
	const struct charter_figure *f = &c->figure[i];
	bool range = f->known && f->has_interval;
	bool aim = c->in->target && c->in->target[i] >= 0;

	return json_pack(
		"{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "id",
		of->id, "label", of->label, "unit", charter_unit_name(of->unit),
		"value_micro", number(f->known, f->value), "low_micro",
		number(range, f->low), "high_micro", number(range, f->high),
		"before_micro", number(f->has_before, f->before),
		"target_micro", number(aim, aim ? c->in->target[i] : 0),
		"source", charter_source_name(of->source), "why",
		f->known || !f->why ? json_null() : json_string(f->why));
}

static json_t *row_json(const struct charter_page *c, unsigned int row)
{
	json_t *indicators = json_array();

	for (unsigned int i = 0; i < REPORT_CHARTER_INDICATORS; i++)
		if (charter_indicators[i].row == row)
			(void)json_array_append_new(indicators,
						    indicator_json(c, i));
	return json_pack("{s:i, s:s, s:s, s:o}", "number", (int)row, "title",
			 charter_rows[row - 1].title, "does",
			 charter_rows[row - 1].does, "indicators", indicators);
}

static json_t *rows_json(const struct charter_page *c)
{
	json_t *rows = json_array();

	for (unsigned int row = 1; row <= REPORT_CHARTER_ROWS; row++)
		(void)json_array_append_new(rows, row_json(c, row));
	return rows;
}

static json_t *charter_to_json(const struct charter_page *c)
{
	cleanup_buf struct buf name;
	struct num made = date_iso(c->in->made_s);

	buf_init(&name, REPORT_FILE_MAX);
	text_utf8(&name, c->in->drive);
	(void)buf_put_u8(&name, 0);
	if (buf_error(&name))
		return NULL;
	return json_pack("{s:i, s:s, s:i, s:s, s:i, s:i, s:o}", "schema",
			 JSON_SCHEMA, "drive", (const char *)name.data, "year",
			 c->in->year, "made", made.s, "months_closed",
			 (int)charter_closed(c->in, c->in->year),
			 "months_closed_before",
			 (int)charter_closed(c->in, c->in->year - 1),
			 "commitments", rows_json(c));
}

/* Whole, or not: an array that could not grow has fewer. */
static bool is_whole(const json_t *root)
{
	const json_t *rows = json_object_get(root, "commitments");
	size_t n = 0;
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) n +=
		json_array_size(json_object_get(row, "indicators"));
	return json_array_size(rows) == REPORT_CHARTER_ROWS &&
	       n == REPORT_CHARTER_INDICATORS;
}

int charter_json(const struct charter_page *c, struct buf *out,
		 struct error *err)
{
	json_t *root = charter_to_json(c);
	char *text =
		is_whole(root)
			? json_dumps(root, JSON_INDENT(1) | JSON_ENSURE_ASCII)
			: NULL;
	int rc = text ? buf_put_str(out, text) : -ENOMEM;

	if (rc == 0)
		rc = buf_put_u8(out, '\n');
	free(text);
	json_decref(root);
	return rc < 0 ? error_set(err, rc, "cannot make the charter: %s",
				  error_words(rc))
		      : 0;
}
