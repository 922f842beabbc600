/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/report/sample_who.h"

const struct named sample_town[SAMPLE_TOWN] = {
	{ "other", "Autres fichiers", NULL },
	{ "urb", "Urbanisme", NULL },
	{ "dej",
	  "Direction de l\xe2\x80\x99"
	  "\xc3\x89"
	  "ducation et de la jeunesse",
	  NULL },
	{ "com", "Communication", NULL },
	{ "drh", "Ressources humaines", NULL },
	{ "fin", "Finances", NULL },
	{ "arc", "Archives", NULL },
	{ "cul", "Culture", NULL },
	{ "spo", "Sports", NULL },
	{ "voi", "Voirie", NULL },
	{ "esp", "Espaces verts", NULL },
	{ "ccas", "CCAS", "CCAS" },
};

const struct named sample_hostile[SAMPLE_HOSTILE] = {
	{ "other", "=HYPERLINK(\"http://example.org\")", NULL },
	{ "../../etc", "<script>alert('\xff\xfe')</script>\r\nSet-Cookie: a",
	  NULL },
	{ "index", OVERRIDE "gnp.exe \xe2\x80\x8b\x1b[2J \xed\xa0\x80", NULL },
	{ "URB\"><b", "\t@SUM(1+1)*cmd|'/C calc'!A0", NULL },
	{ "rh", "-2+3;\"quoted\"", "\",\xff\":=1\n" },
};

const struct report_organisation sample_town_hall = {
	.name = "Ville d\xe2\x80\x99"
		"Exemple",
	.siren = "123456782",
	.service = "Lecteur bureautique",
	.denom_insee = "COM",
	.code_insee = "99999",
};

const struct report_organisation sample_hostile_hall = {
	.name = "=1+1,\"<b>\"\n",
	.service = "@SUM(1)\xff",
};
