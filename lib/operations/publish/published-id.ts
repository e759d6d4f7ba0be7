// Reads the id in the `_mta-sts` record. Senders extend a policy that they hold under this id for as long as the record has it.
import { stsRecordName } from '../../protocol/records/record-names';
import { parseRecord } from '../../protocol/records/sts-record';
import { withStepLimit } from '../context/deadline';
import { errorFields } from '../context/log';
import type { OperationContext } from '../context/operation-context';
import { joinedStrings, recordSetsAt } from '../hosted-zone';

/** The publication works without the id, so it does not wait longer. */
const READ_LIMIT_MS = 10_000;

/**
 * Reads the id. Rejects only at the end of the operation.
 *
 * @param zoneId - the hosted zone, which is read in Route 53 because a resolver may return a cached record; undefined for external DNS
 * @returns undefined where the record has no id or is not known
 */
export async function readPublishedId(context: OperationContext, domain: string, zoneId: string | undefined): Promise<string | undefined> {
  const name = stsRecordName(domain);
  try {
    const texts = await withStepLimit(context, READ_LIMIT_MS, `reading ${name}`, async (part) => {
      return zoneId === undefined ? readPublicTexts(part, name) : readZoneTexts(part, zoneId, name);
    });
    return parseRecord(texts).record?.id;
  } catch (error) {
    context.signal.throwIfAborted();
    context.log.warn('could not read the id in the _mta-sts record', { name, ...errorFields(error) });
    return undefined;
  }
}

async function readZoneTexts(context: OperationContext, id: string, name: string): Promise<readonly string[]> {
  const sets = await recordSetsAt(context, { id }, name);
  return sets.filter(({ type }) => type === 'TXT').flatMap(({ values }) => values.map(joinedStrings));
}

async function readPublicTexts(context: OperationContext, name: string): Promise<readonly (readonly string[])[]> {
  const answer = await context.services.resolver.query(name, 'TXT');
  return answer.status === 'found' ? answer.records : [];
}
