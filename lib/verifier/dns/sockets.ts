// Shares UDP sockets to DNS servers. One socket serves a few questions at the same time.
//
// A forger off the path must guess the source port and the id of a question, and must repeat the question itself (RFC 5452 §9).
// The system therefore chooses the port, and another socket with another port soon replaces each socket. A socket is connected to
// one server, so a server learns no port of questions to other servers (docs/contribute/decisions/0009-dns-sockets.md).
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import type { Socket, SocketOptions } from 'node:dgram';
import { Guard, INTERNAL_ERROR } from '../guard';

/** Receives the events of one question. */
export interface DnsListener {
  /** A message with the question's id arrived, with any content. */
  message(message: Buffer): void;
  /** The system reports that the server cannot be reached. */
  error(error: Error): void;
}

/** The place of one question on a socket, until it is closed. */
export interface DnsChannel {
  /** Id of the question, unique on its socket. */
  readonly id: number;
  send(query: Uint8Array): void;
  /** Stops all events of the question. Closes the socket if no question is left on it. */
  readonly close: () => void;
}

/** Opens a channel for one question to a server, on a socket that has room. */
export function openChannel(address: string, port: number, listener: DnsListener): DnsChannel {
  const server = `${address} ${port}`;
  const known = currentSockets.get(server);
  const socket = known?.hasRoom() === true ? known : new SharedSocket(address, port, server);
  currentSockets.set(server, socket);
  return socket.add(listener);
}

/** About as many as one verification asks a server at the same time. With so many questions, the cost of a socket is already small. */
const MAX_QUESTIONS_PER_SOCKET = 16;

/** Returns an address as it is. The socket uses only IP addresses, so nothing needs a lookup. */
const returnAddress: SocketOptions['lookup'] = (address, _, callback) => {
  callback(null, address, address.includes(':') ? 6 : 4);
};

/** The socket for the next question, by server. */
const currentSockets = new Map<string, SharedSocket>();

class SharedSocket {
  private readonly listeners = new Map<number, DnsListener>();
  private readonly socket: Socket;
  /** Queries to send after the socket is connected; undefined afterwards. */
  private unsent: Uint8Array[] | undefined = [];
  private asked = 0;
  private readonly guard = new Guard((reason) => {
    this.fail(Object.assign(new Error(reason), { code: INTERNAL_ERROR }));
  });

  public constructor(address: string, port: number, private readonly server: string) {
    const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', lookup: returnAddress });
    this.socket = socket;
    socket.on('message', this.guard.over((message: Buffer) => {
      // A message starts with its id (RFC 1035 §4.1.1).
      if (message.length > 1) this.listeners.get(message.readUInt16BE(0))?.message(message);
    }));
    socket.on('error', this.guard.over((error: Error) => {
      this.fail(error);
    }));
    socket.on('connect', this.guard.over(() => {
      for (const query of this.unsent ?? []) this.send(query);
      this.unsent = undefined;
    }));
    // On a connected socket, the system drops messages from other addresses and reports a closed port at once.
    socket.connect(port, address);
  }

  public hasRoom(): boolean {
    return this.asked < MAX_QUESTIONS_PER_SOCKET;
  }

  public add(listener: DnsListener): DnsChannel {
    this.asked += 1;
    const id = this.freeId();
    this.listeners.set(id, listener);
    return {
      id,
      send: (query) => {
        if (this.unsent === undefined) this.send(query);
        else this.unsent.push(query);
      },
      close: () => {
        this.remove(id);
      },
    };
  }

  private send(query: Uint8Array): void {
    this.socket.send(query, this.guard.over((error: Error | null) => {
      if (error !== null) this.fail(error);
    }));
  }

  /** Reports an error to every question: all are for the same server, and the system may report the error of one query at the next. */
  private fail(error: Error): void {
    this.retire();
    for (const listener of [...this.listeners.values()]) listener.error(error);
  }

  private freeId(): number {
    for (;;) {
      const id = randomInt(0x10000);
      if (!this.listeners.has(id)) return id;
    }
  }

  private remove(id: number): void {
    this.listeners.delete(id);
    if (this.listeners.size > 0) return;
    this.retire();
    // A socket that is closed while it connects still emits `connect`.
    this.unsent = undefined;
    this.socket.close();
  }

  /** Takes no further question. */
  private retire(): void {
    if (currentSockets.get(this.server) === this) currentSockets.delete(this.server);
  }
}
