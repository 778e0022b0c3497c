// Cómo está todo: nuestra conexión, el broker, la API.

import { decir, deId } from "./elemento.js";

const conexion = deId("conexion");
const texto = deId("conexion-texto");
const aviso = deId("aviso");

let abierta = false;
let intento = null;
let partes = { broker: null, api: null };

function mostrar() {
  let estado = "conectando";
  let dice = "Conectando…";
  let explica = null;
  if (intento !== null) {
    [estado, dice] = ["perdida", "Sin conexión"];
    explica = "Se perdió la conexión con AeroAlpes. La página se reconecta sola y recupera lo que llegó mientras tanto.";
  } else if (abierta && partes.broker === false) {
    [estado, dice] = ["parcial", "Sin eventos"];
    explica = "El broker de eventos no responde: lo que ves puede no ser lo último. La página se pone al día sola.";
  } else if (abierta && partes.api === false) {
    [estado, dice] = ["parcial", "Sin reservas"];
    explica = "El servicio de reservas no responde. Los eventos siguen llegando; reserva en un momento.";
  } else if (abierta && partes.broker) {
    [estado, dice] = ["en-vivo", "En vivo"];
  }
  if (abierta && partes.broker === false && partes.api === false) {
    explica = "El broker de eventos y el servicio de reservas no responden. La página se pone al día sola.";
  }
  conexion.dataset.estado = estado;
  // Se escribe solo cuando cambia: un lector de pantalla lee cada escritura.
  if (texto.textContent !== dice) texto.textContent = dice;
  if (aviso.textContent !== (explica ?? "")) decir(aviso, explica);
}

/** El websocket está abierto; cómo están las partes llega con su primer mensaje. */
export function conectada() {
  abierta = true;
  intento = null;
  mostrar();
}

/** El websocket se perdió y se volverá a abrir. */
export function perdida(segundos) {
  abierta = false;
  intento = segundos;
  partes = { broker: null, api: null };
  mostrar();
}

/** Lo que el servidor dice del broker y de la API. */
export function informar(nuevas) {
  partes = nuevas;
  mostrar();
}
