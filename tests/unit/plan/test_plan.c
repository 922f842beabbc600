/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/catalog/support.h"
#include "tests/unit/eval/support.h"

#include "fs/ledger/ledger.h"
#include "policy/plan/plan.h"

#define ROOT	2
#define DAY_NS	(86400 * NS_PER_S)
#define TODAY	day_of(2026, 3, 1)
#define YEARS_5 day_of(2021, 3, 1)

/* --- a small drive
 * ------------------------------------------------------------ */

static void put_name(struct fixture *f, uint64_t parent, const char *name,
		     uint64_t ino)
{
	must(catalog_name_put(f->cat, parent, name, ino, &f->err));
}

static void put_dir(struct fixture *f, uint64_t parent, const char *name,
		    uint64_t ino)
{
	struct catalog_inode inode = file_of(ino);

	inode.mode = S_IFDIR | 0750;
	inode.nlink = 2;
	must(catalog_inode_put(f->cat, &inode, &f->err));
	if (parent != 0)
		put_name(f, parent, name, ino);
}

static struct catalog_inode old_file(uint64_t ino, uint64_t size)
{
	struct catalog_inode inode = file_of(ino);

	inode.size_bytes = size;
	inode.btime_ns = YEARS_5 * DAY_NS;
	inode.mtime_ns = YEARS_5 * DAY_NS + 7;
	return inode;
}

static void put_file(struct fixture *f, uint64_t parent, const char *name,
		     uint64_t ino, uint64_t size)
{
	struct catalog_inode inode = old_file(ino, size);

	must(catalog_inode_put(f->cat, &inode, &f->err));
	put_name(f, parent, name, ino);
}

static void fill(struct fixture *f)
{
	struct catalog_inode both = old_file(24, 1000);

	must(catalog_begin(f->cat, &f->err));
	put_dir(f, 0, NULL, ROOT);
	put_dir(f, ROOT, "Ville", 10);
	put_dir(f, 10, "Urbanisme", 11);
	put_dir(f, 11, "2015", 12);
	put_dir(f, ROOT, "CCAS", 13);
	put_dir(f, ROOT, "Divers", 14);
	put_file(f, 12, "plan.PDF", 20, 1);
	put_file(f, 12, "note.odt", 21, 10);
	put_file(f, 13, "aide.pdf", 22, 100);
	put_file(f, 14, "x.pdf", 23, 200);
	put_file(f, ROOT, "haut.pdf", 25, 5);
	/* Has a name in each of two departments. */
	both.nlink = 2;
	must(catalog_inode_put(f->cat, &both, &f->err));
	put_name(f, 12, "both.pdf", 24);
	put_name(f, 13, "deux.pdf", 24);
	must(catalog_commit(f->cat, &f->err));
}

static int setup(void **state)
{
	static const char *const urb[] = { "/Ville/Urbanisme" };
	static const char *const ccas[] = { "/CCAS" };
	const struct ledger_department departments[] = {
		{ .id = "urb", .name = "U", .paths = urb, .n_paths = 1 },
		{ .id = "ccas", .name = "C", .paths = ccas, .n_paths = 1 },
	};
	struct fixture *f = NULL;
	struct ledger *ledger = NULL;

	(void)fixture_setup(state);
	f = *state;
	must(ledger_open(f->cat, NULL, departments, 2, &f->clock, &ledger,
			 &f->err));
	fill(f);
	ledger_close(ledger);
	return 0;
}

/* --- what came
 * ------------------------------------------------------------------ */

struct came {
	unsigned int n;
	unsigned int counted;
	char text[4000];
};

static int note(void *ctx, const struct plan_item *item, struct error *err)
{
	struct came *came = ctx;
	size_t len = strlen(came->text);

	(void)err;
	came->n++;
	came->counted += item->counted;
	(void)snprintf(came->text + len, sizeof(came->text) - len,
		       "%s %s %s %u;", item->path,
		       item->department == NULL ? "-" : item->department,
		       item->verdict->rule->id, item->n);
	return 0;
}

static bool has(const struct came *came, const char *text)
{
	return strstr(came->text, text) != NULL;
}

static struct plan_totals run(struct fixture *f, struct rule *rules,
			      unsigned int n, struct came *came)
{
	const struct policy policy = { .rule = rules, .n = n };
	const struct plan_options options = {
		.root_ino = ROOT,
		.when = { .today = TODAY, .watched_day = DAY_UNKNOWN },
	};
	CLEANUP(eval_free) struct eval *eval = compiled(&policy);
	CLEANUP(plan_free) struct plan *plan = NULL;
	struct plan_totals totals = { .rules = 0 };

	*came = (struct came){ .n = 0 };
	must(plan_new(f->cat, eval, &plan, &f->err));
	must(plan_run(plan, &options, note, came, &totals, &f->err));
	return totals;
}

