// Process: asks the questions of `verify()`, step by step, and fetches the policy, with Node.js alone.
import { promises as dns } from 'node:dns';
import { readFileSync } from 'node:fs';
import { connect, createSecureContext } from 'node:tls';
import { ADDRESSES } from '../domains.mjs';
import { ARGUMENT, run } from './client.mjs';

/** @type {import('./client.mjs').Step[]} */
const steps = JSON.parse(readFileSync(ARGUMENT, 'utf8'));
const resolver = new dns.Resolver();
resolver.setServers([ADDRESSES.recursive]);
const secureContext = createSecureContext();

await run(async (domain) => {
  let found = false;
  for (const step of steps) {
    await Promise.all(step.map(async ({ name, type }) => {
      const asked = name.replace('{domain}', domain);
      if (type === 'policy') found = (await fetchPolicy(asked)).includes('version: STSv1');
      else await resolver.resolve(asked, type).catch(() => undefined);
    }));
  }
  return found;
});

/**
 * @param {string} servername
 * @returns {Promise<string>} the whole response
 */
function fetchPolicy(servername) {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ host: ADDRESSES.policyHost, port: 443, servername, secureContext, ALPNProtocols: ['http/1.1'] });
    socket.on('secureConnect', () => {
      socket.write(`GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: ${servername}\r\nConnection: close\r\n\r\n`);
    });
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
}
