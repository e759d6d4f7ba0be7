// UDP sockets to DNS servers, each shared by a few questions that are under way at the same time.
//
// A forger who is not on the way must guess the source port and the id of a question, and name the question itself (RFC 5452 §9). So
// the port is the system's choice, a socket is soon replaced by one with another, and it hears the one server alone that it is
// connected to: who is asked learns nothing of the ports that others are asked from (docs/contribute/decisions/0009-dns-sockets.md).
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import type { Socket, SocketOptions } from 'node:dgram';
import { Guard, INTERNAL_ERROR } from '../guard';

/** Who has asked a question. */
export interface DnsListener {
  /** A message with the question's id came, whatever it holds. */
  message(message: Buffer): void;
  /** The system says that the server cannot be reached. */
  error(error: Error): void;
}

/** A question that may be sent and answered, until it ends. */
export interface DnsLine {
  /** Of no other question on this socket. */
  readonly id: number;
  send(query: Uint8Array): void;
  /** Nothing is heard after it. A socket without questions is closed. */
  readonly end: () => void;
}

/** A place for one question to a server, on a socket that has room. */
export function openLine(address: string, port: number, listener: DnsListener): DnsLine {
  const server = `${address} ${port}`;
  const known = open.get(server);
  const socket = known?.hasRoom() === true ? known : new SharedSocket(address, port, server);
  open.set(server, socket);
  return socket.add(listener);
}

/** As few as a verification asks a server at once, give or take; what a socket costs is small beside them already. */
const QUESTIONS_OF_A_SOCKET = 16;

/** The address of the server, and the one of all interfaces here: there is no name among them to look up. */
const asItIs: SocketOptions['lookup'] = (address, _, callback) => {
  callback(null, address, address.includes(':') ? 6 : 4);
};

/** By server, the socket that the next question goes to. */
const open = new Map<string, SharedSocket>();

class SharedSocket {
  private readonly waiting = new Map<number, DnsListener>();
  private readonly socket: Socket;
  /** Queries from before the socket was connected. */
  private unsent: Uint8Array[] | undefined = [];
  private asked = 0;
  private readonly guard = new Guard((reason) => {
    this.failed(Object.assign(new Error(reason), { code: INTERNAL_ERROR }));
  });

  public constructor(address: string, port: number, private readonly server: string) {
    const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', lookup: asItIs });
    this.socket = socket;
    socket.on('message', this.guard.over((message: Buffer) => {
      // RFC 1035 §4.1.1: the id comes first.
      if (message.length > 1) this.waiting.get(message.readUInt16BE(0))?.message(message);
    }));
    socket.on('error', this.guard.over((error: Error) => {
      this.failed(error);
    }));
    socket.on('connect', this.guard.over(() => {
      for (const query of this.unsent ?? []) this.send(query);
      this.unsent = undefined;
    }));
    // Connected: answers of others are dropped by the system, and a closed port is heard of at once.
    socket.connect(port, address);
  }

  public hasRoom(): boolean {
    return this.asked < QUESTIONS_OF_A_SOCKET;
  }

  public add(listener: DnsListener): DnsLine {
    this.asked += 1;
    const id = this.freeId();
    this.waiting.set(id, listener);
    return {
      id,
      send: (query) => {
        if (this.unsent === undefined) this.send(query);
        else this.unsent.push(query);
      },
      end: () => {
        this.end(id);
      },
    };
  }

  private send(query: Uint8Array): void {
    this.socket.send(query, this.guard.over((error: Error | null) => {
      if (error !== null) this.failed(error);
    }));
  }

  /** Of this server and no other, for the socket is connected to it; the system tells it of one query by the next as well. */
  private failed(error: Error): void {
    this.retire();
    for (const listener of [...this.waiting.values()]) listener.error(error);
  }

  private freeId(): number {
    for (;;) {
      const id = randomInt(0x10000);
      if (!this.waiting.has(id)) return id;
    }
  }

  private end(id: number): void {
    this.waiting.delete(id);
    if (this.waiting.size > 0) return;
    this.retire();
    // Closed before it was connected it says that it is, all the same.
    this.unsent = undefined;
    this.socket.close();
  }

  /** No further question is put to it. */
  private retire(): void {
    if (open.get(this.server) === this) open.delete(this.server);
  }
}
