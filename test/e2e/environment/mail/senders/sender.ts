// The interface of a sending mail server, and helpers to run its programs.
import { execFile, execFileSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestEnvironment, EnvironmentPaths } from '../../environment';
import { lastLines } from '../../last-lines';
import { until } from '../../until';

/** Time limit of a program of a sender. Each program normally ends at once. */
export const PROGRAM_TIMEOUT_MS = 60_000;

/**
 * Returns the environment variables of a sender's programs. It leaves out the machine's variables, because a proxy or a trust store would
 * prevent fetches.
 *
 * @param home - home folder of the sender
 */
export function programEnvironment({ caFile }: Pick<TestEnvironment, 'caFile'>, home: string): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: home, SSL_CERT_FILE: caFile };
}

/** Outcome of a message. */
export interface Sent {
  /** Id of the message in the sender's log and queue. */
  readonly id: string;
  readonly outcome: 'delivered' | 'refused';
  /** Whether the sender's log says that it verified the certificate of the mail host. */
  readonly verified: boolean;
  /** Lines of the sender's log. The last one has the outcome. */
  readonly log: readonly string[];
}

export interface Sender {
  readonly name: string;
  /** Names and versions of its programs. */
  readonly version: string;
  /** Whether the sender checks the id while it has a policy cached (RFC 8461 §3.3). */
  readonly tracksIds: boolean;
  /** Name in its EHLO. */
  readonly greeting: string;
  /**
   * Sends a message.
   *
   * @throws Error if its log has no outcome in time
   */
  send(recipient: string): Promise<Sent>;
  /** Fetches the cached policies again at once. Does nothing for a sender that checks the id before each delivery. */
  refresh(): Promise<void>;
  /**
   * Retries a refused message at once.
   *
   * @param id - id of the message
   */
  retry(recipient: string, id: string): Promise<Sent>;
  /** Deletes everything that it knows of policies and hosts. */
  forget(): Promise<void>;
  /** Deletes what it knows of hosts, and keeps the cached policies. */
  forgetHosts(): Promise<void>;
  /**
   * Saves a copy of the cached policies, and restarts with only them.
   *
   * @param name - name of the copy
   */
  saveCache(name: string): Promise<void>;
  /** Restarts with only the policies of a saved copy. A sender that refreshes when it starts does so. */
  restoreCache(name: string): Promise<void>;
}

/**
 * Hands a message to a sender.
 *
 * @returns the answer of the sender when it accepted the message
 */
export async function submit({ python, root }: EnvironmentPaths, port: number, recipient: string, ...login: string[]): Promise<string> {
  const script = join(root, 'test', 'e2e', 'environment', 'mail', 'senders', 'send.py');
  const { stdout } = await promisify(execFile)(python, [script, String(port), 'somebody@sender.test', recipient, `to ${recipient}`, ...login], { timeout: PROGRAM_TIMEOUT_MS });
  return stdout.trim();
}

/**
 * Reads a log until it has the outcome of a message.
 *
 * @param milliseconds - time limit
 */
export async function waitForOutcome(
  file: string, read: (lines: readonly string[]) => Sent | undefined, milliseconds = 60_000,
): Promise<Sent> {
  return until(milliseconds, () => {
    const sent = read(readFileSync(file, 'utf8').split('\n'));
    if (sent === undefined) throw new Error(`the log has no outcome of the message, ${lastLines(file)}`);
    return sent;
  });
}

/** Kills a process, and waits until it has ended. */
export async function killProcess(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined) return;
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** Connects to a port of the loopback interface once. Rejects if no program listens there. */
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
 * Waits until a program listens.
 *
 * @param log - log of the program, for the error
 */
export async function waitUntilListening(probe: () => Promise<unknown>, program: string, log: string): Promise<void> {
  await until(30_000, async () => probe().catch((error: unknown) => {
    throw new Error(`${program} does not listen: ${error instanceof Error ? error.message : String(error)}, ${lastLines(log)}`);
  }));
}

/**
 * Runs a program of a sender to its end. Programs that it leaves running keep writing to the log.
 *
 * @param log - file for its output
 * @throws Error with the end of the log if it fails or exceeds the time limit
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

/** Reads the version of a program. An unknown version is no error. */
export function readVersion(pattern: RegExp, program: string, ...args: readonly string[]): string {
  try {
    return pattern.exec(execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: PROGRAM_TIMEOUT_MS }))?.[0] ?? 'of unknown version';
  } catch {
    return 'of unknown version';
  }
}
