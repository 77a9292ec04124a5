/** The scheduler over schedules in Postgres keeps the contract, through real PostgREST. */

import { testsOfSchedules } from "../support/schedules.ts";
import { testScheduler } from "./scheduler_contract.ts";
import { START } from "./scheduler_under_test.ts";

testsOfSchedules(START, (test) => {
  testScheduler((sentence, body) => test(`over Supabase: ${sentence}`, body));
});
