// Sends the request over HTTP/2 (RFC 9113), for hosts without HTTP/1.1.
import { connect } from 'node:http2';
import type { IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2';
import { POLICY_PATH } from '../../protocol/policy/url';
import { requestFields } from './http-response';
import type { SendRequest } from './http-response';

/** Maximum memory of a session: Node's minimum, and more than one small response needs. */
const MAX_SESSION_MIB = 1;

export const requestOverHttp2: SendRequest = ({ socket, policyHost, guard, handler }) => {
  const onClose = guard.over(() => {
    handler.failed(Object.assign(new Error('the stream was closed'), { code: 'ECONNRESET' }));
  });
  const session = connect(`https://${policyHost}`, {
    createConnection: () => socket, maxSessionMemory: MAX_SESSION_MIB, settings: { enablePush: false },
  });
  session.on('error', onClose);
  session.on('close', onClose);
  const stream = session.request({ ':method': 'GET', ':path': POLICY_PATH, ':scheme': 'https', ':authority': policyHost, ...requestFields() }, { endStream: true });
  stream.on('headers', guard.over((headers: IncomingHttpHeaders & IncomingHttpStatusHeader) => {
    handler.informational(headers[':status'] ?? 0);
  }));
  stream.on('response', guard.over((headers: IncomingHttpHeaders & IncomingHttpStatusHeader) => {
    handler.head({ status: headers[':status'] ?? 0, field: (name) => headers[name]?.toString() });
  }));
  stream.on('data', guard.over((chunk: Buffer) => {
    handler.data(chunk);
  }));
  stream.on('end', guard.over(() => {
    // A lost session also emits `end`, but sets an error code (RFC 9113 §7).
    if (stream.rstCode === 0 && !stream.destroyed) handler.end();
  }));
  stream.on('error', onClose);
  stream.on('close', onClose);
  return () => false;
};
