// The words.

/** Every text a person meets. `{count}` and `{title}` are filled in; forms like `{one, other}` follow the language. */
export const STRINGS = Object.freeze({
  title: "Notifications", bell: "Notifications", bellUnread: "Notifications, {count} unread", close: "Close",
  all: "All", unread: "Unread", archived: "Archived", readAll: "Mark all as read",
  read: "Mark as read", markUnread: "Mark as unread", archive: "Archive", restore: "Move to inbox", delete: "Delete",
  acknowledge: "Acknowledge", acknowledged: "Acknowledged", isUnread: "Unread",
  emptyAll: "Nothing here yet. New notifications appear at once.", emptyUnread: "You have read everything.",
  emptyArchived: "Nothing is archived.", loading: "Loading…", loadFailed: "This could not be loaded.", retry: "Try again",
  offline: "No connection. What you see may be old; it catches up by itself.", failed: "That did not work. Try again.",
  stopped: "Not connected.", tooMany: "Open on too many devices or pages. Close some, then try again.",
  refused: "This page may not open the inbox.", arrived: "New notification: {title}", untitled: "(no title)",
});
