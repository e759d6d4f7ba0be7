// Process: the policy host of every domain, on one address. Each domain has a certificate of its own.
import { createSecureContext, createServer } from 'node:tls';
import { ADDRESSES, domainName, policyOf } from './domains.mjs';
import { createService } from './server.mjs';

/**
 * @import { SecureContext, TLSSocket } from 'node:tls'
 */

const [authorityModule = '', count] = process.argv.slice(2);
/** @type {{ default: typeof import('../lib/preview/tls/certificate-authority.js') }} */
const { default: { createCertificateAuthority } } = await import(authorityModule);
const authority = await createCertificateAuthority('Benchmark authority');
const service = createService();

/** @type {Map<string, SecureContext>} */
const contexts = new Map();
for (let number = 0; number < Number(count); number += 1) await contextOf(`mta-sts.${domainName(number)}`);

const server = createServer({
  SNICallback: (name, done) => void contextOf(name).then((context) => done(null, context), done),
  ALPNProtocols: ['http/1.1'],
}, (socket) => {
  const name = socket.servername || '';
  socket.on('error', () => undefined);
  // The time that Node's own server waits for another request.
  socket.setTimeout(5000, () => socket.destroy());
  socket.on('data', (request) => {
    const text = request.toString('latin1');
    service.log({ server: ADDRESSES.policyHost, name, type: 'policy' });
    service.answer(() => respond(socket, name, /\r\nconnection: close\r\n/i.test(text)));
  });
});
server.on('tlsClientError', () => undefined);
await new Promise((listening, failed) => server.on('error', failed)
  .listen({ port: 443, host: ADDRESSES.policyHost, backlog: 511 }, () => listening(undefined)));

service.ready({ ca: authority.certificatePem });

/**
 * Returns the certificate of a policy host. Only those of the look-ups stay in memory: the measurement of memory has many more domains.
 *
 * @param {string} name
 */
async function contextOf(name) {
  const known = contexts.get(name);
  if (known !== undefined) return known;
  const { keyPem, certificatePem } = await authority.issue({ names: [name] });
  const context = createSecureContext({ key: keyPem, cert: certificatePem });
  if (contexts.size < Number(count)) contexts.set(name, context);
  return context;
}

/**
 * @param {TLSSocket} socket
 * @param {string} policyHost
 * @param {boolean} close - whether the client asked to close the connection
 */
function respond(socket, policyHost, close) {
  const body = policyOf(policyHost.slice('mta-sts.'.length));
  const head = `HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: ${close ? 'close' : 'keep-alive'}\r\n\r\n`;
  if (close) socket.end(head + body);
  else socket.write(head + body);
}
