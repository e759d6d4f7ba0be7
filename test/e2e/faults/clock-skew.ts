// A clock of the function that leaps ahead, where minutes would have to pass. AWS refuses what is signed at another time, so it is right
// again as soon as the function has answered.
import { setClockSkew } from '../environment/aws/clock';
import type { TestEnvironment } from '../environment/environment';
import { reset } from '../environment/reset';
import { isPolicyWrite, isResponse } from './fault';
import type { Fault } from './fault';

/** At once, until it has answered. */
export function skewClock({ aws, paths: { folder } }: TestEnvironment, seconds: number): void {
  setClockSkew(folder, seconds);
  aws.onAnswer((call) => {
    if (isResponse(call)) setClockSkew(folder, 0);
  });
}

/** Three seconds after each write the clock of the function leaps eleven minutes ahead, until it has answered, if it has not by then. */
export function elevenMinutes(set: (environment: TestEnvironment) => void, least = 1): Fault['begin'] {
  return (environment, over) => {
    const { aws, paths: { folder } } = environment;
    let waiting: NodeJS.Timeout | undefined;
    let leaps = 0;
    aws.onAnswer((call) => {
      if (isPolicyWrite(call)) {
        waiting = setTimeout(() => {
          leaps += 1;
          setClockSkew(folder, 660);
        }, 3_000);
      } else if (isResponse(call)) {
        clearTimeout(waiting);
        setClockSkew(folder, 0);
      }
    });
    over.addEventListener('abort', () => {
      clearTimeout(waiting);
    }, { once: true });
    set(environment);
    return () => {
      clearTimeout(waiting);
      reset(environment);
      if (leaps < least) throw new Error(`the function waited only ${leaps} times for three seconds, expected ${least}`);
    };
  };
}
