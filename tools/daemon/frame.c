/* SPDX-License-Identifier: EUPL-1.2 */
/* Frames (docs/design/control.md) and the errors that replies carry. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "tools/daemon/protocol.h"

static int send_all(int sock, const uint8_t *at, size_t len)
{
	while (len > 0) {
		ssize_t n = send(sock, at, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int frame_send(int sock, const json_t *value, struct error *err)
{
	size_t len = json_dumpb(value, NULL, 0, JSON_COMPACT);
	cleanup_free uint8_t *frame = NULL;
	int rc;

	if (len == 0 || len > FRAME_MAX_BYTES)
		return error_set(err, -EFBIG,
				 "a message of %zu bytes is too long", len);
	frame = malloc(len + 4);
	if (!frame)
		return error_set(err, -ENOMEM, "no memory for a message");
	for (int i = 0; i < 4; i++)
		frame[i] = (uint8_t)(len >> (8 * i));
	if (json_dumpb(value, (char *)frame + 4, len, JSON_COMPACT) != len)
		return error_set(err, -EIO, "cannot write a message");
	rc = send_all(sock, frame, len + 4);
	if (rc < 0)
		return error_set(err, rc, "cannot send a message: %s",
				 strerrordesc_np(-rc));
	return 0;
}

/* Bytes received: less than `len` when the peer closed; or negative. */
static ssize_t receive_all(int sock, uint8_t *at, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = recv(sock, at + done, len - done, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static int receive_failed(ssize_t rc, struct error *err)
{
	if (rc >= 0)
		return error_set(err, -EPROTO, "a message is cut short");
	return error_set(err, (int)rc, "cannot receive a message: %s",
			 strerrordesc_np((int)-rc));
}

int frame_receive(int sock, json_t **ret_value, struct error *err)
{
	cleanup_free uint8_t *data = NULL;
	json_error_t at;
	uint8_t head[4];
	size_t len;
	ssize_t n = receive_all(sock, head, 4);

	if (n == 0)
		return 0;
	if (n != 4)
		return receive_failed(n, err);
	len = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 |
	      (size_t)head[3] << 24;
	if (len == 0 || len > FRAME_MAX_BYTES)
		return error_set(err, -EFBIG,
				 "a message of %zu bytes: at most %u", len,
				 FRAME_MAX_BYTES);
	data = malloc(len);
	if (!data)
		return error_set(err, -ENOMEM, "no memory for a message");
	n = receive_all(sock, data, len);
	if (n < 0 || (size_t)n != len)
		return receive_failed(n, err);
	*ret_value = json_loadb((const char *)data, len, JSON_REJECT_DUPLICATES,
				&at);
	if (!*ret_value)
		return error_set(err, -EPROTO, "not JSON: %s", at.text);
	return 1;
}

static const char *const sobre_names[] = {
#define X(name, errno_value, text) [SOBRE_##name - SOBRE_ERRCODE_START] = #name,
#include "fs/base/errcode.def"
#undef X
};
#define SOBRE_NAMES (int)(sizeof(sobre_names) / sizeof(sobre_names[0]))

const char *errcode_name(int code)
{
	const char *name = NULL;
	int sobre = -code - SOBRE_ERRCODE_START;

	if (sobre > 0 && sobre < SOBRE_NAMES)
		name = sobre_names[sobre];
	else if (code < 0 && sobre <= 0)
		name = strerrorname_np(-code);
	return name ? name : "EIO";
}

int errcode_from_name(const char *name)
{
	for (int i = 1; i < SOBRE_NAMES; i++)
		if (sobre_names[i] && !strcmp(name, sobre_names[i]))
			return -(SOBRE_ERRCODE_START + i);
	for (int i = 1; i < 256; i++) {
		const char *known = strerrorname_np(i);

		if (known && !strcmp(name, known))
			return -i;
	}
	return -EIO;
}

json_t *reply_from_error(const struct error *err)
{
	/* A text that quotes a name may not be UTF-8. */
	return json_pack("{s:{s:s, s:o}}", "error", "code",
			 errcode_name(err->code), "text",
			 json_from_name(err->text));
}

int reply_to_error(const json_t *error, struct error *err)
{
	const char *name = json_string_value(json_object_get(error, "code"));
	struct error ignored = ERROR_INIT;
	cleanup_free char *text = NULL;

	if (json_to_name(json_object_get(error, "text"), ERROR_TEXT_MAX, &text,
			 &ignored) < 0)
		return error_set(err, -EPROTO,
				 "the daemon's answer makes no "
				 "sense");
	return error_set(err, errcode_from_name(name ? name : ""), "%s", text);
}
