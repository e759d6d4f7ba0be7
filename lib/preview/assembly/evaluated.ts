// Reads evaluated properties and says, once for each place, what could not be read.
import { safeText } from '../../util/safe-text';
import { Unresolved, scalarText } from './intrinsics';
import { isObject, itemsOf } from '../json';
import type { Resource } from './stacks';

/** What the preview leaves out or does otherwise than AWS, in sentences for people; safe to print. */
export class Notes {
  private readonly said = new Set<string>();

  /** @param place - the resource or the name that it is about */
  public add(place: string, what: string): void {
    this.said.add(`${safeText(place, 200)}: ${what}`);
  }

  public get all(): readonly string[] {
    return [...this.said];
  }
}

/** A part of a resource's properties, read with care. */
export class Properties {
  public static of(resource: Resource, notes: Notes): Properties {
    return new Properties(resource.path, '', resource.properties, notes);
  }

  private constructor(
    private readonly resource: string,
    private readonly path: string,
    private readonly value: unknown,
    private readonly notes: Notes,
  ) {}

  /** The member of that name, whatever it is. */
  public in(name: string): Properties {
    const member = isObject(this.value) && Object.hasOwn(this.value, name) ? this.value[name] : undefined;
    // Where the whole is not known, its parts are not either.
    return this.step(name, this.value instanceof Unresolved ? this.value : member);
  }

  /** The items of a list; of anything else none. */
  public items(): readonly Properties[] {
    this.known();
    return itemsOf(this.value).map((item, index) => this.step(String(index), item));
  }

  /** A text, a number or a truth value as CloudFormation writes it; undefined where it is missing or not known. */
  public text(): string | undefined {
    this.known();
    return scalarText(this.value);
  }

  /** The same where it must be there: what is missing is noted. */
  public required(): string | undefined {
    const text = this.text();
    if (text === undefined && !(this.value instanceof Unresolved)) this.note('is missing or no text');
    return text;
  }

  public texts(): readonly string[] {
    return this.items().map((item) => item.text()).filter((text) => text !== undefined);
  }

  public isTrue(): boolean {
    return this.text() === 'true';
  }

  public exists(): boolean {
    return this.value !== undefined;
  }

  /** Says something about this place, a phrase to put after it. */
  public note(what: string): void {
    this.notes.add(this.resource, `${this.path} ${what}`);
  }

  private step(name: string, value: unknown): Properties {
    return new Properties(this.resource, this.path === '' ? name : `${this.path}.${name}`, value, this.notes);
  }

  private known(): void {
    if (this.value instanceof Unresolved) this.note(`could not be resolved: it ${this.value.reason}`);
  }
}
