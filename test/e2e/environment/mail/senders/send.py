"""Hands one message to a mail server: send.py <port> <sender> <recipient> <subject> [user password]. With a user over TLS."""
import smtplib
import ssl
import sys

port, sender, recipient, subject, *login = sys.argv[1:]
# It shows a certificate for another name than the address that it is reached by here.
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
