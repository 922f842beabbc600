/* SPDX-License-Identifier: EUPL-1.2 */
/* DESIGN section 10. The components of a path step a machine whose states are
 * bits, so that `**` never goes back; within a component only the last `*`
 * does. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/eval/internal.h"

/* --- one component ----------------------------------------------------------
 */

static bool is_special(char c)
{
	return c == '*' || c == '?';
}

static size_t specials(struct piece piece)
{
	size_t n = 0;

	for (size_t i = 0; i < piece.len; i++)
		n += is_special(piece.text[i]);
	return n;
}

struct glob glob_of(struct piece piece)
{
	struct glob glob = { .kind = GLOB_GENERAL, .piece = piece };
	size_t n = specials(piece);

	if (piece.len == 2 && memcmp(piece.text, "**", 2) == 0) {
		glob.kind = GLOB_DEEP;
	} else if (n == 0) {
		glob.kind = GLOB_LITERAL;
	} else if (n == 1 && piece.len == 1 && *piece.text == '*') {
		glob.kind = GLOB_ANY;
	} else if (n == 1 && *piece.text == '*') {
		glob.kind = GLOB_END;
		glob.piece.text++;
		glob.piece.len--;
	} else if (n == 1 && piece.text[piece.len - 1] == '*') {
		glob.kind = GLOB_BEGIN;
		glob.piece.len--;
	}
	return glob;
}

/* Bytes of the character at the start; 1 where it is none. */
static size_t char_bytes(const char *text, size_t len)
{
	unsigned char lead = (unsigned char)*text;
	size_t want = 1;

	if (lead >= 0xf0 && lead < 0xf8)
		want = 4;
	else if (lead >= 0xe0 && lead < 0xf0)
		want = 3;
	else if (lead >= 0xc0 && lead < 0xe0)
		want = 2;
	if (want > len)
		return 1;
	for (size_t i = 1; i < want; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 1;
	}
	return want;
}

static bool general_matches(struct piece glob, struct piece part)
{
	size_t at = 0; /* in the part */
	size_t g = 0;
	size_t after_star = SIZE_MAX;
	size_t star_at = 0;

	while (at < part.len) {
		char c = '\0';

		if (g < glob.len)
			c = glob.text[g];
		if (c == '*') {
			after_star = ++g;
			star_at = at;
		} else if (c == '?') {
			g++;
			at += char_bytes(part.text + at, part.len - at);
		} else if (g < glob.len && c == part.text[at]) {
			g++;
			at++;
		} else if (after_star != SIZE_MAX) {
			g = after_star;
			star_at += char_bytes(part.text + star_at,
					      part.len - star_at);
			at = star_at;
		} else {
			return false;
		}
	}
	while (g < glob.len && glob.text[g] == '*')
		g++;
	return g == glob.len;
}

bool glob_matches(const struct glob *glob, struct piece part)
{
	struct piece p = glob->piece;

	switch (glob->kind) {
	case GLOB_DEEP:
	case GLOB_ANY:
		return true;
	case GLOB_LITERAL:
		return p.len == part.len &&
		       memcmp(p.text, part.text, p.len) == 0;
	case GLOB_BEGIN:
		return p.len <= part.len &&
		       memcmp(p.text, part.text, p.len) == 0;
	case GLOB_END:
		return p.len <= part.len &&
		       memcmp(p.text, part.text + part.len - p.len, p.len) == 0;
	case GLOB_GENERAL:
		break;
	}
	return general_matches(p, part);
}

/* --- the machine ------------------------------------------------------------
 */

uint64_t pattern_step(const struct pattern *p, uint64_t state,
		      struct piece part)
{
	uint64_t end = UINT64_C(1) << p->n;
	uint64_t next = state & p->deep;
	uint64_t left = state & ~p->deep & (end - 1);

	while (left != 0) {
		int i = __builtin_ctzll(left);

		if (glob_matches(&p->glob[i], part))
			next |= UINT64_C(2) << i;
		left &= left - 1;
	}
	return pattern_close(p, next);
}

uint64_t pattern_run(const struct pattern *p, struct piece path)
{
	uint64_t state = pattern_start(p);
	struct piece part;

	while (state != 0 && piece_next(&path, &part))
		state = pattern_step(p, state, part);
	return state;
}

bool pattern_matches(const struct pattern *pattern, const char *path)
{
	cleanup_buf struct buf out;
	struct piece piece = { path, strlen(path) };

	buf_init(&out, FOLDED_BYTES_MAX);
	if (fold_path(&out, path, piece.len, pattern->exact) == 0)
		piece = (struct piece){ (const char *)out.data, out.len };
	return pattern_holds(pattern, pattern_run(pattern, piece));
}

/* --- reading one ------------------------------------------------------------
 */

/* As a component of `text`; NULL: it can be one. */
static const char *why_not(struct piece part)
{
	if (part.len == 0)
		return "a component is empty";
	if (part.text[0] == '.' &&
	    (part.len == 1 || (part.len == 2 && part.text[1] == '.')))
		return "a component is \".\" or \"..\"";
	return NULL;
}

static const char *check(const char *text)
{
	const char *at = *text == '/' ? text + 1 : text;
	unsigned int n = 0;

	if (*text == '\0')
		return "it is empty";
	if (*at == '\0')
		return "it names no file";
	if (strlen(text) > PATTERN_BYTES_MAX)
		return "it is too long";
	for (;;) {
		size_t len = strcspn(at, "/");
		const char *why = why_not((struct piece){ at, len });

		if (why != NULL)
			return why;
		if (++n > PATTERN_PARTS_MAX)
			return "it has too many components";
		if (at[len] == '\0')
			return NULL;
		at += len + 1;
		if (*at == '\0')
			return "it ends with \"/\": \"/**\" is what is below";
	}
}

static void add_glob(struct pattern *p, struct glob glob)
{
	bool deep = glob.kind == GLOB_DEEP;

	if (deep && p->n > 0 && p->glob[p->n - 1].kind == GLOB_DEEP)
		return;
	if (deep)
		p->deep |= UINT64_C(1) << p->n;
	p->glob[p->n++] = glob;
}

static void compile(struct pattern *p, struct piece folded)
{
	static const struct piece deep = { "**", 2 };
	struct piece part;

	if (*folded.text != '/')
		add_glob(p, glob_of(deep));
	while (piece_next(&folded, &part))
		add_glob(p, glob_of(part));
}

int pattern_new(const char *text, bool exact, struct pattern **ret_pattern,
		struct error *err)
{
	CLEANUP(pattern_free) struct pattern *p = NULL;
	cleanup_buf struct buf out;
	const char *why = check(text);
	int rc = 0;

	buf_init(&out, FOLDED_BYTES_MAX);
	if (why != NULL)
		return error_set(err, -EINVAL, "pattern '%s': %s", text, why);
	rc = fold_path(&out, text, strlen(text), exact);
	p = calloc(1,
		   sizeof(*p) + (PATTERN_PARTS_MAX + 1) * sizeof(p->glob[0]));
	if (rc < 0 || p == NULL)
		return error_set(err, rc < 0 ? rc : -ENOMEM, "pattern '%s': %s",
				 text, error_words(rc < 0 ? rc : -ENOMEM));
	p->exact = exact;
	p->folded = (char *)out.data;
	compile(p, (struct piece){ p->folded, out.len });
	out.data = NULL;
	*ret_pattern = take_ptr(&p);
	return 0;
}

void pattern_free(struct pattern *pattern)
{
	if (pattern == NULL)
		return;
	free(pattern->folded);
	free(pattern);
}
