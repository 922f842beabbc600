/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_TESTS_SPENT_H
#define SOBREFS_TESTS_SPENT_H

/* Time in the ledger's hook, and in SQLite's functions within it: they are
 * wrapped by the linker (ld --wrap). Of one thread. */

#include <stdbool.h>
#include <stdint.h>

struct spent {
	int64_t hook_ns;
	int64_t sqlite_ns;
	uint64_t calls; /* of SQLite's */
};

int64_t spent_cpu_ns(void); /* of this thread */
/* What two readings of the clock around each call of SQLite's take. */
double spent_clock_costs_ns(void);
/* From now on; `inside`: SQLite's functions too, which costs. */
void spent_begin(bool inside);
struct spent spent_end(void);

#endif
