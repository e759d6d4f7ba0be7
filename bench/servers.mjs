// The servers of the look-ups, and how a client comes to trust them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, startServer, work } from './harness.mjs';

/**
 * Starts DNS and HTTPS. `ca` is the file for NODE_EXTRA_CA_CERTS: every client trusts the public authorities and this one.
 *
 * @param domains - how many have their certificate from the start; that of others is made when it is asked for
 */
export async function startServers(domains) {
  const authority = await bundle('authority', 'export * from \'./lib/preview/tls/certificate-authority\';');
  const dns = await startServer('dns-server.mjs');
  const policy = await startServer('policy-server.mjs', authority, String(domains));
  const ca = join(work, 'ca.pem');
  writeFileSync(ca, policy.ready.ca);
  return {
    ca,
    ask: (order) => Promise.all([dns.ask(order), policy.ask(order)]),
    stop: () => {
      dns.stop();
      policy.stop();
    },
  };
}
