// Evaluates the resources of the stacks in an assembly: `Ref`, `Fn::GetAtt`, exports and outputs of nested stacks.
import { safeText } from '../../util/safe-text';
import type { StackFile } from './files';
import { NO_VALUE, Steps, Unresolved, evaluate } from './intrinsics';
import type { Names } from './intrinsics';
import { at, isObject, membersOf, textOf } from '../json';
import { attribute, physicalId } from './placeholders';
import type { Named } from './placeholders';
import { PUBLICATION, createPublishedId } from './published-id';

/** A resource of a stack with evaluated properties. */
export interface Resource {
  /** The resource in messages, such as `MtaSts-example-com/MtaStsPolicyHostDistribution89AB`. */
  readonly path: string;
  readonly type: string;
  /** The properties with evaluated intrinsic functions. A value that cannot be evaluated is `Unresolved`. */
  readonly properties: unknown;
  /** Value of `Ref`. */
  readonly id: string;
  /** Returns the value of `Fn::GetAtt`. */
  attribute(name: string): unknown;
}

/** Maximum depth of nested stacks in nested stacks. No app needs more. */
const MAX_NESTING = 8;

/**
 * Returns every resource of the stacks, including the nested stacks.
 *
 * @param time - time of the deployment, in milliseconds since the epoch; the ids of publications contain it
 */
export function readResources(files: readonly StackFile[], time: number): readonly Resource[] {
  const assembly = new StackSet(files, time);
  return assembly.stacks.flatMap((stack) => stack.resources());
}

class StackSet {
  public readonly stacks: Stack[] = [];

  public constructor(files: readonly StackFile[], public readonly time: number) {
    for (const file of files) this.add(new Stack(this, file, file.name, file.template), 0);
  }

  public exported(name: string, steps: Steps): unknown {
    for (const stack of this.stacks) {
      for (const [id, output] of membersOf(at(stack.template, 'Outputs'))) {
        const exportName = at(output, 'Export', 'Name');
        if (exportName !== undefined && stack.evaluate(exportName, steps) === name) return stack.output(id, steps);
      }
    }
    return new Unresolved(`imports ${safeText(name)}, which no stack of the assembly exports`);
  }

  public byName(name: string): Stack | undefined {
    return this.stacks.find((stack) => stack.name === name);
  }

  private add(stack: Stack, depth: number): void {
    this.stacks.push(stack);
    if (depth === MAX_NESTING) return;
    for (const nested of stack.openNested()) this.add(nested, depth + 1);
  }
}

class Stack implements Names {
  private readonly nested = new Map<string, Stack>();
  private readonly declared: ReadonlyMap<string, unknown>;

  public constructor(
    private readonly set: StackSet,
    private readonly file: StackFile,
    public readonly name: string,
    public readonly template: unknown,
    /** Returns the value that the parent stack gives for a parameter. */
    private readonly givenParameter: (parameter: string, steps: Steps) => unknown = () => undefined,
  ) {
    this.declared = new Map(membersOf(at(template, 'Resources')));
  }

  public resources(): Resource[] {
    return [...this.declared].flatMap(([logicalId, resource]) => {
      const condition = textOf(at(resource, 'Condition'));
      // Keep the resource if the condition is unknown: an extra resource is better than a missing one without a note.
      if (condition !== undefined && this.condition(condition, new Steps()) === false) return [];
      const facts = this.describe(logicalId, resource);
      return [{
        path: `${this.name}/${logicalId}`,
        type: facts.type,
        properties: this.evaluate(at(resource, 'Properties')),
        id: physicalId(facts),
        attribute: (name: string) => attribute(facts, name),
      }];
    });
  }

  /** Creates the nested stacks whose templates are in the assembly. */
  public openNested(): Stack[] {
    for (const [logicalId, resource] of this.declared) {
      if (at(resource, 'Type') !== 'AWS::CloudFormation::Stack') continue;
      const url = textOf(this.evaluate(at(resource, 'Properties', 'TemplateURL'))) ?? '';
      const template = this.file.nestedTemplate(resource, url);
      if (template === undefined) continue;
      const given = (parameter: string, steps: Steps): unknown => this.evaluate(at(resource, 'Properties', 'Parameters', parameter), steps);
      this.nested.set(logicalId, new Stack(this.set, this.file, `${this.name}/${logicalId}`, template, given));
    }
    return [...this.nested.values()];
  }

