// What a test needs to call the Sandbox that `ward sandbox run` has made for it.
import assert from "node:assert/strict";
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import process from "node:process";

const { WARD_URL, WARD_GRAPHQL_URL, WARD_API_KEY, WARD_INTEGRATION_KEY } = process.env;
assert.ok(WARD_URL, "run me with: ward sandbox run -- node --test");

export const owner = WARD_API_KEY;
export const integration = WARD_INTEGRATION_KEY;

/** The data of an operation; throws what `errors` or `messages` say. Without a key: a visitor. */
export async function graphql(key, query, variables = {}) {
  const response = await fetch(WARD_GRAPHQL_URL, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "Healthie-GraphQL-API-Version": "2026-01-01",
      ...(key && { Authorization: `Basic ${key}`, AuthorizationSource: "API" }),
    },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(errors[0].message);
  for (const payload of Object.values(data)) {
    if (payload?.messages) throw new Error(payload.messages.map((it) => it.message).join("; "));
  }
  return data;
}

/** A call of the Sandbox's control plane. */
export async function control(method, path, body) {
  const response = await fetch(`${WARD_URL}/sandbox/v1/${path}`, {
    method,
    headers: { Authorization: `Basic ${owner}`, "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  assert.equal(response.status, 200, await response.clone().text());
  return response.json();
}

/** Whether a request's `Signature` is that of a webhook's secret. */
export function isSigned(secret, { path, signature, body }) {
  const digest = createHash("sha256").update(body).digest("hex");
  const [pathname, query = ""] = path.split("?");
  const text = `post ${pathname} ${query} ${digest} application/json ${Buffer.byteLength(body)}`;
  const expected = Buffer.from(`sig1=${createHmac("sha256", secret).update(text).digest("hex")}`);
  const given = Buffer.from(signature ?? "");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** A receiver of webhooks on a free port. `answer` gives the status of each request. */
export async function receiver(answer = () => 204) {
  const requests = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString("utf8");
    const { headers, url } = request;
    const arrived = { path: url, headers, signature: headers.signature, body, ...JSON.parse(body) };
    response.statusCode = answer(arrived, requests);
    requests.push(arrived);
    response.end();
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    url: `http://127.0.0.1:${server.address().port}/hook`,
    requests,
    /** Waits for a request that fits. */
    async wait(fits) {
      for (let n = 0; n < 500; n += 1) {
        const found = requests.find(fits);
        if (found) return found;
        await new Promise((later) => setTimeout(later, 20));
      }
      throw new Error(`did not arrive; what did: ${JSON.stringify(requests.map((it) => it.event_type))}`);
    },
    close: () => new Promise((done) => server.close(done)),
  };
}

/** A provider who can be booked, one of their types, and their next free time. */
export async function bookable() {
  const { currentUser } = await graphql(owner, "{ currentUser { id } }");
  const { appointmentTypes } = await graphql(
    null,
    "query($provider: ID) { appointmentTypes(provider_id: $provider, clients_can_book: true) { nodes { id name } } }",
    { provider: currentUser.id },
  );
  const type = appointmentTypes.nodes.find((it) => it.name === "Follow-up");
  const { nextAvailableSlot } = await graphql(
    null,
    'query($provider: String, $type: String) { nextAvailableSlot(provider_id: $provider, appt_type_id: $type, timezone: "America/New_York") }',
    { provider: currentUser.id, type: type.id },
  );
  return { provider: currentUser.id, type: type.id, date: nextAvailableSlot };
}

/** Books as a visitor of the practice's website; the appointment's id. */
export async function book({ provider, type, date }, email) {
  const { completeCheckout } = await graphql(
    null,
    "mutation($input: completeCheckoutInput) { completeCheckout(input: $input) { appointment { id date } messages { field message } } }",
    {
      input: {
        provider_id: provider,
        appointment_type_id: type,
        contact_type: "Healthie Video Call",
        date,
        timezone: "America/New_York",
        first_name: "Ada",
        last_name: "Ahlgren",
        email,
      },
    },
  );
  return completeCheckout.appointment;
}
