// Reads which rights the emulator checked and which rights a template grants, to compare granted rights with used ones.
import { readFileSync } from 'node:fs';
import { at, itemsOf, membersOf, textOf } from '../../../../lib/preview/json';
import { PROXY } from './aws-proxy';
import type { Emulator } from './emulator';

/** A call whose right was checked. */
export interface AuthorizedCall {
  /** Host that the caller addressed. Functions address the proxy. */
  readonly host: string;
  /** `arn:aws:sts::000000000000:assumed-role/...`; empty without credentials. */
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  /** Reason of the denial, empty if the call was allowed. */
  readonly denied: string;
}

/** Reads all checked calls so far, except those of the administrator. */
export function readAuthorizedCalls({ rightsLog }: Emulator): readonly AuthorizedCall[] {
  return readFileSync(rightsLog, 'utf8').split('\n').filter((line) => line !== '').map((line) => {
    const entry: unknown = JSON.parse(line);
    const read = (name: keyof AuthorizedCall): string => textOf(at(entry, name)) ?? '';
    return { host: read('host'), principal: read('principal'), action: read('action'), resource: read('resource'), denied: read('denied') };
  });
}

/** Reads the checked calls of the functions. Only they reach the emulator through the proxy. */
export function readFunctionCalls(emulator: Emulator): readonly AuthorizedCall[] {
  const { host } = new URL(PROXY);
  return readAuthorizedCalls(emulator).filter((call) => call.host === host);
}

/** Describes a checked call in one line. */
export function describeCall({ principal, action, resource, denied }: AuthorizedCall): string {
  return `${action} on ${resource} by ${principal || 'a caller without credentials'}: ${denied || 'allowed'}`;
}

/** A right that one statement grants to one role. */
export interface Right {
  /** Logical id of the role, without its hash. */
  readonly role: string;
  readonly action: string;
  /** Resource pattern, with `*` for values that the template does not contain. */
  readonly resource: string;
}

/**
 * Lists the rights that a template grants to its own roles, by policies of the roles and of buckets.
 *
 * @throws Error if the template grants rights in a way that is not supported here
 */
export function listTemplateRights(template: unknown): readonly Right[] {
  return membersOf(at(template, 'Resources')).flatMap(([id, resource]) => {
    const [type, properties] = [textOf(at(resource, 'Type')), at(resource, 'Properties')];
    const document = at(properties, 'PolicyDocument');
    switch (type) {
      case 'AWS::IAM::Role':
        if (itemsOf(at(properties, 'ManagedPolicyArns')).length > 0) throw new Error(`${id} has managed policies, whose rights are not in the template`);
        return itemsOf(at(properties, 'Policies')).flatMap((policy) => listRights(at(policy, 'PolicyDocument'), () => id));
      case 'AWS::IAM::Policy':
        return itemsOf(at(properties, 'Roles')).flatMap((role) => listRights(document, () => textOf(at(role, 'Ref'))));
      case 'AWS::S3::BucketPolicy':
        return listRights(document, (statement) => textOf(itemsOf(at(statement, 'Principal', 'AWS', 'Fn::GetAtt')).at(0)));
      case undefined:
      default:
        if (type?.startsWith('AWS::IAM::') === true) throw new Error(`${id} is a ${type}, which may grant rights and is not supported`);
        return [];
    }
  });
}

/** Returns whether a role of the stack used the right successfully. */
export function isUsed({ role, action, resource }: Right, stack: string, calls: readonly AuthorizedCall[]): boolean {
  const pattern = new RegExp(`^${resource.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`);
  return calls.some((call) => call.denied === '' && call.action === action && pattern.test(call.resource) && isByRole(call, stack, role));
}

/** Returns whether the role of the stack made the call. The role is a logical id without its hash, which CloudFormation may cut off. */
export function isByRole({ principal }: AuthorizedCall, stack: string, role: string): boolean {
  return principal.includes(`:assumed-role/${stack}-${role}`);
}

function listRights(document: unknown, findRole: (statement: unknown) => string | undefined): readonly Right[] {
  return itemsOf(at(document, 'Statement')).flatMap((statement) => {
    const role = findRole(statement);
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
