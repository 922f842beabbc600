/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Random lives of a small drive against a model that knows nothing of charges:
 * at every step it looks at all files afresh, by their whole paths, and adds
 * what they hold to the days it was held on. And the same with a process that
 * is killed at any moment.
 */
#include <signal.h>
#include <sys/wait.h>

#include "tests/unit/ledger/support.h"

#define FIRST_INO  100
#define INODES	   60
#define NAMES	   3
#define DAYS	   70 /* three months */
#define DAY	   (24 * HOUR)
#define MODEL_SETS 64
#define STEPS	   400

struct model_name {
	uint64_t parent; /* 0: none */
	char name[12];
};

struct model_inode {
	bool live;
	bool dir;
	struct catalog_inode row;
	struct model_name name[NAMES];
	struct dept_set kept; /* of one without a name */
};

struct model_held {
	struct dept_set set;
	uint64_t bytes[TIERS];
	uint128 day[DAYS][TIERS];
};

struct model {
	struct world *w;
	uint64_t seed;
	struct model_inode inode[INODES];
	struct model_held held[MODEL_SETS];
	unsigned int sets;
	unsigned int made; /* makes names differ */
};

static uint32_t draw(struct model *m, uint32_t below)
{
	m->seed ^= m->seed << 13;
	m->seed ^= m->seed >> 7;
	m->seed ^= m->seed << 17;
	return (uint32_t)(m->seed >> 20) % below;
}

/* --- the model's own way to tell whose a file is ------------------------- */

static bool model_path(struct model *m, uint64_t parent, const char *name,
		       char *ret_path, size_t len, unsigned int depth)
{
	char above[400] = "";

	if (depth > 30)
		return false;
	if (parent != ROOT_INO) {
		const struct model_inode *dir = &m->inode[parent - FIRST_INO];

		if (!model_path(m, dir->name[0].parent, dir->name[0].name,
				above, sizeof(above), depth + 1))
			return false;
	}
	(void)snprintf(ret_path, len, "%s/%s", above, name);
	return true;
}

static uint16_t model_department(struct model *m, const char *path,
				 uint32_t gid)
{
	const struct world *w = m->w;

	for (unsigned int i = 0; i < w->n; i++) {
		for (unsigned int j = 0; j < w->departments[i].n_paths; j++) {
			const char *p = w->departments[i].paths[j];
			size_t len = strlen(p);

			if (strncmp(path, p, len) == 0 &&
			    (path[len] == '/' || path[len] == '\0'))
				return (uint16_t)(i + 1);
		}
	}
	for (unsigned int i = 0; i < w->n; i++)
		for (unsigned int j = 0; j < w->departments[i].n_gids; j++)
			if (w->departments[i].gids[j] == gid)
				return (uint16_t)(i + 1);
	return 0;
}

static struct dept_set model_set(struct model *m, struct model_inode *f)
{
	bool member[8] = { false };
	struct dept_set set = { .n = 0 };

	for (unsigned int i = 0; i < NAMES; i++) {
		char path[512];

		if (f->name[i].parent == 0)
			continue;
		assert_true(model_path(m, f->name[i].parent, f->name[i].name,
				       path, sizeof(path), 0));
		member[model_department(m, path, f->row.gid)] = true;
	}
	for (uint16_t i = 0; i < 8; i++)
		if (member[i])
			set.member[set.n++] = i;
	if (set.n == 0 && f->kept.n == 0) /* it never had a name */
		set.member[set.n++] = model_department(m, "", f->row.gid);
	if (set.n > 0)
		f->kept = set;
	return f->kept;
}

static struct model_held *model_held(struct model *m, struct dept_set set)
{
	for (unsigned int i = 0; i < m->sets; i++)
		if (dept_set_same(&m->held[i].set, &set))
			return &m->held[i];
	assert_true(m->sets < MODEL_SETS);
	m->held[m->sets].set = set;
	return &m->held[m->sets++];
}

/* After a transaction. */
static void model_look(struct model *m)
{
	for (unsigned int i = 0; i < m->sets; i++)
		memset(m->held[i].bytes, 0, sizeof(m->held[i].bytes));
	for (unsigned int i = 0; i < INODES; i++) {
		struct model_inode *f = &m->inode[i];
		struct model_held *h = NULL;

		if (!f->live)
			continue;
		h = model_held(m, model_set(m, f));
		h->bytes[TIER_HOT] += f->row.blocks * 512;
		if (!f->dir)
			h->bytes[TIER_LOGICAL] += f->row.size_bytes;
	}
}

