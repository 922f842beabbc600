/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* docs/design/report.md, "JSON". Integers only; what may not fit 64 bits is
 * decimal text. */

#define JSON_SCHEMA 1

/* A failed allocation sticks in the object: it becomes NULL at the end. */
struct object {
	json_t *json;
	bool *failed;
};

static void put(const struct object *o, const char *key, json_t *value)
{
	if (json_object_set_new(o->json, key, value) < 0)
		*o->failed = true;
}

static struct object object(bool *failed)
{
	return (struct object){ json_object(), failed };
}

json_t *json_utf8(const char *s)
{
	cleanup_buf struct buf text;

	buf_init(&text, REPORT_FILE_MAX);
	text_utf8(&text, s);
	(void)buf_put_u8(&text, 0);
	return buf_error(&text) ? NULL : json_string((const char *)text.data);
}

static void put_text(const struct object *o, const char *key, const char *s)
{
	put(o, key, json_utf8(s));
}

static void put_int(const struct object *o, const char *key, uint64_t v)
{
	put(o, key, json_integer(v > INT64_MAX ? INT64_MAX : (json_int_t)v));
}

static void put_time(const struct object *o, const char *key, int64_t at_s)
{
	struct num n = date_iso(at_s);

	put_text(o, key, n.s);
}

static void put_wide(const struct object *o, const char *key, uint128 v)
{
	char text[WIDE_TEXT_MAX];

	put(o, key, json_string(wide_text(v, text)));
}

static void append(const struct object *o, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) < 0)
		*o->failed = true;
}

static void put_amount(const struct object *o, const char *key,
		       const struct energy_amount *a)
{
	struct object amount = object(o->failed);

	put_int(&amount, "own", a->own);
	put_int(&amount, "shared", a->shared);
	put_int(&amount, "activity", a->activity);
	put_int(&amount, "all", a->all);
	put(o, key, amount.json);
}

static void put_energy(const struct object *o, const struct energy_line *e)
{
	put_wide(o, "own_byte_s", e->own_byte_s);
	put_wide(o, "shared_byte_s", e->shared_byte_s);
	put_wide(o, "logical_byte_s", e->logical_byte_s);
	put_amount(o, "energy_mwh", &e->mwh);
	put_amount(o, "cost_ueur", &e->ueur);
	put_amount(o, "use_ugco2e", &e->use_ug);
	put_amount(o, "build_ugco2e", &e->build_ug);
}

static json_t *line_json(const struct page *p, const struct line *line,
			 bool *failed)
{
	static const char *const kinds[] = {
		[LINE_DEPARTMENT] = "department",
		[LINE_FORMER] = "former",
		[LINE_OVERHEAD] = "drive",
		[LINE_RESERVE] = "reserve",
	};
	struct object o = object(failed);

	put_text(&o, "kind", kinds[line->kind]);
	if (line->kind == LINE_DEPARTMENT) {
		put_int(&o, "number", line->department->number);
		put_text(&o, "id", line->department->id);
	}
	put_text(&o, "name", line_name(line, p->lang));
	put_energy(&o, &line->energy);
	return o.json;
}

static void put_lines(const struct object *o, const struct page *p)
{
	struct energy_line total = line_for(p->month, p->department);
	struct object sum = object(o->failed);
	json_t *lines = json_array();

	for (unsigned int i = 0; p->lines && i < p->lines->n; i++) {
		const struct line *line = &p->lines->line[i];

		if (!p->department || line->department == p->department)
			append(o, lines, line_json(p, line, o->failed));
	}
	put(o, "lines", lines);
	put_energy(&sum, &total);
	put(o, "total", sum.json);
}

static const char *seen_word(const struct report_month *m, int64_t made_s)
{
	static const char *const words[] = {
		[SEEN_FUTURE] = "future",
		[SEEN_NEVER] = "never",
		[SEEN_PART] = "part",
		[SEEN_WHOLE] = "whole",
	};

	return words[month_seen(m, made_s)];
}

static json_t *month_json(const struct page *p, const struct report_month *m,
			  bool *failed)
{
	struct energy_line e = line_for(m, p->department);
	struct object o = object(failed);
	struct num name = date_month_iso(m->month);

	put_text(&o, "month", name.s);
	put_text(&o, "seen", seen_word(m, p->in->made_s));
	put_wide(&o, "logical_byte_s", e.logical_byte_s);
	put_int(&o, "energy_mwh", e.mwh.all);
	put_int(&o, "cost_ueur", e.ueur.all);
	put_int(&o, "use_ugco2e", e.use_ug.all);
	put_int(&o, "build_ugco2e", e.build_ug.all);
	return o.json;
}

