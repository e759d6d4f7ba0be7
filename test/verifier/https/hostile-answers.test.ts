// No callback of a socket, a timer or the system throws past the exchange that it belongs to: found in the source, and made to throw.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { createFetchPolicy } from '../../../lib/verifier/https/policy-fetch';
import { openChannel } from '../../../lib/verifier/dns/sockets';
import { Guard, INTERNAL_ERROR, internalError, readable } from '../../../lib/verifier/guard';
import { createMxProbe } from '../../../lib/verifier/smtp/mx-probe';
import { verify } from '../../../lib/verifier/verify';
import { DOMAIN, Loopback, MX1, POLICY, POLICY_HOST, mailZone } from '../../support/domain';
import { MX_BEHAVIOURS } from '../../support/mx-server';
import { BEHAVIOURS, testAuthority } from '../../support/policy-server';
import { finding } from '../../support/verification';

const VERIFIER = join(__dirname, '..', '..', '..', 'lib', 'verifier');

const loopback = new Loopback();
const uncaught: unknown[] = [];
const note = (error: unknown): void => {
  uncaught.push(error);
};

beforeEach(() => {
  uncaught.length = 0;
  process.on('uncaughtException', note).on('unhandledRejection', note);
});
afterEach(async () => {
  Reflect.set(Guard.prototype, 'call', CALL);
  await loopback.close();
  process.off('uncaughtException', note).off('unhandledRejection', note);
  expect(uncaught).toEqual([]);
});

/** What calls every guarded callback. */
const CALL: unknown = Reflect.get(Guard.prototype, 'call');

/** Lets the callback of one number throw, and counts them all. */
function throwAt(number: number): () => number {
  let calls = 0;
  Reflect.set(Guard.prototype, 'call', (callback: (...args: readonly unknown[]) => void, args: readonly unknown[]) => {
    calls += 1;
    if (calls === number) throw new TypeError('this callback was made to throw');
    callback(...args);
  });
  return () => calls;
}

/** Runs what is given once for each of its callbacks, which throws; at the end none is left. */
async function eachThrows<R>(run: () => Promise<R>, check: (result: R) => void): Promise<number> {
  for (let number = 1; ; number += 1) {
    const count = throwAt(number);
    check(await run());
    if (count() < number) return number - 1;
  }
}

describe('a callback that throws ends its own exchange', () => {
  test.each(BEHAVIOURS.filter((one) => !['late', 'slow-drip', 'endless'].includes(one)))('a callback that throws ends its own exchange with a policy host (%s)', async (behaviour) => {
    const { port, ca } = await loopback.policy({ behaviour });
    const fetchPolicy = createFetchPolicy({ port, ca: [ca], timeoutMs: 5000 });
    const thrown = await eachThrows(() => fetchPolicy({ policyHost: POLICY_HOST, address: '127.0.0.1' }), (response) => {
      expect(response).toHaveProperty('outcome');
    });
    expect(thrown).toBeGreaterThan(1);
  });

  test.each(MX_BEHAVIOURS.filter((one) => !one.startsWith('silent') && one !== 'http'))('a callback that throws ends its own exchange with a mail host (%s)', async (behaviour) => {
    const { port, ca } = await loopback.mx({ behaviour });
    const thrown = await eachThrows(() => createMxProbe({ port, ca: [ca], timeoutMs: 5000 }).probe({ host: MX1, address: '127.0.0.1' }), (response) => {
      expect(response).toHaveProperty('outcome');
    });
    expect(thrown).toBeGreaterThan(1);
  });

  test('a callback that throws does not stop a verification, be it of DNS, HTTPS or SMTP', async () => {
    const dns = await loopback.dns(mailZone());
    const [policy, mx] = [await loopback.policy(), await loopback.mx()];
    const ca = [(await testAuthority()).certificatePem];
    const { createResolver } = await import('../../../lib/verifier/dns/resolver');
    const seen = new Set<string>();
    await eachThrows(() => verify(DOMAIN, { nameServerPort: dns.port, allowPrivate: true, smtp: true, timeoutMs: 5000 }, {
      resolver: createResolver({ servers: [`127.0.0.1:${dns.port}`], timeoutMs: 300, tries: 1 }),
      fetchPolicy: createFetchPolicy({ port: policy.port, ca }),
      mxProbe: createMxProbe({ port: mx.port, ca }),
    }), (result) => {
      result.findings.forEach(({ code, severity }) => seen.add(`${severity} ${code}`));
      expect(result.domain).toBe(DOMAIN);
    });
    expect([...seen]).toEqual(expect.arrayContaining(['unknown internal-fault', 'unknown dns-failure']));
  });

  test('a callback that throws ends its own query to a DNS server given by address', async () => {
    const { port } = await loopback.dns(mailZone());
    const { createResolver } = await import('../../../lib/verifier/dns/resolver');
    // What earlier exchanges still close must not be counted as a callback of this one.
    await new Promise((done) => setTimeout(done, 100));
    const reasons: string[] = [];
    const thrown = await eachThrows(() => createResolver({ servers: [`localhost:${port}`], timeoutMs: 300, tries: 1 }).query(DOMAIN, 'MX'), (answer) => {
      if (answer.status === 'failed') reasons.push(answer.reason);
    });
    // The look-up of the name, the start, the connection, what was sent, the message and what is made of it.
    expect(reasons).toHaveLength(thrown);
    expect(new Set(reasons)).toEqual(new Set(['the verifier failed (TypeError: this callback was made to throw)']));
    expect(thrown).toBeGreaterThan(4);
  });

  test('a callback that throws ends its own query to a DNS server given by name', async () => {
    const { createResolver } = await import('../../../lib/verifier/dns/resolver');
    const answer = await createResolver({ servers: ['nowhere.invalid:5353'], timeoutMs: 300, tries: 1 }).query(DOMAIN, 'MX');
    expect(answer).toMatchObject({ status: 'failed', reason: 'no address is known for the DNS server nowhere.invalid' });
  });

  test('a callback that throws is reported as an error of the verifier, which decides nothing about the domain', async () => {
    const spent = { outcome: 'unusable', code: INTERNAL_ERROR, reason: internalError(new TypeError('x')), milliseconds: 1 } as const;
    const result = await loopback.verify({
      zone: mailZone(), options: { smtp: true },
      network: { fetchPolicy: () => Promise.resolve(spent), mxProbe: { reachedAny: false, probe: () => Promise.resolve(spent) } },
    });
    expect(result).toMatchObject({ verdict: 'unknown', lookup: 'temporary-error' });
    const messages = result.findings.filter(({ code }) => code === 'internal-fault').map(({ message }) => message);
    expect(messages).toContain('127.0.0.1 was not checked completely: the verifier failed (TypeError: x)');
    expect(messages).toContain(`${MX1} was not checked completely: the verifier failed (TypeError: x), at 127.0.0.1`);
  });

  test('an error outside of every exchange leaves its domain undecided, and other domains are verified', async () => {
    const clock = { now: () => Date.now(), sleep: () => new Promise<void>(() => undefined) };
    const resolver = { query: () => Promise.resolve(JSON.parse('{"status":"found"}')) };
    const result = await loopback.verify({ network: { clock, resolver } });
    expect(result).toMatchObject({ domain: DOMAIN, verdict: 'unknown', delivery: 'unknown' });
    expect(finding(result, 'internal-fault').message).toContain(`the verification of ${DOMAIN} did not finish: the verifier failed (TypeError: `);
  });

  test('a listener of a DNS socket that throws is reported as its error', async () => {
    const { port } = await loopback.dns(mailZone());
    const messages: string[] = [];
    await new Promise<void>((done) => {
      const line = openChannel('127.0.0.1', port, {
        message: () => {
          throw new TypeError('not this one');
        },
        error: (error) => {
          messages.push(error.message);
          line.close();
          done();
        },
      });
      line.send(Buffer.from(`${line.id.toString(16).padStart(4, '0')}01000001000000000000076578616d706c65047465737400000f0001`, 'hex'));
    });
    expect(messages).toEqual(['the verifier failed (TypeError: not this one)']);
  });

  test('an object that must not be read is replaced in a comparison', () => {
    expect(readable(() => POLICY, '')).toBe(POLICY);
    expect(readable(() => {
      throw new TypeError('unconvertible');
    }, 'nothing')).toBe('nothing');
  });
});

