/** The services behind a shop: stock, payments, parcels. A test puts other functions in their place. */

import type { StepContext } from "../../../supabase/functions/_shared/symphony/index.ts";
import { post } from "./post.ts";

/** An order and its price. */
export interface Order {
  readonly order: string;
  readonly cents: number;
}

/** One call of a service. `refund` and `release` do nothing where nothing was charged or reserved. */
type Call = (order: Order, call: StepContext) => Promise<void>;

/** The services, by what they do. */
export const shop: Record<"reserve" | "release" | "charge" | "refund" | "ship", Call> = {
  reserve: ({ order }, call) => post(`https://stock.example/${order}/reserve`, {}, call),
  release: ({ order }, call) => post(`https://stock.example/${order}/release`, {}, call),
  charge: ({ order, cents }, call) => post(`https://pay.example/${order}/charge`, { cents }, call),
  refund: ({ order }, call) => post(`https://pay.example/${order}/refund`, {}, call),
  ship: ({ order }, call) => post(`https://parcels.example/${order}/ship`, {}, call),
};
