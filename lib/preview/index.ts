// Serves a synthesized app on this machine over HTTPS and DNS, as CloudFront and Route 53 would after a deployment.
export { PreviewError } from './errors';
export { howToQuery } from './print';
export { startPreview } from './preview';
export type { Preview, PreviewDomain, PreviewOptions, PreviewVerification } from './preview';
export { verifyPreview } from './verify';
export type { MxHost, PreviewMx } from './assembly/zones';
export type { TlsFiles } from './tls/certificates';
export type { Log } from './edge/cloudfront';
