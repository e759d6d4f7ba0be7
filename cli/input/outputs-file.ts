// The outputs file that was named in a flag; one that tells nothing is wrong usage.
import type { Command } from 'commander';
import { safeText } from '../../lib/util/safe-text';
import { requiredInput } from './file';
import type { Io } from '../io';
import { MAX_OUTPUTS, readOutputs } from './deployment-outputs';
import type { DeployedPolicy } from './deployment-outputs';

/** @param path - as typed; `-` is standard input */
export async function deployedPolicies(path: string, io: Io, command: Command): Promise<readonly DeployedPolicy[]> {
  const read = readOutputs(await requiredInput(path, io, command, MAX_OUTPUTS + 1));
  return 'fault' in read ? command.error(`error: ${safeText(path, 200)}: ${read.fault}`) : read.policies;
}
