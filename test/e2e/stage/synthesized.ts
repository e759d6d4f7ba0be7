// The policy that a synthesized template publishes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { at, itemsOf, membersOf, textOf } from '../../../lib/preview/json';
import type { Policy } from './agreement';
import { STACK } from './stage';

/** Id and text of the policy, as the template of the folder hands them to the function. */
export function synthesized(assembly: string): Pick<Policy, 'id' | 'text'> {
  const template: unknown = JSON.parse(readFileSync(join(assembly, `${STACK}.template.json`), 'utf8'));
  const publication = membersOf(at(template, 'Resources')).map(([, resource]) => resource).find((resource) => at(resource, 'Type') === 'Custom::MtaStsPublication');
  const id = textOf(at(publication, 'Properties', 'PolicyId'));
  const lines = itemsOf(at(publication, 'Properties', 'Policy')).map(String);
  if (id === undefined || lines.length === 0) throw new Error('the template has no Publication with `PolicyId` and `Policy`');
  return { id, text: lines.map((line) => `${line}\r\n`).join('') };
}
