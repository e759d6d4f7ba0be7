// All faults of the world that the stage can make.
import { AWS_FAULTS } from './aws';
import { dnsFaults } from './dns';
import { edgeFaults } from './edge';
import type { Fault } from './fault';
import { FUNCTION_FAULTS } from './function';

export type { Fault } from './fault';

/** @param seconds - how long those of DNS and the edge last after the policy file was written, that end by themselves */
function faults(seconds: number): readonly Fault[] {
  return [...AWS_FAULTS, ...dnsFaults(seconds), ...edgeFaults(seconds), ...FUNCTION_FAULTS];
}

export const FAULTS = faults(15);

/** The same in less time, those that take long all the same among them. */
export const SHORT_FAULTS = faults(3);
