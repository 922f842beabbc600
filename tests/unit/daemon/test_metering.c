/* SPDX-License-Identifier: EUPL-1.2 */
/* Programs that say what a meter reads, and those that don't. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/cleanup.h"
#include "tools/daemon/metering.h"
#include "tools/daemon/spawn.h"

static char shell[] = "/bin/sh";
static char dash_c[] = "-c";

static int run_for(const char *script, int timeout_ms, int stop_fd,
		   char **ret_output, struct error *err)
{
	char *text = strdup(script);
	char *const argv[] = { shell, dash_c, text, NULL };
	const struct spawn spawn = { .argv = argv,
				     .timeout_ms = timeout_ms,
				     .stop_fd = stop_fd };
	int rc;

	*ret_output = malloc(SPAWN_OUTPUT_MAX + 1);
	assert_non_null(*ret_output);
	rc = spawn_read(&spawn, *ret_output, err);
	free(text);
	return rc;
}

static void prints(const char *script, const char *want)
{
	cleanup_free char *output = NULL;
	struct error err = ERROR_INIT;

	if (run_for(script, 20000, -1, &output, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(output, want);
}

static void fails(const char *script, int rc, const char *what)
{
	cleanup_free char *output = NULL;
	struct error err = ERROR_INIT;

	assert_int_equal(run_for(script, 500, -1, &output, &err), rc);
	if (!strstr(err.text, what))
		fail_msg("%s", err.text);
}

static void a_program_s_output_is_read(void **state)
{
	(void)state;
	prints("echo 220 Watts", "220 Watts\n");
	prints("printf 1; sleep 0.1; printf 2; echo no >&2", "12");
	prints(":", "");
	prints("cat; pwd; echo $LC_ALL", "/\nC\n");
	/* what it leaves behind with its output open isn't waited for */
	prints("echo 1; sleep 5 &", "1\n");
}

/* 1000 blocks of 1 KiB, but no core, nor the daemon's immunity. */
static void a_program_is_limited_and_has_usual_signals(void **state)
{
	(void)state;
	prints("ulimit -t; ulimit -n; ulimit -c; cat /proc/self/oom_score_adj",
	       "10\n64\n0\n0\n");
	prints("grep -E 'Sig(Blk|Ign)' /proc/self/status | tr -d '\\t'",
	       "SigBlk:0000000000000000\nSigIgn:0000000000000000\n");
	prints("ls /proc/self/fd | wc -l | tr -d ' '", "4\n");
}

static void a_program_that_fails_is_named(void **state)
{
	char missing[] = "/nowhere/meter";
	char *const argv[] = { missing, NULL };
	const struct spawn spawn = { .argv = argv,
				     .timeout_ms = 1000,
				     .stop_fd = -1 };
	char output[16];
	struct error err = ERROR_INIT;

	(void)state;
	fails("echo no device >&2; echo more >&2; exit 3", -EIO,
	      "'/bin/sh' failed with exit status 3: no device");
	fails("exit 1", -EIO, "exit status 1");
	fails("kill -9 $$", -EIO, "killed by signal 9");
	fails("sleep 30", -ETIMEDOUT, "did not end within");
	fails("while :; do echo 0123456789012345678901234567890123456789; done",
	      -EFBIG, "says more than 65536 bytes");
	fails("exec >&- 2>&-; sleep 30", -ETIMEDOUT, "did not end");
	assert_int_equal(spawn_read(&spawn, output, &err), -ENOENT);
	assert_non_null(strstr(err.text, "cannot run '/nowhere/meter'"));
}

static void a_daemon_that_stops_does_not_wait(void **state)
{
	cleanup_fd int stop = eventfd(1, EFD_CLOEXEC);
	cleanup_free char *output = NULL;
	struct error err = ERROR_INIT;
	time_t before = time(NULL);

	(void)state;
	assert_int_equal(run_for("sleep 30", 60000, stop, &output, &err),
			 -ECANCELED);
	assert_true(time(NULL) - before < 10);
}

static pid_t read_pid(const char *path)
{
	FILE *f = fopen(path, "re");
	int pid = 0;

	if (f) {
		if (fscanf(f, "%d", &pid) != 1)
			pid = 0;
		(void)fclose(f);
	}
	return pid;
}

/* Gone, or a zombie that nobody has waited for. */
static bool is_dead(pid_t pid)
{
	char path[64];
	char state = 'Z';
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (f) {
		if (fscanf(f, "%*d %*s %c", &state) != 1)
			state = 'Z';
		(void)fclose(f);
	}
	return state == 'Z';
}

