import { describe, expect, test } from '@jest/globals';
import { version } from '../../package.json';
import { parseResolver } from '../../cli/input/arguments';
import { run } from '../support/command';

describe('wrong usage', () => {
  test.each<[argv: string[], message: string]>([
    [['verfy', 'example.com'], "unknown command 'verfy'\n(Did you mean verify?)\ntry `npx cdk-mta-sts --help`\n"],
    [['lint', 'polcy'], "unknown command 'polcy'\n(Did you mean policy?)\ntry `npx cdk-mta-sts lint --help`\n"],
    [['verify'], 'no domain to verify; give domains, `--file` or `--outputs`\ntry `npx cdk-mta-sts verify --help`\n'],
    [['verify', 'example.com', '--formt', 'json'], "unknown option '--formt'\n(Did you mean --format?)\n"],
    [['verify', 'example.com', '--format', 'yaml'], "option '--format <format>' argument 'yaml' is invalid. Allowed choices are text, json, ndjson, junit, github, html.\n"],
    [['verify', 'example.com', '--format'], "option '--format <format>' argument missing\n"],
    [['verify', 'example.com', '--expect-mode', 'Enforce'], 'Allowed choices are enforce, testing, none.\n'],
    [['verify', 'example.com', '--expect-id', 'a-b'], '--expect-id: `a-b` is not the id of a record; 1 to 32 letters and digits are expected (RFC 8461 §3.1)\n'],
    [['verify', 'example.com', '--expect-id', 'a'.repeat(33)], '1 to 32 letters and digits are expected'],
    [['verify', 'example.com', '--timeout', '20'], '--timeout: `20` has no unit; write `20s` for seconds\n'],
    [['verify', 'example.com', '--resolver', 'http://192.0.2.1'], 'a DNS server is written `host`, `host:port` or `[v6]:port`, got `http://192.0.2.1`'],
    [['verify', 'example.com', '--resolver', '192.0.2.1:65536'], 'got `192.0.2.1:65536`'],
    [['verify', 'example.com', '--resolver', '[::1'], 'got `[::1`'],
    [['verify', 'example.com', '--resolver', '192.0.2.256'], '--resolver: `192.0.2.256`, where a DNS server is expected, ends in the label `256`; a top-level domain is never all digits'],
    [['verify', 'example.com', '--resolver', 'dns_1.example'], '--resolver: `dns_1.example`, where a DNS server is expected, contains an underscore'],
    [['lint', 'policy'], "missing required argument 'file'\n"],
    [['match', 'mx.example.com'], "missing required argument 'host'\n"],
    [['match', 'a.example', 'b.example', 'c.example'], "too many arguments for 'match'. Expected 2 arguments but got 3.\n"],
    [['preview', 'cdk.out'], "too many arguments for 'preview'. Expected 0 arguments but got 1.\n"],
  ])('wrong usage mta-sts %j ends with status 2 and its problem, and prints nothing else', async (argv, message) => {
    const { status, stdout, stderr } = await run(argv);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^mta-sts: /);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/\bat .*:\d+:\d+/);
  });

  test('the message about wrong usage escapes control characters of the arguments', async () => {
    const { stderr } = await run(['\u001b[2J\u202e']);
    expect(stderr).toContain("unknown command '\\x1b[2J\\u{202e}'");
  });

  test('the command without arguments prints the help to standard error', async () => {
    const { status, stdout, stderr } = await run([]);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('Usage: npx cdk-mta-sts [options] [command]');
  });
});

