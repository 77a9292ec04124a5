/** `alerts deliveries`: list, retry. */

import { type Command, Option } from "commander";
import { addCommand, type Context, limitOption, pathTo, text } from "../context.ts";

const COLUMNS = [
  ...["id", "createdAt", "alert", "channel", "event", "status", "attempts", "nextAttemptAt"],
  ...["statusCode", "error"],
];

/** Which deliveries are listed. */
interface Filter {
  readonly alert?: string;
  readonly channel?: string;
  readonly status?: string;
  readonly limit: number;
}

/** Adds the commands of deliveries. */
export function addAlertDeliveries(alerts: Command, context: Context): void {
  const deliveries = alerts.command("deliveries")
    .description("what was told of alerts: list, retry");
  addCommand<Filter>(
    deliveries,
    context,
    "list",
    "lists what was told, the latest first",
    [
      text("--alert <name>", "of this alert"),
      text("--channel <name>", "on this channel"),
      new Option("--status <status>", "in this state")
        .choices(["pending", "sent", "delivered", "failed"]),
      limitOption(),
    ],
    (_, { alert, channel, status, limit }) =>
      context.list(
        "/alert-deliveries",
        "deliveries",
        COLUMNS,
        { alert, channel, status },
        limit,
      ),
  );
  addCommand(
    deliveries,
    context,
    "retry <id>",
    "sends one now that failed or waits",
    [],
    async ([id = ""]) =>
      context.sayEntry(
        (await context.call("POST", `${pathTo("alert-deliveries", id)}/retry`, {})).body,
      ),
  );
}
