// SPDX-License-Identifier: EUPL-1.2
// node schema.js MODULES SCHEMA FILE…: one line for each error, by ajv.
"use strict";
const fs = require("fs");
const [modules, schema, ...files] = process.argv.slice(2);
const Ajv = require(modules + "/ajv/dist/2020");
const read = (path) => JSON.parse(fs.readFileSync(path, "utf8"));
const ajv = new Ajv({ allErrors: true, strict: true, strictRequired: false,
	strictTypes: false });
const check = ajv.compile(read(schema));

for (const file of files) {
	if (check(read(file)))
		continue;
	for (const e of check.errors)
		console.log(`${file}: ${e.instancePath || "/"} ${e.message} ` +
			JSON.stringify(e.params));
}
