/* SPDX-License-Identifier: EUPL-1.2 */
/* The year's files for programs and for a spreadsheet. */
#include "tools/report/year.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define YEAR_SCHEMA 1

static void put(struct buf *out, const char *s)
{
	(void)buf_put_str(out, s);
}

static void put_number(struct buf *out, const char *separator, uint128 v,
		       unsigned int decimals, char point)
{
	put(out, separator);
	num_plain(out, v, decimals, point);
}

static const char *kind_word(enum line_kind kind)
{
	static const char *const words[] = {
		[LINE_DEPARTMENT] = "department",
		[LINE_FORMER] = "former",
		[LINE_OVERHEAD] = "drive",
		[LINE_RESERVE] = "reserve",
	};

	return words[kind];
}

static const char *seen_word(const struct balance *b,
			     const struct report_month *m)
{
	static const char *const words[] = {
		[SEEN_FUTURE] = "future",
		[SEEN_NEVER] = "never",
		[SEEN_PART] = "part",
		[SEEN_WHOLE] = "whole",
	};

	return words[month_seen(m, b->of->in->made_s)];
}

/* --- for programs ----------------------------------------------------------
 */

static void put_line(const struct balance *b, struct buf *out,
		     const struct report_month *m, const struct line *line)
{
	const struct energy_line *e = &line->energy;
	struct num month = date_month_iso(m->month);
	struct num version = num_printf("%u", m->version);
	micro u = m->energy.uncertainty_energy;

	put(out, month.s);
	put(out, ",");
	put(out, seen_word(b, m));
	put(out, ",");
	put(out, m->version > 0 ? version.s : "");
	put(out, ",");
	put(out, kind_word(line->kind));
	put(out, ",");
	if (line_id(line))
		text_csv(out, line_id(line));
	put(out, ",");
	text_csv(out, line_name(line, b->p->lang));
	put_number(out, ",", e->logical_byte_s, 0, '.');
	put_number(out, ",", e->own_byte_s + e->shared_byte_s, 0, '.');
	put_number(out, ",", e->mwh.all, 6, '.');
	put_number(out, ",", num_low(e->mwh.all, u), 6, '.');
	put_number(out, ",", num_high(e->mwh.all, u), 6, '.');
	put_number(out, ",", e->ueur.all, 6, '.');
	put_number(out, ",", e->use_ug.all, 9, '.');
	put_number(out, ",", e->build_ug.all, 9, '.');
	put(out, "\r\n");
}

void year_csv(const struct balance *b, struct buf *out)
{
	put(out, "Month,Seen,Version,Kind,DepartmentId,DepartmentName,"
		 "LogicalByteSeconds,StoredByteSeconds,EnergyKwh,EnergyKwhLow,"
		 "EnergyKwhHigh,CostEur,OperationalKgCo2e,EmbodiedKgCo2e\r\n");
	for (unsigned int i = 0; i < YEAR_MONTHS; i++) {
		const struct report_month *m = balance_month(b, i);
		cleanup_lines struct lines lines = { .n = 0 };
		struct error err = ERROR_INIT;

		if (!balance_known(b, m))
			continue;
		if (lines_init(&lines, b->of->in, m, &err) < 0)
			out->failure = err.code;
		for (unsigned int k = 0; k < lines.n; k++)
			put_line(b, out, m, &lines.line[k]);
	}
}

/* --- for people: a French spreadsheet --------------------------------------
 */

struct unit {
	const char *name; /* as French has it */
	unsigned int decimals;
};

static struct unit unit_of(enum figure figure)
{
	static const struct unit units[FIGURES] = {
		[FIGURE_KEPT] = { "To", 12 },
		[FIGURE_STORED] = { "To", 12 },
		[FIGURE_ENERGY] = { "kWh", 6 },
		[FIGURE_COST] = { "EUR", 6 },
		[FIGURE_USE] = { "kgCO2e", 9 },
		[FIGURE_BUILD] = { "kgCO2e", 9 },
		[FIGURE_CARBON] = { "kgCO2e", 9 },
		[FIGURE_SCI] = { "kgCO2e/To.mois", 9 },
	};

