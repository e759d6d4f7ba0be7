#!/usr/bin/env node
// The entry of the command `mta-sts`; the command itself is in cli/.
import { runInProcess } from '../cli/process';

if (require.main === module) {
  void runInProcess(process);
}
