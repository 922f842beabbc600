/* SPDX-License-Identifier: EUPL-1.2 */
/* Rules on disk that change under a daemon. */
#include "tools/daemon/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
	char dir[64];
	char rule[96];
	struct daemon_options options;
	struct daemon d;
};

static void write_rule(const struct place *p, const char *label_key,
		       const char *id)
{
	FILE *f = fopen(p->rule, "we");

	assert_non_null(f);
	assert_true(fprintf(f,
			    "rules:\n"
			    "  - { id: %s, %s: L, source: S, personal: no,\n"
			    "      names: [\"*.tmp\"], then: flag,\n"
			    "      mode: simulation }\n",
			    id, label_key) > 0);
	assert_int_equal(fclose(f), 0);
}

static int make(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct setup_paths paths = { .config = NULL };
	struct error err = ERROR_INIT;

	assert_non_null(p);
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/sobre-tick-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->rule, sizeof(p->rule), "%s/10-a.yaml", p->dir);
	write_rule(p, "label", "one");
	paths.policies = p->dir;
	assert_int_equal(setup_load(&paths, -1, setup_say, NULL,
				    &p->options.setup, &err),
			 0);
	p->options.policies = p->dir;
	p->options.clock = clock_real();
	p->d.options = &p->options;
	assert_int_equal(pthread_mutex_init(&p->d.lock, NULL), 0);
	*state = p;
	return 0;
}

static int unmake(void **state)
{
	struct place *p = *state;

	setup_free(p->options.setup);
	(void)pthread_mutex_destroy(&p->d.lock);
	(void)unlink(p->rule);
	(void)rmdir(p->dir);
	free(p);
	return 0;
}

static const char *id_in_force(const struct place *p)
{
	return p->options.setup->rules->policy.rule[0].id;
}

static void rules_that_changed_are_in_force(void **state)
{
	struct place *p = *state;

	daemon_tick(&p->d);
	write_rule(p, "label", "two");
	daemon_tick(&p->d);
	assert_string_equal(id_in_force(p), "two");
	assert_int_equal(p->d.n_errors, 0);
}

static void rules_that_did_not_change_stay(void **state)
{
	struct place *p = *state;
	const struct rules *before = p->options.setup->rules;

	write_rule(p, "label", "one");
	daemon_tick(&p->d);
	assert_ptr_equal(p->options.setup->rules, before);
}

static void broken_rules_leave_those_in_force_and_are_told_once(void **state)
{
	struct place *p = *state;

	write_rule(p, "labell", "two");
	daemon_tick(&p->d);
	daemon_tick(&p->d);
	daemon_tick(&p->d);
	assert_string_equal(id_in_force(p), "one");
	assert_int_equal(p->d.n_errors, 1);
	assert_non_null(strstr(p->d.errors[0].text, p->rule));
	assert_non_null(strstr(p->d.errors[0].text, "labell"));
	write_rule(p, "label", "two");
	daemon_tick(&p->d);
	assert_string_equal(id_in_force(p), "two");
	write_rule(p, "labell", "two"); /* broken again: told again */
	daemon_tick(&p->d);
	assert_int_equal(p->d.n_errors, 2);
}

static void rules_that_are_gone_leave_those_in_force(void **state)
{
	struct place *p = *state;

	assert_int_equal(unlink(p->rule), 0);
	assert_int_equal(rmdir(p->dir), 0);
	daemon_tick(&p->d);
	daemon_tick(&p->d);
	assert_string_equal(id_in_force(p), "one");
	assert_int_equal(p->d.n_errors, 1);
}

static void a_daemon_that_stops_reads_none(void **state)
{
	struct place *p = *state;

	write_rule(p, "label", "two");
	p->d.stop = true;
	daemon_tick(&p->d);
	assert_string_equal(id_in_force(p), "one");
}

int main(void)
{
#define AT(test) cmocka_unit_test_setup_teardown(test, make, unmake)
	const struct CMUnitTest tests[] = {
		AT(rules_that_changed_are_in_force),
		AT(rules_that_did_not_change_stay),
		AT(broken_rules_leave_those_in_force_and_are_told_once),
		AT(rules_that_are_gone_leave_those_in_force),
		AT(a_daemon_that_stops_reads_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
