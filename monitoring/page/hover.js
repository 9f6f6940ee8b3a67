"use strict";
// Where a pointer rests on a period of a chart, its numbers are said beside it; without this, the browser's own titles are.
const read = document.body.appendChild(document.createElement("div"));
read.className = "read-out";
read.setAttribute("aria-hidden", "true");
for (const rect of document.querySelectorAll(".columns rect")) {
  const title = rect.querySelector("title");
  const said = title.textContent;
  title.remove();
  const show = () => {
    const [when, ...numbers] = said.split(/: |; /);
    read.replaceChildren(...[when, ...numbers].map((text, place) => {
      const line = document.createElement(place ? "span" : "b");
      line.textContent = text;
      return line;
    }));
    const box = rect.getBoundingClientRect();
    read.hidden = false;
    const room = document.documentElement.clientWidth - read.offsetWidth - 8;
    read.style.left = `${Math.max(8, Math.min(box.x + box.width / 2 - read.offsetWidth / 2, room))}px`;
    read.style.top = `${Math.max(8, box.y - read.offsetHeight - 6)}px`;
  };
  rect.addEventListener("pointerenter", show);
  rect.addEventListener("pointerdown", show);
  rect.addEventListener("pointerleave", () => { read.hidden = true; });
}
read.hidden = true;
