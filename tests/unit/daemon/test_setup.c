/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
	char dir[64];
	char config[96];
	char rules[96];
	char rule[128];
	char said[4096];
};

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int make(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/sobre-setup-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->config, sizeof(p->config), "%s/drive.yaml", p->dir);
	(void)snprintf(p->rules, sizeof(p->rules), "%s/rules", p->dir);
	(void)snprintf(p->rule, sizeof(p->rule), "%s/10-a.yaml", p->rules);
	assert_int_equal(mkdir(p->rules, 0700), 0);
	*state = p;
	return 0;
}

static int unmake(void **state)
{
	struct place *p = *state;

	(void)unlink(p->rule);
	(void)unlink(p->config);
	(void)rmdir(p->rules);
	(void)rmdir(p->dir);
	free(p);
	return 0;
}

static void hear(void *ctx, const char *text)
{
	struct place *p = ctx;
	size_t used = strlen(p->said);

	(void)snprintf(p->said + used, sizeof(p->said) - used, "%s", text);
}

/* With `config`, and the rules if `rules` says so. */
static int load(struct place *p, const char *config, bool rules,
		struct setup **ret_setup, struct error *err)
{
	const struct setup_paths paths = { .config = p->config,
					   .policies =
						   rules ? p->rules : NULL };

	put(p->config, config);
	p->said[0] = '\0';
	return setup_load(&paths, -1, hear, p, ret_setup, err);
}

static struct setup *loaded(struct place *p, const char *config)
{
	struct error err = ERROR_INIT;
	struct setup *setup = NULL;

	if (load(p, config, false, &setup, &err) < 0)
		fail_msg("%s\n%s", err.text, p->said);
	return setup;
}

static void nothing_said_is_all_defaults(void **state)
{
	const struct setup_paths none = { .config = NULL };
	CLEANUP(setup_free) struct setup *setup = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(setup_load(&none, -1, setup_say, NULL, &setup, &err),
			 0);
	assert_false(setup->configured);
	assert_int_equal(setup->departments, 0);
	assert_int_equal(setup_min_age_s(setup), 86400);
	assert_false(setup_has_window(setup));
	assert_true(setup_in_window(setup, 0));
	assert_false(setup_excludes(setup, "/a.pst"));
	assert_null(setup_take_rules(setup));
}

static void the_city_s_coefficients_are_taken(void **state)
{
	CLEANUP(setup_free)
	struct setup *setup = loaded(
		*state, "energy: { pue: 1.5, coefficients: { kappa: 3.1 } }\n");

	assert_int_equal(setup->coefs.coef[COEF_KAPPA].value, 3100000);
	assert_int_equal(setup->coefs.coef[COEF_KAPPA].high, 3100000);
	assert_true(setup->coefs.coef[COEF_KAPPA].configured);
	assert_int_equal(setup->coefs.coef[COEF_PUE].value, 1500000);
	assert_false(setup->coefs.coef[COEF_RHO].configured);
}

/* The names of drive.yaml are names of the report. */
static void every_target_of_the_charter_is_taken(void **state)
{
	unsigned int n = 0;

	for (const char *name; (name = config_charter_name(n)); n++) {
		unsigned int taken = 0;
		struct setup *setup;
		char text[128];

		(void)snprintf(text, sizeof(text), "charter: { %s: 2.5 }\n",
			       name);
		setup = loaded(*state, text);
		for (unsigned int i = 0; i < REPORT_CHARTER_INDICATORS; i++) {
			bool it = !strcmp(report_charter_name(i), name);

			assert_int_equal(setup->charter_target[i],
					 it ? 2500000 : -1);
			taken += it;
		}
		assert_int_equal(taken, 1);
		setup_free(setup);
	}
	assert_true(n > 10);
}

static void excludes_by_pattern_whatever_the_case(void **state)
{
	CLEANUP(setup_free)
	struct setup *setup = loaded(
		*state, "pack: { exclude: [\"*.pst\", \"/Ville/Bases/**\"] }");

	assert_true(setup_excludes(setup, "/a.pst"));
	assert_true(setup_excludes(setup, "/x/y/Archives.PST"));
	assert_true(setup_excludes(setup, "/ville/bases/x/y.db"));
	assert_false(setup_excludes(setup, "/a.pst.txt"));
	assert_false(setup_excludes(setup, "/Ville/x.db"));
	assert_false(setup_excludes(setup, "/a/Ville/Bases/x"));
	assert_true(setup_excluded(setup, "/b.Pst"));
}

