// All faults of the world that the stage can make.
import type { Fault } from './fault';
import { FAULTS_OF_AWS } from './of-aws';
import { faultsOfDns } from './of-dns';
import { faultsOfTheEdge } from './of-edge';
import { FAULTS_OF_THE_FUNCTION } from './of-function';

export type { Fault } from './fault';

/** @param seconds - how long those of DNS and the edge last after the policy file was written, that end by themselves */
function faults(seconds: number): readonly Fault[] {
  return [...FAULTS_OF_AWS, ...faultsOfDns(seconds), ...faultsOfTheEdge(seconds), ...FAULTS_OF_THE_FUNCTION];
}

export const FAULTS = faults(15);

/** The same in less time, those that take long all the same among them. */
export const SHORT_FAULTS = faults(3);
