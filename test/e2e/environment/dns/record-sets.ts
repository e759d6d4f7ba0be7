// Reads the record sets of a hosted zone from the emulator. Parses them only if they have changed.
import { XMLParser } from 'fast-xml-parser';
import { at, itemsOf, textOf } from '../../../../lib/preview/json';
import { emulatorGet } from '../aws/emulator-get';

/** A record set in Route 53. */
export interface RecordSet {
  readonly name: string;
  readonly type: string;
  readonly values: readonly string[];
  /** Target name of an alias. */
  readonly alias?: string;
}

const PARSER = new XMLParser({ parseTagValue: false, isArray: (name) => name === 'ResourceRecordSet' || name === 'ResourceRecord' });

const parsed = new Map<string, { readonly text: string; readonly sets: readonly RecordSet[] }>();

/**
 * Reads the record sets of a zone.
 *
 * @param id - `/hostedzone/Z0123456789`
 * @returns the same list while nothing changes, undefined if the zone no longer exists
 */
export async function recordSets(id: string): Promise<readonly RecordSet[] | undefined> {
  const { status, body } = await emulatorGet({ service: 'route53', path: `/2013-04-01/hostedzone/${id.replace(/^.*\//, '')}/rrset`, query: { maxitems: '300' } });
  if (status === 404) return undefined;
  if (status !== 200) throw new Error(`the record sets of ${id}: status ${status}`);
  const text = body.toString();
  const last = parsed.get(id);
  if (last?.text === text) return last.sets;
  const sets = itemsOf(at(PARSER.parse(text), 'ListResourceRecordSetsResponse', 'ResourceRecordSets', 'ResourceRecordSet')).map(readSet);
  parsed.set(id, { text, sets });
  return sets;
}

function readSet(set: unknown): RecordSet {
  return {
    name: textOf(at(set, 'Name')) ?? '',
    type: textOf(at(set, 'Type')) ?? '',
    values: itemsOf(at(set, 'ResourceRecords', 'ResourceRecord')).map((record) => textOf(at(record, 'Value')) ?? ''),
    alias: textOf(at(set, 'AliasTarget', 'DNSName')),
  };
}
