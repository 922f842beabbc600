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

/* A document, and what is said of it once it is freed. */
struct reading {
	struct buf said;
	struct yaml_messages messages;
	struct yaml_diag diag;
	struct yaml_doc *doc;
};

static const struct yaml_node *read_bytes(struct reading *r, const char *data,
					  size_t len)
{
	struct error err = ERROR_INIT;

	buf_init(&r->said, 1u << 20);
	r->messages = (struct yaml_messages){ golden_say, &r->said, NULL };
	yaml_diag_init(&r->diag, &r->messages);
	assert_int_equal(
		yaml_parse("f.yaml", data, len, &r->diag, &r->doc, &err), 0);
	return yaml_root(r->doc);
}

static const struct yaml_node *read_text(struct reading *r, const char *text)
{
	return read_bytes(r, text, strlen(text));
}

/* Frees, and checks all that was said. */
static void said(struct reading *r, const char *text)
{
	yaml_free(r->doc);
	assert_int_equal(buf_put_u8(&r->said, 0), 0);
	assert_string_equal((const char *)r->said.data, text);
	buf_release(&r->said);
}

static void is_at(const struct yaml_node *node, unsigned int line,
		  unsigned int column, unsigned int width)
{
	assert_non_null(node);
	assert_int_equal(node->line, line);
	assert_int_equal(node->column, column);
	assert_int_equal(node->width, width);
}

static void every_value_has_its_place(void **state)
{
	struct reading r;
	const struct yaml_node *root = read_text(&r, "# c\n"
						     "a: \"é b\"\n"
						     "b:\n"
						     "  - 'x'\n"
						     "  - {k: v, é: yes}\n"
						     "c:\n");
	const struct yaml_node *b = yaml_get(root, "b");
	const struct yaml_node *map = b->first->next;

	(void)state;
	assert_int_equal(root->kind, YAML_MAP);
	assert_int_equal(root->n, 3);
	is_at(root, 2, 1, 1);
	is_at(yaml_get(root, "a"), 2, 4, 5);
	is_at(yaml_get(root, "a")->key, 2, 1, 1);
	assert_int_equal(b->kind, YAML_LIST);
	assert_int_equal(b->n, 2);
	is_at(b->first, 4, 5, 3);
	is_at(map, 5, 5, 1);
	is_at(yaml_get(map, "k"), 5, 9, 1);
	is_at(yaml_get(map, "é"), 5, 15, 3);
	is_at(yaml_get(root, "c"), 6, 1, 1);
	said(&r, "");
}

static void every_scalar_is_a_text(void **state)
{
	static const char text[] = "no: no\nn: 012\nf: 1e3\nt: 20:00\n"
				   "d: 2023-05\nnull: null\nempty:\ntilde: ~\n"
				   "quoted: \"\"\nfolded: >\n  a\n  b\n";
	struct reading r;
	const struct yaml_node *root = read_text(&r, text);

	(void)state;
	assert_string_equal(yaml_get(root, "no")->text, "no");
	assert_string_equal(yaml_get(root, "n")->text, "012");
	assert_string_equal(yaml_get(root, "f")->text, "1e3");
	assert_string_equal(yaml_get(root, "t")->text, "20:00");
	assert_string_equal(yaml_get(root, "d")->text, "2023-05");
	assert_string_equal(yaml_get(root, "null")->text, "null");
	assert_false(yaml_get(root, "null")->empty);
	assert_true(yaml_get(root, "empty")->empty);
	assert_true(yaml_get(root, "tilde")->empty);
	assert_false(yaml_get(root, "quoted")->empty);
	assert_string_equal(yaml_get(root, "folded")->text, "a b");
	assert_null(yaml_get(root, "other"));
	assert_null(yaml_get(yaml_get(root, "no"), "x"));
	said(&r, "");
}

static void an_empty_file_is_no_mistake(void **state)
{
	struct reading r;

	(void)state;
	assert_null(read_text(&r, ""));
	said(&r, "");
	assert_null(read_text(&r, "# only this\n\n"));
	said(&r, "");
	assert_null(read_text(&r, "\xef\xbb\xbf"));
	said(&r, "");
}

static void what_windows_writes_is_read(void **state)
{
	struct reading r;
	const struct yaml_node *root = read_text(&r, "\xef\xbb\xbf"
						     "a: b\r\nc:\r\n  - d\r\n");

	(void)state;
	is_at(yaml_get(root, "a"), 1, 4, 1);
	assert_string_equal(yaml_get(root, "a")->text, "b");
	is_at(yaml_get(root, "c")->first, 3, 5, 1);
	assert_string_equal(yaml_get(root, "c")->first->text, "d");
	said(&r, "");
}

