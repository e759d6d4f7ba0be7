// The id that stands in the record now: senders prolong what they hold under it for as long as it does.
import { parseRecord } from '../../protocol/records/sts-record';
import { stsRecordName } from '../../protocol/records/record-names';
import { withStepLimit } from '../context/deadline';
import { joinedStrings, recordSetsAt } from '../hosted-zone';
import { errorFields } from '../context/log';
import type { OperationContext } from '../context/operation-context';

/** It may be done without. */
const LIMIT = 10_000;

/**
 * Never rejects but when the run is over.
 *
 * @param zoneId - Route 53 is asked itself, since a resolver would go on giving what it has heard; none where DNS is elsewhere
 * @returns undefined where there is none, or it could not be learned
 */
export async function announcedId(context: OperationContext, domain: string, zoneId: string | undefined): Promise<string | undefined> {
  const name = stsRecordName(domain);
  try {
    const texts = await withStepLimit(context, LIMIT, `reading ${name}`, async (part) => {
      return zoneId === undefined ? publicTexts(part, name) : zoneTexts(part, zoneId, name);
    });
    return parseRecord(texts).record?.id;
  } catch (error) {
    context.signal.throwIfAborted();
    context.log.warn('could not read which id is announced now', { name, ...errorFields(error) });
    return undefined;
  }
}

async function zoneTexts(context: OperationContext, id: string, name: string): Promise<readonly string[]> {
  const sets = await recordSetsAt(context, { id }, name);
  return sets.filter(({ type }) => type === 'TXT').flatMap(({ values }) => values.map(joinedStrings));
}

async function publicTexts(context: OperationContext, name: string): Promise<readonly (readonly string[])[]> {
  const answer = await context.services.resolver.query(name, 'TXT');
  return answer.status === 'found' ? answer.records : [];
}
