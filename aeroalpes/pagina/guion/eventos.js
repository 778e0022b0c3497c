// La lista de eventos: cada mensaje se añade al final, como en el tutorial.

import { decir, deId, elemento } from "./elemento.js";
import { idCliente } from "./cliente.js";
import { entera, momento } from "./fecha.js";

const MAS_VIEJOS = 200;
const NOMBRES = {
  ReservaCreada: "Reserva creada",
  ReservaAprobada: "Reserva aprobada",
  ReservaPagada: "Reserva pagada",
  ReservaCancelada: "Reserva cancelada",
};

const lista = deId("mensajes");
const vacio = deId("mensajes-vacio");
const alFinal = deId("mensajes-final");

const estaAlFinal = () => lista.scrollHeight - lista.scrollTop - lista.clientHeight < 40;
const irAlFinal = () => {
  lista.scrollTop = lista.scrollHeight;
  alFinal.hidden = true;
};
lista.addEventListener("scroll", () => {
  if (estaAlFinal()) alFinal.hidden = true;
});
alFinal.addEventListener("click", irAlFinal);

/** Muestra un evento. La historia de una página que se abre no mueve nada y se marca como vista. */
export function anadirEvento(evento, { esHistoria }) {
  const seguir = esHistoria || estaAlFinal();
  const datos = evento.data ?? {};
  const quien = datos.id_cliente === idCliente() ? "tuya" : (datos.id_cliente ?? "sin cliente");
  const fila = elemento(
    "li",
    { class: "mensaje", "data-tipo": evento.type, "data-propio": quien === "tuya", "data-nuevo": !esHistoria },
    elemento(
      "div",
      { class: "mensaje-linea" },
      elemento("strong", {}, NOMBRES[evento.type] ?? evento.type ?? "Evento"),
      elemento("time", { title: entera(evento.time) }, momento(evento.time)),
    ),
    elemento(
      "p",
      { class: "mensaje-datos" },
      elemento("code", { title: `Reserva ${datos.id_reserva ?? "desconocida"}` }, datos.id_reserva?.slice(-8) ?? "sin reserva"),
      elemento("span", {}, quien),
    ),
    elemento(
      "details",
      {},
      elemento("summary", {}, "JSON"),
      elemento("pre", { tabindex: "0" }, JSON.stringify(evento, null, 2)),
    ),
  );
  anadir(fila, seguir);
}

/** Muestra una nota en lugar de los eventos que no están. */
export function anadirNota(texto) {
  anadir(elemento("li", { class: "mensaje mensaje-nota" }, texto), estaAlFinal());
}

function anadir(fila, seguir) {
  decir(vacio, null);
  lista.append(fila);
  while (lista.children.length > MAS_VIEJOS) lista.firstElementChild.remove();
  if (seguir) irAlFinal();
  else alFinal.hidden = false;
}
