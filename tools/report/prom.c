/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * OpenMetrics for the textfile collector of node_exporter: base units, no
 * timestamps, docs/design/report.md. What is of the month so far starts again
 * at 0 with each month, which rate() and increase() take for a restart.
 */

#define STEM_MAX 64

struct metrics {
	const struct page *p;
	struct charges charges;
	struct buf *out;
};

/* Quoted: a backslash, a quote and the end of a line are escaped. */
static void put_label(struct buf *out, const char *name, const char *value)
{
	cleanup_buf struct buf clean;

	buf_init(&clean, REPORT_FILE_MAX);
	text_clean(&clean, value, NAME_MAX_SHOWN);
	(void)buf_put_str(out, name);
	(void)buf_put_str(out, "=\"");
	for (size_t i = 0; i < clean.len; i++) {
		if (clean.data[i] == '\\' || clean.data[i] == '"')
			(void)buf_put_u8(out, '\\');
		(void)buf_put_u8(out, clean.data[i]);
	}
	(void)buf_put_str(out, "\"");
}

static void put_help(struct buf *out, const char *name, const char *type,
		     const char *help)
{
	(void)buf_put_str(out, "# HELP ");
	(void)buf_put_str(out, name);
	(void)buf_put_str(out, " ");
	(void)buf_put_str(out, help);
	(void)buf_put_str(out, "\n# TYPE ");
	(void)buf_put_str(out, name);
	(void)buf_put_str(out, " ");
	(void)buf_put_str(out, type);
	(void)buf_put_str(out, "\n");
}

/* Who is of no department has no id, and those that ended have one together. */
static const char *department(const struct line *line)
{
	if (line->kind == LINE_FORMER)
		return "(former)";
	return line_id(line) ? line_id(line) : "";
}

/* name{drive="…",department="…" — and what follows is the caller's. */
static void put_name(struct metrics *m, const char *name,
		     const char *department)
{
	(void)buf_put_str(m->out, name);
	(void)buf_put_str(m->out, "{");
	put_label(m->out, "drive", m->p->in->drive);
	if (department) {
		(void)buf_put_str(m->out, ",");
		put_label(m->out, "department", department);
	}
}

static void put_end(struct metrics *m, const char *more, uint128 value,
		    unsigned int decimals)
{
	(void)buf_put_str(m->out, more);
	(void)buf_put_str(m->out, "} ");
	num_plain(m->out, value, decimals, '.');
	(void)buf_put_str(m->out, "\n");
}

static void put_part(struct metrics *m, const char *name,
		     const struct charge *c, const char *more, uint128 value,
		     unsigned int decimals)
{
	put_name(m, name, department(c->line));
	(void)buf_put_str(m->out, ",part=\"");
	(void)buf_put_str(m->out, charge_kind_name(c->kind));
	(void)buf_put_str(m->out, "\"");
	put_end(m, more, value, decimals);
}

static void put_energy(struct metrics *m)
{
	static const char name[] = "sobrefs_energy_joules_total";

	put_help(m->out, name, "counter",
		 "Electricity of the month so far, by department and part.");
	for (unsigned int i = 0; i < m->charges.n; i++) {
		const struct charge *c = &m->charges.charge[i];

		put_part(m, name, c, "", (uint128)c->mwh * 36, 1);
	}
}

static void put_cost(struct metrics *m)
{
	static const char name[] = "sobrefs_cost_euros_total";

	put_help(m->out, name, "counter",
		 "Price of that electricity, without VAT.");
	for (unsigned int i = 0; i < m->charges.n; i++) {
		const struct charge *c = &m->charges.charge[i];

		put_part(m, name, c, "", c->ueur, 6);
	}
}

static void put_emissions(struct metrics *m)
{
	static const char name[] = "sobrefs_emissions_grams_total";

	put_help(m->out, name, "counter",
		 "CO2 equivalent of the month so far: of the electricity (use) "
		 "and of making the hardware (build).");
	for (unsigned int i = 0; i < m->charges.n; i++) {
		const struct charge *c = &m->charges.charge[i];

		put_part(m, name, c, ",stage=\"use\",method=\"location\"",
			 c->use_ug, 6);
		put_part(m, name, c, ",stage=\"build\",method=\"location\"",
			 c->build_ug, 6);
	}
}

/* Of a line's tier, in the mean over what is counted of the month. */
static void put_mean(struct metrics *m, const char *name,
		     const struct line *line, const char *more, uint128 byte_s)
{
	put_name(m, name, department(line));
	put_end(m, more, byte_s / (uint64_t)month_counted_s(m->p->month), 0);
}

