/** Compares files of generated types with the definitions. */

import type { GeneratedFile } from "./find-generated.ts";
import { loadDefinitions, type LoadedMessage } from "./definitions.ts";
import { describeDrift, driftBetween } from "./drift.ts";
import { generatedText, selectMessages } from "./generated-text.ts";

/** A file, and what would be written into it. */
export interface Examined {
  readonly file: GeneratedFile;
  /** The text that the definitions make. */
  readonly text: string;
  /** Which types changed; empty if none did. */
  readonly drift: string;
  /** How many types it tells of. */
  readonly count: number;
  /** How many it leaves out, which only secret keys may dispatch. */
  readonly secret: number;
  readonly messages: readonly LoadedMessage[];
}

/**
 * Examines files, whose definitions are loaded once.
 * @param files those of the project, or one that is yet to be written, with an empty text
 * @throws CommandError if the definitions cannot be loaded
 */
export async function examineGenerated(
  files: readonly GeneratedFile[],
  project: { readonly deno: string; readonly root: string },
): Promise<Examined[]> {
  const modules = new Map<string | undefined, Promise<LoadedMessage[]>>();
  const load = (messages: string | undefined) => {
    const loaded = modules.get(messages) ?? loadDefinitions({ ...project, messages });
    modules.set(messages, loaded);
    return loaded;
  };
  return await Promise.all(files.map(async (file) => {
    const messages = await load(file.options.messages);
    const text = generatedText(messages, file.options);
    const count = selectMessages(messages, file.options).length;
    const drift = describeDrift(driftBetween(file.text, text));
    return { file, text, drift, count, secret: messages.length - count, messages };
  }));
}
