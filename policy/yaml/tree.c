/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * libfyaml's events, made nodes. Its own documents aren't used: they resolve
 * aliases and recurse, and the events have the places.
 */
#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

#include "policy/yaml/internal.h"

struct level {
	struct yaml_node *node;
	struct yaml_node *key; /* of the value to come */
	struct yaml_node **last;
	bool flow;
};

struct builder {
	struct yaml_doc *doc;
	struct level level[YAML_DEPTH_MAX];
	unsigned int depth;
	unsigned int documents;
	bool stop; /* nothing more is read */
};

/* --- places --------------------------------------------------------------- */

/* libfyaml's mark of a quoted text leaves the quotes out. What isn't there has
 * no token, or an empty one: it stays where it is. */
static void place_token(struct yaml_doc *doc, struct yaml_node *node,
			struct fy_token *token)
{
	const struct fy_mark *from = token ? fy_token_start_mark(token) : NULL;
	const struct fy_mark *to = token ? fy_token_end_mark(token) : NULL;
	size_t start;
	size_t end;

	if (!from || !to)
		return;
	start = from->input_pos < doc->len ? from->input_pos : doc->len;
	end = to->input_pos < doc->len ? to->input_pos : doc->len;
	if (start > 0 && strchr("'\"", doc->data[start - 1]) &&
	    end < doc->len && doc->data[end] == doc->data[start - 1]) {
		start--;
		end++;
	}
	if (start == end)
		return;
	doc_place(doc, start, &node->line, &node->column);
	node->width = doc_width(doc, start, end);
}

/* The dash of the next item, or where the last node was. */
static void place_item(struct builder *b, struct yaml_node *node)
{
	const struct yaml_node *last = b->doc->all;

	node->line = last ? last->line : 1;
	for (unsigned int l = node->line + 1; l <= b->doc->lines; l++) {
		size_t len;
		const char *text = doc_line(b->doc, l, &len);
		size_t at = 0;

		while (at < len && text[at] == ' ')
			at++;
		if (at == len || text[at] == '#')
			continue;
		if (text[at] == '-') {
			node->line = l;
			node->column = (unsigned int)at + 1;
		}
		return;
	}
}

/* A value that isn't there is shown where its key is. */
static void place_missing(struct builder *b, struct yaml_node *node)
{
	const struct level *level = b->depth ? &b->level[b->depth - 1] : NULL;

	if (level && level->key) {
		node->line = level->key->line;
		node->column = level->key->column;
		node->width = level->key->width;
	} else if (level && !level->flow) {
		place_item(b, node);
	}
}

static void report_token(struct yaml_doc *doc, struct fy_token *token,
			 const char *msgid)
{
	struct yaml_node node = { .line = 1, .column = 1, .width = 1 };

	place_token(doc, &node, token);
	yaml_report_as(doc, &node, msgid);
}

/* --- nodes ---------------------------------------------------------------- */

static struct yaml_node *new_node(struct builder *b, enum yaml_kind kind,
				  struct fy_token *token)
{
	struct yaml_node *node = calloc(1, sizeof(*node));

	if (!node) {
		b->doc->no_memory = true;
		b->stop = true;
		return NULL;
	}
	*node = (struct yaml_node){ .kind = kind,
				    .line = 1,
				    .column = 1,
				    .width = 1,
				    .all = b->doc->all };
	place_missing(b, node);
	place_token(b->doc, node, token);
	b->doc->all = node;
	if (++b->doc->nodes > YAML_NODES_MAX) {
		yaml_report(b->doc, node, N_("the file holds too much"));
		b->stop = true;
		return NULL;
	}
	return node;
}

static bool is_given(struct builder *b, const struct level *level,
		     const struct yaml_node *key)
{
	for (const struct yaml_node *child = level->node->first; child;
	     child = child->next) {
		if (strcmp(child->key->text, key->text) != 0)
			continue;
		yaml_report(b->doc, key,
			    N_("'%s' is given twice; the first time in line "
			       "%u"),
			    key->text, child->key->line);
		return true;
	}
	return false;
}

static void attach(struct level *level, struct yaml_node *node)
{
	*level->last = node;
	level->last = &node->next;
	level->node->n++;
}

