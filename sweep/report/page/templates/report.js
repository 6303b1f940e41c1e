"use strict";
(() => {
  const table = document.getElementById("board");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const show = (value) => (Number.isNaN(value) ? "–" : String(Number(value.toPrecision(3))));

  // Sorting: rows without a value stay last, whichever way.
  const heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach((head, column) => {
    const button = head.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const rising = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", rising ? "ascending" : "descending");
      const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent;
      const numeric = head.classList.contains("number");
      rows.sort((a, b) => {
        const [x, y] = [key(a).trim(), key(b).trim()];
        if (!numeric && x && y) return (rising ? 1 : -1) * x.localeCompare(y, undefined, { numeric: true });
        if ((x === "") !== (y === "")) return x === "" ? 1 : -1;
        return (rising ? 1 : -1) * (Number(x) - Number(y));
      });
      body.append(...rows);
    });
  });

  // Filtering by words and state.
  const words = document.getElementById("words");
  const state = document.getElementById("state");
  const shown = document.getElementById("shown");
  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !wanted.every((word) => text.includes(word)) || (state.value !== "" && row.dataset.state !== state.value);
      if (!row.hidden) count += 1;
    }
    shown.textContent = count === rows.length ? "" : `${count} of ${rows.length} rows`;
  };
  words.addEventListener("input", filter);
  state.addEventListener("change", filter);

  // Skill against the chosen baseline.
  const against = document.getElementById("against");
  const skill = () => {
    const base = Number(against.value);
    for (const row of rows) {
      const cell = row.querySelector("[data-skill]");
      const error = row.dataset.error;
      const value = error === "" || base < 1e-9 ? NaN : 1 - Number(error) / base;
      cell.textContent = base < 1e-9 ? "exact" : show(value);
      cell.dataset.sort = Number.isNaN(value) ? "" : String(value);
    }
  };
  if (against) against.addEventListener("change", skill);

  // Plots of all trials, one after another.
  const dialog = document.getElementById("viewer");
  const picture = dialog.querySelector("img");
  const title = dialog.querySelector("b");
  const details = dialog.querySelector(".details");
  let current = null;
  const links = () => rows.filter((row) => !row.hidden).map((row) => row.querySelector("a[data-trial]")).filter(Boolean);
  const open = (link) => {
    current = link;
    const inline = document.querySelector(`img[data-of="${link.dataset.trial}"]`);
    picture.src = inline ? inline.src : link.href;
    picture.alt = `rollout plot of trial ${link.dataset.trial}`;
    title.textContent = `trial ${link.dataset.trial}`;
    const stored = document.querySelector(`template[data-details="${link.dataset.trial}"]`);
    details.replaceChildren(...(stored ? [stored.content.cloneNode(true)] : []));
    if (!dialog.open) dialog.showModal();
  };
  const step = (by) => {
    const all = links();
    const next = all[all.indexOf(current) + by];
    if (next) open(next);
  };
  body.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-trial]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(link);
  });
  dialog.querySelector("[data-do=previous]").addEventListener("click", () => step(-1));
  dialog.querySelector("[data-do=next]").addEventListener("click", () => step(1));
  dialog.querySelector("[data-do=close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
})();
