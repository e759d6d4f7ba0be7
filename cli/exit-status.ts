// The exit statuses of the command: an interface that pipelines rely on.

/** What the command ends with. */
export const Status = {
  /** Nothing worse than a warning. */
  GOOD: 0,
  /** An error was found, or `match` says no. */
  ERROR_FOUND: 1,
  /** The command was called in a wrong way; an unreadable file counts as that. */
  WRONG_USAGE: 2,
  /** Nothing could be decided: temporary errors only. */
  UNDECIDED: 3,
  /** The person interrupted it: 128 and the number of SIGINT, as shells have it. */
  INTERRUPTED: 130,
  /** Who read standard output has gone away: 128 and the number of SIGPIPE. */
  READER_GONE: 141,
} as const;

export type Status = typeof Status[keyof typeof Status];

/** One status for several: an error outweighs what is undecided, and that outweighs what is good. */
export function worst(statuses: readonly Status[]): Status {
  return WORST_FIRST.find((status) => statuses.includes(status)) ?? Status.GOOD;
}

const WORST_FIRST = [Status.WRONG_USAGE, Status.ERROR_FOUND, Status.UNDECIDED];
