/* SPDX-License-Identifier: EUPL-1.2 */
/* What files there are at one moment: one pass over the catalog. */
#include <errno.h>
#include <stdlib.h>

#include "fs/ledger/ledger.h"
#include "tools/figures/internal.h"

#define DAY_S 86400

#define LATE_S (31 * INT64_C(86400))

#define COLD_DAYS  30
#define SMALL	   4096 /* bytes: packing frees nothing */
#define PACKED_MIN 1000 /* files packed, to tell from them */

struct surveying {
	struct report_survey *survey;
	int32_t today;
	/* Of all that are packed: how much less packing takes. */
	uint64_t packed_files;
	uint128 packed_size, packed_bytes;
};

enum report_age age_of(int32_t used_day, int32_t today)
{
	static const int32_t days[REPORT_AGES - 1] = { 91, 365, 3 * 365 + 1,
						       5 * 365 + 1 };
	int64_t age = (int64_t)today - used_day;
	unsigned int i = 0;

	while (i < REPORT_AGES - 1 && age >= days[i])
		i++;
	return (enum report_age)i;
}

/* Part `i` of `n`; all parts add up to `bytes`. */
static uint64_t part(uint64_t bytes, unsigned int i, unsigned int n)
{
	return (uint64_t)((uint128)bytes * (i + 1) / n -
			  (uint128)bytes * i / n);
}

static void add(struct report_sum *to, const struct report_sum *more)
{
	to->files += more->files;
	to->plain_bytes += more->plain_bytes;
	to->packed_bytes += more->packed_bytes;
}

/* REPORT_ACTIONS: nothing is to be done. */
static enum report_action action_of(const struct ledger_file *file,
				    enum report_age age, enum report_kind kind,
				    int32_t today)
{
	if (name_is_temporary(file->name))
		return ACTION_TEMPORARY;
	if (age == AGE_OLDER)
		return ACTION_UNUSED;
	if (kind == KIND_MEDIA && age >= AGE_3_YEARS)
		return ACTION_MEDIA;
	if (kind == KIND_ZIP && age >= AGE_3_YEARS)
		return ACTION_ZIP;
	if (!file->packed && file->hot_bytes > SMALL && kind != KIND_DATABASE &&
	    kind != KIND_MAIL && today - file->changed_day > COLD_DAYS)
		return ACTION_PACK;
	return REPORT_ACTIONS;
}

/* What is of several departments nobody can delete alone. */
static void gain(struct surveying *s, const struct ledger_file *file,
		 enum report_action action)
{
	struct report_survey *survey = s->survey;
	struct report_stock *of[2] = { &survey->city, NULL };

	if (action == REPORT_ACTIONS || file->set.n != 1 ||
	    file->set.member[0] >= survey->departments ||
	    file->exclusive_bytes == 0)
		return;
	of[1] = &survey->department[file->set.member[0]];
	for (unsigned int i = 0; i < 2; i++) {
		of[i]->action[action].files++;
		of[i]->action[action].gain_bytes += file->exclusive_bytes;
	}
}

static void note_packed(struct surveying *s, const struct ledger_file *file)
{
	if (!file->packed)
		return;
	s->packed_files++;
	s->packed_size += file->size_bytes;
	s->packed_bytes += file->packed_bytes + file->hot_bytes;
}

static void less_once_packed(const struct surveying *s,
			     struct report_gain *gain)
{
	/* Of few nothing can be told. */
	if (s->packed_files < PACKED_MIN || s->packed_bytes >= s->packed_size) {
		*gain = (struct report_gain){ 0, 0 };
		return;
	}
	gain->gain_bytes =
		(uint64_t)((uint128)gain->gain_bytes *
			   ((s->packed_size - s->packed_bytes) >> 20) /
			   ((s->packed_size >> 20) + 1));
}

static void settle(struct surveying *s)
{
	struct report_survey *survey = s->survey;

	less_once_packed(s, &survey->city.action[ACTION_PACK]);
	for (uint16_t i = 0; i < survey->departments; i++)
		less_once_packed(s, &survey->department[i].action[ACTION_PACK]);
}

static int look_at(void *ctx, const struct ledger_file *file, struct error *err)
{
	struct surveying *s = ctx;
	struct report_survey *survey = s->survey;
	const enum report_age age = age_of(file->used_day, s->today);
	const enum report_kind kind = kind_of(file->name);
	const struct report_sum all = { 1, file->hot_bytes,
					file->packed_bytes };

	(void)err;
	note_packed(s, file);
	gain(s, file, action_of(file, age, kind, s->today));
	add(&survey->city.age[age], &all);
	add(&survey->city.kind[kind], &all);
	for (unsigned int i = 0; i < file->set.n; i++) {
		const uint16_t number = file->set.member[i];
		const struct report_sum one = {
			1, part(file->hot_bytes, i, file->set.n),
			part(file->packed_bytes, i, file->set.n)
		};

		if (number >= survey->departments)
			continue; /* no ledger writes it */
		add(&survey->department[number].age[age], &one);
		add(&survey->department[number].kind[kind], &one);
	}
	return 0;
}

struct report_survey *survey_new(uint16_t departments)
{
	struct report_survey *survey = calloc(1, sizeof(*survey));

	if (!survey)
		return NULL;
	survey->departments = departments;
	survey->department = calloc(departments, sizeof(*survey->department));
	if (survey->department)
		return survey;
	free(survey);
	return NULL;
}

void survey_free(struct report_survey *survey)
{
	if (!survey)
		return;
	free(survey->department);
	free(survey);
}

bool survey_is_of(const struct report_month *month, int64_t now_s)
{
	return month->version == 0 && now_is_of(month, now_s);
}

bool now_is_of(const struct report_month *month, int64_t now_s)
{
	return month->known && now_s < month->end_s + LATE_S;
}

static int count_departments(struct catalog *cat, uint16_t *ret_n,
			     struct error *err)
{
	struct ledger_departments list = { .n = 0 };
	int rc = ledger_departments(cat, &list, err);

	if (rc < 0)
		return rc;
	*ret_n = 1;
	for (unsigned int i = 0; i < list.n; i++)
		if (list.row[i].number >= *ret_n)
			*ret_n = (uint16_t)(list.row[i].number + 1);
	ledger_departments_release(&list);
	return 0;
}

int survey_take(struct catalog *cat, int64_t now_s,
		struct report_survey **ret_survey, struct error *err)
{
	struct surveying s = { .today = (int32_t)(now_s / DAY_S) };
	uint16_t n = 0;
	int rc = count_departments(cat, &n, err);

	if (rc < 0)
		return rc;
	s.survey = survey_new(n);
	if (!s.survey)
		return error_set(err, -ENOMEM, "no memory for the report");
	s.survey->taken_s = now_s;
	rc = ledger_files(cat, look_at, &s, err);
	if (rc < 0) {
		survey_free(s.survey);
		return error_prefix(err, "what files there are");
	}
	settle(&s);
	*ret_survey = s.survey;
	return 0;
}
