// Which scenes are asked for. What can select nothing is refused before the stage stands.

/** `null` where a scene is one whole; otherwise whether a part of that name selects anything in it. */
export type Parts = ((part: string) => boolean) | null;

/** A scene, and which part of it. */
export interface Choice {
  readonly scenario: string;
  /** Of `faults=S3` the `S3`; undefined for all. */
  readonly part?: string;
}

export interface Selection {
  readonly kind: 'demo' | 'soak' | 'quick' | 'all' | 'some';
  /** None for the demo and the soak. */
  readonly choices: readonly Choice[];
}

/** The words of the command line select nothing; what is wrong with them, in a line. */
export class SelectionError extends Error {}

/**
 * @param words - of the command line
 * @param scenes - all there are, in order
 * @param notQuick - those that `quick` leaves out
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
  if (alone !== undefined && words.length > 1) throw new SelectionError(`${alone} goes alone, got ${words.join(' ')}`);
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
  if (parts === undefined) throw new SelectionError(`there is no scene ${scenario}; expected one of ${[...scenarios.keys()].join(', ')}, or quick, or soak`);
  if (part === undefined) return { scenario };
  if (parts === null) throw new SelectionError(`the scene ${scenario} is played as a whole, got ${word}`);
  if (part === '' || !parts(part)) throw new SelectionError(`${word} selects nothing of the scene ${scenario}; see docs/contribute/e2e.md for what it has`);
  return { scenario, part };
}

function checkSoak(numbers: readonly string[]): void {
  if (numbers.length > 2) throw new SelectionError(`a soak takes a number of deployments and a seed, got ${numbers.join(' ')}`);
  numbers.forEach((text, index) => {
    const what = index === 0 ? 'number of deployments' : 'seed';
    const isNumber = /^\d{1,10}$/.test(text) && (index === 1 || Number(text) > 0);
    if (!isNumber) throw new SelectionError(`the ${what} must be a whole number, got ${text}; for example: npm run soak 20 4711`);
  });
}

/** Whether an expression is one, and matches some of these. */
export function matches(expression: string, names: readonly string[]): boolean {
  try {
    const pattern = new RegExp(expression);
    return names.some((name) => pattern.test(name));
  } catch {
    return false;
  }
}
