// Text on its way into a page: nothing of it is markup, and nothing of it hides or turns its neighbours.
import { safeText } from '../../../../lib/util/safe-text';

/** Longer than any message of ours; what a stranger's server can put into one is cut long before. */
const LONGEST = 2000;

/**
 * Escapes text for HTML and SVG, for content as for attributes in double quotes.
 *
 * @param max - the longest text, before its marks are escaped
 */
export function text(value: string, max = LONGEST): string {
  return safeText(value, max).replace(/[&<>"']/g, (mark) => ENTITIES.get(mark) ?? mark);
}

/** Text of ours in which values stand between backticks, as in Markdown. */
export function prose(value: string): string {
  return text(value).replace(/`([^`]+)`/g, '<code>$1</code>');
}

const ENTITIES: ReadonlyMap<string, string> = new Map([['&', '&amp;'], ['<', '&lt;'], ['>', '&gt;'], ['"', '&quot;'], ['\'', '&#39;']]);

/** `2026-01-02T03:04:05.678Z` as people read it, still in UTC; anything else as it is. */
export function moment(time: string): string {
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/.exec(time);
  return parts === null ? text(time, 40) : `<time datetime="${text(time, 40)}">${parts[1]} ${parts[2]} UTC</time>`;
}

/** References with links to the sections that they name. A link asks nobody anything until it is followed. */
export function reference(value: string): string {
  return text(value).replace(/RFC (\d{1,5}) §(\d+(?:\.\d+)*)/g, (named, rfc: string, section: string) =>
    `<a href="https://www.rfc-editor.org/rfc/rfc${rfc}#section-${section}" rel="noreferrer">${named}</a>`);
}
