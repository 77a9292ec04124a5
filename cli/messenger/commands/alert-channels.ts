/** `alerts channels`: list, set, delete, test. */

import { type Command, Option } from "commander";
import { addCommand, type Context, pathTo, text } from "../context.ts";
import { EXIT } from "../../errors.ts";
import type { Entry } from "../table.ts";

const COLUMNS = ["name", "kind", "host", "messageType", "signed", "isDefault", "last", "error"];

/** Options of a channel, as commander gives them. */
interface Given {
  readonly kind: string;
  readonly url?: string;
  readonly secret?: string;
  readonly messageType?: string;
  readonly default?: boolean;
}

const settings = (): Option[] => [
  new Option("--kind <kind>", "what it is").choices(["slack", "discord", "webhook", "message"])
    .makeOptionMandatory(),
  text("--url <url>", "its URL, which goes into Vault; - reads it from stdin, away from the shell"),
  text("--secret <secret>", "signing secret of a webhook, whsec_..., or none for no signature"),
  text("--message-type <type>", "of kind message: the type that is dispatched"),
  new Option("--default", "alerts that name no channel are told here"),
];

/** Adds the commands of channels. */
export function addAlertChannels(alerts: Command, context: Context): void {
  const channels = alerts.command("channels")
    .description("where alerts are told: list, set, delete, test");
  const path = (name: string) => pathTo("alert-channels", name);
  addCommand(channels, context, "list", "lists channels, without their secrets", [], async () => {
    const { body } = await context.call("GET", "/alert-channels");
    const found = body.channels as Entry[];
    context.sayTable(context.json ? found : found.map(readable), COLUMNS);
  });
  addCommand<Given>(
    channels,
    context,
    "set <name>",
    "makes a channel or sets it; a URL or a secret that is left out stays",
    settings(),
    async ([name = ""], { kind, url, secret, messageType, default: isDefault }) => {
      const body = {
        kind,
        ...(url !== undefined && { url: url === "-" ? (await context.io.input()).trim() : url }),
        ...(secret !== undefined && { secret: secret === "none" ? null : secret }),
        ...(messageType !== undefined && { messageType }),
        ...(isDefault !== undefined && { isDefault }),
      };
      context.sayEntry((await context.call("PUT", path(name), body)).body);
    },
  );
  addCommand(channels, context, "delete <name>", "deletes a channel with its secrets", [], async (
    [name = ""],
  ) => {
    const { body } = await context.call("DELETE", path(name));
    context.say(body, `${name} deleted`);
  });
  addCommand(
    channels,
    context,
    "test <name>",
    "tells a test on a channel, and whether it arrived",
    [],
    async ([name = ""]) => {
      const { body } = await context.call("POST", `${path(name)}/test`, {});
      const why = body.error === null ? "" : `: ${body.error}`;
      context.say(body, `${body.status}${why}`);
      if (body.status !== "delivered") context.exitCode = EXIT.nothing;
    },
  );
}

function readable(channel: Entry): Entry {
  const last = channel.lastDelivery as Entry | null;
  return { ...channel, last: last?.status ?? null, error: last?.error ?? null };
}