  public evaluate(value: unknown, steps?: Steps): unknown {
    return evaluate(value, this, steps);
  }

  public output(id: string, steps: Steps): unknown {
    const value = at(this.template, 'Outputs', id, 'Value');
    return value === undefined
      ? new Unresolved(`reads the output ${safeText(id)}, which the stack ${safeText(this.name)} does not have`)
      : this.evaluate(value, steps);
  }

  public ref(name: string, steps: Steps): unknown {
    if (name.startsWith('AWS::')) return this.pseudoParameter(name);
    const resource = this.declared.get(name);
    if (resource !== undefined) return physicalId(this.describe(name, resource, steps));
    return this.parameter(name, steps);
  }

  public attribute(logicalId: string, name: string, steps: Steps): unknown {
    const resource = this.declared.get(logicalId);
    if (resource === undefined) return new Unresolved(`refers to the resource ${safeText(logicalId)}, which the template does not have`);
    const nested = this.nested.get(logicalId);
    if (nested !== undefined && name.startsWith('Outputs.')) return nested.output(name.slice('Outputs.'.length), steps);
    return attribute(this.describe(logicalId, resource, steps), name);
  }

  public condition(name: string, steps: Steps): unknown {
    const condition = at(this.template, 'Conditions', name);
    return condition === undefined
      ? new Unresolved(`depends on the condition ${safeText(name)}, which the template does not have`)
      : this.evaluate(condition, steps);
  }

  public get mappings(): unknown {
    return at(this.template, 'Mappings');
  }

  public imported(exportName: string, steps: Steps): unknown {
    return this.set.exported(exportName, steps);
  }

  public stackOutput(stackName: string, outputName: string, steps: Steps): unknown {
    return this.set.byName(stackName)?.output(outputName, steps)
      ?? new Unresolved(`reads an output of the stack ${safeText(stackName)}, which is not in the assembly`);
  }

  private parameter(name: string, steps: Steps): unknown {
    const parameter = at(this.template, 'Parameters', name);
    if (!isObject(parameter)) return new Unresolved(`refers to ${safeText(name)}, which the template does not have`);
    const given = this.givenParameter(name, steps);
    if (given !== undefined) return given;
    const type = textOf(parameter.Type) ?? '';
    // The default of such a parameter is the name of an entry in Parameter Store, not the value.
    if (type.startsWith('AWS::SSM::Parameter')) return new Unresolved(`reads the parameter ${safeText(name)} from Parameter Store`);
    const value = parameter.Default;
    if (value === undefined) return new Unresolved(`needs the parameter ${safeText(name)}, which has no default`);
    return typeof value === 'string' && /^(List<.*>|CommaDelimitedList)$/.test(type) ? value.split(',').map((item) => item.trim()) : value;
  }

  private pseudoParameter(name: string): unknown {
    const { account, region } = this.file;
    switch (name) {
      case 'AWS::AccountId': return account;
      case 'AWS::NoValue': return NO_VALUE;
      case 'AWS::Partition': return region.startsWith('cn-') ? 'aws-cn' : 'aws';
      case 'AWS::Region': return region;
      case 'AWS::StackId': return `arn:aws:cloudformation:${region}:${account}:stack/${this.name}/preview`;
      case 'AWS::StackName': return this.name;
      case 'AWS::URLSuffix': return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
      default: return new Unresolved(`refers to ${safeText(name)}, which a preview does not know`);
    }
  }

  private describe(logicalId: string, resource: unknown, steps = new Steps()): Named {
    const type = textOf(at(resource, 'Type')) ?? '';
    const givenName = type === 'AWS::S3::Bucket' ? textOf(this.evaluate(at(resource, 'Properties', 'BucketName'), steps)) : undefined;
    const facts = { stackName: this.name, region: this.file.region, logicalId, type, givenName };
    if (type !== PUBLICATION) return facts;
    return { ...facts, createId: () => createPublishedId(this.evaluate(at(resource, 'Properties'), steps), this.set.time) };
  }
}
