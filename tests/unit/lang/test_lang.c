/* SPDX-License-Identifier: EUPL-1.2 */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "policy/lang/lang.h"
#include "tests/support/golden.h"

/* A directory of rules of its own for each test, and what was said. */
struct place {
	char path[64];
	int dir;
	struct buf said;
};

static int make(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	if (!place)
		return -1;
	(void)snprintf(place->path, sizeof(place->path),
		       "/tmp/sobre-lang.XXXXXX");
	if (!mkdtemp(place->path))
		return -1;
	place->dir = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	buf_init(&place->said, 1u << 20);
	*state = place;
	return 0;
}

static int clear(void **state)
{
	struct place *place = *state;
	DIR *dir = fdopendir(place->dir);
	struct dirent *entry;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	while ((entry = readdir(dir)))
		(void)unlinkat(place->dir, entry->d_name, 0);
	(void)closedir(dir);
	buf_release(&place->said);
	(void)rmdir(place->path);
	free(place);
	return 0;
}

static void put(const struct place *place, const char *name, const char *text)
{
	cleanup_fd int fd =
		openat(place->dir, name,
		       O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static int load(struct place *place, struct policy *policy)
{
	struct yaml_messages messages = { golden_say, &place->said, NULL };
	struct error err = ERROR_INIT;

	buf_clear(&place->said);
	return policy_load(place->path, NULL, &messages, policy, &err);
}

/* What `name`, alone there, is: right. */
static struct policy policy_of(struct place *place, const char *text)
{
	struct policy policy;

	put(place, "10-test.yaml", text);
	if (load(place, &policy) < 0)
		fail_msg("%.*s", (int)place->said.len,
			 (const char *)place->said.data);
	return policy;
}

static const struct rule *rule_of(const struct policy *policy, const char *id)
{
	for (unsigned int i = 0; i < policy->n; i++)
		if (!strcmp(policy->rule[i].id, id))
			return &policy->rule[i];
	fail_msg("no rule %s", id);
	return NULL;
}

static void is_list(const struct strings *list, const char *first,
		    unsigned int n)
{
	assert_int_equal(list->n, n);
	assert_string_equal(list->item[0], first);
}

static void a_real_rule_set_is_read(void **state)
{
	struct yaml_messages messages = { NULL, NULL, NULL };
	char ccas[] = "ccas";
	char *ids[] = { ccas };
	struct strings departments = { ids, 1 };
	struct error err = ERROR_INIT;
	struct policy policy;
	const struct rule *rule;

	(void)state;
	assert_int_equal(policy_load(TESTS_DATA "/policy", &departments,
				     &messages, &policy, &err),
			 0);
	assert_int_equal(policy.n, 15);
	assert_string_equal(policy.rule[0].id, "debris");
	assert_string_equal(policy.rule[0].file, "00-general.yaml");
	assert_int_equal(policy.rule[0].line, 4);
	rule = rule_of(&policy, "rh-candidatures-sans-suite");
	assert_string_equal(rule->file, "20-communes.yaml");
	assert_string_equal(rule->record, "RH-03");
	assert_int_equal(rule->personal, RULE_PERSONAL_YES);
	is_list(&rule->paths, "/RH/Recrutement/*/**", 1);
	is_list(&rule->except, "**/Vivier/**", 1);
	assert_int_equal(rule->unit, RULE_DOSSIER);
	assert_int_equal(rule->start, RULE_START_CLOSED);
	assert_int_equal(rule->keep_active.count, 3);
	assert_int_equal(rule->keep_active.unit, PERIOD_MONTHS);
	assert_int_equal(rule->keep.count, 2);
	assert_int_equal(rule->keep.unit, PERIOD_YEARS);
	assert_int_equal(rule->then, RULE_ELIMINATE);
	assert_int_equal(rule->visa, RULE_VISA_SLIP);
	assert_int_equal(rule->mode, RULE_SIMULATION);
	is_list(&rule->match,
		"/RH/Recrutement/2021/Courrier école Pasteur/CV.pdf", 1);
	is_list(&rule->not_match, "/RH/Recrutement/2021/Vivier/CV.pdf", 2);
	rule = rule_of(&policy, "secu-videoprotection");
	assert_int_equal(rule->visa, RULE_VISA_STANDING);
	assert_non_null(rule->visa_ref);
	assert_int_equal(rule->start, RULE_START_CREATED);
	rule = rule_of(&policy, "ccas-aides");
	assert_int_equal(rule->personal, RULE_SENSITIVE);
	is_list(&rule->departments, "ccas", 1);
	assert_int_equal(rule_of(&policy, "etat-civil")->then, RULE_KEEP);
	rule = rule_of(&policy, "copies-de-travail");
	assert_true(rule->duplicate);
	assert_int_equal(rule->visa, RULE_VISA_NONE);
	rule = rule_of(&policy, "gros-medias");
	assert_int_equal(rule->size_min_bytes, 2000000);
	assert_int_equal(rule->not_used_for.count, 2);
	policy_release(&policy);
}

static void what_is_not_said_is_the_careful_default(void **state)
{
	struct policy policy = policy_of(*state, "rules:\n"
						 "  - id: least\n"
						 "    source: Law\n"
						 "    names: x\n"
						 "    then: flag\n");
	const struct rule *rule = &policy.rule[0];

	assert_string_equal(rule->label, "least");
	assert_null(rule->record);
	assert_int_equal(rule->personal, RULE_PERSONAL_NO);
	assert_int_equal(rule->paths.n, 0);
	assert_false(rule->case_exact);
	assert_int_equal(rule->size_min_bytes, 0);
	assert_true(rule->size_max_bytes == UINT64_MAX);
	assert_int_equal(rule->not_changed_for.count, 0);
	assert_false(rule->duplicate);
	assert_int_equal(rule->unit, RULE_FILE);
	assert_int_equal(rule->start, RULE_START_CHANGED);
	assert_int_equal(rule->keep.count, 0);
	assert_int_equal(rule->visa, RULE_VISA_NOT_GIVEN);
	assert_int_equal(rule->mode, RULE_SIMULATION);
	policy_release(&policy);
}

static void every_choice_is_read(void **state)
{
	static const char text[] =
		"rules:\n"
		"  - { id: a, source: s, names: n, then: flag, case: exact,\n"
		"      duplicate: no, mode: active, personal: no,\n"
		"      start: used, keep: 1 week, unit: file }\n"
		"  - { id: b, source: s, paths: /a/b/**, unit: dossier,\n"
		"      start: year-in-path, keep: 1 year, then: sort,\n"
		"      visa: slip, reference: R }\n"
		"  - { id: c, source: s, paths: /a/b/**, unit: dossier,\n"
		"      start: owner-left, keep: 1 year, then: keep }\n"
		"  - { id: d, source: s, paths: /a/b, start: changed,\n"
		"      keep_active: 1 year, then: keep, case: folded }\n";
	struct policy policy = policy_of(*state, text);

	assert_int_equal(policy.n, 4);
	assert_true(policy.rule[0].case_exact);
	assert_int_equal(policy.rule[0].mode, RULE_ACTIVE);
	assert_int_equal(policy.rule[0].start, RULE_START_USED);
	assert_int_equal(policy.rule[1].start, RULE_START_YEAR_IN_PATH);
	assert_int_equal(policy.rule[1].then, RULE_SORT);
	assert_string_equal(policy.rule[1].visa_ref, "R");
	assert_int_equal(policy.rule[2].start, RULE_START_OWNER_LEFT);
	assert_int_equal(policy.rule[3].keep_active.count, 1);
	policy_release(&policy);
}

static void sizes(struct place *place, const char *size, uint64_t min,
		  uint64_t max)
{
	char text[256];
	struct policy policy;

	(void)snprintf(text, sizeof(text),
		       "rules: [ { id: a, source: s, size: '%s', then: flag } "
		       "]\n",
		       size);
	policy = policy_of(place, text);
	assert_true(policy.rule[0].size_min_bytes == min);
	assert_true(policy.rule[0].size_max_bytes == max);
	policy_release(&policy);
}

static void sizes_are_read_with_their_bounds(void **state)
{
	sizes(*state, ">= 10 MB", 10000000, UINT64_MAX);
	sizes(*state, "> 10 MB", 10000001, UINT64_MAX);
	sizes(*state, "<= 1 KiB", 0, 1024);
	sizes(*state, "<1 Kio", 0, 1023);
	sizes(*state, ">=1,5 Go and < 2 Go", 1500000000, 1999999999);
	sizes(*state, "<= 2 B et >= 2 B", 2, 2);
	sizes(*state, "> 0 B", 1, UINT64_MAX);
}

static void files_are_read_in_the_order_of_their_names(void **state)
{
	struct place *place = *state;
	struct policy policy;

	put(place, "20-b.yaml",
	    "rules: [ { id: b, source: s, names: n, then: flag } ]\n");
	put(place, "10-a.yaml",
	    "rules: [ { id: a, source: s, names: n, then: flag } ]\n");
	put(place, "100-c.yaml",
	    "rules: [ { id: c, source: s, names: n, then: flag } ]\n");
	put(place, ".hidden.yaml", "not: read\n");
	put(place, "notes.txt", "not read\n");
	put(place, "old.yaml~", "not: read\n");
	assert_int_equal(load(place, &policy), 0);
	assert_int_equal(place->said.len, 0);
	assert_int_equal(policy.n, 3);
	assert_string_equal(policy.rule[0].id, "a");
	assert_string_equal(policy.rule[1].id, "c");
	assert_string_equal(policy.rule[2].id, "b");
	policy_release(&policy);
}

static void no_rules_are_no_mistake(void **state)
{
	struct place *place = *state;
	struct policy policy;

	assert_int_equal(load(place, &policy), 0);
	assert_int_equal(policy.n, 0);
	policy_release(&policy);
	put(place, "a.yaml", "# nothing yet\n");
	put(place, "b.yaml", "rules: []\n");
	assert_int_equal(load(place, &policy), 0);
	assert_int_equal(policy.n, 0);
	policy_release(&policy);
}

static void one_mistake_refuses_the_whole_directory(void **state)
{
	struct place *place = *state;
	struct policy policy = { .n = 42 };

	put(place, "10-a.yaml",
	    "rules: [ { id: a, source: s, names: n, then: flag } ]\n");
	put(place, "20-b.yaml", "rules: [ { id: b } ]\n");
	assert_int_equal(load(place, &policy), -SOBRE_EPOLICY);
	assert_int_equal(policy.n, 42);
}

static void a_directory_that_is_not_there_is_told(void **state)
{
	struct yaml_messages messages = { NULL, NULL, NULL };
	struct error err = ERROR_INIT;
	struct policy policy;

	(void)state;
	assert_int_equal(
		policy_load("/nowhere", NULL, &messages, &policy, &err),
		-ENOENT);
	assert_string_equal(err.text, "cannot open '/nowhere': No such file or "
				      "directory");
}

static void hash(struct place *place, uint8_t ret_hash[32])
{
	struct policy policy;

	assert_int_equal(load(place, &policy), 0);
	memcpy(ret_hash, policy.sha256, 32);
	policy_release(&policy);
}

/* SHA-256 of each length (64 bits, little-endian) and part, by another program.
 */
static void the_hash_is_of_names_and_bytes(void **state)
{
	static const uint8_t expected[32] = {
		0x9b, 0x18, 0xd4, 0x28, 0x76, 0x37, 0xac, 0xba,
		0xe4, 0xa8, 0x30, 0xc8, 0x04, 0x0b, 0x68, 0x05,
		0x73, 0x28, 0x0f, 0xd3, 0x50, 0x89, 0x7e, 0x33,
		0x89, 0xb7, 0xf2, 0xb4, 0xcc, 0xde, 0xd1, 0x2e,
	};
	struct place *place = *state;
	uint8_t is[32];
	uint8_t other[32];

	put(place, "a.yaml", "rules: []\n");
	hash(place, is);
	assert_memory_equal(is, expected, 32);
	put(place, "ignored.txt", "x");
	hash(place, other);
	assert_memory_equal(is, other, 32);
	put(place, "a.yaml", "rules: [] \n");
	hash(place, other);
	assert_memory_not_equal(is, other, 32);
	put(place, "a.yaml", "rules: []\n");
	put(place, "b.yaml", "");
	hash(place, other);
	assert_memory_not_equal(is, other, 32);
	assert_int_equal(unlinkat(place->dir, "b.yaml", 0), 0);
	hash(place, other);
	assert_memory_equal(is, other, 32);
	assert_int_equal(renameat(place->dir, "a.yaml", place->dir, "b.yaml"),
			 0);
	hash(place, other);
	assert_memory_not_equal(is, other, 32);
}

static void rules_are_bounded(void **state)
{
	struct place *place = *state;
	FILE *file;
	struct policy policy;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/a.yaml", place->path);
	file = fopen(path, "we");
	assert_non_null(file);
	(void)fputs("rules:\n", file);
	for (unsigned int i = 0; i < 1001; i++)
		(void)fprintf(file,
			      "- {id: r%u, source: s, names: n, then: flag}\n",
			      i);
	(void)fclose(file);
	assert_int_equal(load(place, &policy), -SOBRE_EPOLICY);
	assert_int_equal(buf_put_u8(&place->said, 0), 0);
	assert_non_null(strstr((const char *)place->said.data,
			       "a.yaml:1002:3: more than 1000 rules\n"));
}

static void files_are_bounded(void **state)
{
	struct place *place = *state;
	struct policy policy;

	for (unsigned int i = 0; i < 257; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "%u.yaml", i);
		put(place, name, "");
	}
	assert_int_equal(load(place, &policy), -SOBRE_EPOLICY);
}

static void a_file_that_is_too_big_is_told(void **state)
{
	struct place *place = *state;
	cleanup_free char *big = calloc(1, YAML_FILE_MAX + 2);
	char expected[256];
	struct policy policy;

	assert_non_null(big);
	memset(big, '#', YAML_FILE_MAX + 1);
	put(place, "big.yaml", big);
	assert_int_equal(load(place, &policy), -SOBRE_EPOLICY);
	assert_int_equal(buf_put_u8(&place->said, 0), 0);
	(void)snprintf(expected, sizeof(expected),
		       "%s/big.yaml: the file is bigger than 1 MiB\n",
		       place->path);
	assert_string_equal((const char *)place->said.data, expected);
}

static void a_file_that_does_not_open_is_told(void **state)
{
	struct place *place = *state;
	char expected[256];
	struct policy policy;

	assert_int_equal(mknodat(place->dir, "socket.yaml", S_IFSOCK | 0600, 0),
			 0);
	assert_int_equal(load(place, &policy), -SOBRE_EPOLICY);
	assert_int_equal(buf_put_u8(&place->said, 0), 0);
	(void)snprintf(expected, sizeof(expected), "%s/socket.yaml: %s",
		       place->path,
		       "cannot be read: No such device or address\n");
	assert_string_equal((const char *)place->said.data, expected);
}

int main(void)
{
#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make, clear)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_real_rule_set_is_read),
		IN_PLACE(what_is_not_said_is_the_careful_default),
		IN_PLACE(every_choice_is_read),
		IN_PLACE(sizes_are_read_with_their_bounds),
		IN_PLACE(files_are_read_in_the_order_of_their_names),
		IN_PLACE(no_rules_are_no_mistake),
		IN_PLACE(one_mistake_refuses_the_whole_directory),
		cmocka_unit_test(a_directory_that_is_not_there_is_told),
		IN_PLACE(the_hash_is_of_names_and_bytes),
		IN_PLACE(rules_are_bounded),
		IN_PLACE(files_are_bounded),
		IN_PLACE(a_file_that_is_too_big_is_told),
		IN_PLACE(a_file_that_does_not_open_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
