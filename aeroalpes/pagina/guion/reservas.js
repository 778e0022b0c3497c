// Las reservas del propio cliente. Su estado sigue a los eventos; la lista viene de la API.

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

/** Reservas por id, la más nueva primero, como se vieron por última vez. */
const reservas = new Map();
/** Estado por id según el último evento, con su hora; una respuesta de la API puede ser más vieja que un evento. */
const segunEventos = new Map();
let paginas = 1;
let total = 0;
let cargando = null;
let otraVez = false;

mas.addEventListener("click", () => {
  paginas += 1;
  cargar();
});

/** Lee la lista. Las llamadas que llegan durante una hacen una más al final, no varias. */
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

/** Toma el estado de un evento. Si una reserva propia no está todavía en la lista, se vuelve a leer. */
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

/** El estado de una reserva solo avanza, así que el que está más adelante es el posterior. */
function estadoDe(reserva) {
  const avance = { PENDIENTE: 0, APROBADA: 1, PAGADA: 2, CANCELADA: 3 };
  const segunEvento = segunEventos.get(reserva.id)?.estado;
  return segunEvento && avance[segunEvento] > (avance[reserva.estado] ?? -1) ? segunEvento : reserva.estado;
}

/** Las tarjetas que no cambian se quedan en su sitio, con el foco y con el clic que va hacia ellas. */
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
  // Para quien no ve cambiar el sello.
  anuncio.textContent = `La reserva ${reserva.id.slice(-8)} está ${ESTADOS[estadoDe(reserva)].toLowerCase()}.`;
  // Quien usa el teclado se queda donde estaba.
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
        // Alguien pudo ser más rápido; la lista dice cómo está ahora.
        if (fallo.estado === 409) await cargar();
      } finally {
        for (const otro of hechos) otro.disabled = false;
      }
    });
    return boton;
  });
  return hechos;
}
