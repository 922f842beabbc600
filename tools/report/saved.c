/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

/* What packing saves, by cause: of the drive, so on the city's page alone. */

static void row(struct page *p, const char *label, uint64_t bytes, bool less)
{
	struct num n = num_bytes(bytes, p->lang);

	if (bytes == 0)
		return;
	page_raw(p, "<tr>");
	page_th(p, "row", label);
	page_raw(p, "<td>");
	page_say(p, "%s%s", less ? MINUS : "", n.s);
	page_raw(p, "</td></tr>\n");
}

static void total(struct page *p, const struct report_savings *s)
{
	uint64_t saved = s->copies + s->parts + s->compression + s->blocks;
	bool loss = saved < s->overhead;

	page_raw(p, "</tbody>\n<tfoot>\n");
	row(p, PT(p, "Saved in all"),
	    loss ? s->overhead - saved : saved - s->overhead, loss);
	page_raw(p, "</tfoot>\n");
}

static void table(struct page *p, const struct report_savings *s)
{
	page_table(p, TABLE_FIGURES, "saved",
		   PT(p, "Space saved on the disks, by cause"));
	page_raw(p, "<thead><tr>");
	page_th(p, "col", PT(p, "Cause"));
	page_th(p, "col", PT(p, "Space"));
	page_raw(p, "</tr></thead>\n<tbody>\n");
	row(p, PT(p, "Copies of whole files, kept once"), s->copies, false);
	row(p, PT(p, "Parts that several files share"), s->parts, false);
	row(p, PT(p, "Compression of what is left"), s->compression, false);
	row(p, PT(p, "Small files and ends of files, kept close together"),
	    s->blocks, false);
	row(p, PT(p, "Less: what the packs need besides"), s->overhead, true);
	total(p, s);
	page_table_end(p);
}

void page_saved(struct page *p)
{
	const struct report_savings *s = p->in->savings;
	struct num day = date_day(p->in->made_s, p->lang);

	if (!s || p->department || p->in->assessed ||
	    s->copies + s->parts + s->compression + s->blocks == 0)
		return;
	page_element(p, "h2", "%s", PT(p, "What packing saves"));
	page_element(p, "p",
		     PT(p, "As the drive was on %s. Files that nobody has "
			   "changed for some time are packed; they are read "
			   "as before."),
		     day.s);
	table(p, s);
}
