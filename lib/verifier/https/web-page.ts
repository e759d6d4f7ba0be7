// Recognizes a web page by its first bytes, regardless of its media type.

/** Tells whether the bytes begin as HTML does, after a byte order mark, blanks, an XML declaration and comments. */
export function isWebPage(bytes: Uint8Array): boolean {
  return HTML.test(withoutPreamble(text(bytes)));
}

/** Returns the title of a page if it is near the beginning; empty otherwise. */
export function titleOf(bytes: Uint8Array): string {
  return /<title[^>]{0,200}>\s*([^<]{1,200})/i.exec(text(bytes))?.at(1)?.trim() ?? '';
}

/** More than any preamble. */
const MAX_READ_BYTES = 4096;

const HTML = /^<(?:!doctype[\s>]+html|html|head|body|title|meta|script|style|link|div|iframe|center|h1|p|a|table|br)(?:[\s>/]|$)/i;

/** Returns the beginning of a page, one character a byte. Of UTF-16, returns only the lower half of each unit. */
function text(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, MAX_READ_BYTES));
  const isUtf16 = head.length > 1 && ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff));
  const all = head.toString('latin1');
  return isUtf16 ? all.slice(2).replaceAll('\0', '') : all.replace(/^\xef\xbb\xbf/, '');
}

function withoutPreamble(page: string): string {
  let at = 0;
  for (;;) {
    while (/[ \t\r\n\f]/.test(page.charAt(at))) at += 1;
    const isComment = page.startsWith('<!--', at);
    if (!isComment && !page.startsWith('<?', at)) return page.slice(at);
    const end = page.indexOf(isComment ? '-->' : '>', at + 2);
    // Treat a comment without an end as HTML: no other format begins with a comment.
    if (end === -1) return isComment ? '<html>' : '';
    at = end + (isComment ? 3 : 1);
  }
}
