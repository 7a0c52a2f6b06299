// First script of the probed page: notes whatever goes wrong from here on.
"use strict";
const noted = [];
addEventListener("error", (event) => noted.push(`error: ${event.message ?? event.target.src}`), true);
addEventListener("unhandledrejection", (event) => noted.push(`rejected: ${event.reason}`));
addEventListener("securitypolicyviolation", (event) => noted.push(`request: ${event.blockedURI}`));
for (const level of ["error", "warn"]) {
  console[level] = (...words) => noted.push(`console.${level}: ${words.join(" ")}`);
}
