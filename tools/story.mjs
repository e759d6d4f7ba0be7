// How the demos tell what they do.
import { styleText } from 'node:util';

const COLOUR = process.stdout.isTTY === true && !process.env.NO_COLOR;

export function heading(text) {
  console.log(`\n${paint(['bold', 'cyan'], text)}`);
}

export function tell(text) {
  console.log(text && text.split('\n').map((line) => line && `  ${line}`).join('\n'));
}

/** As a person would type it. */
export function command(name, args) {
  console.log(`  ${paint('dim', `$ ${[name, ...args].join(' ')}`)}\n`);
}

function paint(format, text) {
  return COLOUR ? styleText(format, text) : text;
}
