/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/daemon.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int parse(const char *text, struct request *r)
{
	struct error err = ERROR_INIT;
	int rc = request_parse(text, strlen(text), r, &err);

	assert_int_equal(rc, err.code);
	return rc;
}

static void refuse(const char *text)
{
	struct request r = { .now = true };

	assert_int_equal(parse(text, &r), -EPROTO);
	assert_true(r.now); /* untouched */
}

static void a_request_is_read(void **state)
{
	cleanup_request struct request r = { .now = false };

	(void)state;
	assert_int_equal(parse("{\"schema\":1,\"command\":\"pack\",\"paths\":["
			       "\"a/b\",\"\",[47,255]],\"now\":true,"
			       "\"later\":{}}",
			       &r),
			 -EPROTO); /* "/\xff" is absolute */
	assert_int_equal(parse("{\"schema\":1,\"command\":\"pack\",\"paths\":["
			       "\"a/b\",\"\",[97,255]],\"now\":true,"
			       "\"later\":{}}",
			       &r),
			 0);
	assert_int_equal(r.command, REQUEST_PACK);
	assert_true(r.now);
	assert_int_equal(r.n_paths, 3);
	assert_string_equal(r.paths[0], "a/b");
	assert_string_equal(r.paths[1], "");
	assert_string_equal(r.paths[2], "a\xff");
}

static void hostile_requests_are_refused(void **state)
{
	(void)state;
	refuse("");
	refuse("[]");
	refuse("{");
	refuse("\"pack\"");
	refuse("{\"schema\":1}");
	refuse("{\"schema\":2,\"command\":\"status\"}");
	refuse("{\"schema\":\"1\",\"command\":\"status\"}");
	refuse("{\"schema\":1,\"command\":7}");
	refuse("{\"schema\":1,\"command\":\"format\"}");
	refuse("{\"schema\":1,\"command\":\"pack\"}");
	refuse("{\"schema\":1,\"command\":\"pack\",\"paths\":\"a\"}");
	refuse("{\"schema\":1,\"command\":\"pack\",\"paths\":[1]}");
	refuse("{\"schema\":1,\"command\":\"pack\",\"paths\":[[0]]}");
	refuse("{\"schema\":1,\"command\":\"pack\",\"paths\":[[256]]}");
	refuse("{\"schema\":1,\"command\":\"pack\",\"paths\":[[\"a\"]]}");
	refuse("{\"schema\":1,\"command\":\"pack\",\"paths\":[\"a\"],"
	       "\"now\":1}");
	refuse("{\"schema\":1,\"command\":\"gc\"}");
	refuse("{\"schema\":1,\"command\":\"gc\",\"grace_s\":-1}");
	refuse("{\"schema\":1,\"command\":\"gc\",\"grace_s\":\"0\"}");
	refuse("{\"schema\":1,\"command\":\"accept\"}");
	refuse("{\"schema\":1,\"command\":\"accept\",\"way\":{}}");
}

static void a_path_out_of_the_drive_is_refused(void **state)
{
	static const char *const bad[] = { "/etc", "..",  "a/..", "a/../b",
					   ".",	   "./a", "a//b", "a/" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[128];

		(void)snprintf(text, sizeof(text),
			       "{\"schema\":1,\"command\":\"pack\","
			       "\"paths\":[\"%s\"]}",
			       bad[i]);
		refuse(text);
	}
}

static void a_path_too_long_is_refused(void **state)
{
	struct request r = { .command = REQUEST_EXPLAIN };
	char path[REQUEST_PATH_MAX + 1];
	cleanup_json json_t *value = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	memset(path, 'a', sizeof(path));
	path[REQUEST_PATH_MAX] = '\0';
	assert_int_equal(request_add_path(&r, path, &err), 0);
	value = request_encode(&r);
	request_release(&r);
	assert_int_equal(request_decode(value, &r, &err), -EPROTO);
}

