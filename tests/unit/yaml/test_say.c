/* SPDX-License-Identifier: EUPL-1.2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/yaml/yaml.h"
#include "tests/support/golden.h"

static const char *in_french(const char *msgid)
{
	if (!strcmp(msgid, "unknown key '%s'"))
		return "clé inconnue « %s »";
	if (!strcmp(msgid, "did you mean '%s'?"))
		return "vouliez-vous écrire « %s » ?";
	return msgid;
}

static struct yaml_doc *doc_of(const char *text, struct yaml_diag *diag)
{
	struct error err = ERROR_INIT;
	struct yaml_doc *doc = NULL;

	assert_int_equal(
		yaml_parse("f.yaml", text, strlen(text), diag, &doc, &err), 0);
	return doc;
}

static void is_said(struct buf *said, const char *text)
{
	assert_int_equal(buf_put_u8(said, 0), 0);
	assert_string_equal((const char *)said->data, text);
	buf_clear(said);
}

static void messages_come_in_the_readers_language(void **state)
{
	static const struct yaml_key keys[] = { { "b", NULL }, { NULL, NULL } };
	static const struct yaml_word words[] = { { "ab", "b" },
						  { NULL, NULL } };
	static const struct yaml_schema schema = { keys, words };
	cleanup_buf struct buf said;
	struct yaml_messages messages = { golden_say, &said, in_french };
	struct yaml_diag diag;
	struct yaml_doc *doc;

	(void)state;
	buf_init(&said, 4096);
	yaml_diag_init(&diag, &messages);
	doc = doc_of("ab: x\n", &diag);
	assert_true(yaml_map(doc, yaml_root(doc), &schema, NULL));
	assert_int_equal(yaml_diag_count(&diag), 1);
	yaml_free(doc);
	is_said(&said, "f.yaml:1:1: clé inconnue « ab »\n"
		       "    1 | ab: x\n"
		       "      | ^^\n"
		       "      | vouliez-vous écrire « b » ?\n");
}

static void messages_come_in_the_order_of_the_lines(void **state)
{
	cleanup_buf struct buf said;
	struct yaml_messages messages = { golden_say, &said, NULL };
	struct yaml_diag diag;
	struct yaml_doc *doc;

	(void)state;
	buf_init(&said, 4096);
	yaml_diag_init(&diag, &messages);
	doc = doc_of("a: x\nb: y\n", &diag);
	yaml_hint(doc, "a hint of '%s'", "b");
	yaml_report(doc, yaml_get(yaml_root(doc), "b"), "second %u", 2u);
	yaml_report(doc, yaml_get(yaml_root(doc), "a"), "100%% first");
	yaml_report(doc, yaml_get(yaml_root(doc), "b"), "third");
	assert_int_equal(said.len, 0);
	yaml_free(doc);
	is_said(&said, "f.yaml:1:4: 100% first\n"
		       "    1 | a: x\n"
		       "      |    ^\n"
		       "f.yaml:2:4: second 2\n"
		       "    2 | b: y\n"
		       "      |    ^\n"
		       "      | a hint of 'b'\n"
		       "f.yaml:2:4: third\n"
		       "    2 | b: y\n"
		       "      |    ^\n");
}

static void after_a_hundred_messages_the_rest_is_counted(void **state)
{
	cleanup_buf struct buf said;
	struct yaml_messages messages = { golden_say, &said, NULL };
	struct yaml_diag diag;
	struct yaml_doc *doc;

	(void)state;
	buf_init(&said, 1u << 20);
	yaml_diag_init(&diag, &messages);
	doc = doc_of("a: x\n", &diag);
	for (unsigned int i = 0; i < 60; i++)
		yaml_report(doc, NULL, "one");
	yaml_free(doc);
	doc = doc_of("a: x\n", &diag);
	for (unsigned int i = 0; i < 52; i++)
		yaml_report(doc, NULL, "two");
	yaml_free(doc);
	yaml_say(&diag, "g.yaml", "three");
	assert_int_equal(yaml_diag_count(&diag), 113);
	assert_int_equal(diag.said, YAML_MESSAGES_MAX);
	buf_clear(&said);
	yaml_diag_finish(&diag);
	is_said(&said, "and 13 more that are not shown\n");
}

static void a_note_is_no_mistake(void **state)
{
	cleanup_buf struct buf said;
	struct yaml_messages messages = { golden_say, &said, NULL };
	struct yaml_diag diag;

	(void)state;
	buf_init(&said, 4096);
	yaml_diag_init(&diag, &messages);
	yaml_note(&diag, "f\x1b[1m.yml", "not read: %s", "a\x07");
	assert_int_equal(yaml_diag_count(&diag), 0);
	yaml_diag_finish(&diag);
	is_said(&said, "f\\x1b[1m.yml: not read: a\\x07\n");
}

static void nobody_need_listen(void **state)
{
	struct yaml_messages messages = { NULL, NULL, NULL };
	struct yaml_diag diag;
	struct yaml_doc *doc;

	(void)state;
	yaml_diag_init(&diag, &messages);
	doc = doc_of("a: [x\n", &diag);
	yaml_free(doc);
	yaml_say(&diag, "f.yaml", "wrong");
	assert_int_equal(yaml_diag_count(&diag), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_in_the_readers_language),
		cmocka_unit_test(messages_come_in_the_order_of_the_lines),
		cmocka_unit_test(after_a_hundred_messages_the_rest_is_counted),
		cmocka_unit_test(a_note_is_no_mistake),
		cmocka_unit_test(nobody_need_listen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
