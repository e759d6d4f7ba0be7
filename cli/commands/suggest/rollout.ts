// Plans the rollout of a policy: TLS reports, two weeks of testing, then enforcement (RFC 8461 §5, RFC 8460).
import { renderTlsRpt } from '../../../lib/protocol/records/tls-rpt';
import { reportAddress } from './construct';
import type { LiveDomain, Published } from './lookup';

/** One step of the rollout. */
export interface Step {
  readonly title: string;
  /** The change, in sentences. */
  readonly change: string;
  /** The command that shows whether the step is done. */
  readonly check: string;
}

/** Returns the steps in their order. */
export function planRollout({ domain, record, tlsRpt }: LiveDomain): readonly Step[] {
  const verify = `npx cdk-mta-sts verify ${domain}`;
  return [
    ...record.status === 'valid' ? [takeOverStep(domain, verify)] : [],
    reportingStep(domain, tlsRpt, verify),
    {
      title: 'Publish the policy in testing',
      change: 'Deploy the construct below as it is. Senders check the policy, report failures, and still deliver.',
      check: `${verify} --expect-mode testing`,
    },
    {
      title: 'Read the reports for two weeks',
      change: 'Fix every reported failure at its MX host, then start the two weeks again.',
      check: `${verify} --expect-mode testing`,
    },
    {
      title: 'Enforce',
      change: 'Replace `MtaStsPolicy.testing` with `MtaStsPolicy.enforce` and deploy again. Senders then keep the policy for 30 days, '
        + 'so add a new MX host to the policy before you add it to DNS.',
      check: `${verify} --expect-mode enforce`,
    },
  ];
}

function takeOverStep(domain: string, verify: string): Step {
  return {
    title: 'Check the existing policy',
    change: `Find out its content and where it is served. The deployment does not overwrite records that it did not create. Right before it, delete the TXT record at _mta-sts.${domain} `
      + `and the records at mta-sts.${domain}. Senders keep the old policy until it expires, so its hosts must work until then.`,
    check: verify,
  };
}

function reportingStep(domain: string, tlsRpt: Published<readonly string[]>, verify: string): Step {
  if (tlsRpt.status === 'valid') {
    return {
      title: 'Make sure that somebody reads the TLS reports',
      change: 'The record exists. If nobody reads the reports, refused mail stays unnoticed.',
      check: verify,
    };
  }
  const address = reportAddress(domain);
  return {
    title: 'Create a mailbox for TLS reports',
    change: `Create the mailbox ${address.slice('mailto:'.length)}, or write the address of another mailbox into the construct. Reports are gzip files from `
      + 'unknown senders. Make sure that the mailbox accepts them. The deployment of the next step publishes the address.',
    check: `npx cdk-mta-sts lint tls-rpt '${renderTlsRpt([address])}'`,
  };
}
