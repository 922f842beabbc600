/* SPDX-License-Identifier: EUPL-1.2 */
/* The word that somebody meant. */
#include <limits.h>
#include <string.h>

#include "policy/yaml/internal.h"

#define WORD_MAX 40

/* Letters without their accents, U+00C0 to U+00FF; 0: itself. */
static const char bare[64] = "aaaaaaaceeeeiiiidnooooo\0ouuuuyps"
			     "aaaaaaaceeeeiiiidnooooo\0ouuuuypy";

/* The word without case and accents, "-" and blanks as "_". Its length. */
static size_t fold(const char *word, char ret_folded[WORD_MAX])
{
	const char *end = word + strlen(word);
	size_t n = 0;

	while (word < end && n < WORD_MAX) {
		size_t bytes;
		uint32_t c = char_at(word, end, &bytes);

		if (c >= 0xc0 && c <= 0xff && bare[c - 0xc0])
			c = (unsigned char)bare[c - 0xc0];
		else if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		else if (c == '-' || c == ' ')
			c = '_';
		ret_folded[n++] = (char)(c < 0x80 ? c : (uint32_t)'?');
		word += bytes;
	}
	return n;
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Letters put in, left out, changed, or two of them swapped. */
static unsigned int edits(const char *a, size_t a_len, const char *b,
			  size_t b_len)
{
	unsigned int d[WORD_MAX + 1][WORD_MAX + 1];

	for (size_t i = 0; i <= a_len; i++)
		d[i][0] = (unsigned int)i;
	for (size_t j = 0; j <= b_len; j++)
		d[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= a_len; i++) {
		for (size_t j = 1; j <= b_len; j++) {
			unsigned int change = a[i - 1] != b[j - 1];

			d[i][j] = least(d[i - 1][j - 1] + change,
					1 + least(d[i - 1][j], d[i][j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[a_len][b_len];
}

unsigned int yaml_distance(const char *word, const char *other)
{
	char a[WORD_MAX];
	char b[WORD_MAX];
	size_t a_len = fold(word, a);
	size_t b_len = fold(other, b);
	size_t longer = a_len > b_len ? a_len : b_len;
	unsigned int distance = edits(a, a_len, b, b_len);
	unsigned int likely = (unsigned int)longer / 3;

	return distance <= likely ? distance : UINT_MAX;
}

const char *yaml_nearest(const char *word, const struct yaml_word *words)
{
	unsigned int nearest = UINT_MAX;
	const char *meant = NULL;

	for (; words && words->word; words++) {
		unsigned int distance = yaml_distance(word, words->word);

		if (distance >= nearest)
			continue;
		nearest = distance;
		meant = words->means ? words->means : words->word;
	}
	return meant;
}

bool yaml_hint_nearest(struct yaml_doc *doc, const char *word,
		       const struct yaml_word *words)
{
	const char *meant = yaml_nearest(word, words);

	if (meant)
		yaml_hint(doc, N_("did you mean '%s'?"), meant);
	return meant != NULL;
}
