/** Lines of the action log in words. Pure. */

const WORDS: Readonly<Record<string, string>> = {
  redrive: "Redrive",
  remove_failed: "Remove dead letters",
  cancel: "Cancel messages",
  cancel_batch: "Cancel batch",
  run: "Run now",
  create_queue: "Create queue",
  set_queue: "Change queue",
  delete_queue: "Delete queue",
  save_schedules: "Save schedule",
  pause_schedule: "Pause schedule",
  resume_schedule: "Resume schedule",
  trigger_schedule: "Trigger schedule",
  unschedule: "Delete schedule",
  create_alert: "Create alert",
  set_alert: "Change alert",
  delete_alert: "Delete alert",
  set_alert_channel: "Set channel of alerts",
  delete_alert_channel: "Delete channel of alerts",
  test_alert_channel: "Test channel of alerts",
  retry_alert_delivery: "Send alert again",
  create_webhook_endpoint: "Create webhook endpoint",
  set_webhook_endpoint: "Change webhook endpoint",
  delete_webhook_endpoint: "Delete webhook endpoint",
  rotate_webhook_secret: "Rotate webhook secret",
  test_webhook_endpoint: "Test webhook endpoint",
  resend_webhooks: "Send webhooks again",
  prune: "Prune",
  setup: "Setup",
};

/** An action in words; of one that a later release added, its name. */
export function actionWords(action: string): string {
  return WORDS[action] ?? action.replaceAll("_", " ");
}

/** Longest list of ids that is written out. */
const MAX_IDS = 5;

/** The arguments of an action in one line: `type EmailMessage, error timeout`. */
export function targetWords(target: unknown): string {
  if (typeof target !== "object" || target === null) return String(target ?? "");
  return Object.entries(target).map(([name, value]) => wordsOf(name, value)).join(", ");
}

function wordsOf(name: string, value: unknown): string {
  if (name === "schedules" && Array.isArray(value)) return value.map(scheduleWords).join(", ");
  if (name === "settings" && typeof value === "object") return targetWords(value);
  if (value === true) return name;
  const words = Array.isArray(value)
    ? listWords(value)
    : typeof value === "object" && value !== null
    ? `(${targetWords(value)})`
    : String(value);
  return `${name.replaceAll("_", " ")} ${words}`;
}

function listWords(values: readonly unknown[]): string {
  const shown = values.slice(0, MAX_IDS).join(" ");
  const more = values.length - MAX_IDS;
  return more > 0 ? `${shown} and ${more} more` : shown;
}

function scheduleWords(schedule: unknown): string {
  if (typeof schedule !== "object" || schedule === null) return String(schedule);
  const { id, name, change, cron, message_type: type } = schedule as Record<string, unknown>;
  return [change, name ?? id, type, cron].filter(Boolean).join(" ");
}
