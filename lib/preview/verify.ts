// Runs the verifier against a preview: the same code that checks the live domain, in the preview's world.
import type { VerificationResult } from '../verifier/result';
import { createFetchPolicy } from '../verifier/https/policy-fetch';
import { createResolver } from '../verifier/dns/resolver';
import { verify } from '../verifier/verify';
import type { Preview } from './preview';

/** Verifies each domain of a preview in turn: the id and the bytes must be those of the template. */
export async function* verifyPreview({ domains, verification }: Preview): AsyncGenerator<VerificationResult> {
  const { resolverServers, nameServerPort, httpsPort, ca } = verification;
  const resolver = createResolver({ servers: [...resolverServers] });
  const fetchPolicy = createFetchPolicy({ port: httpsPort, ca: [...ca] });
  for (const { domain, policyId, policyText } of domains) {
    const options = { expectId: policyId, expectPolicy: policyText, nameServerPort, allowPrivate: true };
    yield await verify(domain, options, { resolver, fetchPolicy });
  }
}
