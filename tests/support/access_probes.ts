/** The requests behind each row of SECURITY.md's table. */

import { signToken } from "../../supabase/functions/_shared/symphony/message/event-token.ts";
import { asStranger } from "./frontend.ts";
import type { MatrixCaller } from "./access_matrix.ts";
import { addFailed } from "./management.ts";
import type { Document } from "./openapi_inputs.ts";
import type { TestStack } from "./stack.ts";

/** Headers of a caller. */
type Headers = Record<string, string>;

/** One request that each caller makes. */
export interface Probe {
  readonly name: string;
  /** Makes what the request is about, and answers what sends it. */
  prepare(): Promise<(headers: Headers) => Promise<Response>>;
}

/** Requests that need nothing to be there. */
const probe = (name: string, send: (headers: Headers) => Promise<Response>): Probe => ({
  name,
  prepare: () => Promise.resolve(send),
});

/** One message to `dispatch`: alone and, where an array may hold it, in an array. */
export function dispatching(stack: TestStack, message: () => object): Probe[] {
  const alone = probe("alone", (headers) => stack.post("dispatch", message(), headers));
  if ("schedule" in message()) return [alone];
  return [
    alone,
    probe("in an array", (headers) => stack.post("dispatch", [message(), message()], headers)),
  ];
}

/** Asks what has become of messages that one of the callers has dispatched. */
export function following(stack: TestStack, by: readonly MatrixCaller[]): Probe[] {
  return by.flatMap(({ name, headers }) => [
    ofDispatched(
      stack,
      `of ${name}`,
      later,
      headers,
      (id, asking) => fetch(`${stack.url}/functions/v1/dispatch/${id}`, { headers: asking }),
    ),
    ofDispatched(stack, `among several of ${name}`, later, headers, async (id, asking) => {
      const response = await stack.post("dispatch/status", { ids: [id] }, asking);
      if (!response.ok) return response;
      const { missing } = await response.json();
      return new Response(null, { status: missing.includes(id) ? 404 : 200 });
    }),
  ]);
}

/** Cancels messages of a type that one of the callers has dispatched. */
export function cancelling(
  stack: TestStack,
  message: object,
  by: readonly MatrixCaller[],
): Probe[] {
  return by.map(({ name, headers }) =>
    ofDispatched(
      stack,
      `of ${name}`,
      message,
      headers,
      (id, asking) =>
        fetch(`${stack.url}/functions/v1/dispatch/${id}`, { method: "DELETE", headers: asking }),
    )
  );
}

/** A request about a message that a caller dispatches before. */
function ofDispatched(
  stack: TestStack,
  name: string,
  message: object,
  by: Headers,
  send: (id: string, headers: Headers) => Promise<Response>,
): Probe {
  const prepare = async () => {
    const { ids } = await (await stack.post("dispatch", message, by)).json();
    return (headers: Headers) => send(ids[0], headers);
  };
  return { name, prepare };
}

/** Dispatches a batch. */
export function batching(stack: TestStack, message: object): Probe[] {
  return [
    probe(
      "a batch",
      (headers) =>
        stack.post("dispatch/batches", { name: "ours", messages: [message, message] }, headers),
    ),
  ];
}

/** Shows or cancels a batch that one of the callers has dispatched. */
export function reachingBatches(
  stack: TestStack,
  method: "GET" | "DELETE",
  message: object,
  by: readonly MatrixCaller[],
): Probe[] {
  return by.map(({ name, headers }): Probe => ({
    name: `${method} a batch of ${name}`,
    prepare: async () => {
      const id = await batchOf(stack, message, headers);
      return (asking) =>
        fetch(`${stack.url}/functions/v1/dispatch/batches/${id}`, { method, headers: asking });
    },
  }));
}

async function eventOf({ sql }: TestStack): Promise<string> {
  const [row] = await sql<{ id: string }[]>`select public.messenger_emit('made') as id`;
  return row?.id ?? "";
}

async function batchOf(stack: TestStack, message: object, by?: Headers): Promise<string> {
  const batch = { name: "ours", messages: [{ ...message, payload: { text: "x" } }] };
  const made = await (await stack.post("dispatch/batches", batch, by)).json();
  return made.batchId;
}

