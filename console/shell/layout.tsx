/** The frame of every page: the menu, the controls that hold for all pages, and the page. */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { BulkBar } from "../bulk/bulk-bar.tsx";
import { readLive, setLive } from "../api/live.ts";
import { Button } from "../components/controls.tsx";
import { Dialog } from "../components/dialog.tsx";
import { Icon } from "../components/icon.tsx";
import { Empty } from "../components/resource-view.tsx";
import { Toasts } from "../components/toast.tsx";
import { LiveControl } from "./live-control.tsx";
import { isWithin, NAVIGATION } from "./navigation.ts";
import { hrefTo, Link, usePlace } from "./router.tsx";
import { findPage, preloadPages } from "./routes.ts";
import { useSession } from "./session.tsx";
import { hasLetterKeys, listenToKeys, setLetterKeys, SHORTCUTS } from "./shortcuts.ts";
import { SignIn } from "./sign-in.tsx";
import { nextTheme, type Theme, useTheme } from "./theme.ts";

/** How long after the first page the others are loaded, in ms. */
const PRELOAD_MS = 1_500;

/** The console, below its session. */
export function Layout(): JSX.Element {
  const { path } = usePlace();
  const [showsHelp, setShowsHelp] = useState(false);
  const main = useRef<HTMLElement>(null);
  useEffect(() =>
    listenToKeys({
      showHelp: () => setShowsHelp(true),
      togglePause: () => setLive({ isPaused: !readLive().isPaused }),
    }), []);
  useEffect(() => {
    // Behind the first page's own requests.
    const timer = setTimeout(preloadPages, PRELOAD_MS);
    return () => clearTimeout(timer);
  }, []);
  const isFirst = useRef(true);
  useEffect(() => {
    // Screen readers read the new page's heading; the first page has nothing to be moved away from.
    if (!isFirst.current) {
      main.current?.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    isFirst.current = false;
  }, [path]);
  return (
    <>
      <div class="layout">
        <Menu path={path} onSkip={(event) => skipTo(event, main.current)} />
        <div class="layout-page">
          <TopBar onHelp={() => setShowsHelp(true)} />
          <main class="page" ref={main} tabIndex={-1}>
            <CurrentPage path={path} />
          </main>
          <BulkBar />
        </div>
      </div>
      <Toasts />
      <SignIn />
      {showsHelp && <Shortcuts onClose={() => setShowsHelp(false)} />}
    </>
  );
}

/** The hash is the place: a link to `#main` would leave it. */
function skipTo(event: Event, target: HTMLElement | null): void {
  event.preventDefault();
  target?.focus();
}

function CurrentPage({ path }: { readonly path: string }): JSX.Element {
  const found = findPage(path);
  if (!found) {
    return (
      <Empty title="There is no such page">
        <Link href={hrefTo("/")}>To the overview</Link>
      </Empty>
    );
  }
  // A page of another object begins with its own state.
  return <found.Page key={path} params={found.params} />;
}

interface MenuProps {
  readonly path: string;
  readonly onSkip: (event: Event) => void;
}

function Menu({ path, onSkip }: MenuProps): JSX.Element {
  const menu = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a phone the menu is a row that scrolls.
    menu.current?.querySelector("[aria-current]")?.scrollIntoView({
      block: "nearest",
      inline: "center",
    });
  }, [path]);
  return (
    <nav class="menu" ref={menu} aria-label="Pages of the console">
      <a class="skip" href={`#${path}`} onClick={onSkip}>Skip to the page</a>
      <Link href={hrefTo("/")} class="brand" title="Symphony Messenger">
        <img src="./icon.svg" alt="" width="20" height="20" />
        <span>Symphony</span>
      </Link>
      <ul>
        {NAVIGATION.map((area) => (
          <li key={area.path}>
            <a
              class="menu-link"
              href={hrefTo(area.path)}
              aria-current={isWithin(area, path) ? "page" : undefined}
            >
              <Icon name={area.icon} />
              <span>{area.title}</span>
              <kbd aria-hidden="true">g {area.letter}</kbd>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

const THEME_ICONS = { system: "half", light: "sun", dark: "moon" } as const;
const THEME_WORDS: Readonly<Record<Theme, string>> = {
  system: "as the system",
  light: "light",
  dark: "dark",
};

function TopBar({ onHelp }: { readonly onHelp: () => void }): JSX.Element {
  const { settings, actor, signOut } = useSession();
  const theme = useTheme();
  const project = settings.mode === "local" ? settings.project : settings.url;
  return (
    <header class="top">
      <span class="top-project mono" title={project}>{hostOf(project)}</span>
      {settings.mode === "local" && settings.readOnly && <span class="top-mode">read-only</span>}
      {actor && <span class="top-actor muted" title={actor}>{actor}</span>}
      <span class="top-space" />
      <LiveControl />
      <Button
        tone="quiet"
        icon={THEME_ICONS[theme]}
        label={`Colours: ${THEME_WORDS[theme]}`}
        onClick={nextTheme}
      />
      <Button tone="quiet" icon="keyboard" label="Keyboard shortcuts" onClick={onHelp} />
      {signOut && <Button tone="quiet" icon="leave" label="Sign out" onClick={signOut} />}
    </header>
  );
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

function Shortcuts({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const [areOn, setOn] = useState(hasLetterKeys);
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl class="shortcuts">
        {SHORTCUTS.map(([keys, words]) => (
          <div key={keys}>
            <dt>{keys.split(/\s+/).map((key) => <kbd key={key}>{key}</kbd>)}</dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
      <label class="shortcuts-switch">
        <input
          type="checkbox"
          checked={areOn}
          onChange={({ currentTarget: { checked } }) => {
            setLetterKeys(checked);
            setOn(checked);
          }}
        />{" "}
        Keys without Ctrl or Alt do something
      </label>
    </Dialog>
  );
}