static void take_key(struct builder *b, struct level *level,
		     struct yaml_node *node)
{
	if (node->kind != YAML_SCALAR) {
		yaml_report(b->doc, node, N_("a key must be a word"));
		b->stop = true;
		return;
	}
	/* A mapping without braces starts where its first key does. */
	if (level->node->n == 0 && !level->flow && !level->node->first) {
		level->node->line = node->line;
		level->node->column = node->column;
		level->node->width = node->width;
	}
	level->key = node;
}

static void take_value(struct builder *b, struct level *level,
		       struct yaml_node *node)
{
	node->key = level->key;
	level->key = NULL;
	if (!strcmp(node->key->text, "<<"))
		yaml_report(b->doc, node->key,
			    N_("merge keys ('<<') are not read"));
	else if (level->node->n >= YAML_KEYS_MAX)
		yaml_report(b->doc, node->key, N_("too many keys"));
	else if (!is_given(b, level, node->key))
		attach(level, node);
}

static void add(struct builder *b, struct yaml_node *node)
{
	struct level *level;

	if (b->depth == 0) {
		b->doc->root = node;
		return;
	}
	level = &b->level[b->depth - 1];
	if (!level->node)
		return;
	if (level->node->kind == YAML_LIST)
		attach(level, node);
	else if (!level->key)
		take_key(b, level, node);
	else
		take_value(b, level, node);
}

/* --- events --------------------------------------------------------------- */

/* "[" and "{"; others' tokens are empty, or a "-". */
static bool is_flow(const struct yaml_doc *doc, struct fy_token *token)
{
	const struct fy_mark *from = token ? fy_token_start_mark(token) : NULL;
	const struct fy_mark *to = token ? fy_token_end_mark(token) : NULL;

	return from && to && to->input_pos > from->input_pos &&
	       from->input_pos < doc->len &&
	       (doc->data[from->input_pos] == '[' ||
		doc->data[from->input_pos] == '{');
}

static void open_level(struct builder *b, enum yaml_kind kind,
		       struct fy_token *token)
{
	struct yaml_node *node = new_node(b, kind, token);

	if (!node)
		return;
	if (b->depth == YAML_DEPTH_MAX) {
		yaml_report(b->doc, node, N_("nested too deeply"));
		b->stop = true;
		return;
	}
	add(b, node);
	b->level[b->depth++] = (struct level){
		.node = node,
		.last = &node->first,
		.flow = is_flow(b->doc, token),
	};
}

/* Says what can't be used of a text. */
static void check_text(struct builder *b, struct yaml_node *node,
		       const char *text, size_t len)
{
	const char *end = text + len;
	size_t bytes;

	for (const char *at = text; at < end && !node->bad; at += bytes) {
		uint32_t c = char_at(at, end, &bytes);

		node->bad = char_is_hidden(c);
		if (c == '\n')
			yaml_report(b->doc, node,
				    N_("this must be on one line"));
		else if (node->bad)
			yaml_report(b->doc, node,
				    N_("an invisible character is not "
				       "allowed"));
	}
}

/* Takes the token's text, without a line's end behind, as blocks have. */
static bool set_text(struct builder *b, struct yaml_node *node,
		     struct fy_token *token)
{
	size_t len = 0;
	const char *text = token ? fy_token_get_text(token, &len) : "";
	char *copy = NULL;

	while (text && len > 0 && text[len - 1] == '\n')
		len--;
	if (text) {
		check_text(b, node, text, len);
		copy = strndup(text, len);
	}
	node->text = copy;
	if (!copy) {
		b->doc->no_memory = true;
		b->stop = true;
	}
	return copy != NULL;
}

static void take_scalar(struct builder *b, struct fy_token *token)
{
	struct yaml_node *node = new_node(b, YAML_SCALAR, token);

	if (!node || !set_text(b, node, token))
		return;
	node->empty = !token || (fy_token_scalar_style(token) == FYSS_PLAIN &&
				 (!*node->text || !strcmp(node->text, "~")));
	add(b, node);
}

/* A pattern without quotes, mostly: `names: [*.pst]`. */
static void take_alias(struct builder *b, struct fy_token *token)
{
	struct yaml_node *node = new_node(b, YAML_SCALAR, token);

	if (!node || !set_text(b, node, token))
		return;
	if (node->column > 1) { /* libfyaml's place is behind the star */
		node->column--;
		node->width++;
	}
	yaml_hint(b->doc, N_("write \"*%s\" with quotes"), node->text);
	yaml_report(b->doc, node,
		    N_("without quotes, '*' is an alias, which is not read"));
	node->bad = true;
	add(b, node);
}

