/* SPDX-License-Identifier: EUPL-1.2 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "policy/config/config.h"
#include "tests/support/golden.h"

static int load(const char *path, struct config *config, struct buf *said)
{
	struct yaml_messages messages = { golden_say, said, NULL };
	struct error err = ERROR_INIT;

	return config_load(path, -1, &messages, config, &err);
}

/* A text that must be right. */
static struct config config_of(const char *text)
{
	char path[] = "/tmp/sobre-config.XXXXXX";
	cleanup_fd int fd = mkostemp(path, O_CLOEXEC);
	cleanup_buf struct buf said;
	struct config config;
	int rc;

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	buf_init(&said, 65536);
	rc = load(path, &config, &said);
	(void)unlink(path);
	if (rc < 0)
		fail_msg("%.*s", (int)said.len, (const char *)said.data);
	assert_int_equal(said.len, 0);
	return config;
}

static void are(char *const *list, const char *const *texts)
{
	assert_non_null(list);
	for (; *texts; list++, texts++) {
		assert_non_null(*list);
		assert_string_equal(*list, *texts);
	}
	assert_null(*list);
}
#define ARE(list, ...) are(list, (const char *const[]){ __VA_ARGS__, NULL })

static void a_real_file_is_read(void **state)
{
	cleanup_buf struct buf said;
	struct config c;
	const struct config_department *ccas;

	(void)state;
	buf_init(&said, 4096);
	assert_int_equal(load(TESTS_DATA "/drive.yaml", &c, &said), 0);
	assert_int_equal(c.departments, 13);
	assert_string_equal(c.department[0].id, "urbanisme");
	assert_string_equal(c.department[0].name, "Urbanisme");
	assert_null(c.department[0].entity);
	ARE(c.department[1].paths, "/Communication et Culture");
	assert_null(c.department[1].groups);
	ccas = &c.department[5];
	assert_string_equal(ccas->entity, "CCAS");
	ARE(ccas->groups, "ccas");
	assert_int_equal(ccas->line, 10);
	assert_null(c.lower);
	assert_string_equal(c.organisation.name, "Ville d'Exemple");
	assert_string_equal(c.organisation.siren, "123456782");
	assert_string_equal(c.organisation.service, "Lecteur bureautique");
	assert_string_equal(c.organisation.denom_insee, "COM");
	assert_string_equal(c.organisation.code_insee, "99999");
	ARE(c.service_accounts, "svc-*", "backup", "clamav");
	assert_int_equal(c.burst_files, 300);
	assert_int_equal(c.burst_s, 60);
	assert_int_equal(c.pack_min_age_s, 86400);
	ARE(c.pack_exclude, "*.pst", "*.mdb");
	assert_int_equal(c.pack_from_min, 20 * 60);
	assert_int_equal(c.pack_until_min, 6 * 60);
	assert_string_equal(c.price_eur_kwh, "0.16");
	assert_string_equal(c.carbon_g_kwh, "46.1");
	assert_string_equal(c.pue, "1.75");
	assert_int_equal(c.arrays, 1);
	assert_string_equal(c.array[0].id, "a1");
	assert_int_equal(c.array[0].usable_bytes, 320000000000000);
	assert_null(c.array[0].meter);
	assert_int_equal(c.array[0].bought, 12 * 2023 + 4);
	assert_int_equal(c.array[0].life_years, 5);
	assert_string_equal(c.mail_from, "empreinte@ville.example");
	ARE(c.mail_to, "dgs@ville.example",
	    "o'neill_b-c+sobre@mairie.ville.example");
	assert_null(c.mail_program);
	assert_int_equal(c.targets, 2);
	assert_int_equal(c.target[0].year, 2026);
	assert_int_equal(c.target[0].mwh, UINT64_C(7000000000));
	assert_int_equal(c.target[0].ueur, UINT64_C(1200000000));
	assert_int_equal(c.target[0].ug, UINT64_C(700000000000));
	assert_int_equal(c.target[0].bytes, 0);
	assert_int_equal(c.target[1].bytes, UINT64_C(150500000000000));
	assert_int_equal(c.target[1].mwh, UINT64_C(6500500000));
	ARE(c.roles_admin, "sudo");
	ARE(c.roles_archivist, "archives");
	ARE(c.roles_dpo, "dpo");
	config_release(&c);
}

