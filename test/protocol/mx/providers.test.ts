// Tests the recognition of mail providers by their MX hosts. The code to write must give the patterns of the construct library.
import { describe, expect, test } from '@jest/globals';
import { MxHosts, ZohoDataCenter } from '../../../lib';
import { ZOHO_DATA_CENTERS, providerOf } from '../../../lib/protocol/mx/providers';

describe('a host of no known provider', () => {
  test.each([
    'mx1.example.com', 'google.com', 'smtp.google.com.example', 'xsmtp.google.com', 'a.b.mail.protection.outlook.com',
    'inbound-smtp.frankfurt.amazonaws.com', 'inbound-smtp.eu-west-1.amazonaws.com.example', 'inbound-smtp.eu-west-1\'.amazonaws.com',
    'mx4.zoho.com', 'mx.zoho.example', 'mx.microsoft', 'x.mx.microsoft', 'aspmx6.googlemail.com', '',
  ])('the MX host %j belongs to no known provider', (host) => {
    expect(providerOf(host)).toBeUndefined();
  });
});

describe('a host that the patterns of its provider do not cover', () => {
  test.each([
    ['contoso-com.o-v1.mx.microsoft', 'Microsoft 365', /DNSSEC-signed zone/],
    ['aspmx3.googlemail.com', 'Google Workspace', /replace it with smtp\.google\.com/],
  ])('the MX host %s is recognised as a host of %s, with the reason why the provider patterns do not cover it', (host, name, outside) => {
    expect(providerOf(host)).toMatchObject({ provider: { name }, outside: expect.stringMatching(outside) });
  });
});

describe('a host of a known provider', () => {
  test.each<[string, string, MxHosts]>([
    ['smtp.google.com', 'MxHosts.googleWorkspace()', MxHosts.googleWorkspace()],
    ['alt2.aspmx.l.google.com', 'MxHosts.googleWorkspace()', MxHosts.googleWorkspace()],
    ['contoso-com.mail.protection.outlook.com', 'MxHosts.microsoft365()', MxHosts.microsoft365()],
    ['inbound-smtp.eu-west-1.amazonaws.com', "MxHosts.sesInbound('eu-west-1')", MxHosts.sesInbound('eu-west-1')],
    ['inbound-smtp.us-gov-west-1.amazonaws.com', "MxHosts.sesInbound('us-gov-west-1')", MxHosts.sesInbound('us-gov-west-1')],
    ['in1-smtp.messagingengine.com', 'MxHosts.fastmail()', MxHosts.fastmail()],
    ['mailsec.protonmail.ch', 'MxHosts.protonMail()', MxHosts.protonMail()],
    ['mx02.mail.icloud.com', 'MxHosts.icloud()', MxHosts.icloud()],
    ['mx3.zoho.com', 'MxHosts.zoho()', MxHosts.zoho()],
    ['mx.zohocloud.ca', 'MxHosts.zoho(ZohoDataCenter.CANADA)', MxHosts.zoho(ZohoDataCenter.CANADA)],
    ['mx2.zoho.com.au', 'MxHosts.zoho(ZohoDataCenter.AUSTRALIA)', MxHosts.zoho(ZohoDataCenter.AUSTRALIA)],
    ['route3.mx.cloudflare.net', 'MxHosts.cloudflareEmailRouting()', MxHosts.cloudflareEmailRouting()],
  ])('the MX host %s is recognised, with %s as the code to write', (host, factory, hosts) => {
    const found = providerOf(host);
    expect(found).toEqual({ provider: expect.objectContaining({ factory, source: expect.stringMatching(/^https:\/\//) }) });
    expect([...found?.provider.patterns ?? []].sort()).toEqual(hosts.patterns);
  });
});

test('the protocol library and the construct library have the same Zoho data centres', () => {
  expect(Object.entries(ZOHO_DATA_CENTERS)).toEqual(Object.entries(ZohoDataCenter));
});
