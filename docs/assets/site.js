// What Markdown cannot say: tables that are sorted by a click on the name of a column, in <div class="sortable">; tables
// that can be scrolled by the keyboard; and short code, which is not broken after a dash.
(() => {
  const value = (cell) => {
    const text = cell.textContent.trim();
    const number = text.replaceAll(",", "").match(/-?\d+(\.\d+)?(e[-+]\d+)?/i);
    return number ? Number(number[0]) : text;
  };
  const compare = (a, b) => (typeof a === typeof b ? (a > b) - (a < b) : typeof a === "number" ? -1 : 1);

  function sortable(table) {
    table.querySelectorAll("thead th").forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...table.tBodies[0].rows];
        const key = (row) => (column ? value(row.cells[column]) : row.cells[0].textContent.trim());
        rows.sort((a, b) => (down ? -1 : 1) * compare(key(a), key(b)));
        table.tBodies[0].append(...rows);
      });
    });
  }
  document.querySelectorAll(".sortable table").forEach(sortable);
  document.querySelectorAll("p > code, li > code").forEach((code) => {
    code.classList.toggle("short", code.textContent.length < 30);
  });
  addEventListener("load", () => {
    document.querySelectorAll(".md-typeset__scrollwrap").forEach((wrap) => {
      if (wrap.scrollWidth > wrap.clientWidth) wrap.tabIndex = 0;
    });
  });
})();
