/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/front/fixture.h"

#define MORE_THAN_FIT (BACKING_CACHE_MAX + 50)

/* What the kernel would know. */
static struct {
	bool refuses;
	int last;   /* the last id given */
	int n_open; /* registered, not closed */
	int closed; /* the last one closed */
} kernel;

int __wrap_accel_backing_open(fuse_req_t req, int fd);
void __wrap_accel_backing_close(const struct front *front, int id);

int __wrap_accel_backing_open(fuse_req_t req, int fd)
{
	(void)req;
	(void)fd;
	if (kernel.refuses)
		return 0;
	kernel.n_open++;
	return ++kernel.last;
}

void __wrap_accel_backing_close(const struct front *front, int id)
{
	(void)front;
	if (id <= 0)
		return;
	kernel.n_open--;
	kernel.closed = id;
}

static int setup(void **state)
{
	memset(&kernel, 0, sizeof(kernel));
	return fixture_setup(state);
}

static struct inode *learn(struct fixture *f, uint64_t ino)
{
	const struct lower_handle handle = handle_of(ino, 8);

	return fixture_learn(f, ino, &handle);
}

static int make(struct fixture *f, struct inode *inode)
{
	return backing_make(&f->front, NULL, inode, -1);
}

static void an_id_is_kept_for_the_next_open(void **state)
{
	struct fixture *f = *state;
	struct inode *inode = learn(f, 100);
	int id;

	assert_int_equal(backing_take(&f->front, inode), 0);
	id = make(f, inode);
	assert_true(id > 0);
	backing_give(&f->front, inode);
	assert_true(backing_is_kept(&f->front, inode));
	assert_int_equal(backing_take(&f->front, inode), id);
	backing_give(&f->front, inode);
	assert_int_equal(kernel.n_open, 1);
}

static void there_are_never_more_idle_ones_than_the_limit(void **state)
{
	struct fixture *f = *state;
	struct inode *first = learn(f, 100);
	struct inode *used = learn(f, 101);

	assert_int_equal(make(f, first), 1);
	backing_give(&f->front, first);
	assert_int_equal(make(f, used), 2);
	for (uint64_t ino = 1000; ino < 1000 + MORE_THAN_FIT; ino++) {
		struct inode *inode = learn(f, ino);

		assert_true(make(f, inode) > 0);
		backing_give(&f->front, inode);
	}
	assert_int_equal(f->front.n_idle_backings, BACKING_CACHE_MAX);
	assert_int_equal(kernel.n_open, BACKING_CACHE_MAX + 1);
	assert_false(backing_is_kept(&f->front, first)); /* the oldest */
	assert_true(backing_is_kept(&f->front, used));
}

static void what_is_forgotten_is_closed(void **state)
{
	struct fixture *f = *state;
	struct inode *inode = learn(f, 100);
	int id = make(f, inode);

	backing_give(&f->front, inode);
	inode_forget(&f->front, 100, 1);
	assert_int_equal(kernel.closed, id);
	assert_int_equal(kernel.n_open, 0);
	assert_int_equal(f->front.n_idle_backings, 0);
}

static void a_number_used_again_has_no_id(void **state)
{
	const struct lower_handle other = handle_of(7, 8);
	struct fixture *f = *state;
	struct inode *inode = learn(f, 100);

	assert_true(make(f, inode) > 0);
	backing_give(&f->front, inode);
	assert_ptr_equal(fixture_learn(f, 100, &other), inode);
	assert_int_equal(backing_take(&f->front, inode), 0);
	assert_int_equal(kernel.n_open, 0);
}

static void what_is_idle_for_long_is_closed(void **state)
{
	struct fixture *f = *state;
	struct inode *old = learn(f, 100);
	struct inode *young = learn(f, 101);
	struct inode *used = learn(f, 102);

	assert_true(make(f, used) > 0);
	assert_true(make(f, old) > 0);
	backing_give(&f->front, old);
	f->front.ticks++;
	assert_true(make(f, young) > 0);
	backing_give(&f->front, young);
	assert_false(backing_expire(&f->front, 2));
	f->front.ticks++;
	assert_true(backing_expire(&f->front, 2));
	assert_false(backing_expire(&f->front, 2));
	assert_false(backing_is_kept(&f->front, old));
	assert_true(backing_is_kept(&f->front, young));
	assert_int_equal(kernel.n_open, 2);
	assert_true(backing_expire(&f->front, 0));
	assert_false(backing_expire(&f->front, 0));
	assert_true(backing_is_kept(&f->front, used));
}

static void a_refusal_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct inode *inode = learn(f, 100);

	kernel.refuses = true;
	assert_int_equal(make(f, inode), 0);
	assert_false(backing_is_kept(&f->front, inode));
	backing_give(&f->front, inode);
	assert_int_equal(f->front.n_idle_backings, 0);
}

int main(void)
{
#define WITH_FRONT(test) \
	cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		WITH_FRONT(an_id_is_kept_for_the_next_open),
		WITH_FRONT(there_are_never_more_idle_ones_than_the_limit),
		WITH_FRONT(what_is_forgotten_is_closed),
		WITH_FRONT(a_number_used_again_has_no_id),
		WITH_FRONT(what_is_idle_for_long_is_closed),
		WITH_FRONT(a_refusal_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
