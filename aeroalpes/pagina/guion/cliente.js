// Quién lee esta página: un id sin una persona detrás, guardado en el navegador.

const ID = "aeroalpes.cliente";
const PROMOCIONES = "aeroalpes.promociones";
const deMemoria = new Map();

// Un navegador puede prohibir el almacén; entonces los dos duran lo que la página.
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
    // Dura lo que la página.
  }
}

/** Texto al azar de tantos bytes. `crypto.randomUUID` falta en páginas sin TLS; esto, no. */
export function azar(bytes) {
  return [...crypto.getRandomValues(new Uint8Array(bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** El id del cliente; se hace en la primera visita. */
export function idCliente() {
  const conocido = guardado(ID);
  if (/^[A-Za-z0-9_-]{1,40}$/.test(conocido ?? "")) return conocido;
  const nuevo = `web-${azar(8)}`;
  guardar(ID, nuevo);
  return nuevo;
}

/** Si el cliente quiere promociones. */
export function quierePromociones() {
  return guardado(PROMOCIONES) === "si";
}

/** Recuerda si el cliente quiere promociones. */
export function recordarPromociones(quiere) {
  guardar(PROMOCIONES, quiere ? "si" : "no");
}
