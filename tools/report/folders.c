/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

/* A department's biggest folders, in its annex: their names are for it alone.
 * Folders, never people. */

static void row(struct page *p, const struct report_folder *f)
{
	cleanup_buf struct buf path;
	struct num files = num_count(f->files, p->lang);
	struct num stored = num_bytes(f->stored_bytes, p->lang);
	struct num gain = num_bytes(f->exclusive_bytes, p->lang);

	buf_init(&path, REPORT_FILE_MAX);
	page_raw(p, "<tr><th scope=\"row\">");
	page_say(p, "%s", name_short(&path, f->path, PATH_MAX_SHOWN));
	if (f->direct)
		page_say(p, " %s", PT(p, "(directly in it)"));
	page_raw(p, "</th>");
	page_td(p, files.s);
	page_td(p, stored.s);
	page_td(p, gain.s);
	page_raw(p, "</tr>\n");
}

static bool is_of(const struct page *p, const struct report_folder *f)
{
	return p->department && f->department == p->department->number;
}

static void table(struct page *p, const struct report_folders *folders)
{
	page_table(p, TABLE_FIGURES, "folders",
		   PT(p, "The biggest folders, none within another"));
	page_raw(p, "<thead><tr>");
	page_th(p, "col", PT(p, "Folder"));
	page_th(p, "col", PT(p, "Files"));
	page_th(p, "col", PT(p, "Its share of the space"));
	page_th(p, "col", PT(p, "Freed if deleted, at least"));
	page_raw(p, "</tr></thead>\n<tbody>\n");
	for (unsigned int i = 0; i < folders->n; i++)
		if (is_of(p, &folders->folder[i]))
			row(p, &folders->folder[i]);
	page_raw(p, "</tbody>\n");
	page_table_end(p);
}

void page_folders(struct page *p)
{
	const struct report_folders *folders = p->in->folders;
	struct num day;
	bool any = false;

	for (unsigned int i = 0; folders && i < folders->n; i++)
		any = any || is_of(p, &folders->folder[i]);
	if (!any)
		return;
	day = date_day(folders->taken_s, p->lang);
	page_element(p, "h2", "%s", PT(p, "Where the space is"));
	page_element(p, "p",
		     PT(p, "As the drive was on %s. What others hold, too, is "
			   "shared in the first figure and left out of the "
			   "second: deleting it here would free nothing."),
		     day.s);
	table(p, folders);
}
