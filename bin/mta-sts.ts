#!/usr/bin/env node
// The command `mta-sts`: verify, suggest, records, lint, match, explain, preview. Only the way in; everything else is in command/.
import { runIn } from '../cli/process';

if (require.main === module) {
  void runIn(process);
}
