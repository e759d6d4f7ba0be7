// Asks over HTTP/1.1 with Node's own client, which reads by the letter of RFC 9112.
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { POLICY_PATH } from '../../protocol/policy/url';
import { requestFields } from './http-answer';
import type { Ask } from './http-answer';

/** Node's own default, unless its command line says otherwise: the words for what goes past it name it. */
export const STRICT_HEADER_BYTES = 16 * 1024;

export const askStrictly: Ask = ({ socket, policyHost, guard, reader }) => {
  let answer: IncomingMessage | undefined;
  const answered = guard.over((response: IncomingMessage): void => {
    answer = response;
    response.on('data', guard.over((chunk: Buffer) => {
      reader.data(chunk);
    }));
    response.on('end', guard.over(() => {
      reader.end();
    }));
    response.on('error', guard.over((error: Error) => {
      reader.failed(error);
    }));
    const { 'content-type': types = [], 'transfer-encoding': codings = [] } = response.headersDistinct;
    if (new Set(types).size > 1) reader.liberty('types');
    if (codings.length > 1 || codings.some((one) => one.toLowerCase() !== 'chunked')) reader.liberty('transfer-coding');
    reader.head({
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
  // Their size is limited; Node would drop those past the two thousandth, the media type among them.
  request.maxHeadersCount = 0;
  request
    .on('response', answered)
    // Status 101 with an `Upgrade`, which Node does not count among the responses.
    .on('upgrade', answered)
    .on('information', guard.over(({ statusCode }) => {
      reader.informational(statusCode);
    }))
    .on('error', guard.over((error: Error) => {
      reader.failed(error);
    }))
    .end();
  return () => answer?.complete === true;
};
