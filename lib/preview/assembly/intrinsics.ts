// Evaluates CloudFormation's intrinsic functions, as far as a template can be understood without AWS.
import { safeText } from '../../util/safe-text';
import { at, isObject, itemsOf, textOf } from '../json';

/** Stands where a value could not be made out, and says why: a phrase to put after the place. */
export class Unresolved {
  public constructor(public readonly reason: string) {}
}

/** What the evaluator asks its stack for. */
export interface Names {
  /** `Ref`: a parameter, a resource or a pseudo parameter. */
  ref(name: string, steps: Steps): unknown;
  /** `Fn::GetAtt`. */
  attribute(logicalId: string, name: string, steps: Steps): unknown;
  /** A condition by its name. */
  condition(name: string, steps: Steps): unknown;
  /** The template's mappings. */
  readonly mappings: unknown;
  /** `Fn::ImportValue`. */
  imported(exportName: string, steps: Steps): unknown;
  /** `Fn::GetStackOutput`: an output of another stack. */
  stackOutput(stackName: string, outputName: string, steps: Steps): unknown;
}

/** A hostile template refers in circles, or doubles a text forty times. */
const MAX_STEPS = 20_000;
const MAX_DEPTH = 100;
const MAX_TEXT = 256 * 1024;

/** Bounds the work that one evaluation may make, through other stacks too. */
export class Steps {
  private taken = 0;
  private depth = 0;

  /** Runs one step of the evaluation. */
  public within(work: () => unknown): unknown {
    this.taken += 1;
    if (this.taken > MAX_STEPS || this.depth > MAX_DEPTH) return new Unresolved('refers in circles, or is too large to evaluate');
    this.depth += 1;
    try {
      return work();
    } finally {
      this.depth -= 1;
    }
  }
}

/** Marks what `AWS::NoValue` leaves out. */
export const NO_VALUE = Symbol('AWS::NoValue');

/** Evaluates a value with everything in it. Never throws: what cannot be known is `Unresolved` in its place. */
export function evaluate(value: unknown, names: Names, steps = new Steps()): unknown {
  return steps.within(() => {
    if (Array.isArray(value)) {
      return value.map((item) => evaluate(item, names, steps)).filter((item) => item !== NO_VALUE);
    }
    if (!isObject(value)) return value;
    const members = Object.entries(value);
    const [name, argument] = members[0] ?? ['', undefined];
    if (members.length === 1 && (name === 'Ref' || name === 'Condition' || name.startsWith('Fn::'))) {
      // A member that is called Condition holds a name; a function that is called so does too, and no property of ours is.
      return new Call(names, steps).evaluate(name, argument);
    }
    return Object.fromEntries(members
      .map(([member, item]) => [member, evaluate(item, names, steps)] as const)
      .filter(([, item]) => item !== NO_VALUE));
  });
}

/** One intrinsic function. */
class Call {
  public constructor(private readonly names: Names, private readonly steps: Steps) {}

  public evaluate(name: string, argument: unknown): unknown {
    switch (name) {
      case 'Ref': return this.withText(argument, (text) => this.names.ref(text, this.steps));
      case 'Condition': return this.withText(argument, (text) => this.names.condition(text, this.steps));
      case 'Fn::GetAtt': return this.getAtt(argument);
      case 'Fn::Join': return this.join(this.value(argument));
      case 'Fn::Sub': return this.sub(argument);
      case 'Fn::Select': return this.select(this.value(argument));
      case 'Fn::Split': return this.split(this.value(argument));
      case 'Fn::FindInMap': return this.findInMap(this.value(argument));
      case 'Fn::If': return this.if(argument);
      case 'Fn::Equals': return this.equals(this.value(argument));
      case 'Fn::Not': return this.all(argument, ([first]) => first !== true);
      case 'Fn::And': return this.all(argument, (items) => items.every((item) => item === true));
      case 'Fn::Or': return this.all(argument, (items) => items.includes(true));
      case 'Fn::ImportValue': return this.withText(this.value(argument), (text) => this.names.imported(text, this.steps));
      case 'Fn::GetStackOutput': return this.stackOutput(this.value(argument));
      default: return new Unresolved(`uses ${safeText(name, 40)}, which a preview cannot evaluate`);
    }
  }

  private value(argument: unknown): unknown {
    return evaluate(argument, this.names, this.steps);
  }

