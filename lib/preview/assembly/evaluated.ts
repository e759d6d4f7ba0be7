// Reads evaluated properties of a resource, and notes once for each place what it could not read.
import { safeText } from '../../util/safe-text';
import { Unresolved, scalarText } from './intrinsics';
import { isObject, itemsOf } from '../json';
import type { Resource } from './stacks';

/** Collects the differences between the preview and AWS, as sentences for the user. They are safe to print. */
export class Notes {
  private readonly notes = new Set<string>();

  /**
   * Adds a note. A repeated note counts once.
   *
   * @param place - the resource or the name that the note is about
   */
  public add(place: string, note: string): void {
    this.notes.add(`${safeText(place, 200)}: ${note}`);
  }

  public get all(): readonly string[] {
    return [...this.notes];
  }
}

/** The properties of a resource, or a part of them. Every reader tolerates any value. */
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

  /** Returns the member of a name. It may be missing or of any type. */
  public member(name: string): Properties {
    const member = isObject(this.value) && Object.hasOwn(this.value, name) ? this.value[name] : undefined;
    // The members of an unresolved value are unresolved too.
    return this.step(name, this.value instanceof Unresolved ? this.value : member);
  }

  /** Returns the items of a list. Any other value has none. */
  public items(): readonly Properties[] {
    this.noteUnresolved();
    return itemsOf(this.value).map((item, index) => this.step(String(index), item));
  }

  /** Returns a string, number or boolean as CloudFormation writes it, or undefined for any other value. */
  public text(): string | undefined {
    this.noteUnresolved();
    return scalarText(this.value);
  }

  /** Returns the same as `text()`. Adds a note if the value is missing or not a text. */
  public required(): string | undefined {
    const text = this.text();
    if (text === undefined && !(this.value instanceof Unresolved)) this.note('is missing or not a text');
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

  /** Adds a note about this place: a phrase to follow its name. */
  public note(phrase: string): void {
    this.notes.add(this.resource, `${this.path} ${phrase}`);
  }

  private step(name: string, value: unknown): Properties {
    return new Properties(this.resource, this.path === '' ? name : `${this.path}.${name}`, value, this.notes);
  }

  private noteUnresolved(): void {
    if (this.value instanceof Unresolved) this.note(`could not be resolved: it ${this.value.reason}`);
  }
}
