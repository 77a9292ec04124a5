/** The page's words about messages. */

import { assertEquals } from "@std/assert";
import type { FollowedState } from "symphony-messenger/client";
import { describeSeconds, describeState, describeStatus } from "./words.ts";

const NOW = Date.parse("2027-01-01T00:00:00Z");

const message = (changes: Partial<FollowedState>) =>
  ({
    kind: "message",
    id: "1",
    type: "ExportReport",
    status: "pending",
    cancelling: false,
    reason: null,
    attempt: 0,
    createdAt: "2027-01-01T00:00:00Z",
    availableAt: "2027-01-01T00:00:00Z",
    finishedAt: null,
    progress: null,
    ...changes,
  }) as FollowedState;

Deno.test("a retry is counted down in whole seconds, with the number of the next attempt", () => {
  const retrying = message({
    status: "retrying",
    attempt: 1,
    availableAt: "2027-01-01T00:00:03.2Z",
  });
  const at = (ms: number, attempts?: number) => describeState(retrying, attempts, NOW + ms);
  assertEquals(at(0, 4), "Tries again in 4 s, attempt 2 of 4");
  assertEquals(at(3_100, 4), "Tries again in 1 s, attempt 2 of 4");
  assertEquals(at(3_200), "Tries again now, attempt 2");
});

Deno.test("a message that waits says until when, or for what", () => {
  const due = (availableAt: string) => describeState(message({ availableAt }), 4, NOW);
  assertEquals(due("2027-01-01T00:02:05Z"), "Starts in 2 min 5 s");
  assertEquals(due("2026-12-31T23:59:59Z"), "Waits for a worker");
});

Deno.test("an ending says how long it took, or why it is one", () => {
  const end = (changes: Partial<FollowedState>) => describeState(message(changes), 4, NOW);
  const finishedAt = "2027-01-01T00:00:09Z";
  assertEquals(end({ status: "handled", attempt: 2, finishedAt }), "Took 9 s, 2 attempts");
  const failed = { status: "failed", attempt: 1, finishedAt } as const;
  assertEquals(
    end({ ...failed, reason: "unrecoverable" }),
    "A retry does not mend its failure after 1 attempt",
  );
  assertEquals(end({ status: "cancelled", reason: "cancelled" }), "Cancelled before it started");
});

Deno.test("a message that is being cancelled says so while it runs", () => {
  const words = (status: FollowedState["status"]) =>
    describeStatus(message({ status, cancelling: true })).word;
  assertEquals([words("processing"), words("cancelled")], ["Cancelling", "Cancelled"]);
});

Deno.test("seconds are told in two units at most", () => {
  assertEquals(
    [0, 59, 60, 125, 3_600, 7_320].map(describeSeconds),
    ["0 s", "59 s", "1 min", "2 min 5 s", "1 h", "2 h 2 min"],
  );
});
