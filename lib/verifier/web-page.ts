// Tells a web page by its first bytes, whatever its media type says.

/** Whether the bytes begin as HTML does, behind a byte order mark, blanks, an XML declaration and comments. */
export function isWebPage(bytes: Uint8Array): boolean {
  return HTML.test(withoutPreamble(text(bytes)));
}

/** What stands between `<title>` and its end, if it is near. */
export function titleOf(bytes: Uint8Array): string {
  return /<title[^>]{0,200}>\s*([^<]{1,200})/i.exec(text(bytes))?.[1].trim() ?? '';
}

/** More than any preamble. */
const LOOKED_AT_BYTES = 4096;

const HTML = /^<(?:!doctype[\s>]+html|html|head|body|title|meta|script|style|link|div|iframe|center|h1|p|a|table|br)(?:[\s>/]|$)/i;

/** One character a byte; of UTF-16, which pages may be in, only the lower half of each. */
function text(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, LOOKED_AT_BYTES));
  const isUtf16 = head.length > 1 && ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff));
  const all = head.toString('latin1');
  return isUtf16 ? all.slice(2).replaceAll('\0', '') : all.replace(/^\xef\xbb\xbf/, '');
}

function withoutPreamble(page: string): string {
  let at = 0;
  for (;;) {
    while (/[ \t\r\n\f]/.test(page.charAt(at))) at += 1;
    const end = page.startsWith('<!--', at) ? page.indexOf('-->', at + 4) + 3 : page.startsWith('<?', at) ? page.indexOf('>', at) + 1 : 0;
    // A comment without end, which a policy does not begin with either.
    if (end < at + 1) return page.startsWith('<!--', at) ? '<html>' : page.slice(at);
    at = end;
  }
}
