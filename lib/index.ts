// The public API: re-exports only.
export { MtaSts } from './mta-sts';
export type { MtaStsProps } from './mta-sts';
export type { MtaStsRecord } from './mta-sts-record';
export { MtaStsDomains } from './mta-sts-domains';
export type { MtaStsDomain, MtaStsDomainsProps } from './mta-sts-domains';
export { MtaStsMode, MtaStsPolicy } from './mta-sts-policy';
export type { MtaStsNonePolicyProps, MtaStsPolicyProps } from './mta-sts-policy';
export { PolicyHost } from './policy-host';
export type { PolicyHostDomain, PolicyHostProps } from './policy-host';
export { MxHosts, ZohoDataCenter } from './mx-hosts';
export { TlsReporting } from './tls-reporting';
export { Verification } from './verification';
export { DelegatedMtaSts } from './delegated-mta-sts';
export type { DelegatedMtaStsProps } from './delegated-mta-sts';
