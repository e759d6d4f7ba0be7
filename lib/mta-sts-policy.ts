// The policy as its owner states it: a mode, hosts and an age; the exact bytes to serve and their hash follow from it.
import { Duration } from 'aws-cdk-lib';
import { AGE, HOSTS, checkInput, requireInput, requireProps } from './private/input';
import { MxHosts } from './mx-hosts';
import { MAX_AGE_LIMIT, renderPolicy } from './protocol/policy/policy';
import { policyHash } from './protocol/policy/id';

/**
 * What senders do with mail to a host that fails the policy's checks.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8461#section-5
 */
export enum MtaStsMode {
  /** They do not deliver to it. */
  ENFORCE = 'enforce',
  /** They deliver, and report the failure where TLS reporting is set up (RFC 8460). */
  TESTING = 'testing',
  /** They behave as if there were no policy: the way to withdraw one. */
  NONE = 'none',
}

/** What a policy in `enforce` or `testing` is made of. */
export interface MtaStsPolicyProps {
  /** The hosts that may receive the domain's mail. */
  readonly mx: MxHosts;

  /**
   * How long senders may use the policy without fetching it again; whole seconds, from 1 second to 31557599 seconds
   * (a year). Counted by each sender from its last fetch.
   *
   * @default - 30 days in `enforce`, 1 day in `testing`
   */
  readonly maxAge?: Duration;
}

/** What a policy in `none` is made of. */
export interface MtaStsNonePolicyProps {
  /**
   * The hosts that receive the domain's mail. Not needed by the RFC, but three senders refuse a policy without:
   * keep those of the policy that you withdraw.
   *
   * @default - no hosts
   */
  readonly mx?: MxHosts;

  /**
   * How long senders remember the withdrawal; whole seconds, from 1 second to 31557599 seconds.
   *
   * @default Duration.days(1)
   */
  readonly maxAge?: Duration;
}

/**
 * An MTA-STS policy (RFC 8461 §3.2): its mode, its hosts, its age, and what follows from them, the text and its hash.
 *
 * Equal policies have equal text, whatever the order or the case of the hosts. The id is not among what follows: each publication gets
 * its own, `MtaSts.policyId`.
 *
 * @example
 * MtaStsPolicy.enforce({ mx: MxHosts.googleWorkspace() });
 */
export class MtaStsPolicy {
  /**
   * Senders deliver only over TLS with a valid certificate, and only to the policy's hosts.
   *
   * Begin with `testing` and TLS reporting for two weeks, then enforce.
   *
   * @param props - hosts and age; `maxAge` is 30 days unless given
   * @throws where a value is not one that senders accept
   */
  public static enforce(props: MtaStsPolicyProps): MtaStsPolicy {
    return new MtaStsPolicy(MtaStsMode.ENFORCE, patternsOf('enforce', props), props.maxAge ?? Duration.days(30));
  }

  /**
   * Senders check, report failures, and deliver all the same.
   *
   * @param props - hosts and age; `maxAge` is 1 day unless given
   * @throws where a value is not one that senders accept
   */
  public static testing(props: MtaStsPolicyProps): MtaStsPolicy {
    return new MtaStsPolicy(MtaStsMode.TESTING, patternsOf('testing', props), props.maxAge ?? Duration.days(1));
  }

  /**
   * Withdraws an earlier policy: deploy it, wait until the largest `maxAge` that was ever published is over, and only then
   * remove the construct (RFC 8461 §8.3).
   *
   * @param props - hosts and age; no hosts and 1 day unless given
   * @throws where a value is not one that senders accept
   */
  public static none(props: MtaStsNonePolicyProps = {}): MtaStsPolicy {
    return new MtaStsPolicy(MtaStsMode.NONE, patternsOf('none', props), props.maxAge ?? Duration.days(1));
  }

  /** What senders do with mail to a host that fails. */
  public readonly mode: MtaStsMode;

  /** The hosts' patterns: lower case, A-labels, sorted, without duplicates. */
  public readonly mx: string[];

  /** How long senders may use the policy without fetching it again. */
  public readonly maxAge: Duration;

  /** The policy file: ASCII with CRLF line ends, exactly as it is served. */
  public readonly text: string;

  /**
   * The first 16 hexadecimal characters of the SHA-256 of `text`. Each id of this policy ends with them, after the time of
   * the publication.
   */
  public readonly hash: string;

  private constructor(mode: MtaStsMode, mx: string[], maxAge: Duration) {
    if (mx.length === 0 && mode !== MtaStsMode.NONE) {
      throw new Error(`\`mx\` must contain at least one host in \`${mode}\` (RFC 8461 §3.2), got none; list the hosts of your MX records`);
    }
    this.mode = mode;
    this.mx = mx;
    this.maxAge = maxAge;
    this.text = renderPolicy({ mode, maxAge: wholeSeconds(maxAge), mx });
    this.hash = policyHash(this.text);
  }
}

/** The patterns of a policy whose properties nobody may have checked. */
function patternsOf(mode: string, props: MtaStsNonePolicyProps): string[] {
  requireProps(`MtaStsPolicy.${mode}()`, props, `MtaStsPolicy.${mode}({ mx: MxHosts.of('mx1.example.com') })`, mode === 'none' ? [HOSTS, AGE] : []);
  const { mx, maxAge } = props;
  checkInput('maxAge', maxAge, AGE);
  if (mx === undefined && mode === 'none') return [];
  requireInput('mx', mx, HOSTS);
  // Of another copy of the package, or of anything that looks like it: checked here as well.
  return mx === undefined ? [] : MxHosts.of(...mx.patterns).patterns;
}

function wholeSeconds(maxAge: Duration): number {
  if (maxAge.isUnresolved()) {
    throw new Error('`maxAge` is a token, known only at deployment, but the template holds the text of the policy, which must be '
      + 'known at synthesis; write it as a number, Duration.days(30) for example');
  }
  const seconds = maxAge.toMilliseconds() / 1000;
  // One sender reads the limit itself as one day, so the largest age that all understand is one second less.
  const largest = MAX_AGE_LIMIT - 1;
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > largest) {
    const fix = seconds === 0 ? '; use MtaStsPolicy.none() to withdraw a policy' : '';
    throw new Error(`\`maxAge\` must be whole seconds from 1 to ${largest} (RFC 8461 §3.2), got ${seconds} seconds${fix}`);
  }
  return seconds;
}
