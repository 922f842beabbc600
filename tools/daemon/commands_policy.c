/* SPDX-License-Identifier: EUPL-1.2 */
/* policy plan; what rules say of one file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/plan/plan.h"
#include "tools/daemon/flagged.h"
#include "tools/daemon/internal.h"
#include "tools/daemon/reason.h"

#define MESSAGES_MAX 600

static json_int_t i(uint64_t n)
{
	return (json_int_t)n;
}

/* --- which rules -----------------------------------------------------------
 */

/* The first message stands for all: `policy check` shows them. */
static void keep_first(void *ctx, const char *text)
{
	char *first = ctx;

	if (!*first)
		(void)snprintf(first, MESSAGES_MAX, "%.*s",
			       (int)strcspn(text, "\n"), text);
}

int rules_for(const struct command_env *env, const struct request *request,
	      struct rules **ret_rules, struct error *err)
{
	char first[MESSAGES_MAX] = "";
	int rc;

	if (!request->policies) {
		*ret_rules = setup_take_rules(env->setup);
		return 0;
	}
	rc = rules_load(request->policies, setup_config(env->setup), keep_first,
			first, ret_rules, err);
	if (rc < 0 && *first)
		return error_set(err, rc, "%s", first);
	return rc;
}

void rules_done(const struct command_env *env, const struct request *request,
		struct rules *rules)
{
	if (request->policies)
		rules_free(rules);
	else
		setup_give_rules(env->setup, rules);
}

/* --- a run over the drive ---------------------------------------------------
 */

static int run_options(const struct command_env *env,
		       const struct request *request,
		       struct plan_options *ret_options, struct error *err)
{
	struct stat root;
	int rc = drive_stat(env->drive, "", &root, err);

	if (rc == 0)
		rc = plan_when(drive_catalog(env->drive),
			       clock_now_s(&env->clock), &ret_options->when,
			       err);
	if (rc < 0)
		return rc;
	ret_options->root_ino = root.st_ino;
	ret_options->stop = env->stop;
	if (request && request->as_of_day != INT32_MIN)
		ret_options->when.today = request->as_of_day;
	return 0;
}

struct listing {
	const struct command_env *env;
	const char *only; /* id of a rule; NULL: all */
	enum po_lang lang;
	uint64_t told;
};

static json_t *reasons_json(const struct verdict *verdict)
{
	json_t *list = json_array();

	for (unsigned int n = 0; list && n < verdict->n; n++) {
		const struct reason *r = &verdict->reason[n];

		(void)json_array_append_new(
			list, json_pack("{s:s, s:s?, s:I}", "kind",
					reason_name(r->kind), "text", r->text,
					"value", (json_int_t)r->value));
	}
	return list;
}

static json_t *verdict_json(const struct verdict *verdict, enum po_lang lang)
{
	static const char *const states[] = {
		[VERDICT_DUE] = "due",
		[VERDICT_UNKNOWN] = "unknown",
		[VERDICT_HELD] = "held",
		[VERDICT_RUNNING] = "running",
	};
	char text[REASONS_TEXT_MAX];

	reasons_text(verdict, lang, text);
	return json_pack("{s:s, s:o, s:s, s:o, s:o}", "rule", verdict->rule->id,
			 "label", json_from_name(verdict->rule->label), "state",
			 states[verdict->state], "reason", json_from_name(text),
			 "reasons", reasons_json(verdict));
}

static int tell_item(void *ctx, const struct plan_item *item, struct error *err)
{
	struct listing *l = ctx;
	cleanup_json json_t *note = NULL;
	struct command_progress p = { .done = ++l->told };

	if (l->only && strcmp(l->only, item->verdict->rule->id) != 0)
		return 0;
	note = verdict_json(item->verdict, l->lang);
	if (!note)
		return error_set(err, -ENOMEM, "no memory for the plan");
	(void)json_object_update_new(
		note, json_pack("{s:o, s:I, s:s}", "path",
				json_from_name(item->path), "size_bytes",
				i(item->inode->size_bytes), "department",
				item->department ? item->department : ""));
	p.note = note;
	return command_tell(l->env, &p)
		       ? 0
		       : error_set(err, -ECANCELED, "interrupted");
}

static json_t *totals_json(const struct rules *rules,
			   const struct plan_totals *totals, const char *only,
			   int32_t today)
{
	json_t *list = json_array();
	char day[16];

	day_text(today, PO_EN, day);
	for (unsigned int n = 0; list && n < totals->rules; n++) {
		const struct rule *rule = &rules->policy.rule[n];

		if (only && strcmp(only, rule->id) != 0)
			continue;
		(void)json_array_append_new(
			list,
			json_pack("{s:s, s:o, s:I, s:I}", "id", rule->id,
				  "label", json_from_name(rule->label), "files",
				  i(totals->rule[n].decides.files), "bytes",
				  i(totals->rule[n].decides.bytes)));
	}
	return json_pack("{s:i, s:s, s:o, s:I, s:I, s:I, s:I}", "schema",
			 PROTOCOL_SCHEMA, "as_of", day, "rules", list,
			 "matched_files", i(totals->matched.files),
			 "matched_bytes", i(totals->matched.bytes),
			 "unmatched_files", i(totals->unmatched.files),
			 "unmatched_bytes", i(totals->unmatched.bytes));
}

