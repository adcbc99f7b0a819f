// The frame of the page: chapters that start when they come near the screen, the navigation, light and dark.

const waiting = new Map();

const near = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) start(target);
  },
  { rootMargin: "50% 0px" },
);

/** Register a chapter: `begin` gets its section when that comes near the screen, or before the page is printed. */
export function chapter(id, begin) {
  const section = document.getElementById(id);
  waiting.set(section, begin);
  near.observe(section);
}

export function start(section) {
  near.unobserve(section);
  const begin = waiting.get(section);
  waiting.delete(section);
  begin?.(section);
}

export function startAll() {
  for (const section of [...waiting.keys()]) start(section);
}

// The others start one by one when the browser is idle, so that a jump to one finds the page at its full height.
const idle = window.requestIdleCallback ?? ((call) => setTimeout(call, 50));

/** Wait until the browser is idle, between pieces of long work. */
export const pause = () => new Promise((resolve) => idle(resolve));

function startNext() {
  const [section] = waiting.keys();
  if (!section) return;
  start(section);
  idle(startNext);
}
addEventListener("load", () => idle(startNext));
addEventListener("beforeprint", startAll);

// Light and dark

const root = document.documentElement;
const preference = matchMedia("(prefers-color-scheme: dark)");
const button = document.getElementById("theme");
const isDark = () => (root.dataset.theme || (preference.matches ? "dark" : "light")) === "dark";

function nameTheme() {
  button.textContent = isDark() ? "Light" : "Dark";
  button.title = `Switch to ${isDark() ? "light" : "dark"} colours`;
}

preference.addEventListener("change", nameTheme);
button.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  try {
    localStorage.setItem("theme", root.dataset.theme);
  } catch {
    // storage is not allowed: the choice holds until the page is closed
  }
  nameTheme();
});
nameTheme();

// The current section in the navigation, which scrolls to it where it is wider than the screen

const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
const sections = [...document.querySelectorAll("main > section")];

function showCurrent() {
  const atEnd = scrollY > 0 && innerHeight + scrollY >= root.scrollHeight - 2;
  const begun = sections.filter((section) => section.getBoundingClientRect().top < innerHeight / 3);
  const current = links.get((atEnd ? sections : begun).at(-1)?.id);
  if (!current || current.hasAttribute("aria-current")) return;
  for (const link of links.values()) link.removeAttribute("aria-current");
  current.setAttribute("aria-current", "true");
  const bar = current.parentElement;
  bar.scrollTo({ left: current.offsetLeft - (bar.clientWidth - current.offsetWidth) / 2 });
}

addEventListener("scroll", showCurrent, { passive: true });
showCurrent();
