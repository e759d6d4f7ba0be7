// Evaluates the intrinsic functions of CloudFormation, as far as that is possible without AWS.
import { safeText } from '../../util/safe-text';
import { at, isObject, itemsOf, textOf } from '../json';

/** Replaces a value that cannot be evaluated. The reason is a phrase that follows the name of the place. */
export class Unresolved {
  public constructor(public readonly reason: string) {}
}

/** The names of a stack that intrinsic functions refer to. */
export interface Names {
  /** Evaluates `Ref` of a parameter, a resource or a pseudo parameter. */
  ref(name: string, steps: Steps): unknown;
  /** Evaluates `Fn::GetAtt`. */
  attribute(logicalId: string, name: string, steps: Steps): unknown;
  /** Evaluates a condition. */
  condition(name: string, steps: Steps): unknown;
  /** The mappings of the template. */
  readonly mappings: unknown;
  /** Evaluates `Fn::ImportValue`. */
  imported(exportName: string, steps: Steps): unknown;
  /** Evaluates `Fn::GetStackOutput`, an output of another stack. */
  stackOutput(stackName: string, outputName: string, steps: Steps): unknown;
}

/** Maximum number of steps in one evaluation. A hostile template can refer in circles, or double a text forty times. */
const MAX_STEPS = 20_000;
const MAX_DEPTH = 100;
const MAX_TEXT_LENGTH = 256 * 1024;

/** Limits the work of one evaluation, including its work in other stacks. */
export class Steps {
  private taken = 0;
  private depth = 0;

  /** Runs one step of the evaluation, unless a limit is reached. */
  public run(step: () => unknown): unknown {
    this.taken += 1;
    if (this.taken > MAX_STEPS || this.depth > MAX_DEPTH) return new Unresolved('refers to itself, or is too large to evaluate');
    this.depth += 1;
    try {
      return step();
    } finally {
      this.depth -= 1;
    }
  }
}

/** Marks a property or an item that `AWS::NoValue` removes. */
export const NO_VALUE = Symbol('AWS::NoValue');

/** Evaluates a value and all of its parts. Never throws: a part that cannot be evaluated becomes `Unresolved`. */
export function evaluate(value: unknown, names: Names, steps = new Steps()): unknown {
  return steps.run(() => {
    if (Array.isArray(value)) {
      return value.map((item) => evaluate(item, names, steps)).filter((item) => item !== NO_VALUE);
    }
    if (!isObject(value)) return value;
    const members = Object.entries(value);
    const [[name, argument] = ['', undefined]] = members;
    if (members.length === 1 && (name === 'Ref' || name === 'Condition' || name.startsWith('Fn::'))) {
      // In conditions, `{ Condition: name }` is a function. No property that a preview reads has `Condition` as its
      // only member.
      return new Call(names, steps).evaluate(name, argument);
    }
    return Object.fromEntries(members
      .map(([member, item]) => [member, evaluate(item, names, steps)] as const)
      .filter(([, item]) => item !== NO_VALUE));
  });
}

/** One call of an intrinsic function. */
class Call {
  public constructor(private readonly names: Names, private readonly steps: Steps) {}

  public evaluate(name: string, argument: unknown): unknown {
    switch (name) {
      case 'Ref': return this.withText(argument, (text) => this.names.ref(text, this.steps));
      case 'Condition': return this.withText(argument, (text) => this.names.condition(text, this.steps));
      case 'Fn::GetAtt': return this.getAtt(argument);
      case 'Fn::Join': return this.join(this.evaluateArgument(argument));
      case 'Fn::Sub': return this.sub(argument);
      case 'Fn::Select': return this.select(this.evaluateArgument(argument));
      case 'Fn::Split': return this.split(this.evaluateArgument(argument));
      case 'Fn::FindInMap': return this.findInMap(this.evaluateArgument(argument));
      case 'Fn::If': return this.if(argument);
      case 'Fn::Equals': return this.equals(this.evaluateArgument(argument));
      case 'Fn::Not': return this.all(argument, ([first]) => first !== true);
      case 'Fn::And': return this.all(argument, (items) => items.every((item) => item === true));
      case 'Fn::Or': return this.all(argument, (items) => items.includes(true));
      case 'Fn::ImportValue': return this.withText(this.evaluateArgument(argument), (text) => this.names.imported(text, this.steps));
      case 'Fn::GetStackOutput': return this.stackOutput(this.evaluateArgument(argument));
      default: return new Unresolved(`uses ${safeText(name, 40)}, which a preview cannot evaluate`);
    }
  }

  private evaluateArgument(argument: unknown): unknown {
    return evaluate(argument, this.names, this.steps);
  }

  private getAtt(argument: unknown): unknown {
    const path = typeof argument === 'string' ? argument.split('.') : itemsOf(argument);
    const [logicalId, ...attribute] = path.map((part) => this.evaluateArgument(part));
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
      if (length > MAX_TEXT_LENGTH) return new Unresolved('creates a text of more than 256 KiB');
      texts.push(text);
    }
    return texts.join(delimiter);
  }

  private sub(argument: unknown): unknown {
    const [text, variables] = typeof argument === 'string' ? [argument] : itemsOf(argument);
    if (typeof text !== 'string') return malformed('Fn::Sub');
    // `${!Literal}` becomes `${Literal}`.
    const parts = text.split(/(\$\{[^}]{1,300}\})/).map((part) => {
      const name = /^\$\{([^}]+)\}$/.exec(part)?.at(1)?.trim();
      if (name === undefined) return part;
      if (name.startsWith('!')) return `\${${name.slice(1)}}`;
      const variable = at(variables, name);
      if (variable !== undefined) return this.evaluateArgument(variable);
      return this.evaluateArgument(name.includes('.') ? { 'Fn::GetAtt': name } : { Ref: name });
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
    return found === undefined ? new Unresolved(`reads the mapping ${safeText(path.join('.'))}, which has no such entry`) : found;
  }

  private if(argument: unknown): unknown {
    const [condition, yes, no] = itemsOf(argument);
    if (typeof condition !== 'string') return malformed('Fn::If');
    const holds = this.names.condition(condition, this.steps);
    return typeof holds === 'boolean' ? this.evaluateArgument(holds ? yes : no) : holds;
  }

  private equals(argument: unknown): unknown {
    const [left, right] = itemsOf(argument);
    if (left instanceof Unresolved) return left;
    return right instanceof Unresolved ? right : JSON.stringify(left) === JSON.stringify(right);
  }

  private all(argument: unknown, decide: (items: readonly unknown[]) => boolean): unknown {
    const items = itemsOf(this.evaluateArgument(argument));
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
    return typeof value === 'string' ? use(value) : new Unresolved('has no text where a name is expected');
  }
}

/** Returns a string, number or boolean as CloudFormation writes it into a text. Returns undefined for any other value. */
export function scalarText(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

function malformed(name: string): Unresolved {
  return new Unresolved(`uses ${name} in a form that CloudFormation does not accept`);
}
