// Brings the parts of the page together.

import { anadirCambio, mostrarCambios } from "./cambios.js";
import { idCliente } from "./cliente.js";
import { conectar } from "./conexion.js";
import { deId } from "./elemento.js";
import * as estado from "./estado.js";
import { anadirEvento, anadirNota } from "./eventos.js";
import { abrirFormulario } from "./formulario.js";
import { cargar, seguirEvento } from "./reservas.js";
import { abrirVistas } from "./vistas.js";

/** The server keeps as many of each kind for a page that opens. */
const HISTORIA = 50;

/** Names of what was shown: after a lost connection the server tells its history again. */
const vistas = new Set();
/** The history that the socket tells first: whether it is being told, and how much of it a page that had seen events knew. */
let repaso = { esHistoria: true, habia: false, nuevos: 0, conocidos: 0 };
let hayEventos = false;
let apiRespondia = null;

function primeraVez(clave) {
  if (vistas.has(clave)) return false;
  vistas.add(clave);
  // The server never tells more than its history again.
  if (vistas.size > 20 * HISTORIA) vistas.delete(vistas.values().next().value);
  return true;
}

const oyente = {
  abierta() {
    repaso = { esHistoria: true, habia: hayEventos, nuevos: 0, conocidos: 0 };
    estado.conectada();
  },

  perdida(segundos) {
    apiRespondia = null;
    estado.perdida(segundos);
  },

  mensaje(mensaje) {
    const esPrimera = repaso.esHistoria && !repaso.habia;
    switch (mensaje.tipo) {
      case "evento":
        if (!primeraVez(mensaje.clave)) {
          repaso.conocidos += 1;
          break;
        }
        repaso.nuevos += 1;
        hayEventos = true;
        anadirEvento(mensaje.evento, { esHistoria: esPrimera });
        if (seguirEvento(mensaje.evento)) cargar();
        break;
      case "cambio":
        if (primeraVez(mensaje.clave)) anadirCambio(mensaje.cambio, { esHistoria: esPrimera });
        break;
      case "aviso":
        if (primeraVez(mensaje.clave)) anadirNota(`Un mensaje no se puede mostrar: ${mensaje.motivo}.`);
        break;
      case "omitidos":
        anadirNota(`Esta página iba despacio y se perdió ${mensaje.cantidad} mensajes.`);
        cargar();
        break;
      case "al_dia":
        repaso.esHistoria = false;
        if (repaso.habia && repaso.conocidos === 0 && repaso.nuevos >= HISTORIA) {
          anadirNota("Mientras no había conexión llegaron más eventos de los que el servidor recuerda: antes de los últimos falta alguno.");
        }
        break;
      case "estado":
        estado.informar(mensaje.estado);
        // The list is read again as soon as there is someone to ask.
        if (mensaje.estado.api && apiRespondia !== true) cargar();
        apiRespondia = mensaje.estado.api;
        break;
    }
  },
};

deId("cliente").textContent = idCliente();
abrirVistas((vista) => mostrarCambios(vista === "cambios"));
abrirFormulario(cargar);
cargar();
conectar(oyente);
