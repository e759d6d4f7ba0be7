// Warns of mail that senders may refuse: a live MX that an enforce policy which they may hold does not cover (RFC 8461 §5).
import { findMailHosts } from '../../verifier/checks/mail/mx-coverage';
import { withStepLimit } from '../context/deadline';
import { uncoveredByCachedPolicies } from './history';
import type { History } from './history';
import { moment } from './time';
import { errorFields } from '../context/log';
import { retryingResolver } from '../dns';
import { mxConflictText } from './refusal-text';
import type { OperationContext } from '../context/operation-context';

/** It decides nothing, so it must not hold the publication up. */
const LIMIT = 10_000;

/** The warnings of one publication. */
export class MailWarnings {
  /** The value of the attribute; `none` where there is nothing to warn of. */
  public summary = 'not known: the MX hosts were not looked at';
  private hosts: readonly string[] | undefined;

  constructor(private readonly domain: string, private readonly keeper: { readonly history: History | undefined }) {}

  /** Asks for the live MX hosts, for a short time. */
  public async look(context: OperationContext): Promise<void> {
    this.hosts = await liveMx(context, this.domain);
    if (this.hosts === undefined) this.summary = `not known: DNS did not tell the MX hosts of ${this.domain}`;
  }

  /** Says in the log what is new; it is a warning and no fault, since the change under way may be the cure. */
  public raise(context: OperationContext): void {
    const { hosts, keeper: { history } } = this;
    if (hosts === undefined) return;
    const before = this.summary;
    if (history === undefined) {
      this.summary = 'not known: there is no ledger of what was published';
      return;
    }
    const refusals = uncoveredByCachedPolicies(history, hosts, context.services.clock.now());
    const { gap } = history;
    const unknown = gap === undefined ? 'none' : `none known; the ledger ${gap.why} and was begun anew at ${moment(gap.at)}`;
    this.summary = refusals.length === 0 ? unknown : refusals.map(mxConflictText).join('; ');
    if (refusals.length > 0 && this.summary !== before) context.log.warn(`mail may be refused: ${this.summary}`, { refusals });
  }
}

async function liveMx(context: OperationContext, domain: string): Promise<readonly string[] | undefined> {
  try {
    const { decided, hosts, findings } = await withStepLimit(context, LIMIT, `DNS, ${domain} MX,`, async (part) => findMailHosts(retryingResolver(part), domain));
    if (decided) return hosts;
    context.log.warn(UNKNOWN, { reason: findings.map(({ message }) => message).join('; ') });
  } catch (error) {
    context.signal.throwIfAborted();
    context.log.warn(UNKNOWN, errorFields(error));
  }
  return undefined;
}

const UNKNOWN = 'the MX hosts could not be learned, so whether an older policy covers them is not known';
