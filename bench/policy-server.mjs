// Process: the policy host of every domain, on one address, with a certificate of its own for each.
import { performance } from 'node:perf_hooks';
import { createSecureContext, createServer } from 'node:tls';
import { serving } from './server.mjs';
import { ADDRESSES, domainName, policyOf } from './world.mjs';

const [authorityModule, count] = process.argv.slice(2);
const { createCertificateAuthority } = (await import(authorityModule)).default;
const authority = await createCertificateAuthority('Benchmark authority');
const service = serving();

const contexts = new Map();
for (let number = 0; number < Number(count); number += 1) await contextOf(`mta-sts.${domainName(number)}`);

const server = createServer({
  SNICallback: (name, done) => void contextOf(name).then((context) => done(null, context), done),
  ALPNProtocols: ['http/1.1'],
}, (socket) => {
  socket.on('error', () => undefined);
  // As long as Node's own server waits for another request.
  socket.setTimeout(5000, () => socket.destroy());
  socket.on('data', (request) => {
    const text = request.latin1Slice();
    service.log?.push({ at: performance.now(), server: ADDRESSES.policyHost, name: socket.servername, type: 'policy' });
    service.answer(() => respond(socket, /\r\nconnection: close\r\n/i.test(text)));
  });
});
server.on('tlsClientError', () => undefined);
await new Promise((listening, failed) => server.on('error', failed).listen({ port: 443, host: ADDRESSES.policyHost, backlog: 511 }, listening));

service.ready({ ca: authority.certificatePem });

/** Of the domains beyond those of the look-ups none is remembered: there may be a hundred thousand. */
async function contextOf(name) {
  const known = contexts.get(name);
  if (known !== undefined) return known;
  const { keyPem, certificatePem } = await authority.issue({ names: [name] });
  const context = createSecureContext({ key: keyPem, cert: certificatePem });
  if (contexts.size < Number(count)) contexts.set(name, context);
  return context;
}

function respond(socket, close) {
  const body = policyOf(socket.servername.slice('mta-sts.'.length));
  const head = `HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: ${close ? 'close' : 'keep-alive'}\r\n\r\n`;
  if (close) socket.end(head + body);
  else socket.write(head + body);
}
