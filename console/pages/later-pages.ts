/** The pages beside the overview that most come for, as one script that is loaded behind it. */

export { ActionsPage } from "./actions/actions-page.tsx";
export { BatchPage } from "./batches/batch-page.tsx";
export { BatchesPage } from "./batches/batches-page.tsx";
export { DeadLetterPage } from "./dead-letters/dead-letter-page.tsx";
export { DeadLettersPage } from "./dead-letters/dead-letters-page.tsx";
export { EventsPage } from "./events/events-page.tsx";
export { MessagePage } from "./messages/message-page.tsx";
export { MessagesPage } from "./messages/messages-page.tsx";
export { QueuePage } from "./queues/queue-page.tsx";
export { QueuesPage } from "./queues/queues-page.tsx";
export { ScheduleCalendarPage } from "./schedules/schedule-calendar-page.tsx";
export { SchedulePage } from "./schedules/schedule-page.tsx";
export { SchedulesPage } from "./schedules/schedules-page.tsx";
export { TicksPage } from "./ticks/ticks-page.tsx";
