// Creates verification results of a domain without problems, to change for a test.
import type { MxResult, Observation, VerificationResult } from '../../lib/verifier/result';

/** Returns an MX host without problems. */
export function mxResult(more: Partial<MxResult> = {}): MxResult {
  return { host: 'mx1.example.com', preference: 10, covered: true, delivery: 'deliver-verified', dane: false, observations: [observation('198.51.100.25')], ...more };
}

/** Returns a successful observation. */
export function observation(at: string, more: Partial<Observation> = {}): Observation {
  return { at, status: 'ok', answer: 'as it should be', milliseconds: 35, ...more };
}

/** Returns a result without problems, with some values replaced. */
export function verificationResult(more: Partial<VerificationResult> = {}): VerificationResult {
  return {
    domain: 'example.com',
    time: '2026-01-02T03:04:05.678Z',
    milliseconds: 250,
    verdict: 'pass',
    lookup: 'found',
    delivery: 'deliver-verified',
    record: { id: 'a1b2' },
    recordObservations: [observation('ns1.example.com (192.0.2.53)', { answer: '"v=STSv1; id=a1b2;" (TTL 300 s)' })],
    policy: { mode: 'enforce', maxAge: 2592000, mx: ['*.example.com'] },
    policyObservations: [observation('192.0.2.80', { answer: 'status 200, text/plain, 80 bytes in 35 ms over TLSv1.3' })],
    delegation: { record: [], policyHost: [] },
    mx: [mxResult()],
    senders: [],
    findings: [],
    ...more,
  };
}