	return units[figure];
}

static void put_maybe(struct buf *out, bool has, uint64_t v,
		      unsigned int decimals)
{
	if (has)
		put_number(out, ";", v, decimals, ',');
	else
		put(out, ";");
}

static void table_row(const struct balance *b, struct buf *out,
		      enum figure figure)
{
	struct unit unit = unit_of(figure);
	uint64_t target = figure_target(&b->of->target, figure);
	uint64_t low = 0;
	uint64_t high = 0;
	bool bounds = figure_bounds(&b->now, figure, &low, &high);

	text_csv(out, TL(PO_FR, figure_name(figure)));
	put(out, ";");
	put(out, unit.name);
	put_maybe(out, b->now.months > 0, figure_of(&b->now, figure),
		  unit.decimals);
	put_maybe(out, bounds, low, unit.decimals);
	put_maybe(out, bounds, high, unit.decimals);
	put_maybe(out, b->before.months > 0, figure_of(&b->before, figure),
		  unit.decimals);
	put_maybe(out, b->like.months > 0, figure_of(&b->like, figure),
		  unit.decimals);
	put_maybe(out, b->like.months > 0, figure_of(&b->like_before, figure),
		  unit.decimals);
	put_maybe(out, target > 0, target, unit.decimals);
	put(out, "\r\n");
}

void year_table(const struct balance *b, struct buf *out)
{
	const struct num heads[] = {
		num_printf("%s", TL(PO_FR, "Indicator")),
		num_printf("%s", TL(PO_FR, "Unit")),
		num_printf("%d", b->of->year),
		num_printf(TL(PO_FR, "%d, low"), b->of->year),
		num_printf(TL(PO_FR, "%d, high"), b->of->year),
		num_printf("%d", b->of->year - 1),
		num_printf(TL(PO_FR, "%d, comparable months (%u)"), b->of->year,
			   b->like.months),
		num_printf(TL(PO_FR, "%d, comparable months (%u)"),
			   b->of->year - 1, b->like.months),
		num_printf("%s", TL(PO_FR, "Target")),
	};

	put(out, "\xef\xbb\xbf"); /* else it is not UTF-8 there */
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		put(out, i > 0 ? ";" : "");
		text_csv(out, heads[i].s);
	}
	put(out, "\r\n");
	for (int i = 0; i < FIGURES; i++)
		table_row(b, out, (enum figure)i);
}

/* --- JSON ------------------------------------------------------------------
 */

static json_t *wide(uint128 v)
{
	char text[WIDE_TEXT_MAX];

	return json_string(wide_text(v, text));
}

static json_int_t i64(uint64_t v)
{
	return v > INT64_MAX ? INT64_MAX : (json_int_t)v;
}

static json_t *sums_json(const struct sums *s)
{
	return json_pack(
		"{s:i, s:I, s:o?, s:o?, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I,"
		" s:I, s:I, s:I, s:I}",
		"months", (int)s->months, "counted_s", (json_int_t)s->seconds,
		"logical_byte_s", wide(s->kept_byte_s), "stored_byte_s",
		wide(s->stored_byte_s), "energy_mwh", i64(s->mwh),
		"energy_low_mwh", i64(s->mwh_low), "energy_high_mwh",
		i64(s->mwh_high), "cost_ueur", i64(s->ueur), "cost_low_ueur",
		i64(s->ueur_low), "cost_high_ueur", i64(s->ueur_high),
		"use_ugco2e", i64(s->use_ug), "use_low_ugco2e", i64(s->use_low),
		"use_high_ugco2e", i64(s->use_high), "build_ugco2e",
		i64(s->build_ug), "build_low_ugco2e", i64(s->build_low),
		"build_high_ugco2e", i64(s->build_high));
}

