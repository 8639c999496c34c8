/** Numbers and names as text. */

/** A number without decimals, its thousands apart. */
export const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 }).format;

/** A share from 0 to 1, as text. */
export function percent(share: number): string {
  return `${Math.round(100 * share)}%`;
}

export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Minutes and seconds since a beginning. */
export function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${`${Math.floor(seconds % 60)}`.padStart(2, "0")}`;
}

export function kilobytes(bytes: number): string {
  return `${whole(bytes / 1000)} kB`;
}
