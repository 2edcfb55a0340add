export function parse(
  text: string,
  options?: { readonly schema?: "core" | "default" | "json" | "failsafe" },
): unknown;
export function stringify(data: unknown): string;
