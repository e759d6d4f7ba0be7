"""Sends one message to a local mail server: send.py <port> <sender> <recipient> <subject> [user password]. Uses TLS if there is a user."""
import smtplib
import ssl
import sys

port, sender, recipient, subject, *login = sys.argv[1:]
# Do not verify the certificate: it has a host name, and the connection goes to 127.0.0.1.
context = ssl._create_unverified_context()
server = smtplib.SMTP_SSL("127.0.0.1", int(port), context=context, timeout=30) if login else smtplib.SMTP("127.0.0.1", int(port), timeout=30)
if login:
    server.login(*login)
else:
    server.ehlo()
for answer in (
    server.mail(sender),
    server.rcpt(recipient),
    server.data(f"From: <{sender}>\r\nTo: <{recipient}>\r\nSubject: {subject}\r\n\r\n{subject}\r\n".encode()),
):
    if answer[0] != 250:
        sys.exit(f"{answer}")
print(answer[1].decode())
server.quit()
