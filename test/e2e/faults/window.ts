// What is wrong for a while, and whether the function has met it.
import type { TestEnvironment } from '../environment/environment';
import { reset } from '../environment/reset';
import { nextWrite } from './fault';
import type { Fault } from './fault';

/** Something that is wrong for a while. */
export interface FaultWindow {
  readonly isOn: () => boolean;
  /** To be called whenever the function gets what is wrong: nobody else counts. */
  readonly meet: () => void;
}

type SetWindow = (environment: TestEnvironment, spell: FaultWindow, over: AbortSignal) => void | Promise<void>;

/**
 * Something is wrong from the write on, or from the beginning, until so many seconds after the write. Met where the function got it after
 * the write, and the deployment did not end before.
 *
 * @param isCounted - false where it cannot be told who got it; then the deployment that waits must do
 */
export function untilAfterWrite(from: 'beginning' | 'write', seconds: number, set: SetWindow, isCounted = true): Fault['begin'] {
  return async (environment, over) => {
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
    }, over);
    return () => {
      const now = Date.now();
      reset(environment);
      const written = write();
      if (written === undefined) throw new Error('the policy file was never written');
      if (isCounted && met === 0) throw new Error('after the write the function never got what was wrong');
      expectWaited((now - written) / 1000, seconds, 'the write');
    };
  };
}

/** Something is wrong from the beginning, until so many seconds after the function got it first. For ever: met by that alone. */
export function untilAfterMeeting(seconds: number, set: SetWindow): Fault['begin'] {
  return async (environment, over) => {
    let first: number | undefined;
    await set(environment, {
      isOn: () => first === undefined || Date.now() < first + seconds * 1000,
      meet: () => {
        first ??= Date.now();
      },
    }, over);
    return () => {
      const now = Date.now();
      reset(environment);
      if (first === undefined) throw new Error('the function never got what was wrong');
      if (seconds !== Infinity) expectWaited((now - first) / 1000, seconds, 'the function got first what was wrong');
    };
  };
}

function expectWaited(passed: number, seconds: number, after: string): void {
  if (passed < seconds) {
    throw new Error(`the deployment ended ${passed.toFixed(1)} s after ${after}, so it did not wait for the end of what was wrong for ${seconds} s`);
  }
}
