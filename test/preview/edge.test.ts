// The edge function of a template in its own thread, with hostile, endless and broken code.
import { afterEach, describe, expect, test } from '@jest/globals';
import { edgeFunctionCode } from '../../lib/private/policy-host/policy-distribution';
import { createEdgeFunction } from '../../lib/preview/edge/handler';
import type { EdgeFunction, EdgeResult } from '../../lib/preview/edge/handler';
import { at } from '../../lib/preview/json';

let opened: EdgeFunction[] = [];

afterEach(async () => {
  await Promise.all(opened.map((edge) => edge.close()));
  opened = [];
});

function createTracked(code: string, milliseconds?: number): EdgeFunction {
  const edge = createEdgeFunction(code, milliseconds);
  opened.push(edge);
  return edge;
}

function run(code: string, event: unknown = { request: { uri: '/' } }): Promise<EdgeResult> {
  return createTracked(code).run(event);
}

describe('hostile code', () => {
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
    ['from its top level', "const p = this.constructor.constructor('return process')().pid; function handler() { return { p }; }"],
    ['through require', "function handler() { return { p: require('fs') }; }"],
    ['through process', 'function handler() { return { p: process.pid }; }'],
    ['through setTimeout', 'function handler() { return { p: setTimeout }; }'],
    ['through WebAssembly', 'function handler() { return { p: WebAssembly.Module }; }'],
  ])('the edge function cannot reach the host %s', async (_, code) => {
    expect(await run(code)).toEqual({ problem: expect.stringMatching(/Code generation from strings disallowed|is not defined|no way out/) });
  });

  test.each([
    'function handler() { import("fs"); return {}; }',
    'import cf from "cloudfront"; function handler() { return {}; }',
    'function handler() { return import/**/("fs"); }',
  ])('the preview does not run code that could import: %s', async (code) => {
    expect(await run(code)).toEqual({ problem: expect.stringContaining('`import`') });
  });

  test('the edge function finds no object of the host in any property of any object', async () => {
    const result = await run(`function handler(event) {
      const seen = new Set();
      const foreign = [];
      const pending = [[globalThis, 'globalThis'], [event, 'event']];
      try { null.x; } catch (error) { pending.push([error, 'error']); }
      try { (function f() { f(); })(); } catch (error) { pending.push([error, 'overflow']); }
      while (pending.length > 0) {
        const [value, path] = pending.pop();
        if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) continue;
        seen.add(value);
        const parent = Object.getPrototypeOf(value);
        // Every prototype chain of this context ends in its own Object.prototype.
        if (parent === null && value !== Object.prototype) foreign.push(path);
        pending.push([parent, path + '.__proto__']);
        for (const key of Reflect.ownKeys(value)) {
          const descriptor = Object.getOwnPropertyDescriptor(value, key);
          const name = path + '.' + String(key);
          if (!(descriptor instanceof Object)) foreign.push(name);
          pending.push([descriptor.value, name], [descriptor.get, name + '.get'], [descriptor.set, name + '.set']);
        }
      }
      return { foreign, seen: seen.size };
    }`);
    // The language creates this object without a prototype.
    const foreign = ['globalThis.Array.prototype.Symbol(Symbol.unscopables)'];
    expect(result).toEqual({ result: { foreign, seen: expect.any(Number) } });
    expect('result' in result ? at(result.result, 'seen') : undefined).toBeGreaterThan(500);
  });
});

describe('endless code', () => {
  test.each([
    ['a loop', 'function handler() { for (;;); }'],
    ['a loop at the top level', 'for (;;); function handler() {}'],
    ['a loop in a promise', 'async function handler() { await 0; for (;;); }'],
    ['promises without end', 'function handler() { const again = () => Promise.resolve().then(again); return again(); }'],
    ['a promise that never settles', 'function handler() { return new Promise(() => {}); }'],
    ['a loop in the result', 'function handler() { return { toJSON() { for (;;); } }; }'],
    ['a loop in the message of an error', 'throw { get message() { for (;;); } };'],
  ])('the preview stops %s after the time limit', async (_, code) => {
    expect(await createTracked(code, 50).run({})).toEqual({ problem: expect.stringMatching(/timed out after 50ms|did not finish|was stopped/) });
  }, 10_000);

  test('an edge function without memory fails, and its next run works', async () => {
    const edge = createTracked(`function handler(event) {
      const all = [];
      while (event.hungry) all.push(new Array(100000).fill(all.length));
      return { fed: true };
    }`, 60_000);
    expect(await edge.run({ hungry: true })).toEqual({ problem: expect.stringMatching(/memory limit/) });
    expect(await edge.run({ hungry: false })).toEqual({ result: { fed: true } });
  }, 30_000);
});