static void a_pattern_that_is_none_names_the_file(void **state)
{
	struct place *p = *state;
	struct error err = ERROR_INIT;
	struct setup *setup = NULL;

	assert_int_equal(
		load(p, "pack: { exclude: [\"a//b\"] }", false, &setup, &err),
		-EINVAL);
	assert_null(setup);
	assert_non_null(strstr(err.text, p->config));
	assert_non_null(strstr(err.text, "a//b"));
}

/* Seconds since 1970 of a moment of local time. */
static int64_t at(int hour, int minute)
{
	struct tm tm = { .tm_year = 126,
			 .tm_mon = 2,
			 .tm_mday = 10,
			 .tm_hour = hour,
			 .tm_min = minute,
			 .tm_isdst = -1 };

	return mktime(&tm);
}

static void a_window_is_of_local_time(void **state)
{
	CLEANUP(setup_free)
	struct setup *setup = loaded(*state, "pack: { window: 08:30-17:00 }");

	assert_true(setup_has_window(setup));
	assert_false(setup_in_window(setup, at(8, 29)));
	assert_true(setup_in_window(setup, at(8, 30)));
	assert_true(setup_in_window(setup, at(16, 59)));
	assert_false(setup_in_window(setup, at(17, 0)));
	assert_false(setup_in_window(setup, at(0, 0)));
}

static void a_window_goes_over_midnight(void **state)
{
	CLEANUP(setup_free)
	struct setup *setup = loaded(*state, "pack: { window: 20:00-06:00 }");
	char text[8];

	assert_true(setup_in_window(setup, at(20, 0)));
	assert_true(setup_in_window(setup, at(23, 59)));
	assert_true(setup_in_window(setup, at(0, 0)));
	assert_true(setup_in_window(setup, at(5, 59)));
	assert_false(setup_in_window(setup, at(6, 0)));
	assert_false(setup_in_window(setup, at(19, 59)));
	setup_time_text(setup->config.pack_until_min, text);
	assert_string_equal(text, "06:00");
}

static void a_window_that_ends_as_it_begins_is_all_day(void **state)
{
	CLEANUP(setup_free)
	struct setup *setup = loaded(*state, "pack: { window: 20:00-20:00 }");

	assert_false(setup_has_window(setup));
	assert_true(setup_in_window(setup, at(12, 0)));
}

static void min_age_is_taken_even_when_it_is_none(void **state)
{
	CLEANUP(setup_free)
	struct setup *days = loaded(*state, "pack: { min_age: 30 days }");

	assert_int_equal(setup_min_age_s(days), 30 * 86400);
}

static const char departments[] =
	"departments:\n"
	"  - { id: urb, name: Urbanisme, paths: [/Ville/Urb], groups: [root] "
	"}\n"
	"  - { id: com, name: Commune, paths: [/Ville], groups: [no-such] }\n";

static void a_department_is_found_by_path_then_by_group(void **state)
{
	struct place *p = *state;
	CLEANUP(setup_free) struct setup *setup = loaded(p, departments);

	assert_int_equal(setup->departments, 2);
	assert_int_equal(setup_department(setup, "/Ville/Urb/x", 7), 0);
	assert_int_equal(setup_department(setup, "/Ville/Urb", 7), 0);
	assert_int_equal(setup_department(setup, "/Ville/Urbain", 7), 1);
	assert_int_equal(setup_department(setup, "/else", 0), 0); /* root */
	assert_int_equal(setup_department(setup, "/Ville/x", 0), 1);
	assert_int_equal(setup_department(setup, "/else", 7), 2);
}

static void a_group_that_is_missing_is_a_warning(void **state)
{
	struct place *p = *state;
	CLEANUP(setup_free) struct setup *setup = loaded(p, departments);

	assert_non_null(strstr(p->said, "no-such"));
	assert_non_null(strstr(p->said, ":3: "));
	assert_int_equal(setup->department[0].n_gids, 1);
	assert_int_equal(setup->department[1].n_gids, 0);
}

static void a_wrong_configuration_is_none(void **state)
{
	struct place *p = *state;
	struct error err = ERROR_INIT;
	struct setup *setup = NULL;

	assert_int_equal(load(p, "pak: {}\n", false, &setup, &err),
			 -SOBRE_ECONFIG);
	assert_null(setup);
	assert_non_null(strstr(p->said, "pak"));
}

/* --- rules ------------------------------------------------------------------
 */

#define RULE                                                 \
	"rules:\n"                                           \
	"  - { id: %s, label: L, source: S, personal: no,\n" \
	"      names: [\"*.tmp\"], then: flag, mode: simulation }\n"

static void write_rule(struct place *p, const char *id)
{
	char text[512];

	(void)snprintf(text, sizeof(text), RULE, id);
	put(p->rule, text);
}

