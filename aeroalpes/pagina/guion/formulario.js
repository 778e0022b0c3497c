// El formulario. Una intención reserva una vez: su clave solo cambia si cambia lo que se reservaría, o si se quiere otra.

import { aeropuertos, leer } from "./aeropuertos.js";
import { ErrorDeApi, reservar } from "./api.js";
import { azar, idCliente, quierePromociones, recordarPromociones } from "./cliente.js";
import { decir, deId, elemento } from "./elemento.js";
import { dentroDe, despuesDe, paraApi } from "./fecha.js";

const CAMPOS = ["origen", "destino", "salida", "llegada", "pasajeros"];
const PASAJEROS = ["adultos", "menores", "infantes"];

const formulario = deId("formulario");
const boton = deId("reservar");
const otra = deId("otra");
const exito = deId("formulario-exito");
const fallo = deId("formulario-error");
const campo = (nombre) => formulario.elements[nombre];

/** Lo que se reservaría, y su clave. */
let intencion = { datos: "", clave: "" };
let enviando = false;
let hecho = "";

/** Empieza; llama a `alReservar()` después de cada reserva. */
export function abrirFormulario(alReservar) {
  deId("aeropuertos").append(...aeropuertos.map(([codigo, nombre]) => elemento("option", { value: codigo }, nombre)));
  campo("origen").value = "BOG";
  campo("salida").value = dentroDe(7, 9);
  campo("llegada").value = dentroDe(7, 14, 30);
  campo("promociones").checked = quierePromociones();
  campo("promociones").addEventListener("change", () => recordarPromociones(campo("promociones").checked));
  campo("salida").addEventListener("change", () => {
    if (campo("llegada").value <= campo("salida").value) campo("llegada").value = despuesDe(campo("salida").value, 5.5);
  });
  deId("intercambiar").addEventListener("click", () => {
    [campo("origen").value, campo("destino").value] = [campo("destino").value, campo("origen").value];
    revisar();
  });
  formulario.addEventListener("input", revisar);
  formulario.addEventListener("submit", (evento) => {
    evento.preventDefault();
    enviar(alReservar);
  });
  otra.addEventListener("click", () => {
    intencion = { datos: "", clave: "" };
    enviar(alReservar);
  });
}

function datos() {
  const cuantos = Object.fromEntries(PASAJEROS.map((nombre) => [nombre, Number(campo(nombre).value)]));
  return {
    id_cliente: idCliente(),
    origen: leer(campo("origen").value),
    destino: leer(campo("destino").value),
    salida: paraApi(campo("salida").value),
    llegada: paraApi(campo("llegada").value),
    pasajeros: cuantos,
  };
}

/** Lo reservado queda reservado mientras el formulario lo muestra: un segundo clic encuentra el botón en reposo. */
function revisar() {
  const igual = hecho !== "" && hecho === JSON.stringify(datos());
  boton.disabled = enviando || igual;
  boton.textContent = enviando ? "Reservando…" : igual ? "Reservado" : "Reservar";
  otra.hidden = enviando || !igual;
  if (!igual) decir(exito, null);
}

async function enviar(alReservar) {
  if (enviando) return;
  limpiar();
  const pedido = datos();
  if (!completo()) return;
  const texto = JSON.stringify(pedido);
  if (intencion.datos !== texto) intencion = { datos: texto, clave: azar(16) };
  enviando = true;
  revisar();
  try {
    const { id } = await reservar(pedido, intencion.clave);
    hecho = texto;
    decir(exito, `Reserva registrada: ${pedido.origen.codigo} → ${pedido.destino.codigo}${id ? `, código ${id.slice(-8)}` : ""}.`);
    alReservar();
  } catch (error) {
    if (!(error instanceof ErrorDeApi)) throw error;
    mostrar(error.campo, error.message);
  } finally {
    enviando = false;
    revisar();
  }
}

/** Pide lo que falta; si está bien lo dice la API. */
function completo() {
  const faltan = ["origen", "destino", "salida", "llegada"].filter((nombre) => campo(nombre).value.trim() === "");
  for (const nombre of faltan) senalar(nombre, "Falta este dato.");
  const malos = PASAJEROS.filter((nombre) => !campo(nombre).checkValidity());
  if (malos.length > 0) senalar("pasajeros", "Escribe de 0 a 9 pasajeros de cada tipo.");
  const primero = [...faltan, ...malos][0];
  if (primero) campo(primero).focus();
  return !primero;
}

function mostrar(nombre, mensaje) {
  if (!CAMPOS.includes(nombre)) return decir(fallo, mensaje);
  senalar(nombre, mensaje);
  campo(nombre === "pasajeros" ? "adultos" : nombre).focus();
}

function senalar(nombre, mensaje) {
  deId(`${nombre}-error`).textContent = mensaje;
  for (const uno of nombre === "pasajeros" ? PASAJEROS : [nombre]) campo(uno).setAttribute("aria-invalid", "true");
}

function limpiar() {
  decir(fallo, null);
  for (const nombre of CAMPOS) deId(`${nombre}-error`).textContent = "";
  for (const nombre of [...CAMPOS, ...PASAJEROS]) campo(nombre)?.removeAttribute("aria-invalid");
}
