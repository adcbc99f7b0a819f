// Links to the project's files lead somewhere only while the page is where the pipeline writes it.

import { chapter } from "../frame.js";

chapter("exercises", (section) => {
  if (location.pathname.endsWith("/metrics/report.html")) return;
  for (const link of section.querySelectorAll("[data-local]")) link.removeAttribute("href");
});
