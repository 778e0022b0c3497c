// Fechas como las lee quien usa la página, en su zona horaria.

const hora = new Intl.DateTimeFormat("es", { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const dia = new Intl.DateTimeFormat("es", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false });
const completa = new Intl.DateTimeFormat("es", { dateStyle: "medium", timeStyle: "medium" });

function valida(valor) {
  const fecha = new Date(valor);
  return valor === null || valor === undefined || Number.isNaN(fecha.getTime()) ? null : fecha;
}

/** La hora, si es de hoy; día y hora, si no; una raya, si no hay fecha. */
export function momento(valor) {
  const fecha = valida(valor);
  if (!fecha) return "—";
  return fecha.toDateString() === new Date().toDateString() ? hora.format(fecha) : dia.format(fecha);
}

/** Día y hora sin segundos. */
export function salida(valor) {
  const fecha = valida(valor);
  return fecha ? dia.format(fecha) : "—";
}

/** Todo, para un título. */
export function entera(valor) {
  const fecha = valida(valor);
  return fecha ? completa.format(fecha) : "";
}

/** Valor de un campo `datetime-local`: dentro de tantos días, a una hora en punto del día local. */
export function dentroDe(dias, horas, minutos = 0) {
  const fecha = new Date();
  fecha.setDate(fecha.getDate() + dias);
  fecha.setHours(horas, minutos, 0, 0);
  return paraCampo(fecha);
}

/** Valor de un campo `datetime-local`, unas horas después de otro. */
export function despuesDe(valor, horas) {
  const fecha = valida(valor);
  if (!fecha) return "";
  fecha.setMinutes(fecha.getMinutes() + horas * 60);
  return paraCampo(fecha);
}

/** Lo que toma la API, `2022-11-22T13:10:00Z`; el propio texto si no es una fecha, para que la API lo diga. */
export function paraApi(valor) {
  const fecha = valida(valor);
  return fecha && valor ? fecha.toISOString().replace(/\.\d+Z$/, "Z") : valor;
}

function paraCampo(fecha) {
  const dos = (numero) => String(numero).padStart(2, "0");
  return `${fecha.getFullYear()}-${dos(fecha.getMonth() + 1)}-${dos(fecha.getDate())}T${dos(fecha.getHours())}:${dos(fecha.getMinutes())}`;
}
