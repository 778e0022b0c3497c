// Aeropuertos que ofrece el formulario. Se puede escribir cualquier otro código.

const AEROPUERTOS = new Map([
  ["BOG", "Bogotá"], ["MDE", "Medellín"], ["CLO", "Cali"], ["CTG", "Cartagena"], ["SMR", "Santa Marta"], ["PSO", "Pasto"],
  ["UIO", "Quito"], ["GYE", "Guayaquil"], ["CUE", "Cuenca"], ["LIM", "Lima"], ["CUZ", "Cusco"], ["AQP", "Arequipa"],
  ["LPB", "La Paz"], ["SCL", "Santiago de Chile"], ["MDZ", "Mendoza"], ["EZE", "Buenos Aires"], ["CCS", "Caracas"],
  ["PTY", "Panamá"], ["MEX", "Ciudad de México"], ["MIA", "Miami"], ["JFK", "Nueva York"], ["MAD", "Madrid"],
]);

const llano = (texto) => texto.normalize("NFD").replace(/\p{M}/gu, "").trim().toLowerCase();

/** Pares de código y nombre. */
export const aeropuertos = [...AEROPUERTOS];

/** Lee lo escrito, un código o una ciudad: `{codigo, nombre?}`. Lo que no es ni uno ni otra va tal cual a la API. */
export function leer(texto) {
  const escrito = llano(texto);
  for (const [codigo, nombre] of AEROPUERTOS) {
    if (escrito === llano(codigo) || escrito === llano(nombre)) return { codigo, nombre };
  }
  return { codigo: /^[a-z]{3}$/.test(escrito) ? escrito.toUpperCase() : texto.trim() };
}

/** Nombre de un código, si se conoce. */
export function nombreDe(codigo) {
  return AEROPUERTOS.get(codigo);
}
