// Makes one AWS call: with retries while new rights spread, with a time limit, and with an error that names the call.
import { safeText } from '../../util/safe-text';
import { errorFields } from './log';
import { retryUntil } from './retry';
import type { RetryOptions } from './retry';
import type { OperationContext } from './operation-context';

/** A new right can take this long until all of AWS knows it. */
const RIGHTS_RETRY: RetryOptions = { totalMs: 60_000, firstPauseMs: 1_000, maxPauseMs: 10_000 };

const DENIED: ReadonlySet<string> = new Set(['AccessDenied', 'AccessDeniedException']);

/** Many domains of one stack start at once, and Route 53 takes five requests a second of an account. The SDK's own attempts can run out. */
const THROTTLED: ReadonlySet<string> = new Set(['PriorRequestNotComplete', 'Throttling', 'ThrottlingException']);

/**
 * Errors of AWS for a signature with a wrong time. Each of these answers corrects the SDK's clock offset. But the SDK does not try again if
 * the machine's clock is right and only the offset was wrong: a warm function keeps the offset of an earlier run.
 */
const WRONG_CLOCK = /^(?:RequestTimeTooSkewed: |\w+: Signature (?:expired|not yet current)\b)/;

/** The second argument of the SDK's `send`. */
export interface SendOptions {
  readonly abortSignal: AbortSignal;
}

/** An AWS call that failed after all attempts. */
export class AwsCallFailed extends Error {
  /** The error code of AWS: `NoSuchHostedZone`. */
  public readonly code: string;
  /** The error message of AWS. */
  public readonly detail: string;

  /** Whether AWS says that the role lacks a right. */
  public get isDenied(): boolean {
    return DENIED.has(this.code);
  }

  constructor(call: string, public override readonly cause: unknown) {
    const [code, detail] = describe(cause);
    const advice = DENIED.has(code) ? `. The role of the function must be allowed ${call}, and no other policy may deny it.` : '';
    super(`${call} failed: ${code}: ${detail}${advice}`);
    this.name = 'AwsCallFailed';
    this.code = code;
    this.detail = detail;
  }
}

/**
 * Makes a call. The SDK repeats throttled and lost requests. This function repeats requests that are denied while rights spread, signed
 * with a wrong clock, or still throttled.
 *
 * @param call - as in a role's policy, `route53:GetHostedZone`
 * @param retry - shorter limits for a call that the operation works without
 * @throws AwsCallFailed
 */
export async function awsCall<T>(
  context: OperationContext, call: string, send: (options: SendOptions) => Promise<T>, retry: RetryOptions = RIGHTS_RETRY,
): Promise<T> {
  return context.activity.track(call, async () => {
    const outcome = await retryUntil(context, retry, async (number) => attempt(context, call, send, number), isTemporary);
    if ('value' in outcome) return outcome.value;
    throw outcome.failed;
  });
}

type Outcome<T> = { readonly value: T } | { readonly failed: AwsCallFailed };

async function attempt<T>(
  context: OperationContext, call: string, send: (options: SendOptions) => Promise<T>, number: number,
): Promise<Outcome<T>> {
  try {
    return { value: await send({ abortSignal: context.signal }) };
  } catch (error) {
    const failed = new AwsCallFailed(call, error);
    context.activity.noteSeen(failed.message);
    context.log.warn(`${call} failed`, { attempt: number, ...errorFields(error) });
    return { failed };
  }
}

function isTemporary(outcome: Outcome<unknown>): boolean {
  if (!('failed' in outcome)) return false;
  const { code, detail } = outcome.failed;
  return DENIED.has(code) || THROTTLED.has(code) || WRONG_CLOCK.test(`${code}: ${detail}`);
}

function describe(cause: unknown): [string, string] {
  if (!(cause instanceof Error)) return ['unknown error', safeText(String(cause), 300)];
  return [safeText(cause.name, 80), safeText(cause.message === '' ? 'no message' : cause.message, 300)];
}
