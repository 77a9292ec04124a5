/** The page of a user: the jobs that this tab started, all their messages, and their schedules. */

import { type ReactNode, useEffect, useRef, useState } from "react";
import { useJob, useMessages } from "symphony-messenger/react";
import { JobCard } from "./cards/job-card.tsx";
import { catalog } from "./catalog.ts";
import { useConnection } from "./connection.ts";
import { Header } from "./header.tsx";
import { MessageList, type Status } from "./lists/message-list.tsx";
import { ScheduleList } from "./lists/schedule-list.tsx";
import { supabase } from "./project.ts";

const PAGE_SIZE = 10;

/** The page of the user who is signed in. */
export function Dashboard({ email }: { readonly email: string }): ReactNode {
  // Each job survives a reload of its tab, and is forgotten at the end of the session.
  const report = useJob("ExportReport");
  const calendar = useJob("SyncCalendar");
  const video = useJob("RenderVideo");
  const [status, setStatus] = useState<Status>();
  const list = useMessages({ status, limit: PAGE_SIZE });
  const connection = useConnection([report, calendar, video], list.messages);
  const heading = useRef<HTMLHeadingElement>(null);
  // Readers of screens begin at the top of a view that has just opened.
  useEffect(() => heading.current?.focus(), []);

  return (
    <div className="page">
      <Header
        connection={connection}
        email={email}
        onSignOut={() => supabase.auth.signOut()}
      />
      <main>
        <div className="intro">
          <h1 ref={heading} tabIndex={-1}>Jobs</h1>
          <p>
            They run in the background of your project. Start several, reload the page, lose the
            network: they continue, and so does what you see of them.
          </p>
        </div>
        <section className="jobs" aria-label="Start a job">
          <JobCard type={catalog.ExportReport} job={report} />
          <JobCard type={catalog.RenderVideo} job={video} />
          <JobCard type={catalog.SyncCalendar} job={calendar} />
        </section>
        <div className="lists">
          <MessageList list={list} status={status} onStatus={setStatus} />
          <ScheduleList onRun={list.refresh} />
        </div>
      </main>
    </div>
  );
}