describe('every callback of an event in the source', () => {
  test.each(sources())('every event callback of %s is guarded', (file) => {
    expect(unguarded(file, readFileSync(join(VERIFIER, file), 'utf8'))).toEqual([]);
  });

  test.each([
    'socket.on(\'data\', (chunk) => { take(chunk); });', 'socket.once(\'end\', end);', 'signal.addEventListener(\'abort\', () => { stop(); });',
    'setTimeout(() => { stop(); }, 10);', 'lookup(host, (error) => { fail(error); });', 'socket.send(query, sent);',
  ])('an unguarded callback is found: %s', (source) => {
    expect(unguarded('x.ts', source)).toHaveLength(1);
  });

  test('a guarded callback is accepted', () => {
    expect(unguarded('x.ts', 'const end = guard.over(() => { stop(); }); socket.on(\'data\', guard.over(take)).on(\'end\', end);')).toEqual([]);
  });
});

/** Functions that cannot throw: they wake, or empty a list. */
const HARMLESS = new Set(['wake', 'late']);

/** The calls that hand over a callback, whose callback is neither made by a guard nor harmless. */
function unguarded(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const guarded = new Set<string>();
  const isGuarded = (node: ts.Node): boolean => {
    if (ts.isCallExpression(node)) return ts.isPropertyAccessExpression(node.expression) && node.expression.name.text === 'over';
    const name = ts.isIdentifier(node) ? node.text : ts.isPropertyAccessExpression(node) ? node.name.text : '';
    return guarded.has(name) || HARMLESS.has(name);
  };
  const found: string[] = [];
  const declare = (node: ts.Node): void => {
    const isNamed = ts.isVariableDeclaration(node) || ts.isPropertyDeclaration(node);
    if (isNamed && node.initializer !== undefined && isGuarded(node.initializer)) guarded.add(node.name.getText());
    ts.forEachChild(node, declare);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const name = ts.isPropertyAccessExpression(node.expression) ? node.expression.name.text : node.expression.getText();
      const at = CALLBACK_AT.get(name);
      const callback = at === undefined ? undefined : node.arguments.at(at);
      const isEvent = callback !== undefined && (node.arguments.length > 1) && !ts.isNumericLiteral(callback);
      const isAllowed = callback !== undefined && ALLOWED.some((code) => callback.getText().includes(code));
      if (isEvent && !isGuarded(callback) && !isAllowed) found.push(node.getText().slice(0, 80));
    }
    ts.forEachChild(node, visit);
  };
  declare(source);
  visit(source);
  return found;
}

/** Where the callback stands among the arguments. */
const CALLBACK_AT: ReadonlyMap<string, number> = new Map([
  ['on', 1], ['once', 1], ['addEventListener', 1], ['setTimeout', 0], ['setImmediate', 0], ['lookup', 1], ['send', 1],
]);

/** What ends the time of a verification: it settles promises, and nothing else. */
const ALLOWED = ['end(\'not answered before the verification was interrupted\')', 'stop.abort(\'the verification has ended\')', 'waiting.length = 0'];

function sources(): string[] {
  return readdirSync(VERIFIER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts')).sort();
}
