import { afterEach, describe, expect, test } from '@jest/globals';
import { edgeFunctionCode } from '../../lib/private/policy-host/policy-distribution';
import { createEdgeFunction } from '../../lib/preview/edge/handler';
import type { EdgeFunction, EdgeResult } from '../../lib/preview/edge/handler';

let opened: EdgeFunction[] = [];

afterEach(async () => {
  await Promise.all(opened.map((edge) => edge.close()));
  opened = [];
});

function edgeOf(code: string, milliseconds?: number): EdgeFunction {
  const edge = createEdgeFunction(code, milliseconds);
  opened.push(edge);
  return edge;
}

function run(code: string, event: unknown = { request: { uri: '/' } }): Promise<EdgeResult> {
  return edgeOf(code).run(event);
}

describe('code that would get out', () => {
  test.each([
    ['through the global object', "function handler() { return { p: this.constructor.constructor('return process')().pid }; }"],
    ['through globalThis', "function handler() { return { p: globalThis.constructor.constructor('return process')().pid }; }"],
    ['through the event', "function handler(event) { return { p: event.constructor.constructor('return process')().pid }; }"],
    ['through eval', "function handler() { return { p: eval('process').pid }; }"],
    ['through an async function', "async function handler() { return { p: (async () => {}).constructor('return process')().pid }; }"],
    ['through a stack trace', `function handler() {
      Error.prepareStackTrace = (error, frames) => frames.constructor.constructor('return process')().pid;
      return { p: new Error('x').stack };
    }`],
    ['through the frames of a stack trace', `function handler() {
      let found = 'nothing';
      Error.prepareStackTrace = (error, frames) => {
        for (const frame of frames) {
          const f = frame.getFunction();
          if (f !== undefined && !(f instanceof Function)) found = f;
          const t = frame.getThis();
          if (t !== undefined && t !== globalThis && !(t instanceof Object)) found = t;
        }
      };
      void new Error('x').stack;
      if (found !== 'nothing') return { p: String(found) };
      throw new Error('no way out');
    }`],
    ['at its top level', "const p = this.constructor.constructor('return process')().pid; function handler() { return { p }; }"],
    ['through require', "function handler() { return { p: require('fs') }; }"],
    ['through process', 'function handler() { return { p: process.pid }; }'],
    ['through setTimeout', 'function handler() { return { p: setTimeout }; }'],
    ['through WebAssembly', 'function handler() { return { p: WebAssembly.Module }; }'],
  ])('fails %s', async (_way, code) => {
    expect(await run(code)).toEqual({ fault: expect.stringMatching(/Code generation from strings disallowed|is not defined|no way out/) });
  });

  test.each([
    'function handler() { import("fs"); return {}; }',
    'import cf from "cloudfront"; function handler() { return {}; }',
    'function handler() { return import/**/("fs"); }',
  ])('is not run at all where it could import: %s', async (code) => {
    expect(await run(code)).toEqual({ fault: expect.stringContaining('`import`') });
  });

  test('finds no object of the host, however far it walks', async () => {
    const result = await run(`function handler(event) {
      const seen = new Set();
      const foreign = [];
      const ways = [[globalThis, 'globalThis'], [event, 'event']];
      try { null.x; } catch (error) { ways.push([error, 'error']); }
      try { (function f() { f(); })(); } catch (error) { ways.push([error, 'overflow']); }
      while (ways.length > 0) {
        const [value, path] = ways.pop();
        if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) continue;
        seen.add(value);
        const parent = Object.getPrototypeOf(value);
        // Every chain of this realm ends in its own Object.prototype.
        if (parent === null && value !== Object.prototype) foreign.push(path);
        ways.push([parent, path + '.__proto__']);
        for (const key of Reflect.ownKeys(value)) {
          const descriptor = Object.getOwnPropertyDescriptor(value, key);
          const name = path + '.' + String(key);
          if (!(descriptor instanceof Object)) foreign.push(name);
          ways.push([descriptor.value, name], [descriptor.get, name + '.get'], [descriptor.set, name + '.set']);
        }
      }
      return { foreign, seen: seen.size };
    }`);
    // The language itself makes this one without a prototype.
    const foreign = ['globalThis.Array.prototype.Symbol(Symbol.unscopables)'];
    expect(result).toEqual({ result: { foreign, seen: expect.any(Number) } });
    expect('result' in result && (result.result as { seen: number }).seen).toBeGreaterThan(500);
  });
});

