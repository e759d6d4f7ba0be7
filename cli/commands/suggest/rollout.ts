// The careful way to a policy in `enforce`: reporting, two weeks of testing, and only then enforcement (RFC 8461 §5, RFC 8460).
import { renderTlsRpt } from '../../../lib/protocol/records/tls-rpt';
import { reportAddress } from './construct';
import type { LiveDomain, Published } from './lookup';

/** One step. */
export interface Step {
  readonly title: string;
  /** What to change: sentences. */
  readonly change: string;
  /** The command that tells whether it is done. */
  readonly check: string;
}

/** The steps in their order. */
export function rolloutOf({ domain, record, tlsRpt }: LiveDomain): readonly Step[] {
  const verify = `npx cdk-mta-sts verify ${domain}`;
  return [
    ...record.status === 'valid' ? [takeOver(domain, verify)] : [],
    reporting(domain, tlsRpt, verify),
    {
      title: 'Publish the policy in testing',
      change: 'Deploy the construct below as it is. Senders check, report what fails, and deliver all the same.',
      check: `${verify} --expect-mode testing`,
    },
    {
      title: 'Read the reports for two weeks',
      change: 'Mend every failure that they name, at the MX host that they name, and begin the two weeks again.',
      check: `${verify} --expect-mode testing`,
    },
    {
      title: 'Enforce',
      change: 'Write `MtaStsPolicy.enforce` in place of `MtaStsPolicy.testing` and deploy again. Senders then keep the policy for 30 days, '
        + 'so a new MX host goes into the policy before it goes into DNS.',
      check: `${verify} --expect-mode enforce`,
    },
  ];
}

function takeOver(domain: string, verify: string): Step {
  return {
    title: 'Look at the policy that is there',
    change: `See what it says and who serves it. The deployment does not overwrite records that it did not make: delete the TXT record at _mta-sts.${domain} `
      + `and what stands at mta-sts.${domain} right before it. Senders that know the old policy keep it until it expires, so its hosts must go on `
      + 'working that long.',
    check: verify,
  };
}

function reporting(domain: string, tlsRpt: Published<readonly string[]>, verify: string): Step {
  if (tlsRpt.status === 'valid') {
    return {
      title: 'See that the TLS reports are read',
      change: 'The record is there; without a reader nobody learns that mail would be refused.',
      check: verify,
    };
  }
  const address = reportAddress(domain);
  return {
    title: 'Make a place for TLS reports first',
    change: `Make the mailbox ${address.slice('mailto:'.length)}, or write another address that is read into the construct. The reports are gzip files from `
      + 'strangers; let them in. The deployment of the next step publishes the address.',
    check: `npx cdk-mta-sts lint tls-rpt '${renderTlsRpt([address])}'`,
  };
}
