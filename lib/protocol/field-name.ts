// Names of fields: one grammar for TXT records (RFC 8461 §3.1, RFC 8460 §3) and policy files (RFC 8461 §3.2).
import { printable } from './text';

/** Says what keeps a text from being a field's name, or undefined: a phrase to put after the name. */
export function fieldNameFault(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (name.length > 32) return `has ${name.length} characters; a name has at most 32`;
  if (!/^[A-Za-z0-9]/.test(name)) return 'does not begin with a letter or digit';
  const strange = /[^A-Za-z0-9_.-]/u.exec(name)?.[0];
  return strange === undefined ? undefined : `holds \`${printable(strange)}\`; only letters, digits, \`_\`, \`-\` and \`.\` are allowed`;
}

/** The known name that a field was probably meant to have: it differs in case, or by hyphens, underscores and dots only. */
export function intendedName(name: string, known: readonly string[]): string | undefined {
  return known.find((one) => bare(one) === bare(name));
}

function bare(name: string): string {
  return name.toLowerCase().replace(/[_.-]/g, '');
}
