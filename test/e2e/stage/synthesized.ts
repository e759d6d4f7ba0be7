// The policy that a synthesized template publishes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { at, itemsOf, membersOf } from '../../../lib/preview/json';
import type { Policy } from './agreement';
import { hashOf } from './policy-ids';
import { STACK } from './stage';

/** The text of the policy as the template of the folder hands it to the function, and what each id that names it ends with. */
export function synthesized(assembly: string): Pick<Policy, 'hash' | 'text'> {
  const template: unknown = JSON.parse(readFileSync(join(assembly, `${STACK}.template.json`), 'utf8'));
  const publication = membersOf(at(template, 'Resources')).map(([, resource]) => resource).find((resource) => at(resource, 'Type') === 'Custom::MtaStsPublication');
  const lines = itemsOf(at(publication, 'Properties', 'Policy')).map(String);
  if (lines.length === 0) throw new Error('the template has no Publication with a `Policy`');
  const text = lines.map((line) => `${line}\r\n`).join('');
  return { hash: hashOf(text), text };
}
