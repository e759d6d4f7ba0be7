// Parses which scenarios the command line selects. Refuses a selection of nothing before the test environment starts.

/** Returns whether a word selects any part of a scenario. `null` for a scenario without parts. */
export type Parts = ((part: string) => boolean) | null;

/** A selected scenario, or a part of it. */
export interface Choice {
  readonly scenario: string;
  /** The `S3` of `faults=S3`. Undefined for the whole scenario. */
  readonly part?: string;
}

export interface Selection {
  readonly kind: 'demo' | 'soak' | 'quick' | 'all' | 'some';
  /** Empty for the demo and the soak. */
  readonly choices: readonly Choice[];
}

/** The command line selects nothing. The message is one line. */
export class SelectionError extends Error {}

/**
 * Parses the arguments of `npm run e2e`.
 *
 * @param words - arguments
 * @param scenarios - all scenarios in order
 * @param notQuick - scenarios that `quick` leaves out
 * @throws SelectionError
 */
export function select(words: readonly string[], scenarios: ReadonlyMap<string, Parts>, notQuick: readonly string[]): Selection {
  const [first, ...rest] = words;
  if (words.length === 0) return { kind: 'all', choices: [...scenarios.keys()].map((scenario) => ({ scenario })) };
  if (first === 'soak') {
    checkSoak(rest);
    return { kind: 'soak', choices: [] };
  }
  const alone = words.find((word) => ['quick', 'demo', 'soak'].includes(word));
  if (alone !== undefined && words.length > 1) throw new SelectionError(`${alone} takes no other word beside it, got ${words.join(' ')}`);
  if (alone === 'demo') return { kind: 'demo', choices: [] };
  const names = [...scenarios.keys()];
  if (alone === 'quick') {
    const quick = names.filter((name) => !notQuick.includes(name));
    return { kind: 'quick', choices: quick.map((scenario) => scenarios.get(scenario) === null ? { scenario } : { scenario, part: 'quick' }) };
  }
  return { kind: 'some', choices: words.map((word) => parseChoice(word, scenarios)) };
}

function parseChoice(word: string, scenarios: ReadonlyMap<string, Parts>): Choice {
  const at = word.indexOf('=');
  const [scenario, part] = at === -1 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
  const parts = scenarios.get(scenario);
  if (parts === undefined) throw new SelectionError(`there is no scenario ${scenario}, expected one of ${[...scenarios.keys()].join(', ')}, or quick, or soak`);
  if (part === undefined) return { scenario };
  if (parts === null) throw new SelectionError(`the scenario ${scenario} has no parts, got ${word}`);
  if (part === '' || !parts(part)) throw new SelectionError(`${word} selects nothing of the scenario ${scenario}. See docs/contribute/e2e.md for its parts`);
  return { scenario, part };
}

function checkSoak(numbers: readonly string[]): void {
  if (numbers.length > 2) throw new SelectionError(`a soak takes a number of deployments and a seed, got ${numbers.join(' ')}`);
  numbers.forEach((text, index) => {
    const name = index === 0 ? 'number of deployments' : 'seed';
    const isNumber = /^\d{1,10}$/.test(text) && (index === 1 || Number(text) > 0);
    if (!isNumber) throw new SelectionError(`the ${name} must be a whole number, got ${text}. Example: npm run soak 20 4711`);
  });
}

/** Returns whether the expression is valid and matches at least one of the names. */
export function matches(expression: string, names: readonly string[]): boolean {
  try {
    const pattern = new RegExp(expression);
    return names.some((name) => pattern.test(name));
  } catch {
    return false;
  }
}
