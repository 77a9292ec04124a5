/** The pages of transports and of the outbox, as one script. */

export { TransportPage } from "./transport-page.tsx";
export { TransportsPage } from "./transports-page.tsx";