static json_t *month_json(const struct balance *b, const struct report_month *m)
{
	struct num name = date_month_iso(m->month);
	const struct energy_line *t = &m->energy.total;
	bool known = balance_known(b, m);
	json_t *o = json_pack("{s:s, s:s, s:i, s:i}", "month", name.s, "seen",
			      seen_word(b, m), "version", (int)m->version,
			      "n_failed", (int)m->failed.n);

	if (!known)
		return o;
	(void)json_object_update_new(
		o, json_pack("{s:I, s:o?, s:o?, s:I, s:I, s:I, s:I, s:b}",
			     "counted_s", (json_int_t)month_counted_s(m),
			     "logical_byte_s", wide(t->logical_byte_s),
			     "stored_byte_s",
			     wide(t->own_byte_s + t->shared_byte_s -
				  m->energy.reserve.own_byte_s -
				  m->energy.reserve.shared_byte_s),
			     "energy_mwh", i64(t->mwh.all), "cost_ueur",
			     i64(t->ueur.all), "use_ugco2e", i64(t->use_ug.all),
			     "build_ugco2e", i64(t->build_ug.all), "measured",
			     m->energy.measured));
	return o;
}

static json_t *line_json(const struct balance *b, const struct line *line)
{
	const struct energy_line *e = &line->energy;
	json_t *o = json_pack(
		"{s:s, s:o?, s:o?, s:o?, s:I, s:I, s:I, s:I}", "kind",
		kind_word(line->kind), "name",
		json_utf8(line_name(line, b->p->lang)), "logical_byte_s",
		wide(e->logical_byte_s), "stored_byte_s",
		wide(e->own_byte_s + e->shared_byte_s), "energy_mwh",
		i64(e->mwh.all), "cost_ueur", i64(e->ueur.all), "use_ugco2e",
		i64(e->use_ug.all), "build_ugco2e", i64(e->build_ug.all));

	if (o && line_id(line))
		(void)json_object_set_new(o, "id", json_utf8(line_id(line)));
	return o;
}

static json_t *target_json(const struct report_target *t)
{
	json_t *o = json_object();
	const struct {
		const char *key;
		uint64_t v;
	} all[] = { { "energy_mwh", t->mwh },
		    { "cost_ueur", t->ueur },
		    { "ugco2e", t->ug },
		    { "logical_bytes", t->bytes } };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].v > 0)
			(void)json_object_set_new(o, all[i].key,
						  json_integer(i64(all[i].v)));
	return o;
}

static json_t *list_months(const struct balance *b)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < YEAR_MONTHS; i++)
		(void)json_array_append_new(list,
					    month_json(b, balance_month(b, i)));
	return list;
}

static json_t *list_lines(const struct balance *b)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < b->lines.n; i++)
		(void)json_array_append_new(list,
					    line_json(b, &b->lines.line[i]));
	return list;
}

int year_json(const struct balance *b, struct buf *out, struct error *err)
{
	struct num made = date_iso(b->of->in->made_s);
	cleanup_free char *text = NULL;
	json_t *root = json_pack(
		"{s:i, s:o?, s:i, s:s, s:i, s:i, s:o?, s:o?, s:o?, s:o?, s:I,"
		" s:o?, s:o?, s:o?}",
		"schema", YEAR_SCHEMA, "drive", json_utf8(b->of->in->drive),
		"year", (int)b->of->year, "made", made.s, "months_whole",
		(int)b->whole, "months_closed", (int)b->closed, "total",
		sums_json(&b->now), "before", sums_json(&b->before), "like",
		sums_json(&b->like), "like_before", sums_json(&b->like_before),
		"sci_ugco2e", i64(sums_sci_ug(&b->now)), "target",
		target_json(&b->of->target), "months", list_months(b), "lines",
		list_lines(b));

	if (root)
		text = json_dumps(root, JSON_INDENT(1) | JSON_ENSURE_ASCII);
	json_decref(root);
	if (!text)
		return error_set(err, -ENOMEM, "cannot make the JSON: %s",
				 error_words(-ENOMEM));
	put(out, text);
	put(out, "\n");
	return 0;
}