describe('a mail domain', () => {
  test.each([
    ['postmaster@example.com', '`postmaster@example.com` is an email address, where a mail domain is expected; write `example.com`'],
    ['Ann <ann@example.com>', 'is an email address, where a mail domain is expected; write `example.com`'],
    ['ann@', '`ann@` is an email address, where a mail domain is expected\n'],
    ['https://example.com', 'is a URL, where a mail domain is expected; write `example.com`'],
    ['https://mta-sts.example.com/.well-known/mta-sts.txt', 'is a URL, where a mail domain is expected; write `example.com`'],
    ['https://user:pw@mta-sts.example.com:8443/', 'is a URL, where a mail domain is expected; write `example.com`'],
    ['https://', 'is a URL, where a mail domain is expected\n'],
    ['_mta-sts.example.com', 'is the name of a TXT record, where the mail domain is expected; write `example.com`'],
    ['mta-sts.example.com', '`mta-sts.example.com` is the name of a policy host, where the mail domain is expected; write `example.com`: the domain is the part after the @'],
    ['_dmarc.example.com.', 'is the name of a TXT record, where the mail domain is expected; write `example.com`: the domain is the part after the @'],
    ['_mta-sts.mta-sts.example.com', 'write `example.com`'],
    ['https://www.example.com/contact', 'is a URL, where a mail domain is expected; write `example.com`'],
    ['mta-sts.example.com/.well-known/mta-sts.txt', 'is a URL, where a mail domain is expected; write `example.com`'],
    ['mailto:ann@example.com', 'is an email address, where a mail domain is expected; write `example.com`'],
    ['_smtp._tls.example.com', 'is the name of a TXT record, where the mail domain is expected; write `example.com`'],
    ['example.com..', '`example.com..`, where a mail domain is expected, ends with a dot; write `example.com`'],
    ['localhost', '`localhost`, where a mail domain is expected, is a single label; write it in full, such as `example.com`'],
    [`${'a.'.repeat(120)}example`, 'has 247 characters; with more than 242 no name below it can hold a record'],
    ['192.0.2.1', 'is an IPv4 address'],
    ['exa mple.com', 'only letters, digits, hyphens and dots are allowed'],
    ['-example.com', "unknown option '-example.com'"],
    ['*.example.com', 'contains `*`'],
    ['', '``, where a mail domain is expected, is empty'],
    [`${'a'.repeat(64)}.example`, 'has a label of 64 characters'],
    ['bücher/example', 'is not ASCII'],
  ])('the mail domain %j is refused with the nearest correct form', async (domain, message) => {
    const { status, stdout, stderr } = await run(['verify', domain]);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
  });

  test('one invalid domain among several stops the run before any network access', async () => {
    const { status, stdout } = await run(['verify', 'example.com', 'a@b.example'], {
      loadVerifier: () => Promise.reject(new Error('must not be loaded')),
    });
    expect(status).toBe(2);
    expect(stdout).toBe('');
  });
});

test.each([
  ['192.0.2.53', '192.0.2.53:53'],
  ['192.0.2.53:5353', '192.0.2.53:5353'],
  ['2001:db8::53', '[2001:db8::53]:53'],
  ['[2001:db8::53]:5353', '[2001:db8::53]:5353'],
  ['dns.example:53', 'dns.example:53'],
])('the resolver %s is understood', (text, server) => {
  expect(parseResolver(text)).toBe(server);
});

describe('help and version', () => {
  test('--version prints only the version of the package', async () => {
    expect(await run(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });

  test('--help lists the commands and explains the exit statuses', async () => {
    const { status, stdout, stderr } = await run(['--help']);
    expect(status).toBe(0);
    expect(stderr).toBe('');
    for (const command of ['verify', 'lint', 'match', 'preview', 'explain', 'suggest', 'records']) expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
    expect(stdout).toContain('Exit status: 0 nothing worse than a warning');
    expect(stdout).toContain('Run it as `npx cdk-mta-sts`, with the name of the package: `npx cdk-mta-sts verify example.com`.');
  });

  test('--help is wrapped to the width of the terminal', async () => {
    const { stdout } = await run(['verify', '--help'], { columns: 60 });
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  test.each<[string[], string[]]>([
    [['verify', '--help'], [
      '--file', '--outputs', '--expect-id', '--expect-mode', '--expect-policy', '--wait', '--timeout', '--smtp', '--no-smtp', '--smtp-port',
      '--resolver', '--allow-private', '--concurrency', '--format', '--output',
    ]],
    [['lint', 'policy', '--help'], ['--format']],
    [['lint', 'record', '--help'], ['--format']],
    [['lint', 'tls-rpt', '--help'], ['--format']],
    [['match', '--help'], []],
    [['preview', '--help'], ['--app', '--listen', '--https-port', '--dns-port', '--tls-key', '--tls-cert', '--mx', '--verify', '--format', '--output']],
    [['explain', '--help'], ['--format']],
    [['suggest', '--help'], ['--resolver', '--timeout', '--format']],
    [['records', '--help'], ['--app', '--outputs', '--domain', '--policy', '--target', '--tls-rpt', '--format']],
  ])('the command %j has exactly the documented options', async (argv, options) => {
    const { status, stdout } = await run(argv);
    expect(status).toBe(0);
    expect(stdout.match(/^ {2}(?:-\w, )?--[a-z-]+/gm)?.map((option) => option.replace(/^.*--/, '--')).sort()).toEqual([...options, '--help'].sort());
  });
});

test('a bug of the command is reported as such in one line and ends with status 3', async () => {
  const { status, stdout, stderr } = await run(['verify', 'example.com'], { loadVerifier: () => Promise.reject(new Error('no\nluck')) });
  expect(status).toBe(3);
  expect(stdout).toBe('');
  expect(stderr).toBe('mta-sts: this is a bug in mta-sts itself, please report it: no\\x0aluck\n');
});
