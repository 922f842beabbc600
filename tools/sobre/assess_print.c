/* SPDX-License-Identifier: EUPL-1.2 */
#include <stdio.h>

#include "tools/sobre/assess.h"

static const char *const age_texts[ASSESS_AGES] = {
	N_("under 3 months"), N_("3 to 12 months"), N_("1 to 3 years"),
	N_("3 to 5 years"), N_("over 5 years")
};

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void year_of(const struct assess *a, uint64_t disk_bytes,
		    struct energy_year *ret_year)
{
	energy_year(&a->setup->coefs, NULL,
		    (const uint128[TIERS]){ [TIER_HOT] = disk_bytes },
		    ret_year);
}

/* --- for people ------------------------------------------------------------
 */

static void print_savings(const struct assess *a)
{
	uint64_t before;
	uint64_t after;
	uint64_t saved;

	assess_savings(a, &before, &after);
	saved = before > after ? before - after : 0;
	if (a->sampled.files < a->all.files)
		(void)printf(T("read: %llu files of %llu, %s\n"),
			     (unsigned long long)a->sampled.files,
			     (unsigned long long)a->all.files,
			     out_size(a->sampled.logical_bytes).text);
	(void)printf(T("on disk: %s now, %s once packed\n"),
		     out_size(before).text, out_size(after).text);
	(void)printf(T("would be saved: %s (%.1f %%)\n"), out_size(saved).text,
		     percent(saved, before));
	if (a->sample_ppm < 1000000)
		(void)printf(T("a sample sees few of the copies: more would be "
			       "saved\n"));
	(void)printf(T("duplicates: %llu files, %s\n"),
		     (unsigned long long)a->duplicate.files,
		     out_size(a->duplicate.logical_bytes).text);
}

static void print_departments(const struct assess *a)
{
	(void)printf(T("by department:\n"));
	for (unsigned int i = 0; i < a->departments; i++) {
		const struct assess_sum *d = &a->department[i];
		struct energy_year year;

		if (d->files == 0)
			continue;
		year_of(a, d->disk_bytes, &year);
		(void)printf(
			T("  %s: %llu files, %s on disk; a year of it: %s kWh, "
			  "%s EUR, %s kgCO2e\n"),
			assess_department_name(a, i),
			(unsigned long long)d->files,
			out_size(d->disk_bytes).text,
			out_amount((double)year.mwh / 1e6).text,
			out_amount((double)year.ueur / 1e6).text,
			out_amount((double)(year.use_ug + year.build_ug) / 1e9)
				.text);
	}
}

static void print_ages(const struct assess *a)
{
	(void)printf(T("by time since the last change:\n"));
	for (unsigned int i = 0; i < ASSESS_AGES; i++)
		(void)printf(
			T("  %s: %llu files, %s (%.0f %%)\n"),
			po_text(age_texts[i]),
			(unsigned long long)a->age[i].files,
			out_size(a->age[i].logical_bytes).text,
			percent(a->age[i].logical_bytes, a->all.logical_bytes));
}

static void print_rules(const struct assess *a)
{
	if (!a->setup->rules)
		return;
	(void)printf(T("what the rules would flag:\n"));
	for (unsigned int i = 0; i < a->rules; i++)
		(void)printf(T("  %s (%s): files: %llu, %s\n"),
			     a->rule[i].rule->id, a->rule[i].rule->label,
			     (unsigned long long)a->rule[i].files,
			     out_size(a->rule[i].bytes).text);
	(void)printf(T("  matched by no rule: files: %llu, %s\n"),
		     (unsigned long long)a->unmatched.files,
		     out_size(a->unmatched.logical_bytes).text);
}

void assess_print(const struct assess *assess, const char *dir_path)
{
	(void)printf("%s\n", dir_path);
	(void)printf(T("files: %llu, %s\n"),
		     (unsigned long long)assess->all.files,
		     out_size(assess->all.logical_bytes).text);
	if (assess->other_mounts > 0)
		(void)printf(T("left out, other file systems: %llu\n"),
			     (unsigned long long)assess->other_mounts);
	print_savings(assess);
	print_departments(assess);
	print_ages(assess);
	print_rules(assess);
	if (assess->unreadable == 0)
		return;
	(void)fflush(stdout);
	(void)fprintf(stderr,
		      T("sobre: could not be read: %llu, the first: "
			"'%s'\n"),
		      (unsigned long long)assess->unreadable,
		      assess->first_unreadable ? assess->first_unreadable : "");
}

/* --- JSON ------------------------------------------------------------------
 */

static json_int_t i64(uint64_t n)
{
	return (json_int_t)n;
}

static json_t *sum_json(const struct assess_sum *sum)
{
	return json_pack("{s:I, s:I, s:I}", "files", i64(sum->files),
			 "logical_bytes", i64(sum->logical_bytes), "disk_bytes",
			 i64(sum->disk_bytes));
}

static json_t *departments_json(const struct assess *a)
{
	json_t *list = json_array();

	for (unsigned int i = 0; list && i < a->departments; i++) {
		json_t *one = sum_json(&a->department[i]);
		struct energy_year year;

		year_of(a, a->department[i].disk_bytes, &year);
		(void)json_object_update_new(
			one,
			json_pack("{s:s, s:s, s:f, s:f, s:f}", "id",
				  assess_department_id(a, i), "name",
				  assess_department_name(a, i), "year_kwh",
				  (double)year.mwh / 1e6, "year_eur",
				  (double)year.ueur / 1e6, "year_kgco2e",
				  (double)(year.use_ug + year.build_ug) / 1e9));
		(void)json_array_append_new(list, one);
	}
	return list;
}

static json_t *ages_json(const struct assess *a)
{
	static const char *const keys[ASSESS_AGES] = {
		"under_3_months", "3_to_12_months", "1_to_3_years",
		"3_to_5_years", "over_5_years"
	};
	json_t *ages = json_object();

	for (unsigned int i = 0; ages && i < ASSESS_AGES; i++)
		(void)json_object_set_new(ages, keys[i], sum_json(&a->age[i]));
	return ages;
}

static json_t *rules_json(const struct assess *a)
{
	json_t *list = json_array();

	for (unsigned int i = 0; list && i < a->rules; i++)
		(void)json_array_append_new(
			list, json_pack("{s:s, s:s, s:I, s:I}", "id",
					a->rule[i].rule->id, "label",
					a->rule[i].rule->label, "files",
					i64(a->rule[i].files), "bytes",
					i64(a->rule[i].bytes)));
	return list;
}

json_t *assess_json(const struct assess *assess, const char *dir_path)
{
	uint64_t before;
	uint64_t after;

	assess_savings(assess, &before, &after);
	return json_pack(
		"{s:i, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, "
		"s:o, s:o, s:o, s:o, s:I, s:I}",
		"schema", PROTOCOL_SCHEMA, "directory",
		json_from_name(dir_path), "all", sum_json(&assess->all),
		"sampled", sum_json(&assess->sampled), "before_bytes",
		i64(before), "after_bytes", i64(after), "saved_bytes",
		(json_int_t)before - (json_int_t)after, "stored_bytes",
		i64(assess->stored.stored_bytes), "contents",
		i64(assess->stored.contents), "chunks",
		i64(assess->stored.chunks), "sample_ppm",
		(json_int_t)assess->sample_ppm, "duplicates",
		sum_json(&assess->duplicate), "departments",
		departments_json(assess), "ages", ages_json(assess), "rules",
		rules_json(assess), "unmatched", sum_json(&assess->unmatched),
		"unreadable", i64(assess->unreadable), "other_mounts",
		i64(assess->other_mounts));
}
