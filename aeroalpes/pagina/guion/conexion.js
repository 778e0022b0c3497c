// El websocket: se abre, escucha, y si se pierde se vuelve a abrir con pausas cada vez mayores.
//
// Avisa a un `oyente`: `mensaje(objeto)`, `abierta()`, `perdida(segundos)` con los segundos hasta el siguiente intento.

const PRIMERA_PAUSA_MS = 500;
const MAYOR_PAUSA_MS = 15_000;

export function conectar(oyente) {
  let pausa = PRIMERA_PAUSA_MS;
  let espera = null;
  let websocket = null;

  function abrir() {
    clearTimeout(espera);
    espera = null;
    websocket = new WebSocket(`${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/ws`);
    websocket.addEventListener("open", () => {
      pausa = PRIMERA_PAUSA_MS;
      oyente.abierta();
    });
    websocket.addEventListener("message", (evento) => oyente.mensaje(JSON.parse(evento.data)));
    websocket.addEventListener("close", cerrada);
  }

  function cerrada() {
    // Entre la mitad de la pausa y toda ella, para que mil páginas no vuelvan a la vez.
    const ms = pausa * (0.5 + Math.random() / 2);
    pausa = Math.min(pausa * 2, MAYOR_PAUSA_MS);
    oyente.perdida(Math.ceil(ms / 1000));
    espera = setTimeout(abrir, ms);
  }

  // Un teléfono que despierta, o una red que vuelve, no tiene que esperar la pausa.
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
