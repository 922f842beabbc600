/* SPDX-License-Identifier: EUPL-1.2 */
/* What didn't hold when the month was closed. */
#include "tools/report/internal.h"

#include <stdio.h>
#include <string.h>

static unsigned int kept(const struct report_checks *checks)
{
	return checks->n < REPORT_CHECKS ? checks->n : REPORT_CHECKS;
}

static unsigned int count_of(const struct report_checks *checks,
			     const char *name)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < kept(checks); i++)
		n += !strcmp(checks->check[i].name, name);
	return n;
}

static bool told_before(const struct report_checks *checks, unsigned int at)
{
	for (unsigned int i = 0; i < at; i++)
		if (!strcmp(checks->check[i].name, checks->check[at].name))
			return true;
	return false;
}

static void say_numbers(struct page *p, const struct report_check *check)
{
	struct num counted = num_count(check->counted, p->lang);
	struct num found = num_count(check->found, p->lang);

	if (!strcmp(check->name, "disk"))
		page_say(p,
			 PT(p, "the disk held %s bytes of files, the ledger "
			       "counted %s"),
			 found.s, counted.s);
	else if (!strcmp(check->name, "packs"))
		page_say(p,
			 PT(p, "the packs held %s bytes, the catalog "
			       "counted %s"),
			 found.s, counted.s);
	else if (!strcmp(check->name, "state"))
		page_say(p,
			 PT(p, "the state directory held %s bytes, the ledger "
			       "counted %s"),
			 found.s, counted.s);
	else
		page_say(p, PT(p, "%s: %s bytes found, %s counted"),
			 check->name, found.s, counted.s);
}

/* Of a name without numbers how many there are: the JSON has the sentences. */
static void say_count(struct page *p, const char *name, unsigned int n)
{
	struct num count = num_count(n, p->lang);

	if (!strcmp(name, "ledger"))
		page_say(p, PT(p, "differences inside the ledger: %s"),
			 count.s);
	else if (!strcmp(name, "month"))
		page_say(p,
			 PT(p, "sums that differ from the month's total: %s"),
			 count.s);
	else
		page_say(p, "%s: %s", name, count.s);
}

void page_failed(struct page *p, const struct report_checks *checks)
{
	struct num all = num_count(checks->n, p->lang);
	const char *between = " ";

	if (checks->n == 0)
		return;
	page_raw(p, " ");
	page_say(p, "%s",
		 PT(p, "When the month was closed, its books did not "
		       "balance:"));
	for (unsigned int i = 0; i < kept(checks); i++) {
		const struct report_check *check = &checks->check[i];

		if (!check->has_numbers && told_before(checks, i))
			continue;
		page_raw(p, between);
		if (check->has_numbers)
			say_numbers(p, check);
		else
			say_count(p, check->name,
				  count_of(checks, check->name));
		between = "; ";
	}
	if (checks->n > REPORT_CHECKS)
		page_say(p, PT(p, "; checks that failed in all: %s"), all.s);
	page_raw(p, ".");
}
