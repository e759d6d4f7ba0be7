// Runs the verifier against a preview: the same code that verifies a live domain, with the servers of the preview.
import type { VerificationResult } from '../verifier/result';
import { createFetchPolicy } from '../verifier/https/policy-fetch';
import { createResolver } from '../verifier/dns/resolver';
import { verify } from '../verifier/verify';
import type { Preview } from './preview';

/** Verifies the domains of a preview one after the other. The id and the policy file must be those of the template. */
export async function* verifyPreview({ domains, verification }: Preview): AsyncGenerator<VerificationResult> {
  const { resolverServers, nameServerPort, httpsPort, ca } = verification;
  const resolver = createResolver({ servers: [...resolverServers] });
  const fetchPolicy = createFetchPolicy({ port: httpsPort, ca: [...ca] });
  for (const { domain, policyId, policyText } of domains) {
    const options = { expectId: policyId, expectPolicy: policyText, nameServerPort, allowPrivate: true };
    yield await verify(domain, options, { resolver, fetchPolicy });
  }
}
