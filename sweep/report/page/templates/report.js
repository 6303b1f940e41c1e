"use strict";

// The curves of any series, channel and start, from numbers that the page holds.
(() => {
  const box = document.querySelector("[data-rollouts]");
  if (!box) return;
  const data = JSON.parse(box.dataset.rollouts);
  const drawing = box.querySelector(".drawing");
  const status = box.querySelector("[role=status]");
  const level = box.querySelector(".key .quiet");
  const pick = (name) => box.querySelector(`select[data-choose=${name}]`);
  const [series, channel, start] = ["series", "channel", "start"].map(pick);
  const fill = (select, names) => select && select.replaceChildren(...names.map((name, value) => new Option(name, value)));
  fill(series, data.series);
  fill(channel, data.channels);
  const chosen = () =>
    data.groups.find((group) =>
      (!series || group.series === data.series[series.value]) && (!channel || group.channel === data.channels[channel.value]));
  const svg = (name, attributes, text = "") => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.textContent = text;
    return node;
  };
  const draw = () => {
    const group = chosen();
    const one = group && group.starts[start.value];
    if (!one) {
      drawing.replaceChildren();
      status.textContent = "This one is not on the page.";
      return;
    }
    const [width, height, left, right, top, bottom] = [Math.max(280, drawing.clientWidth), 260, 58, 12, 10, 26];
    const x = (step) => left + ((step + one.past - 1) / (one.past + one.horizon - 1)) * (width - left - right);
    const y = (whole) => height - bottom - (whole / 1000) * (height - top - bottom);
    const path = (values, first, name) => {
      let text = "";
      let pen = "M";
      values.forEach((value, index) => {
        if (value === null) pen = "M";
        else {
          text += `${pen}${x(first + index * one.every).toFixed(1)},${y(value).toFixed(1)}`;
          pen = "L";
        }
      });
      return svg("path", { d: text, class: name });
    };
    const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": status.textContent });
    root.append(svg("rect", { x: x(1 - one.past), y: top, width: x(0) - x(1 - one.past), height: height - top - bottom, class: "past" }));
    for (const [place, text] of one.y) {
      root.append(svg("line", { x1: left, x2: width - right, y1: y(place), y2: y(place), class: "rule" }));
      root.append(svg("text", { x: left - 6, y: y(place) + 4, "text-anchor": "end" }, text));
    }
    one.x.forEach(([place, text], index) => {
      const last = index === one.x.length - 1 && index > 0;
      if (width < 480 && index > 0 && !last) return; // a phone has room for the ends
      root.append(svg("text", { x: last ? width - right : x(place), y: height - 8, "text-anchor": last ? "end" : index ? "middle" : "start" }, text));
    });
    if (one.valid > 0) root.append(svg("rect", { x: x(0), y: height - bottom - 5, width: x(one.valid) - x(0), height: 5, class: "valid" }));
    root.append(path(one.truth, 1 - one.past, "truth"));
    if (one.baseline) root.append(path(one.baseline, 0, "baseline"));
    root.append(path(one.rollout, 0, "rollout"));
    drawing.replaceChildren(root);
  };
  const say = () => {
    const group = chosen();
    const one = group && group.starts[start.value];
    if (one) status.textContent = `${[group.series, group.channel].filter(Boolean).join(" · ")}${group.series || group.channel ? ", " : ""}rollout error ${group.error}; ${one.name}: ${one.note}`;
    level.textContent = one ? one.level : "";
    draw();
  };
  const choose = () => {
    const group = chosen();
    fill(start, group ? group.starts.map((one) => one.name) : []);
    say();
  };
  const show = (group) => {
    if (series) series.value = data.series.indexOf(group.series);
    if (channel) channel.value = data.channels.indexOf(group.channel);
    choose();
  };
  for (const select of [series, channel]) if (select) select.addEventListener("change", choose);
  start.addEventListener("change", say);
  drawing.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by || !start.options[start.selectedIndex + by]) return;
    event.preventDefault();
    start.selectedIndex += by;
    say();
  });
  box.hidden = false;
  show(data.groups[0]); // the worst
  let width = drawing.clientWidth;
  new ResizeObserver(() => {
    if (drawing.clientWidth !== width) {
      width = drawing.clientWidth;
      draw();
    }
  }).observe(drawing);
})();

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
    present(false);
  };
  const present = (alone) => {
    for (const name of ["previous", "next"]) dialog.querySelector(`[data-do=${name}]`).hidden = alone;
    if (!dialog.open) dialog.showModal();
    picture.parentElement.scrollLeft = 0;
  };
  const step = (by) => {
    const all = links();
    const next = all[all.indexOf(current) + by];
    if (current && next) open(next);
  };
  body.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-trial]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(link);
  });
  // Any picture opens at its full size; on a phone it is too small to read otherwise.
  const enlarge = (image) => {
    const link = image.dataset.of && rows.map((row) => row.querySelector(`a[data-trial="${image.dataset.of}"]`)).find(Boolean);
    if (link) return open(link);
    current = null;
    picture.src = image.src;
    picture.alt = title.textContent = image.alt;
    details.replaceChildren();
    present(true);
  };
  document.querySelectorAll("main .plot img").forEach((image) => {
    image.tabIndex = 0;
    image.setAttribute("role", "button");
    image.closest(".plot").classList.add("opens");
    image.addEventListener("click", () => enlarge(image));
    image.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      enlarge(image);
    });
  });
  dialog.querySelector("[data-do=previous]").addEventListener("click", () => step(-1));
  dialog.querySelector("[data-do=next]").addEventListener("click", () => step(1));
  dialog.querySelector("[data-do=close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
})();