/** Lists a user's own messages. */
export function listing(stack: TestStack): Probe[] {
  return ["", "?type=Open", "?status=pending"].map((query) =>
    probe(
      `list${query}`,
      (headers) => fetch(`${stack.url}/functions/v1/dispatch/messages${query}`, { headers }),
    )
  );
}

/** Lists a user's own batches. */
export function listingBatches(stack: TestStack): Probe[] {
  return [
    probe(
      "list of batches",
      (headers) => fetch(`${stack.url}/functions/v1/dispatch/batches?limit=5`, { headers }),
    ),
  ];
}

/** Shows, changes, pauses and deletes a schedule that one of the callers has made. */
export function changing(stack: TestStack, by: readonly MatrixCaller[]): Probe[] {
  const requests: [string, object?][] = [
    ["GET"],
    ["PATCH", { payload: { text: "y" } }],
    ["PATCH", { schedule: { maxRuns: 5 } }],
    ["PATCH", { enabled: false }],
    ["DELETE"],
  ];
  return by.flatMap(({ name, headers }) =>
    requests.map(([method, body]): Probe => ({
      name: `${method} ${JSON.stringify(body ?? "")} of ${name}`,
      prepare: async () => {
        const made = await stack.post(
          "dispatch",
          { ...open, schedule: schedule.schedule },
          headers,
        );
        const { scheduleId } = await made.json();
        return (asking) =>
          fetch(`${stack.url}/functions/v1/dispatch/schedules/${scheduleId}`, {
            method,
            headers: { "content-type": "application/json", ...asking },
            ...(body && { body: JSON.stringify(body) }),
          });
      },
    }))
  );
}

/** Callers whose messages can be followed with a secret key only. */
export function withoutUser(stack: TestStack): MatrixCaller[] {
  return [
    { name: "a backend", column: "", headers: { apikey: stack.secretKey } },
    { name: "a visitor", column: "", headers: asStranger(stack) },
  ];
}

/** A user's own schedules: lists them, and deletes one of the user who made it. */
export function owning(stack: TestStack): Probe[] {
  return [
    probe("list", (headers) => fetch(`${stack.url}/functions/v1/dispatch/schedules`, { headers })),
    {
      name: "delete",
      prepare: () =>
        Promise.resolve(async (headers) => {
          // Only users have one.
          const made = headers.authorization === undefined
            ? null
            : await stack.post("dispatch", { ...open, schedule: schedule.schedule }, headers);
          const { scheduleId = "1" }: { scheduleId?: string } = await made?.json() ?? {};
          return await fetch(`${stack.url}/functions/v1/dispatch/schedules/${scheduleId}`, {
            method: "DELETE",
            headers,
          });
        }),
    },
  ];
}

/** An event under a caller's credentials. */
export function emitting(stack: TestStack, event: string): Probe[] {
  return [
    probe(
      event,
      (headers) =>
        stack.post(
          `dispatch/events/${encodeURIComponent(event)}`,
          { value: { ok: true } },
          headers,
        ),
    ),
  ];
}

/** A token that was made for this request. @param more makes it a forged one */
export function redeeming(stack: TestStack, more: string): Probe[] {
  return [probe("a token", (headers) => {
    const content = {
      event: "approved:42",
      messageId: "1",
      expiresAt: Date.now() + 60_000,
      tokenId: crypto.randomUUID(),
    };
    const token = signToken(content, stack.secretKey) + more;
    return stack.post("dispatch/events", { token, value: { ok: true } }, headers);
  })];
}

/** Ticks, waited for and not. */
export function ticking(stack: TestStack): Probe[] {
  return [{}, { wait: false }].map((body) =>
    probe(JSON.stringify(body), (headers) => stack.post("tick", body, headers))
  );
}

const open = { type: "Open", payload: { text: "x" } };
const later = { ...open, delay: "1h" };
const message = { type: "Note", payload: { text: "x" } };
const schedule = { ...message, schedule: { type: "cron", config: { cron: "@daily" } } };

