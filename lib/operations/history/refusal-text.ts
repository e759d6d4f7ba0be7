// Mail that may be refused, in words.
import { joinList, safeText } from '../../util/safe-text';
import type { MxConflict } from './history';
import { age, moment } from './time';

/** Hosts that are named. */
const MOST_HOSTS = 3;

/** One line: which hosts, until when, which policy, since when. */
export function mxConflictText({ id, hosts, from, end, maxAge }: MxConflict): string {
  const time = end === undefined ? `as long as what is published now stays, and for ${age(maxAge)} after that` : `until ${moment(end)}`;
  return `mail to ${joinList(hosts.map((host) => safeText(host, 80)), MOST_HOSTS)} may be refused ${time}: the enforce policy ${id}, published `
    + `${moment(from)}, does not cover it, and senders may hold that for ${age(maxAge)} (RFC 8461 section 5)`;
}