static void one_document_may_have_its_marks(void **state)
{
	struct reading r;

	(void)state;
	assert_string_equal(
		yaml_get(read_text(&r, "---\na: b\n...\n"), "a")->text, "b");
	said(&r, "");
}

static void what_is_cut_is_marked_and_not_complained_about(void **state)
{
	struct reading r;
	const struct yaml_node *root = read_text(&r, "a: {k: v}\n"
						     "b:\n"
						     "  - c: [x\n"
						     "    d: e\n");

	(void)state;
	assert_true(root->cut);
	assert_false(yaml_get(root, "a")->cut);
	assert_true(yaml_get(root, "b")->cut);
	yaml_report(r.doc, yaml_get(root, "b")->first, "after the break");
	yaml_report(r.doc, yaml_get(root, "a"), "before it");
	said(&r, "f.yaml:1:4: before it\n"
		 "    1 | a: {k: v}\n"
		 "      |    ^\n"
		 "f.yaml:3:8: this '[' is not closed\n"
		 "    3 |   - c: [x\n"
		 "      |        ^\n");
}

static void a_mapping_has_so_many_keys_and_no_more(void **state)
{
	cleanup_buf struct buf text;
	struct reading r;
	const struct yaml_node *root;

	(void)state;
	buf_init(&text, 1u << 20);
	for (unsigned int i = 0; i < YAML_KEYS_MAX; i++)
		assert_int_equal(buf_printf(&text, "k%u: v\n", i), 0);
	root = read_bytes(&r, (const char *)text.data, text.len);
	assert_int_equal(root->n, YAML_KEYS_MAX);
	said(&r, "");
	assert_int_equal(buf_put_str(&text, "more: v\n"), 0);
	root = read_bytes(&r, (const char *)text.data, text.len);
	assert_int_equal(root->n, YAML_KEYS_MAX);
	said(&r, "f.yaml:129:1: too many keys\n"
		 "  129 | more: v\n"
		 "      | ^^^^\n");
}

static void a_file_holds_so_much_and_no_more(void **state)
{
	cleanup_buf struct buf text;
	struct reading r;

	(void)state;
	buf_init(&text, 1u << 20);
	for (unsigned int i = 0; i < YAML_NODES_MAX; i++)
		assert_int_equal(buf_put_str(&text, "- a\n"), 0);
	assert_true(read_bytes(&r, (const char *)text.data, text.len)->cut);
	said(&r, "f.yaml:50000:3: the file holds too much\n"
		 "50000 | - a\n"
		 "      |   ^\n");
}

static void a_file_is_so_big_and_no_bigger(void **state)
{
	cleanup_free char *text = malloc(YAML_FILE_MAX + 1);
	struct reading r;

	(void)state;
	assert_non_null(text);
	memset(text, '#', YAML_FILE_MAX + 1);
	text[1] = '\n';
	assert_null(read_bytes(&r, text, YAML_FILE_MAX));
	said(&r, "");
	assert_null(read_bytes(&r, text, YAML_FILE_MAX + 1));
	said(&r, "f.yaml:1:1: the file is bigger than 1 MiB\n"
		 "    1 | #\n"
		 "      | ^\n");
}

static void depth_is_bounded(void **state)
{
	char text[2 * YAML_DEPTH_MAX + 4];
	struct reading r;

	(void)state;
	memset(text, '[', YAML_DEPTH_MAX);
	memset(text + YAML_DEPTH_MAX, ']', YAML_DEPTH_MAX);
	assert_non_null(read_bytes(&r, text, sizeof(text) - 4));
	said(&r, "");
	memset(text, '[', YAML_DEPTH_MAX + 1);
	memset(text + YAML_DEPTH_MAX + 1, ']', YAML_DEPTH_MAX + 1);
	assert_true(read_bytes(&r, text, sizeof(text) - 2)->cut);
	said(&r, "f.yaml:1:17: nested too deeply\n"
		 "    1 | [[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]\n"
		 "      |                 ^\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_has_its_place),
		cmocka_unit_test(every_scalar_is_a_text),
		cmocka_unit_test(an_empty_file_is_no_mistake),
		cmocka_unit_test(what_windows_writes_is_read),
		cmocka_unit_test(one_document_may_have_its_marks),
		cmocka_unit_test(
			what_is_cut_is_marked_and_not_complained_about),
		cmocka_unit_test(a_mapping_has_so_many_keys_and_no_more),
		cmocka_unit_test(a_file_holds_so_much_and_no_more),
		cmocka_unit_test(a_file_is_so_big_and_no_bigger),
		cmocka_unit_test(depth_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
