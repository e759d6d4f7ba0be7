// The page about withdrawing a policy: its table explains every text of the line `removal`.
import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { confirmLive, earliestRemoval, recordPublication, restarted } from '../../lib/operations/history/history';
import type { History, PublishedVersion } from '../../lib/operations/history/history';

const PAGE = readFileSync(join(__dirname, '../../docs/guide/withdraw.md'), 'utf8');
const START = Date.parse('2027-01-01T00:00:00Z');
const MONTH = 30 * 86_400_000;

function publish(history: History, mode: PublishedVersion['mode'], time: number, isRollingBack = false): History {
  const version = { id: `${mode}${time}`, mode, maxAge: 86_400, mx: ['mx1.example.com'] };
  return confirmLive(recordPublication(history, version, time), time, isRollingBack);
}

const EMPTY: History = { entries: [] };
const ENFORCED = publish(EMPTY, 'enforce', START);
const NONE: PublishedVersion = { id: 'n', mode: 'none', maxAge: 86_400, mx: [] };

test.each([
  ['enforce is published', 'not while enforce is published …', ENFORCED],
  ['nothing confirmed the policy none', 'not known: the policy none was not confirmed live …', recordPublication(ENFORCED, NONE, START + MONTH)],
  ['the history was started again', 'not known: the publication history …', publish(restarted('was damaged', START), 'none', START)],
  ['the deployment was rolled back', 'not known after a rollback …', publish(ENFORCED, 'none', START + MONTH, true)],
  ['the history is younger than a year', '<time>, if nothing published a policy … before …', publish({ ...EMPTY, startedAt: START }, 'none', START)],
])('the table of the page "Withdraw a policy" explains the line removal where %s', (_, row, history) => {
  expect(PAGE).toContain(`\n| \`${row}\` | `);
  const pattern = row.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace('<time>', '[\\d:TZ-]+').replace(/ ?…/g, '.*');
  expect(earliestRemoval(history)).toMatch(new RegExp(`^${pattern}$`));
});
