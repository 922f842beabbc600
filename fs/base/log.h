/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_BASE_LOG_H
#define SOBREFS_BASE_LOG_H

/*
 * What the daemon says of itself: to standard error, a line each, prefixed
 * for journald ("<3>" and so on). Libraries don't log errors: whoever stops
 * the error logs it once. From any thread; a line is written in one call.
 * Control characters become '?': a file's name can't forge a line.
 */

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARN = 4,
	LOG_LEVEL_INFO = 6
};

void log_line(enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)

#endif
