import { mount } from "svelte";
import App from "./components/App.svelte";
import type { Answer, Region } from "./lib/api";
import { useStrings } from "./lib/i18n";

export interface PageState {
  language: string;
  languages: string[];
  region: Region;
  strings: Record<string, string>;
  answer: Answer | null;
  next_only: boolean;
}

const target = document.getElementById("app");
const source = document.getElementById("state");
if (target && source?.textContent) {
  const page = JSON.parse(source.textContent) as PageState;
  useStrings(page.language, page.strings);
  target.replaceChildren(); // the page without scripts makes way for the same page with them
  mount(App, { target, props: { page } });
}
