// Makes elements. Data become text nodes or attributes, never markup.

/** Makes an element with properties (`class`, `data-…` and `aria-…` as attributes) and children (nodes or texts). */
export function elemento(nombre, propiedades = {}, ...hijos) {
  const hecho = document.createElement(nombre);
  for (const [clave, valor] of Object.entries(propiedades)) {
    if (valor === null || valor === undefined || valor === false) continue;
    hecho.setAttribute(clave, valor === true ? "" : String(valor));
  }
  hecho.append(...hijos.filter((hijo) => hijo !== null && hijo !== undefined));
  return hecho;
}

/** Returns the element of the page with that id. */
export function deId(id) {
  return document.getElementById(id);
}

/** Shows a text in an element, or hides the element when there is none. */
export function decir(donde, texto) {
  donde.textContent = texto ?? "";
  donde.hidden = !texto;
}
