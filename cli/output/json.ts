// The JSON that pipelines read: stable shapes, with every character escaped that could affect a terminal.
import type { Finding } from '../../lib/protocol/findings/finding';
import type { Policy } from '../../lib/protocol/policy/policy';
import { safeWholeText } from '../../lib/util/safe-text';
import { safeFinding, safeObservation } from '../../lib/verifier/result';
import type { LiveFinding, MxResult, Observation, SenderView, VerificationResult } from '../../lib/verifier/result';

/** Invisible characters that JSON.stringify does not escape: C1 controls, bidi controls, line separators and similar. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Returns indented JSON, two blanks a level, without a line end. */
export function json(value: unknown): string {
  // JSON.stringify leaves no control character but the line ends of the layout.
  return JSON.stringify(value, null, 2).replace(INVISIBLE, (character) => (character === '\n' ? character : escapeCharacter(character)));
}

/** Returns JSON in one line, without a line end. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(INVISIBLE, escapeCharacter);
}

/** Escapes a character. A surrogate pair becomes two escapes (RFC 8259 §7). */
function escapeCharacter(character: string): string {
  return Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
}

/**
 * Returns the JSON shape of one result, field by field: fields that a later version adds to a result are not part of this interface.
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
 * Text that is safe to show: `message`, `fix`, `evidence`, `subject`, `at`, `answer`, `effect`, and the fields of `deployment`. Also after
 * the JSON is parsed, it holds no control character, no bidi control and no invisible character: such characters are spelled `\\x1b`.
 *
 * Data exactly as DNS or the server returned it: `domain`, `record`, `policy`, `delegation` and the `host` of an MX. It may hold any
 * character. The JSON escapes invisible ones, and a program that shows them must do so too.
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
    senders: senders.map(senderShape),
    findings: findings.map(findingShape),
    // JSON.stringify drops undefined.
    deployment: deployment && { earliestRemoval: safeOptional(deployment.earliestRemoval), warnings: safeOptional(deployment.warnings) },
  };
}

function senderShape({ sender, effect, code }: SenderView): object {
  return { sender: safeWholeText(sender), effect: safeWholeText(effect), code: safeWholeText(code) };
}

function mxShape({ host, preference, covered, delivery, dane, observations }: MxResult): object {
  return { host, preference, covered, delivery, dane, observations: observations.map(observationShape) };
}

function safeOptional(text: string | undefined): string | undefined {
  return text === undefined ? undefined : safeWholeText(text);
}

function observationShape(observation: Observation): object {
  const { at, status, answer, milliseconds } = safeObservation(observation);
  return { at, status, answer, milliseconds };
}

/** Returns the JSON shape of a policy. */
export function policyShape({ mode, maxAge, mx }: Policy): object {
  return { mode, maxAge, mx };
}

/** Returns the JSON shape of a finding. */
export function findingShape(finding: Finding & Partial<Omit<LiveFinding, keyof Finding>>): object {
  const { code, severity, subject, message, line, column, evidence, time, temporary, fix, reference, senders } = safeFinding(finding);
  // JSON.stringify drops undefined.
  return { code, severity, subject, message, line, column, evidence, time, temporary, fix, reference, senders };
}
