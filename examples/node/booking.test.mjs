import assert from "node:assert/strict";
import { test } from "node:test";
import { book, bookable, graphql, owner } from "./ward.mjs";

test("a visitor books the next free time, and the practice has it", async () => {
  const { id } = await book(await bookable(), "ada@example.com");
  const { appointment } = await graphql(
    owner,
    "query($id: ID) { appointment(id: $id) { id user { full_name email } } }",
    { id },
  );
  assert.equal(appointment.user.email, "ada@example.com");
});

test("of two who want the same time one gets it", async () => {
  const time = await bookable();
  const both = await Promise.allSettled([
    book(time, "bea@example.com"),
    book(time, "cem@example.com"),
  ]);
  assert.deepEqual(both.map((it) => it.status).sort(), ["fulfilled", "rejected"]);
  assert.notEqual((await bookable()).date, time.date);
});
