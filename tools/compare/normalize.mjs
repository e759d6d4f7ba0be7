// Normalizes outputs of the command: the forms of two trees differ only if the behaviour differs.
import { ADDED_KEYS, RENAMED_KEYS, RENAMED_TEXTS, RENAMED_VALUES, TEXT_KEYS, VOLATILE_KEYS } from './settings.mjs';

/** @typedef {{ where: string, words: string }} Text - for people; `where` is the same in both trees */

/** Values that differ between two runs: times, durations, ids with a time, and free ports. */
const VOLATILE = [
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '<time>'],
  [/(?<=127\.0\.0\.1:)\d{4,5}\b/g, '<port>'],
  [/\d{8}T\d{6}(?=[0-9a-f]{16})/g, '<time>'],
  [/\b(?:time|timestamp)="[^"]*"/g, 'time="<time>"'],
  [/\b\d+(?:\.\d+)? ?(?:ms|s|seconds)\b/g, '<duration>'],
  [/\b\d{4}-\d\d-\d\d(?: \d\d:\d\d(?::\d\d)?)?(?: UTC)?\b/g, '<time>'],
];

/** @param {string} text */
export function withoutTimes(text) {
  return VOLATILE.reduce((all, [pattern, name]) => all.replaceAll(pattern ?? '', String(name)), text);
}

/**
 * Reads JSON with the new names of keys and values. Replaces texts and times by their names.
 *
 * @param {string} output - one document, or one on each line
 * @returns {{ shape: string, texts: Text[] }} the JSON in sorted lines, and the texts that it does not contain
 */
export function readJson(output) {
  /** @type {Text[]} */
  const texts = [];
  const shape = parseAll(output).map((value) => JSON.stringify(normalized(value, '', '', texts), undefined, 1)).join('\n');
  return { shape, texts };
}

/** @param {string} output */
function parseAll(output) {
  try {
    return [JSON.parse(output)];
  } catch {
    return output.split('\n').filter((line) => line !== '').map((line) => {
      try {
        return JSON.parse(line);
      } catch {
        return { 'not JSON': line };
      }
    });
  }
}

/**
 * @param {unknown} value
 * @param {string} key - the key of the value, by its new name
 * @param {string} path
 * @param {Text[]} texts - gets the texts of the value
 * @returns {unknown}
 */
function normalized(value, key, path, texts) {
  if (Array.isArray(value)) return value.map((item, at) => normalized(item, key, `${path}.${labelOf(item) ?? at}`, texts));
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([old, inner]) => /** @type {const} */ ([RENAMED_KEYS.get(old) ?? old, inner]))
      .filter(([name]) => !ADDED_KEYS.has(name)).sort(([one], [other]) => one < other ? -1 : 1);
    return Object.fromEntries(entries.map(([name, inner]) => [name, normalized(inner, name, `${path}.${name}`, texts)]));
  }
  if (VOLATILE_KEYS.has(key)) return `<${key}>`;
  if (typeof value !== 'string') return value;
  if (!TEXT_KEYS.has(key)) return renamed(withoutTimes(RENAMED_VALUES.get(key)?.get(value) ?? value));
  texts.push({ where: path, words: withoutTimes(value) });
  return `<${key}>`;
}

/** @param {unknown} item */
function labelOf(item) {
  if (typeof item !== 'object' || item === null) return undefined;
  for (const name of ['code', 'domain', 'host']) {
    const label = Reflect.get(item, name);
    if (typeof label === 'string') return label;
  }
  return undefined;
}

/**
 * Replaces the texts of the JSON in an output for people by their places, in the escapes of every format.
 *
 * @param {string} output
 * @param {readonly Text[]} texts
 */
export function withoutTexts(output, texts) {
  const lines = withoutTimes(plain(output));
  const names = new Map(texts.filter(({ words }) => words.length > 3).map(({ where, words }) => [plain(words), `<${where.split('.').slice(-2).join(' ')}>`]));
  // Longer texts first: a text may be a part of another one.
  const sorted = [...names].sort(([one], [other]) => other.length - one.length);
  const named = sorted.reduce((all, [words, name]) => all.replaceAll(words, name), lines);
  return renamed(named);
}

/** @param {string} text */
function renamed(text) {
  return RENAMED_TEXTS.reduce((all, [old, now]) => all.replaceAll(old, now), text);
}

/**
 * Removes escapes. A page becomes its visible texts, one on each line.
 *
 * @param {string} output - in any format
 */
function plain(output) {
  const visible = /^<!doctype html/i.test(output)
    ? output.replaceAll(/<(style|script|svg|figure)\b.*?<\/\1>/gs, '').replaceAll(/<[^>]*>/g, '\n').replaceAll(/\n\s*/g, '\n')
    : output;
  return visible.replaceAll(/&(?:lt|gt|quot|apos|amp|#39|#x27|#10|#xA);|%(?:0A|0D|25|3A|2C)/g, (escape) => ESCAPES.get(escape) ?? escape).replaceAll(/[`]/g, '');
}

const ESCAPES = new Map([
  ['&lt;', '<'], ['&gt;', '>'], ['&quot;', '"'], ['&apos;', '\''], ['&#39;', '\''], ['&#x27;', '\''], ['&amp;', '&'], ['&#10;', '\n'], ['&#xA;', '\n'],
  ['%0A', '\n'], ['%0D', '\r'], ['%25', '%'], ['%3A', ':'], ['%2C', ','],
]);

/**
 * Returns the names, choices and defaults of a command's arguments and options.
 *
 * @param {string} help
 */
export function readHelp(help) {
  const [usage = ''] = help.split('\n');
  const sections = help.replaceAll(/\n {4,}/g, ' ').split('\n').filter((line) => /^ {2}\S/.test(line));
  const lines = sections.map((line) => {
    const [, name = ''] = /^ {2}(.+?)(?: {2,}|$)/.exec(line) ?? [];
    const facts = [...line.matchAll(/\((?:choices: "[^)]*|default: (?:"[^"]*"|\d+s?))\)/g)].map(([fact]) => fact);
    return [name, ...facts].join(' ');
  });
  return [usage, ...lines].join('\n');
}
