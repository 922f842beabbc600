/* SPDX-License-Identifier: EUPL-1.2 */
/* charter: what the city wants of the charter's indicators. */
#include <errno.h>
#include <string.h>

#include "policy/config/internal.h"

/* As tools/report/charter.def names them, of those that can be told. */
static const char *const names[] = {
	"sci_g",
	"purchase_deferred_months",
	"oldest_array_years",
	"longer_life_kg",
	"heaviest_page_bytes",
	"kept_for_stored",
	"energy_kwh",
	"renewable_percent",
	"growth_tb_a_month",
	"full_in_months",
	"load_s",
	"unused_1_year_percent",
	"unused_3_years_percent",
	"unused_5_years_percent",
	"files_rules_point_at",
	"files_without_rule",
	"files_published",
	"measured_percent",
	"months_closed",
	"proposals_done",
	"proposals_gained_tb",
};
#define NAMES (sizeof(names) / sizeof(names[0]))
_Static_assert(NAMES <= CONFIG_CHARTER_MAX, "room for all");

const char *config_charter_name(unsigned int i)
{
	return i < NAMES ? names[i] : NULL;
}

static const char *name_of(const char *key)
{
	for (size_t i = 0; i < NAMES; i++)
		if (!strcmp(names[i], key))
			return names[i];
	return NULL;
}

/* Its key says which; a key that comes twice was told. */
static void take_target(struct yaml_doc *doc, const struct yaml_node *node,
			void *into)
{
	struct config *config = ((struct reading *)into)->config;
	const char *text = yaml_text(doc, node);
	const char *name = name_of(node->key->text);
	micro value;
	int rc = text ? micro_parse(text, &value) : 0;

	if (!text || !name || config->charters == CONFIG_CHARTER_MAX)
		return;
	if (rc == -EINVAL)
		yaml_report(doc, node, N_("'%s' is no number like '%s'"), text,
			    "1.5");
	else if (rc < 0)
		yaml_report(doc, node,
			    N_("'%s' is too big, or has more than 6 decimals"),
			    text);
	else
		config->charter[config->charters++] =
			(struct config_charter){ .name = name, .value = value };
}

void take_charter(struct yaml_doc *doc, const struct yaml_node *node,
		  void *into)
{
	struct yaml_key keys[NAMES + 1];
	const struct yaml_schema schema = { keys, NULL };

	for (size_t i = 0; i < NAMES; i++)
		keys[i] = (struct yaml_key){ names[i], take_target };
	keys[NAMES] = (struct yaml_key){ NULL, NULL };
	(void)yaml_map(doc, node, &schema, into);
}
