/** The way in over HTTPS: authenticate, parse, dispatch, answer. */

import { createAdminClient } from "@supabase/server/core";
import { messages } from "../_messages/mod.ts";
import {
  authenticate,
  type Caller,
  chosenOptions,
  createApp,
  createMessenger,
  dispatchBody,
  type DispatchMessage,
  type OutgoingMessage,
  Problem,
  readJson,
  toMessageInput,
  toProblem,
  toScheduleOptions,
  toScheduleProblem,
} from "../_shared/symphony/index.ts";

const { bus, config, log, scheduler, transport } = createMessenger({
  supabase: createAdminClient(),
  messages,
});
const app = createApp("dispatch", { maxBodyBytes: config.maxBodyBytes, log });

app.post("/", async (c) => {
  const caller = await authenticate(c.req.raw, "secret-or-user");
  const body = await readJson(c, dispatchBody);
  if (!Array.isArray(body) && body.schedule) {
    return c.json({ scheduleId: await schedule(body, body.schedule, caller) }, 201);
  }
  const prepared = Array.isArray(body)
    ? await Promise.all(body.map((message, index) => prepare(message, caller, [index])))
    : [await prepare(body, caller, [])];
  return c.json({ ids: await transport.send(prepared) }, 202);
});

/** Checks one message and what its caller may do. @throws Problem that says where it is wrong */
async function prepare(
  message: DispatchMessage,
  caller: Caller,
  path: readonly number[],
): Promise<OutgoingMessage> {
  try {
    if (caller.kind === "secret") return await bus.prepare(toMessageInput(message, {}));
    authorize(message, path);
    const { user } = caller;
    return await bus.prepare(
      toMessageInput(message, { idempotencyScope: user.id, stamps: { user } }),
    );
  } catch (error) {
    throw toProblem(error, path);
  }
}

/** Makes a schedule, or changes the one with its name. @throws Problem that says where it is wrong */
async function schedule(
  message: DispatchMessage,
  schedule: NonNullable<DispatchMessage["schedule"]>,
  caller: Caller,
): Promise<string> {
  const options = toScheduleOptions(schedule, message);
  try {
    if (caller.kind === "secret") return await scheduler.schedule(message, options);
    authorize(message, []);
    // Under a name, a user could change what belongs to others.
    if (schedule.name !== undefined) throw forbidden(["schedule", "name"], "users may not name it");
    return await scheduler.schedule(message, options, { stamps: { user: caller.user } });
  } catch (error) {
    throw toScheduleProblem(error);
  }
}

/** Users dispatch what a definition opens to them, and choose what it lets them choose. */
function authorize(message: DispatchMessage, path: readonly number[]): void {
  const definition = bus.registry.get(message.type);
  if (definition?.access !== "authenticated") {
    throw forbidden([...path, "type"], "users may not dispatch messages of this type");
  }
  const refused = chosenOptions(message).find((option) => !definition.callerOptions.has(option));
  if (refused) throw forbidden([...path, refused], "users may not choose this");
}

function forbidden(path: readonly (string | number)[], message: string): Problem {
  return new Problem(403, "forbidden", `${path.join(".")}: ${message}`, [{ path, message }]);
}

export default { fetch: app.fetch };
