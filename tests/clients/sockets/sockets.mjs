// Unmodified clients against a running Ward: `@rails/actioncable` and `graphql-ws`.
// node sockets.mjs --port PORT; the owner's key is in WARD_API_KEY.
import { createRequire } from "node:module";
import process from "node:process";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

// The browser that @rails/actioncable expects around it.
globalThis.addEventListener ??= () => {};
globalThis.removeEventListener ??= () => {};
globalThis.document ??= { visibilityState: "visible" };
const { createConsumer, adapters } = createRequire(import.meta.url)("@rails/actioncable");
adapters.WebSocket = WebSocket;

const port = process.argv[process.argv.indexOf("--port") + 1];
const key = process.env.WARD_API_KEY;
const SUBSCRIPTION = "subscription { userUpdatedSubscription { __typename id } }";
const PATIENCE = 20_000;

function ok(what) {
  console.log(`ok ${what}`);
}

function check(is, what) {
  if (!is) throw new Error(what);
}

/** Messages that come one after another, each waited for. */
class Inbox {
  #waiting = [];
  #wanted = [];
  push(message) {
    const wanted = this.#wanted.shift();
    if (wanted) wanted(message);
    else this.#waiting.push(message);
  }
  next(what) {
    if (this.#waiting.length > 0) return Promise.resolve(this.#waiting.shift());
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${what} did not come`)), PATIENCE);
      this.#wanted.push((message) => {
        clearTimeout(late);
        resolve(message);
      });
    });
  }
  get isEmpty() {
    return this.#waiting.length === 0;
  }
}

/** A request over HTTP; its data. */
async function ask(query, variables = {}) {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Basic ${key}` },
    body: JSON.stringify({ query, variables }),
  });
  const body = await response.json();
  check(!body.errors, JSON.stringify(body));
  return body.data;
}

let renamed = 0;
/** The owner changes their own name, which the subscription tells. */
async function rename() {
  renamed += 1;
  const query =
    "mutation($name: String) { updateOrganizationMember(input: {first_name: $name}) { user { id } messages { message } } }";
  const data = await ask(query, { name: `Name ${renamed}` });
  check(data.updateOrganizationMember.user, JSON.stringify(data));
}

async function cable(path, me) {
  const consumer = createConsumer(`ws://127.0.0.1:${port}${path}?token=${encodeURIComponent(key)}`);
  const inbox = new Inbox();
  const confirmed = new Inbox();
  const channel = { channel: "GraphqlChannel", channelId: "19a0c \"é\"" };
  const subscription = consumer.subscriptions.create(channel, {
    connected: () => confirmed.push("connected"),
    received: (data) => inbox.push(data),
  });
  await confirmed.next(`${path}: the confirmation`);
  ok(`${path}: connected and confirmed`);
  subscription.perform("execute", { query: SUBSCRIPTION, variables: {}, operationName: null });
  const first = await inbox.next(`${path}: the first answer`);
  check(first.more === true && JSON.stringify(first.result) === '{"data":{}}', JSON.stringify(first));
  ok(`${path}: the first answer`);
  for (let n = 0; n < 3; n += 1) {
    await rename();
    const event = await inbox.next(`${path}: an event`);
    const told = event.result.data.userUpdatedSubscription;
    check(event.more === true && told.id === me, JSON.stringify(event));
    check(told.__typename === "UserNotificationsCount", JSON.stringify(event));
  }
  ok(`${path}: each event once, as it happens`);
  const other = consumer.subscriptions.create(
    { channel: "GraphqlChannel", channelId: "2" },
    { connected: () => confirmed.push("connected"), received: (data) => inbox.push(data) },
  );
  await confirmed.next(`${path}: the second confirmation`);
  other.perform("execute", { query: "subscription { nothing { id } }" });
  const refused = await inbox.next(`${path}: the refusal`);
  check(refused.more === false && refused.result.errors.length === 1, JSON.stringify(refused));
  ok(`${path}: a refused document ends its stream`);
  other.perform("execute", { query: "{ currentUser { id } }" });
  const answer = await inbox.next(`${path}: the answer`);
  check(answer.more === false && answer.result.data.currentUser.id === me, JSON.stringify(answer));
  ok(`${path}: a query has one answer`);
  subscription.unsubscribe();
  other.perform("execute", { query: "{ __typename }" });
  await inbox.next(`${path}: the answer behind the end`);
  await rename();
  other.perform("execute", { query: "{ __typename }" });
  const next = await inbox.next(`${path}: the next answer`);
  check(next.result.data.__typename === "Query" && inbox.isEmpty, JSON.stringify(next));
  ok(`${path}: nothing after the end`);
  const rejected = new Inbox();
  consumer.subscriptions.create("NoSuchChannel", { rejected: () => rejected.push(true) });
  await rejected.next(`${path}: the rejection`);
  ok(`${path}: another channel is rejected`);
  consumer.disconnect();
}

