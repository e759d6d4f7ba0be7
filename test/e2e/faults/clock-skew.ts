// Sets the clock of the function ahead so that a test need not wait for minutes. AWS rejects signatures with a wrong time, so the clock is
// reset as soon as the function has answered.
import { setClockSkew } from '../environment/aws/clock';
import type { TestEnvironment } from '../environment/environment';
import { reset } from '../environment/reset';
import { isPolicyWrite, isResponse } from './fault';
import type { Fault } from './fault';

/** Sets the clock of the function ahead now, until the function has answered. */
export function skewClock({ aws, paths: { folder } }: TestEnvironment, seconds: number): void {
  setClockSkew(folder, seconds);
  aws.onAnswer((call) => {
    if (isResponse(call)) setClockSkew(folder, 0);
  });
}

/**
 * Sets the clock of the function eleven minutes ahead three seconds after each policy write, unless the function has answered by then.
 *
 * @param set - begins the fault that the function waits for
 * @param minSkews - minimum number of times that the clock must have been set ahead
 */
export function skewElevenMinutes(set: (environment: TestEnvironment) => void, minSkews = 1): Fault['begin'] {
  return (environment, signal) => {
    const { aws, paths: { folder } } = environment;
    let timer: NodeJS.Timeout | undefined;
    let skews = 0;
    aws.onAnswer((call) => {
      if (isPolicyWrite(call)) {
        timer = setTimeout(() => {
          skews += 1;
          setClockSkew(folder, 660);
        }, 3_000);
      } else if (isResponse(call)) {
        clearTimeout(timer);
        setClockSkew(folder, 0);
      }
    });
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
    }, { once: true });
    set(environment);
    return () => {
      clearTimeout(timer);
      reset(environment);
      if (skews < minSkews) throw new Error(`the function waited for three seconds only ${skews} times, expected ${minSkews}`);
    };
  };
}
