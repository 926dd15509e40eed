import assert from "node:assert/strict";
import { test } from "node:test";
import { book, bookable, control } from "./ward.mjs";

test("a client is reminded by mail before the appointment", async () => {
  const time = await bookable();
  await book({ ...time, date: plusDays(time.date, 7) }, "dora@example.com");
  const mails = async () => {
    const { items } = await control("GET", "inbox?to=dora@example.com&class=email");
    return items.map((it) => it.kind);
  };
  assert.ok(!(await mails()).includes("appointment_reminder"));
  const moved = await control("POST", "clock/advance", { by: "P14D" });
  assert.deepEqual(moved.stragglers, []);
  assert.ok((await mails()).includes("appointment_reminder"));
});

/** The same hour of the day, so many days later; without the offset, which may be another by then. */
function plusDays(date, days) {
  const at = new Date(`${date.slice(0, 10)}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10) + date.slice(10, 19);
}