/** The body of each operation of the management API, or what makes one; null where it has none. */
export const OPERATIONS: Readonly<Record<string, object | (() => object) | null>> = {
  listSchedules: null,
  createSchedule: schedule,
  getSchedule: null,
  updateSchedule: { maxRuns: 5 },
  deleteSchedule: null,
  pauseSchedule: { reason: "holidays" },
  resumeSchedule: null,
  triggerSchedule: {},
  previewSchedule: null,
  listScheduleRuns: null,
  listFailedMessages: null,
  getFailedMessage: null,
  declareTransports: null,
  prune: { failedOlderThan: "30d", dryRun: true },
  removeFailedMessage: null,
  redriveFailedMessages: { type: "Note" },
  redriveFailedMessage: {},
  removeFailedMessages: { type: "Note" },
  listMessages: null,
  getMessage: null,
  cancelMessages: { type: "Note" },
  cancelMessage: null,
  runMessages: { type: "Note" },
  runMessage: null,
  listQueues: null,
  listLanes: null,
  createQueue: () => ({ name: `made-${crypto.randomUUID()}` }),
  deleteQueue: null,
  getQueue: null,
  updateQueue: { concurrency: 5 },
  pauseQueue: null,
  resumeQueue: null,
  getHealth: null,
  getStats: null,
  getTimeSeries: null,
  listBacklogs: null,
  getMetrics: null,
  listTicks: null,
  listActions: null,
  listTypes: null,
  setUp: {},
  listObjects: null,
  listBatches: null,
  listTransports: null,
  listOutbox: null,
  cancelOutbox: { type: "Note" },
  runOutbox: { transport: "none" },
  resendOutbox: { transport: "none", since: "2026-01-01T00:00:00Z" },
  getBatch: null,
  listBatchMembers: null,
  getAccess: null,
  groupFailedMessages: null,
  previewNewSchedule: { schedule: schedule.schedule },
  listUpcomingRuns: null,
  listEvents: null,
  listWaitingMessages: null,
  getEvent: null,
  cancelBatch: {},
  listWebhookEndpoints: null,
  createWebhookEndpoint: () => ({
    name: `made-${crypto.randomUUID()}`,
    url: "https://example.com/",
  }),
  getWebhookEndpoint: null,
  updateWebhookEndpoint: { rateLimit: 5 },
  deleteWebhookEndpoint: null,
  enableWebhookEndpoint: null,
  disableWebhookEndpoint: null,
  testWebhookEndpoint: null,
  rotateWebhookSecret: { overlap: "1h" },
  listWebhookDeliveries: null,
  resendWebhooks: { endpoint: "none" },
  listAlerts: null,
  getAlert: null,
  createAlert: () => ({ name: `made-${crypto.randomUUID()}`, rule: "no_tick" }),
  updateAlert: { enabled: true },
  deleteAlert: null,
  listAlertChannels: null,
  getAlertChannel: null,
  setAlertChannel: { kind: "message", messageType: "Note" },
  deleteAlertChannel: null,
  testAlertChannel: null,
  listAlertDeliveries: null,
  getAlertDelivery: null,
  retryAlertDelivery: null,
};

/** Queries of the operations that need one. */
const QUERIES: Readonly<Record<string, string>> = { listBacklogs: "?queues=default" };

/** Paths that the OpenAPI document does not list: itself. */
const DOCUMENT = { get: { operationId: "getOpenApi", responses: {} } };

/** The operations of the management API that read, those that change something, or the setup. */
export function managing(
  stack: TestStack,
  document: Document,
  kind: "reads" | "changes" | "setup",
): Probe[] {
  const paths = { ...document.paths, "/openapi.json": DOCUMENT };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method, { operationId }]) => kindOf(method, operationId) === kind)
      .map(([method, { operationId }]): Probe => ({
        name: operationId,
        prepare: async () => {
          const filled = path.replace("{name}", await namedOf(stack, path, operationId))
            .replace("{id}", await subjectOf(stack, path));
          const made = OPERATIONS[operationId];
          const body = typeof made === "function" ? made() : made;
          return (headers) =>
            fetch(`${stack.url}/functions/v1/messenger${filled}${QUERIES[operationId] ?? ""}`, {
              method: method.toUpperCase(),
              headers: { "content-type": "application/json", ...headers },
              ...(body && { body: JSON.stringify(body) }),
            });
        },
      }))
  );
}

/** The setup takes a secret key, unlike the other changes. */
function kindOf(method: string, operationId: string): "reads" | "changes" | "setup" {
  if (operationId === "setUp") return "setup";
  return method === "get" ? "reads" : "changes";
}