static void refuse_marks(struct builder *b, struct fy_event *event)
{
	struct fy_token *anchor = fy_event_get_anchor_token(event);
	struct fy_token *tag = fy_event_get_tag_token(event);

	if (anchor)
		report_token(b->doc, anchor, N_("anchors ('&') are not read"));
	if (tag) {
		yaml_hint(b->doc, N_("put the value in quotes"));
		report_token(b->doc, tag, N_("tags ('!') are not read"));
	}
}

static void start_document(struct builder *b, struct fy_event *event)
{
	if (++b->documents < 2)
		return;
	report_token(b->doc, fy_event_get_token(event),
		     N_("a second document: only one is read"));
	b->stop = true;
}

static void take_event(struct builder *b, struct fy_event *event)
{
	struct fy_token *token = fy_event_get_token(event);

	refuse_marks(b, event);
	/* NOLINTNEXTLINE(clang-diagnostic-switch-enum): the others say nothing
	 */
	switch ((int)event->type) {
	case FYET_DOCUMENT_START:
		start_document(b, event);
		break;
	case FYET_SCALAR:
		take_scalar(b, token);
		break;
	case FYET_ALIAS:
		take_alias(b, token);
		break;
	case FYET_MAPPING_START:
		open_level(b, YAML_MAP, token);
		break;
	case FYET_SEQUENCE_START:
		open_level(b, YAML_LIST, token);
		break;
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END:
		b->depth--;
		break;
	default:
		break;
	}
}

/* What is still open is not all there; and the lines from the broken bracket
 * or value on are not to be complained about. */
static void cut(struct builder *b, unsigned int line)
{
	for (unsigned int i = 0; i < b->depth; i++) {
		struct yaml_node *node = b->level[i].node;

		if (!node)
			continue;
		node->cut = true;
		if (b->level[i].flow && node->line < line)
			line = node->line;
	}
	b->doc->cut_line = line;
}

/* A bracket opened in a line above is the likelier mistake. */
static bool say_open(struct builder *b, int line)
{
	const struct level *top = b->depth ? &b->level[b->depth - 1] : NULL;

	if (!top || !top->flow || line <= (int)top->node->line)
		return false;
	if (top->node->kind == YAML_LIST)
		yaml_report(b->doc, top->node, N_("this '[' is not closed"));
	else
		yaml_report(b->doc, top->node, N_("this '{' is not closed"));
	return true;
}

static void take_errors(struct builder *b, struct fy_diag *diag)
{
	static const struct fy_diag_error none = { .msg = "" };
	void *at = NULL;
	const struct fy_diag_error *error = fy_diag_errors_iterate(diag, &at);
	unsigned int before = b->doc->messages;

	if (!error)
		error = &none;
	if (!say_open(b, error->line))
		doc_syntax_error(b->doc, error->msg ? error->msg : "",
				 error->line, error->column);
	cut(b, b->doc->messages > before ? b->doc->message[before].line : 1);
}

static void run(struct builder *b, struct fy_parser *parser,
		struct fy_diag *diag)
{
	while (!b->stop) {
		struct fy_event *event = fy_parser_parse(parser);

		if (!event)
			break;
		take_event(b, event);
		fy_parser_event_free(parser, event);
	}
	if (b->stop)
		cut(b, UINT32_MAX);
	else if (fy_parser_get_stream_error(parser) || fy_diag_got_error(diag))
		take_errors(b, diag);
}

int doc_build(struct yaml_doc *doc, struct error *err)
{
	struct builder b = { .doc = doc };
	struct fy_diag_cfg how;
	struct fy_parse_cfg cfg = {
		.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG |
			 FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE |
			 FYPCF_DISABLE_MMAP_OPT,
	};
	struct fy_parser *parser;

	fy_diag_cfg_default(&how);
	how.fp = NULL;
	cfg.diag = fy_diag_create(&how);
	if (!cfg.diag)
		return error_set(err, -ENOMEM, "no memory");
	fy_diag_set_collect_errors(cfg.diag, true);
	parser = fy_parser_create(&cfg);
	if (parser && fy_parser_set_string(parser, doc->data, doc->len) == 0)
		run(&b, parser, cfg.diag);
	else
		doc->no_memory = true;
	fy_parser_destroy(parser);
	fy_diag_destroy(cfg.diag);
	return doc->no_memory ? error_set(err, -ENOMEM, "no memory") : 0;
}
