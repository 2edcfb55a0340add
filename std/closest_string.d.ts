export function closestString(word: string, possible: readonly string[]): string;
