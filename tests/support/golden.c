/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/support/golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GOLDEN_MAX (1u << 20)

void golden_say(void *ctx, const char *text)
{
	assert_int_equal(buf_put_str(ctx, text), 0);
}

char *golden_read(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, GOLDEN_MAX + 1);

	if (!file)
		fail_msg("cannot open %s", path);
	assert_non_null(text);
	assert_true(fread(text, 1, GOLDEN_MAX, file) < GOLDEN_MAX);
	(void)fclose(file);
	return text;
}

static void golden_write(const char *path, const struct buf *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text->data, 1, text->len, file), text->len);
	assert_int_equal(fclose(file), 0);
}

void golden_equal(const char *path, const struct buf *text)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	const char *how = getenv("SOBRE_GOLDEN");
	cleanup_free char *is = calloc(1, text->len + 1);
	cleanup_free char *should = NULL;

	assert_non_null(is);
	if (text->len > 0)
		memcpy(is, text->data, text->len);
	if (how && !strcmp(how, "write"))
		golden_write(path, text);
	should = golden_read(path);
	if (strcmp(is, should) != 0)
		fail_msg("not as in %s:\n%s", path, is);
}
