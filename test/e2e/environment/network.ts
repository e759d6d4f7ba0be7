// The private network: loopback with the addresses of the stage, and a resolver of its own in /etc/resolv.conf.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { ADDRESSES, RESOLVER } from './addresses';

const IPV6 = '/proc/sys/net/ipv6/conf/lo/disable_ipv6';

/**
 * @param folder - for files
 * @throws Error outside of a network namespace of its own: this machine's own network must stay as it is
 */
export function openNetwork(folder: string): void {
  const foreign = Object.keys(networkInterfaces()).filter((name) => name !== 'lo');
  if (foreign.length > 0 || /^\S+\t00000000/m.test(readFileSync('/proc/net/route', 'utf8'))) {
    throw new Error(`the stage must run in a network namespace of its own, found the interfaces ${foreign.join(', ')}; start it with \`npm run e2e\``);
  }
  if (!existsSync(IPV6)) throw new Error('the stage needs IPv6, and the kernel of this machine runs without it (ipv6.disable=1?)');
  // Where the machine has turned it off for new interfaces, it is on in here.
  writeFileSync(IPV6, '0');
  ip('link', 'set', 'lo', 'up');
  for (const address of ADDRESSES) {
    if (isIPv6(address)) ip('-6', 'address', 'add', `${address}/128`, 'dev', 'lo', 'nodad');
    else ip('address', 'add', `${address}/32`, 'dev', 'lo');
  }
  const file = join(folder, 'resolv.conf');
  writeFileSync(file, `nameserver ${RESOLVER}\noptions timeout:2 attempts:2\n`);
  execFileSync('mount', ['--bind', file, '/etc/resolv.conf'], { timeout: 10_000 });
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'], timeout: 10_000 });
}
