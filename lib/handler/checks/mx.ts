// Does the policy cover the live MX hosts? In enforce mode senders refuse mail to any other (RFC 8461 §4.1, §5).
import type { Policy } from '../../protocol/policy';
import { listed, printable } from '../../protocol/text';
import { checkCoverage, findMailHosts } from '../../verifier/checks/mx';
import { patientResolver } from '../patient-dns';
import type { Run } from '../run';
import { faulty, good } from './check';
import type { Checked } from './check';

/** Enough to see what is wrong. */
const MOST_HOSTS = 10;

/** Mode `enforce`: a host that is not covered is a fault. Mode `testing`: mail is delivered all the same, so it is a warning. */
export async function checkMx(run: Run, domain: string, policy: Policy): Promise<Checked> {
  if (policy.mode === 'none') return good('mode none asks nothing of the MX');
  const mail = await findMailHosts(patientResolver(run), domain);
  if (!mail.decided) {
    const why = mail.findings.map(({ message, fix }) => fix === undefined ? message : `${message}; ${fix}`).join('; ');
    return judged(policy, `whether the policy covers the MX hosts of ${domain} could not be learned: ${why}`);
  }
  if (mail.hosts.length === 0) return good(`${domain} takes no mail`);
  const uncovered = checkCoverage(domain, mail, policy).mx.filter(({ covered }) => covered !== true).map(({ host }) => host);
  if (uncovered.length === 0) return good(`the policy covers ${mail.hosts.length === 1 ? 'the MX host' : `all ${mail.hosts.length} MX hosts`}`);
  const consequence = policy.mode === 'enforce' ? 'in enforce mode senders would refuse to deliver there' : 'senders will report it';
  return judged(policy, `the policy does not cover ${uncovered.length === 1 ? 'the MX host' : 'the MX hosts'} ${list(uncovered)} of ${domain}, `
    + `its mx patterns are ${list(policy.mx)}: ${consequence}; add a pattern for each host or take the host out of the MX records`
    + `${policy.mode === 'enforce' ? '' : ' before you enforce'} (RFC 8461 §4.1)`);
}

function judged({ mode }: Policy, what: string): Checked {
  return mode === 'enforce' ? faulty(what) : { faults: [], warnings: [what] };
}

function list(names: readonly string[]): string {
  return listed(names.map((name) => printable(name)), MOST_HOSTS);
}
