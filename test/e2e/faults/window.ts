// Fault windows: faults that last for some seconds, and a check that the function has met them.
import type { TestEnvironment } from '../environment/environment';
import { reset } from '../environment/reset';
import { nextWrite } from './fault';
import type { Fault } from './fault';

/** State of a temporary fault. */
export interface FaultWindow {
  readonly isOn: () => boolean;
  /** Records that the function received the wrong answer. Must not be called for other clients. */
  readonly meet: () => void;
}

type SetWindow = (environment: TestEnvironment, faultWindow: FaultWindow, signal: AbortSignal) => void | Promise<void>;

/**
 * Keeps a fault on from the beginning, or from the policy write, until some seconds after the write. The fault is met if the function
 * received the wrong answer after the write, and the deployment did not end before the fault.
 *
 * @param isCounted - false if the client of a request is unknown. Then the fault is met if the deployment waited for its end
 */
export function untilAfterWrite(from: 'beginning' | 'write', seconds: number, set: SetWindow, isCounted = true): Fault['begin'] {
  return async (environment, signal) => {
    const write = nextWrite(environment);
    let met = 0;
    await set(environment, {
      isOn: () => {
        const written = write();
        return written === undefined ? from === 'beginning' : Date.now() < written + seconds * 1000;
      },
      meet: () => {
        if (write() !== undefined) met += 1;
      },
    }, signal);
    return () => {
      const now = Date.now();
      reset(environment);
      const written = write();
      if (written === undefined) throw new Error('the policy file was never written');
      if (isCounted && met === 0) throw new Error('the function never received the wrong answer after the write');
      expectWaited((now - written) / 1000, seconds, 'the write');
    };
  };
}

/**
 * Keeps a fault on from the beginning until some seconds after the function first received the wrong answer.
 *
 * @param seconds - `Infinity` for a fault without an end, which is met as soon as the function received the wrong answer
 */
export function untilAfterMeeting(seconds: number, set: SetWindow): Fault['begin'] {
  return async (environment, signal) => {
    let first: number | undefined;
    await set(environment, {
      isOn: () => first === undefined || Date.now() < first + seconds * 1000,
      meet: () => {
        first ??= Date.now();
      },
    }, signal);
    return () => {
      const now = Date.now();
      reset(environment);
      if (first === undefined) throw new Error('the function never received the wrong answer');
      if (seconds !== Infinity) expectWaited((now - first) / 1000, seconds, 'the function first received the wrong answer');
    };
  };
}

function expectWaited(passed: number, seconds: number, after: string): void {
  if (passed < seconds) {
    throw new Error(`the deployment ended ${passed.toFixed(1)} s after ${after}. It did not wait for the end of the fault, ${seconds} s`);
  }
}
