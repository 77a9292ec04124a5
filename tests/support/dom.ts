/** A document for React in Deno. Import this file before react-dom, which looks for a document once. */

import { Window } from "happy-dom";

const { document } = new Window({ url: "http://localhost/" });
Object.assign(globalThis, { window: globalThis, document });
for (const name of ["HTMLElement", "HTMLIFrameElement", "Node"] as const) {
  Object.assign(globalThis, { [name]: document.defaultView?.[name] });
}
