/** Why a phone gives no samples, in a title and a sentence. */

import type { Refusal } from "./motion";

export const REFUSED: Record<Refusal, [title: string, text: string]> = {
  insecure: [
    "This address is not secure",
    "Browsers allow motion sensors over HTTPS only. Open the address that starts with https://, as printed by zoo serve.",
  ],
  refused: [
    "Access to the motion sensor was refused",
    "Allow motion sensors in the browser's settings for this site, then reload the page. On an iPhone, close the page, open it again, tap the same button and then Allow.",
  ],
  sensorless: [
    "No motion sensor",
    "A computer has none: open this page on a phone. On a phone, allow motion sensors in the settings of the browser, or use another one.",
  ],
  gyroless: [
    "No gyroscope",
    "This model also reads a gyroscope, and this device reports no rotation rate. Open the page on another phone, watch the simulated recording, or cut windows with zoo data windows --channels x,y,z and train a model that reads acceleration alone.",
  ],
};
