/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * report --mail: each department's report of a closed month to the addresses
 * that drive.yaml says, through the local sendmail. STATE/mail/YYYY-MM.V.ID is
 * there once version V was handed over.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/io.h"
#include "tools/daemon/reporting.h"
#include "tools/daemon/spawn.h"
#include "tools/daemon/trusted.h"
#include "tools/mail/mail.h"

#define DIRECTORY      "mail"
#define PROGRAM	       "/usr/sbin/sendmail"
#define TIMEOUT_MS     30000
#define MESSAGE_MAX    (32u << 20)
#define FILE_MAX_BYTES (8u << 20)
#define FILES_MAX      32
#define MARK_BYTES     160
#define NAME_OF_CITY   REPORT_CITY_FOLDER

/* One message on its way. */
struct sending {
	struct reporting *r;
	const struct report_input *in;
	const struct report_department *department; /* NULL: the city */
	char *const *to;
	int state; /* STATE/mail, locked */
	char *name[FILES_MAX];
	struct buf data[FILES_MAX];
	unsigned int files;
};

static const struct report_month *month_of(const struct sending *s)
{
	return &s->in->month[s->in->months - 1];
}

static const char *id_of(const struct sending *s)
{
	return s->department ? s->department->id : NAME_OF_CITY;
}

/* --- what was sent ---------------------------------------------------------
 */

