/* SPDX-License-Identifier: EUPL-1.2 */
/* Allocations that fail, the threads' own among them: tests/support/fault.h.
 * These take the places of libc's (ld --wrap). */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/fault.h"

#define NO_MEMORY(name) (FAULT(FAULT_MEMORY, name) != 0)

/* The linker gives the names. NOLINTBEGIN(bugprone-reserved-identifier) */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *at, size_t size);
void *__real_reallocarray(void *at, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
int __real_vasprintf(char **ret, const char *fmt, va_list args);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*run)(void *), void *arg);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *at, size_t size);
void *__wrap_reallocarray(void *at, size_t n, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);
int __wrap_asprintf(char **ret, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int __wrap_vasprintf(char **ret, const char *fmt, va_list args)
	__attribute__((format(printf, 2, 0)));
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*run)(void *), void *arg);

void *__wrap_malloc(size_t size)
{
	return NO_MEMORY("malloc") ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return NO_MEMORY("calloc") ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *at, size_t size)
{
	return NO_MEMORY("realloc") ? NULL : __real_realloc(at, size);
}

void *__wrap_reallocarray(void *at, size_t n, size_t size)
{
	return NO_MEMORY("reallocarray") ? NULL
					 : __real_reallocarray(at, n, size);
}

char *__wrap_strdup(const char *text)
{
	return NO_MEMORY("strdup") ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t len)
{
	return NO_MEMORY("strndup") ? NULL : __real_strndup(text, len);
}

int __wrap_vasprintf(char **ret, const char *fmt, va_list args)
{
	return NO_MEMORY("vasprintf") ? -1 : __real_vasprintf(ret, fmt, args);
}

/* What it leaves in `ret` when it fails is nobody's to use. */
int __wrap_asprintf(char **ret, const char *fmt, ...)
{
	va_list args;
	int n;

	if (NO_MEMORY("asprintf"))
		return -1;
	va_start(args, fmt);
	n = __real_vasprintf(ret, fmt, args);
	va_end(args);
	return n;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*run)(void *), void *arg)
{
	return NO_MEMORY("pthread_create")
		       ? EAGAIN
		       : __real_pthread_create(thread, attr, run, arg);
}
/* NOLINTEND(bugprone-reserved-identifier) */