static void put_stored(struct metrics *m)
{
	static const char name[] = "sobrefs_stored_bytes";

	put_help(m->out, name, "gauge",
		 "Bytes on disk, the mean of the month so far.");
	for (unsigned int i = 0; i < m->p->lines->n; i++) {
		const struct line *line = &m->p->lines->line[i];
		const uint128 *tier = line->energy.tier_byte_s;

		if (line->kind == LINE_RESERVE)
			continue;
		put_mean(m, name, line, ",tier=\"hot\"", tier[TIER_HOT]);
		put_mean(m, name, line, ",tier=\"packed\"", tier[TIER_PACKED]);
		put_mean(m, name, line, ",tier=\"archive\"",
			 tier[TIER_ARCHIVE]);
		if (line->kind == LINE_OVERHEAD)
			put_mean(m, name, line, ",tier=\"state\"",
				 tier[TIER_STATE]);
	}
}

static void put_logical(struct metrics *m)
{
	static const char name[] = "sobrefs_logical_bytes";

	put_help(m->out, name, "gauge",
		 "Bytes of files as people see them, the mean of the month so "
		 "far.");
	for (unsigned int i = 0; i < m->p->lines->departments; i++) {
		const struct line *line = &m->p->lines->line[i];

		put_mean(m, name, line, "", line->energy.logical_byte_s);
	}
}

static void put_reserve(struct metrics *m)
{
	static const char name[] = "sobrefs_reserve_bytes";
	const struct energy_line *e = &m->p->month->energy.reserve;
	uint128 byte_s = e->own_byte_s + e->shared_byte_s;

	put_help(m->out, name, "gauge",
		 "Bytes that the array has and nobody uses, the mean of the "
		 "month so far.");
	put_name(m, name, NULL);
	put_end(m, "", byte_s / (uint64_t)month_counted_s(m->p->month), 0);
}

/* Of the months at hand; none: nothing is said. */
static void put_close(struct metrics *m)
{
	static const char at[] = "sobrefs_last_close_timestamp_seconds";
	static const char failed[] = "sobrefs_last_close_failed_checks";
	const struct report_month *last = NULL;

	for (unsigned int i = 0; i < m->p->in->months; i++)
		if (m->p->in->month[i].version > 0)
			last = &m->p->in->month[i];
	if (!last)
		return;
	put_help(m->out, at, "gauge", "When the last closed month was closed.");
	put_name(m, at, NULL);
	put_end(m, "", (uint64_t)last->closed_s, 0);
	put_help(m->out, failed, "gauge",
		 "How many checks failed then; 0: the books balanced.");
	put_name(m, failed, NULL);
	put_end(m, "", last->failed.n, 0);
}

static void put_about(struct metrics *m)
{
	static const char made[] = "sobrefs_report_timestamp_seconds";
	static const char set[] = "sobrefs_coefficients_info";
	static const char how[] = "sobrefs_energy_measured";
	char version[COEF_VERSION_BYTES];

	coef_set_version(m->p->in->coefs, version);
	put_help(m->out, made, "gauge", "When this was written.");
	put_name(m, made, NULL);
	put_end(m, "", (uint64_t)m->p->in->made_s, 0);
	put_help(m->out, set, "gauge", "Which coefficients were used.");
	put_name(m, set, NULL);
	(void)buf_put_str(m->out, ",");
	put_label(m->out, "set", version);
	put_end(m, "", 1, 0);
	put_help(m->out, how, "gauge",
		 "1: the energy is the array's meter's; 0: by coefficients.");
	put_name(m, how, NULL);
	put_end(m, "", m->p->month->energy.measured, 0);
}

/* A month that is not known has no figures: nothing rather than zeros. */
int prom_write(const struct page *p, struct buf *out, struct error *err)
{
	struct metrics m = { .p = p, .out = out };
	int rc = 0;

	if (month_seen(p->month, p->in->made_s) >= SEEN_PART) {
		rc = charges_init(&m.charges, p);
		if (rc < 0)
			return error_set(err, rc, "%s", error_words(rc));
		put_energy(&m);
		put_cost(&m);
		put_emissions(&m);
		put_stored(&m);
		put_logical(&m);
		put_reserve(&m);
		charge_list_release(&m.charges);
	}
	put_close(&m);
	put_about(&m);
	rc = buf_error(out);
	return rc < 0 ? error_set(err, rc, "cannot make the metrics: %s",
				  error_words(rc))
		      : 0;
}

struct num prom_name(const char *drive)
{
	char stem[STEM_MAX + 1];
	size_t n = 0;

	for (; drive[n] && n < STEM_MAX; n++) {
		stem[n] = drive[n];
		if (!strchr("abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-",
			    drive[n]))
			stem[n] = '_';
	}
	stem[n] = '\0';
	return num_printf("sobrefs-%s.prom", stem);
}
