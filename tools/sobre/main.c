/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/sobre/internal.h"

struct command {
	const char *name;
	const char *operands; /* as in the usage */
	const char *summary;
	int (*run)(const struct cli *cli);
	size_t min;
	size_t max;
	const char *options; /* beside --json, --lang, --help */
};

#define ANY 100000

static const struct command commands[] = {
	{ "mount", N_("DRIVE [MOUNTPOINT]"),
	  N_("serve the directory DRIVE, at its own place by default"),
	  cmd_mount, 1, 2,
	  "--foreground --read-only --state --config --policies "
	  "--no-passthrough --no-uring --no-idle-class" },
	{ "umount", N_("DRIVE|MOUNTPOINT"),
	  N_("unmount, and wait until the daemon has ended"), cmd_umount, 1, 1,
	  "" },
	{ "status", N_("[DRIVE]"),
	  N_("state, other ways in, jobs, savings, last errors"), cmd_status, 0,
	  1, "--state" },
	{ "pack", N_("PATH..."),
	  N_("pack now what is cold; with --now whatever its age"), cmd_pack, 1,
	  ANY, "--now" },
	{ "unpack", N_("PATH... | --all DRIVE"),
	  N_("make files plain again; all of the drive with --all"), cmd_unpack,
	  1, ANY, "--all --state" },
	{ "explain", N_("FILE"), N_("the state of a file, and why it is so"),
	  cmd_explain, 1, 1, "--state" },
	{ "du", N_("PATH..."),
	  N_("bytes, own share, energy, money and carbon of files and "
	     "directories"),
	  cmd_du, 1, ANY, "--state --config" },
	{ "policy", N_("check DIR | plan [RULE]"),
	  N_("check rule files; list what the rules would flag, and why"),
	  cmd_policy, 1, 2,
	  "--drive --as-of --csv --state --config --policies" },
	{ "report", "",
	  N_("the month's report: a page for each department and the city"),
	  cmd_report, 0, 0,
	  "--month --year --charter -o --department --per-department --mail "
	  "--again --format --drive "
	  "--state "
	  "--config "
	  "--policies" },
	{ "month", N_("close [YYYY-MM]"),
	  N_("close a month that is over: its figures never change again"),
	  cmd_month, 1, 2, "--due --correct --drive --state --config" },
	{ "assess", N_("DIR"),
	  N_("what would be saved, and what rules would flag; changes "
	     "nothing"),
	  cmd_assess, 1, 1, "--report --sample --config --policies" },
	{ "fsck", N_("DRIVE"),
	  N_("check the drive; --rebuild makes its catalog anew"), cmd_fsck, 1,
	  1, "--rebuild --state" },
	{ "gc", N_("DRIVE"),
	  N_("remove what no file uses any more, after a grace period"), cmd_gc,
	  1, 1, "--grace --state" },
	{ "scrub", N_("DRIVE"), N_("read and check all that is stored"),
	  cmd_scrub, 1, 1, "--state" },
	{ "accept", N_("DRIVE NAME"),
	  N_("accept another way into the drive, as status names it"),
	  cmd_accept, 2, 2, "" },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

/* "--name" among the words of `list`. */
static bool lists(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; (at = strstr(at, name)); at += len)
		if (at[len] == ' ' || at[len] == '\0')
			return true;
	return false;
}

/* --- help --------------------------------------------------------------------
 */

