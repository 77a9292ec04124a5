/** Where the problems of a schedule belong in its form. Pure. */

import type { ApiProblem } from "../../api/api-problem.ts";
import { type FieldErrors, NEW_SCHEDULE, type ScheduleField } from "./schedule-form-model.ts";

/** Problems by field; those of no field. */
export interface PlacedProblems {
  readonly fields: FieldErrors;
  readonly others: readonly string[];
}

/** Places the API's problems at the fields that they name. */
export function placeProblems(problem: ApiProblem | null): PlacedProblems {
  const fields: FieldErrors = {};
  const others: string[] = [];
  if (!problem) return { fields, others };
  for (const { path, message } of problem.issues) {
    const field = fieldOf(path);
    if (field === null) others.push([path.join("."), message].filter(Boolean).join(": "));
    else fields[field] ??= field === "payload" ? payloadWords(path, message) : message;
  }
  if (problem.issues.length === 0) others.push(problem.message);
  return { fields, others };
}

function fieldOf(path: readonly (string | number)[]): ScheduleField | null {
  const [first, ...rest] = path[0] === "schedule" ? path.slice(1) : path;
  if (first === "payload") return "payload";
  const name = first === "config" ? rest[0] : first;
  if (name === "type") return path[0] === "schedule" ? "kind" : "type";
  return typeof name === "string" && name in NEW_SCHEDULE ? name as ScheduleField : null;
}

function payloadWords(path: readonly (string | number)[], message: string): string {
  const at = path.slice(path.indexOf("payload") + 1).join(".");
  return at ? `${at}: ${message}` : message;
}
