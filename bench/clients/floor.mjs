// Process: the questions that `verify()` asks, step by step, and the same fetch, with what Node offers and nothing else.
import { promises as dns } from 'node:dns';
import { readFileSync } from 'node:fs';
import { connect, createSecureContext } from 'node:tls';
import { run } from './client.mjs';
import { ADDRESSES } from '../world.mjs';

const steps = JSON.parse(readFileSync(process.argv[4], 'utf8'));
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

function fetchPolicy(servername) {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ host: ADDRESSES.policyHost, port: 443, servername, secureContext, ALPNProtocols: ['http/1.1'] });
    socket.on('secureConnect', () => {
      socket.write(`GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: ${servername}\r\nConnection: close\r\n\r\n`);
    });
    socket.on('data', (chunk) => {
      text += chunk.latin1Slice();
    });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
}