  private getAtt(argument: unknown): unknown {
    const path = typeof argument === 'string' ? argument.split('.') : itemsOf(argument);
    const [logicalId, ...attribute] = path.map((part) => this.value(part));
    if (typeof logicalId !== 'string' || attribute.length === 0) return malformed('Fn::GetAtt');
    return this.withText(this.joined(attribute, '.'), (name) => this.names.attribute(logicalId, name, this.steps));
  }

  private join(argument: unknown): unknown {
    const [delimiter, list] = itemsOf(argument);
    if (list instanceof Unresolved) return list;
    return typeof delimiter === 'string' && Array.isArray(list) ? this.joined(list, delimiter) : malformed('Fn::Join');
  }

  private joined(items: readonly unknown[], delimiter: string): unknown {
    const texts: string[] = [];
    let length = 0;
    for (const item of items) {
      if (item instanceof Unresolved) return item;
      const text = scalarText(item);
      if (text === undefined) return malformed('Fn::Join');
      length += text.length + delimiter.length;
      if (length > MAX_TEXT) return new Unresolved('makes a text of more than 256 KiB');
      texts.push(text);
    }
    return texts.join(delimiter);
  }

  private sub(argument: unknown): unknown {
    const [text, variables] = typeof argument === 'string' ? [argument] : itemsOf(argument);
    if (typeof text !== 'string') return malformed('Fn::Sub');
    // `${!Literal}` stays as `${Literal}`.
    const parts = text.split(/(\$\{[^}]{1,300}\})/).map((part) => {
      const name = /^\$\{([^}]+)\}$/.exec(part)?.at(1)?.trim();
      if (name === undefined) return part;
      if (name.startsWith('!')) return `\${${name.slice(1)}}`;
      const variable = at(variables, name);
      if (variable !== undefined) return this.value(variable);
      return this.value(name.includes('.') ? { 'Fn::GetAtt': name } : { Ref: name });
    });
    return this.joined(parts, '');
  }

  private select(argument: unknown): unknown {
    const [index, list] = itemsOf(argument);
    if (list instanceof Unresolved) return list;
    const item: unknown = itemsOf(list)[Number(index)];
    return item === undefined ? malformed('Fn::Select') : item;
  }

  private split(argument: unknown): unknown {
    const [delimiter, text] = itemsOf(argument);
    if (text instanceof Unresolved) return text;
    return typeof delimiter === 'string' && delimiter !== '' && typeof text === 'string' ? text.split(delimiter) : malformed('Fn::Split');
  }

  private findInMap(argument: unknown): unknown {
    const path = itemsOf(argument).map(scalarText);
    const [map, first, second] = path;
    if (map === undefined || first === undefined || second === undefined) return malformed('Fn::FindInMap');
    const found = at(this.names.mappings, map, first, second);
    return found === undefined ? new Unresolved(`looks in the mapping ${safeText(path.join('.'))}, which has no such entry`) : found;
  }

  private if(argument: unknown): unknown {
    const [condition, yes, no] = itemsOf(argument);
    if (typeof condition !== 'string') return malformed('Fn::If');
    const holds = this.names.condition(condition, this.steps);
    return typeof holds === 'boolean' ? this.value(holds ? yes : no) : holds;
  }

  private equals(argument: unknown): unknown {
    const [left, right] = itemsOf(argument);
    if (left instanceof Unresolved) return left;
    return right instanceof Unresolved ? right : JSON.stringify(left) === JSON.stringify(right);
  }

  private all(argument: unknown, decide: (items: readonly unknown[]) => boolean): unknown {
    const items = itemsOf(this.value(argument));
    return items.find((item) => item instanceof Unresolved) ?? decide(items);
  }

  private stackOutput(argument: unknown): unknown {
    const names = [argument, at(argument, 'StackName'), at(argument, 'OutputName')];
    const [stackName, outputName] = names.slice(1).map(textOf);
    const unresolved = names.find((name) => name instanceof Unresolved);
    if (unresolved !== undefined) return unresolved;
    return stackName === undefined || outputName === undefined
      ? malformed('Fn::GetStackOutput')
      : this.names.stackOutput(stackName, outputName, this.steps);
  }

  private withText(value: unknown, use: (text: string) => unknown): unknown {
    if (value instanceof Unresolved) return value;
    return typeof value === 'string' ? use(value) : new Unresolved('holds no text where a name is expected');
  }
}

/** How CloudFormation writes a scalar in a text. */
export function scalarText(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

function malformed(name: string): Unresolved {
  return new Unresolved(`uses ${name} in a form that CloudFormation does not know`);
}
