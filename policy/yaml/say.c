/* SPDX-License-Identifier: EUPL-1.2 */
/* The words of messages, and where they go. */
#include <stdlib.h>
#include <string.h>

#include "policy/yaml/internal.h"

#define TEXT_MAX     65536 /* of a message */
#define ARGUMENT_MAX 60	   /* characters of a text in it */

void yaml_diag_init(struct yaml_diag *diag, const struct yaml_messages *to)
{
	*diag = (struct yaml_diag){ .to = to };
}

/*
 * Not vsnprintf: the texts come from files, so each is cut and shown by
 * itself, and the words around it stay whole.
 */
void put_format(struct buf *out, const struct yaml_diag *diag,
		const char *msgid, va_list args)
{
	/* NOLINTBEGIN(clang-analyzer-valist.Uninitialized): callers start it */
	const char *at =
		diag->to->translate ? diag->to->translate(msgid) : msgid;

	for (; *at; at++) {
		if (*at != '%') {
			(void)buf_put_u8(out, (uint8_t)*at);
			continue;
		}
		at++;
		if (*at == 's') {
			const char *text = va_arg(args, const char *);

			put_shown(out, text, strlen(text), ARGUMENT_MAX);
		} else if (*at == 'u') {
			(void)buf_printf(out, "%u", va_arg(args, unsigned int));
		} else if (*at == '%') {
			(void)buf_put_u8(out, '%');
		} else {
			return; /* not ours */
		}
	}
	/* NOLINTEND(clang-analyzer-valist.Uninitialized) */
}

static void send(const struct yaml_diag *diag, struct buf *text)
{
	if (buf_put_u8(text, '\0') == 0 && diag->to->say)
		diag->to->say(diag->to->ctx, (const char *)text->data);
}

static void say_of(struct yaml_diag *diag, const char *name, const char *msgid,
		   va_list args)
{
	cleanup_buf struct buf text;

	buf_init(&text, TEXT_MAX);
	put_shown(&text, name, strlen(name), SIZE_MAX);
	(void)buf_put_str(&text, ": ");
	put_format(&text, diag, msgid, args);
	(void)buf_put_u8(&text, '\n');
	send(diag, &text);
}

void yaml_say(struct yaml_diag *diag, const char *name, const char *msgid, ...)
{
	va_list args;

	if (diag->said >= YAML_MESSAGES_MAX) {
		diag->left_out++;
		return;
	}
	diag->said++;
	va_start(args, msgid);
	say_of(diag, name, msgid, args);
	va_end(args);
}

void yaml_note(struct yaml_diag *diag, const char *name, const char *msgid, ...)
{
	va_list args;

	va_start(args, msgid);
	say_of(diag, name, msgid, args);
	va_end(args);
}

static void put_words(struct buf *out, const struct yaml_diag *diag,
		      const char *msgid, ...)
{
	va_list args;

	va_start(args, msgid);
	put_format(out, diag, msgid, args);
	va_end(args);
}

void yaml_diag_finish(struct yaml_diag *diag)
{
	cleanup_buf struct buf text;

	buf_init(&text, TEXT_MAX);
	if (diag->left_out == 0)
		return;
	put_words(&text, diag, N_("and %u more that are not shown"),
		  diag->left_out);
	(void)buf_put_u8(&text, '\n');
	send(diag, &text);
}
