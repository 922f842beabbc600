/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Plans a drive of gen_catalog's and says how long it took.
 *
 *	bench_plan STATE ROOT_INO RULES [list]
 *
 * STATE: its LOWER/.sobre; RULES: tests/bench/rules; list: prints the items.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "policy/plan/plan.h"

static void say(void *ctx, const char *text)
{
	(void)ctx;
	(void)fputs(text, stderr);
}

static int list(void *ctx, const struct plan_item *item, struct error *err)
{
	(void)ctx;
	(void)err;
	(void)printf("%s\t%s\t%s\n", item->path,
		     item->department == NULL ? "-" : item->department,
		     item->verdict->rule->id);
	return 0;
}

static void report(const struct plan_totals *t, const struct policy *policy,
		   double seconds)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	for (unsigned int i = 0; i < t->rules; i++)
		(void)fprintf(stderr,
			      "%-22s %9" PRIu64 " decides, %9" PRIu64
			      " matches\n",
			      policy->rule[i].id, t->rule[i].decides.files,
			      t->rule[i].matches.files);
	(void)fprintf(stderr,
		      "%" PRIu64 " files, %" PRIu64 " matched, %u rules: "
		      "%.2f s, %ld MiB\n",
		      t->all.files, t->matched.files, t->rules, seconds,
		      usage.ru_maxrss / 1024);
}

static int plan_all(struct catalog *cat, const struct policy *policy,
		    uint64_t root_ino, bool listing, struct error *err)
{
	CLEANUP(eval_free) struct eval *eval = NULL;
	CLEANUP(plan_free) struct plan *plan = NULL;
	struct plan_options options = { .root_ino = root_ino };
	struct plan_totals totals = { .rules = 0 };
	struct clock clock = clock_real();
	int64_t start_ns = clock_now_ns(&clock);
	int rc = plan_when(cat, start_ns / NS_PER_S, &options.when, err);

	if (rc == 0)
		rc = eval_new(policy, &eval, err);
	if (rc == 0)
		rc = plan_new(cat, eval, &plan, err);
	if (rc == 0)
		rc = plan_run(plan, &options, listing ? list : NULL, NULL,
			      &totals, err);
	if (rc < 0)
		return rc;
	report(&totals, policy,
	       (double)(clock_now_ns(&clock) - start_ns) / 1e9);
	plan_totals_release(&totals);
	return 0;
}

int main(int argc, char **argv)
{
	const struct yaml_messages messages = { .say = say };
	struct clock clock = clock_real();
	struct error err = ERROR_INIT;
	struct policy policy = { .n = 0 };
	CLEANUP(catalog_close) struct catalog *cat = NULL;
	int rc = 0;

	if (argc < 4)
		return 2;
	rc = policy_load(argv[3], NULL, &messages, &policy, &err);
	if (rc == 0)
		rc = catalog_open(argv[1], CATALOG_READONLY, &clock, &cat,
				  &err);
	if (rc == 0)
		rc = plan_all(cat, &policy, strtoull(argv[2], NULL, 10),
			      argc > 4, &err);
	if (rc < 0)
		(void)fprintf(stderr, "bench_plan: %s\n", err.text);
	policy_release(&policy);
	return rc < 0;
}
