/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * libfyaml 0.7.12 loses two kilobytes for a text in quotes that has some
 * dozens of escapes (docs/design/decisions/libfyaml.md). Not ours to find.
 */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml.so\n";
}

/* The table of what was suppressed would look like a report. */
const char *__lsan_default_options(void);

const char *__lsan_default_options(void)
{
	return "print_suppressions=0";
}
