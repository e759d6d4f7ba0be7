// Who asked the emulator for which right, and which rights a template gives: what was granted is held against what was used.
import { readFileSync } from 'node:fs';
import { at, itemsOf, membersOf, textOf } from '../../../../lib/preview/json';
import { PROXY } from './aws-proxy';
import type { Emulator } from './emulator';

/** A call, as it was checked. */
export interface AuthorizedCall {
  /** Where the caller sent it: the functions reach the emulator through the proxy. */
  readonly host: string;
  /** `arn:aws:sts::000000000000:assumed-role/...`; empty for nobody. */
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  /** Why not; empty where it was allowed. */
  readonly denied: string;
}

/** All so far, but for what the stage's administrator asked. */
export function readAuthorizedCalls({ rightsLog }: Emulator): readonly AuthorizedCall[] {
  return readFileSync(rightsLog, 'utf8').split('\n').filter((line) => line !== '').map((line) => {
    const entry: unknown = JSON.parse(line);
    const [host, principal, action, resource, denied] = ['host', 'principal', 'action', 'resource', 'denied'].map((name) => textOf(at(entry, name)) ?? '');
    return { host, principal, action, resource, denied };
  });
}

/** What the functions asked: they alone reach the emulator through the proxy. */
export function readFunctionCalls(emulator: Emulator): readonly AuthorizedCall[] {
  const { host } = new URL(PROXY);
  return readAuthorizedCalls(emulator).filter((call) => call.host === host);
}

export function describeCall({ principal, action, resource, denied }: AuthorizedCall): string {
  return `${action} on ${resource} by ${principal || 'nobody'}: ${denied || 'allowed'}`;
}

/** What one statement allows to one role. */
export interface Right {
  /** The logical id of the role, without the hash at its end. */
  readonly role: string;
  readonly action: string;
  /** With `*` for what the template does not say. */
  readonly resource: string;
}

/**
 * What a template allows to its own roles, in their policies and in those of its buckets.
 *
 * @throws Error where a template gives rights in a way that is not read here
 */
export function listTemplateRights(template: unknown): readonly Right[] {
  return membersOf(at(template, 'Resources')).flatMap(([id, resource]) => {
    const [type, properties] = [textOf(at(resource, 'Type')), at(resource, 'Properties')];
    const document = at(properties, 'PolicyDocument');
    switch (type) {
      case 'AWS::IAM::Role':
        if (itemsOf(at(properties, 'ManagedPolicyArns')).length > 0) throw new Error(`${id} has managed policies, whose rights no template says`);
        return itemsOf(at(properties, 'Policies')).flatMap((policy) => rightsIn(at(policy, 'PolicyDocument'), () => id));
      case 'AWS::IAM::Policy':
        return itemsOf(at(properties, 'Roles')).flatMap((role) => rightsIn(document, () => textOf(at(role, 'Ref'))));
      case 'AWS::S3::BucketPolicy':
        return rightsIn(document, (statement) => textOf(itemsOf(at(statement, 'Principal', 'AWS', 'Fn::GetAtt')).at(0)));
      case undefined:
      default:
        if (type?.startsWith('AWS::IAM::') === true) throw new Error(`${id} is a ${type}, which may give rights, and is not read`);
        return [];
    }
  });
}

/** Whether it was asked for with success. */
export function isUsed({ role, action, resource }: Right, stack: string, calls: readonly AuthorizedCall[]): boolean {
  const pattern = new RegExp(`^${resource.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`);
  return calls.some((call) => call.denied === '' && call.action === action && pattern.test(call.resource) && isByRole(call, stack, role));
}

/** Whether a role of the stack asked, by its logical id without the hash at its end: CloudFormation cuts that from the name. */
export function isByRole({ principal }: AuthorizedCall, stack: string, role: string): boolean {
  return principal.includes(`:assumed-role/${stack}-${role}`);
}

function rightsIn(document: unknown, roleOf: (statement: unknown) => string | undefined): readonly Right[] {
  return itemsOf(at(document, 'Statement')).flatMap((statement) => {
    const role = roleOf(statement);
    if (role === undefined || textOf(at(statement, 'Effect')) !== 'Allow') return [];
    return toList(at(statement, 'Action')).flatMap((action) => toList(at(statement, 'Resource')).map((resource) => {
      return { role: role.slice(0, -8), action: textOf(action) ?? '', resource: resourcePattern(resource) };
    }));
  });
}

function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? itemsOf(value) : [value];
}

function resourcePattern(resource: unknown): string {
  const parts = itemsOf(itemsOf(at(resource, 'Fn::Join')).at(1));
  return parts.length > 0 ? parts.map(resourcePattern).join('') : textOf(resource) ?? '*';
}
