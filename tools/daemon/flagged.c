/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/flagged.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/daemon/reason.h"

/* The biggest of one department, in no order. */
struct kept {
	struct kept_file {
		char *path;   /* owned */
		char *reason; /* owned */
		uint64_t size_bytes;
		uint16_t department;
	} file[FLAGGED_KEPT];
	unsigned int n;
};

struct flagged_rule {
	uint64_t files;
	uint64_t bytes;
	uint64_t *files_of;	    /* [numbers], owned */
	uint64_t *bytes_of;	    /* [numbers], owned */
	struct kept **kept;	    /* [numbers], owned; NULL: none */
	struct report_flagged *all; /* for the report; owned, not its texts */
};

static int no_memory(struct error *err)
{
	return error_set(err, -ENOMEM, "no memory for what the rules flag");
}

int flagged_init(struct flagged *flagged, const struct rules *rules,
		 unsigned int numbers, enum po_lang lang, struct error *err)
{
	const unsigned int n = rules ? rules->policy.n : 0;

	*flagged = (struct flagged){
		.rules = rules, .n = n, .lang = lang, .numbers = numbers
	};
	flagged->of = calloc(n + 1U, sizeof(*flagged->of));
	flagged->rule = calloc(n + 1U, sizeof(*flagged->rule));
	if (!flagged->of || !flagged->rule)
		return no_memory(err);
	for (unsigned int i = 0; i < n; i++) {
		struct flagged_rule *r = &flagged->of[i];

		r->files_of = calloc(numbers + 1U, sizeof(uint64_t));
		r->bytes_of = calloc(numbers + 1U, sizeof(uint64_t));
		r->kept = calloc(numbers + 1U, sizeof(struct kept *));
		if (!r->files_of || !r->bytes_of || !r->kept)
			return no_memory(err);
	}
	return 0;
}

static void file_release(struct kept_file *f)
{
	free(f->path);
	free(f->reason);
}

static void rule_release(struct flagged_rule *r, unsigned int numbers)
{
	for (unsigned int d = 0; r->kept && d < numbers; d++) {
		for (unsigned int i = 0; r->kept[d] && i < r->kept[d]->n; i++)
			file_release(&r->kept[d]->file[i]);
		free(r->kept[d]);
	}
	free(r->kept);
	free(r->files_of);
	free(r->bytes_of);
	free(r->all);
}

void flagged_release(struct flagged *flagged)
{
	/* The rules may have gone before. */
	for (unsigned int i = 0; flagged->of && i < flagged->n; i++)
		rule_release(&flagged->of[i], flagged->numbers);
	free(flagged->of);
	free(flagged->rule);
	free(flagged->unmatched_files_of);
	free(flagged->unmatched_bytes_of);
	*flagged = (struct flagged){ .rules = NULL };
}

static int keep(struct flagged *flagged, struct kept *kept,
		const struct flagged_file *file, const struct verdict *verdict,
		struct error *err)
{
	char reason[REASONS_TEXT_MAX];
	unsigned int at = 0;
	struct kept_file f = { .size_bytes = file->size_bytes,
			       .department = file->department };

	for (unsigned int i = 1; i < kept->n; i++)
		if (kept->file[i].size_bytes < kept->file[at].size_bytes)
			at = i;
	if (kept->n == FLAGGED_KEPT &&
	    kept->file[at].size_bytes >= file->size_bytes)
		return 0;
	reasons_text(verdict, flagged->lang, reason);
	f.path = strdup(file->path);
	f.reason = strdup(reason);
	if (!f.path || !f.reason) {
		file_release(&f);
		return no_memory(err);
	}
	if (kept->n < FLAGGED_KEPT) {
		kept->file[kept->n++] = f;
	} else {
		file_release(&kept->file[at]);
		kept->file[at] = f;
	}
	return 0;
}

int flagged_add(struct flagged *flagged, const struct flagged_file *file,
		const struct verdict *verdict, struct error *err)
{
	const struct policy *policy = &flagged->rules->policy;
	struct flagged_rule *r = &flagged->of[verdict->rule - policy->rule];

	r->files++;
	r->bytes += file->size_bytes;
	if (file->department >= flagged->numbers)
		return 0;
	r->files_of[file->department]++;
	r->bytes_of[file->department] += file->size_bytes;
	if (!r->kept[file->department])
		r->kept[file->department] = calloc(1, sizeof(struct kept));
	if (!r->kept[file->department])
		return no_memory(err);
	return keep(flagged, r->kept[file->department], file, verdict, err);
}

int flagged_unmatched(struct flagged *flagged, const struct flagged_file *file,
		      struct error *err)
{
	const size_t n = flagged->numbers + 1U;

	if (!flagged->unmatched_files_of)
		flagged->unmatched_files_of = calloc(n, sizeof(uint64_t));
	if (!flagged->unmatched_bytes_of)
		flagged->unmatched_bytes_of = calloc(n, sizeof(uint64_t));
	if (!flagged->unmatched_files_of || !flagged->unmatched_bytes_of)
		return no_memory(err);
	flagged->unmatched_files++;
	flagged->unmatched_bytes += file->size_bytes;
	if (file->department >= flagged->numbers)
		return 0;
	flagged->unmatched_files_of[file->department]++;
	flagged->unmatched_bytes_of[file->department] += file->size_bytes;
	return 0;
}

static struct report_flagged flagged_of(const struct kept_file *f)
{
	return (struct report_flagged){ .path = f->path,
					.size_bytes = f->size_bytes,
					.department = f->department,
					.reason = f->reason };
}

/* Those of all departments, one after the other. */
static unsigned int gather(struct flagged_rule *r, unsigned int numbers)
{
	unsigned int n = 0;

	free(r->all);
	r->all = calloc((size_t)numbers * FLAGGED_KEPT + 1, sizeof(*r->all));
	for (unsigned int d = 0; r->all && d < numbers; d++)
		for (unsigned int i = 0; r->kept[d] && i < r->kept[d]->n; i++)
			r->all[n++] = flagged_of(&r->kept[d]->file[i]);
	return n;
}

void flagged_into(struct flagged *flagged, struct report_input *input)
{
	for (unsigned int i = 0; i < flagged->n; i++) {
		const struct rule *rule = &flagged->rules->policy.rule[i];
		struct flagged_rule *r = &flagged->of[i];
		unsigned int kept = gather(r, flagged->numbers);

		flagged->rule[i] = (struct report_rule){
			.id = rule->id,
			.label = rule->label,
			.source = rule->source,
			.files = r->files,
			.bytes = r->bytes,
			.files_of = r->files_of,
			.bytes_of = r->bytes_of,
			.flagged = r->all,
			.n_flagged = kept,
		};
	}
	input->rule = flagged->rule;
	input->rules = flagged->n;
	input->numbers = flagged->numbers;
	input->unmatched_files_of = flagged->unmatched_files_of;
	input->unmatched_bytes_of = flagged->unmatched_bytes_of;
	input->unmatched_files = flagged->unmatched_files;
	input->unmatched_bytes = flagged->unmatched_bytes;
}
