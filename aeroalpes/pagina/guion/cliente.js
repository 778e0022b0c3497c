// Who the reader of this page is: an id without a person behind it, kept in the browser.

const ID = "aeroalpes.cliente";
const PROMOCIONES = "aeroalpes.promociones";
const deMemoria = new Map();

// A browser may forbid storage; then both last as long as the page.
function guardado(clave) {
  try {
    return localStorage.getItem(clave) ?? deMemoria.get(clave);
  } catch {
    return deMemoria.get(clave);
  }
}

function guardar(clave, valor) {
  deMemoria.set(clave, valor);
  try {
    localStorage.setItem(clave, valor);
  } catch {
    // It lasts as long as the page.
  }
}

/** Random text of that many bytes. `crypto.randomUUID` is missing on pages without TLS, this is not. */
export function azar(bytes) {
  return [...crypto.getRandomValues(new Uint8Array(bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The client's id; made on the first visit. */
export function idCliente() {
  const conocido = guardado(ID);
  if (/^[A-Za-z0-9_-]{1,40}$/.test(conocido ?? "")) return conocido;
  const nuevo = `web-${azar(8)}`;
  guardar(ID, nuevo);
  return nuevo;
}

/** Whether the client wants promotions. */
export function quierePromociones() {
  return guardado(PROMOCIONES) === "si";
}

/** Remembers whether the client wants promotions. */
export function recordarPromociones(quiere) {
  guardar(PROMOCIONES, quiere ? "si" : "no");
}
