/* SPDX-License-Identifier: EUPL-1.2 */
/* energy: what electricity costs, and where it comes from. */
#include "policy/config/internal.h"

static void take_price(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into)
{
	static const struct yaml_word units[] = {
		{ "EUR/kWh", NULL },
		{ "€/kWh", NULL },
		{ NULL, NULL },
	};
	static const struct quantity price = {
		units, "0.16 EUR/kWh", 0, 10000, "0 - 10",
	};

	(void)take_quantity(doc, node, &price,
			    &((struct reading *)into)->config->price_eur_kwh,
			    NULL);
}

static void take_carbon(struct yaml_doc *doc, const struct yaml_node *node,
			void *into)
{
	static const struct yaml_word units[] = {
		{ "g/kWh", NULL },
		{ "gCO2e/kWh", NULL },
		{ "gCO2/kWh", NULL },
		{ NULL, NULL },
	};
	static const struct quantity carbon = {
		units, "46.1 g/kWh", 0, 3000000, "0 - 3000",
	};

	(void)take_quantity(doc, node, &carbon,
			    &((struct reading *)into)->config->carbon_g_kwh,
			    NULL);
}

static void take_pue(struct yaml_doc *doc, const struct yaml_node *node,
		     void *into)
{
	static const struct quantity pue = {
		NULL, "1.75", 1000, 5000, "1 - 5",
	};

	(void)take_quantity(doc, node, &pue,
			    &((struct reading *)into)->config->pue, NULL);
}

/* --- where electricity is bought from ------------------------------------- */

static const struct yaml_word grams[] = {
	{ "g/kWh", NULL },
	{ "gCO2e/kWh", NULL },
	{ "gCO2/kWh", NULL },
	{ NULL, NULL },
};

static void take_renewable(struct yaml_doc *doc, const struct yaml_node *node,
			   void *into)
{
	static const struct yaml_word units[] = {
		{ "%", NULL },
		{ NULL, NULL },
	};
	static const struct quantity share = {
		units, "40 %", 0, 100000, "0 - 100",
	};

	(void)take_quantity(
		doc, node, &share,
		&((struct reading *)into)->config->renewable_percent, NULL);
}

static void take_residual(struct yaml_doc *doc, const struct yaml_node *node,
			  void *into)
{
	static const struct quantity residual = {
		grams, "60 g/kWh", 0, 3000000, "0 - 3000",
	};

	(void)take_quantity(doc, node, &residual,
			    &((struct reading *)into)->config->residual_g_kwh,
			    NULL);
}

static void take_supplier(struct yaml_doc *doc, const struct yaml_node *node,
			  void *into)
{
	static const struct quantity supplier = {
		grams, "6 g/kWh", 0, 3000000, "0 - 3000",
	};

	(void)take_quantity(doc, node, &supplier,
			    &((struct reading *)into)->config->supplier_g_kwh,
			    NULL);
}

void take_energy(struct yaml_doc *doc, const struct yaml_node *node, void *into)
{
	static const struct yaml_key keys[] = {
		{ "price", take_price },
		{ "carbon", take_carbon },
		{ "pue", take_pue },
		{ "coefficients", take_coefficients },
		{ "renewable_share", take_renewable },
		{ "residual", take_residual },
		{ "supplier", take_supplier },
		{ "arrays", take_arrays },
		{ NULL, NULL },
	};
	static const struct yaml_word words[] = {
		{ "prix", "price" },
		{ "carbone", "carbon" },
		{ "baies", "arrays" },
		{ "part_renouvelable", "renewable_share" },
		{ "residuel", "residual" },
		{ "fournisseur", "supplier" },
		{ NULL, NULL },
	};
	static const struct yaml_schema schema = { keys, words };

	(void)yaml_map(doc, node, &schema, into);
}
