// Las dos vistas, que elige el fragmento de la dirección.

import { deId } from "./elemento.js";

const VISTAS = ["reservas", "cambios"];
const TITULOS = { reservas: "AeroAlpes · Reservas", cambios: "AeroAlpes · Cambios de datos" };

/** Empieza; llama a `alMostrar(vista)` con cada vista que aparece. */
export function abrirVistas(alMostrar) {
  function mostrar() {
    const pedida = location.hash.slice(1);
    // El enlace que salta al contenido también es un fragmento, y no una vista.
    if (pedida === "contenido") return;
    const vista = VISTAS.includes(pedida) ? pedida : "reservas";
    for (const otra of VISTAS) deId(`vista-${otra}`).hidden = otra !== vista;
    for (const enlace of document.querySelectorAll("[data-vista]")) {
      if (enlace.dataset.vista === vista) enlace.setAttribute("aria-current", "page");
      else enlace.removeAttribute("aria-current");
    }
    document.title = TITULOS[vista];
    alMostrar(vista);
  }
  addEventListener("hashchange", mostrar);
  mostrar();
}
