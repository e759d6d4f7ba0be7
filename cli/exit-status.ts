// Exit statuses of the command. Pipelines rely on them.

export const Status = {
  /** Nothing worse than a warning. */
  GOOD: 0,
  /** An error was found, or the answer of `match` is no. */
  ERROR_FOUND: 1,
  /** Wrong usage. An unreadable file counts as wrong usage. */
  WRONG_USAGE: 2,
  /** Nothing could be decided: temporary errors only. */
  UNDECIDED: 3,
  /** The user interrupted the command: 128 plus the number of SIGINT, as in shells. */
  INTERRUPTED: 130,
  /** The reader of standard output has closed the pipe: 128 plus the number of SIGPIPE. */
  READER_GONE: 141,
} as const;

export type Status = typeof Status[keyof typeof Status];

/** Returns the worst of several statuses: an error outweighs an undecided result, which outweighs a good one. */
export function worstStatus(statuses: readonly Status[]): Status {
  return WORST_FIRST.find((status) => statuses.includes(status)) ?? Status.GOOD;
}

const WORST_FIRST = [Status.WRONG_USAGE, Status.ERROR_FOUND, Status.UNDECIDED];
