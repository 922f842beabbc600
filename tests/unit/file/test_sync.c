/* SPDX-License-Identifier: EUPL-1.2 */
/* fsync of one file by several opens; the seam's two syncs are wrapped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>

#include "fs/base/io.h"
#include "fs/file/internal.h"
#include "tests/support/tmpdrive.h"

/* As the kernel: who asks first through a description is told, then no one. */
static struct {
	atomic_int pending; /* what the next sync returns */
	atomic_int n_data;
	atomic_int n_whole;
	atomic_bool slow;
	sem_t entered;
	sem_t go_on;
} fake;

int __real_io_fsync(int fd);
int __real_io_fdatasync(int fd);
int __wrap_io_fsync(int fd);
int __wrap_io_fdatasync(int fd);

static int fake_sync(void)
{
	int rc = atomic_exchange(&fake.pending, 0);

	if (atomic_load(&fake.slow)) {
		(void)sem_post(&fake.entered);
		(void)sem_wait(&fake.go_on);
	}
	return rc;
}

int __wrap_io_fsync(int fd)
{
	int rc = fake_sync();

	atomic_fetch_add(&fake.n_whole, 1);
	return rc < 0 ? rc : __real_io_fsync(fd);
}

int __wrap_io_fdatasync(int fd)
{
	int rc = fake_sync();

	atomic_fetch_add(&fake.n_data, 1);
	return rc < 0 ? rc : __real_io_fdatasync(fd);
}

/* One open(2). */
struct open_of {
	struct file *file;
	uint64_t told;
	int flags;
	int rc; /* of a sync in a thread */
};

static int setup(void **state)
{
	static struct tmpdrive t;

	tmpdrive_open(&t);
	tmpdrive_write(&t, "a", 5000, 1);
	atomic_store(&fake.pending, 0);
	atomic_store(&fake.slow, false);
	(void)sem_init(&fake.entered, 0, 0);
	(void)sem_init(&fake.go_on, 0, 0);
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	tmpdrive_remove(*state);
	(void)sem_destroy(&fake.entered);
	(void)sem_destroy(&fake.go_on);
	return 0;
}

static struct open_of open_it(struct tmpdrive *t, int flags)
{
	struct open_of o = { .flags = flags };
	bool packed;

	o.file = tmpdrive_file(t, "a", flags, &packed);
	o.told = file_sync_failures(o.file);
	return o;
}

static int sync_it(struct open_of *o, bool data_only)
{
	struct error err = ERROR_INIT;

	return file_fsync(o->file, -1, &o->told, data_only, &err);
}

static void a_failed_sync_is_told_once_to_each_open(void **state)
{
	struct open_of a = open_it(*state, O_RDWR);
	struct open_of b = open_it(*state, O_WRONLY);
	struct open_of r = open_it(*state, O_RDONLY);

	for (int data_only = 0; data_only < 2; data_only++) {
		atomic_store(&fake.pending, -EIO);
		assert_int_equal(sync_it(&a, data_only), -EIO);
		assert_int_equal(sync_it(&a, data_only), 0);
		assert_int_equal(sync_it(&b, data_only), -EIO);
		assert_int_equal(sync_it(&r, !data_only), -EIO);
		assert_int_equal(sync_it(&b, data_only), 0);
		assert_int_equal(sync_it(&r, data_only), 0);
		assert_int_equal(sync_it(&a, data_only), 0);
	}
	file_close(a.file, a.flags);
	file_close(b.file, b.flags);
	file_close(r.file, r.flags);
}

static void an_open_after_it_was_told_is_not_told(void **state)
{
	struct open_of a = open_it(*state, O_RDWR);
	struct open_of b;

	atomic_store(&fake.pending, -ENOSPC);
	assert_int_equal(sync_it(&a, true), -ENOSPC);
	b = open_it(*state, O_RDWR);
	assert_int_equal(sync_it(&b, true), 0);
	file_close(a.file, a.flags);
	file_close(b.file, b.flags);
}

/* What somebody else is told of before our first fsync, as the packer, who
 * looked before this writer came. */
static void a_writer_has_its_description_before_its_first_sync(void **state)
{
	struct open_of r = open_it(*state, O_RDONLY);
	struct open_of w;

	assert_int_equal(r.file->wfd, -1);
	w = open_it(*state, O_WRONLY);
	assert_true(w.file->wfd >= 0);
	file_close(w.file, w.flags);
	assert_true(r.file->wfd >= 0); /* an error may still come */
	file_close(r.file, r.flags);
}

static void a_new_file_has_it_too(void **state)
{
	struct tmpdrive *t = *state;
	struct error err = ERROR_INIT;
	struct lower_ref at = { .handle = NULL };
	struct file *file;
	struct stat st;
	int none = -1;

	at.fd = tmpdrive_opath(t, "a");
	assert_int_equal(lower_stat(at.fd, &st, &at.btime_ns), 0);
	at.ino = st.st_ino;
	assert_int_equal(
		file_open_new(t->drive, &at, O_WRONLY, &none, &file, &err), 0);
	assert_true(file->wfd >= 0);
	file_close(file, O_WRONLY);
	(void)close(at.fd);
}

static void *sync_thread(void *arg)
{
	struct open_of *o = arg;

	o->rc = sync_it(o, false);
	return NULL;
}

static void wait_for_tickets(struct file *file, uint64_t asked)
{
	for (bool there = false; !there;) {
		(void)pthread_mutex_lock(&file->sync.lock);
		there = file->sync.asked == asked;
		(void)pthread_mutex_unlock(&file->sync.lock);
		(void)usleep(1000);
	}
}

/* The kernel would tell one of two that run side by side. */
static void syncs_beside_a_failing_one_are_told(void **state)
{
	struct open_of o[4];
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		o[i] = open_it(*state, O_RDWR);
	atomic_store(&fake.n_whole, 0);
	atomic_store(&fake.slow, true);
	atomic_store(&fake.pending, -EIO);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(
			pthread_create(&thread[i], NULL, sync_thread, &o[i]),
			0);
		if (i == 0)
			(void)sem_wait(&fake.entered);
	}
	wait_for_tickets(o[0].file, 4);
	(void)usleep(20000);
	assert_int_equal(sem_trywait(&fake.entered), -1); /* no second one */
	atomic_store(&fake.slow, false);
	(void)sem_post(&fake.go_on);
	for (int i = 0; i < 4; i++) {
		(void)pthread_join(thread[i], NULL);
		assert_int_equal(o[i].rc, -EIO);
		assert_int_equal(sync_it(&o[i], true), 0);
	}
	/* those who waited shared one */
	assert_int_equal(atomic_load(&fake.n_whole), 2);
	for (int i = 0; i < 4; i++)
		file_close(o[i].file, o[i].flags);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_failed_sync_is_told_once_to_each_open),
		T(an_open_after_it_was_told_is_not_told),
		T(a_writer_has_its_description_before_its_first_sync),
		T(a_new_file_has_it_too),
		T(syncs_beside_a_failing_one_are_told),
	};

	if (!tmpdrive_possible())
		return 77; /* ctest: skipped */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