static bool asks_for_duplicates(const struct rules *rules, const char *only)
{
	for (unsigned int n = 0; n < rules->policy.n; n++) {
		const struct rule *rule = &rules->policy.rule[n];

		if (rule->duplicate && (!only || !strcmp(only, rule->id)))
			return true;
	}
	return false;
}

/* Contents are known of what is packed: the others' copies aren't found. */
static int add_uncompared(const struct command_env *env,
			  const struct rules *rules, const char *only,
			  json_t *result, struct error *err)
{
	struct catalog_totals totals;

	if (!asks_for_duplicates(rules, only))
		return 0;
	if (catalog_totals(drive_catalog(env->drive), &totals, err) < 0)
		return err->code;
	(void)json_object_set_new(
		result, "uncompared_files",
		json_integer(i(totals.files - totals.packed)));
	return 0;
}

static int check_rule(const struct rules *rules, const char *id,
		      struct error *err)
{
	if (!rules)
		return error_set(err, -ENOENT,
				 "there are no rules: --policies DIR names "
				 "them");
	for (unsigned int n = 0; id && n < rules->policy.n; n++)
		if (!strcmp(rules->policy.rule[n].id, id))
			return 0;
	return id ? error_set(err, -ENOENT, "there is no rule '%s'", id) : 0;
}

static int plan_all(const struct command_env *env, const struct rules *rules,
		    const struct plan_options *options, plan_each_fn *each,
		    void *ctx, struct plan_totals *ret_totals,
		    struct error *err)
{
	CLEANUP(plan_free) struct plan *plan = NULL;
	int rc = catalog_flush(drive_catalog(env->drive), err);

	if (rc == 0)
		rc = plan_new(drive_catalog(env->drive), rules->eval, &plan,
			      err);
	return rc < 0 ? rc
		      : plan_run(plan, options, each, ctx, ret_totals, err);
}

static json_t *plan_with(const struct command_env *env,
			 const struct request *request,
			 const struct rules *rules, struct error *err)
{
	struct listing l = { .env = env,
			     .only = request->rule,
			     .lang = request->french ? PO_FR : PO_EN };
	__attribute__((
		cleanup(plan_totals_release_at))) struct plan_totals totals = {
		.rules = 0
	};
	cleanup_json json_t *result = NULL;
	struct plan_options options;

	if (check_rule(rules, request->rule, err) < 0 ||
	    run_options(env, request, &options, err) < 0 ||
	    plan_all(env, rules, &options, tell_item, &l, &totals, err) < 0)
		return NULL;
	result = json_or_nomem(
		totals_json(rules, &totals, request->rule, options.when.today),
		err);
	if (!result ||
	    add_uncompared(env, rules, request->rule, result, err) < 0)
		return NULL;
	return take_ptr(&result);
}

json_t *command_plan(const struct command_env *env,
		     const struct request *request, struct error *err)
{
	struct rules *rules = NULL;
	json_t *result;

	if (rules_for(env, request, &rules, err) < 0)
		return NULL;
	result = plan_with(env, request, rules, err);
	rules_done(env, request, rules);
	return result;
}

/* --- for a report ------------------------------------------------------------
 */

struct gathering {
	const struct command_env *env;
	struct flagged *flagged;
	uint64_t told;
	const struct ledger_departments *departments;
};

static uint16_t number_of(const struct ledger_departments *departments,
			  const char *id)
{
	for (unsigned int n = 0; id && n < departments->n; n++)
		if (!strcmp(departments->row[n].id, id))
			return departments->row[n].number;
	return DEPARTMENT_OTHER;
}

static int gather(void *ctx, const struct plan_item *item, struct error *err)
{
	struct gathering *g = ctx;
	const struct command_progress p = { .done = ++g->told };
	const struct flagged_file file = {
		.path = item->path,
		.size_bytes = item->inode->size_bytes,
		.department = number_of(g->departments, item->department),
	};

	if (!command_tell(g->env, &p))
		return error_set(err, -ECANCELED, "interrupted");
	if (!item->counted)
		return 0;
	return flagged_add(g->flagged, &file, item->verdict, err);
}

int plan_flagged(const struct command_env *env, struct rules *rules,
		 enum po_lang lang,
		 const struct ledger_departments *departments,
		 struct flagged *ret_flagged, struct error *err)
{
	struct gathering g = { .env = env,
			       .flagged = ret_flagged,
			       .departments = departments };
	__attribute__((
		cleanup(plan_totals_release_at))) struct plan_totals totals = {
		.rules = 0
	};
	struct plan_options options;
	int rc = flagged_init(ret_flagged, rules, departments->n, lang, err);

	if (rc < 0 || !rules)
		return rc;
	rc = run_options(env, NULL, &options, err);
	if (rc == 0)
		rc = plan_all(env, rules, &options, gather, &g, &totals, err);
	if (rc == 0) {
		ret_flagged->unmatched_files = totals.unmatched.files;
		ret_flagged->unmatched_bytes = totals.unmatched.bytes;
	}
	return rc;
}

