// Sets up the private network: a loopback interface with all addresses, and the resolver in /etc/resolv.conf.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { ADDRESSES, RESOLVER } from './addresses';

const IPV6 = '/proc/sys/net/ipv6/conf/lo/disable_ipv6';

/**
 * Sets up the network of this namespace.
 *
 * @param folder - folder for files
 * @throws Error outside a private network namespace, because the network of the machine must not change
 */
export function openNetwork(folder: string): void {
  const foreign = Object.keys(networkInterfaces()).filter((name) => name !== 'lo');
  if (foreign.length > 0 || /^\S+\t00000000/m.test(readFileSync('/proc/net/route', 'utf8'))) {
    throw new Error(`the test environment needs a private network namespace, found the interfaces ${foreign.join(', ')}. Start it with \`npm run e2e\``);
  }
  if (!existsSync(IPV6)) throw new Error('the test environment needs IPv6, but the kernel of this machine runs without it (ipv6.disable=1?)');
  // Turn IPv6 on, in case the machine has turned it off for new interfaces.
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
