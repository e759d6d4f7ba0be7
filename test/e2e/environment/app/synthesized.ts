// The policy that a synthesized template publishes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { at, itemsOf, membersOf } from '../../../../lib/preview/json';
import type { Policy } from './agreement';
import { STACK } from './app';
import type { AppContext } from './app';
import { hashPolicy } from './policy-ids';

/** Returns the policy text that the template passes to the function, and its hash. */
export function readSynthesizedPolicy(assembly: string): Pick<Policy, 'hash' | 'text'> {
  const template: unknown = JSON.parse(readFileSync(join(assembly, `${STACK}.template.json`), 'utf8'));
  const publication = membersOf(at(template, 'Resources')).map(([, resource]) => resource).find((resource) => at(resource, 'Type') === 'Custom::MtaStsPublication');
  const lines = itemsOf(at(publication, 'Properties', 'Policy')).map(String);
  if (lines.length === 0) throw new Error('the template has no Publication with a `Policy`');
  const text = lines.map((line) => `${line}\r\n`).join('');
  return { hash: hashPolicy(text), text };
}

/** Returns the policy that a deployment with this context publishes. The context must have been synthesized before. */
export function findPolicy(environment: { assembly(context: AppContext): string }, context: AppContext): Policy {
  const published = readSynthesizedPolicy(environment.assembly(context));
  const { mode, mx = 'mx1.example.test' } = context;
  return { ...published, mode, mx, maxAgeDays: Number(/^max_age: (\d+)\r$/m.exec(published.text)?.[1]) / 86_400 };
}