static void put_months(const struct object *o, const struct page *p)
{
	json_t *months = json_array();

	for (unsigned int i = 0; i < p->in->months; i++)
		append(o, months, month_json(p, &p->in->month[i], o->failed));
	put(o, "months", months);
}

static void put_flagged(const struct object *o, const struct page *p,
			const struct report_rule *r)
{
	json_t *files = json_array();

	for (unsigned int i = 0; i < r->n_flagged; i++) {
		struct object file = object(o->failed);

		if (r->flagged[i].department != p->department->number) {
			json_decref(file.json);
			continue;
		}
		put_text(&file, "path", r->flagged[i].path);
		put_int(&file, "bytes", r->flagged[i].size_bytes);
		put_text(&file, "reason", r->flagged[i].reason);
		append(o, files, file.json);
	}
	put(o, "biggest", files);
}

static json_t *rule_json(const struct page *p, const struct report_rule *r,
			 bool *failed)
{
	struct object o = object(failed);
	uint16_t number = p->department ? p->department->number : 0;
	bool counted = number < p->in->numbers;

	put_text(&o, "id", r->id);
	put_text(&o, "label", r->label);
	put_text(&o, "source", r->source);
	if (!p->department) {
		put_int(&o, "files", r->files);
		put_int(&o, "bytes", r->bytes);
		return o.json;
	}
	put_int(&o, "files", counted ? r->files_of[number] : 0);
	put_int(&o, "bytes", counted ? r->bytes_of[number] : 0);
	put_flagged(&o, p, r);
	return o.json;
}

static void put_rules(const struct object *o, const struct page *p)
{
	struct object none = object(o->failed);
	json_t *rules = json_array();
	bool has = p->in->unmatched_files_of && p->in->unmatched_bytes_of;

	for (unsigned int i = 0; i < p->in->rules; i++)
		append(o, rules, rule_json(p, &p->in->rule[i], o->failed));
	put(o, "rules", rules);
	if (!p->department) {
		put_int(&none, "files", p->in->unmatched_files);
		put_int(&none, "bytes", p->in->unmatched_bytes);
	} else if (has && p->department->number < p->in->numbers) {
		uint16_t i = p->department->number;

		put_int(&none, "files", p->in->unmatched_files_of[i]);
		put_int(&none, "bytes", p->in->unmatched_bytes_of[i]);
	}
	put(o, "unmatched", none.json);
}

static json_t *coef_json(const struct coef *c, bool *failed)
{
	struct object o = object(failed);
	char quality[2] = { c->quality, '\0' };

	put_text(&o, "id", c->id);
	put(&o, "low_micro", json_integer(c->low));
	put(&o, "value_micro", json_integer(c->value));
	put(&o, "high_micro", json_integer(c->high));
	put_text(&o, "unit", c->unit);
	put_text(&o, "quality", quality);
	put_text(&o, "source", c->source);
	put_text(&o, "url", c->url);
	put_int(&o, "source_year", c->source_year);
	put(&o, "configured", json_boolean(c->configured));
	return o.json;
}

static void put_coefs(const struct object *o, const struct page *p)
{
	char version[COEF_VERSION_BYTES];
	json_t *coefs = json_array();

	coef_set_version(p->in->coefs, version);
	put_text(o, "coefficient_set", version);
	for (unsigned int i = 0; i < COEFS; i++)
		append(o, coefs, coef_json(&p->in->coefs->coef[i], o->failed));
	put(o, "coefficients", coefs);
}

static void put_subject(const struct object *o, const struct page *p)
{
	struct object department = object(o->failed);

	put_text(o, "drive", p->in->drive);
	if (!p->department) {
		json_decref(department.json);
		return;
	}
	put_int(&department, "number", p->department->number);
	put_text(&department, "id", p->department->id);
	put_text(&department, "name", p->department->name);
	put(o, "department", department.json);
}

