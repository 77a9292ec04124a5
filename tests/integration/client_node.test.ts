/** The client under Node, as the bundle that browsers get. */

import { assertEquals } from "@std/assert";
import { bundle } from "../../examples/bundle.ts";
import { eventually, testsOnStack } from "../support/stack.ts";

testsOnStack({}, (test) => {
  test("the bundled client dispatches, follows and tells errors apart under Node", async (stack) => {
    const path = await Deno.makeTempFile({ suffix: ".mjs" });
    await Deno.writeTextFile(path, await bundle(new URL("../../client/mod.ts", import.meta.url)));
    const script = `
      import { createClient } from "@supabase/supabase-js";
      import { createMessengerClient, isMessengerError, message } from "file://${path}";
      // Node 20 has no WebSocket of its own; Realtime is not used here.
      class NoSocket {}
      const supabase = createClient("${stack.url}", "${stack.publishableKey}", {
        auth: { persistSession: false, autoRefreshToken: false },
        realtime: { transport: NoSocket },
      });
      const { error } = await supabase.auth.signUp({ email: "n@example.org", password: "engine" });
      if (error) throw error;
      const messenger = createMessengerClient(supabase);
      const refused = await messenger.dispatch(message("Secret"), { text: "x" }).catch((e) => e);
      const job = await messenger.dispatch(message("Shaky"), { failures: 0 });
      const { status } = await job.finished();
      console.log(JSON.stringify([isMessengerError(refused), refused.code, status]));
      process.exit();`;
    const running = new Deno.Command("node", {
      args: ["--input-type=module", "--eval", script],
      cwd: new URL("../..", import.meta.url).pathname,
      stdout: "piped",
      stderr: "piped",
    }).output();
    let isOver = false;
    const output = running.finally(() => isOver = true);
    await eventually(
      () => stack.tick(),
      ({ messages }) => messages.handled > 0 || isOver,
      60_000,
    );
    const { stdout, stderr } = await output;
    const printed = new TextDecoder().decode(stdout) || new TextDecoder().decode(stderr);
    assertEquals(printed.trim(), '[true,"forbidden","handled"]');
    await Deno.remove(path);
  });
});
