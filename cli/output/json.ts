// The JSON that pipelines read: stable shapes, and nothing in it that could upset a terminal.
import type { Finding } from '../../lib/protocol/findings/finding';
import type { Policy } from '../../lib/protocol/policy/policy';
import { safeWholeText } from '../../lib/util/safe-text';
import { safeFinding, safeObservation } from '../../lib/verifier/result';
import type { MxResult, Observation, VerificationResult, LiveFinding } from '../../lib/verifier/result';
import type { LintResult } from '../commands/lint/result';

/** Invisible characters that JSON would let through: C1 controls, bidi controls, line separators and their like. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** What `mta-sts lint ... --format json` prints: `input`, `record` and `policy` are data, the findings are words as in a report. */
export function lintJson(results: readonly LintResult[]): string {
  return `${json(results.map(({ input, verdict, record, policy, findings }) => ({
    input,
    verdict,
    ...(record === undefined ? {} : { record }),
    ...(policy === undefined ? {} : { policy: policyShape(policy) }),
    findings: findings.map(findingShape),
  })))}\n`;
}

/** In lines, indented by two blanks a level; without a line end. */
export function json(value: unknown): string {
  // The line ends of the layout are the only controls that JSON.stringify leaves.
  return JSON.stringify(value, null, 2).replace(UNSEEN, (character) => (character === '\n' ? character : escaped(character)));
}

/** In one line, without its end. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(UNSEEN, escaped);
}

/** Surrogate pairs become two escapes (RFC 8259 §7). */
function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
}

/**
 * One report as JSON has it. Field by field: what a later version of the report carries besides is not promised to anyone.
 *
 * ```
 * {
 *   "domain": "example.com", "time": "2026-01-02T03:04:05.678Z", "milliseconds": 250,
 *   "verdict": "pass" | "fail" | "unknown",
 *   "lookup": "found" | "none" | "temporary-error" | "permanent-error",
 *   "delivery": "deliver-verified" | "deliver-unverified" | "refuse" | "unknown",
 *   "record": { "id" } | null,
 *   "recordObservations": [{ "at", "status": "ok" | "failed" | "unknown", "answer", "milliseconds" }],
 *   "policy": { "mode", "maxAge": 2592000, "mx": ["*.example.com"] } | null,
 *   "policyObservations": [as recordObservations],
 *   "delegation": { "record": [names], "policyHost": [names] },
 *   "mx": [{ "host", "preference": 10 | null, "covered": true | false | null, "delivery",
 *             "dane": true | false | null, "observations": [as recordObservations] }],
 *   "senders": [{ "sender", "effect", "code" }],
 *   "findings": [{ "code", "severity": "error" | "unknown" | "warning" | "info", "subject", "message",
 *     and where there are: "line", "column", "evidence", "time", "temporary": true, "fix", "reference", "senders": [names] }],
 *   and with --outputs: "deployment": { "earliestRemoval", "warnings" }
 * }
 * ```
 *
 * Times are ISO 8601 in UTC, `maxAge` is in seconds.
 *
 * Words, fit to be shown: `message`, `fix`, `evidence`, `subject`, `at`, `answer`, `effect`, and those of `deployment`. They hold no
 * control character, no bidi control and nothing invisible, once the JSON is read as well: such characters are written out, `\\x1b`.
 *
 * Data, exactly as DNS or the server gave it: `domain`, `record`, `policy`, `delegation` and the `host` of an MX. It may hold any
 * character: JSON escapes what cannot be seen, and whoever shows it must do so too.
 */
export function resultShape(result: VerificationResult): object {
  const { domain, time, milliseconds, verdict, lookup, delivery, record, policy, delegation, mx, senders, findings, deployment } = result;
  return {
    domain,
    time,
    milliseconds,
    verdict,
    lookup,
    delivery,
    record: record === null ? null : { id: record.id },
    recordObservations: result.recordObservations.map(observationShape),
    policy: policy === null ? null : policyShape(policy),
    policyObservations: result.policyObservations.map(observationShape),
    delegation: { record: delegation.record, policyHost: delegation.policyHost },
    mx: mx.map(mxShape),
    senders: senders.map(({ sender, effect, code }) => ({ sender: safeWholeText(sender), effect: safeWholeText(effect), code: safeWholeText(code) })),
    findings: findings.map(findingShape),
    ...deployment === undefined
      ? {}
      : { deployment: { earliestRemoval: shown(deployment.earliestRemoval), warnings: shown(deployment.warnings) } },
  };
}

function mxShape({ host, preference, covered, delivery, dane, observations: paths }: MxResult): object {
  return { host, preference, covered, delivery, dane, observations: paths.map(observationShape) };
}

function shown(text: string | undefined): string | undefined {
  return text === undefined ? undefined : safeWholeText(text);
}

function observationShape(observation: Observation): object {
  const { at, status, answer, milliseconds } = safeObservation(observation);
  return { at, status, answer, milliseconds };
}

function policyShape({ mode, maxAge, mx }: Policy): object {
  return { mode, maxAge, mx };
}

function findingShape(finding: Finding & Partial<Omit<LiveFinding, keyof Finding>>): object {
  const { code, severity, subject, message, line, column, evidence, time, temporary, fix, reference, senders } = safeFinding(finding);
  // JSON.stringify leaves out what is undefined.
  return { code, severity, subject, message, line, column, evidence, time, temporary, fix, reference, senders };
}
