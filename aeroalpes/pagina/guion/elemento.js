// Hace elementos. Los datos son nodos de texto o atributos, nunca marcas.

/** Hace un elemento con propiedades (`class`, `data-…` y `aria-…` como atributos) e hijos (nodos o textos). */
export function elemento(nombre, propiedades = {}, ...hijos) {
  const hecho = document.createElement(nombre);
  for (const [clave, valor] of Object.entries(propiedades)) {
    if (valor === null || valor === undefined || valor === false) continue;
    hecho.setAttribute(clave, valor === true ? "" : String(valor));
  }
  hecho.append(...hijos.filter((hijo) => hijo !== null && hijo !== undefined));
  return hecho;
}

/** Devuelve el elemento de la página con ese id. */
export function deId(id) {
  return document.getElementById(id);
}

/** Muestra un texto en un elemento, o lo esconde si no hay texto. */
export function decir(donde, texto) {
  donde.textContent = texto ?? "";
  donde.hidden = !texto;
}
