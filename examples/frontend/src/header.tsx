/** The header: the connection, and the account. */

import type { ReactNode } from "react";
import { Badge } from "./badge.tsx";
import { Mark } from "./icons.tsx";
import { describeConnection, type PageConnection } from "./words.ts";

/** The header; without `email`, that of somebody who is signed out. */
export function Header({ connection, email, onSignOut }: {
  readonly connection: PageConnection;
  readonly email?: string;
  readonly onSignOut?: () => void;
}): ReactNode {
  return (
    <header className="header">
      <div className="brand">
        <Mark />
        <span>Symphony Messenger</span>
      </div>
      <span role="status">
        <Badge words={describeConnection(connection)} label="Connection" />
      </span>
      {email && (
        <div className="account">
          <span className="email soft small">{email}</span>
          <button type="button" className="button plain compact" onClick={onSignOut}>
            Sign out
          </button>
        </div>
      )}
    </header>
  );
}
