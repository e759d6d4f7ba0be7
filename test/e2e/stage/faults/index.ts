// All faults of the world that the stage can make.
import type { Fault } from './fault';
import { FAULTS_OF_AWS } from './of-aws';
import { FAULTS_OF_DNS } from './of-dns';
import { FAULTS_OF_THE_EDGE } from './of-edge';
import { FAULTS_OF_THE_FUNCTION } from './of-function';

export type { Fault } from './fault';

export const FAULTS: readonly Fault[] = [...FAULTS_OF_AWS, ...FAULTS_OF_DNS, ...FAULTS_OF_THE_EDGE, ...FAULTS_OF_THE_FUNCTION];
