"""A real SMTP server (aiosmtpd) as a process of its own: every mail that it takes becomes a JSON line of its file.

Rules by the local part of a recipient: `rechazado` is refused for good, `ocupado` for now the first two times. While a file
`retener` lies beside the mails, the answer to a mail waits, after the mail was taken. While a file `rehusar` does, its text is the
answer to the command that it begins with: `MAIL 550 5.7.1 no such sender`.
"""

import argparse
import asyncio
import email
import email.policy
import json
import pathlib
import signal
import ssl

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class Buzones:
    def __init__(self, folder):
        self._mails = open(folder / "mails.jsonl", "a")
        self._hold = folder / "retener"
        self._refuse = folder / "rehusar"
        self._busy = 2

    def _refusal(self, command):
        asked, _, answer = (self._refuse.read_text() if self._refuse.exists() else "").partition(" ")
        return answer if asked == command else None

    async def handle_MAIL(self, server, session, envelope, address, options):
        if answer := self._refusal("MAIL"):
            return answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if answer := self._refusal("RCPT"):
            return answer
        name = address.partition("@")[0]
        if name == "rechazado":
            return "550 5.1.1 no such mailbox"
        if name == "ocupado" and self._busy:
            self._busy -= 1
            return "451 4.3.2 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if answer := self._refusal("DATA"):
            return answer
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self._mails.write(json.dumps({
            "para": envelope.rcpt_tos, "de": envelope.mail_from, "asunto": mail["subject"], "message_id": mail["message-id"],
            "texto": mail.get_content().replace("\r\n", "\n"), "tls": session.ssl is not None, "cuenta": (session.auth_data or b"").decode() or None}) + "\n")
        self._mails.flush()
        while self._hold.exists():
            await asyncio.sleep(0.01)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    if (data.login, data.password) == (b"aeroalpes", b"secreto"):
        return AuthResult(success=True, auth_data=data.login)
    return AuthResult(success=False, handled=False)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--cert", help="a PEM file with certificate and key: STARTTLS and a login are required")
    arguments = parser.parse_args()
    options = {}
    if arguments.cert:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(arguments.cert)
        options = {"tls_context": context, "require_starttls": True, "authenticator": authenticate, "auth_required": True}
    controller = Controller(Buzones(arguments.folder), hostname="127.0.0.1", port=arguments.port, **options)
    controller.start()
    print("ready", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    controller.stop()


main()
