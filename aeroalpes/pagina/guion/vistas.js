// The two views, chosen by the address' fragment.

import { deId } from "./elemento.js";

const VISTAS = ["reservas", "cambios"];
const TITULOS = { reservas: "AeroAlpes · Reservas", cambios: "AeroAlpes · Cambios de datos" };

/** Starts; `alMostrar(vista)` is called for each view that comes up. */
export function abrirVistas(alMostrar) {
  function mostrar() {
    const pedida = location.hash.slice(1);
    // The link that skips to the content is a fragment too, and no view.
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
