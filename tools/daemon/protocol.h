/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_DAEMON_PROTOCOL_H
#define SOBREFS_DAEMON_PROTOCOL_H

/*
 * What `sobre` and the daemon of a mounted drive say to each other over
 * /run/sobre/<uuid>/control.sock: docs/design/control.md. One request a
 * connection; frames of JSON. Bytes read are hostile, whoever sent them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "fs/base/cleanup.h"
#include "fs/base/error.h"

#define PROTOCOL_SCHEMA	  1
#define FRAME_MAX_BYTES	  (1u << 20)
#define REQUEST_PATHS_MAX 10000
#define REQUEST_PATH_MAX  4096 /* bytes, NUL included */

static inline void json_decref_at(json_t **at)
{
	json_decref(*at);
}
#define cleanup_json __attribute__((cleanup(json_decref_at)))

/* --- frames ------------------------------------------------------------ */

/* -EFBIG when it is too long: nothing was sent then. */
int frame_send(int sock, const json_t *value, struct error *err);
/* 1: a value, to be json_decref()ed; 0: the peer closed between frames;
 * negative: -EPROTO, -EFBIG, -ETIMEDOUT, errno of recv(2). */
int frame_receive(int sock, json_t **ret_value, struct error *err);

/* --- names ------------------------------------------------------------- */

/* A file name or path as JSON: a string when it is UTF-8, else an array of
 * its bytes. New reference; NULL without memory. */
json_t *json_from_name(const char *name);
/* The other way; the text is the caller's. -EPROTO when it is neither, or
 * has a NUL or more than `max` bytes with its NUL. */
int json_to_name(const json_t *value, size_t max, char **ret_name,
		 struct error *err);

/* --- requests ---------------------------------------------------------- */

enum request_command {
	REQUEST_STATUS,
	REQUEST_EXPLAIN,
	REQUEST_PACK,
	REQUEST_UNPACK,
	REQUEST_FSCK,
	REQUEST_GC,
	REQUEST_SCRUB,
	REQUEST_ACCEPT,
	REQUEST_DU,
	REQUEST_PLAN,
	REQUEST_REPORT,
	REQUEST_MONTH,
	REQUEST_COMMANDS,
};
const char *request_command_name(enum request_command command);

struct request {
	enum request_command command;
	char **paths; /* from the drive's root: "a/b", "" for the root */
	size_t n_paths;
	bool now;	      /* pack */
	bool rebuild;	      /* fsck */
	int64_t grace_s;      /* gc */
	char *way;	      /* accept */
	char *policies;	      /* plan, report: absolute; NULL: those in force */
	char *rule;	      /* plan: only this one; NULL: all */
	char *department;     /* report: only this one; NULL: all */
	char *out;	      /* report: the directory to write, absolute */
	char *reason;	      /* month: of a correction; NULL: none */
	int32_t month;	      /* report, month: 12 * year + month - 1; of month
				 0: all that are due */
	int32_t as_of_day;    /* plan: days since 1970, of the years 1 to 9999;
				 INT32_MIN: today */
	unsigned int formats; /* report: of enum report_format */
	bool french;	      /* report, reasons; else English */
	int32_t year;	      /* report: of a year; 0: of a month */
	int32_t charter;      /* report: of this year, not of a month; 0 */
	bool mail;	      /* report: send it; once each version */
	bool again;	      /* report: what was sent, too */
	bool apart;	      /* report: a directory for each department */
	bool masked;	      /* report: by this umask, not the daemon's */
	unsigned int mask;
};

/* Checks every type and bound; unknown keys are left alone. -EPROTO. */
int request_decode(const json_t *value, struct request *ret_request,
		   struct error *err);
/* The same from the bytes of a frame. */
int request_parse(const void *data, size_t len, struct request *ret_request,
		  struct error *err);
/* NULL without memory. */
json_t *request_encode(const struct request *request);
void request_release(struct request *request);
static inline void request_release_at(struct request *request)
{
	request_release(request);
}
#define cleanup_request __attribute__((cleanup(request_release_at)))
/* Copies `path` behind the others. -ENOMEM. */
int request_add_path(struct request *request, const char *path,
		     struct error *err);

/* --- replies ----------------------------------------------------------- */

/* {"error":{"code":…,"text":…}}; NULL without memory. */
json_t *reply_from_error(const struct error *err);
/* Fills `err` from such a reply's inside. Returns its negative code, which
 * is never 0. */
int reply_to_error(const json_t *error, struct error *err);
/* "ENOSPC", "ECORRUPT"; "EIO" for what has no name. */
const char *errcode_name(int code);
/* -EIO for a name that isn't known. */
int errcode_from_name(const char *name);

#endif