static void a_plan_lists_what_matches_with_its_department(void **state)
{
	struct fixture *f = *state;
	struct rule r = RULE("pdf", .names = LIST("*.pdf"));
	struct came came;
	struct plan_totals t = run(f, &r, 1, &came);

	assert_int_equal(came.n, 6);
	assert_true(has(&came, "/Ville/Urbanisme/2015/plan.PDF urb pdf 1;"));
	assert_true(has(&came, "/Ville/Urbanisme/2015/both.pdf urb pdf 1;"));
	assert_true(has(&came, "/CCAS/deux.pdf ccas pdf 1;"));
	assert_true(has(&came, "/CCAS/aide.pdf ccas pdf 1;"));
	assert_true(has(&came, "/Divers/x.pdf other pdf 1;"));
	assert_true(has(&came, "/haut.pdf other pdf 1;"));
	plan_totals_release(&t);
}

static void totals_count_each_file_once_and_add_up(void **state)
{
	struct fixture *f = *state;
	struct rule rules[] = {
		RULE("pdf", .names = LIST("*.pdf")),
		RULE("keep", .paths = LIST("/CCAS/**"), .then = RULE_KEEP),
		RULE("none", .paths = LIST("/Nowhere/**")),
	};
	struct came came;
	struct plan_totals t = run(f, rules, 3, &came);

	assert_int_equal(came.n, 6);
	assert_int_equal(came.counted, 5);
	assert_int_equal(t.all.files, 6);
	assert_int_equal(t.all.bytes, 1316);
	assert_int_equal(t.matched.files, 5);
	assert_int_equal(t.matched.bytes, 1306);
	assert_int_equal(t.unmatched.files, 1);
	assert_int_equal(t.unmatched.bytes, 10);
	assert_int_equal(t.rules, 3);
	assert_int_equal(t.rule[0].decides.files + t.rule[1].decides.files, 5);
	assert_int_equal(t.rule[0].matches.files, 5);
	assert_int_equal(t.rule[2].matches.files, 0);
	plan_totals_release(&t);
}

static void totals_of_departments_are_those_of_the_names(void **state)
{
	struct fixture *f = *state;
	struct rule r = RULE("odt", .paths = LIST("/Ville/**", "/Divers/**"));
	struct came came;
	struct plan_totals t = run(f, &r, 1, &came);
	uint64_t sum = 0;

	for (unsigned int i = 0; i < t.departments; i++) {
		const struct plan_department *d = &t.department[i];

		sum += d->matched.files;
		if (d->id != NULL && strcmp(d->id, "urb") == 0)
			assert_int_equal(d->matched.bytes, 1011);
		if (d->id != NULL && strcmp(d->id, "other") == 0)
			assert_int_equal(d->matched.bytes, 200);
	}
	assert_int_equal(sum, t.matched.files);
	plan_totals_release(&t);
}

static void a_rule_for_a_department_takes_no_others(void **state)
{
	struct fixture *f = *state;
	struct rule r = RULE("r", .departments = LIST("ccas"));
	struct came came;
	struct plan_totals t = run(f, &r, 1, &came);

	assert_int_equal(came.n, 2);
	assert_true(has(&came, "/CCAS/aide.pdf ccas"));
	assert_true(has(&came, "/CCAS/deux.pdf ccas"));
	plan_totals_release(&t);
}

static void ages_are_those_of_the_catalog(void **state)
{
	struct fixture *f = *state;
	struct rule r = RULE("old", .not_changed_for = years(5));
	struct rule never = RULE("never", .not_used_for = years(1));
	struct came came;
	struct plan_totals t;
	struct catalog_inode young = old_file(21, 10);

	young.mtime_ns += DAY_NS;
	put(f, &young);
	t = run(f, &r, 1, &came);
	assert_int_equal(t.matched.files, 5);
	assert_false(has(&came, "note.odt"));
	plan_totals_release(&t);
	/* Nobody watched. */
	t = run(f, &never, 1, &came);
	assert_int_equal(t.matched.files, 0);
	plan_totals_release(&t);
}

static void a_last_use_is_taken_from_the_catalog(void **state)
{
	struct fixture *f = *state;
	struct rule r = RULE("unused", .not_used_for = years(1));
	struct catalog_event used = { .kind = CATALOG_EVENT_USED,
				      .inode = old_file(22, 100),
				      .day = day_of(2025, 3, 1) };
	struct came came;
	struct plan_totals t;

	must(catalog_post(f->cat, &used));
	used.inode.ino = 23;
	used.day++;
	must(catalog_post(f->cat, &used));
	flush(f);
	t = run(f, &r, 1, &came);
	assert_int_equal(came.n, 1);
	assert_true(has(&came, "/CCAS/aide.pdf"));
	plan_totals_release(&t);
}

