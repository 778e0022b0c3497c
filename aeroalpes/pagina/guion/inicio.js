// Junta las partes de la página.

import { anadirCambio, mostrarCambios } from "./cambios.js";
import { idCliente } from "./cliente.js";
import { conectar } from "./conexion.js";
import { deId } from "./elemento.js";
import * as estado from "./estado.js";
import { anadirEvento, anadirNota } from "./eventos.js";
import { abrirFormulario } from "./formulario.js";
import { cargar, seguirEvento } from "./reservas.js";
import { abrirVistas } from "./vistas.js";

/** El servidor guarda tantos de cada clase para una página que se abre. */
const HISTORIA = 50;

/** Nombres de lo mostrado: tras perder la conexión el servidor cuenta otra vez su historia. */
const vistas = new Set();
/** La historia que el websocket cuenta primero: si la está contando, y cuánto de ella conocía una página que ya había visto eventos. */
let repaso = { esHistoria: true, habia: false, nuevos: 0, conocidos: 0 };
let hayEventos = false;
let apiRespondia = null;

function primeraVez(clave) {
  if (vistas.has(clave)) return false;
  vistas.add(clave);
  // El servidor nunca repite más que su historia.
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
        // La lista se lee otra vez en cuanto hay a quién preguntar.
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
