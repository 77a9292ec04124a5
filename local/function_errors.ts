// The answers of Supabase's gateway where a function gives none.

const ERRORS = {
  NOT_FOUND: [404, "Requested function was not found"],
  WORKER_ERROR: [502, "Function exited due to an error (please check logs)"],
  BOOT_ERROR: [503, "Function failed to start (please check logs)"],
  STOPPING: [503, "The local stack is stopping"],
  IDLE_TIMEOUT: [504, "The function did not answer in time"],
  WORKER_LIMIT: [
    546,
    "Function failed due to not having enough compute resources (please check logs)",
  ],
} as const;

/** The answer for a failure, by the platform's code: `{ code, message }`. */
export function functionError(code: keyof typeof ERRORS): Response {
  const [status, message] = ERRORS[code];
  return Response.json({ code, message }, { status, headers: { "sb-error-code": code } });
}
