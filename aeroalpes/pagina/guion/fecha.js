// Dates as people of the page read them, in their own time zone.

const hora = new Intl.DateTimeFormat("es", { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const dia = new Intl.DateTimeFormat("es", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false });
const completa = new Intl.DateTimeFormat("es", { dateStyle: "medium", timeStyle: "medium" });

function valida(valor) {
  const fecha = new Date(valor);
  return valor === null || valor === undefined || Number.isNaN(fecha.getTime()) ? null : fecha;
}

/** Time of the day for today, day and time for others; a dash for none. */
export function momento(valor) {
  const fecha = valida(valor);
  if (!fecha) return "—";
  return fecha.toDateString() === new Date().toDateString() ? hora.format(fecha) : dia.format(fecha);
}

/** Day and time without seconds. */
export function salida(valor) {
  const fecha = valida(valor);
  return fecha ? dia.format(fecha) : "—";
}

/** Everything, for a title. */
export function entera(valor) {
  const fecha = valida(valor);
  return fecha ? completa.format(fecha) : "";
}

/** Value of a `datetime-local` field: that many days from now, at a full hour of the local day. */
export function dentroDe(dias, horas, minutos = 0) {
  const fecha = new Date();
  fecha.setDate(fecha.getDate() + dias);
  fecha.setHours(horas, minutos, 0, 0);
  return paraCampo(fecha);
}

/** Value of a `datetime-local` field, some hours after another one. */
export function despuesDe(valor, horas) {
  const fecha = valida(valor);
  if (!fecha) return "";
  fecha.setMinutes(fecha.getMinutes() + horas * 60);
  return paraCampo(fecha);
}

/** What the API takes, `2022-11-22T13:10:00Z`; the text itself when it is no date, for the API to complain about. */
export function paraApi(valor) {
  const fecha = valida(valor);
  return fecha && valor ? fecha.toISOString().replace(/\.\d+Z$/, "Z") : valor;
}

function paraCampo(fecha) {
  const dos = (numero) => String(numero).padStart(2, "0");
  return `${fecha.getFullYear()}-${dos(fecha.getMonth() + 1)}-${dos(fecha.getDate())}T${dos(fecha.getHours())}:${dos(fecha.getMinutes())}`;
}
