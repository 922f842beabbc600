/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static void hide_controls(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			text[i] = '?';
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char line[1024];
	int used = snprintf(line, sizeof(line), "<%d>sobre: ", (int)level);
	size_t len;
	va_list args;
	int n;

	if (used < 0)
		return;
	va_start(args, fmt);
	n = vsnprintf(line + used, sizeof(line) - (size_t)used - 1, fmt, args);
	va_end(args);
	if (n < 0)
		return;
	len = (size_t)used + (size_t)n;
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	hide_controls(line, len);
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}