static int open_state(int state_fd, struct error *err)
{
	cleanup_fd int fd = -1;
	int rc = io_mkdirat(state_fd, DIRECTORY, 0700);

	if (rc == 0)
		rc = io_fsync(state_fd);
	if (rc == 0 || rc == -EEXIST)
		fd = openat(state_fd, DIRECTORY,
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	else
		return error_set(err, rc, "cannot make '%s': %s", DIRECTORY,
				 error_words(rc));
	if (fd < 0 || flock(fd, LOCK_EX) < 0) {
		rc = -errno;
		return error_set(err, rc, "cannot open '%s': %s", DIRECTORY,
				 error_words(rc));
	}
	return take_fd(&fd);
}

static void mark_name(const struct sending *s, char name[MARK_BYTES])
{
	const struct report_month *m = month_of(s);

	(void)snprintf(name, MARK_BYTES, "%04d-%02d.%u.%s", m->month / 12,
		       m->month % 12 + 1, m->version, id_of(s));
}

static bool was_sent(const struct sending *s)
{
	char name[MARK_BYTES];

	mark_name(s, name);
	return faccessat(s->state, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int mark_sent(const struct sending *s, struct error *err)
{
	char name[MARK_BYTES];
	cleanup_fd int fd = -1;
	int rc = 0;

	mark_name(s, name);
	fd = io_openat_create(s->state, name, O_WRONLY, 0600);
	if (fd < 0)
		rc = fd;
	if (rc == 0)
		rc = io_fsync(fd);
	if (rc == 0)
		rc = io_fsync(s->state);
	return rc < 0 ? error_set(err, rc, "cannot write '%s': %s", name,
				  error_words(rc))
		      : 0;
}

/* --- the files -------------------------------------------------------------
 */

static void release_files(struct sending *s)
{
	for (unsigned int i = 0; i < s->files; i++) {
		free(s->name[i]);
		buf_release(&s->data[i]);
	}
	s->files = 0;
}

static int read_file(int dir, const char *name, struct buf *out)
{
	cleanup_fd int fd =
		openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	while (n > 0) {
		char part[65536];

		n = read(fd, part, sizeof(part));
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			(void)buf_put(out, part, (size_t)n);
	}
	return n < 0 ? -errno : buf_error(out);
}

static int wanted(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int take_file(struct sending *s, int dir, const char *name,
		     struct error *err)
{
	int rc;

	if (s->files == FILES_MAX)
		return error_set(err, -E2BIG, "too many files in a report");
	s->name[s->files] = strdup(name);
	buf_init(&s->data[s->files], FILE_MAX_BYTES);
	rc = s->name[s->files] ? read_file(dir, name, &s->data[s->files])
			       : -ENOMEM;
	s->files++;
	return rc < 0 ? error_set(err, rc, "cannot read '%s': %s", name,
				  error_words(rc))
		      : 0;
}

/* What was written for it, in the order of the names. */
static int take_files(struct sending *s, struct error *err)
{
	struct dirent **entries = NULL;
	char name[REPORT_NAME_BYTES] = NAME_OF_CITY;
	cleanup_free char *path = NULL;
	cleanup_fd int dir = -1;
	int rc = 0;
	int n;

	if (s->department)
		report_file_name(s->department, name);
	if (asprintf(&path, "%s/%s/%04d-%02d", s->r->request->out, name,
		     month_of(s)->month / 12,
		     month_of(s)->month % 12 + 1) < 0) {
		path = NULL;
		return error_set(err, -ENOMEM, "no memory for a message");
	}
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	n = dir < 0 ? -1 : scandirat(dir, ".", &entries, wanted, alphasort);
	if (n < 0) {
		rc = -errno;
		return error_set(err, rc, "cannot read '%s': %s", path,
				 error_words(rc));
	}
	for (int i = 0; i < n; i++) {
		if (rc == 0)
			rc = take_file(s, dir, entries[i]->d_name, err);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

static const char *type_of(const char *name)
{
	static const char *const types[][2] = {
		{ ".html", "text/html; charset=utf-8" },
		{ ".csv", "text/csv; charset=utf-8" },
		{ ".json", "application/json" },
	};
	const char *ending = strrchr(name, '.');

	for (size_t i = 0; ending && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(ending, types[i][0]))
			return types[i][1];
	return "application/octet-stream";
}

/* The page itself is not attached; -1: it is not there. */
static int page_of(const struct sending *s)
{
	char name[REPORT_NAME_BYTES + 8];
	char stem[REPORT_NAME_BYTES];

	report_file_name(s->department, stem);
	(void)snprintf(name, sizeof(name), "%s.html", stem);
	for (unsigned int i = 0; i < s->files; i++)
		if (!strcmp(s->name[i], name))
			return (int)i;
	return -1;
}

/* --- the message -----------------------------------------------------------
 */

static int write_message(const struct sending *s, const char *subject,
			 const char *text, struct buf *out, struct error *err)
{
	struct mail_file file[FILES_MAX];
	unsigned int files = 0;
	char mark[MARK_BYTES];
	char id[MARK_BYTES + UUID_TEXT_BYTES + 32];
	int page = page_of(s);
	struct mail mail = {
		.from = s->r->env->setup->config.mail_from,
		.to = s->to,
		.id = id,
		.lang = s->r->request->french && po_has(PO_FR) ? "fr" : "en",
		.subject = subject,
		.date_s = s->r->now_s,
		.text = text,
		.file = file,
	};

	if (page < 0)
		return error_set(err, -ENOENT,
				 "no page was written: --format "
				 "must have html");
	mark_name(s, mark);
	(void)snprintf(id, sizeof(id), "sobre.%s.%s.%lld", s->r->uuid, mark,
		       (long long)s->r->now_s);
	for (unsigned int i = 0; i < s->files; i++)
		if ((int)i != page)
			file[files++] = (struct mail_file){
				.name = s->name[i],
				.type = type_of(s->name[i]),
				.data = s->data[i].data,
				.len = s->data[i].len,
			};
	mail.files = files;
	mail.html = s->data[page].data;
	mail.html_len = s->data[page].len;
	return mail_write(&mail, out, err);
}

static int hand_over(const struct sending *s, const struct buf *message,
		     struct error *err)
{
	const char *program = s->r->env->setup->config.mail_program;
	cleanup_free char *path = strdup(program ? program : PROGRAM);
	char minus_t[] = "-t";
	char minus_i[] = "-i";
	char *const argv[] = { path, minus_t, minus_i, NULL };
	cleanup_free char *output = malloc(SPAWN_OUTPUT_MAX + 1);
	cleanup_fd int fd = memfd_create("sobre-mail", MFD_CLOEXEC);
	const struct spawn spawn = { .argv = argv,
				     .input_fd = fd,
				     .written_max = UINT64_C(2) * MESSAGE_MAX,
				     .timeout_ms = TIMEOUT_MS,
				     .stop_fd = -1 };
	size_t done = 0;

	if (!path || !output || fd < 0)
		return error_set(err, -ENOMEM, "no memory for a message");
	while (done < message->len) {
		ssize_t n =
			write(fd, message->data + done, message->len - done);

		if (n < 0)
			return error_set(err, -errno,
					 "no memory for a message");
		done += (size_t)n;
	}
	if (lseek(fd, 0, SEEK_SET) < 0)
		return error_set(err, -errno, "no memory for a message");
	return spawn_read(&spawn, output, err);
}

static int send_one(struct sending *s, struct error *err)
{
	cleanup_free char *subject = NULL;
	cleanup_free char *text = NULL;
	cleanup_buf struct buf message;
	int rc = take_files(s, err);

	buf_init(&message, MESSAGE_MAX);
	if (rc == 0)
		rc = report_letter(s->in, s->department,
				   s->r->request->french ? PO_FR : PO_EN,
				   &subject, &text, err);
	if (rc == 0)
		rc = write_message(s, subject, text, &message, err);
	if (rc == 0)
		rc = hand_over(s, &message, err);
	release_files(s);
	return rc < 0 ? rc : mark_sent(s, err);
}

/* --- all of them -----------------------------------------------------------
 */

static void tell(struct reporting *r, const char *name, char *const *to,
		 bool before, const struct error *err)
{
	json_t *list = json_array();
	json_t *one = json_pack("{s:s, s:b, s:o}", "department", name, "before",
				before, "to", list);

	for (; one && to && *to; to++)
		(void)json_array_append_new(list, json_string(*to));
	if (one && err->code < 0)
		(void)json_object_set_new(one, "error",
					  json_from_name(err->text));
	(void)json_array_append_new(r->mails, one);
}

static char *const *addresses(const struct config *config,
			      const struct report_department *d)
{
	if (!d)
		return config->mail_to;
	for (unsigned int i = 0; i < config->departments; i++)
		if (!strcmp(config->department[i].id, d->id))
			return config->department[i].mail;
	return NULL;
}

static bool stopping(const struct command_env *env)
{
	return env->stop && __atomic_load_n(env->stop, __ATOMIC_ACQUIRE);
}

/* False: it would be of no use to go on. */
static bool send_or_tell(struct sending *s)
{
	struct error err = ERROR_INIT;
	bool before = !s->r->request->again && was_sent(s);

	if (!before && stopping(s->r->env))
		(void)error_set(&err, -ECANCELED, "interrupted");
	else if (!before)
		(void)send_one(s, &err);
	tell(s->r, id_of(s), s->to, before, &err);
	return err.code != -ETIMEDOUT && err.code != -ECANCELED;
}

static void send_all(struct reporting *r, const struct report_input *in,
		     int state)
{
	const struct config *config = &r->env->setup->config;
	const struct error untried = { .code = -EIO,
				       .text = "not tried after that" };
	bool useful = true;

	for (unsigned int i = 0; i <= in->departments; i++) {
		const struct report_department *d =
			i < in->departments ? &in->department[i] : NULL;
		struct sending s = { .r = r,
				     .in = in,
				     .department = d,
				     .to = addresses(config, d),
				     .state = state };

		if (!s.to || !s.to[0])
			continue;
		if (useful)
			useful = send_or_tell(&s);
		else
			tell(r, id_of(&s), s.to, false, &untried);
	}
}

void mailing_run(struct reporting *r, const struct report_input *in)
{
	const struct report_month *m = &in->month[in->months - 1];
	const struct config *config = &r->env->setup->config;
	struct error err = ERROR_INIT;
	cleanup_fd int state = -1;

	if (!config->mail_from)
		return;
	if (m->version == 0)
		(void)error_set(&err, -EINVAL,
				"%04d-%02d is not closed: only closed months "
				"are sent",
				m->month / 12, m->month % 12 + 1);
	else if (!config->mail_program || trusted_file(config->file, &err) == 0)
		state = open_state(drive_state_fd(r->env->drive), &err);
	if (err.code < 0)
		tell(r, NAME_OF_CITY, NULL, false, &err);
	else
		send_all(r, in, state);
}
