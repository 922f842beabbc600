/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/eval/support.h"

#include <time.h>

/* Accents, twice: one code point, and a letter with its accent after it. */
#define E_ACUTE_NFC   "\xc3\xa9"
#define E_ACUTE_NFD   "e\xcc\x81"
#define E_ACUTE_UPPER "\xc3\x89"

static void append(char *text, size_t size, const char *more)
{
	size_t len = strlen(text);

	(void)snprintf(text + len, size - len, "%s", more);
}

static bool matches_as(const char *pattern, const char *path, bool exact)
{
	CLEANUP(pattern_free) struct pattern *p = NULL;
	struct error err = ERROR_INIT;

	assert_int_equal(pattern_new(pattern, exact, &p, &err), 0);
	return pattern_matches(p, path);
}

static bool m(const char *pattern, const char *path)
{
	return matches_as(pattern, path, false);
}

static void a_star_does_not_cross_a_slash(void **state)
{
	(void)state;
	assert_true(m("/a/*", "/a/b"));
	assert_false(m("/a/*", "/a/b/c"));
	assert_false(m("/a/*", "/a"));
	assert_true(m("/a/*/c", "/a/b/c"));
	assert_true(m("/*.pdf", "/x.pdf"));
	assert_false(m("/*.pdf", "/x.pdf.bak"));
	assert_true(m("/x*", "/x.pdf"));
	assert_true(m("/x*y*z", "/xaayzyz"));
	assert_false(m("/x*y*z", "/xaayzy"));
	assert_true(m("/**x", "/aax"));
	assert_false(m("/**x", "/a/x"));
}

static void a_question_mark_is_one_character(void **state)
{
	(void)state;
	assert_true(m("/a?c", "/abc"));
	assert_false(m("/a?c", "/ac"));
	assert_false(m("/a?c", "/abbc"));
	assert_false(m("/a?c", "/a/c"));
	assert_true(m("/a?c", "/a" E_ACUTE_NFC "c"));
	assert_true(m("/a?c", "/a" E_ACUTE_NFD "c"));
	assert_true(m("/a?c", "/a\xff"
			      "c"));
	assert_true(m("/a??c", "/a\xff\xfe"
			       "c"));
	assert_true(m("/*?c", "/a" E_ACUTE_NFC "c"));
}

static void two_stars_are_any_number_of_components(void **state)
{
	(void)state;
	assert_true(m("/a/**", "/a/b"));
	assert_true(m("/a/**", "/a/b/c/d"));
	assert_true(m("/a/**", "/a"));
	assert_false(m("/a/**", "/ab/c"));
	assert_true(m("/a/**/z", "/a/z"));
	assert_true(m("/a/**/z", "/a/b/c/z"));
	assert_false(m("/a/**/z", "/a/b/c/zz"));
	assert_true(m("/**", "/x"));
	assert_true(m("/**/a/**/b/**", "/q/a/r/s/b/t"));
	assert_false(m("/**/a/**/b/**", "/q/b/r/s/a/t"));
	assert_true(m("/**/**/**/x", "/x"));
}

static void without_a_slash_at_its_start_it_matches_at_any_depth(void **state)
{
	(void)state;
	assert_true(m("*.tmp", "/x.tmp"));
	assert_true(m("*.tmp", "/a/b/x.tmp"));
	assert_true(m("Contentieux/*", "/a/Contentieux/b"));
	assert_false(m("Contentieux/*", "/a/Contentieux/b/c"));
	assert_true(m("**/Contentieux/**", "/Contentieux/b/c"));
	assert_false(m("/*.tmp", "/a/x.tmp"));
}

static void case_and_the_form_of_accents_do_not_count(void **state)
{
	(void)state;
	assert_true(m("/Ville/R" E_ACUTE_NFC "gie/**",
		      "/VILLE/r" E_ACUTE_NFD "GIE/x"));
	assert_true(m("/r" E_ACUTE_NFD "gie", "/R" E_ACUTE_UPPER "GIE"));
	assert_false(m("/regie", "/r" E_ACUTE_NFC "gie"));
	assert_true(m("*.PDF", "/x.pdf"));
	/* Two marks on one letter, in either order. */
	assert_true(m("/a\xcc\xa3\xcc\x81", "/A\xcc\x81\xcc\xa3"));
	assert_true(m("/stra\xc3\x9f"
		      "e",
		      "/STRASSE"));
	assert_true(
		m("/\xce\xa3\xce\xbf\xcf\x82", "/\xcf\x83\xce\xbf\xcf\x83"));
}

static void exact_counts_case_but_not_the_form_of_accents(void **state)
{
	(void)state;
	assert_false(matches_as("/Ville", "/ville", true));
	assert_true(matches_as("/R" E_ACUTE_NFC "gie", "/R" E_ACUTE_NFD "gie",
			       true));
	assert_false(matches_as("/R" E_ACUTE_NFC "gie", "/r" E_ACUTE_NFD "gie",
				true));
}

static void what_is_not_utf8_is_compared_as_bytes(void **state)
{
	(void)state;
	assert_true(m("/caf\xe9*", "/caf\xe9.doc"));
	assert_false(m("/caf\xe9*", "/caf\xe8.doc"));
	assert_false(m("/caf\xe9*", "/caf" E_ACUTE_NFC ".doc"));
	assert_true(m("*.PDF", "/caf\xe9.PDF"));
	assert_true(m("*.PDF", "/caf\xe9.pdf"));
	assert_false(matches_as("*.PDF", "/caf\xe9.pdf", true));
	/* The others of its path are still folded. */
	assert_true(m("/" E_ACUTE_NFC "t" E_ACUTE_NFC "/*",
		      "/" E_ACUTE_UPPER "T" E_ACUTE_NFD "/\xff"));
	assert_true(m("/*", "/\xf0\x9f"));
}

