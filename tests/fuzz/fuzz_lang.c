/* SPDX-License-Identifier: EUPL-1.2 */
/* Any bytes as a file of rules: what is read without a message must be in
 * order. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hear(void *ctx, const char *text)
{
	(void)text;
	(*(unsigned int *)ctx)++;
}

static void check(const struct rule *rule)
{
	assert(rule->file && rule->line > 0 && rule->id && rule->label);
	assert(rule->source && *rule->source);
	assert(rule->personal == RULE_PERSONAL_NO || rule->record);
	assert(rule->size_min_bytes <= rule->size_max_bytes);
	assert(rule->then < RULE_SORT || rule->keep.count > 0);
	assert(rule->then != RULE_ELIMINATE ||
	       rule->visa != RULE_VISA_NOT_GIVEN);
	assert(rule->visa <= RULE_VISA_SLIP || rule->visa_ref);
	if (rule->then == RULE_FLAG || rule->duplicate)
		return;
	assert(rule->paths.n > 0);
	for (unsigned int i = 0; i < rule->paths.n; i++)
		assert(!pattern_is_at_root(rule->paths.item[i]));
}

static void parse_period(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct error err = ERROR_INIT;
	struct period period;

	if (text && period_parse(text, &period, &err) == 0)
		assert(period_before(20000, period) < 20000);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int heard = 0;
	struct yaml_messages messages = { hear, &heard, NULL };
	struct policy policy = { .n = 0 };
	char ccas[] = "ccas";
	char other[] = "other";
	char *ids[] = { ccas, other };
	struct strings departments = { ids, 2 };
	struct reading reading = { &policy, &departments, 0 };
	struct error err = ERROR_INIT;
	struct yaml_diag diag;
	int rc;

	parse_period(data, size);
	yaml_diag_init(&diag, &messages);
	rc = file_take(&reading, "f.yaml", "f.yaml", (const char *)data, size,
		       &diag, &err);
	assert(rc == 0 || rc == -ENOMEM);
	for (unsigned int i = 0; rc == 0 && heard == 0 && i < policy.n; i++)
		check(&policy.rule[i]);
	policy_release(&policy);
	return 0;
}
