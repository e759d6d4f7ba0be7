// Starts the servers of the look-ups, and makes their certificate authority known to the clients.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, startServer, work } from './harness.mjs';

/**
 * @import { Order, Report } from './server.mjs'
 *
 * @typedef {object} Servers
 * @property {string} ca - file for NODE_EXTRA_CA_CERTS: each client trusts the public authorities and this one
 * @property {(order: Order) => Promise<Report[]>} ask - gives an order to each server
 * @property {() => void} stop
 */

/**
 * Starts DNS and HTTPS.
 *
 * @param {number} domains - number of domains that have a certificate from the start; others get it when it is asked for
 * @returns {Promise<Servers>}
 */
export async function startServers(domains) {
  const authority = await bundle('authority', ['lib/preview/tls/certificate-authority']);
  const dns = await startServer('dns-server.mjs');
  const policy = await startServer('policy-server.mjs', authority, String(domains));
  const ca = join(work, 'ca.pem');
  writeFileSync(ca, policy.ready.ca ?? '');
  return {
    ca,
    ask: (order) => Promise.all([dns.ask(order), policy.ask(order)]),
    stop: () => {
      dns.stop();
      policy.stop();
    },
  };
}