static void what_is_encoded_is_decoded(void **state)
{
	cleanup_request struct request r = { .command = REQUEST_GC,
					     .grace_s = 2592000 };
	cleanup_request struct request back = { .now = false };
	cleanup_json json_t *value = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	r.way = strdup("pid 7 (s\xffmbd) cwd /srv");
	assert_int_equal(request_add_path(&r, "\xc3\xa9/\xe9", &err), 0);
	value = request_encode(&r);
	assert_non_null(value);
	assert_int_equal(request_decode(value, &back, &err), 0);
	assert_int_equal(back.command, REQUEST_GC);
	assert_int_equal(back.grace_s, 2592000);
	assert_string_equal(back.paths[0], "\xc3\xa9/\xe9");
	assert_string_equal(back.way, r.way);
}

static void an_error_goes_over_with_its_code(void **state)
{
	static const int codes[] = { -ENOSPC, -ECANCELED, -SOBRE_ECORRUPT,
				     -SOBRE_ESCHEMA };

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct error err = ERROR_INIT;
		struct error back = ERROR_INIT;
		cleanup_json json_t *reply = NULL;

		(void)error_set(&err, codes[i], "cannot read 'a\xff'");
		reply = reply_from_error(&err);
		assert_int_equal(
			reply_to_error(json_object_get(reply, "error"), &back),
			codes[i]);
		assert_string_equal(back.text, err.text);
	}
}

static void an_error_that_makes_no_sense_is_still_one(void **state)
{
	struct error err = ERROR_INIT;
	cleanup_json json_t *empty = json_object();

	(void)state;
	assert_true(reply_to_error(empty, &err) < 0);
	assert_true(reply_to_error(NULL, &err) < 0);
	assert_string_equal(errcode_name(-4095), "EIO");
}

struct pair {
	int fd[2];
};

static struct pair sockets(void)
{
	struct pair p;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p.fd), 0);
	return p;
}

static void frames_go_over_one_after_the_other(void **state)
{
	struct pair p = sockets();
	struct error err = ERROR_INIT;
	cleanup_json json_t *a = json_pack("{s:i}", "a", 1);
	cleanup_json json_t *got = NULL;
	cleanup_json json_t *again = NULL;

	(void)state;
	assert_int_equal(frame_send(p.fd[0], a, &err), 0);
	assert_int_equal(frame_send(p.fd[0], a, &err), 0);
	assert_int_equal(close(p.fd[0]), 0);
	assert_int_equal(frame_receive(p.fd[1], &got, &err), 1);
	assert_true(json_equal(a, got));
	assert_int_equal(frame_receive(p.fd[1], &again, &err), 1);
	json_decref(again);
	again = NULL;
	assert_int_equal(frame_receive(p.fd[1], &again, &err), 0);
	assert_int_equal(close(p.fd[1]), 0);
}

static int receive_bytes(const char *bytes, size_t len)
{
	struct pair p = sockets();
	struct error err = ERROR_INIT;
	json_t *got = NULL;
	int rc;

	assert_int_equal(write(p.fd[0], bytes, len), len);
	assert_int_equal(close(p.fd[0]), 0);
	rc = frame_receive(p.fd[1], &got, &err);
	assert_null(got);
	assert_int_equal(close(p.fd[1]), 0);
	return rc;
}

static void broken_frames_are_refused(void **state)
{
	(void)state;
	assert_int_equal(receive_bytes("\1", 1), -EPROTO);
	assert_int_equal(receive_bytes("\5\0\0\0{}", 6), -EPROTO);
	assert_int_equal(receive_bytes("\2\0\0\0{]", 6), -EPROTO);
	assert_int_equal(receive_bytes("\0\0\0\0", 4), -EFBIG);
	assert_int_equal(receive_bytes("\1\0\x10\0", 4), -EFBIG);
	assert_int_equal(receive_bytes("\xff\xff\xff\xff", 4), -EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_read),
		cmocka_unit_test(hostile_requests_are_refused),
		cmocka_unit_test(a_path_out_of_the_drive_is_refused),
		cmocka_unit_test(a_path_too_long_is_refused),
		cmocka_unit_test(what_is_encoded_is_decoded),
		cmocka_unit_test(an_error_goes_over_with_its_code),
		cmocka_unit_test(an_error_that_makes_no_sense_is_still_one),
		cmocka_unit_test(frames_go_over_one_after_the_other),
		cmocka_unit_test(broken_frames_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
