// Two receivers of webhooks. /standard checks with the published `standardwebhooks` library, as it
// is; /contract as the public API's guide tells receivers to. The first line written is the port;
// each line read sets the secrets, {"standard": "…", "contract": "…"}; one line is written a request.
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import process from "node:process";
import { createInterface } from "node:readline";
import { Webhook } from "standardwebhooks";

let secrets = {};

function standard(request, body) {
  return new Webhook(secrets.standard).verify(body, request.headers);
}

/** The guide's way: of the parsed body, with what stands behind the first `=` of both headers. */
function contract(request, body) {
  const url = new URL(request.url, "http://localhost");
  const payload = JSON.parse(body);
  const text = JSON.stringify(payload);
  const digest = request.headers["content-digest"].split("=")[1];
  const given = request.headers.signature.split("=")[1];
  if (!request.headers["signature-input"]) throw new Error("no signature input");
  if (createHash("sha256").update(text).digest("hex") !== digest) throw new Error("another body");
  const base = [
    request.method.toLowerCase(),
    url.pathname,
    url.search.replace("?", ""),
    digest,
    "application/json",
    text.length,
  ].join(" ");
  const own = createHmac("sha256", secrets.contract).update(base).digest("hex");
  if (own.length !== given.length || !timingSafeEqual(Buffer.from(own), Buffer.from(given))) {
    throw new Error("another signature");
  }
  return payload;
}

const checks = { "/standard": standard, "/contract": contract };

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const path = request.url.split("?")[0];
  const told = { path, id: request.headers["webhook-id"], cause: request.headers["ward-cause"] };
  try {
    const payload = checks[path](request, Buffer.concat(chunks).toString("utf8"));
    Object.assign(told, { valid: true, event: payload.event_type, record: payload.resource_id });
    response.statusCode = 204;
  } catch (error) {
    Object.assign(told, { valid: false, why: String(error.message) });
    response.statusCode = 401;
  }
  console.log(JSON.stringify(told));
  response.end();
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
createInterface({ input: process.stdin })
  .on("line", (line) => {
    secrets = JSON.parse(line);
    console.log(JSON.stringify({ secrets: true }));
  })
  .on("close", () => process.exit(0));
