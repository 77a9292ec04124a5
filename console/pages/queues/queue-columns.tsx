/** Columns that all tables of queues have. */

import type { Schemas } from "../../api/api-client.ts";
import type { Column } from "../../components/data-table.tsx";
import { formatCount } from "../../components/relative-time.ts";
import { Time } from "../../components/time.tsx";

/** How many messages run, and since when the oldest due one waits. */
export const RUNNING_AND_OLDEST: readonly Column<Schemas["Queue"]>[] = [
  {
    key: "processing",
    title: "Running",
    isNumber: true,
    cell: ({ processing }) => formatCount(processing),
  },
  {
    key: "oldest",
    title: "Oldest due",
    isNumber: true,
    cell: ({ oldestReadyAt }) => <Time at={oldestReadyAt} />,
  },
];