static void copies_are_those_of_packed_files(void **state)
{
	struct fixture *f = *state;
	struct rule r = RULE("twice", .duplicate = true);
	struct came came;
	struct plan_totals t;
	struct catalog_inode a = old_file(22, 100);
	struct catalog_inode b = old_file(23, 100);
	struct catalog_inode alone = old_file(25, 5);

	pack(f, &a, content_of(7));
	pack(f, &b, content_of(7));
	pack(f, &alone, content_of(9));
	t = run(f, &r, 1, &came);
	assert_int_equal(came.n, 2);
	assert_true(has(&came, "/CCAS/aide.pdf"));
	assert_true(has(&came, "/Divers/x.pdf"));
	plan_totals_release(&t);
}

static void a_plan_without_rules_matches_nothing(void **state)
{
	struct fixture *f = *state;
	struct came came;
	struct plan_totals t = run(f, NULL, 0, &came);

	assert_int_equal(came.n, 0);
	assert_int_equal(t.unmatched.files, 6);
	assert_int_equal(t.unmatched.bytes, 1316);
	plan_totals_release(&t);
}

static int refuse(void *ctx, const struct plan_item *item, struct error *err)
{
	(void)item;
	(void)err;
	++*(int *)ctx;
	return 42;
}

static void a_plan_ends_when_it_is_told_to(void **state)
{
	struct fixture *f = *state;
	struct rule r = RULE("all");
	const struct policy policy = { .rule = &r, .n = 1 };
	struct plan_options options = { .root_ino = ROOT,
					.when = { TODAY, DAY_UNKNOWN, false } };
	bool stop = true;
	CLEANUP(eval_free) struct eval *eval = compiled(&policy);
	CLEANUP(plan_free) struct plan *plan = NULL;
	struct plan_totals t = { .rules = 0 };
	int times = 0;

	must(plan_new(f->cat, eval, &plan, &f->err));
	assert_int_equal(plan_run(plan, &options, refuse, &times, &t, &f->err),
			 42);
	assert_int_equal(times, 1);
	options.stop = &stop;
	assert_int_equal(plan_run(plan, &options, NULL, NULL, &t, &f->err),
			 -ECANCELED);
	assert_null(t.rule);
}

/* --- one file
 * ------------------------------------------------------------------- */

static void one_file_says_what_the_whole_plan_says(void **state)
{
	struct fixture *f = *state;
	struct rule rules[] = {
		RULE("ccas", .departments = LIST("ccas"),
		     .names = LIST("deux*")),
		RULE("urb", .departments = LIST("urb"), .then = RULE_SORT,
		     .keep = years(5)),
		RULE("young", .then = RULE_ELIMINATE, .keep = years(6)),
	};
	const struct policy policy = { .rule = rules, .n = 3 };
	const struct plan_when when = { TODAY, DAY_UNKNOWN, false };
	CLEANUP(eval_free) struct eval *eval = compiled(&policy);
	CLEANUP(plan_free) struct plan *plan = NULL;
	static struct plan_flags flags;

	must(plan_new(f->cat, eval, &plan, &f->err));
	must(plan_file(plan, &when, 24, "/CCAS/deux.pdf", false, &flags,
		       &f->err));
	assert_int_equal(flags.n, 1);
	assert_string_equal(flags.verdict[0].rule->id, "ccas");
	must(plan_file(plan, &when, 20, NULL, false, &flags, &f->err));
	assert_int_equal(flags.n, 0); /* held by "young" */
	must(plan_file(plan, &when, 20, NULL, true, &flags, &f->err));
	assert_int_equal(flags.n, 2);
	must(plan_file(plan, &when, 10, NULL, true, &flags, &f->err));
	assert_int_equal(flags.n, 0);
	assert_int_equal(
		plan_file(plan, &when, 999, NULL, false, &flags, &f->err),
		-ENOENT);
}

static void uses_are_watched_from_the_first_second_of_the_ledger(void **state)
{
	struct fixture *f = *state;
	int64_t now_s = clock_now_s(&f->clock);
	struct plan_when when;

	must(plan_when(f->cat, now_s, &when, &f->err));
	assert_int_equal(when.today, now_s / 86400);
	assert_in_range(when.today - when.watched_day, 0, 1);
	assert_int_equal(plan_when(f->cat, -1, &when, &f->err), -EINVAL);
}

#define PLANNED(test) \
	cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLANNED(a_plan_lists_what_matches_with_its_department),
		PLANNED(totals_count_each_file_once_and_add_up),
		PLANNED(totals_of_departments_are_those_of_the_names),
		PLANNED(a_rule_for_a_department_takes_no_others),
		PLANNED(ages_are_those_of_the_catalog),
		PLANNED(a_last_use_is_taken_from_the_catalog),
		PLANNED(copies_are_those_of_packed_files),
		PLANNED(a_plan_without_rules_matches_nothing),
		PLANNED(a_plan_ends_when_it_is_told_to),
		PLANNED(one_file_says_what_the_whole_plan_says),
		PLANNED(uses_are_watched_from_the_first_second_of_the_ledger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
