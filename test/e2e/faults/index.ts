// All faults that the test environment can inject into a deployment.
import { AWS_FAULTS } from './aws';
import { dnsFaults } from './dns';
import { edgeFaults } from './edge';
import type { Fault } from './fault';
import { FUNCTION_FAULTS } from './function';

export type { Fault } from './fault';

/** @param seconds - duration of temporary faults of DNS and the edge after the policy file was written */
function faults(seconds: number): readonly Fault[] {
  return [...AWS_FAULTS, ...dnsFaults(seconds), ...edgeFaults(seconds), ...FUNCTION_FAULTS];
}

export const FAULTS = faults(15);

/** The same faults with shorter durations. Faults marked `slow` still take long. */
export const SHORT_FAULTS = faults(3);
