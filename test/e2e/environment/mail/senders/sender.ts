// What the stage asks of a mail server that sends.
import { execFile, execFileSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestEnvironment, EnvironmentPaths } from '../../environment';
import { lastLines } from '../../last-lines';
import { until } from '../../until';

/** What a program of a sender has to end in; each is one that takes a moment. */
export const PROGRAM_TIMEOUT_MS = 60_000;

/**
 * All that a sender's programs learn of the machine's environment: a proxy or a trust store that is set there is not the stage's.
 *
 * @param home - a folder of its own
 */
export function programEnvironment({ caFile }: Pick<TestEnvironment, 'caFile'>, home: string): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: home, SSL_CERT_FILE: caFile };
}

/** What became of a message. */
export interface Sent {
  /** By which the sender's log and queue know the message. */
  readonly id: string;
  readonly outcome: 'delivered' | 'refused';
  /** Whether the sender says that it has verified the mail host's certificate. */
  readonly verified: boolean;
  /** The sender's own words: lines of its log, that of the outcome last. */
  readonly log: readonly string[];
}

export interface Sender {
  readonly name: string;
  /** Of its programs, for people. */
  readonly version: string;
  /** Whether it asks for the record while it holds a policy (RFC 8461 §3.3). */
  readonly tracksIds: boolean;
  /** How it greets mail hosts. */
  readonly greeting: string;
  /** @throws Error where its log says nothing of the message in time */
  send(recipient: string): Promise<Sent>;
  /** Looks for new policies at once, with all that it holds; nothing to do for one that asks before each delivery. */
  refresh(): Promise<void>;
  /**
   * Tries a message again that it has refused, at once.
   *
   * @param id - of the message
   */
  retry(recipient: string, id: string): Promise<Sent>;
  /** Forgets all that it has learned of policies and hosts. */
  forget(): Promise<void>;
  /** Forgets what it has learned of hosts, and holds the policies. */
  forgetHosts(): Promise<void>;
  /**
   * Puts away a copy of the policies that it holds. It is started again with them, and has forgotten all else.
   *
   * @param as - a name for them
   */
  saveCache(as: string): Promise<void>;
  /** Forgets all, and holds what was put away under this name. One that refreshes when it starts does so. */
  restoreCache(as: string): Promise<void>;
}

/** @returns what the server answered when it took the message */
export async function submit({ python, root }: EnvironmentPaths, port: number, recipient: string, ...login: string[]): Promise<string> {
  const script = join(root, 'test', 'e2e', 'environment', 'mail', 'senders', 'send.py');
  const { stdout } = await promisify(execFile)(python, [script, String(port), 'somebody@sender.test', recipient, `to ${recipient}`, ...login], { timeout: PROGRAM_TIMEOUT_MS });
  return stdout.trim();
}

/**
 * Reads a log until it says what became of a message.
 *
 * @param milliseconds - how long to wait
 */
export async function waitForOutcome(file: string, read: (lines: readonly string[]) => Sent | undefined, milliseconds = 60_000): Promise<Sent> {
  return until(milliseconds, () => {
    const sent = read(readFileSync(file, 'utf8').split('\n'));
    if (sent === undefined) throw new Error(`no word of what became of the message, ${lastLines(file)}`);
    return sent;
  });
}

/** Ends a process at once, and waits until it has ended. */
export async function killProcess(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined) return;
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** @throws Error where nobody listens at this port of the loopback */
export function tryConnect(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}

/**
 * Waits until somebody listens.
 *
 * @param log - what it writes
 */
export async function waitUntilListening(probe: () => Promise<unknown>, what: string, log: string): Promise<void> {
  await until(30_000, async () => probe().catch((error: unknown) => {
    throw new Error(`${what} does not listen: ${error instanceof Error ? error.message : String(error)}, ${lastLines(log)}`);
  }));
}

/**
 * Runs a program of a sender to its end. It may leave others behind, which keep what they write to.
 *
 * @param log - for what it writes
 * @throws Error with that where it ends badly, or not in time
 */
export function runProgram(log: string, env: NodeJS.ProcessEnv, program: string, ...args: readonly string[]): void {
  const file = openSync(log, 'a');
  try {
    execFileSync(program, args, { stdio: ['ignore', file, file], timeout: PROGRAM_TIMEOUT_MS, env });
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}, ${lastLines(log)}`);
  } finally {
    closeSync(file);
  }
}

/** What a program says of its own version; that it says none is no reason not to use it. */
export function readVersion(pattern: RegExp, program: string, ...args: readonly string[]): string {
  try {
    return pattern.exec(execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: PROGRAM_TIMEOUT_MS }))?.[0] ?? 'of a version unknown';
  } catch {
    return 'of a version unknown';
  }
}
