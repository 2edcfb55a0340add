export function levenshteinDistance(one: string, other: string): number;
