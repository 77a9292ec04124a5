/** That version has no schedules either. */

export { schedules } from "../messages/schedules.ts";