static void model_pass(struct model *m, int64_t seconds)
{
	int64_t now = atomic_load(&m->w->now_s);

	for (int64_t end = now + seconds; now < end;) {
		int64_t day = (now - SEPTEMBER) / DAY;
		int64_t until = SEPTEMBER + (day + 1) * DAY;
		int64_t dt = (until < end ? until : end) - now;

		assert_true(day < DAYS);
		for (unsigned int i = 0; i < m->sets; i++)
			for (int t = 0; t < TIERS; t++)
				m->held[i].day[day][t] +=
					(uint128)m->held[i].bytes[t] *
					(uint128)dt;
		now += dt;
	}
	atomic_store(&m->w->now_s, now);
}

/* --- random operations --------------------------------------------------- */

static struct model_inode *pick(struct model *m, bool dir)
{
	for (unsigned int tries = 0; tries < 200; tries++) {
		struct model_inode *f = &m->inode[draw(m, INODES)];

		if (f->live && f->dir == dir)
			return f;
	}
	return NULL;
}

static uint64_t pick_parent(struct model *m)
{
	const struct model_inode *dir = pick(m, true);

	return dir == NULL || draw(m, 8) == 0 ? ROOT_INO : dir->row.ino;
}

/* The names that departments have, and others. */
static void new_name(struct model *m, char name[12])
{
	static const char *const known[] = { "Ville", "Urbanisme", "Com" };

	if (draw(m, 3) == 0)
		(void)snprintf(name, 12, "%s", known[draw(m, 3)]);
	else
		(void)snprintf(name, 12, "n%u", m->made++);
}

static bool taken(const struct model *m, uint64_t parent, const char *name)
{
	for (unsigned int i = 0; i < INODES; i++) {
		for (unsigned int j = 0; j < NAMES; j++) {
			const struct model_name *n = &m->inode[i].name[j];

			if (m->inode[i].live && n->parent == parent &&
			    strcmp(n->name, name) == 0)
				return true;
		}
	}
	return false;
}

static void resize(struct model *m, struct model_inode *f)
{
	f->row.blocks = draw(m, 2000);
	f->row.size_bytes = f->dir ? 4096 : draw(m, 1000000);
}

static void op_create(struct model *m)
{
	unsigned int i = draw(m, INODES);
	struct model_inode *f = &m->inode[i];
	uint64_t parent = pick_parent(m);
	char name[12];

	new_name(m, name);
	if (f->live || taken(m, parent, name))
		return;
	*f = (struct model_inode){ .live = true, .dir = draw(m, 3) == 0 };
	f->row = inode_of(FIRST_INO + i,
			  f->dir ? S_IFDIR | 0750 : S_IFREG | 0640);
	f->row.btime_ns = 1000 + m->made++;
	f->row.gid = draw(m, 2) ? 100 : 300;
	resize(m, f);
	f->name[0].parent = parent;
	memcpy(f->name[0].name, name, sizeof(name));
	post(m->w, CATALOG_EVENT_INODE, &f->row);
	post_name(m->w, parent, name, f->row.ino);
}

static void op_write(struct model *m)
{
	struct model_inode *f = pick(m, draw(m, 5) == 0);

	if (f == NULL)
		return;
	resize(m, f);
	f->row.gid = draw(m, 4) ? f->row.gid : 300;
	post(m->w, CATALOG_EVENT_INODE, &f->row);
}

static void op_link(struct model *m)
{
	struct model_inode *f = pick(m, false);
	uint64_t parent = pick_parent(m);
	char name[12];

	new_name(m, name);
	if (f == NULL || taken(m, parent, name))
		return;
	for (unsigned int i = 0; i < NAMES; i++) {
		if (f->name[i].parent == 0) {
			f->name[i].parent = parent;
			memcpy(f->name[i].name, name, sizeof(name));
			f->row.nlink++;
			post(m->w, CATALOG_EVENT_INODE, &f->row);
			post_name(m->w, parent, name, f->row.ino);
			return;
		}
	}
}

static bool is_below(const struct model *m, uint64_t dir, uint64_t above)
{
	while (dir != ROOT_INO && dir != above)
		dir = m->inode[dir - FIRST_INO].name[0].parent;
	return dir == above;
}

