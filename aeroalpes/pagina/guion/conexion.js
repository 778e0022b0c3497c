// The websocket: opens, hears, and opens again with growing pauses when it was lost.
//
// Tells an `oyente`: `mensaje(objeto)`, `abierta()`, `perdida(segundos)` with the seconds until the next attempt.

const PRIMERA_PAUSA_MS = 500;
const MAYOR_PAUSA_MS = 15_000;

export function conectar(oyente) {
  let pausa = PRIMERA_PAUSA_MS;
  let espera = null;
  let zocalo = null;

  function abrir() {
    clearTimeout(espera);
    espera = null;
    zocalo = new WebSocket(`${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/ws`);
    zocalo.addEventListener("open", () => {
      pausa = PRIMERA_PAUSA_MS;
      oyente.abierta();
    });
    zocalo.addEventListener("message", (evento) => oyente.mensaje(JSON.parse(evento.data)));
    zocalo.addEventListener("close", cerrada);
  }

  function cerrada() {
    // Between half of the pause and all of it, so that a thousand pages do not come back at once.
    const ms = pausa * (0.5 + Math.random() / 2);
    pausa = Math.min(pausa * 2, MAYOR_PAUSA_MS);
    oyente.perdida(Math.ceil(ms / 1000));
    espera = setTimeout(abrir, ms);
  }

  // A phone that wakes up, or a network that is back, need not wait for the pause.
  const yaMismo = () => {
    if (espera !== null && document.visibilityState === "visible") {
      pausa = PRIMERA_PAUSA_MS;
      abrir();
    }
  };
  addEventListener("online", yaMismo);
  document.addEventListener("visibilitychange", yaMismo);
  abrir();
}