describe('code that would not end', () => {
  test.each([
    ['a loop', 'function handler() { for (;;); }'],
    ['a loop at the top level', 'for (;;); function handler() {}'],
    ['a loop in a promise', 'async function handler() { await 0; for (;;); }'],
    ['promises without end', 'function handler() { const again = () => Promise.resolve().then(again); return again(); }'],
    ['a promise that nobody keeps', 'function handler() { return new Promise(() => {}); }'],
    ['a loop in the result', 'function handler() { return { toJSON() { for (;;); } }; }'],
    ['a loop in the words of an error', 'throw { get message() { for (;;); } };'],
  ])('%s fails', async (_what, code) => {
    expect(await edgeOf(code, 50).run({})).toEqual({ fault: expect.stringMatching(/timed out after 50ms|did not finish|was ended/) });
  }, 10_000);

  test('more memory than there is fails, and the next run works', async () => {
    const edge = edgeOf(`function handler(event) {
      const all = [];
      while (event.hungry) all.push(new Array(100000).fill(all.length));
      return { fed: true };
    }`, 60_000);
    expect(await edge.run({ hungry: true })).toEqual({ fault: expect.stringMatching(/memory limit/) });
    expect(await edge.run({ hungry: false })).toEqual({ result: { fed: true } });
  }, 30_000);
});

describe('code that is broken', () => {
  test.each([
    ['throws', 'function handler() { throw new Error("no such host"); }', 'no such host'],
    ['throws no error', 'function handler() { throw "a text"; }', 'a text'],
    ['rejects', 'async function handler() { throw new Error("no such host"); }', 'no such host'],
    ['has no handler', 'function handle() {}', 'handler is not defined'],
    ['is no JavaScript', 'function handler( {', 'Unexpected'],
    ['throws what cannot be said', 'throw { get message() { throw 1; } };', 'an error without words'],
    ['rejects with what cannot be said', 'function handler() { throw { toString() { throw 1; } }; }', 'did not finish'],
    ['returns what is no JSON', 'function handler() { const a = {}; a.a = a; return a; }', 'circular'],
    ['puts its own JSON in place', 'JSON.stringify = () => "{"; function handler() { return {}; }', 'not JSON'],
    ['answers with an object of its own', 'JSON.stringify = () => ({}); function handler() { return {}; }', 'undefined'],
    ['answers without end', 'function handler() { return "x".repeat(200000); }', 'CloudFront takes 40 KB at most'],
    ['colours the terminal', 'function handler() { throw new Error("\\u001b[31mred"); }', '\\x1b[31mred'],
  ])('fails with its reason where it %s', async (_what, code, fault) => {
    expect(await run(code)).toEqual({ fault: expect.stringContaining(fault) });
  });

  test('leaves nothing behind for the next run', async () => {
    const edge = edgeOf('function handler(event) { globalThis.count = (globalThis.count ?? 0) + 1; return { count }; }');
    expect(await edge.run({})).toEqual({ result: { count: 1 } });
    expect(await edge.run({})).toEqual({ result: { count: 1 } });
  });
});

describe('code that works', () => {
  test('gets the event and gives a result', async () => {
    expect(await run('function handler(event) { return { ...event.request, seen: true }; }', { request: { uri: '/x' } }))
      .toEqual({ result: { uri: '/x', seen: true } });
  });

  test('may be asynchronous, a constant and in strict mode', async () => {
    expect(await run('"use strict"; const handler = async (event) => { await null; return event; };', { a: 1 })).toEqual({ result: { a: 1 } });
  });

  test('may write to the console and let a promise fail', async () => {
    expect(await run('function handler() { console.log("x"); Promise.reject(new Error("x")); return 1; }')).toEqual({ result: 1 });
  });

  test('gives null where it returns nothing', async () => {
    expect(await run('function handler() {}')).toEqual({ result: null });
  });

  test('is the code of the construct', async () => {
    const edge = edgeOf(edgeFunctionCode(['mta-sts.example.com']));
    const request = { method: 'GET', uri: '/.well-known/mta-sts.txt', headers: { host: { value: 'mta-sts.example.com' } } };
    expect(await edge.run({ request })).toEqual({ result: { ...request, uri: '/mta-sts.example.com/.well-known/mta-sts.txt' } });
    expect(await edge.run({ request: { ...request, uri: '/' } })).toMatchObject({ result: { statusCode: 404 } });
  });
});

test('a function that is closed says so, and closing cuts a run off', async () => {
  const edge = edgeOf('function handler(event) { while (event.endless); return {}; }', 60_000);
  // It runs: what is asked next reaches it at once.
  expect(await edge.run({})).toEqual({ result: {} });
  const running = edge.run({ endless: true });
  await new Promise(setImmediate);
  await edge.close();
  expect(await running).toEqual({ fault: 'it was ended' });
  expect(await edge.run({})).toEqual({ fault: 'the preview is closing' });
});
