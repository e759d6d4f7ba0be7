// One AWS call: patient while fresh rights spread, bounded, and with an error that says which call it was.
import { safeText } from '../../util/safe-text';
import { errorFields } from './log';
import { retryUntil } from './retry';
import type { RetryOptions } from './retry';
import type { OperationContext } from './operation-context';

/** A right that was granted seconds ago can take this long to be known everywhere. */
const RIGHTS_SPREAD: RetryOptions = { totalMs: 60_000, firstPauseMs: 1_000, maxPauseMs: 10_000 };

const DENIED: ReadonlySet<string> = new Set(['AccessDenied', 'AccessDeniedException']);

/** Many domains of one stack begin at once, and Route 53 takes five requests a second of an account: the SDK's attempts can run out. */
const THROTTLED: ReadonlySet<string> = new Set(['PriorRequestNotComplete', 'Throttling', 'ThrottlingException']);

/**
 * How AWS refuses what was signed at another time than its own. Each answer puts the SDK's clock right; but it does not try again where the
 * machine's clock is right, and the SDK's was not: a warm function keeps how far it was off before.
 */
const WRONG_CLOCK = /^(?:RequestTimeTooSkewed: |\w+: Signature (?:expired|not yet current)\b)/;

/** What the SDK's `send` takes beside the command. */
export interface SendOptions {
  readonly abortSignal: AbortSignal;
}

/** An AWS call that failed for good. */
export class AwsCallFailed extends Error {
  /** AWS's own name of the error: `NoSuchHostedZone`. */
  public readonly code: string;
  /** AWS's own words. */
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
 * Makes a call; the SDK repeats what is throttled or lost, and this repeats what is denied while rights spread, signed by a wrong clock, or
 * throttled all the same.
 *
 * @param call - as in a role's policy, `route53:GetHostedZone`
 * @param retry - for what the deployment can do without
 * @throws AwsCallFailed
 */
export async function awsCall<T>(
  context: OperationContext, call: string, send: (options: SendOptions) => Promise<T>, retry: RetryOptions = RIGHTS_SPREAD,
): Promise<T> {
  return context.activity.track(call, async () => {
    const outcome = await retryUntil(context, retry, async (number) => attempt(context, call, send, number), isPassing);
    if ('value' in outcome) return outcome.value;
    throw outcome.failed;
  });
}

type Outcome<T> = { readonly value: T } | { readonly failed: AwsCallFailed };

async function attempt<T>(context: OperationContext, call: string, send: (options: SendOptions) => Promise<T>, number: number): Promise<Outcome<T>> {
  try {
    return { value: await send({ abortSignal: context.signal }) };
  } catch (error) {
    const failed = new AwsCallFailed(call, error);
    context.activity.noteSeen(failed.message);
    context.log.warn(`${call} failed`, { attempt: number, ...errorFields(error) });
    return { failed };
  }
}

function isPassing(outcome: Outcome<unknown>): boolean {
  if (!('failed' in outcome)) return false;
  const { code, detail } = outcome.failed;
  return DENIED.has(code) || THROTTLED.has(code) || WRONG_CLOCK.test(`${code}: ${detail}`);
}

function describe(cause: unknown): [string, string] {
  if (!(cause instanceof Error)) return ['unknown error', safeText(String(cause), 300)];
  return [safeText(cause.name, 80), safeText(cause.message === '' ? 'no message' : cause.message, 300)];
}
