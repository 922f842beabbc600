/* SPDX-License-Identifier: EUPL-1.2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "fs/base/buf.h"
#include "fs/chunk/chunk.h"

/* --- a ZIP as an office program writes it, members stored --------------- */

struct file {
	struct buf bytes;
	struct buf directory;
	unsigned int members;
};

static void file_init(struct file *f)
{
	f->members = 0;
	buf_init(&f->bytes, 1 << 24);
	buf_init(&f->directory, 1 << 24);
}

static void file_release(struct file *f)
{
	buf_release(&f->bytes);
	buf_release(&f->directory);
}

/* Returns where its data starts. */
static uint64_t add(struct file *f, const char *name, const void *data,
		    uint32_t len, uint16_t flags)
{
	struct buf *b = &f->bytes;
	struct buf *d = &f->directory;
	uint32_t off = (uint32_t)b->len;
	uint64_t start;

	(void)buf_put_u32(b, 0x04034b50);
	(void)buf_put_u16(b, 20);
	(void)buf_put_u16(b, flags);
	(void)buf_put(b, "\0\0\0\0\0\0\0\0\0\0", 10);
	(void)buf_put_u32(b, len);
	(void)buf_put_u32(b, len);
	(void)buf_put_u16(b, (uint16_t)strlen(name));
	(void)buf_put_u16(b, 4);
	(void)buf_put_str(b, name);
	(void)buf_put_u32(b, 0xdeadbeef); /* extra */
	start = b->len;
	(void)buf_put(b, data, len);

	(void)buf_put_u32(d, 0x02014b50);
	(void)buf_put_u32(d, 0);
	(void)buf_put_u16(d, flags);
	(void)buf_put(d, "\0\0\0\0\0\0\0\0\0\0", 10);
	(void)buf_put_u32(d, len);
	(void)buf_put_u32(d, len);
	(void)buf_put_u16(d, (uint16_t)strlen(name));
	(void)buf_put_u32(d, 0);
	(void)buf_put_u64(d, 0);
	(void)buf_put_u32(d, off);
	(void)buf_put_str(d, name);
	f->members++;
	return start;
}

static void finish(struct file *f, const char *comment)
{
	struct buf *b = &f->bytes;
	uint32_t off = (uint32_t)b->len;

	(void)buf_put(b, f->directory.data, f->directory.len);
	(void)buf_put_u32(b, 0x06054b50);
	(void)buf_put_u32(b, 0);
	(void)buf_put_u16(b, (uint16_t)f->members);
	(void)buf_put_u16(b, (uint16_t)f->members);
	(void)buf_put_u32(b, (uint32_t)f->directory.len);
	(void)buf_put_u32(b, off);
	(void)buf_put_u16(b, (uint16_t)strlen(comment));
	(void)buf_put_str(b, comment);
	assert_int_equal(buf_error(b), 0);
}

static int read_buf(void *ctx, void *buf, size_t len, uint64_t off,
		    struct error *err)
{
	const struct buf *b = ctx;

	(void)err;
	assert_true(off <= b->len && len <= b->len - off);
	memcpy(buf, b->data + off, len);
	return 0;
}

static struct chunk_cuts cuts_of(struct file *f)
{
	struct error err = ERROR_INIT;
	struct chunk_cuts cuts;

	assert_int_equal(
		chunk_zip_cuts(read_buf, &f->bytes, f->bytes.len, &cuts, &err),
		0);
	for (size_t i = 0; i < cuts.n; i++) {
		assert_true(cuts.off[i] > (i ? cuts.off[i - 1] : 0));
		assert_true(cuts.off[i] < f->bytes.len);
	}
	return cuts;
}

static size_t count(struct file *f)
{
	struct chunk_cuts cuts = cuts_of(f);
	size_t n = cuts.n;

	chunk_cuts_free(&cuts);
	return n;
}

static const uint8_t data[100000];