static void what_is_not_said_is_the_default(void **state)
{
	struct config c = config_of("");

	(void)state;
	assert_int_equal(c.departments, 0);
	assert_int_equal(c.pack_min_age_s, -1);
	assert_int_equal(c.burst_files, 0);
	assert_int_equal(c.pack_from_min, c.pack_until_min);
	assert_null(c.pue);
	assert_null(c.renewable_percent);
	assert_null(c.organisation.name);
	assert_null(c.roles_admin);
	config_release(&c);
	c = config_of("energy: { arrays: [ { id: a, usable: 1 TB } ] }\n");
	assert_int_equal(c.array[0].bought, -1);
	assert_int_equal(c.array[0].life_years, 0);
	assert_int_equal(c.array[0].holds, CONFIG_HOLDS_ALL);
	assert_int_equal(c.array[0].fabrication_mg, 0);
	assert_int_equal(c.array[0].disks, 0);
	config_release(&c);
}

static void arrays_say_what_they_hold_and_are_made_of(void **state)
{
	struct config c = config_of(
		"energy:\n"
		"  arrays:\n"
		"    - id: san\n"
		"      usable: 320 TB\n"
		"      holds: [hot, packed]\n"
		"      disks: { count: 24, kind: hdd, size: 16 TB }\n"
		"    - id: flash\n"
		"      usable: 40 TB\n"
		"      holds: hot\n"
		"      disks: { count: 12, kind: ssd, size: 3.84 To }\n"
		"    - id: vault\n"
		"      usable: 100 TB\n"
		"      holds: [archive]\n"
		"      fabrication: 1746,64 kg\n");

	(void)state;
	assert_int_equal(c.arrays, 3);
	assert_int_equal(c.array[0].holds,
			 CONFIG_HOLDS_HOT | CONFIG_HOLDS_PACKED);
	assert_int_equal(c.array[0].disks, 24);
	assert_false(c.array[0].flash);
	assert_int_equal(c.array[1].holds, CONFIG_HOLDS_HOT);
	assert_true(c.array[1].flash);
	assert_int_equal(c.array[1].disk_bytes, 3840000000000);
	assert_int_equal(c.array[2].holds, CONFIG_HOLDS_ARCHIVE);
	assert_int_equal(c.array[2].fabrication_mg, 1746640000);
	config_release(&c);
}

static void coefficients_may_be_the_city_s_own(void **state)
{
	struct config c = config_of(
		"energy: { coefficients: { kappa: 3.1, rho: '1,25' } }\n");

	(void)state;
	assert_string_equal(c.coefficient[COEF_KAPPA], "3.1");
	assert_string_equal(c.coefficient[COEF_RHO], "1,25");
	assert_null(c.coefficient[COEF_LIFE]);
	config_release(&c);
}

static void the_charter_has_targets(void **state)
{
	struct config c = config_of(
		"charter: { sci_g: '1,25', measured_percent: 100 }\n");

	(void)state;
	assert_int_equal(c.charters, 2);
	assert_string_equal(c.charter[0].name, "sci_g");
	assert_int_equal(c.charter[0].value, 1250000);
	assert_int_equal(c.charter[1].value, 100 * MICRO);
	config_release(&c);
}

