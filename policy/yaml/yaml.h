/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_YAML_YAML_H
#define SOBREFS_YAML_YAML_H

/*
 * The files that administrators write: strict YAML, every scalar a string,
 * every value with its place in the file, and messages that show that place.
 * Not read: anchors, aliases, tags, merge keys, directives, a second document
 * (they surprise people, and can be made to explode), a key given twice.
 *
 * A message is file:line:column: what; the line; a caret; a suggestion where
 * one is near. All of a file's messages are found in one reading, and said in
 * the order of the lines. Columns count characters, from 1.
 *
 * No global state; a document belongs to one thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/base/cleanup.h"
#include "fs/base/error.h"

#define YAML_FILE_MAX	  (1u << 20) /* bytes */
#define YAML_DEPTH_MAX	  16
#define YAML_NODES_MAX	  50000
#define YAML_KEYS_MAX	  128 /* of one mapping */
#define YAML_MESSAGES_MAX 100

/* A text to be translated where it is said; for xgettext, as in tools/po. */
#ifndef N_
#define N_(msgid) msgid
#endif

/* Where messages go. */
struct yaml_messages {
	/* A whole message: lines, each ended. */
	void (*say)(void *ctx, const char *text);
	void *ctx;
	/* The same text in the reader's language, as po_text(); NULL: as is. */
	const char *(*translate)(const char *msgid);
};

/* Messages counted over several files. */
struct yaml_diag {
	const struct yaml_messages *to;
	unsigned int said;     /* or waiting to be */
	unsigned int left_out; /* past YAML_MESSAGES_MAX */
};

void yaml_diag_init(struct yaml_diag *diag, const struct yaml_messages *to);
/* How many messages there were; 0: nothing is wrong. */
static inline unsigned int yaml_diag_count(const struct yaml_diag *diag)
{
	return diag->said + diag->left_out;
}
/* "and 12 more", when some were left out. */
void yaml_diag_finish(struct yaml_diag *diag);
/* A message of a whole file, at once: "name: what". In msgid only %s, %u. */
void yaml_say(struct yaml_diag *diag, const char *name, const char *msgid, ...)
	__attribute__((format(printf, 3, 4)));
/* The same, not counted: nothing is wrong. */
void yaml_note(struct yaml_diag *diag, const char *name, const char *msgid, ...)
	__attribute__((format(printf, 3, 4)));

/* --- documents ---------------------------------------------------------- */

enum yaml_kind {
	YAML_SCALAR,
	YAML_LIST,
	YAML_MAP
};

struct yaml_node {
	enum yaml_kind kind;
	unsigned int line, column; /* from 1 */
	unsigned int width;	   /* characters for the caret; at least 1 */
	bool cut;   /* the file stops making sense inside: not all is here */
	bool bad;   /* a text that can't be used, which was said */
	bool empty; /* a scalar without a value: "key:", "~" */
	unsigned int n; /* children */
	char *text;	/* of a scalar: UTF-8, no control characters */
	const struct yaml_node *key; /* of a mapping's value: its key */
	struct yaml_node *first, *next;
	struct yaml_node *all; /* of the document, to free them */
};

struct yaml_doc;

/* A regular file of at most YAML_FILE_MAX bytes, with a NUL behind. `follow`:
 * may be a symbolic link. -EFBIG; -EINVAL: not a regular file; -ELOOP. */
int yaml_read(int dir_fd, const char *path, bool follow, char **ret_data,
	      size_t *ret_len, struct error *err);
/*
 * `name` is what messages call the file. What is wrong with the file is said
 * to `diag`, and no failure: the document then has what could be read before.
 * Fails for want of memory only. `diag` must outlive the document.
 */
int yaml_parse(const char *name, const char *data, size_t len,
	       struct yaml_diag *diag, struct yaml_doc **ret_doc,
	       struct error *err);
/* NULL: an empty file. Nodes live as long as the document. */
const struct yaml_node *yaml_root(const struct yaml_doc *doc);
/* -ENOMEM when memory lacked for a value or a message; else 0. */
int yaml_failure(const struct yaml_doc *doc);
/* Says the messages, in the order of the lines, and frees. */
void yaml_free(struct yaml_doc *doc);
DEFINE_CLEANUP(struct yaml_doc *, yaml_free)

