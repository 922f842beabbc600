/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_TESTS_FAULT_H
#define SOBREFS_TESTS_FAULT_H

/*
 * Faults of sobre-fault, told by the environment. Calls of one kind are
 * counted from 1, over all threads, and one of them, or some, fail:
 *
 *	SOBRE_FAIL=KIND		write (without), read, open, memory, db or
 *				dbmemory: which calls are counted; step: those
 *				of volatile.h, which don't fail
 *	SOBRE_FAIL_SITE=SITE	only those that come from there
 *	SOBRE_FAIL_AT=N		the Nth does nothing and returns the error
 *	SOBRE_FAIL_FOR=K	so do those after it, K in all
 *	SOBRE_FAIL_ERRNO=E	that error, a number; EIO when not given
 *	SOBRE_FAIL_ARM=FILE	only while that file is there
 *	SOBRE_IO_TRACE=FILE	a line "N name SITE" for each call is added
 *
 * A site is where a call comes from: offsets in the program of the addresses
 * it returns to, nearest first, a few of them. What the program calls is the
 * same from run to run; in which order its threads do isn't.
 *
 * The counters are the process's: what is called has no context for them.
 */

enum fault_kind {
	FAULT_WRITE,
	FAULT_READ,
	FAULT_OPEN,
	FAULT_MEMORY,
	FAULT_DB,
	FAULT_DBMEMORY,
	FAULT_STEP,
	FAULT_KINDS
};

/* Before a call; `caller` is who called the function that takes its place.
 * 0: to be done; else the errno that it shall fail with. */
int fault_enter(enum fault_kind kind, const char *name, const void *caller);

/* A number from the environment, read once before main(). */
long fault_number(const char *name, long fallback);

#define FAULT(kind, name) fault_enter(kind, name, __builtin_return_address(0))

#endif
