"""A mail server on loopback that says what it got, one line of JSON for each thing, on its standard output.

First its port, then every message that it was given, as it came and as Python's own `email` reads it. What it does
with a message depends on the recipient: `refused@` is not known here, `later@` is to be tried again, `unwanted@` is
refused for its content, `hangs@` never gets an answer, `dies@` loses the connection when the message is stored. It
ends with its standard input.
"""

import argparse
import asyncio
import base64
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


def tell(**what):
    print(json.dumps(what), flush=True)


def as_read(raw):
    message = email.message_from_bytes(raw, policy=email.policy.default)
    parts = [part for part in message.walk() if not part.is_multipart()]
    return {
        "headers": [[name, str(value)] for name, value in message.items()],
        "type": message.get_content_type(),
        "defects": [repr(defect) for part in message.walk() for defect in part.defects],
        "parts": [[part.get_content_type(), part.get_content()] for part in parts],
    }


class Handler:
    async def handle_MAIL(self, server, session, envelope, address, options):
        if address.startswith("forged@"):
            return "553 5.7.1 Sender address rejected"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused@"):
            return "550 5.1.1 No such user here"
        if address.startswith("later@"):
            return "450 4.2.0 Greylisted, try again"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server, session, envelope):
        recipient = envelope.rcpt_tos[0]
        if recipient.startswith("unwanted@"):
            return "554 5.7.1 Message content rejected"
        if recipient.startswith("hangs@"):
            tell(hangs=recipient)
            await asyncio.Event().wait()
        tell(
            sender=envelope.mail_from,
            recipients=envelope.rcpt_tos,
            raw=base64.b64encode(envelope.original_content).decode(),
            encrypted=server.transport.get_extra_info("ssl_object") is not None,
            user=(session.auth_data.login.decode() if session.authenticated else None),
            hello=session.host_name,
            **as_read(envelope.original_content),
        )
        if recipient.startswith("dies@"):
            server.transport.abort()
            return "451 4.0.0 never said"
        return "250 2.0.0 Ok: stored"


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=["plain", "starttls", "tls"], default="plain")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--mechanism")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ascii", action="store_true")
    args = parser.parse_args()

    context = None
    if args.mode != "plain":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(args.certificate, args.key)

    def authenticator(server, session, envelope, mechanism, data):
        is_right = isinstance(data, LoginPassword) and data == LoginPassword(
            args.user.encode(), args.password.encode()
        )
        return AuthResult(success=is_right, handled=False, auth_data=data)

    def session():
        exclude = {"PLAIN": ["LOGIN"], "LOGIN": ["PLAIN"]}.get(args.mechanism)
        return SMTP(
            Handler(),
            enable_SMTPUTF8=not args.ascii,
            hostname="mail.example",
            tls_context=context if args.mode == "starttls" else None,
            authenticator=authenticator if args.user else None,
            auth_required=bool(args.user),
            auth_require_tls=False,
            auth_exclude_mechanism=exclude,
        )

    loop = asyncio.get_running_loop()
    at_once = context if args.mode == "tls" else None
    server = await loop.create_server(session, "127.0.0.1", args.port, ssl=at_once)
    tell(port=server.sockets[0].getsockname()[1])
    # Whoever started it is gone when there is no more input.
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