static void a_daemon_that_is_killed_leaves_no_program(void **state)
{
	char path[] = "/tmp/sobre-metering-XXXXXX";
	char script[96];
	int fd = mkstemp(path);
	pid_t daemon;
	pid_t program = 0;

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	(void)snprintf(script, sizeof(script), "echo $$ >%s; exec sleep 30",
		       path);
	daemon = fork();
	assert_true(daemon >= 0);
	if (daemon == 0) {
		struct error err = ERROR_INIT;
		char *output;

		(void)run_for(script, 60000, -1, &output, &err);
		_exit(0);
	}
	for (int i = 0; i < 1000 && program == 0; i++) {
		(void)usleep(10000);
		program = read_pid(path);
	}
	assert_true(program > 0);
	assert_int_equal(kill(daemon, SIGKILL), 0);
	assert_int_equal(waitpid(daemon, NULL, 0), daemon);
	for (int i = 0; i < 500 && !is_dead(program); i++)
		(void)usleep(10000);
	assert_true(is_dead(program));
	assert_int_equal(unlink(path), 0);
}

/* --- the thread ------------------------------------------------------------
 */

struct said {
	unsigned int n;
	char text[ERROR_TEXT_MAX];
};

static void note(void *ctx, const char *array, const struct error *err)
{
	struct said *said = ctx;

	assert_string_equal(array, "b");
	(void)snprintf(said->text, sizeof(said->text), "%s", err->text);
	(void)__atomic_add_fetch(&said->n, 1, __ATOMIC_ACQ_REL);
}

static char *read_file(const char *dir, const char *name)
{
	char path[128];
	char *text = calloc(1, 256);
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		assert_true(read(fd, text, 255) >= 0);
		(void)close(fd);
	}
	return text;
}

/* The first reading is at once. */
static void wait_for(struct metering *m, const struct said *said)
{
	for (int i = 0; i < 1000; i++) {
		json_t *list = metering_json(m);
		bool read = json_is_object(
			json_object_get(json_array_get(list, 0), "last"));

		json_decref(list);
		if (read && __atomic_load_n(&said->n, __ATOMIC_ACQUIRE))
			return;
		(void)usleep(10000);
	}
	fail_msg("no reading");
}

static void check_json(struct metering *m)
{
	json_t *list = metering_json(m);
	const json_t *a = json_array_get(list, 0);
	const json_t *b = json_array_get(list, 1);

	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(json_string_value(json_object_get(a, "array")),
			    "a");
	assert_string_equal(json_string_value(json_object_get(a, "unit")), "W");
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(a, "last"), "value_micro")),
			 480500000);
	assert_true(json_is_null(json_object_get(a, "wrong")));
	assert_true(json_is_null(json_object_get(b, "last")));
	assert_non_null(strstr(json_string_value(json_object_get(b, "wrong")),
			       "says no number"));
	json_decref(list);
}

static void each_meter_is_read_and_what_fails_is_said_once(void **state)
{
	char dir[] = "/tmp/sobre-metering-XXXXXX";
	char echo[] = "/bin/echo";
	char number[] = "4805";
	char *a_argv[] = { echo, number, NULL };
	char *b_argv[] = { echo, NULL };
	char id_a[] = "a";
	char id_b[] = "b";
	char id_c[] = "c";
	char tenth[] = "0.1";
	struct config_array arrays[] = {
		{ .id = id_a,
		  .meter_command = a_argv,
		  .meter_times = tenth,
		  .meter_every_s = 300 },
		{ .id = id_c },
		{ .id = id_b, .meter_command = b_argv, .meter_every_s = 300 },
	};
	const struct config config = { .array = arrays, .arrays = 3 };
	cleanup_fd int stop = eventfd(0, EFD_CLOEXEC);
	struct clock clock = clock_real();
	struct said said = { .n = 0 };
	struct metering *m = NULL;
	struct error err = ERROR_INIT;
	cleanup_free char *text = NULL;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(
		metering_new(&config, fd, stop, &clock, note, &said, &m, &err),
		0);
	wait_for(m, &said);
	check_json(m);
	assert_int_equal(eventfd_write(stop, 1), 0);
	metering_free(m);
	assert_int_equal(said.n, 1);
	text = read_file(dir, "meters/a.W.csv");
	assert_non_null(strstr(text, "time,W\n"));
	assert_non_null(strstr(text, "Z,480.500000\n"));
	assert_int_equal(unlinkat(fd, "meters/a.W.csv", 0), 0);
	assert_int_equal(unlinkat(fd, "meters", AT_REMOVEDIR), 0);
	(void)close(fd);
	assert_int_equal(rmdir(dir), 0);
}

static void without_programs_there_is_no_thread(void **state)
{
	const struct config config = { .arrays = 0 };
	struct clock clock = clock_real();
	struct metering *m = (struct metering *)&clock;
	struct error err = ERROR_INIT;
	json_t *list;

	(void)state;
	assert_int_equal(
		metering_new(&config, -1, -1, &clock, note, NULL, &m, &err), 0);
	assert_null(m);
	list = metering_json(m);
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
	metering_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_s_output_is_read),
		cmocka_unit_test(a_program_is_limited_and_has_usual_signals),
		cmocka_unit_test(a_program_that_fails_is_named),
		cmocka_unit_test(a_daemon_that_stops_does_not_wait),
		cmocka_unit_test(a_daemon_that_is_killed_leaves_no_program),
		cmocka_unit_test(
			each_meter_is_read_and_what_fails_is_said_once),
		cmocka_unit_test(without_programs_there_is_no_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
