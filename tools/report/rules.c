/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Files that the rules point at. Their names are for their department alone:
 * never on the city's page. */

#define RULES_MAX 6
#define FILES_MAX 12 /* on a page */

struct found {
	const struct report_rule *rule;
	uint64_t files, bytes;
	const struct report_flagged *file; /* of one file */
};

static void count(const struct page *p, const struct report_rule *r,
		  struct found *f)
{
	*f = (struct found){ .rule = r, .files = r->files, .bytes = r->bytes };
	if (!p->department)
		return;
	f->files = 0;
	f->bytes = 0;
	if (p->department->number < p->in->numbers) {
		f->files = r->files_of[p->department->number];
		f->bytes = r->bytes_of[p->department->number];
	}
}

static int by_bytes(const void *a, const void *b)
{
	const struct found *x = a;
	const struct found *y = b;
	int order;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	order = x->file && y->file ? strcmp(x->file->path, y->file->path) : 0;
	return order ? order : strcmp(x->rule->id, y->rule->id);
}

static struct found *rules_found(const struct page *p, unsigned int *ret_n)
{
	struct found *found = calloc((size_t)p->in->rules + 1, sizeof(*found));

	*ret_n = 0;
	for (unsigned int i = 0; found && i < p->in->rules; i++) {
		count(p, &p->in->rule[i], &found[*ret_n]);
		if (found[*ret_n].files > 0)
			(*ret_n)++;
	}
	if (found)
		qsort(found, *ret_n, sizeof(*found), by_bytes);
	return found;
}

static void text_cell(struct page *p, const char *tag, const char *text,
		      size_t max)
{
	cleanup_buf struct buf clean;

	buf_init(&clean, REPORT_FILE_MAX);
	page_element(p, tag, "%s", name_short(&clean, text, max));
}

static void number_cell(struct page *p, const char *text)
{
	page_element(p, "td class=\"n\"", "%s", text);
}

static void rule_row(struct page *p, const struct found *f)
{
	struct num files = num_count(f->files, p->lang);
	struct num bytes = num_bytes(f->bytes, p->lang);

	page_raw(p, "<tr>");
	text_cell(p, "th scope=\"row\"", f->rule->label, NAME_MAX_SHOWN);
	text_cell(p, "td", f->rule->source, TEXT_MAX_SHOWN);
	number_cell(p, files.s);
	number_cell(p, bytes.s);
	page_raw(p, "</tr>\n");
}

static void list_head(struct page *p, const char *const titles[4])
{
	page_raw(p, "<thead><tr>");
	for (unsigned int i = 0; i < 4; i++)
		page_th(p, "col", titles[i]);
	page_raw(p, "</tr></thead>\n<tbody>\n");
}

static void rule_table(struct page *p, const struct found *found,
		       unsigned int n)
{
	const char *const titles[4] = { PT(p, "Rule"), PT(p, "It rests on"),
					PT(p, "Files"), PT(p, "Size") };
	struct found rest = { .files = 0 };

	page_table(
		p, TABLE_TEXTS, "rules",
		PT(p, "Files that each rule points at, the most bytes first"));
	list_head(p, titles);
	for (unsigned int i = 0; i < n; i++) {
		if (i < RULES_MAX)
			rule_row(p, &found[i]);
		rest.files += i < RULES_MAX ? 0 : found[i].files;
		rest.bytes += i < RULES_MAX ? 0 : found[i].bytes;
	}
	if (n > RULES_MAX) {
		static const struct report_rule others = { .source = "" };
		struct report_rule rule = others;

		rule.label = PT(p, "Other rules");
		rest.rule = &rule;
		rule_row(p, &rest);
	}
	page_raw(p, "</tbody>\n");
	page_table_end(p);
}

static void collect(const struct page *p, const struct report_rule *r,
		    struct found *found, unsigned int *n)
{
	for (unsigned int i = 0; i < r->n_flagged; i++) {
		const struct report_flagged *f = &r->flagged[i];

		if (f->department == p->department->number)
			found[(*n)++] = (struct found){
				.rule = r, .file = f, .bytes = f->size_bytes
			};
	}
}