static void op_rename(struct model *m)
{
	struct model_inode *f = pick(m, draw(m, 2) == 0);
	uint64_t parent = pick_parent(m);
	struct model_name *n = NULL;
	char name[12];

	new_name(m, name);
	if (f == NULL || taken(m, parent, name))
		return;
	n = &f->name[f->dir ? 0 : draw(m, NAMES)];
	if (n->parent == 0 || (f->dir && is_below(m, parent, f->row.ino)))
		return;
	post_move(m->w, n->parent, n->name, parent, name);
	n->parent = parent;
	memcpy(n->name, name, sizeof(name));
}

static void op_unlink(struct model *m)
{
	struct model_inode *f = pick(m, false);
	struct model_name *n = f == NULL ? NULL : &f->name[draw(m, NAMES)];

	if (n == NULL || n->parent == 0)
		return;
	post_unname(m->w, n->parent, n->name);
	n->parent = 0;
}

static void op_gone(struct model *m)
{
	struct model_inode *f = pick(m, false);

	for (unsigned int i = 0; f != NULL && i < NAMES; i++)
		if (f->name[i].parent != 0)
			return;
	if (f == NULL)
		return;
	post(m->w, CATALOG_EVENT_GONE, &f->row);
	f->live = false;
}

static void op_unpack(struct model *m, struct model_inode *f)
{
	struct world *w = m->w;
	struct catalog_inode inode;

	must(catalog_inode_get(w->cat, f->row.ino, 0, &inode, &w->err));
	post(w, CATALOG_EVENT_PLAIN, &inode);
	f->row.packed = false;
	resize(m, f);
	post(w, CATALOG_EVENT_INODE, &f->row);
}

/* A transaction ends in the middle of a step: what a file without a name keeps
 * is of then. */
static void flush_early(struct model *m)
{
	flush(m->w);
	for (unsigned int i = 0; i < INODES; i++)
		if (m->inode[i].live)
			(void)model_set(m, &m->inode[i]);
}

/* A transaction of its own, or one that is undone. */
static void op_pack(struct model *m)
{
	static const char *const pieces[] = { "x", "xy", "yz", "z", "xyz" };
	struct model_inode *f = pick(m, false);

	if (f == NULL)
		return;
	flush_early(m);
	if (f->row.packed) {
		op_unpack(m, f);
		return;
	}
	f->row = pack(m->w, f->row.ino, pieces[draw(m, 5)]);
}

static void op_undone(struct model *m)
{
	struct world *w = m->w;
	struct model_inode *f = pick(m, false);
	struct catalog_inode inode;

	flush_early(m);
	if (f == NULL)
		return;
	must(catalog_begin(w->cat, &w->err));
	must(catalog_inode_get(w->cat, f->row.ino, 0, &inode, &w->err));
	inode.blocks += 5;
	must(catalog_inode_put(w->cat, &inode, &w->err));
	must(catalog_name_put(w->cat, ROOT_INO, "undone", inode.ino, &w->err));
	catalog_rollback(w->cat);
}

static void op_any(struct model *m)
{
	static void (*const op[])(struct model * m) = {
		op_create, op_create, op_create, op_write,  op_write,
		op_link,   op_link,   op_rename, op_rename, op_rename,
		op_unlink, op_gone,   op_pack,	 op_undone,
	};

	op[draw(m, sizeof(op) / sizeof(op[0]))](m);
}

/* --- comparing ----------------------------------------------------------- */

static void compare_held(struct model *m)
{
	struct world *w = m->w;
	struct tier_time *row = NULL;
	unsigned int n = 0;
	uint64_t want = 0;
	uint64_t all = 0;

	must(ledger_now(w->cat, &row, &n, &w->err));
	for (unsigned int i = 0; i < m->sets; i++) {
		const struct model_held *h = &m->held[i];

		assert_true(row_of(row, n, TIER_HOT, h->set) ==
			    h->bytes[TIER_HOT]);
		assert_true(row_of(row, n, TIER_LOGICAL, h->set) ==
			    h->bytes[TIER_LOGICAL]);
		want += h->bytes[TIER_HOT] + h->bytes[TIER_LOGICAL];
	}
	for (unsigned int i = 0; i < n; i++)
		if (row[i].tier == TIER_HOT || row[i].tier == TIER_LOGICAL)
			all += (uint64_t)row[i].byte_seconds;
	free(row);
	assert_int_equal(all, want);
}

static int32_t month_of_day(int64_t day)
{
	return month_of(SEPTEMBER + day * DAY);
}