static void rules_in_use_outlive_those_that_follow(void **state)
{
	struct place *p = *state;
	CLEANUP(setup_free) struct setup *setup = NULL;
	struct error err = ERROR_INIT;
	struct rules *read = NULL;
	struct rules *first;
	struct rules *second;

	write_rule(p, "one");
	if (load(p, "{}", true, &setup, &err) < 0)
		fail_msg("%s\n%s", err.text, p->said);
	first = setup_take_rules(setup);
	assert_int_equal(first->users, 1);
	write_rule(p, "two");
	assert_int_equal(
		rules_load(p->rules, &setup->config, hear, p, &read, &err), 0);
	setup_put_rules(setup, read);
	second = setup_take_rules(setup);
	assert_ptr_equal(second, read);
	assert_string_equal(first->policy.rule[0].id, "one");
	assert_string_equal(second->policy.rule[0].id, "two");
	setup_give_rules(setup, first);	 /* the last: they go */
	setup_give_rules(setup, second); /* in force: they stay */
	assert_int_equal(setup->rules->users, 0);
	setup_give_rules(setup, NULL);
}

static void rules_name_only_departments_there_are(void **state)
{
	struct place *p = *state;
	struct error err = ERROR_INIT;
	struct setup *setup = NULL;

	put(p->rule, "rules:\n"
		     "  - { id: a, label: L, source: S, personal: no,\n"
		     "      departments: [other, urb], names: [\"*.tmp\"],\n"
		     "      then: flag, mode: simulation }\n");
	assert_int_equal(load(p, departments, true, &setup, &err), 0);
	setup_free(setup);
	setup = NULL;
	assert_int_equal(load(p, "{}", true, &setup, &err), -SOBRE_EPOLICY);
	assert_null(setup);
	assert_non_null(strstr(p->said, "urb"));
}

#define ROUNDS 200

static void *use(void *arg)
{
	struct setup *setup = arg;

	for (int i = 0; i < ROUNDS * 20; i++) {
		struct rules *rules = setup_take_rules(setup);

		if (rules->policy.n != 1)
			return arg;
		setup_give_rules(setup, rules);
	}
	return NULL;
}

static void rules_change_while_others_use_them(void **state)
{
	struct place *p = *state;
	CLEANUP(setup_free) struct setup *setup = NULL;
	struct error err = ERROR_INIT;
	pthread_t users[2];
	void *wrong = NULL;

	write_rule(p, "one");
	assert_int_equal(load(p, "{}", true, &setup, &err), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&users[i], NULL, use, setup),
				 0);
	for (int i = 0; i < ROUNDS; i++) {
		struct rules *read = NULL;

		assert_int_equal(rules_load(p->rules, &setup->config, hear, p,
					    &read, &err),
				 0);
		setup_put_rules(setup, read);
	}
	for (int i = 0; i < 2; i++) {
		(void)pthread_join(users[i], &wrong);
		assert_null(wrong);
	}
}

/* --- where ------------------------------------------------------------------
 */

static void what_is_named_is_taken_as_it_is(void **state)
{
	cleanup_setup_paths struct setup_paths paths = { .config = NULL };
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(
		setup_paths_find("/c.yaml", "/p.d", "/srv/x", &paths, &err), 0);
	assert_string_equal(paths.config, "/c.yaml");
	assert_string_equal(paths.policies, "/p.d");
}

static void a_path_is_no_name_of_a_drive(void **state)
{
	char *lower = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(setup_lower_of("../x", &lower, &err), 0);
	assert_int_equal(setup_lower_of(".", &lower, &err), 0);
	assert_int_equal(setup_lower_of("", &lower, &err), 0);
	assert_int_equal(setup_lower_of("no-such-drive-at-all", &lower, &err),
			 0);
	assert_null(lower);
}

int main(void)
{
#define AT(test) cmocka_unit_test_setup_teardown(test, make, unmake)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_said_is_all_defaults),
		AT(the_city_s_coefficients_are_taken),
		AT(every_target_of_the_charter_is_taken),
		AT(excludes_by_pattern_whatever_the_case),
		AT(a_pattern_that_is_none_names_the_file),
		AT(a_window_is_of_local_time),
		AT(a_window_goes_over_midnight),
		AT(a_window_that_ends_as_it_begins_is_all_day),
		AT(min_age_is_taken_even_when_it_is_none),
		AT(a_department_is_found_by_path_then_by_group),
		AT(a_group_that_is_missing_is_a_warning),
		AT(a_wrong_configuration_is_none),
		AT(rules_in_use_outlive_those_that_follow),
		AT(rules_name_only_departments_there_are),
		AT(rules_change_while_others_use_them),
		cmocka_unit_test(what_is_named_is_taken_as_it_is),
		cmocka_unit_test(a_path_is_no_name_of_a_drive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
