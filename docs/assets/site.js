// What Markdown cannot say: tables that are sorted by a click on the name of a column, and presets that are filtered, in
// <div class="zoo">; tables that can be scrolled by the keyboard; short code, which is not broken after a dash; and the
// code of the phone page, for a phone.
(() => {
  // The number that a cell begins with, such as that of 0.897–0.946, or else its text.
  const value = (cell) => {
    const text = cell.textContent.trim();
    const number = text.replaceAll(",", "").match(/^-?\d+(\.\d+)?(e[-+]\d+)?/i);
    return number ? Number(number[0]) : text;
  };
  const compare = (a, b) => (typeof a === typeof b ? (a > b) - (a < b) : typeof a === "number" ? -1 : 1);
  const made = (name, parts = {}) => Object.assign(document.createElement(name), parts);

  function sortable(table) {
    table.querySelectorAll("thead th").forEach((head, column) => {
      const button = made("button", { type: "button" });
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...table.tBodies[0].rows];
        const key = (row) => value(row.cells[column]);
        rows.sort((a, b) => (down ? -1 : 1) * compare(key(a), key(b)));
        table.tBodies[0].append(...rows);
      });
    });
  }

  // A field and chips above the tables: of each group of chips, one at most is pressed.
  function filtered(zoo) {
    const rows = [...zoo.querySelectorAll("table")].flatMap((table) => {
      const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
      return [...table.tBodies[0].rows].map((row) => ({
        row, name: value(row.cells[0]), kB: value(row.cells[names.indexOf("kB")]),
        streams: value(row.cells[names.indexOf("streams")]), license: value(row.cells[names.indexOf("license")]),
      }));
    });
    const field = made("input", { type: "search", placeholder: "Filter presets", ariaLabel: "Filter presets" });
    const count = made("span", { role: "status" });
    const bar = made("div", { className: "chips" });
    const pressed = {};
    const show = () => {
      const kept = rows.filter(({ name, ...facts }) =>
        name.includes(field.value.trim()) && Object.values(pressed).every((fits) => fits(facts)));
      rows.forEach((each) => (each.row.hidden = !kept.includes(each)));
      count.textContent = `${kept.length} of ${rows.length}`;
    };
    const chip = (group, text, fits) => {
      const button = made("button", { type: "button", textContent: text, ariaPressed: "false" });
      button.dataset.group = group;
      button.addEventListener("click", () => {
        const press = button.ariaPressed === "false";
        bar.querySelectorAll(`[data-group=${group}]`).forEach((other) => (other.ariaPressed = "false"));
        button.ariaPressed = String(press);
        if (press) pressed[group] = fits;
        else delete pressed[group];
        show();
      });
      bar.append(button);
    };
    bar.append(field);
    for (const most of [30, 100]) chip("size", `up to ${most} kB`, ({ kB }) => kB <= most);
    chip("streams", "streams", ({ streams }) => streams === "yes");
    for (const each of new Set(rows.map(({ license }) => license))) {
      chip("license", `data: ${each}`, ({ license }) => license === each);
    }
    bar.append(count);
    field.addEventListener("input", show);
    zoo.prepend(bar);
    show();
  }

  document.querySelectorAll(".zoo table").forEach(sortable);
  document.querySelectorAll(".zoo").forEach(filtered);
  document.querySelectorAll("p > code, li > code").forEach((code) => {
    code.classList.toggle("short", code.textContent.length < 30);
  });
  // On a desk, the phone page draws the code of its address, if a phone can open it. Else *Try it* is a link like others.
  document.getElementById("try")?.addEventListener("click", (event) => {
    const code = document.querySelector(".live iframe").contentDocument?.querySelector("#code svg");
    if (!code) return;
    event.preventDefault();
    const scan = document.getElementById("scan");
    scan.querySelector(".code").replaceChildren(code.cloneNode(true));
    scan.showModal();
  });
  addEventListener("load", () => {
    document.querySelectorAll(".md-typeset__scrollwrap").forEach((wrap) => {
      if (wrap.scrollWidth > wrap.clientWidth) wrap.tabIndex = 0;
    });
  });
})();
