/** The schedules of the tests. */

export { schedules } from "../messages/schedules.ts";