/* A month is the sum of its days, and there is nothing else in it. */
static void compare_month(struct model *m, int32_t month)
{
	struct world *w = m->w;
	struct ledger_month got;
	uint128 want = 0;
	uint128 all = 0;

	must(ledger_month_get(w->cat, month, atomic_load(&w->now_s), &got,
			      &w->err));
	for (unsigned int i = 0; i < m->sets; i++) {
		for (int t = TIER_HOT; t <= TIER_LOGICAL; t += TIER_LOGICAL) {
			uint128 sum = 0;

			for (int64_t day = 0; day < DAYS; day++)
				if (month_of_day(day) == month)
					sum += m->held[i].day[day][t];
			assert_true(row_of(got.row, got.n, (enum tier)t,
					   m->held[i].set) == sum);
			want += sum;
		}
	}
	for (unsigned int i = 0; i < got.n; i++)
		if (got.row[i].tier == TIER_HOT ||
		    got.row[i].tier == TIER_LOGICAL)
			all += got.row[i].byte_seconds;
	assert_true(all == want);
	ledger_month_release(&got);
}

static void step(struct model *m)
{
	unsigned int n = 1 + draw(m, 12);

	while (n-- > 0)
		op_any(m);
	flush(m->w);
	model_look(m);
}

static void time_passes(struct model *m)
{
	struct world *w = m->w;
	uint32_t what = draw(m, 20);

	model_pass(m, draw(m, 4) ? draw(m, 20000) : 0);
	if (what < 3)
		must(ledger_tick(w->ledger, draw(m, 100000), &w->err));
	if (what == 3) {
		world_shut(w);
		world_open(w);
		assert_false(ledger_needs_recharge(w->ledger));
	}
}

static struct model *model_new(struct world *w, uint64_t seed)
{
	struct model *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->w = w;
	m->seed = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	world_open(w);
	make_dir(w, 0, NULL, ROOT_INO);
	flush(w);
	return m;
}

/* Once counted, they do: to the byte that is held. */
static void assert_shares_add_up(struct model *m)
{
	struct ledger_shares shares;

	count(m->w);
	ledger_shares(m->w->cat, &shares);
	assert_true(shares.current);
	assert_balanced(m->w);
}

static void live(struct world *w, uint64_t seed)
{
	struct model *m = model_new(w, seed);
	const bool go_on = false;

	for (unsigned int i = 0; i < STEPS; i++) {
		step(m);
		compare_held(m);
		if (i % 16 == 0) {
			assert_balanced(w);
			assert_flows(w);
		}
		if (i % 32 == 0)
			assert_shares_add_up(m);
		time_passes(m);
	}
	for (int32_t month = month_of_day(0);
	     month <= month_of(atomic_load(&w->now_s)); month++)
		compare_month(m, month);
	assert_balanced(w);
	/* What is found by looking at all again is what was known. */
	must(catalog_begin(w->cat, &w->err));
	must(recharge_note(w->ledger, &w->err));
	must(catalog_commit(w->cat, &w->err));
	must(ledger_recharge(w->ledger, &go_on, &w->err));
	compare_held(m);
	assert_balanced(w);
	free(m);
}

static void any_life_of_a_drive_is_counted_to_the_byte_second(void **state)
{
	const uint64_t seeds[] = { 1, 2, some_seed() };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct world *w = world_new();

		world_departments(w);
		live(w, seeds[i]);
		world_free(w);
	}
}

/* --- killed at any moment ------------------------------------------------ */

static void live_on(struct world *w, uint64_t seed)
{
	struct model *m = model_new(w, seed);

	for (;;) {
		step(m);
		pass(w, 10);
		(void)ledger_tick(w->ledger, 5, &w->err);
	}
}

static void a_kill_leaves_charges_and_holdings_agreeing(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 12; i++) {
		const struct timespec wait = { .tv_nsec = 30000000L +
							  (long)i * 17000000L };
		struct world *w = world_new();
		int status = 0;
		pid_t pid = 0;

		world_departments(w);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			live_on(w, i + 50);
			_exit(1);
		}
		(void)nanosleep(&wait, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		world_open_catalog(w);
		world_open_store(w);
		assert_balanced(w);
		assert_flows(w);
		world_open_ledger(w);
		assert_false(ledger_needs_recharge(w->ledger));
		assert_balanced(w);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			any_life_of_a_drive_is_counted_to_the_byte_second),
		cmocka_unit_test(a_kill_leaves_charges_and_holdings_agreeing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
