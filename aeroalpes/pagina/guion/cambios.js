// La vista de los cambios: antes y después lado a lado, el más nuevo primero.

import { deId, elemento } from "./elemento.js";
import { entera, momento } from "./fecha.js";

const MAS_VIEJOS = 120;
const OPERACIONES = {
  alta: "Alta",
  cambio: "Cambio",
  baja: "Baja",
  lectura: "Lectura inicial",
  vaciado: "Tabla vaciada",
  lapida: "Lápida",
  fila: "Fila",
  otra: "Otra operación",
};

const lista = deId("lista-cambios");
const vacio = deId("cambios-vacio");
const filtro = deId("cambios-tabla");
const contador = deId("cambios-nuevos");
const tablas = new Set();
let aLaVista = false;
let nuevos = 0;

filtro.addEventListener("change", () => {
  for (const fila of lista.children) fila.hidden = escondida(fila);
  revisarVacio();
});

const escondida = (fila) => filtro.value !== "" && fila.dataset.tabla !== filtro.value;

function revisarVacio() {
  vacio.hidden = [...lista.children].some((fila) => !fila.hidden);
}

/** Dice si la vista es la que se muestra; lo que llegó mientras no lo era se cuenta. */
export function mostrarCambios(visible) {
  aLaVista = visible;
  if (visible) contar(0);
}

function contar(cuantos) {
  nuevos = cuantos;
  contador.textContent = cuantos > 99 ? "99+" : String(cuantos);
  contador.hidden = cuantos === 0;
  contador.setAttribute("aria-label", `${cuantos} nuevos`);
}

/** Muestra un cambio. */
export function anadirCambio(cambio, { esHistoria }) {
  const tabla = `${cambio.base}.${cambio.tabla}`;
  if (!tablas.has(tabla)) {
    tablas.add(tabla);
    filtro.append(elemento("option", { value: tabla }, tabla));
  }
  const fila = elemento(
    "li",
    { class: "cambio", "data-operacion": cambio.operacion, "data-tabla": tabla, "data-nuevo": !esHistoria },
    elemento(
      "div",
      { class: "cambio-cabeza" },
      elemento("span", { class: "operacion" }, OPERACIONES[cambio.operacion] ?? cambio.operacion),
      elemento("strong", { class: "cambio-tabla" }, tabla),
      elemento("time", { title: entera(cambio.momento) }, momento(cambio.momento)),
      elemento("code", { class: "cambio-llave" }, llave(cambio.llave)),
    ),
    cambio.columnas.length > 0 ? columnas(cambio) : elemento("p", { class: "cambio-nota" }, nota(cambio.operacion)),
  );
  fila.hidden = escondida(fila);
  lista.prepend(fila);
  while (lista.children.length > MAS_VIEJOS) lista.lastElementChild.remove();
  revisarVacio();
  if (!aLaVista && !esHistoria) contar(nuevos + 1);
}

function columnas(cambio) {
  const filas = cambio.columnas.map((columna) =>
    elemento(
      "tr",
      { "data-columna": columna.nombre, "data-cambio": columna.cambio === true },
      elemento("th", { scope: "row" }, ...partido(columna.nombre), columna.cambio ? elemento("span", { class: "oculto" }, " (cambió)") : null),
      celda(columna, "antes"),
      celda(columna, "despues"),
    ),
  );
  return elemento(
    "table",
    {},
    elemento("caption", { class: "oculto" }, `Fila de ${cambio.tabla}, antes y después`),
    elemento(
      "thead",
      {},
      elemento(
        "tr",
        {},
        elemento("th", { scope: "col" }, "Columna"),
        elemento("th", { scope: "col" }, "Antes"),
        elemento("th", { scope: "col" }, "Después"),
      ),
    ),
    elemento("tbody", {}, ...filas),
  );
}

/** Un nombre que se puede partir detrás de sus guiones bajos. */
function partido(nombre) {
  return nombre.split(/(?<=_)/).flatMap((parte) => [parte, elemento("wbr")]).slice(0, -1);
}

function celda(columna, lado) {
  if (!(lado in columna)) return elemento("td", { class: "ausente" }, elemento("span", { "aria-label": "no hay" }, "·"));
  const valor = columna[lado];
  if (valor === null) return elemento("td", {}, elemento("i", { class: "nulo" }, "null"));
  const fecha = esMomento(columna.nombre, valor) ? entera(valor) : null;
  return elemento("td", {}, elemento("span", { title: fecha }, String(valor)), fecha ? elemento("small", {}, fecha) : null);
}

/** Debezium escribe las fechas en milisegundos; debajo va la fecha legible si el nombre de la columna dice que lo es. */
function esMomento(nombre, valor) {
  return typeof valor === "number" && valor > 1e11 && valor < 1e13 && /^fecha|_en$|_at$|^ts_/.test(nombre);
}

function llave(columnas) {
  const partes = Object.entries(columnas).map(([nombre, valor]) => `${nombre} ${valor}`);
  return partes.length > 0 ? partes.join(" · ") : "sin llave";
}

function nota(operacion) {
  if (operacion === "lapida") return "La llave queda libre: los lectores compactados pueden olvidarla.";
  if (operacion === "vaciado") return "Se borraron todas las filas de la tabla.";
  return "Sin columnas.";
}
