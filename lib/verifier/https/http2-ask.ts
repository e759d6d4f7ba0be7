// Asks over HTTP/2 (RFC 9113), for hosts that speak nothing else.
import { connect } from 'node:http2';
import type { IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2';
import { POLICY_PATH } from '../../protocol/policy/url';
import { requestFields } from './http-answer';
import type { Ask } from './http-answer';

/** In MiB: the least that Node takes, and more than one small answer needs. */
const MOST_SESSION_MEMORY = 1;

export const askByHttp2: Ask = ({ socket, policyHost, guard, reader }) => {
  const lost = guard.over(() => {
    reader.failed(Object.assign(new Error('the stream was closed'), { code: 'ECONNRESET' }));
  });
  const session = connect(`https://${policyHost}`, {
    createConnection: () => socket, maxSessionMemory: MOST_SESSION_MEMORY, settings: { enablePush: false },
  });
  session.on('error', lost);
  session.on('close', lost);
  const stream = session.request({ ':method': 'GET', ':path': POLICY_PATH, ':scheme': 'https', ':authority': policyHost, ...requestFields() }, { endStream: true });
  stream.on('headers', guard.over((headers: IncomingHttpHeaders & IncomingHttpStatusHeader) => {
    reader.informational(headers[':status'] ?? 0);
  }));
  stream.on('response', guard.over((headers: IncomingHttpHeaders & IncomingHttpStatusHeader) => {
    reader.head({ status: headers[':status'] ?? 0, field: (name) => headers[name]?.toString() });
  }));
  stream.on('data', guard.over((chunk: Buffer) => {
    reader.data(chunk);
  }));
  stream.on('end', guard.over(() => {
    // It comes as well when the session is lost, which leaves an error code behind (RFC 9113 §7).
    if (stream.rstCode === 0 && !stream.destroyed) reader.end();
  }));
  stream.on('error', lost);
  stream.on('close', lost);
  return () => false;
};
