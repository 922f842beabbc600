/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The month in a few lines, for who reads no pages. */

static void put_line(struct buf *out, enum po_lang lang, const char *name,
		     const char *value)
{
	(void)buf_printf(out, "%s%s %s\n", name, lang == PO_FR ? NBSP ":" : ":",
			 value);
}

static void put_span(struct buf *out, enum po_lang lang, const char *name,
		     enum quantity q, const uint64_t span[3])
{
	struct num mid = num_quantity(q, span[0], lang);
	struct num between = num_interval(q, span[0], span[1], span[2], lang);
	struct num both = num_printf("%s (%s)", mid.s, between.s);

	put_line(out, lang, name, both.s);
}

static void put_figures(struct buf *out, const struct report_month *m,
			const struct energy_line *e, enum po_lang lang)
{
	micro u = m->energy.uncertainty_energy;
	const uint64_t energy[3] = { e->mwh.all, num_low(e->mwh.all, u),
				     num_high(e->mwh.all, u) };
	const uint64_t cost[3] = { e->ueur.all, num_low(e->ueur.all, u),
				   num_high(e->ueur.all, u) };
	const uint64_t carbon[3] = {
		e->use_ug.all + e->build_ug.all,
		num_low(e->use_ug.all, m->energy.uncertainty) +
			num_low(e->build_ug.all, m->energy.uncertainty_build),
		num_high(e->use_ug.all, m->energy.uncertainty) +
			num_high(e->build_ug.all, m->energy.uncertainty_build),
	};
	struct num kept = num_bytes(
		(uint64_t)(e->logical_byte_s / (uint64_t)month_counted_s(m)),
		lang);

	put_line(out, lang, TL(lang, "Files kept, on average"), kept.s);
	put_span(out, lang, TL(lang, "Electricity"), Q_ENERGY, energy);
	put_span(out, lang, TL(lang, "Cost of the electricity"), Q_MONEY, cost);
	put_span(out, lang, TL(lang, "Carbon in all"), Q_CARBON, carbon);
}

static void put_text(struct buf *out, const struct report_input *in,
		     const struct report_department *department,
		     const char *subject, enum po_lang lang)
{
	const struct report_month *m = &in->month[in->months - 1];
	struct energy_line e = line_for(m, department);

	(void)buf_printf(out, "%s\n\n", subject);
	if (month_seen(m, in->made_s) >= SEEN_PART)
		put_figures(out, m, &e, lang);
	else
		(void)buf_printf(out, "%s\n", TL(lang, "no figures"));
	if (month_seen(m, in->made_s) == SEEN_PART)
		(void)buf_printf(out, "%s\n",
				 TL(lang, "Only a part of the month was "
					  "watched: the page says which."));
	if (m->failed.n > 0)
		(void)buf_printf(out, "%s\n",
				 TL(lang, "When the month was closed, its "
					  "books did not balance: the page "
					  "says what differs."));
	(void)buf_printf(out, "\n%s\n",
			 TL(lang, "The page with its explanations is the HTML "
				  "part of this message; the figures are "
				  "attached as files."));
	(void)buf_put_u8(out, 0);
}

int report_letter(const struct report_input *input,
		  const struct report_department *department, enum po_lang lang,
		  char **ret_subject, char **ret_text, struct error *err)
{
	enum po_lang in = po_has(lang) ? lang : PO_EN;
	struct num period =
		date_month(input->month[input->months - 1].month, in);
	cleanup_buf struct buf name;
	cleanup_buf struct buf text;
	cleanup_free char *subject = NULL;

	buf_init(&name, REPORT_FILE_MAX);
	buf_init(&text, REPORT_FILE_MAX);
	if (asprintf(&subject, TL(in, "%s, %s: footprint of files"),
		     name_short(&name,
				department ? department->name : input->drive,
				NAME_MAX_SHOWN),
		     period.s) < 0) {
		subject = NULL;
		return error_set(err, -ENOMEM, "%s", error_words(-ENOMEM));
	}
	put_text(&text, input, department, subject, in);
	if (buf_error(&text) || buf_error(&name))
		return error_set(err, -ENOMEM, "%s", error_words(-ENOMEM));
	*ret_subject = take_ptr(&subject);
	*ret_text = (char *)take_ptr(&text.data);
	return 0;
}

void report_file_name(const struct report_department *department,
		      char ret_name[REPORT_NAME_BYTES])
{
	struct num stem = page_stem(department);

	(void)snprintf(ret_name, REPORT_NAME_BYTES, "%s", stem.s);
}
