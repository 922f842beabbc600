/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct energy_line line_of(const struct report_month *month, uint16_t number)
{
	const struct energy_line none = { .own_byte_s = 0 };

	if (!month->known || number >= month->energy.departments)
		return none;
	return month->energy.department[number];
}

struct energy_line line_for(const struct report_month *month,
			    const struct report_department *department)
{
	if (department)
		return line_of(month, department->number);
	if (!month->known)
		return (struct energy_line){ .own_byte_s = 0 };
	return month->energy.total;
}

static bool is_empty(const struct energy_line *e)
{
	return !e->own_byte_s && !e->shared_byte_s && !e->logical_byte_s &&
	       !e->mwh.all && !e->ueur.all && !e->use_ug.all &&
	       !e->build_ug.all;
}

static void add_amount(struct energy_amount *to,
		       const struct energy_amount *from)
{
	to->own += from->own;
	to->shared += from->shared;
	to->activity += from->activity;
	to->all += from->all;
}

void line_add(struct energy_line *to, const struct energy_line *from)
{
	to->own_byte_s += from->own_byte_s;
	to->shared_byte_s += from->shared_byte_s;
	to->logical_byte_s += from->logical_byte_s;
	for (unsigned int i = 0; i < TIERS; i++)
		to->tier_byte_s[i] += from->tier_byte_s[i];
	add_amount(&to->mwh, &from->mwh);
	add_amount(&to->ueur, &from->ueur);
	add_amount(&to->use_ug, &from->use_ug);
	add_amount(&to->build_ug, &from->build_ug);
}

static int by_energy(const void *a, const void *b)
{
	const struct line *x = a;
	const struct line *y = b;

	if (x->energy.mwh.all != y->energy.mwh.all)
		return x->energy.mwh.all > y->energy.mwh.all ? -1 : 1;
	return x->department->number < y->department->number ? -1 : 1;
}

static bool is_configured(const struct report_input *in, unsigned int number)
{
	for (unsigned int i = 0; i < in->departments; i++) {
		if (in->department[i].number == number)
			return true;
	}
	return false;
}

static void add_departments(struct lines *lines, const struct report_input *in,
			    const struct report_month *month)
{
	static const struct report_department other = {
		.number = DEPARTMENT_OTHER, .id = ""
	};
	struct line former = { .kind = LINE_FORMER };

	for (unsigned int i = 0; i < in->departments; i++)
		lines->line[lines->n++] = (struct line){
			.department = &in->department[i],
			.energy = line_of(month, in->department[i].number),
		};
	for (uint16_t i = 0; i < month->energy.departments; i++) {
		struct energy_line e = line_of(month, i);

		if (is_configured(in, i) || is_empty(&e))
			continue;
		if (i == DEPARTMENT_OTHER)
			lines->line[lines->n++] =
				(struct line){ .department = &other,
					       .energy = e };
		else
			line_add(&former.energy, &e);
	}
	qsort(lines->line, lines->n, sizeof(*lines->line), by_energy);
	lines->departments = lines->n;
	if (!is_empty(&former.energy))
		lines->line[lines->n++] = former;
}

int lines_init(struct lines *ret_lines, const struct report_input *in,
	       const struct report_month *month, struct error *err)
{
	struct lines lines = { .n = 0 };

	if (month->known) {
		lines.line = calloc((size_t)in->departments + 4,
				    sizeof(*lines.line));
		if (!lines.line)
			return error_set(err, -ENOMEM, "%s",
					 error_words(-ENOMEM));
		add_departments(&lines, in, month);
		lines.line[lines.n++] =
			(struct line){ .kind = LINE_OVERHEAD,
				       .energy = month->energy.overhead };
		if (!is_empty(&month->energy.reserve))
			lines.line[lines.n++] =
				(struct line){ .kind = LINE_RESERVE,
					       .energy =
						       month->energy.reserve };
	}
	*ret_lines = lines;
	return 0;
}

void lines_release(struct lines *lines)
{
	free(lines->line);
	*lines = (struct lines){ .n = 0 };
}

const char *line_name(const struct line *line, enum po_lang lang)
{
	switch (line->kind) {
	case LINE_DEPARTMENT:
		return line->department->name
			       ? line->department->name
			       : TL(lang, "Files of no department");
	case LINE_FORMER:
		return TL(lang, "Former departments");
	case LINE_OVERHEAD:
		return TL(lang, "The drive itself");
	case LINE_RESERVE:
		break;
	}
	return TL(lang, "Unused reserve");
}

const char *line_id(const struct line *line)
{
	if (line->kind != LINE_DEPARTMENT)
		return NULL;
	return line->department->name ? line->department->id : "other";
}
