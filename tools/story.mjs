// Prints the story of a demo: headings, explanations and commands.
import { styleText } from 'node:util';

const COLOUR = process.stdout.isTTY && !process.env.NO_COLOR;

/** @param {string} text */
export function heading(text) {
  console.log(`\n${paint(['bold', 'cyan'], text)}`);
}

/** @param {string} text - of one or more lines */
export function tell(text) {
  console.log(text && text.split('\n').map((line) => line && `  ${line}`).join('\n'));
}

/**
 * Prints a command as a person would type it.
 *
 * @param {string} name
 * @param {readonly string[]} args
 */
export function command(name, args) {
  console.log(`  ${paint('dim', `$ ${[name, ...args].join(' ')}`)}\n`);
}

/**
 * @param {Parameters<typeof styleText>[0]} format
 * @param {string} text
 */
function paint(format, text) {
  return COLOUR ? styleText(format, text) : text;
}