/* Of the drive: in the city's alone. */
static void put_savings(const struct object *o, const struct page *p)
{
	const struct report_savings *s = p->in->savings;
	struct object by = object(o->failed);

	if (!s || p->department) {
		json_decref(by.json);
		return;
	}
	put_int(&by, "copies", s->copies);
	put_int(&by, "parts", s->parts);
	put_int(&by, "compression", s->compression);
	put_int(&by, "blocks", s->blocks);
	put_int(&by, "overhead", s->overhead);
	put(o, "saved_by", by.json);
}

/* Numbers are what the books say, and what there is, in bytes. */
static json_t *check_json(const struct report_check *check, bool *failed)
{
	struct object o = object(failed);

	put_text(&o, "name", check->name);
	put_text(&o, "text", check->text);
	if (check->has_numbers) {
		put_wide(&o, "counted", check->counted);
		put_wide(&o, "found", check->found);
	}
	return o.json;
}

static void put_failed(const struct object *o,
		       const struct report_checks *checks)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < checks->n && i < REPORT_CHECKS; i++)
		append(o, list, check_json(&checks->check[i], o->failed));
	put(o, "failed", list);
	put_int(o, "n_failed", checks->n);
}

/* null: not closed. The totals of the version before are of the whole drive. */
static void put_closed(const struct object *o, const struct report_month *m)
{
	struct object closed = { .failed = o->failed };

	if (m->version == 0) {
		put(o, "closed", json_null());
		return;
	}
	closed = object(o->failed);
	put_int(&closed, "version", m->version);
	put_time(&closed, "at", m->closed_s);
	put_failed(&closed, &m->failed);
	if (m->version > 1) {
		put_text(&closed, "reason", m->reason);
		put_int(&closed, "before_mwh", m->before_mwh);
		put_int(&closed, "before_ueur", m->before_ueur);
		put_int(&closed, "before_use_ugco2e", m->before_use_ug);
		put_int(&closed, "before_build_ugco2e", m->before_build_ug);
	}
	put(o, "closed", closed.json);
}

static void put_month(const struct object *o, const struct page *p)
{
	const struct report_month *m = p->month;
	struct num name = date_month_iso(m->month);
	const struct energy_month *e = &m->energy;

	put_text(o, "month", name.s);
	put_text(o, "seen", seen_word(m, p->in->made_s));
	put(o, "assessed", json_boolean(p->in->assessed));
	put_time(o, "made", p->in->made_s);
	if (month_seen(m, p->in->made_s) < SEEN_PART)
		return;
	put_time(o, "counted_from", m->end_s - month_counted_s(m));
	put_time(o, "counted_to", m->end_s);
	put(o, "observed_s", json_integer(m->observed_s));
	put(o, "measured", json_boolean(e->measured));
	put_closed(o, m);
	put(o, "uncertainty_energy_micro", json_integer(e->uncertainty_energy));
	put(o, "uncertainty_use_micro", json_integer(e->uncertainty));
	put(o, "uncertainty_build_micro", json_integer(e->uncertainty_build));
}

void json_tags(struct buf *out, const char *key, const char *value)
{
	bool failed = false;
	struct object o = object(&failed);
	cleanup_free char *text = NULL;

	put_text(&o, key, value);
	if (!failed)
		text = json_dumps(o.json, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(o.json);
	if (text)
		(void)buf_put_str(out, text);
	else
		out->failure = -ENOMEM;
}

int json_write(const struct page *p, struct buf *out, struct error *err)
{
	bool failed = false;
	struct object o = object(&failed);
	cleanup_free char *text = NULL;
	size_t flags = JSON_INDENT(1) | JSON_ENSURE_ASCII;

	put(&o, "schema", json_integer(JSON_SCHEMA));
	put_subject(&o, p);
	put_month(&o, p);
	put_lines(&o, p);
	put_savings(&o, p);
	if (!p->department)
		put(&o, "city", city_json(p->in));
	put_months(&o, p);
	put(&o, "flows", flows_json(p));
	put(&o, "files", stock_json(p));
	put_rules(&o, p);
	put_coefs(&o, p);
	if (!failed)
		text = json_dumps(o.json, flags);
	json_decref(o.json);
	if (!text)
		return error_set(err, -ENOMEM, "cannot make the JSON: %s",
				 error_words(-ENOMEM));
	(void)buf_put_str(out, text);
	(void)buf_put_str(out, "\n");
	if (buf_error(out))
		return error_set(err, buf_error(out), "cannot make the JSON");
	return 0;
}
