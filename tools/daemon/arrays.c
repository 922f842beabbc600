/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/arrays.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "tools/daemon/protocol.h"

/* Tiers have numbers of their own on disk. */
static unsigned int tiers_of(unsigned int holds)
{
	return (holds & CONFIG_HOLDS_HOT ? 1u << TIER_HOT : 0) |
	       (holds & CONFIG_HOLDS_PACKED ? 1u << TIER_PACKED : 0) |
	       (holds & CONFIG_HOLDS_ARCHIVE ? 1u << TIER_ARCHIVE : 0);
}

static int load_meter(const struct config_array *from, int state_fd,
		      struct meter *meter, struct error *err)
{
	struct error none = ERROR_INIT;
	int rc;

	if (from->meter)
		return meter_load(from->meter, meter, err);
	rc = meter_load_own(state_fd, from->id,
			    from->meter_kwh ? METER_KWH : METER_W, meter, err);
	if (rc != -ENOENT)
		return rc;
	*err = none;
	return 0;
}

static struct figures_array describe(const struct config_array *from)
{
	return (struct figures_array){
		.id = from->id,
		.tiers = tiers_of(from->holds),
		.usable_bytes = from->usable_bytes,
		.bought = from->bought,
		.life_years = from->life_years,
		.fabrication_kg = from->fabrication_mg,
		.disks = from->disks,
		.disk_bytes = from->disk_bytes,
		.flash = from->flash,
	};
}

static int load_one(const struct config_array *from, int state_fd,
		    struct meter *meter, struct figures_array *to,
		    struct error *err)
{
	if (!from->meter && !from->meter_command)
		return 0;
	to->meter = meter;
	if (load_meter(from, state_fd, meter, err) == 0)
		return 0;
	return error_prefix(err, "array '%s'", from->id);
}

/* NULL: not said. */
static int read_number(const char *text, const char *what, bool *ret_known,
		       micro *ret_value, struct error *err)
{
	int rc = text ? micro_parse(text, ret_value) : 0;

	*ret_known = text != NULL;
	if (rc == 0)
		return 0;
	return error_set(err, -SOBRE_ECONFIG,
			 "%s '%.64s' is too big, or has more than 6 decimals",
			 what, text);
}

static int supply_load(const struct config *config,
		       struct report_supply *ret_supply, struct error *err)
{
	struct report_supply s = { .supplier = 0 };
	bool said;

	if (read_number(config->renewable_percent, "renewable_share",
			&s.renewable_known, &s.renewable, err) < 0 ||
	    read_number(config->residual_g_kwh, "residual", &s.residual_known,
			&s.residual, err) < 0 ||
	    read_number(config->supplier_g_kwh, "supplier", &said, &s.supplier,
			err) < 0)
		return err->code;
	s.renewable /= 100;
	*ret_supply = s;
	return 0;
}

int arrays_describe(const struct setup *setup, struct arrays *ret_arrays,
		    struct error *err)
{
	const struct config *config = &setup->config;
	struct arrays a = { .n = config->arrays };

	a.array = calloc(a.n + 1u, sizeof(a.array[0]));
	a.meter = calloc(a.n + 1u, sizeof(a.meter[0]));
	if (!a.array || !a.meter) {
		arrays_release(&a);
		return error_set(err, -ENOMEM, "no memory for %u arrays",
				 config->arrays);
	}
	for (unsigned int i = 0; i < a.n; i++)
		a.array[i] = describe(&config->array[i]);
	*ret_arrays = a;
	return 0;
}

int arrays_load(const struct setup *setup, int state_fd,
		struct arrays *ret_arrays, struct error *err)
{
	const struct config *config = &setup->config;
	struct arrays a = { .n = 0 };
	int rc = arrays_describe(setup, &a, err);

	if (rc < 0)
		return rc;
	rc = supply_load(config, &a.supply, err);
	for (unsigned int i = 0; i < a.n && rc == 0; i++)
		rc = load_one(&config->array[i], state_fd, &a.meter[i],
			      &a.array[i], err);
	if (rc < 0)
		arrays_release(&a);
	else
		*ret_arrays = a;
	return rc;
}

/* The last reading; null: there is none. */
static json_t *last_json(const struct meter *meter)
{
	char when[32];
	struct tm tm;
	time_t at;

	if (meter->n == 0)
		return json_null();
	at = (time_t)meter->reading[meter->n - 1].at_s;
	if (!gmtime_r(&at, &tm) ||
	    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return json_null();
	return json_pack("{s:s, s:I}", "time", when, "value_micro",
			 (json_int_t)meter->reading[meter->n - 1].value);
}

void arrays_add_files(const struct setup *setup, json_t *list)
{
	for (unsigned int i = 0; i < setup->config.arrays; i++) {
		const struct config_array *array = &setup->config.array[i];
		struct meter meter = { .n = 0 };
		struct error err = ERROR_INIT;
		json_t *wrong = NULL;

		if (!array->meter)
			continue;
		if (meter_load(array->meter, &meter, &err) < 0)
			wrong = json_from_name(err.text);
		(void)json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:o, s:o}", "array", array->id,
				  "unit", meter.kind == METER_KWH ? "kWh" : "W",
				  "last", last_json(&meter), "wrong",
				  wrong ? wrong : json_null()));
		meter_release(&meter);
	}
}

void arrays_release(struct arrays *arrays)
{
	for (unsigned int i = 0; arrays->meter && i < arrays->n; i++)
		meter_release(&arrays->meter[i]);
	free(arrays->meter);
	free(arrays->array);
	*arrays = (struct arrays){ .n = 0 };
}
