/** `webhooks`: endpoints and deliveries. */

import { type Command, Option } from "commander";
import {
  addCommand,
  type Context,
  limitOption,
  number,
  numberOrNone,
  orNull,
  pathTo,
  text,
} from "../context.ts";
import { UsageError } from "../../errors.ts";
import { changeMany } from "../many.ts";
import { parseMoment } from "../times.ts";

const ENDPOINT_COLUMNS = ["name", "url", "events", "failingSince", "disabledBy", "disabledReason"];
const DELIVERY_COLUMNS = [
  ...["id", "endpoint", "event", "attempt", "delivered", "status", "durationMs", "sentAt"],
  ...["error", "answer"],
];

interface Settings {
  url?: string;
  events?: string;
  secret?: string;
  rateLimit?: number | "none";
  ratePeriodMs?: number;
  disableAfterMs?: number | "none";
}

interface DeliveryFilter {
  endpoint?: string;
  event?: string;
}

const settings = () => [
  text("--url <url>", "where events are posted: https, at a public address"),
  text("--events <patterns>", "the events that it wants: order.paid,user.* or *"),
  text("--secret <name>", "a secret in Vault, webhook_...; one is made otherwise"),
  numberOrNone("--rate-limit <n>", "largest number of calls within a rate period, or none"),
  number("--rate-period-ms <ms>", "the rate period"),
  numberOrNone("--disable-after-ms <ms>", "how long every call may fail, or none"),
];

const filterOptions = () => [
  text("--endpoint <name>", "of this endpoint"),
  text("--event <name>", "of this event"),
];

const path = (name: string) => pathTo("webhooks", name);

/** Adds the commands of webhooks. */
export function addWebhooks(program: Command, context: Context): void {
  const webhooks = program.command("webhooks").description(
    "webhook endpoints: list, show, create, set, enable, disable, rotate, test, delete; deliveries, resend",
  );
  addReading(webhooks, context);
  addChanges(webhooks, context);
  addDeliveries(webhooks, context);
}

function addReading(webhooks: Command, context: Context): void {
  addCommand<{ limit: number }>(
    webhooks,
    context,
    "list",
    "lists endpoints by name",
    [limitOption()],
    (_, { limit }) => context.list("/webhooks", "endpoints", ENDPOINT_COLUMNS, {}, limit),
  );
  addCommand(
    webhooks,
    context,
    "show <name>",
    "shows an endpoint",
    [],
    async ([name = ""]) => context.sayEntry((await context.call("GET", path(name))).body),
  );
}

function addChanges(webhooks: Command, context: Context): void {
  const add = <Options extends object>(
    words: string,
    description: string,
    options: readonly Option[],
    act: (name: string, options: Options) => Promise<void>,
  ) =>
    addCommand<Options>(
      webhooks,
      context,
      words,
      description,
      options,
      ([name = ""], given) => act(name, given),
    );
  add<Settings>("create <name>", "makes an endpoint and shows its secret", settings(), (
    name,
    options,
  ) => sayWithSecret(context, "POST", "/webhooks", { name, ...given(options) }));
  add<Settings>("set <name>", "changes the settings that are given", settings(), async (
    name,
    options,
  ) => {
    const changes = given(options);
    if (Object.keys(changes).length === 0) {
      throw new UsageError(`give at least one of ${settings().map(({ long }) => long).join(", ")}`);
    }
    context.sayEntry((await context.call("PATCH", path(name), changes)).body);
  });
  add<{ overlap?: string }>(
    "rotate <name>",
    "makes a new secret and shows it; the former one signs as well for a while",
    [text("--overlap <duration>", "how long: 24h, 7d")],
    (name, { overlap }) =>
      sayWithSecret(context, "POST", `${path(name)}/rotate-secret`, {
        ...(overlap !== undefined && { overlap }),
      }),
  );
  for (
    const [verb, description] of [
      ["enable", "publishes events to an endpoint again"],
      ["disable", "publishes no events to an endpoint"],
    ] as const
  ) {
    add(
      `${verb} <name>`,
      description,
      [],
      async (name) =>
        context.sayEntry((await context.call("POST", `${path(name)}/${verb}`, {})).body),
    );
  }
  add("test <name>", "publishes the event webhook.test to an endpoint", [], async (name) => {
    const { body } = await context.call("POST", `${path(name)}/test`, {});
    context.say(body, `published; see: symphony-messenger webhooks deliveries --endpoint ${name}`);
  });
  add("delete <name>", "deletes an endpoint and its secret", [], async (name) => {
    const { body } = await context.call("DELETE", path(name));
    context.say(body, `${name} deleted`);
  });
}

function addDeliveries(webhooks: Command, context: Context): void {
  addCommand<DeliveryFilter & { failed?: boolean; limit: number }>(
    webhooks,
    context,
    "deliveries",
    "lists attempts, the latest first",
    [...filterOptions(), new Option("--failed", "only those that failed"), limitOption()],
    (_, { failed, limit, endpoint, event }) =>
      context.list("/webhook-deliveries", "deliveries", DELIVERY_COLUMNS, {
        endpoint,
        event,
        delivered: failed ? "false" : undefined,
      }, limit),
  );
  addCommand<DeliveryFilter & { from?: string; to?: string; all?: boolean; dryRun?: boolean }>(
    webhooks,
    context,
    "resend [ids...]",
    "sends again: attempts by ids, or by a filter what failed last",
    [
      ...filterOptions(),
      text("--from <time>", "sent at this time or later: 2h, yesterday, an ISO time"),
      text("--to <time>", "sent before this time"),
      new Option("--all", "everything that failed last; goes with no filter"),
      new Option("--dry-run", "only counts"),
    ],
    (ids, { dryRun = false, from, to, all, endpoint, event }) => {
      const moment = (value: string, option: string) =>
        parseMoment(value, option, context.io.now(), "ago").toISOString();
      const body = {
        ...(endpoint !== undefined && { endpoint }),
        ...(event !== undefined && { event }),
        ...(from !== undefined && { sentFrom: moment(from, "from") }),
        ...(to !== undefined && { sentUntil: moment(to, "to") }),
        ...(all && { all }),
      };
      return changeMany(context, {
        ...{ path: "/webhook-deliveries/resend", body, ids, dryRun },
        ...{ participle: "sent again", noun: "attempt", isCounted: false },
      });
    },
  );
}

/** Says an endpoint, and the secret that was made for it. */
async function sayWithSecret(
  context: Context,
  method: "POST",
  path: string,
  body: object,
): Promise<void> {
  const { endpoint, secret } = (await context.call(method, path, body)).body as {
    endpoint: Record<string, unknown>;
    secret?: string;
  };
  context.sayEntry({ ...endpoint, ...(secret !== undefined && { secretValue: secret }) });
}

function given({ events, ...rest }: Settings): Record<string, unknown> {
  const { json: _json, wide: _wide, ...settings } = rest as Record<string, unknown>;
  return {
    ...Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [name, orNull(value)]),
    ),
    ...(events !== undefined && { events: events.split(",").map((event) => event.trim()) }),
  };
}
