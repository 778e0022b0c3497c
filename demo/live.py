"""What the page's websocket tells, and what the notifications print, a line each."""

import contextlib
import json

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect


class Shown:
    """Prints what is new. The connection is made again when it was lost, as the page does it."""

    def __init__(self, airline):
        self._airline = airline
        self._connection, self._socket = contextlib.ExitStack(), None
        self._mails = 0

    def show_new(self):
        for message in self._received():
            line = of_message(json.loads(message))
            if line:
                print(line, flush=True)
        mails = [line for line in self._airline.mail.process.stdout().splitlines() if line.startswith("correo a ")]
        for line in mails[self._mails:]:
            print(f"  {line[:150]}", flush=True)
        self._mails = len(mails)

    def _received(self):
        try:
            if self._socket is None:
                address = self._airline.page.url.replace("http", "ws", 1) + "/ws"
                self._socket = self._connection.enter_context(connect(address, open_timeout=5))
            while True:
                yield self._socket.recv(timeout=0)
        except TimeoutError:
            return
        except (WebSocketException, OSError):
            self._connection.close()
            self._socket = None


def of_message(message):
    """One line of a websocket message; none for the server's own state."""
    if message["tipo"] == "evento":
        event = message["evento"]
        return f"evento  {event['type']:17} {event['data']['id_reserva']}  {event['data']['estado']}"
    if message["tipo"] == "cambio":
        change = message["cambio"]
        return f"cambio  {change['operacion']:17} {change['tabla']}  {json.dumps(change['llave'], ensure_ascii=False)}"
    return None
