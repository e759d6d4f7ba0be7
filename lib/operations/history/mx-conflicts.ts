// Warns about mail that senders may refuse: an MX host that a held enforce policy does not cover (RFC 8461 §5).
import { joinList, safeText } from '../../util/safe-text';
import { findMailHosts } from '../../verifier/checks/mail/mx-coverage';
import { withStepLimit } from '../context/deadline';
import { errorFields } from '../context/log';
import type { OperationContext } from '../context/operation-context';
import { retryingResolver } from '../dns';
import { isoTime, uncoveredByCachedPolicies } from './history';
import type { History, MxConflict } from './history';

/** The check decides nothing, so it must not delay the publication. */
const MX_LIMIT_MS = 10_000;

/** Maximum number of hosts to name. */
const MAX_HOSTS = 3;

/** Compares the MX hosts with every policy that senders may hold. One object for one publication. */
export class MxConflictCheck {
  private known = 'not known: the MX hosts were not checked';
  private hosts: readonly string[] | undefined;

  constructor(private readonly domain: string) {}

  /** The conflicts in words, `none`, or the reason why the conflicts are not known. */
  public get summary(): string {
    return this.known;
  }

  /** Looks up the MX hosts. Rejects only at the end of the operation. */
  public async readMx(context: OperationContext): Promise<void> {
    this.hosts = await readMxHosts(context, this.domain);
    if (this.hosts === undefined) this.known = `not known: DNS returned no MX hosts of ${this.domain}`;
  }

  /**
   * Logs new conflicts. A conflict is a warning and not a failure, because this publication may fix it.
   *
   * @param history - undefined where the history is not known
   */
  public warn(context: OperationContext, history: History | undefined): void {
    const { hosts } = this;
    if (hosts === undefined) return;
    if (history === undefined) {
      this.known = 'not known: the publication history is missing';
      return;
    }
    const before = this.known;
    const conflicts = uncoveredByCachedPolicies(history, hosts, context.services.clock.now());
    this.known = conflicts.length === 0 ? noConflicts(history) : conflicts.map(mxConflictText).join('; ');
    if (conflicts.length > 0 && this.known !== before) context.log.warn(`mail may be refused: ${this.known}`, { conflicts });
  }
}

/** Every text without a conflict begins with `none`: `mta-sts verify --outputs` reads this word. */
function noConflicts({ gap }: History): string {
  return gap === undefined ? 'none' : `none known; the publication history ${gap.reason} and was started again at ${isoTime(gap.restartedAt)}`;
}

/** Returns a conflict in words: the hosts, the time, and the policy. */
export function mxConflictText({ id, hosts, publishedAt, cachedUntil, maxAge }: MxConflict): string {
  const names = joinList(hosts.map((host) => safeText(host, 80)), MAX_HOSTS);
  const time = cachedUntil === undefined ? `as long as the published policy stays, and for ${formatAge(maxAge)} after that` : `until ${isoTime(cachedUntil)}`;
  return `mail to ${names} may be refused ${time}: the enforce policy ${id}, published ${isoTime(publishedAt)}, does not cover ${hosts.length === 1 ? 'this host' : 'these hosts'}, `
    + `and senders may hold this policy for ${formatAge(maxAge)} (RFC 8461 section 5)`;
}

/** Returns `30 days`, `12 hours`, `90 seconds`. */
export function formatAge(seconds: number): string {
  const [size, unit] = ([[86_400, 'day'], [3_600, 'hour'], [1, 'second']] as const).find(([one]) => seconds >= one && seconds % one === 0) ?? [1, 'second'];
  const count = seconds / size;
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

async function readMxHosts(context: OperationContext, domain: string): Promise<readonly string[] | undefined> {
  try {
    const { decided, hosts, findings } = await withStepLimit(context, MX_LIMIT_MS, `DNS, ${domain} MX,`, async (part) => findMailHosts(retryingResolver(part), domain));
    if (decided) return hosts;
    context.log.warn(MX_UNKNOWN, { reason: findings.map(({ message }) => message).join('; ') });
  } catch (error) {
    context.signal.throwIfAborted();
    context.log.warn(MX_UNKNOWN, errorFields(error));
  }
  return undefined;
}

const MX_UNKNOWN = 'could not look up the MX hosts, so the publication does not check whether older policies cover them';