static void brackets_and_backslashes_are_themselves(void **state)
{
	(void)state;
	assert_true(m("/[a]", "/[a]"));
	assert_false(m("/[a]", "/a"));
	assert_true(m("/a\\*", "/a\\b"));
	assert_true(m("/{a,b}", "/{a,b}"));
}

static void long_names_are_folded_whole(void **state)
{
	char path[8192] = "/";
	char pattern[8192] = "/";

	(void)state;
	for (int i = 0; i < 1000; i++) {
		append(path, sizeof(path), E_ACUTE_UPPER);
		append(pattern, sizeof(pattern), E_ACUTE_NFD);
	}
	assert_true(m(pattern, path));
	append(path, sizeof(path), "x");
	assert_false(m(pattern, path));
}

static void what_cannot_be_a_pattern_is_refused(void **state)
{
	static const char *const bad[] = { "",	 "/",	   "//",  "/a//b",
					   "a/", "/a/./b", "/..", "/Ville/" };
	char deep[512] = "";
	struct pattern *p = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(pattern_new(bad[i], false, &p, &err), -EINVAL);
	assert_non_null(strstr(err.text, "/**"));
	for (int i = 0; i < PATTERN_PARTS_MAX; i++)
		append(deep, sizeof(deep), "/a");
	assert_true(m(deep, deep));
	assert_true(m(deep + 1, deep));
	append(deep, sizeof(deep), "/a");
	assert_int_equal(pattern_new(deep, false, &p, &err), -EINVAL);
	assert_null(p);
}

/* Each `*` that went back over the others would double the time. */
static void hostile_patterns_take_no_longer(void **state)
{
	char pattern[PATTERN_BYTES_MAX + 1] = "";
	char path[4097];
	struct timespec before;
	struct timespec after;

	(void)state;
	memset(path, 'a', sizeof(path) - 1);
	path[0] = '/';
	path[4096] = '\0';
	for (int i = 0; i < 1000; i++)
		append(pattern, sizeof(pattern), "*a?");
	append(pattern, sizeof(pattern), "b");
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	assert_false(m(pattern, path));
	for (int i = 2; i < 4096; i += 2)
		path[i] = '/';
	pattern[0] = '\0';
	for (int i = 0; i < PATTERN_PARTS_MAX / 2; i++)
		append(pattern, sizeof(pattern), "/**/*a*a*b*");
	assert_false(m(pattern, path));
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	assert_true(after.tv_sec - before.tv_sec <= 2);
}

/* --- against a matcher that only has to be right
 * ------------------------------ */

static bool naive_part(const char *p, const char *pe, const char *s,
		       const char *se)
{
	if (p == pe)
		return s == se;
	if (*p == '*')
		return naive_part(p + 1, pe, s, se) ||
		       (s < se && naive_part(p, pe, s + 1, se));
	return s < se && (*p == '?' || *p == *s) &&
	       naive_part(p + 1, pe, s + 1, se);
}

/* Both begin with the slash of a component, or are at their end. */
static bool naive(const char *p, const char *s)
{
	const char *pe = NULL;
	const char *se = NULL;

	if (*p == '\0')
		return *s == '\0';
	pe = p + 1 + strcspn(p + 1, "/");
	if (pe - p == 3 && memcmp(p, "/**", 3) == 0 && naive(pe, s))
		return true;
	if (*s == '\0')
		return false;
	se = s + 1 + strcspn(s + 1, "/");
	if (pe - p == 3 && memcmp(p, "/**", 3) == 0)
		return naive(p, se);
	return naive_part(p + 1, pe, s + 1, se) && naive(pe, se);
}

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

static void random_path(uint32_t *seed, const char *letters, char path[64])
{
	unsigned int parts = 1 + next(seed) % 5;

	*path = '\0';
	for (unsigned int i = 0; i < parts; i++) {
		unsigned int len = 1 + next(seed) % 4;

		append(path, 64, "/");
		for (unsigned int k = 0; k < len; k++) {
			const char one[] = {
				letters[next(seed) % strlen(letters)], '\0'
			};

			append(path, 64, one);
		}
	}
}

static void agrees_with_a_naive_matcher(void **state)
{
	uint32_t seed = 20260901;
	unsigned int yes = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		char pattern[64];
		char path[64];
		bool wanted = false;

		random_path(&seed, "ab*?**", pattern);
		random_path(&seed, "ab", path);
		wanted = naive(pattern, path);
		yes += wanted;
		if (m(pattern, path) != wanted)
			fail_msg("'%s' on '%s': not %d", pattern, path, wanted);
	}
	/* Or it would say little. */
	assert_true(yes > 10000 && yes < 190000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_star_does_not_cross_a_slash),
		cmocka_unit_test(a_question_mark_is_one_character),
		cmocka_unit_test(two_stars_are_any_number_of_components),
		cmocka_unit_test(
			without_a_slash_at_its_start_it_matches_at_any_depth),
		cmocka_unit_test(case_and_the_form_of_accents_do_not_count),
		cmocka_unit_test(exact_counts_case_but_not_the_form_of_accents),
		cmocka_unit_test(what_is_not_utf8_is_compared_as_bytes),
		cmocka_unit_test(brackets_and_backslashes_are_themselves),
		cmocka_unit_test(long_names_are_folded_whole),
		cmocka_unit_test(what_cannot_be_a_pattern_is_refused),
		cmocka_unit_test(hostile_patterns_take_no_longer),
		cmocka_unit_test(agrees_with_a_naive_matcher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
