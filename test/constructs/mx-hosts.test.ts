// The MX patterns of a policy: your own list, and the presets for mail providers.
import { describe, expect, test } from '@jest/globals';
import { Aws } from 'aws-cdk-lib';
import { MxHosts, ZohoDataCenter } from '../../lib';
import { mxMatches } from '../../lib/protocol/mx/pattern';

describe('your own list', () => {
  test.each([
    ['mx1.example.com.', /dot/],
    ['.example.com', /\*\.example\.com/],
    ['*.*.example.com', /wildcard/],
    ['mx*.example.com', /wildcard|\*/],
    ['10 mx1.example.com', /preference|blank|host/],
    ['mx1.example.com\r\nmode: none', /mx pattern "mx1\.example\.com\\r\\nmode: none"/],
    ['192.0.2.1', /address/],
    ['', /empty/],
    ['mx\u20111.example.com', /contains U\+2011 \(non-breaking hyphen\); write a hyphen \(RFC 8461 §3\.2\)$/],
    ['*.example\u3002com', /contains U\+3002 \(ideographic full stop\); write a dot/],
    ['mx1\u200b.example.com', /^mx pattern "mx1\\u\{200b\}\.example\.com" contains U\+200B \(zero-width space\); remove it/],
    ['mx1.ex\u0430mple.com', /contains U\+0430 \(Cyrillic, looks like `a`\); write `a`/],
    ['*.', /mx pattern "\*\."/],
  ])('MxHosts refuses the pattern %j with the reason', (pattern, message) => {
    expect(() => MxHosts.of(pattern)).toThrow(message);
  });

  test('MxHosts refuses a token with the fix', () => {
    expect(() => MxHosts.of(`mx.${Aws.REGION}.example.com`)).toThrow(/token.*Write the host names/);
  });

  test('MxHosts converts U-labels to A-labels, also below a wildcard', () => {
    expect(MxHosts.of('møx.example', '*.MØX.example').patterns).toEqual(['*.xn--mx-lka.example', 'xn--mx-lka.example']);
  });

  test('MxHosts sorts its patterns, in lower case and without duplicates', () => {
    expect(MxHosts.of('MX2.example.com', 'mx1.example.com', 'mx2.example.com').patterns).toEqual(['mx1.example.com', 'mx2.example.com']);
  });

  test('MxHosts adds another list', () => {
    expect(MxHosts.fastmail().plus(MxHosts.of('backup.example.com')).patterns).toEqual([
      'backup.example.com', 'in1-smtp.messagingengine.com', 'in2-smtp.messagingengine.com',
    ]);
  });
});

describe('presets cover the hosts that the providers document', () => {
  test.each([
    ['Google Workspace', MxHosts.googleWorkspace(), [
      'smtp.google.com', 'aspmx.l.google.com', 'alt1.aspmx.l.google.com', 'alt2.aspmx.l.google.com', 'ALT4.ASPMX.L.GOOGLE.COM.',
    ]],
    ['Microsoft 365', MxHosts.microsoft365(), ['contoso-com.mail.protection.outlook.com']],
    ['Amazon SES', MxHosts.sesInbound('eu-west-1'), ['inbound-smtp.eu-west-1.amazonaws.com']],
    ['Fastmail', MxHosts.fastmail(), ['in1-smtp.messagingengine.com', 'in2-smtp.messagingengine.com']],
    ['Proton Mail', MxHosts.protonMail(), ['mail.protonmail.ch', 'mailsec.protonmail.ch']],
    ['iCloud', MxHosts.icloud(), ['mx01.mail.icloud.com', 'mx02.mail.icloud.com']],
    ['Zoho', MxHosts.zoho(), ['mx.zoho.com', 'mx2.zoho.com', 'mx3.zoho.com']],
    ['Zoho in Europe', MxHosts.zoho(ZohoDataCenter.EUROPE), ['mx.zoho.eu', 'mx2.zoho.eu', 'mx3.zoho.eu']],
    ['Cloudflare', MxHosts.cloudflareEmailRouting(), ['route1.mx.cloudflare.net', 'amir.mx.cloudflare.net']],
  ])('the preset of %s covers the hosts that the provider documents', (_provider, preset, hosts) => {
    const uncovered = hosts.filter((host) => !preset.patterns.some((pattern) => mxMatches(pattern, host)));
    expect(uncovered).toEqual([]);
  });

  test.each([
    ['Google Workspace', 'mail.google.com', MxHosts.googleWorkspace()],
    ['Microsoft 365', 'a.b.mail.protection.outlook.com', MxHosts.microsoft365()],
    ['Amazon SES', 'inbound-smtp.us-east-1.amazonaws.com', MxHosts.sesInbound('eu-west-1')],
  ])('the preset of %s does not cover the host %s', (_provider, host, preset) => {
    expect(preset.patterns.some((pattern) => mxMatches(pattern, host))).toBe(false);
  });

  test.each(['eu-west', 'Frankfurt', '', 'eu-west-1.evil.example'])('the preset of Amazon SES refuses %j as a Region', (region) => {
    expect(() => MxHosts.sesInbound(region)).toThrow(/`region` must be the name of an AWS Region/);
  });

  test('the preset of Amazon SES refuses a Region that is a token', () => {
    expect(() => MxHosts.sesInbound(Aws.REGION)).toThrow(/token/);
  });
});
