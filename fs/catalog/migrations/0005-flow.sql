-- SPDX-License-Identifier: EUPL-1.2
-- Schema 5: holding and ledger also have rows of tiers from 16 on: how many
-- bytes came and went, and why. What they mean: docs/format/catalog.md.

-- When counting them began; 0: the ledger's next opening says it.
INSERT INTO meta(key, value) VALUES('ledger_flows_s', 0);
