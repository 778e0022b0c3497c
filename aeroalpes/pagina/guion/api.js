// Calls of the page's own API.

const ESPERA_MS = 15_000;

/** An answer that is an error: a sentence to show and, where there is one, the form's field. */
export class ErrorDeApi extends Error {
  constructor(mensaje, { campo, estado } = {}) {
    super(mensaje);
    this.campo = campo;
    this.estado = estado;
  }
}

async function pedir(ruta, opciones = {}) {
  let respuesta;
  try {
    respuesta = await fetch(ruta, { ...opciones, signal: AbortSignal.timeout(ESPERA_MS) });
  } catch {
    throw new ErrorDeApi("No hay conexión con AeroAlpes. Inténtalo de nuevo en un momento.");
  }
  const cuerpo = await respuesta.json().catch(() => null);
  if (respuesta.ok && cuerpo !== null) return cuerpo;
  // A success whose body was cut on its way is none: what was asked for may be done, but nothing of it is known.
  if (respuesta.ok) throw new ErrorDeApi("La respuesta de AeroAlpes no llegó entera. Inténtalo de nuevo en un momento.");
  throw new ErrorDeApi(cuerpo?.error ?? "Algo salió mal. Inténtalo de nuevo.", { campo: cuerpo?.campo, estado: respuesta.status });
}

/** Books; the same key books once, however often it is sent. */
export function reservar(datos, clave) {
  return pedir("/api/reservas", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": clave },
    body: JSON.stringify(datos),
  });
}

/** One page of a client's reservations, newest first. */
export function listar(idCliente, pagina) {
  return pedir(`/api/reservas?id_cliente=${encodeURIComponent(idCliente)}&pagina=${pagina}`);
}

/** Approves, pays or cancels. */
export function ordenar(id, orden) {
  return pedir(`/api/reservas/${encodeURIComponent(id)}/${orden}`, { method: "POST" });
}
