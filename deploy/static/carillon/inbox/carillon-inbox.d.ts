// Types of carillon-inbox.js.

export type Tab = "all" | "unread" | "archived";
export type Status = "connecting" | "live" | "offline" | "stopped";
/** Why the status is what it is; `stopped` with a reason needs somebody to act, `offline` comes back by itself. */
export type Reason =
  | "connection_lost" | "token"
  | "no_token" | "origin_refused" | "too_many_connections" | "wrong_recipient";

export interface Message {
  id: string;
  /** Offset of the change that created it: the order of the list, newest first. */
  offset: number;
  title: string;
  /** Markdown. Show it with `markdown`, never as HTML. */
  body: string;
  action_url: string | null;
  category: string | null;
  actor: string | null;
  data: Record<string, unknown>;
  created_at: string;
  seen_at: string | null;
  read_at: string | null;
  archived_at: string | null;
  acknowledged_at: string | null;
}

export interface Counts { unread: number; unseen: number }
export interface Done { offset: number; counts: Counts }
export interface Page extends Done { messages: Message[]; /** Give it as `before` for the following page. */ next: number | null }
export interface ListOptions { status?: Tab | "unseen"; before?: number; limit?: number }

/** What a refused command rejects with: the protocol's codes, and `offline`, `closed`, `timeout`. */
export interface CommandError extends Error { code: string }

export interface StatusDetail { status: Status; reason: Reason | null; /** Live again, with nothing missed. */ resumed: boolean }
export interface ChangeDetail {
  message: Message;
  created: boolean;
  /** It has left the inbox, deleted or expired; its texts are empty. */
  gone: boolean;
  offset: number;
}

export interface InboxClientOptions {
  /** Asks your server for a recipient token, at every connect. Null: nobody is logged in, stop. */
  getToken(): Promise<string | null> | string | null;
  /** Your id of the recipient. Needed to share one connection among tabs, and checked against the token's. */
  recipient?: string | null;
  /** Address of Carillon, by default the page's own origin. */
  server?: string;
  /** One connection for all tabs of this origin (default true; needs `recipient`, Web Locks and a secure context). */
  share?: boolean;
}

export interface InboxClientEvents {
  status: CustomEvent<StatusDetail>;
  counts: CustomEvent<Counts>;
  /** One change, each once and in order. */
  change: CustomEvent<ChangeDetail>;
  /** What you have cannot be completed by changes: forget it and `list` anew. Also after the first connect. */
  reload: CustomEvent<Record<string, never>>;
}

export class InboxClient extends EventTarget {
  constructor(options: InboxClientOptions);
  readonly status: Status;
  readonly reason: Reason | null;
  readonly counts: Counts;
  /** Whether this page holds the connection that others share. */
  readonly isLeader: boolean;
  /** Connects; after `stopped` with a reason it tries again. */
  start(): void;
  stop(): void;
  command(name: string, args?: Record<string, unknown>): Promise<any>;
  list(options?: ListOptions): Promise<Page>;
  seen(ids: string[]): Promise<Done>;
  read(ids: string[]): Promise<Done>;
  unread(ids: string[]): Promise<Done>;
  archive(ids: string[]): Promise<Done>;
  unarchive(ids: string[]): Promise<Done>;
  /** Somebody takes care of it; ends what goes on until then. */
  acknowledge(ids: string[]): Promise<Done>;
  /** For good, on every device. */
  delete(ids: string[]): Promise<Done>;
  readAll(): Promise<Done>;
  seenAll(): Promise<Done>;
  addEventListener<K extends keyof InboxClientEvents>(
    type: K, listener: (event: InboxClientEvents[K]) => void, options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions,
  ): void;
}

/** A text, or its plural forms by `Intl.PluralRules`. */
export type Text = string | { other: string; zero?: string; one?: string; two?: string; few?: string; many?: string };
export type StringName =
  | "title" | "bell" | "bellUnread" | "close" | "all" | "unread" | "archived" | "readAll" | "read" | "markUnread"
  | "archive" | "restore" | "delete" | "acknowledge" | "acknowledged" | "isUnread" | "emptyAll" | "emptyUnread" | "emptyArchived" | "loading" | "loadFailed"
  | "retry" | "offline" | "failed" | "stopped" | "tooMany" | "refused" | "arrived" | "untitled";

export const STRINGS: Readonly<Record<StringName, string>>;

/** A message's body as nodes; everything that is no known Markdown stays text. */
export function markdown(text: string): DocumentFragment;

/**
 * Attributes: `recipient`, `server`, `layout="inline"` (panel without bell), `theme="light|dark"` (else the page's
 * color-scheme), `strings` (JSON), `lang` and `dir` as everywhere. `status` is set by the element, for style sheets.
 * Custom properties: `--carillon-accent`, `-on-accent`, `-background`, `-text`, `-muted`, `-line`, `-hover`, `-notice`,
 * `-font`, `-radius`, `-width`, `-height`. Parts: `bell`, `badge`, `panel`, `notice`, `item`.
 * Events: `carillon-status`, `carillon-counts`, `carillon-message` (a new one arrived), `carillon-open` (a message's
 * link was followed; prevent it to navigate by yourself).
 */
export class CarillonInbox extends HTMLElement {
  getToken: InboxClientOptions["getToken"] | null;
  /** Set one to share it with a user interface of your own; you start and stop it. */
  client: InboxClient | null;
  strings: Partial<Record<StringName, Text>>;
  recipient: string | null;
  readonly isInline: boolean;
  readonly isOpen: boolean;
  open(): void;
  close(): void;
}

declare global {
  interface HTMLElementTagNameMap { "carillon-inbox": CarillonInbox }
}
