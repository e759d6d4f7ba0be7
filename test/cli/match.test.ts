import { describe, expect, test } from '@jest/globals';
import vectors from '../vectors/mxmatch.json';
import { run } from '../support/command';

describe('match explains a no', () => {
  test.each([
    ['*.example.com', 'example.com', '`*.` stands for exactly one label, and example.com has none in its place; name it itself (RFC 8461 §4.1)'],
    ['*.example.com', 'a.b.example.com', 'and a.b.example.com has 2 in its place; write `*.b.example.com` or name it itself (RFC 8461 §4.1)'],
    ['*.Example.com', 'A.B.C.EXAMPLE.com.', 'and a.b.c.example.com has 3 in its place; write `*.b.c.example.com` or name it itself'],
    ['*.example.com', 'mail.badexample.com', 'mail.badexample.com is not below example.com (RFC 8461 §4.1)'],
    ['mx.example.com', 'mx2.example.com', 'the names differ (RFC 8461 §4.1)'],
    ['mx.example.com.', 'mx.example.com', 'the pattern `mx.example.com.` ends with a dot; write `mx.example.com` (RFC 8461 §3.2)'],
    ['*.*.example.com', 'a.b.example.com', 'the pattern `*.*.example.com` has two wildcards'],
    ['', 'mx.example.com', 'the pattern `` is empty'],
    ['-mx.example.com', 'mx.example.com', 'the pattern `-mx.example.com` has a label that begins with a hyphen'],
    ['mx.example.com', '.', '`.` is a null MX: the domain takes no mail (RFC 7505 §3)'],
    ['mx.example.com', '192.0.2.1', 'the host `192.0.2.1` is an IPv4 address'],
    ['*.example.com', '*.example.com', 'the host `*.example.com` contains `*`'],
    ['mx.example.com', '\u001b[2J', 'the host `\\x1b[2J` contains `\\x1b`'],
    ['mx.example.com', 'mx.example.com..', 'the host `mx.example.com..` ends with 2 dots; write one or none, `mx.example.com.` or `mx.example.com` (RFC 5321 §4.1.2)'],
    ['mx.example.com', 'mx.example.com...', 'ends with 3 dots; write one or none'],
    ['mx.example.com', '..', 'the host `..` names no host; it has only dots'],
    ['mx.example.com', 'mx_1.example.com..', 'the host `mx_1.example.com..` contains an underscore'],
    ['mx.example.com..', 'mx.example.com', 'the pattern `mx.example.com..` ends with 2 dots; write `mx.example.com` (RFC 8461 §3.2)'],
    ['mx.example.123', 'mx2.example.123', 'the names differ (RFC 8461 §4.1)'],
    ['192.0.2.1', '192.0.2.1', 'the pattern `192.0.2.1` is an IPv4 address'],
    ['mx\u20111.example.com', 'mx-1.example.com', 'contains U+2011 (non-breaking hyphen); write a hyphen (RFC 8461 §3.2)'],
    ['mx-1.example.com', 'mx\u20111.example.com', 'contains U+2011 (non-breaking hyphen); write a hyphen (RFC 5321 §4.1.2)'],
    ['bücher.example', 'xn--bcher-kva.example', 'write `xn--bcher-kva.example`'],
  ])('match explains why %j does not cover %j', async (pattern, host, reason) => {
    const { status, stdout, stderr } = await run(['match', pattern, host]);
    expect(status).toBe(1);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^✘ no: .*\n$/);
    expect(stdout).toContain(reason);
  });
});

test.each([
  ['*.example.com', 'mx1.example.com', '✔ yes: `*.` stands for exactly one label, here `mx1` (RFC 8461 §4.1)\n'],
  ['*.example.123', 'mx1.example.123', '✔ yes: `*.` stands for exactly one label, here `mx1` (RFC 8461 §4.1)\n'],
  ['mx1.example.com', 'MX1.example.com.', '✔ yes: the policy names MX1.example.com. itself (RFC 8461 §4.1)\n'],
])('match explains why %j covers %j', async (pattern, host, text) => {
  expect(await run(['match', pattern, host])).toEqual({ status: 0, stdout: text, stderr: '' });
});

test.each(vectors.map(({ id, name, pattern, host, expect: covered }) => ({ id, name, pattern, host, covered })))('match decides test vector $id: $name', async ({ pattern, host, covered }) => {
  const { status, stdout } = await run(['match', pattern, host]);
  expect(status).toBe(covered ? 0 : 1);
  expect(stdout).toMatch(covered ? /^✔ yes: / : /^✘ no: /);
});