static void file_row(struct page *p, const struct found *f)
{
	struct num bytes = num_bytes(f->bytes, p->lang);

	page_raw(p, "<tr>");
	text_cell(p, "th scope=\"row\"", f->file->path, PATH_MAX_SHOWN);
	number_cell(p, bytes.s);
	text_cell(p, "td", f->rule->label, NAME_MAX_SHOWN);
	text_cell(p, "td", f->file->reason, TEXT_MAX_SHOWN);
	page_raw(p, "</tr>\n");
}

static void file_table(struct page *p)
{
	const char *const titles[4] = { PT(p, "File"), PT(p, "Size"),
					PT(p, "Rule"), PT(p, "Why") };
	cleanup_free struct found *found = NULL;
	size_t most = 1;
	unsigned int n = 0;

	for (unsigned int i = 0; i < p->in->rules; i++)
		most += p->in->rule[i].n_flagged;
	found = calloc(most, sizeof(*found));
	if (!found) {
		p->out.failure = -ENOMEM;
		return;
	}
	for (unsigned int i = 0; i < p->in->rules; i++)
		collect(p, &p->in->rule[i], found, &n);
	if (n == 0)
		return;
	qsort(found, n, sizeof(*found), by_bytes);
	page_table(p, TABLE_TEXTS, "files",
		   PT(p, "The biggest of these files"));
	list_head(p, titles);
	for (unsigned int i = 0; i < n && i < FILES_MAX; i++)
		file_row(p, &found[i]);
	page_raw(p, "</tbody>\n");
	page_table_end(p);
}

static void unmatched(struct page *p)
{
	const struct report_input *in = p->in;
	uint64_t files = in->unmatched_files;
	uint64_t bytes = in->unmatched_bytes;
	struct num n;
	struct num size;

	if (p->department) {
		if (!in->unmatched_files_of || !in->unmatched_bytes_of ||
		    p->department->number >= in->numbers)
			return;
		files = in->unmatched_files_of[p->department->number];
		bytes = in->unmatched_bytes_of[p->department->number];
	}
	n = num_count(files, p->lang);
	size = num_bytes(bytes, p->lang);
	page_element(
		p, "p",
		TLN(p->lang, "%s file (%s) is matched by no rule: left alone.",
		    "%s files (%s) are matched by no rule: left alone.", files),
		n.s, size.s);
}

static void summary(struct page *p, const struct found *found, unsigned int n)
{
	struct found sum = { .files = 0 };
	struct num files;
	struct num bytes;

	for (unsigned int i = 0; i < n; i++) {
		sum.files += found[i].files;
		sum.bytes += found[i].bytes;
	}
	files = num_count(sum.files, p->lang);
	bytes = num_bytes(sum.bytes, p->lang);
	page_raw(p, "<p>");
	page_say(p,
		 TLN(p->lang, "%s file (%s) is pointed at by a rule: ",
		     "%s files (%s) are pointed at by a rule: ", sum.files),
		 files.s, bytes.s);
	page_annex_link(p, p->department
				   ? PT(p, "by which rules, and which files")
				   : PT(p, "by which rules"));
	page_raw(p, ".</p>\n");
	page_element(p, "p", "%s",
		     PT(p, "This report deletes nothing. Public records may be "
			   "destroyed only with the visa of the departmental "
			   "archives; duplicates and drafts need none."));
}

void page_rules(struct page *p)
{
	cleanup_free struct found *found = NULL;
	unsigned int n;

	if (p->in->made_s < p->month->start_s)
		return;
	page_element(p, "h2", "%s", PT(p, "Files that a rule points at"));
	found = rules_found(p, &n);
	if (!found) {
		p->out.failure = -ENOMEM;
		return;
	}
	if (p->in->rules == 0)
		page_element(p, "p", "%s", PT(p, "No rule is in force."));
	else if (n == 0)
		page_element(p, "p", "%s",
			     PT(p, "No file is pointed at by a rule."));
	else
		summary(p, found, n);
	if (p->in->rules > 0)
		unmatched(p);
}

void page_rules_annex(struct page *p)
{
	cleanup_free struct found *found = NULL;
	unsigned int n = 0;

	if (p->in->made_s < p->month->start_s)
		return;
	found = rules_found(p, &n);
	if (!found) {
		p->out.failure = -ENOMEM;
		return;
	}
	if (n == 0)
		return;
	page_element(p, "h2", "%s", PT(p, "Files that a rule points at"));
	rule_table(p, found, n);
	if (p->department)
		file_table(p);
}
