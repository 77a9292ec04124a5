/** The pages of alerts, as one script. */

export { AlertPage } from "./alert-page.tsx";
export { AlertsPage } from "./alerts-page.tsx";