static void a_meter_may_be_a_program(void **state)
{
	struct config c = config_of(
		"energy:\n"
		"  arrays:\n"
		"    - id: a\n"
		"      usable: 1 TB\n"
		"      meter:\n"
		"        command: [/usr/bin/ipmitool, dcmi, power, reading]\n"
		"        unit: W\n"
		"        after: 'Instantaneous power reading:'\n"
		"    - id: b\n"
		"      usable: 1 TB\n"
		"      meter: { command: /opt/kwh, unit: kWh, every: 1 h,\n"
		"               times: '0,01' }\n");

	(void)state;
	ARE(c.array[0].meter_command, "/usr/bin/ipmitool", "dcmi", "power",
	    "reading");
	assert_false(c.array[0].meter_kwh);
	assert_int_equal(c.array[0].meter_every_s, 300);
	assert_string_equal(c.array[0].meter_after,
			    "Instantaneous power reading:");
	assert_null(c.array[0].meter_times);
	assert_null(c.array[0].meter);
	ARE(c.array[1].meter_command, "/opt/kwh");
	assert_true(c.array[1].meter_kwh);
	assert_int_equal(c.array[1].meter_every_s, 3600);
	assert_string_equal(c.array[1].meter_times, "0.01");
	config_release(&c);
}

static void french_units_are_read(void **state)
{
	struct config c =
		config_of("people: { burst: 300 fichiers par minute }\n"
			  "pack: { min_age: 2 jours, window: 20h - 6h30 }\n"
			  "energy:\n"
			  "  price: 0,1582 €/kWh\n"
			  "  carbon: 46,1 gCO2e/kWh\n"
			  "  pue: 1,5\n"
			  "  renewable_share: 37,5 %\n"
			  "  residual: 58,7 g/kWh\n"
			  "  supplier: 6 gCO2e/kWh\n"
			  "  arrays:\n"
			  "    - id: a1\n"
			  "      usable: 1,5 To\n"
			  "      life: 7 ans\n"
			  "      meter: /var/lib/sobre/a1.csv\n");

	(void)state;
	assert_int_equal(c.burst_files, 300);
	assert_int_equal(c.burst_s, 60);
	assert_int_equal(c.pack_min_age_s, 2 * 86400);
	assert_int_equal(c.pack_from_min, 20 * 60);
	assert_int_equal(c.pack_until_min, 6 * 60 + 30);
	assert_string_equal(c.price_eur_kwh, "0.1582");
	assert_string_equal(c.carbon_g_kwh, "46.1");
	assert_string_equal(c.pue, "1.5");
	assert_string_equal(c.renewable_percent, "37.5");
	assert_string_equal(c.residual_g_kwh, "58.7");
	assert_string_equal(c.supplier_g_kwh, "6");
	assert_int_equal(c.array[0].usable_bytes, 1500000000000);
	assert_int_equal(c.array[0].life_years, 7);
	assert_string_equal(c.array[0].meter, "/var/lib/sobre/a1.csv");
	config_release(&c);
}

