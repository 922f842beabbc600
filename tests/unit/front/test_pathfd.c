/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/front/fixture.h"

#define MORE_THAN_FIT (FD_CACHE_MAX + 200)

static void file_name(char buf[32], unsigned int i)
{
	(void)snprintf(buf, 32, "f%u", i);
}

static void learn_many(struct fixture *f, unsigned int n)
{
	char name[32];

	for (unsigned int i = 0; i < n; i++) {
		file_name(name, i);
		(void)fixture_file(f, name);
	}
}

static uint64_t ino_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static void the_cache_never_holds_more_than_its_limit(void **state)
{
	struct fixture *f = *state;

	learn_many(f, MORE_THAN_FIT);
	assert_int_equal(f->front.n_inodes, MORE_THAN_FIT);
	assert_int_equal(f->front.n_fds, FD_CACHE_MAX);
}

static void an_evicted_one_is_opened_by_handle_again(void **state)
{
	struct fixture *f = *state;
	struct path_fd *pfd = NULL;
	struct inode *inode = fixture_file(f, "first");

	learn_many(f, MORE_THAN_FIT);
	assert_null(inode->path_fd);
	assert_int_equal(path_fd_get(&f->front, inode, &pfd), 0);
	assert_int_equal(ino_of(pfd->fd), inode->ino);
	path_fd_put(&f->front, pfd);
	assert_int_equal(f->front.n_fds, FD_CACHE_MAX);
}

static void one_in_use_is_never_closed(void **state)
{
	struct fixture *f = *state;
	struct path_fd *pfd = NULL;
	struct inode *inode = fixture_file(f, "used");

	assert_int_equal(path_fd_get(&f->front, inode, &pfd), 0);
	int fd = pfd->fd;

	learn_many(f, MORE_THAN_FIT);
	assert_ptr_equal(inode->path_fd, pfd);
	assert_int_equal(ino_of(fd), inode->ino);
	path_fd_put(&f->front, pfd);
}

static void a_forgotten_inode_is_closed_by_its_last_user(void **state)
{
	struct fixture *f = *state;
	struct path_fd *pfd = NULL;
	struct inode *inode = fixture_file(f, "gone");
	uint64_t ino = inode->ino;

	assert_int_equal(path_fd_get(&f->front, inode, &pfd), 0);
	inode_forget(&f->front, ino, 1);
	assert_int_equal(f->front.n_inodes, 0);
	int fd = pfd->fd;

	assert_int_equal(ino_of(fd), ino);
	path_fd_put(&f->front, pfd);
	assert_int_equal(f->front.n_fds, 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void two_users_share_one(void **state)
{
	struct fixture *f = *state;
	struct path_fd *a = NULL;
	struct path_fd *b = NULL;
	struct inode *inode = fixture_file(f, "shared");

	assert_int_equal(path_fd_get(&f->front, inode, &a), 0);
	assert_int_equal(path_fd_get(&f->front, inode, &b), 0);
	assert_ptr_equal(a, b);
	assert_int_equal(f->front.n_idle_fds, 0);
	path_fd_put(&f->front, a);
	assert_int_equal(f->front.n_idle_fds, 0);
	path_fd_put(&f->front, b);
	assert_int_equal(f->front.n_idle_fds, 1);
}

static void a_removed_file_is_stale(void **state)
{
	struct fixture *f = *state;
	struct path_fd *pfd = NULL;
	struct inode *inode = fixture_file(f, "stale");

	learn_many(f, MORE_THAN_FIT); /* pushes its descriptor out */
	assert_int_equal(unlinkat(f->fd, "stale", 0), 0);
	assert_int_equal(path_fd_get(&f->front, inode, &pfd), -ESTALE);
}

/* Somebody's cwd, or an O_PATH descriptor of theirs. */
static void a_dead_inode_is_reached_until_it_is_forgotten(void **state)
{
	struct fixture *f = *state;
	struct path_fd *pfd = NULL;
	struct inode *inode = fixture_file(f, "dead");
	uint64_t ino = inode->ino;
	int fd = lower_open_child(f->fd, "dead");

	assert_int_equal(unlinkat(f->fd, "dead", 0), 0);
	inode_dead(&f->front, ino, &fd);
	close_at(&fd);
	learn_many(f, MORE_THAN_FIT);
	assert_int_equal(path_fd_get(&f->front, inode, &pfd), 0);
	assert_int_equal(ino_of(pfd->fd), ino);
	fd = pfd->fd;
	path_fd_put(&f->front, pfd);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	inode_forget(&f->front, ino, 1);
	assert_null(inode_find(&f->front, ino));
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

int main(void)
{
#define T(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(the_cache_never_holds_more_than_its_limit),
		T(an_evicted_one_is_opened_by_handle_again),
		T(one_in_use_is_never_closed),
		T(a_forgotten_inode_is_closed_by_its_last_user),
		T(two_users_share_one),
		T(a_removed_file_is_stale),
		T(a_dead_inode_is_reached_until_it_is_forgotten),
	};

	if (!fixture_possible())
		return 77; /* ctest: skipped */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
