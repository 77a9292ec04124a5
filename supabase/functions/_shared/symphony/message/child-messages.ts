/** Children of a message: those that a handler dispatches with `ctx.all`, and whose results it waits for. */

import type { z } from "zod";
import type { DispatchOptions } from "./dispatch-options.ts";

/** A child: its definition, its payload, and options of its dispatch. */
export type ChildMessage = readonly [
  definition: {
    readonly type: string;
    readonly schema: z.ZodType;
    readonly result?: z.ZodType | undefined;
  },
  payload: unknown,
  options?: DispatchOptions,
];

/** The result of a child, as its definition's `result` types it. */
export type ChildResult<Child extends ChildMessage> = Child[0] extends
  { readonly result: infer Result | undefined }
  ? Result extends z.ZodType ? z.output<Result> : unknown
  : unknown;

/** The results of children, in their order. */
export type ChildResults<Children extends readonly ChildMessage[]> = {
  -readonly [Index in keyof Children]: ChildResult<Children[Index]>;
};
