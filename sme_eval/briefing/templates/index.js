(() => {
  "use strict";
  const FACETS = ["policy", "outcome", "kind", "data", "audience"];
  const PARTS = {};
  for (const section of document.querySelectorAll("section[data-language]")) {
    PARTS[section.dataset.language] = {
      section,
      form: section.querySelector("form"),
      search: section.querySelector("input[type=search]"),
      selects: Object.fromEntries([...section.querySelectorAll("select")].map((select) => [select.dataset.facet, select])),
      count: section.querySelector(".count"),
      nothing: section.querySelector(".nothing"),
      body: section.querySelector("tbody"),
      heads: [...section.querySelectorAll("th[data-column]")],
      rows: [...section.querySelectorAll("tbody tr")],
      collator: new Intl.Collator(section.lang, { numeric: true }),
      keys: {},
      order: "",
    };
  }
  const LANGUAGES = Object.keys(PARTS);
  const normal = (text) => text.normalize("NFKC").toLowerCase();
  const words = (row) => [...row.cells].filter((cell) => !cell.classList.contains("files")).map((cell) => cell.textContent).join(" ");
  const ITEMS = PARTS[LANGUAGES[0]].rows.map((row, n) => ({
    text: normal(LANGUAGES.map((language) => words(PARTS[language].rows[n])).join(" ")),
    values: FACETS.map((facet) => row.dataset[facet]),
  }));
  const state = { lang: LANGUAGES[0], q: "", sort: "", filters: FACETS.map(() => "") };

  // A Chinese query without spaces also matches as several words of two characters or more.
  const HAN = /^\p{Script=Han}{4,24}$/u;
  const matches = (text, word) => {
    if (text.includes(word)) return true;
    if (!HAN.test(word)) return false;
    for (let n = word.length - 2; n >= 2; n--) if (text.includes(word.slice(0, n)) && rest(text, word.slice(n))) return true;
    return false;
  };
  const rest = (text, word) => text.includes(word) || matches(text, word);

  function readAddress() {
    const given = location.hash.slice(1);
    const read = new URLSearchParams(LANGUAGES.includes(given) ? `lang=${given}` : given);
    const part = PARTS[LANGUAGES[0]];
    state.lang = LANGUAGES.includes(read.get("lang")) ? read.get("lang") : LANGUAGES[0];
    state.q = read.get("q") ?? "";
    state.filters = FACETS.map((facet) => {
      const value = read.get(facet) ?? "";
      return [...(part.selects[facet]?.options ?? [])].some((option) => option.value === value) ? value : "";
    });
    const sort = read.get("sort") ?? "";
    state.sort = part.heads.some((head) => head.dataset.column === sort.replace(/^-/, "")) ? sort : "";
  }

  function writeAddress() {
    const made = new URLSearchParams({ lang: state.lang });
    if (state.q.trim()) made.set("q", state.q.trim());
    FACETS.forEach((facet, n) => state.filters[n] && made.set(facet, state.filters[n]));
    if (state.sort) made.set("sort", state.sort);
    try {
      history.replaceState(null, "", `#${made}`);
    } catch {
      // Some browsers refuse when it changes too often; the next change brings it up to date.
    }
  }

  const number = (n) => (state.lang === "zh" ? String(n) : n.toLocaleString("en"));

  function filter(part) {
    const asked = normal(state.q).split(/\s+/u).filter(Boolean);
    const counts = FACETS.map(() => new Map());
    let shown = 0;
    ITEMS.forEach((item, n) => {
      const found = asked.every((word) => matches(item.text, word));
      const failed = FACETS.map((_, f) => f).filter((f) => state.filters[f] && state.filters[f] !== item.values[f]);
      const visible = found && failed.length === 0;
      if (part.rows[n].hidden === visible) part.rows[n].hidden = !visible;
      shown += visible;
      if (!found || failed.length > 1) return;
      // An option tells how many reports there would be with it, the other filters as they are.
      counts.forEach((count, f) => {
        if (failed.length === 0 || failed[0] === f) count.set(item.values[f], (count.get(item.values[f]) ?? 0) + 1);
      });
    });
    const { open, close } = part.section.querySelector("table").dataset;
    FACETS.forEach((facet, f) => {
      for (const option of part.selects[facet].options) {
        if (option.value) option.textContent = option.dataset.label + open + number(counts[f].get(option.value) ?? 0) + close;
      }
    });
    const told = part.section.dataset.count.replace("{shown|count}", number(shown)).replace("{total|count}", number(ITEMS.length));
    if (part.count.textContent !== told) part.count.textContent = told;
    part.nothing.hidden = shown > 0;
  }

  function keysOf(part, column) {
    part.keys[column] ??= part.rows.map((row) => {
      const cell = row.querySelector(`.${column}`);
      const { value, unit } = cell.dataset;
      if (value === undefined) return { text: cell.textContent.trim() };
      return { value: value === "" ? NaN : Number(value), unit: unit ?? "" };
    });
    return part.keys[column];
  }

  // Numbers of different units are never compared: per cent first, then unit by unit. What is missing comes last either way.
  function compare(part, a, b, sign) {
    if (a.text !== undefined) return sign * part.collator.compare(a.text, b.text);
    if (Number.isNaN(a.value) || Number.isNaN(b.value)) return Number.isNaN(a.value) - Number.isNaN(b.value);
    if (a.unit !== b.unit) return (b.unit === "percent") - (a.unit === "percent") || part.collator.compare(a.unit, b.unit);
    return sign * (a.value - b.value);
  }

  function sort(part) {
    const column = state.sort.replace(/^-/, "");
    const sign = state.sort.startsWith("-") ? -1 : 1;
    for (const head of part.heads) {
      if (head.dataset.column === column) head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    }
    if (part.order === state.sort) return;
    part.order = state.sort;
    const order = part.rows.map((_, n) => n);
    if (column) {
      const keys = keysOf(part, column);
      order.sort((a, b) => compare(part, keys[a], keys[b], sign) || a - b);
    }
    part.body.append(...order.map((n) => part.rows[n]));
  }

  function show() {
    const part = PARTS[state.lang];
    for (const language of LANGUAGES) PARTS[language].section.hidden = language !== state.lang;
    for (const link of document.querySelectorAll("[data-switch]")) {
      if (link.dataset.switch === state.lang) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    document.documentElement.lang = part.section.lang;
    document.title = part.section.dataset.title;
    if (!part.form) return;
    if (part.search.value !== state.q) part.search.value = state.q;
    sort(part);
    filter(part);
    FACETS.forEach((facet, n) => {
      part.selects[facet].value = state.filters[n];
      part.selects[facet].classList.toggle("set", Boolean(state.filters[n]));
    });
  }

  function change(made) {
    Object.assign(state, made);
    show();
    writeAddress();
  }

  const clear = () => change({ q: "", sort: "", filters: FACETS.map(() => "") });

  function listen(part) {
    part.form.hidden = false;
    part.form.addEventListener("submit", (event) => event.preventDefault());
    part.form.addEventListener("reset", (event) => {
      event.preventDefault();
      clear();
      part.search.focus();
    });
    // While an input method composes, the box holds letters that are not yet the word.
    part.search.addEventListener("input", (event) => event.isComposing || change({ q: part.search.value }));
    part.search.addEventListener("compositionend", () => change({ q: part.search.value }));
    FACETS.forEach((facet, n) =>
      part.selects[facet].addEventListener("change", (event) => change({ filters: state.filters.map((value, f) => (f === n ? event.target.value : value)) })),
    );
    for (const head of part.heads) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.title = part.section.querySelector("table").dataset.sort;
      button.addEventListener("click", () => {
        const { column } = head.dataset;
        change({ sort: state.sort === column ? `-${column}` : column });
      });
      head.append(button);
    }
  }

  document.addEventListener("keydown", (event) => {
    const part = PARTS[state.lang];
    if (!part.form || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const inside = event.target instanceof Element && event.target.closest("input, select, textarea");
    if (event.key === "/" && !inside) {
      event.preventDefault();
      part.search.focus();
      part.search.select();
    }
    // In an open list Escape closes the list.
    if (event.key === "Escape" && !(inside && inside.matches("select"))) clear();
  });
  for (const link of document.querySelectorAll("[data-switch]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      change({ lang: link.dataset.switch });
    });
  }
  addEventListener("hashchange", () => {
    readAddress();
    show();
  });
  for (const language of LANGUAGES) if (PARTS[language].form) listen(PARTS[language]);
  readAddress();
  show();
})();