/*
 * A message at a node (NULL: of the file). In msgid only %s and %u. Texts in
 * it are cut where long, and what a terminal would obey is made visible.
 * yaml_hint(), before it, gives it its suggestion.
 */
void yaml_report(struct yaml_doc *doc, const struct yaml_node *at,
		 const char *msgid, ...) __attribute__((format(printf, 3, 4)));
void yaml_hint(struct yaml_doc *doc, const char *msgid, ...)
	__attribute__((format(printf, 2, 3)));

/* --- words -------------------------------------------------------------- */

struct yaml_word {
	const char *word;
	const char *means; /* NULL: is valid itself; else the word meant, as
			      of a French one */
};
/* The valid word that was probably meant, or NULL. `words` end with a NULL
 * word. Case and accents don't count. */
const char *yaml_nearest(const char *word, const struct yaml_word *words);
/* The edits from `word` to `other`, to compare; UINT_MAX: no likely slip. */
unsigned int yaml_distance(const char *word, const char *other);
/* Hints "did you mean '…'?" when there is one; else false. */
bool yaml_hint_nearest(struct yaml_doc *doc, const char *word,
		       const struct yaml_word *words);

/* --- typed values ------------------------------------------------------- */

/*
 * Each returns false (NULL) when it said what is wrong, or memory lacks, and
 * then sets nothing. Texts set by pointer are copies, the caller's.
 */
struct yaml_key {
	const char *name;
	/* Takes the value; `into` is yaml_map's. NULL: a later version's. */
	void (*take)(struct yaml_doc *doc, const struct yaml_node *value,
		     void *into);
};
struct yaml_schema {
	const struct yaml_key *keys;   /* `name` NULL ends */
	const struct yaml_word *words; /* to suggest, besides the keys; NULL */
};
/* Gives each value to its key; unknown keys are said. */
bool yaml_map(struct yaml_doc *doc, const struct yaml_node *map,
	      const struct yaml_schema *schema, void *into);
/* The value of a key, or NULL; NULL of what is no mapping. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
/* Is it a list? Says so otherwise. */
bool yaml_list(struct yaml_doc *doc, const struct yaml_node *node);
/* A text that is not empty. NULL: said, now or before. Borrowed. */
const char *yaml_text(struct yaml_doc *doc, const struct yaml_node *node);
/* The same, a copy. */
bool yaml_copy(struct yaml_doc *doc, const struct yaml_node *node,
	       char **ret_text);
/* A list of texts, or one text: calls `item` for each; false if it did once. */
bool yaml_each(struct yaml_doc *doc, const struct yaml_node *node,
	       bool (*item)(struct yaml_doc *doc, const struct yaml_node *node,
			    const char *text, void *into),
	       void *into);
/* The index, among those of `words`, of the one given; a `means` is no
 * choice, but suggested. */
bool yaml_choice(struct yaml_doc *doc, const struct yaml_node *node,
		 const struct yaml_word *words, unsigned int *ret_choice);
/* Letters a-z, digits and "-", at most 64: what other files name. A copy. */
bool yaml_id(struct yaml_doc *doc, const struct yaml_node *node, char **ret_id);
/* "30 days": fs/base/units.h. */
bool yaml_duration(struct yaml_doc *doc, const struct yaml_node *node,
		   int64_t *ret_s);
bool yaml_size(struct yaml_doc *doc, const struct yaml_node *node,
	       const char *text, uint64_t *ret_bytes);
/* Says what is wrong with a number and its unit, which could not be read: no
 * number, no unit, an unknown one; else that it is too big. */
void yaml_bad_measure(struct yaml_doc *doc, const struct yaml_node *node,
		      const char *text, const struct yaml_word *units,
		      const char *example);
/* Memory lacked: yaml_failure() tells at the end. */
void yaml_no_memory(struct yaml_doc *doc);

#endif
