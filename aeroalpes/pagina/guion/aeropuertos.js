// Airports that the form offers. Any other code may be typed.

const AEROPUERTOS = new Map([
  ["BOG", "Bogotá"], ["MDE", "Medellín"], ["CLO", "Cali"], ["CTG", "Cartagena"], ["SMR", "Santa Marta"], ["PSO", "Pasto"],
  ["UIO", "Quito"], ["GYE", "Guayaquil"], ["CUE", "Cuenca"], ["LIM", "Lima"], ["CUZ", "Cusco"], ["AQP", "Arequipa"],
  ["LPB", "La Paz"], ["SCL", "Santiago de Chile"], ["MDZ", "Mendoza"], ["EZE", "Buenos Aires"], ["CCS", "Caracas"],
  ["PTY", "Panamá"], ["MEX", "Ciudad de México"], ["MIA", "Miami"], ["JFK", "Nueva York"], ["MAD", "Madrid"],
]);

const llano = (texto) => texto.normalize("NFD").replace(/\p{M}/gu, "").trim().toLowerCase();

/** Pairs of code and name. */
export const aeropuertos = [...AEROPUERTOS];

/** Reads what was typed, a code or a city: `{codigo, nombre?}`. What is neither goes to the API as it is. */
export function leer(texto) {
  const escrito = llano(texto);
  for (const [codigo, nombre] of AEROPUERTOS) {
    if (escrito === llano(codigo) || escrito === llano(nombre)) return { codigo, nombre };
  }
  return { codigo: /^[a-z]{3}$/.test(escrito) ? escrito.toUpperCase() : texto.trim() };
}

/** Name of a code, if it is known. */
export function nombreDe(codigo) {
  return AEROPUERTOS.get(codigo);
}
