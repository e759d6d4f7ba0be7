export function heading(text: string): void;
export function tell(text: string): void;
export function command(name: string, args: readonly string[]): void;
