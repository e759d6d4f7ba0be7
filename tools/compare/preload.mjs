// Loaded into the command before it starts: sends connections to ports 25, 53 and 443 of 127.0.0.0/8 to the ports of the test servers.
// The variable `COMPARE_PORTS` has them as JSON. The command needs no option for this, and prints the usual ports.
import dgram from 'node:dgram';
import net from 'node:net';

/** @type {Readonly<Record<string, number>>} */
const ports = JSON.parse(process.env.COMPARE_PORTS ?? '{}');

/** @param {unknown} port */
const mapped = (port) => ports[String(port)] ?? port;

/**
 * Replaces the port of a `connect` call: `(port, …)`, `({ port }, …)`, or the list that Node.js has made of either.
 *
 * @param {unknown[]} args
 * @returns {unknown[]}
 */
function redirect([first, ...others]) {
  if (Array.isArray(first)) [first[0]] = redirect([first[0]]);
  else if (typeof first === 'object' && first !== null && 'port' in first) return [{ ...first, port: mapped(first.port) }, ...others];
  else if (typeof first === 'number') return [mapped(first), ...others];
  return [first, ...others];
}

for (const { prototype } of [net.Socket, dgram.Socket]) {
  const connect = prototype.connect;
  Object.assign(prototype, {
    /** @param {unknown[]} args */
    connect(...args) {
      return Reflect.apply(connect, this, redirect(args));
    },
  });
}