/* --- one file
 * ------------------------------------------------------------------ */

struct flags_query {
	uint64_t ino;
	const char *path; /* as plan_file() */
	bool all;	  /* likewise */
	bool copies_hidden;
};

static int flags_of(const struct command_env *env, const struct rules *rules,
		    const struct flags_query *query,
		    struct plan_flags *ret_flags, struct error *err)
{
	struct catalog *cat = drive_catalog(env->drive);
	CLEANUP(plan_free) struct plan *plan = NULL;
	struct plan_when when;
	int rc = plan_new(cat, rules->eval, &plan, err);

	if (rc == 0)
		rc = plan_when(cat, clock_now_s(&env->clock), &when, err);
	if (rc == 0)
		when.copies_hidden = query->copies_hidden;
	if (rc == 0)
		rc = plan_file(plan, &when, query->ino, query->path, query->all,
			       ret_flags, err);
	return rc;
}

static json_t *verdicts_json(const struct plan_flags *flags, enum po_lang lang)
{
	json_t *list = json_array();

	for (unsigned int n = 0; list && n < flags->n && n < PLAN_FLAGS_MAX;
	     n++)
		(void)json_array_append_new(
			list, verdict_json(&flags->verdict[n], lang));
	return list;
}

static json_t *make_flags(const struct command_env *env,
			  const struct rules *rules,
			  const struct flags_query *query, struct error *err)
{
	cleanup_free struct plan_flags *flags = calloc(1, sizeof(*flags));
	unsigned int left_out;

	if (!flags)
		return json_or_nomem(NULL, err);
	if (flags_of(env, rules, query, flags, err) < 0)
		return NULL;
	if (flags->n == 0) {
		(void)error_set(err, -ENOENT, "no rule matches");
		return NULL;
	}
	left_out = flags->n > PLAN_FLAGS_MAX ? flags->n - PLAN_FLAGS_MAX : 0;
	return json_or_nomem(json_pack("{s:i, s:o, s:i}", "schema",
				       PROTOCOL_SCHEMA, "flags",
				       verdicts_json(flags, PO_EN), "left_out",
				       (int)left_out),
			     err);
}

json_t *flags_json(const struct command_env *env, uint64_t ino,
		   bool copies_hidden, struct error *err)
{
	const struct flags_query query = { .ino = ino,
					   .copies_hidden = copies_hidden };
	struct rules *rules = setup_take_rules(env->setup);
	json_t *value = NULL;

	if (rules)
		value = make_flags(env, rules, &query, err);
	else
		(void)error_set(err, -ENOENT, "there are no rules");
	setup_give_rules(env->setup, rules);
	return value;
}

static int explain_with(const struct command_env *env,
			const struct rules *rules, const char *path,
			uint64_t ino, bool french, json_t *result,
			struct error *err)
{
	cleanup_free struct plan_flags *flags = calloc(1, sizeof(*flags));
	cleanup_free char *rooted = NULL;
	struct flags_query query = { .ino = ino, .all = true };
	int rc;

	if (!flags)
		return error_set(err, -ENOMEM, "no memory for the rules");
	if (asprintf(&rooted, "/%s", path) < 0) {
		rooted = NULL;
		return error_set(err, -ENOMEM, "no memory for the rules");
	}
	query.path = rooted;
	rc = flags_of(env, rules, &query, flags, err);
	if (rc < 0 && rc != -ENOENT) /* it is too new for the catalog */
		return rc;
	(void)json_object_set_new(result, "rules",
				  verdicts_json(flags, french ? PO_FR : PO_EN));
	return 0;
}

static int explain_rules(const struct command_env *env, const char *path,
			 uint64_t ino, bool french, json_t *result,
			 struct error *err)
{
	struct rules *rules = setup_take_rules(env->setup);
	int rc = 0;

	if (rules)
		rc = explain_with(env, rules, path, ino, french, result, err);
	setup_give_rules(env->setup, rules);
	return rc;
}

int explain_more(const struct command_env *env, const char *path, uint64_t ino,
		 bool french, json_t *result, struct error *err)
{
	struct catalog *cat = drive_catalog(env->drive);
	struct catalog_inode inode;
	struct error unknown = ERROR_INIT;
	json_t *footprint;
	char day[16];

	if (catalog_flush(cat, err) < 0)
		return err->code;
	if (catalog_inode_get(cat, ino, 0, &inode, &unknown) < 0)
		return 0; /* the scan hasn't come by */
	if (inode.last_used_day != CATALOG_DAY_UNKNOWN) {
		day_text(inode.last_used_day, PO_EN, day);
		(void)json_object_set_new(result, "last_used",
					  json_string(day));
	}
	footprint = footprint_json(env, ino, UINT64_MAX, &unknown);
	if (footprint)
		(void)json_object_set_new(result, "footprint", footprint);
	return explain_rules(env, path, ino, french, result, err);
}
