import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import { control, graphql, integration, isSigned, owner, receiver } from "./ward.mjs";

const { WARD_WEBHOOK_ID: id, WARD_WEBHOOK_SECRET: secret } = process.env;
const open = [];
after(() => Promise.all(open.map((it) => it.close())));

/** A receiver that the Sandbox's webhook leads to from now on. */
async function listen(answer) {
  const hook = await receiver(answer);
  open.push(hook);
  await graphql(
    owner,
    "mutation($input: updateWebhookInput!) { updateWebhook(input: $input) { webhook { id } messages { message } } }",
    { input: { id, url: hook.url, is_enabled: true } },
  );
  return hook;
}

async function client(email) {
  const { currentUser } = await graphql(owner, "{ currentUser { id } }");
  const { createClient } = await graphql(
    integration,
    "mutation($input: createClientInput) { createClient(input: $input) { user { id } messages { message } } }",
    { input: { first_name: "Eve", last_name: "Ekman", email, dietitian_id: currentUser.id } },
  );
  return Number(createClient.user.id);
}

test("an event arrives with a signature that only the Sandbox can make", async () => {
  const hook = await listen();
  const created = await client("eve@example.com");
  const event = await hook.wait(
    (it) => it.event_type === "patient.created" && it.resource_id === created,
  );
  assert.ok(isSigned(secret, event));
  assert.ok(!isSigned("whsec_sbx_another", event));
  assert.ok(!isSigned(secret, { ...event, body: event.body.replace("patient", "Patient") }));
  assert.equal(event.headers["ward-environment"], "sandbox");
});

test("what a receiver failed to take comes again, with the same id", async () => {
  const fails = (event, before) =>
    before.some((it) => it.headers["webhook-id"] === event.headers["webhook-id"]) ? 204 : 500;
  const hook = await listen(fails);
  const created = await client("fay@example.com");
  const is = (it) => it.event_type === "patient.created" && it.resource_id === created;
  const first = await hook.wait(is);
  // Half a minute in the Sandbox's time, not in ours.
  await control("POST", "clock/advance", { by: "PT5M" });
  const second = await hook.wait((it) => is(it) && it !== first);
  assert.equal(second.headers["webhook-id"], first.headers["webhook-id"]);
  assert.equal(second.headers["ward-attempt"], "2");
  assert.ok(isSigned(secret, second));
});