describe('broken code', () => {
  test.each([
    ['throws', 'function handler() { throw new Error("no such host"); }', 'no such host'],
    ['throws a text', 'function handler() { throw "a text"; }', 'a text'],
    ['rejects', 'async function handler() { throw new Error("no such host"); }', 'no such host'],
    ['has no handler', 'function handle() {}', 'handler is not defined'],
    ['is not JavaScript', 'function handler( {', 'Unexpected'],
    ['throws an error whose message throws', 'throw { get message() { throw 1; } };', 'an error without a message'],
    ['throws an error whose text throws', 'function handler() { throw { toString() { throw 1; } }; }', 'did not finish'],
    ['returns a circular object', 'function handler() { const a = {}; a.a = a; return a; }', 'circular'],
    ['replaces JSON.stringify with a function that returns no JSON', 'JSON.stringify = () => "{"; function handler() { return {}; }', 'not JSON'],
    ['replaces JSON.stringify with a function that returns an object', 'JSON.stringify = () => ({}); function handler() { return {}; }', 'undefined'],
    ['returns 200 KB', 'function handler() { return "x".repeat(200000); }', 'CloudFront accepts at most 40 KB'],
    ['throws a message with an escape sequence', 'function handler() { throw new Error("\\u001b[31mred"); }', '\\x1b[31mred'],
  ])('the result has a reason if the edge function %s', async (_, code, problem) => {
    expect(await run(code)).toEqual({ problem: expect.stringContaining(problem) });
  });

  test('a run of the edge function leaves no state for the next run', async () => {
    const edge = createTracked('function handler(event) { globalThis.count = (globalThis.count ?? 0) + 1; return { count }; }');
    expect(await edge.run({})).toEqual({ result: { count: 1 } });
    expect(await edge.run({})).toEqual({ result: { count: 1 } });
  });
});

describe('working code', () => {
  test('the edge function gets the event and returns a result', async () => {
    expect(await run('function handler(event) { return { ...event.request, seen: true }; }', { request: { uri: '/x' } }))
      .toEqual({ result: { uri: '/x', seen: true } });
  });

  test('the edge function may be asynchronous, a constant and in strict mode', async () => {
    expect(await run('"use strict"; const handler = async (event) => { await null; return event; };', { a: 1 })).toEqual({ result: { a: 1 } });
  });

  test('the edge function may write to the console and leave a rejected promise', async () => {
    expect(await run('function handler() { console.log("x"); Promise.reject(new Error("x")); return 1; }')).toEqual({ result: 1 });
  });

  test('the result is null if the edge function returns nothing', async () => {
    expect(await run('function handler() {}')).toEqual({ result: null });
  });

  test('the preview runs the edge function of the construct', async () => {
    const edge = createTracked(edgeFunctionCode(['mta-sts.example.com']));
    const request = { method: 'GET', uri: '/.well-known/mta-sts.txt', headers: { host: { value: 'mta-sts.example.com' } } };
    expect(await edge.run({ request })).toEqual({ result: { ...request, uri: '/mta-sts.example.com/.well-known/mta-sts.txt' } });
    expect(await edge.run({ request: { ...request, uri: '/' } })).toMatchObject({ result: { statusCode: 404 } });
  });
});

test('closing stops a run of the edge function, and later runs fail', async () => {
  const edge = createTracked('function handler(event) { while (event.endless); return {}; }', 60_000);
  // The thread runs now, so that the next event reaches it at once.
  expect(await edge.run({})).toEqual({ result: {} });
  const running = edge.run({ endless: true });
  await new Promise(setImmediate);
  await edge.close();
  expect(await running).toEqual({ problem: 'it was stopped' });
  expect(await edge.run({})).toEqual({ problem: 'the preview is closing' });
});