static bool is_flag(const char *name, size_t len)
{
	static const char *const flags[] = {
		"--foreground", "--read-only",	   "--no-passthrough",
		"--no-uring",	"--no-idle-class", "--now",
		"--all",	"--rebuild",	   "--csv",
		"--due"
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (strlen(flags[i]) == len && !strncmp(flags[i], name, len))
			return true;
	return false;
}

/* The text of "" is the catalogue's header. */
static const char *operands_text(const struct command *c)
{
	return *c->operands ? po_text(c->operands) : "";
}

static void print_usage(FILE *to, const struct command *c)
{
	(void)fprintf(to, T("usage: sobre %s"), c->name);
	if (*c->operands)
		(void)fprintf(to, " %s", operands_text(c));
	for (const char *at = c->options; *at;) {
		int len = (int)strcspn(at, " ");
		(void)fprintf(to, " [%.*s%s]", len, at,
			      is_flag(at, (size_t)len) ? "" : " X");
		at += len + (at[len] == ' ');
	}
	(void)fprintf(to, " [--json] [--lang fr|en]\n");
}

static int print_help(void)
{
	(void)printf(T("usage: sobre COMMAND ... [--json] [--lang fr|en] "
		       "[--help]\n\n"));
	for (size_t i = 0; i < COMMANDS; i++) {
		const char *operands = operands_text(&commands[i]);
		size_t len = strlen(commands[i].name) + 1 + strlen(operands);

		(void)printf("  sobre %s %s%*s  %s\n", commands[i].name,
			     operands, len < 28 ? (int)(28 - len) : 0, "",
			     po_text(commands[i].summary));
	}
	(void)printf(T("\nsobre COMMAND --help shows a command's options; "
		       "man sobre tells all.\n"));
	return EXIT_DONE;
}

static int unknown_command(const char *name)
{
	int status = out_usage(T("unknown command '%s'; there are:"), name);

	for (size_t i = 0; i < COMMANDS; i++)
		(void)fprintf(stderr, " %s", commands[i].name);
	(void)fputc('\n', stderr);
	return status;
}

/* --- running
 * ------------------------------------------------------------------ */

struct common {
	const char *lang;
	bool help;
	bool version;
};

static int bad_usage(const struct command *c, const char *text)
{
	int status = out_usage("%s", text);

	if (c)
		print_usage(stderr, c);
	return status;
}

/* Relative paths mean nothing once the daemon has gone to "/". */
static int absolute(const char **path, char *buf, size_t size,
		    struct error *err)
{
	char cwd[4096];
	int n;

	if (!*path || **path == '/')
		return 0;
	if (!getcwd(cwd, sizeof(cwd)))
		return error_set(err, -errno, "cannot tell where I am: %s",
				 strerrordesc_np(errno));
	n = snprintf(buf, size, "%s/%s", cwd, *path);
	if (n <= 0 || (size_t)n >= size)
		return error_set(err, -ENAMETOOLONG, "'%s' is too long", *path);
	*path = buf;
	return 0;
}

static int parse(char **argv, const struct command *c, struct cli *cli,
		 struct common *common, struct error *err)
{
	const struct arg_option all[] = {
		{ "--json", &cli->json, NULL },
		{ "--lang", NULL, &common->lang },
		{ "--help", &common->help, NULL },
		{ "--version", &common->version, NULL },
		{ "--now", &cli->now, NULL },
		{ "--all", &cli->all, NULL },
		{ "--rebuild", &cli->rebuild, NULL },
		{ "--foreground", &cli->foreground, NULL },
		{ "--read-only", &cli->readonly, NULL },
		{ "--no-passthrough", &cli->no_passthrough, NULL },
		{ "--no-uring", &cli->no_uring, NULL },
		{ "--no-idle-class", &cli->no_idle_class, NULL },
		{ "--state", NULL, &cli->state },
		{ "--grace", NULL, &cli->grace },
		{ "--config", NULL, &cli->config },
		{ "--policies", NULL, &cli->policies },
		{ "--drive", NULL, &cli->drive },
		{ "--month", NULL, &cli->month },
		{ "--year", NULL, &cli->year },
		{ "--charter", NULL, &cli->charter },
		{ "--department", NULL, &cli->department },
		{ "--format", NULL, &cli->format },
		{ "-o", NULL, &cli->out },
		{ "--per-department", NULL, &cli->per_department },
		{ "--mail", &cli->mail, NULL },
		{ "--again", &cli->again, NULL },
		{ "--as-of", NULL, &cli->as_of },
		{ "--csv", &cli->csv, NULL },
		{ "--due", &cli->due, NULL },
		{ "--correct", NULL, &cli->correct },
		{ "--sample", NULL, &cli->sample },
		{ "--report", NULL, &cli->report },
	};
	struct arg_option mine[sizeof(all) / sizeof(all[0])];
	size_t n = 0;
	int operands;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (i < 3 || (!c && i == 3) ||
		    (c && lists(c->options, all[i].name)))
			mine[n++] = all[i];
	operands = args_parse(argv, mine, n, err);
	if (operands < 0)
		return operands;
	cli->operands = argv;
	cli->n = (size_t)operands;
	return 0;
}

/* A full disk behind a redirection is no success. */
static int said_all(int status)
{
	struct error err = ERROR_INIT;

	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	(void)error_set(&err, -EIO, "cannot write the answer");
	return out_error(&err);
}

static int run_command(const struct command *c, char **argv)
{
	struct common common = { .lang = NULL };
	struct cli cli = { .operands = NULL };
	struct error err = ERROR_INIT;
	char room[6][8192];

	if (parse(argv, c, &cli, &common, &err) < 0)
		return bad_usage(c, err.text);
	if (common.help) {
		print_usage(stdout, c);
		(void)printf("\n%s\n", po_text(c->summary));
		return EXIT_DONE;
	}
	if (cli.n < c->min)
		return bad_usage(c, T("too few arguments"));
	if (cli.n > c->max)
		return bad_usage(c, T("too many arguments"));
	if (absolute(&cli.state, room[0], sizeof(room[0]), &err) < 0 ||
	    absolute(&cli.config, room[1], sizeof(room[1]), &err) < 0 ||
	    absolute(&cli.policies, room[2], sizeof(room[2]), &err) < 0 ||
	    absolute(&cli.out, room[3], sizeof(room[3]), &err) < 0 ||
	    absolute(&cli.report, room[4], sizeof(room[4]), &err) < 0 ||
	    absolute(&cli.per_department, room[5], sizeof(room[5]), &err) < 0)
		return out_error(&err);
	return said_all(c->run(&cli));
}

/* The language first, so that what follows is said in it. */
static int choose_language(char **argv)
{
	struct error err = ERROR_INIT;
	const char *lang = NULL;

	for (; *argv && strcmp(*argv, "--") != 0; argv++) {
		if (!strcmp(*argv, "--lang"))
			lang = argv[1];
		else if (!strncmp(*argv, "--lang=", 7))
			lang = *argv + 7;
	}
	(void)po_init(NULL, &err);
	if (lang && po_init(lang, &err) < 0)
		return out_usage(T("unknown language '%s': en or fr"), lang);
	error_speak(po_text);
	return EXIT_DONE;
}

/* How many arguments stand before the command: options for all. */
static int before_command(char **argv)
{
	int n = 0;

	while (argv[n] && argv[n][0] == '-')
		n += !strcmp(argv[n], "--lang") && argv[n + 1] ? 2 : 1;
	return n;
}

int main(int argc, char **argv)
{
	struct common common = { .lang = NULL };
	struct cli cli = { .operands = NULL };
	struct error err = ERROR_INIT;
	const struct command *c;
	const char *name;
	int first;

	(void)argc;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): no thread yet */
	(void)setlocale(LC_CTYPE, "");
	argv++;
	if (choose_language(argv) != EXIT_DONE)
		return EXIT_USAGE;
	first = before_command(argv);
	name = argv[first];
	if (!name) {
		if (parse(argv, NULL, &cli, &common, &err) < 0)
			return bad_usage(NULL, err.text);
		if (common.version) {
			(void)printf("sobre %s\n", SOBRE_VERSION);
			return EXIT_DONE;
		}
		if (common.help)
			return print_help();
		return bad_usage(NULL, T("which command? sobre --help lists "
					 "them"));
	}
	c = find_command(name);
	if (!c)
		return unknown_command(name);
	/* The name goes to the front, and out. */
	memmove(argv + 1, argv, (size_t)first * sizeof(argv[0]));
	return run_command(c, argv + 1);
}