async function cableUnauthorized() {
  const consumer = createConsumer(`ws://127.0.0.1:${port}/subscriptions?token=ward_made_up`);
  const disconnected = new Inbox();
  consumer.subscriptions.create("GraphqlChannel", { disconnected: (how) => disconnected.push(how) });
  const how = await disconnected.next("the disconnection");
  check(how.willAttemptReconnect === false, JSON.stringify(how));
  ok("actioncable: a wrong key is not tried again");
}

async function transport(me) {
  const client = createClient({
    url: `ws://127.0.0.1:${port}/graphql/ws`,
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: `Basic ${key}` },
    retryAttempts: 0,
  });
  const results = client.iterate({ query: "query($n: Boolean!) { currentUser { id email @skip(if: $n) } }", variables: { n: true } });
  const { value } = await results.next();
  check(JSON.stringify(value.data) === JSON.stringify({ currentUser: { id: me } }), JSON.stringify(value));
  check((await results.next()).done, "a query has one answer");
  ok("graphql-ws: a query");
  const events = client.iterate({ query: SUBSCRIPTION });
  const first = events.next();
  // The socket reads in order: once this is answered, the subscription listens.
  await client.iterate({ query: "{ __typename }" }).next();
  await rename();
  check((await first).value.data.userUpdatedSubscription.id === me, "an event");
  const second = events.next();
  await rename();
  check((await second).value.data.userUpdatedSubscription.id === me, "another event");
  ok("graphql-ws: events");
  await events.return();
  let errors;
  try {
    await client.iterate({ query: "subscription { nothing }" }).next();
  } catch (thrown) {
    errors = thrown;
  }
  check(Array.isArray(errors) && errors[0].message, `no errors: ${errors}`);
  ok("graphql-ws: a refused document");
  const changed = client.iterate({ query: "mutation { updateOrganizationMember(input: {first_name: \"Ward\"}) { user { id } messages { message } } }" });
  check((await changed.next()).value.data.updateOrganizationMember.user.id === me, "a mutation");
  ok("graphql-ws: a mutation");
  await client.dispose();
}

async function transportForbidden() {
  const client = createClient({
    url: `ws://127.0.0.1:${port}/graphql/ws`,
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: "Basic ward_made_up" },
    retryAttempts: 0,
  });
  let closed;
  try {
    await client.iterate({ query: "{ __typename }" }).next();
  } catch (thrown) {
    closed = thrown;
  }
  check(closed?.code === 4403, `not closed as forbidden: ${closed?.code}`);
  ok("graphql-ws: a wrong key is forbidden");
}

try {
  const me = (await ask("{ currentUser { id } }")).currentUser.id;
  await cable("/subscriptions", me);
  await cable("/cable", me);
  await cableUnauthorized();
  await transport(me);
  await transportForbidden();
  process.exit(0);
} catch (error) {
  console.log(`FAIL ${error.stack ?? JSON.stringify({ ...error, code: error.code, reason: error.reason })}`);
  process.exit(1);
}