/** The name of a webhook endpoint, an alert, a channel or a queue that a path needs. */
async function namedOf(stack: TestStack, path: string, operationId: string): Promise<string> {
  const name = `made-${crypto.randomUUID()}`;
  if (path.startsWith("/webhooks/")) return await endpointOf(stack);
  if (path.startsWith("/alerts/")) {
    await stack.sql`select public.messenger_create_alert(${name}, 'no_tick')`;
    return name;
  }
  if (path.startsWith("/alert-channels/")) {
    await stack.sql`select public.messenger_set_alert_channel(${name},
      '{"kind":"message","message_type":"Note"}')`;
    return name;
  }
  return operationId === "deleteQueue" ? await emptyQueue(stack) : "default";
}

/** Makes a webhook endpoint, and returns its name. */
async function endpointOf({ sql }: TestStack): Promise<string> {
  const name = `endpoint-${crypto.randomUUID()}`;
  await sql`select messenger_create_webhook_endpoint(${name}, '{"url":"https://example.com/"}')`;
  return name;
}

/** Makes a queue that holds nothing, and returns its name. */
async function emptyQueue({ sql }: TestStack): Promise<string> {
  const name = `empty-${crypto.randomUUID()}`;
  await sql`insert into public.messenger_queues (name) values (${name})`;
  return name;
}

/** Makes the transport known whose messages are run and sent again. */
async function knowTransport({ sql }: TestStack): Promise<void> {
  await sql`insert into messenger.relays (transport, shard) values ('none', 0)
    on conflict do nothing`;
}

/** Makes a delivery that failed, and returns its id. */
async function deliveryOf({ sql }: TestStack): Promise<string> {
  const [row] = await sql<{ id: string }[]>`
    insert into public.messenger_alert_deliveries (channel, event, body, status)
    values ('gone', 'firing', '{}', 'failed') returning id::text`;
  return row?.id ?? "";
}

/** Makes the object that a path needs, and returns its id. */
async function subjectOf(stack: TestStack, path: string): Promise<string> {
  const [id = ""] = await stack.dispatch({ ...message, delay: "1h" });
  if (path.startsWith("/messages")) return id;
  if (path.startsWith("/failed-messages")) return await addFailed(stack);
  if (path.startsWith("/outbox")) await knowTransport(stack);
  if (path.startsWith("/events")) return await eventOf(stack);
  if (path.startsWith("/alert-deliveries")) return await deliveryOf(stack);
  if (path.startsWith("/batches")) return await batchOf(stack, { ...message, delay: "1h" });
  if (!path.startsWith("/schedules")) return id;
  const made = await stack.post("dispatch", schedule);
  return (await made.json()).scheduleId;
}

/** Every table and view of the bus that the Data API shows, read and written over the Data API. */
export async function relations(stack: TestStack): Promise<Probe[]> {
  const found = await stack.sql<{ name: string; columns: string[]; writable: boolean }[]>`
    select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns,
      pg_relation_is_updatable(c.oid, true) > 0 as writable
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and a.attidentity = ''
    where c.relnamespace = 'public'::regnamespace and c.relname like 'messenger%'
      and c.relkind in ('r', 'p', 'v', 'm', 'f')
    group by c.oid order by 1`;
  return found.flatMap(({ name, columns: [first = ""], writable }) => {
    const at = `${stack.url}/rest/v1/${name}`;
    const send = (method: string, url: string, body?: unknown) =>
      probe(`${method} ${name}`, (headers) =>
        fetch(url, {
          method,
          headers: { "content-type": "application/json", ...headers },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        }));
    // A view that adds rows up cannot be written.
    if (!writable) return [send("GET", at)];
    return [
      send("GET", at),
      // No row, which asks for the right to write one nonetheless.
      send("POST", at, []),
      send("PATCH", `${at}?${first}=is.null`, { [first]: null }),
      send("DELETE", `${at}?${first}=is.null`),
    ];
  });
}

/** Every SQL function of the bus that the Data API can call. */
export async function functions(stack: TestStack): Promise<Probe[]> {
  const found = await stack.sql<{ name: string; args: string[] | null }[]>`
    select p.proname as name, p.proargnames[1:p.pronargs] as args
    from pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proname like 'messenger%'
      and p.prorettype <> 'trigger'::regtype and p.prokind = 'f'
    order by 1`;
  return found.map(({ name, args }) =>
    probe(name, (headers) =>
      fetch(`${stack.url}/rest/v1/rpc/${name}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(Object.fromEntries((args ?? []).map((arg) => [arg, null]))),
      }))
  );
}
