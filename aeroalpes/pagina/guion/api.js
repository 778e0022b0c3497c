// Llamadas a la API de la propia página.

const ESPERA_MS = 15_000;

/** Una respuesta que es un error: una frase que mostrar y, si lo hay, el campo del formulario. */
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
  // Un éxito con el cuerpo cortado no lo es: lo pedido puede estar hecho, pero no se sabe nada de ello.
  if (respuesta.ok) throw new ErrorDeApi("La respuesta de AeroAlpes no llegó entera. Inténtalo de nuevo en un momento.");
  throw new ErrorDeApi(cuerpo?.error ?? "Algo salió mal. Inténtalo de nuevo.", { campo: cuerpo?.campo, estado: respuesta.status });
}

/** Reserva; la misma clave reserva una vez, se envíe las veces que se envíe. */
export function reservar(datos, clave) {
  return pedir("/api/reservas", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": clave },
    body: JSON.stringify(datos),
  });
}

/** Una página de las reservas de un cliente, la más nueva primero. */
export function listar(idCliente, pagina) {
  return pedir(`/api/reservas?id_cliente=${encodeURIComponent(idCliente)}&pagina=${pagina}`);
}

/** Aprueba, paga o cancela. */
export function ordenar(id, orden) {
  return pedir(`/api/reservas/${encodeURIComponent(id)}/${orden}`, { method: "POST" });
}
