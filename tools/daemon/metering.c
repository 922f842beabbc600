/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/metering.h"
#include "tools/daemon/trusted.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fs/base/cleanup.h"
#include "tools/daemon/spawn.h"
#include "tools/figures/figures.h"

#define TIMEOUT_MS 20000
#define MS_IN_S	   1000

struct one {
	const struct config_array *array;
	int64_t due_ms; /* of the monotonic clock; the thread's alone */
	int64_t read_s; /* INT64_MIN: not yet */
	int64_t value;	/* then, millionths */
	struct error wrong;
};

struct metering {
	int state_fd;
	int stop_fd;
	struct clock clock;
	metering_say say;
	void *ctx;
	pthread_t thread;
	pthread_mutex_t lock; /* guards read_s, value, wrong */
	unsigned int n;
	struct one one[];
};

int metering_read(const struct config_array *array, int state_fd, int stop_fd,
		  int64_t now_s, int64_t *ret_micro, struct error *err)
{
	const struct spawn spawn = { .argv = array->meter_command,
				     .timeout_ms = TIMEOUT_MS,
				     .stop_fd = stop_fd };
	cleanup_free char *said = malloc(SPAWN_OUTPUT_MAX + 1);
	struct meter_reading reading = { .at_s = now_s };
	micro times = MICRO;
	int rc;

	if (!said)
		return error_set(err, -ENOMEM, "no memory to read a meter");
	if (array->meter_times && micro_parse(array->meter_times, &times) < 0)
		return error_set(err, -SOBRE_ECONFIG,
				 "'%.64s' has more than 6 decimals",
				 array->meter_times);
	rc = spawn_read(&spawn, said, err);
	if (rc < 0)
		return rc;
	rc = meter_output(said, array->meter_after, times, &reading.value, err);
	if (rc < 0)
		return error_prefix(err, "'%s'", array->meter_command[0]);
	rc = meter_append(state_fd, array->id,
			  array->meter_kwh ? METER_KWH : METER_W, &reading,
			  err);
	if (rc == 0)
		*ret_micro = reading.value;
	return rc;
}

/* --- the thread ------------------------------------------------------------
 */

static int64_t monotonic_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * MS_IN_S + ts.tv_nsec / 1000000;
}

/* True when it is to be said: not said already. */
static bool put_wrong(struct one *one, const struct error *err)
{
	bool news = err->code < 0 && strcmp(one->wrong.text, err->text) != 0;

	one->wrong = *err;
	return news;
}

static void read_one(struct metering *m, struct one *one)
{
	struct error err = ERROR_INIT;
	int64_t now_s = clock_now_s(&m->clock);
	int64_t value = 0;
	int rc = metering_read(one->array, m->state_fd, m->stop_fd, now_s,
			       &value, &err);
	bool news;

	if (rc == -ECANCELED)
		return;
	(void)pthread_mutex_lock(&m->lock);
	news = put_wrong(one, &err);
	if (rc == 0) {
		one->read_s = now_s;
		one->value = value;
	}
	(void)pthread_mutex_unlock(&m->lock);
	if (news)
		m->say(m->ctx, one->array->id, &err);
}

static void *metering_main(void *metering)
{
	struct metering *m = metering;
	struct pollfd stop = { .fd = m->stop_fd, .events = POLLIN };
	int64_t next_ms = monotonic_ms();

	for (;;) {
		int64_t wait_ms = next_ms - monotonic_ms();

		if (poll(&stop, 1, wait_ms > 0 ? (int)wait_ms : 0) > 0)
			return NULL;
		next_ms = INT64_MAX;
		for (unsigned int i = 0; i < m->n; i++) {
			struct one *one = &m->one[i];

			if (one->due_ms <= monotonic_ms()) {
				one->due_ms =
					monotonic_ms() +
					one->array->meter_every_s * MS_IN_S;
				read_one(m, one);
			}
			if (one->due_ms < next_ms)
				next_ms = one->due_ms;
		}
	}
}

static unsigned int count(const struct config *config)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < config->arrays; i++)
		n += config->array[i].meter_command != NULL;
	return n;
}

static void fill(struct metering *m, const struct config *config)
{
	for (unsigned int i = 0; i < config->arrays; i++)
		if (config->array[i].meter_command)
			m->one[m->n++] = (struct one){
				.array = &config->array[i],
				.read_s = INT64_MIN,
				.wrong = ERROR_INIT,
			};
}

/* Of what is filled in. */
static int start(struct metering *m)
{
	int rc = pthread_mutex_init(&m->lock, NULL);

	if (rc)
		return rc;
	rc = pthread_create(&m->thread, NULL, metering_main, m);
	if (rc)
		(void)pthread_mutex_destroy(&m->lock);
	return rc;
}

/* NOLINTNEXTLINE(readability-function-size): what it is to know, once */
int metering_new(const struct config *config, int state_fd, int stop_fd,
		 const struct clock *clock, metering_say say, void *ctx,
		 struct metering **ret_metering, struct error *err)
{
	unsigned int n = count(config);
	struct metering *m;
	int rc;

	*ret_metering = NULL;
	if (n == 0)
		return 0;
	if (config->file && trusted_file(config->file, err) < 0)
		return err->code;
	m = calloc(1, sizeof(*m) + n * sizeof(m->one[0]));
	if (!m)
		return error_set(err, -ENOMEM, "no memory for %u meters", n);
	m->state_fd = state_fd;
	m->stop_fd = stop_fd;
	m->clock = *clock;
	m->say = say;
	m->ctx = ctx;
	fill(m, config);
	rc = start(m);
	if (rc) {
		free(m);
		return error_set(err, -rc, "cannot start a thread: %s",
				 strerrordesc_np(rc));
	}
	*ret_metering = m;
	return 0;
}

void metering_free(struct metering *metering)
{
	if (!metering)
		return;
	(void)pthread_join(metering->thread, NULL);
	(void)pthread_mutex_destroy(&metering->lock);
	free(metering);
}

/* --- for status ------------------------------------------------------------
 */

static json_t *last_json(const struct one *one)
{
	time_t at = (time_t)one->read_s;
	char when[32];
	struct tm tm;

	if (one->read_s == INT64_MIN || !gmtime_r(&at, &tm) ||
	    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return json_null();
	return json_pack("{s:s, s:I}", "time", when, "value_micro",
			 (json_int_t)one->value);
}

json_t *metering_json(struct metering *metering)
{
	json_t *list = json_array();

	if (!metering || !list)
		return list;
	(void)pthread_mutex_lock(&metering->lock);
	for (unsigned int i = 0; i < metering->n; i++) {
		const struct one *one = &metering->one[i];
		const char *wrong =
			one->wrong.code < 0 ? one->wrong.text : NULL;

		(void)json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:I, s:o, s:s?}", "array",
				  one->array->id, "unit",
				  one->array->meter_kwh ? "kWh" : "W",
				  "every_s",
				  (json_int_t)one->array->meter_every_s, "last",
				  last_json(one), "wrong", wrong));
	}
	(void)pthread_mutex_unlock(&metering->lock);
	return list;
}
