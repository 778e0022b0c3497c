// The client's own reservations. Their state follows the events; the list itself comes from the API.

import { ErrorDeApi, listar, ordenar } from "./api.js";
import { nombreDe } from "./aeropuertos.js";
import { idCliente } from "./cliente.js";
import { decir, deId, elemento } from "./elemento.js";
import { entera, salida } from "./fecha.js";

const ESTADOS = { PENDIENTE: "Pendiente", APROBADA: "Aprobada", PAGADA: "Pagada", CANCELADA: "Cancelada" };
const ORDENES = {
  PENDIENTE: [["aprobar", "Aprobar"], ["cancelar", "Cancelar"]],
  APROBADA: [["pagar", "Pagar"], ["cancelar", "Cancelar"]],
  PAGADA: [],
  CANCELADA: [],
};

const lista = deId("mias");
const estado = deId("mias-estado");
const cuenta = deId("mias-cuenta");
const mas = deId("mias-mas");
const anuncio = deId("mias-anuncio");

/** Reservations by id, newest first, as they were last seen. */
const reservas = new Map();
/** State by id as the latest event said it, with the event's time; an answer of the API may be older than an event. */
const segunEventos = new Map();
let paginas = 1;
let total = 0;
let cargando = null;
let otraVez = false;

mas.addEventListener("click", () => {
  paginas += 1;
  cargar();
});

/** Reads the list. A call while one is under way makes one more afterwards, not several. */
export async function cargar() {
  if (cargando) {
    otraVez = true;
    return cargando;
  }
  cargando = leer();
  try {
    await cargando;
  } finally {
    cargando = null;
  }
  if (otraVez) {
    otraVez = false;
    await cargar();
  }
}

async function leer() {
  try {
    const leidas = [];
    for (let pagina = 1; pagina <= paginas; pagina += 1) {
      const respuesta = await listar(idCliente(), pagina);
      leidas.push(...respuesta.reservas);
      total = respuesta.total;
    }
    reservas.clear();
    for (const reserva of leidas) reservas.set(reserva.id, reserva);
    mostrar();
    decir(estado, reservas.size > 0 ? null : "Todavía no tienes reservas. Elige tu próximo vuelo y aparecerá aquí.");
  } catch (error) {
    if (!(error instanceof ErrorDeApi)) throw error;
    decir(estado, `No se pueden leer tus reservas. ${error.message}`);
    estado.dataset.error = "";
    return;
  }
  delete estado.dataset.error;
}

/** Takes the state of an event over. An own reservation that is not in the list yet makes it be read again. */
export function seguirEvento(evento) {
  const { id_reserva: id, id_cliente: cliente, estado: nuevo } = evento.data ?? {};
  const conocida = reservas.get(id);
  const esPropia = cliente === idCliente();
  if (!id || !(nuevo in ESTADOS) || !(conocida || esPropia)) return false;
  const momento = evento.time ?? 0;
  if ((segunEventos.get(id)?.momento ?? -1) > momento) return false;
  segunEventos.set(id, { estado: nuevo, momento });
  if (conocida) mostrarUna(conocida);
  return !conocida;
}

/** A reservation's state goes forward only, so the one that is further is the later one. */
function estadoDe(reserva) {
  const avance = { PENDIENTE: 0, APROBADA: 1, PAGADA: 2, CANCELADA: 3 };
  const segunEvento = segunEventos.get(reserva.id)?.estado;
  return segunEvento && avance[segunEvento] > (avance[reserva.estado] ?? -1) ? segunEvento : reserva.estado;
}

/** Tickets that are as they were stay where they are, with the focus and the click that is on its way to them. */
function mostrar() {
  const viejos = new Map([...lista.children].map((fila) => [fila.dataset.id, fila]));
  let lugar = 0;
  for (const reserva of reservas.values()) {
    const viejo = viejos.get(reserva.id);
    const fila = viejo?.dataset.estado === estadoDe(reserva) ? viejo : billete(reserva);
    if (lista.children[lugar] !== fila) lista.insertBefore(fila, lista.children[lugar] ?? null);
    lugar += 1;
  }
  while (lista.children.length > lugar) lista.lastElementChild.remove();
  cuenta.textContent = total > 0 ? `${reservas.size} de ${total}` : "";
  mas.hidden = reservas.size >= total;
}

function mostrarUna(reserva) {
  const vieja = [...lista.children].find((fila) => fila.dataset.id === reserva.id);
  if (!vieja || vieja.dataset.estado === estadoDe(reserva)) return;
  const nueva = billete(reserva);
  nueva.dataset.nuevo = "";
  const conFoco = vieja.contains(document.activeElement);
  vieja.replaceWith(nueva);
  // For whoever does not see the stamp change.
  anuncio.textContent = `La reserva ${reserva.id.slice(-8)} está ${ESTADOS[estadoDe(reserva)].toLowerCase()}.`;
  // Whoever works with the keyboard stays where they were.
  if (conFoco) (nueva.querySelector("button") ?? nueva).focus();
}

function billete(reserva) {
  const vuelo = reserva.itinerarios?.[0]?.odos?.[0]?.segmentos?.[0]?.legs?.[0];
  const actual = estadoDe(reserva);
  const error = elemento("p", { class: "billete-error", role: "alert", hidden: true });
  const fila = elemento(
    "li",
    { class: "billete", "data-id": reserva.id, "data-estado": actual, tabindex: "-1" },
    elemento(
      "div",
      { class: "billete-ruta" },
      lugar(vuelo?.origen),
      elemento("span", { class: "billete-vuelo", "aria-label": "hacia" }),
      lugar(vuelo?.destino),
    ),
    elemento(
      "dl",
      { class: "billete-datos" },
      dato("Salida", salida(vuelo?.fecha_salida), entera(vuelo?.fecha_salida)),
      dato("Llegada", salida(vuelo?.fecha_llegada), entera(vuelo?.fecha_llegada)),
      dato("Reserva", reserva.id.slice(-8), reserva.id),
    ),
    elemento(
      "div",
      { class: "billete-pie" },
      elemento("span", { class: "sello" }, ESTADOS[actual] ?? actual),
      elemento("div", { class: "billete-ordenes" }, ...botones(reserva, actual, error)),
    ),
    error,
  );
  return fila;
}

function lugar(donde) {
  const codigo = donde?.codigo ?? "···";
  return elemento("span", { class: "billete-lugar" }, elemento("b", {}, codigo), elemento("small", {}, donde?.nombre ?? nombreDe(codigo) ?? ""));
}

function dato(nombre, valor, entero) {
  return elemento("div", {}, elemento("dt", {}, nombre), elemento("dd", { title: entero }, valor));
}

function botones(reserva, actual, error) {
  const hechos = (ORDENES[actual] ?? []).map(([orden, texto]) => {
    const clase = orden === "cancelar" ? "boton boton-callado" : "boton";
    const boton = elemento("button", { class: clase, type: "button", "data-orden": orden }, texto);
    boton.addEventListener("click", async () => {
      for (const otro of hechos) otro.disabled = true;
      decir(error, null);
      try {
        await ordenar(reserva.id, orden);
        await cargar();
      } catch (fallo) {
        if (!(fallo instanceof ErrorDeApi)) throw fallo;
        decir(error, fallo.message);
        // Someone else may have been faster; the list says how it is now.
        if (fallo.estado === 409) await cargar();
      } finally {
        for (const otro of hechos) otro.disabled = false;
      }
    });
    return boton;
  });
  return hechos;
}
