// The policy of a domain: its mode, MX hosts and age, and the exact bytes to serve.
import { Duration } from 'aws-cdk-lib';
import { AGE, HOSTS, checkInput, requireInput, requireProps } from './private/input';
import { MxHosts } from './mx-hosts';
import { MAX_AGE_LIMIT, renderPolicy } from './protocol/policy/policy';
import { policyHash } from './protocol/policy/id';

/**
 * How senders treat mail to a host that fails the checks of the policy.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8461#section-5
 */
export enum MtaStsMode {
  /** Senders do not deliver to the host. */
  ENFORCE = 'enforce',
  /** Senders deliver, and report the failure if TLS reporting is set up (RFC 8460). */
  TESTING = 'testing',
  /** Senders behave as if there were no policy. Use this mode to withdraw a policy. */
  NONE = 'none',
}

/** Properties of a policy in `enforce` or `testing`. */
export interface MtaStsPolicyProps {
  /** MX hosts that may receive mail for the domain. */
  readonly mx: MxHosts;

  /**
   * Time for which senders may use the policy without fetching it again. Each sender counts it from its last fetch. Whole seconds, from 1
   * second to 31557599 seconds (a year).
   *
   * @default - 30 days in `enforce`, 1 day in `testing`
   */
  readonly maxAge?: Duration;
}

/** Properties of a policy in `none`. */
export interface MtaStsNonePolicyProps {
  /**
   * MX hosts that receive mail for the domain. The RFC does not require them, but three senders refuse a policy without MX hosts. Keep the
   * hosts of the policy that you withdraw.
   *
   * @default - no hosts
   */
  readonly mx?: MxHosts;

  /**
   * Time for which senders remember the withdrawal. Whole seconds, from 1 second to 31557599 seconds.
   *
   * @default Duration.days(1)
   */
  readonly maxAge?: Duration;
}

/**
 * An MTA-STS policy (RFC 8461 §3.2): its mode, MX hosts and age, and the text that they make.
 *
 * Equal policies have equal text: the order and the case of the hosts do not matter. The id is not a part of the policy: each publication
 * gets a new one, `MtaSts.policyId`.
 *
 * @example
 * MtaStsPolicy.enforce({ mx: MxHosts.googleWorkspace() });
 */
export class MtaStsPolicy {
  /**
   * Returns a policy in `enforce`: senders deliver only over TLS with a valid certificate, and only to the hosts of the policy.
   *
   * Start with `testing` and TLS reporting for two weeks, then enforce.
   *
   * @param props - MX hosts and age. The default of `maxAge` is 30 days
   * @throws Error if senders would refuse a value
   */
  public static enforce(props: MtaStsPolicyProps): MtaStsPolicy {
    return new MtaStsPolicy(MtaStsMode.ENFORCE, patternsOf('enforce', props), props.maxAge ?? Duration.days(30));
  }

  /**
   * Returns a policy in `testing`: senders check, report failures, and still deliver.
   *
   * @param props - MX hosts and age. The default of `maxAge` is 1 day
   * @throws Error if senders would refuse a value
   */
  public static testing(props: MtaStsPolicyProps): MtaStsPolicy {
    return new MtaStsPolicy(MtaStsMode.TESTING, patternsOf('testing', props), props.maxAge ?? Duration.days(1));
  }

  /**
   * Returns a policy that withdraws an earlier one. Deploy it and wait until the largest `maxAge` that you ever published is over. Only
   * then remove the construct (RFC 8461 §8.3).
   *
   * @param props - MX hosts and age. The defaults are no hosts and 1 day
   * @throws Error if senders would refuse a value
   */
  public static none(props: MtaStsNonePolicyProps = {}): MtaStsPolicy {
    return new MtaStsPolicy(MtaStsMode.NONE, patternsOf('none', props), props.maxAge ?? Duration.days(1));
  }

  /** How senders treat mail to a host that fails the checks. */
  public readonly mode: MtaStsMode;

  /** MX patterns in lower-case A-labels, sorted, without duplicates. */
  public readonly mx: string[];

  /** Time for which senders may use the policy without fetching it again. */
  public readonly maxAge: Duration;

  /** Policy file: ASCII with CRLF line ends, exactly as served. */
  public readonly text: string;

  /**
   * First 16 hexadecimal characters of the SHA-256 hash of `text`. Each id of this policy ends with them, after the time of the
   * publication.
   */
  public readonly hash: string;

  private constructor(mode: MtaStsMode, mx: string[], maxAge: Duration) {
    if (mx.length === 0 && mode !== MtaStsMode.NONE) {
      throw new Error(`\`mx\` must contain at least one host in \`${mode}\`, got none. List the hosts of your MX records (RFC 8461 §3.2)`);
    }
    this.mode = mode;
    this.mx = mx;
    this.maxAge = maxAge;
    this.text = renderPolicy({ mode, maxAge: wholeSeconds(maxAge), mx });
    this.hash = policyHash(this.text);
  }
}

/** Returns the MX patterns of a policy. Checks the properties, because plain JavaScript can pass anything. */
function patternsOf(mode: string, props: MtaStsNonePolicyProps): string[] {
  requireProps(`MtaStsPolicy.${mode}()`, props, `MtaStsPolicy.${mode}({ mx: MxHosts.of('mx1.example.com') })`, mode === 'none' ? [HOSTS, AGE] : []);
  const { mx, maxAge } = props;
  checkInput('maxAge', maxAge, AGE);
  if (mx === undefined && mode === 'none') return [];
  requireInput('mx', mx, HOSTS);
  // The object can come from another copy of the package, or only look like an MxHosts. Check its patterns again.
  return mx === undefined ? [] : MxHosts.of(...mx.patterns).patterns;
}

function wholeSeconds(maxAge: Duration): number {
  if (maxAge.isUnresolved()) {
    throw new Error('`maxAge` must be known at synthesis, got a token. The template contains the text of the policy. '
      + 'Write a number, for example `Duration.days(30)`');
  }
  const seconds = maxAge.toMilliseconds() / 1000;
  // One sender reads the limit itself as one day. All senders understand one second less.
  const largest = MAX_AGE_LIMIT - 1;
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > largest) {
    const fix = seconds === 0 ? '. Use MtaStsPolicy.none() to withdraw a policy' : '';
    throw new Error(`\`maxAge\` must be whole seconds from 1 to ${largest} (RFC 8461 §3.2), got ${seconds} seconds${fix}`);
  }
  return seconds;
}