static void cuts_lie_around_the_data_of_members(void **state)
{
	struct file f;
	struct chunk_cuts cuts;
	uint64_t a;
	uint64_t b;

	(void)state;
	file_init(&f);
	(void)add(&f, "[Content_Types].xml", data, 400, 0);
	a = add(&f, "word/document.xml", data, 50000, 0);
	b = add(&f, "word/media/image1.jpeg", data, 90000, 0);
	(void)add(&f, "docProps/app.xml", data, 700, 0);
	finish(&f, "with a comment");
	cuts = cuts_of(&f);
	assert_int_equal(cuts.n, 4);
	assert_int_equal(cuts.off[0], a);
	assert_int_equal(cuts.off[1], a + 50000);
	assert_int_equal(cuts.off[2], b);
	assert_int_equal(cuts.off[3], b + 90000);
	chunk_cuts_free(&cuts);
	file_release(&f);
}

static void what_is_no_zip_has_no_cuts(void **state)
{
	struct file f;

	(void)state;
	file_init(&f);
	assert_int_equal(count(&f), 0);
	(void)buf_put(&f.bytes, data, 70000);
	assert_int_equal(count(&f), 0);
	memcpy(f.bytes.data, "PK", 2);
	assert_int_equal(count(&f), 0);
	file_release(&f);
}

static void a_truncated_zip_has_no_cuts(void **state)
{
	struct file f;

	(void)state;
	file_init(&f);
	(void)add(&f, "a", data, 50000, 0);
	finish(&f, "");
	assert_int_equal(count(&f), 2);
	f.bytes.len -= 1;
	assert_int_equal(count(&f), 0);
	file_release(&f);
}

static void encrypted_members_are_left_uncut(void **state)
{
	struct file f;

	(void)state;
	file_init(&f);
	(void)add(&f, "a", data, 50000, 1);
	finish(&f, "");
	assert_int_equal(count(&f), 0);
	file_release(&f);
}

static void members_that_overlap_are_left_uncut(void **state)
{
	struct file f;
	uint8_t *second;

	(void)state;
	file_init(&f);
	(void)add(&f, "a", data, 50000, 0);
	(void)add(&f, "b", data, 50000, 0);
	second = f.directory.data + 46 + 1;
	memset(second + 42, 0, 4); /* b says it starts where a does */
	finish(&f, "");
	assert_int_equal(count(&f), 2);
	file_release(&f);
}

static void a_member_said_to_reach_past_the_end_is_left_uncut(void **state)
{
	struct file f;

	(void)state;
	file_init(&f);
	(void)add(&f, "a", data, 50000, 0);
	f.directory.data[22] = 0xff;
	finish(&f, "");
	assert_int_equal(count(&f), 0);
	f.bytes.data[f.bytes.len - 22 - 47 + 22] = 0;
	file_release(&f);
}

static void many_members_are_read_through_a_window(void **state)
{
	struct file f;

	(void)state;
	file_init(&f);
	for (int i = 0; i < 2000; i++)
		(void)add(&f, "a/rather/long/name/of/a/member/in/a/folder",
			  data, 4096, 0);
	finish(&f, "");
	assert_int_equal(count(&f), 4000);
	file_release(&f);
}

static int fail_to_read(void *ctx, void *buf, size_t len, uint64_t off,
			struct error *err)
{
	(void)ctx;
	(void)buf;
	(void)len;
	(void)off;
	return error_set(err, -EIO, "no");
}

static void a_failed_read_is_an_error(void **state)
{
	struct error err = ERROR_INIT;
	struct chunk_cuts cuts;

	(void)state;
	assert_int_equal(chunk_zip_cuts(fail_to_read, NULL, 1000, &cuts, &err),
			 -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_lie_around_the_data_of_members),
		cmocka_unit_test(what_is_no_zip_has_no_cuts),
		cmocka_unit_test(a_truncated_zip_has_no_cuts),
		cmocka_unit_test(encrypted_members_are_left_uncut),
		cmocka_unit_test(members_that_overlap_are_left_uncut),
		cmocka_unit_test(
			a_member_said_to_reach_past_the_end_is_left_uncut),
		cmocka_unit_test(many_members_are_read_through_a_window),
		cmocka_unit_test(a_failed_read_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