static void bursts_are_of_any_time(void **state)
{
	static const struct {
		const char *text;
		unsigned int files, s;
	} cases[] = {
		{ "people: { burst: 5 files per second }", 5, 1 },
		{ "people: { burst: 1 file per hour }", 1, 3600 },
		{ "people: { burst: 1000000 files/min }", 1000000, 60 },
		{ "people: { burst: 20 fichiers par heure }", 20, 3600 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config c = config_of(cases[i].text);

		assert_int_equal(c.burst_files, cases[i].files);
		assert_int_equal(c.burst_s, cases[i].s);
		config_release(&c);
	}
}

static void windows_reach_midnight(void **state)
{
	struct config c = config_of("pack: { window: 22:30-24:00 }\n");

	(void)state;
	assert_int_equal(c.pack_from_min, 22 * 60 + 30);
	assert_int_equal(c.pack_until_min, 0);
	config_release(&c);
}

static void a_name_may_be_left_to_the_id(void **state)
{
	struct config c =
		config_of("departments: [ { id: urb, paths: /Urbanisme } ]\n");

	(void)state;
	assert_string_equal(c.department[0].name, "urb");
	ARE(c.department[0].paths, "/Urbanisme");
	config_release(&c);
}

/* First match wins: what lies inside may come first. */
static void inner_departments_may_come_before_outer_ones(void **state)
{
	struct config c = config_of("departments:\n"
				    "  - { id: a, paths: [/Ville/Archives] }\n"
				    "  - { id: b, paths: [/Ville] }\n"
				    "  - { id: c, paths: [/Ville2, /V] }\n");

	(void)state;
	assert_int_equal(c.departments, 3);
	config_release(&c);
}

static void paths_that_are_there_are_fine(void **state)
{
	static const char text[] =
		"departments:\n  - { id: a, paths: [/tmp] }\n";
	char path[] = "/tmp/sobre-config.XXXXXX";
	cleanup_fd int fd = mkostemp(path, O_CLOEXEC);
	cleanup_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct yaml_messages messages = { NULL, NULL, NULL };
	struct error err = ERROR_INIT;
	struct config c;

	(void)state;
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	assert_int_equal(config_load(path, root, &messages, &c, &err), 0);
	(void)unlink(path);
	assert_string_equal(c.file, path);
	config_release(&c);
}

static void a_file_that_cannot_be_read_is_told(void **state)
{
	cleanup_buf struct buf said;
	struct config c;

	(void)state;
	buf_init(&said, 4096);
	assert_int_equal(load("/nowhere/drive.yaml", &c, &said), -ENOENT);
	assert_int_equal(load("/tmp", &c, &said), -EINVAL);
	assert_int_equal(said.len, 0);
}

/* More of them than people could tell apart. */
static void counts_are_bounded(void **state)
{
	static const struct {
		const char *head, *item;
		unsigned int n;
		const char *message;
	} cases[] = {
		{ "departments: [", "x,", 1025, "more than 1024 departments" },
		{ "energy: { arrays: [", "x,", 65, "more than 64 arrays" },
		{ "departments: [ { id: a, groups: [", "g%u,", 4097,
		  "more than 4096 paths and groups" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char path[] = "/tmp/sobre-config.XXXXXX";
		cleanup_fd int fd = mkostemp(path, O_CLOEXEC);
		cleanup_buf struct buf said;
		FILE *file = fdopen(dup(fd), "w");
		struct config c;

		assert_non_null(file);
		(void)fputs(cases[i].head, file);
		for (unsigned int k = 0; k < cases[i].n; k++)
			if (strchr(cases[i].item, '%'))
				(void)fprintf(file, "g%u,", k);
			else
				(void)fputs(cases[i].item, file);
		(void)fputs(i == 0 ? "]" : i == 1 ? "] }" : "] } ]", file);
		(void)fclose(file);
		buf_init(&said, 1u << 20);
		assert_int_equal(load(path, &c, &said), -SOBRE_ECONFIG);
		(void)unlink(path);
		assert_int_equal(buf_put_u8(&said, 0), 0);
		assert_non_null(
			strstr((const char *)said.data, cases[i].message));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_real_file_is_read),
		cmocka_unit_test(what_is_not_said_is_the_default),
		cmocka_unit_test(arrays_say_what_they_hold_and_are_made_of),
		cmocka_unit_test(coefficients_may_be_the_city_s_own),
		cmocka_unit_test(the_charter_has_targets),
		cmocka_unit_test(a_meter_may_be_a_program),
		cmocka_unit_test(french_units_are_read),
		cmocka_unit_test(bursts_are_of_any_time),
		cmocka_unit_test(windows_reach_midnight),
		cmocka_unit_test(a_name_may_be_left_to_the_id),
		cmocka_unit_test(inner_departments_may_come_before_outer_ones),
		cmocka_unit_test(paths_that_are_there_are_fine),
		cmocka_unit_test(a_file_that_cannot_be_read_is_told),
		cmocka_unit_test(counts_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
