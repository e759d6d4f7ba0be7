// Compiles ABNF (RFC 5234, RFC 7405) into two oracles: a matcher for each rule, and a generator of its inputs.
import fc from 'fast-check';

/** A compiled rule. Texts are bytes, with one character for each (`latin1`). */
export interface Rule {
  readonly matches: (text: string) => boolean;
  /** Source of a regular expression without capturing groups, for rules that use this one. */
  readonly source: string;
  readonly arbitrary: fc.Arbitrary<string>;
}

/**
 * Compiles a grammar without recursion, such as those of RFC 8461, RFC 8460 and RFC 3986.
 *
 * @param text - one rule a line, each before the rules that use it; a line that begins with a blank continues the previous line
 */
export function grammar(text: string): (name: string) => Rule {
  const rules = new Map<string, Node>();
  const rule = (name: string): Node => {
    const found = rules.get(name);
    if (found === undefined) throw new Error(`the rule ${name} must stand before its use`);
    return found;
  };
  for (const line of (CORE + text).replace(/^[ \t]*;.*$/gm, '').replace(/\n[ \t]+/g, ' ').split('\n').filter((one) => one.trim() !== '')) {
    const [, name = '', elements = ''] = /^([A-Za-z][A-Za-z0-9-]*)\s*=\s*(.*)$/.exec(line) ?? [];
    const tokens = elements.match(TOKEN) ?? [];
    const parser = { tokens, at: 0, rule };
    rules.set(name, alternation(parser));
    if (parser.at !== tokens.length) throw new Error(`the rule ${name} has tokens left: ${tokens.slice(parser.at).join(' ')}`);
  }
  return (name) => {
    const { source, arbitrary } = rule(name);
    const whole = new RegExp(`^(?:${source})$`, 's');
    return { matches: (input) => whole.test(input), source, arbitrary };
  };
}

/** RFC 5234 appendix B.1. */
const CORE = `
ALPHA = %x41-5A / %x61-7A
DIGIT = %x30-39
HEXDIG = DIGIT / %x41-46 / %x61-66
SP = %x20
WSP = %x20 / %x09
LF = %x0A
CRLF = %x0D.0A
`;

const TOKEN = /%s"[^"]*"|"[^"]*"|%x[0-9A-F]+(?:[-.][0-9A-F]+)*|[0-9]*\*[0-9]*|[0-9]+(?=[(A-Za-z])|[A-Za-z][A-Za-z0-9-]*|[()[\]/]/g;

type Node = Pick<Rule, 'source' | 'arbitrary'>;

interface Parser {
  readonly tokens: readonly string[];
  at: number;
  readonly rule: (name: string) => Node;
}

function alternation(parser: Parser): Node {
  const options = [concatenation(parser)];
  while (parser.tokens[parser.at] === '/') {
    parser.at += 1;
    options.push(concatenation(parser));
  }
  return {
    source: `(?:${options.map(({ source }) => source).join('|')})`,
    arbitrary: fc.oneof(...options.map(({ arbitrary }) => arbitrary)),
  };
}

function concatenation(parser: Parser): Node {
  const parts: Node[] = [];
  while (parser.at < parser.tokens.length && !['/', ')', ']'].includes(next(parser))) parts.push(repetition(parser));
  return {
    source: parts.map(({ source }) => source).join(''),
    arbitrary: fc.tuple(...parts.map(({ arbitrary }) => arbitrary)).map((texts) => texts.join('')),
  };
}

/** Generated repetitions beyond the minimum, where the grammar has no maximum. */
const MANY = 8;

function next({ tokens, at }: Parser): string {
  return tokens[at] ?? '';
}

function repetition(parser: Parser): Node {
  const count = /^([0-9]*)(\*?)([0-9]*)$/.exec(next(parser));
  if (count === null) return element(parser);
  const [, min, star, max] = count;
  parser.at += 1;
  const one = element(parser);
  const least = Number(min);
  const most = star === '' ? least : max === '' ? undefined : Number(max);
  return {
    source: `(?:${one.source}){${least},${most ?? ''}}`,
    arbitrary: fc.array(one.arbitrary, { minLength: least, maxLength: most ?? least + MANY, size: 'max' }).map((texts) => texts.join('')),
  };
}

function element(parser: Parser): Node {
  const token = next(parser);
  parser.at += 1;
  if (token === '(' || token === '[') {
    const inner = alternation(parser);
    parser.at += 1;
    return token === '(' ? inner : { source: `${inner.source}?`, arbitrary: fc.oneof(inner.arbitrary, fc.constant('')) };
  }
  if (token.startsWith('%x')) return octets(token.slice('%x'.length));
  if (token.startsWith('%s')) return { source: escaped(token.slice(3, -1)), arbitrary: fc.constant(token.slice(3, -1)) };
  return token.startsWith('"') ? foldedText(token.slice(1, -1)) : parser.rule(token);
}

function octets(numbers: string): Node {
  const [first = 0, last = 0] = numbers.split('-').map((hex) => Number.parseInt(hex, 16));
  if (numbers.includes('-')) {
    return {
      source: `[${hexEscape(first)}-${hexEscape(last)}]`,
      arbitrary: fc.integer({ min: first, max: last }).map((code) => String.fromCharCode(code)),
    };
  }
  const text = Buffer.from(numbers.replaceAll('.', ''), 'hex').toString('latin1');
  return { source: escaped(text), arbitrary: fc.constant(text) };
}

/** Compiles a text in quotation marks, which matches any letter case (RFC 5234 §2.3). */
function foldedText(text: string): Node {
  return {
    source: text.replace(/./g, (character) => /[A-Za-z]/.test(character) ? `[${character.toLowerCase()}${character.toUpperCase()}]` : escaped(character)),
    arbitrary: fc.constantFrom(text, text.toUpperCase(), text.toLowerCase()),
  };
}

function escaped(text: string): string {
  return text.replace(/./gs, (character) => hexEscape(character.charCodeAt(0)));
}

function hexEscape(octet: number): string {
  return `\\x${octet.toString(16).padStart(2, '0')}`;
}
