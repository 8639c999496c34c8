/** Tones and vibrations that tell a recording's beginning and end from within a pocket. */

/** Hz and seconds of each tone, and milliseconds of the vibration. */
const TICK = { hertz: [660], seconds: 0.08, pulses: [40] };
const BEGIN = { hertz: [880], seconds: 0.5, pulses: [400] };
const END = { hertz: [660, 440], seconds: 0.4, pulses: [300, 150, 300] };

let context: AudioContext | null = null;

/** Readies the loudspeaker, which browsers allow in a tap alone. */
export function unlock(): void {
  if (!("AudioContext" in window)) return;
  // An iPhone that is silenced plays what counts as playback.
  const session = (navigator as { audioSession?: { type: string } }).audioSession;
  if (session) session.type = "playback";
  context ??= new AudioContext();
  void context.resume().catch(() => undefined);
}

export const tick = () => play(TICK);
export const begin = () => play(BEGIN);
export const end = () => play(END);

function play({ hertz, seconds, pulses }: { hertz: number[]; seconds: number; pulses: number[] }): void {
  navigator.vibrate?.(pulses);
  if (!context) return;
  let at = context.currentTime;
  for (const each of hertz) {
    const [oscillator, gain] = [new OscillatorNode(context, { frequency: each }), new GainNode(context, { gain: 0 })];
    // Ramps in place of clicks.
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.9, at + 0.01);
    gain.gain.setValueAtTime(0.9, at + seconds - 0.05);
    gain.gain.linearRampToValueAtTime(0, at + seconds);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(at);
    oscillator.stop((at += seconds));
  }
}
