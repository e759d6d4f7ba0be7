// Sends the request over HTTP/1.1 with Node's own client, which follows RFC 9112 strictly.
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { POLICY_PATH } from '../../protocol/policy/url';
import { requestFields } from './http-response';
import type { SendRequest } from './http-response';

/** Maximum size of the headers: Node's default, set here because a command-line flag can change it and messages name it. */
export const STRICT_HEADER_BYTES = 16 * 1024;

export const requestStrictly: SendRequest = ({ socket, policyHost, guard, handler }) => {
  let incoming: IncomingMessage | undefined;
  const onResponse = guard.over((response: IncomingMessage): void => {
    incoming = response;
    response.on('data', guard.over((chunk: Buffer) => {
      handler.data(chunk);
    }));
    response.on('end', guard.over(() => {
      handler.end();
    }));
    response.on('error', guard.over((error: Error) => {
      handler.failed(error);
    }));
    const { 'content-type': types = [], 'transfer-encoding': codings = [] } = response.headersDistinct;
    if (new Set(types).size > 1) handler.violation('types');
    if (codings.length > 1 || codings.some((coding) => coding.toLowerCase() !== 'chunked')) handler.violation('transfer-coding');
    handler.head({
      status: response.statusCode ?? 0,
      field: (name) => response.headers[name]?.toString(),
    });
  });
  const request = httpRequest({
    createConnection: () => socket,
    path: POLICY_PATH,
    maxHeaderSize: STRICT_HEADER_BYTES,
    headers: { host: policyHost, ...requestFields(), connection: 'close' },
  });
  // The size limit is enough. With its default count, Node drops fields after the 2000th, perhaps the media type.
  request.maxHeadersCount = 0;
  request
    .on('response', onResponse)
    // Node reports status 101 with an `Upgrade` field by this event only.
    .on('upgrade', onResponse)
    .on('information', guard.over(({ statusCode }) => {
      handler.informational(statusCode);
    }))
    .on('error', guard.over((error: Error) => {
      handler.failed(error);
    }))
    .end();
  return () => incoming?.complete === true;
};
