// Escapes text for the page: text cannot become markup, hide its neighbours or change their direction.
import { safeText } from '../../../../lib/util/safe-text';

/** Longer than any message of ours. Text from a server under verification is cut to a shorter length before. */
const MAX_TEXT_LENGTH = 2000;

/**
 * Escapes text for HTML and SVG, for content as for attributes in double quotes.
 *
 * @param max - maximum length, before characters become entities
 */
export function text(value: string, max = MAX_TEXT_LENGTH): string {
  return safeText(value, max).replace(/[&<>"']/g, (mark) => ENTITIES.get(mark) ?? mark);
}

/** Escapes our own text, and formats values between backticks as code, as in Markdown. */
export function prose(value: string): string {
  return text(value).replace(/`([^`]+)`/g, '<code>$1</code>');
}

const ENTITIES: ReadonlyMap<string, string> = new Map([['&', '&amp;'], ['<', '&lt;'], ['>', '&gt;'], ['"', '&quot;'], ['\'', '&#39;']]);

/** Formats a time such as `2026-01-02T03:04:05.678Z` for people, in UTC. Only escapes any other text. */
export function moment(time: string): string {
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/.exec(time);
  return parts === null ? text(time, 40) : `<time datetime="${text(time, 40)}">${parts[1]} ${parts[2]} UTC</time>`;
}

/** Adds links to the RFC sections in a reference. A link causes no request until it is followed. */
export function reference(value: string): string {
  return text(value).replace(/RFC (\d{1,5}) §(\d+(?:\.\d+)*)/g, (named, rfc: string, section: string) =>
    `<a href="https://www.rfc-editor.org/rfc/rfc${rfc}#section-${section}" rel="noreferrer">${named}</a>`);
}
