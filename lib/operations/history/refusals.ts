// Warns of mail that senders may refuse: a live MX that an enforce policy which they may hold does not cover (RFC 8461 §5).
import { findMailHosts } from '../../verifier/checks/mail/mx-coverage';
import { bounded } from '../context/bounded';
import { refusedMx } from './history';
import type { Ledger } from './history';
import { moment } from './time';
import { errorFields } from '../context/log';
import { patientResolver } from '../dns';
import { refusalText } from './refusal-text';
import type { Run } from '../context/invocation';

/** It decides nothing, so it must not hold the publication up. */
const LIMIT = 10_000;

/** The warnings of one publication. */
export class MailWarnings {
  /** The value of the attribute; `none` where there is nothing to warn of. */
  public summary = 'not known: the MX hosts were not looked at';
  private hosts: readonly string[] | undefined;

  constructor(private readonly domain: string, private readonly keeper: { readonly ledger: Ledger | undefined }) {}

  /** Asks for the live MX hosts, for a short time. */
  public async look(run: Run): Promise<void> {
    this.hosts = await liveMx(run, this.domain);
    if (this.hosts === undefined) this.summary = `not known: DNS did not tell the MX hosts of ${this.domain}`;
  }

  /** Says in the log what is new; it is a warning and no fault, since the change under way may be the cure. */
  public raise(run: Run): void {
    const { hosts, keeper: { ledger } } = this;
    if (hosts === undefined) return;
    const before = this.summary;
    if (ledger === undefined) {
      this.summary = 'not known: there is no ledger of what was published';
      return;
    }
    const refusals = refusedMx(ledger, hosts, run.world.clock.now());
    const { gap } = ledger;
    const unknown = gap === undefined ? 'none' : `none known; the ledger ${gap.why} and was begun anew at ${moment(gap.at)}`;
    this.summary = refusals.length === 0 ? unknown : refusals.map(refusalText).join('; ');
    if (refusals.length > 0 && this.summary !== before) run.log.warn(`mail may be refused: ${this.summary}`, { refusals });
  }
}

async function liveMx(run: Run, domain: string): Promise<readonly string[] | undefined> {
  try {
    const { decided, hosts, findings } = await bounded(run, LIMIT, `DNS, ${domain} MX,`, async (part) => findMailHosts(patientResolver(part), domain));
    if (decided) return hosts;
    run.log.warn(UNKNOWN, { reason: findings.map(({ message }) => message).join('; ') });
  } catch (error) {
    run.signal.throwIfAborted();
    run.log.warn(UNKNOWN, errorFields(error));
  }
  return undefined;
}

const UNKNOWN = 'the MX hosts could not be learned, so whether an older policy covers them is not known';
