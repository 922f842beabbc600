/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/bench/spent.h"

#include <sqlite3.h>
#include <stddef.h>
#include <time.h>

#include "fs/base/error.h"

#define PAIRS	       1000000
#define INTERRUPTED_NS 200000 /* another thread had the CPU meanwhile */

static struct {
	struct spent spent;
	bool inside;
	bool in_hook;
} now; /* what is wrapped has no other place */

static int64_t read_clock(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t spent_cpu_ns(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

static int64_t clock_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

double spent_clock_costs_ns(void)
{
	int64_t start = spent_cpu_ns();
	int64_t sum = 0;

	for (int i = 0; i < PAIRS; i++) {
		int64_t at = clock_ns();

		sum += clock_ns() - at;
	}
	return sum < 0 ? 0 : (double)(spent_cpu_ns() - start) / PAIRS;
}

void spent_begin(bool inside)
{
	now.spent = (struct spent){ .calls = 0 };
	now.inside = inside;
}

struct spent spent_end(void)
{
	return now.spent;
}

int __real_ledger_commit(void *ctx, const uint64_t *inos, size_t n,
			 struct error *err);
int __wrap_ledger_commit(void *ctx, const uint64_t *inos, size_t n,
			 struct error *err);
int __wrap_ledger_commit(void *ctx, const uint64_t *inos, size_t n,
			 struct error *err)
{
	int64_t start = spent_cpu_ns();
	int rc;

	now.in_hook = true;
	rc = __real_ledger_commit(ctx, inos, n, err);
	now.in_hook = false;
	now.spent.hook_ns += spent_cpu_ns() - start;
	return rc;
}

/* A clock of CPU time would take longer than most calls. */
static void add_call(int64_t ns)
{
	now.spent.calls++;
	if (ns < INTERRUPTED_NS)
		now.spent.sqlite_ns += ns;
}

/* clang-format off */
#define WRAP(type, name, params, args)                                   \
	type __real_##name params;                                       \
	type __wrap_##name params;                                       \
	type __wrap_##name params                                        \
	{                                                                \
		int64_t start;                                           \
		type ret;                                                \
		if (!now.in_hook || !now.inside)                         \
			return __real_##name args;                       \
		start = clock_ns();                                      \
		ret = __real_##name args;                                \
		add_call(clock_ns() - start);                            \
		return ret;                                              \
	}

WRAP(int, sqlite3_step, (sqlite3_stmt *s), (s))
WRAP(int, sqlite3_reset, (sqlite3_stmt *s), (s))
WRAP(int, sqlite3_clear_bindings, (sqlite3_stmt *s), (s))
WRAP(int, sqlite3_bind_int64, (sqlite3_stmt *s, int at, sqlite3_int64 v),
     (s, at, v))
WRAP(int, sqlite3_bind_blob64, (sqlite3_stmt *s, int at, const void *v,
     sqlite3_uint64 n, void (*done)(void *)), (s, at, v, n, done))
WRAP(int, sqlite3_bind_zeroblob, (sqlite3_stmt *s, int at, int n), (s, at, n))
WRAP(sqlite3_int64, sqlite3_column_int64, (sqlite3_stmt *s, int col), (s, col))
WRAP(const void *, sqlite3_column_blob, (sqlite3_stmt *s, int col), (s, col))
WRAP(int, sqlite3_column_bytes, (sqlite3_stmt *s, int col), (s, col))
/* clang-format on */
